"""Compare every declaration in `cdefs/` with the Windows headers, with the compiler.

CFFI does not detect that a parameter is an `int` and the header has a `short`, because C
converts it. This tool therefore writes a C file that compiles only if, for every function,
field and typedef, CFFI's type is the header's type. Nothing is linked or run.

    python tools/declcheck.py [--compiler x86_64-w64-mingw32-gcc] [--emit out.c]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import build_ffi
from tools import cdef_model

#: The type that Windows requires of each `extern "Python"`.
CALLBACK_TYPES = {
    "winsvc_service_main": "LPSERVICE_MAIN_FUNCTIONW",
    "winsvc_control_handler": "LPHANDLER_FUNCTION_EX",
    "winsvc_status_changed": "PFN_SC_NOTIFY_CALLBACK",
    "winsvc_service_changed": "PSC_NOTIFICATION_CALLBACK",
    "winsvc_enum_name": "NAMEENUMPROCW",
    "winsvc_enum_window": "WNDENUMPROC",
}

# The glue functions, the copies of structs and the pointers are unused.
_FLAGS = ("-Wno-unused", "-fsyntax-only")


def check_source(model: cdef_model.Model, cdefs: Path = build_ffi.CDEFS) -> str:
    """Return the C file whose compilation is the check."""
    lines = [build_ffi.c_source(cdefs)]
    for typedef in model.typedefs.values():
        lines += _same(typedef.place, typedef.name, typedef.name, typedef.resolved)
    for struct in model.structs.values():
        lines += _struct(struct)
    for function in model.functions.values():
        lines += _function(function, glue=function.name in model.glue)
    if set(model.callbacks) != set(CALLBACK_TYPES):
        raise SystemExit(
            f"CALLBACK_TYPES in {__file__} and cdefs/callbacks.h differ: "
            f"{sorted(set(model.callbacks) ^ set(CALLBACK_TYPES))}"
        )
    for callback in model.callbacks.values():
        wanted = CALLBACK_TYPES[callback.name]
        lines += _same(callback.place, callback.name, wanted, callback.resolved)
    return "\n".join(lines) + "\n"


def _same(
    place: cdef_model.Place, what: str, header: str, resolved: Any, ours: str | None = None
) -> Iterator[str]:
    ours = ours or resolved.get_c_name("")
    name = "check_" + what.replace(".", "_")
    message = f"{what} is not what the header declares"
    # The first names the wrong declaration, the second causes GCC to show both types;
    # __typeof__ allows types such as `int (*)(void)` before a name.
    same = f'_Static_assert(__builtin_types_compatible_p({header}, {ours}), "{message}");'
    show = f"static __typeof__({header}) *{name} = (__typeof__({ours}) *)0;"
    yield f'#line {place.line} "{place.file}"'
    yield f"{same} {show}"


def _struct(struct: cdef_model.Struct) -> Iterator[str]:
    if struct.fields is None:
        return
    for field in struct.fields:
        header = f"__typeof__((({struct.name} *)0)->{field.name})"
        yield from _same(field.place, f"{struct.name}.{field.name}", header, field.resolved)
    if struct.partial:
        return
    kind = "union" if struct.union else "struct"
    mirror = f"{kind} check_{struct.name}"
    fields = " ".join(field.resolved.get_c_name(field.name) + ";" for field in struct.fields)
    line = f'#line {struct.place.line} "{struct.place.file}"'
    yield line
    yield f"{mirror} {{ {fields} }};"
    for field in struct.fields:
        ours = f"__builtin_offsetof({mirror}, {field.name})"
        header = f"__builtin_offsetof({struct.name}, {field.name})"
        what = f"{struct.name}.{field.name} has another offset in the header's structure"
        yield line
        yield f'_Static_assert({ours} == {header}, "{what}");'
    what = f"{struct.name} has another size in the header"
    yield line
    yield f'_Static_assert(sizeof({mirror}) == sizeof({struct.name}), "{what}");'


def _function(function: cdef_model.Function, *, glue: bool) -> Iterator[str]:
    resolved = function.resolved
    # The cdefs leave the calling convention to the compiler; the comparison needs it.
    convention = "" if glue else "WINAPI "
    params = ", ".join(param.get_c_name("") for param in resolved.args) or "void"
    ours = resolved.result.get_c_name(f"({convention}*)({params})")
    yield from _same(function.place, function.name, f"__typeof__(&{function.name})", resolved, ours)


def run(compiler: str, cdefs: Path = build_ffi.CDEFS) -> int:
    """Compile the check; errors are on stderr, with name and place."""
    source = check_source(cdef_model.load(cdefs), cdefs)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "declcheck.c"
        path.write_text(source, encoding="ascii")
        command = [compiler, *build_ffi.GCC_FLAGS, *_FLAGS]
        command += [f"-D{name}={value}" for name, value in build_ffi.MACROS]
        return subprocess.run([*command, str(path)], check=False).returncode


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Compare cdefs/ with the Windows headers.")
    parser.add_argument("--compiler", default="x86_64-w64-mingw32-gcc")
    parser.add_argument("--cdefs", type=Path, default=build_ffi.CDEFS)
    parser.add_argument(
        "--emit", type=Path, metavar="C_FILE", help="write the check, do not compile"
    )
    options = parser.parse_args(argv)
    if options.emit:
        source = check_source(cdef_model.load(options.cdefs), options.cdefs)
        options.emit.write_text(source, encoding="ascii", newline="\n")
        return 0
    return run(options.compiler, options.cdefs)


if __name__ == "__main__":
    sys.exit(main())
