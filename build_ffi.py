"""Build `_winsvc_cffi`, the compiled module of winsvc, from `cdefs/`.

On Windows, setuptools calls `ffibuilder`. On other systems the same module can be
cross-compiled with mingw-w64:

    python build_ffi.py --emit out.c
    python build_ffi.py --cross _winsvc_cffi.pyd -I Include -I PC -L libs -l python3
"""

from __future__ import annotations

import argparse
import io
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cffi import FFI, recompiler

# setuptools runs this file with the name "__cffi__", from any directory.
ROOT = Path(__file__).resolve().parent
CDEFS = ROOT / "cdefs"

MODULE = "_winsvc_cffi"

#: In order: each file uses only declarations of earlier files.
CDEF_FILES = (
    "basetsd.h",
    "minwindef.h",
    "guiddef.h",
    "winnt.h",
    "minwinbase.h",
    "winerror.h",
    "errhandlingapi.h",
    "fileapi.h",
    "handleapi.h",
    "processthreadsapi.h",
    "synchapi.h",
    "winbase.h",
    "securitybaseapi.h",
    "winreg.h",
    "sddl.h",
    "winsvc.h",
    "lmserver.h",
    "winuser.h",
    "dbt.h",
    "glue.h",
    "callbacks.h",
)

#: Compiled into the module without changes, in this order, before CFFI's generated code.
C_FILES = ("compat.h", "glue.c", "notify.c", "pack.c", "process.c", "query.c")

LIBRARIES = ("advapi32", "user32")

#: (name, value) pairs. They must precede <Python.h>, so that no header can define them.
MACROS = (
    ("_WIN32_WINNT", "0x0A00"),
    ("WIN32_LEAN_AND_MEAN", "1"),
)

#: The module loads in CPython 3.11 and later.
LIMITED_API = ("Py_LIMITED_API", "0x030B0000")

#: By default, Microsoft's compiler only warns about a cdef whose pointers or number of
#: parameters differ from the SDK.
MSVC_FLAGS = (
    "/W3",
    "/we4002",  # too many arguments for a macro
    "/we4013",  # undeclared function
    "/we4020",  # too many parameters
    "/we4024",  # parameter of another type
    "/we4028",  # parameter differs from the declaration
    "/we4047",  # another level of indirection
    "/we4113",  # function pointer with other parameters
    "/we4133",  # pointer to another type
)

GCC_FLAGS = (
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-Werror",
    # CFFI's functions have an unused parameter `self`, which CPython requires.
    "-Wno-unused-parameter",
)


def cdef_source(cdefs: Path = CDEFS) -> str:
    """Return all cdefs, with line markers, so that a parse error names the file and line."""
    return "".join(_with_markers(cdefs / name) for name in CDEF_FILES)


def _with_markers(path: Path) -> str:
    # CFFI removes each `#define` together with the blank lines above it, which would shift
    # the following line numbers: a marker follows each of them.
    lines: list[str] = []
    marked = False
    for number, line in enumerate(path.read_text(encoding="ascii").splitlines(), 1):
        outside = not line.strip() or line.startswith("#")
        if not outside and not marked:
            lines.append(f'# line {number} "cdefs/{path.name}"')
        marked = not outside
        lines.append(line)
    return "\n".join(lines) + "\n"


def c_source(cdefs: Path = CDEFS) -> str:
    """Return the C source that precedes CFFI's generated code."""
    parts: list[str] = []
    for name in C_FILES:
        parts.append(f'#line 1 "cdefs/c/{name}"')
        parts.append((cdefs / "c" / name).read_text(encoding="ascii"))
    # The following line numbers have no meaning; the marker keeps them out of these files.
    parts.append(f'#line 1 "generated/{MODULE}.c"\n')
    return "\n".join(parts)


def ffibuilder(cdefs: Path = CDEFS) -> FFI:
    """Return the configured FFI object; setuptools calls this function."""
    ffi = FFI()
    ffi.cdef(cdef_source(cdefs))
    macros = list(MACROS)
    # Free-threaded CPython has no stable ABI before 3.15, and CFFI then does not use it.
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        macros.append(LIMITED_API)
    # An MSYS2 Python on Windows compiles with GCC.
    msvc = sys.platform == "win32" and not sysconfig.get_platform().startswith("mingw")
    ffi.set_source(
        MODULE,
        c_source(cdefs),
        libraries=list(LIBRARIES),
        define_macros=macros,
        extra_compile_args=list(MSVC_FLAGS if msvc else GCC_FLAGS),
        py_limited_api=True,
    )
    return ffi


def emit(cdefs: Path = CDEFS) -> str:
    """Return the C source of the whole module, the same on every OS."""
    output = io.StringIO()
    recompiler.make_c_source(ffibuilder(cdefs), MODULE, c_source(cdefs), output)
    # A build of CPython without a stable ABI adds this line.
    return re.sub(r"\A#define _CFFI_NO_LIMITED_API\n", "", output.getvalue())


def cross_compile(
    output: Path,
    *,
    compiler: str = "x86_64-w64-mingw32-gcc",
    include_dirs: Sequence[Path] = (),
    library_dirs: Sequence[Path] = (),
    libraries: Sequence[str] = ("python3",),
    cdefs: Path = CDEFS,
) -> None:
    """Compile the module for Windows into `output`, after checking the cdefs.

    Args:
        output: The module to write.
        compiler: The C compiler.
        include_dirs: CPython's `Include` and `PC` (for the `pyconfig.h` of Windows).
        library_dirs: The folder of an import library of the stable ABI.
        libraries: The import library.
        cdefs: The folder of the declarations.

    Raises:
        CalledProcessError: The compiler failed; its messages are on stderr.
    """
    check_declarations(compiler, cdefs)
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / f"{MODULE}.c"
        source.write_text(emit(cdefs), encoding="ascii")
        command = [compiler, "-shared", "-O2", "-s", *GCC_FLAGS]
        command += [f"-D{name}={value}" for name, value in (*MACROS, LIMITED_API)]
        # Warnings about CPython's headers are of no use here.
        for directory in include_dirs:
            command += ["-isystem", str(directory)]
        command += [str(source), "-o", str(output)]
        command += [f"-L{directory}" for directory in library_dirs]
        command += [f"-l{library}" for library in (*libraries, *LIBRARIES)]
        subprocess.run(command, check=True)


def check_declarations(compiler: str, cdefs: Path = CDEFS) -> None:
    """Compare every declaration with the Windows headers by compiling a check."""
    tool = ROOT / "tools" / "declcheck.py"
    command = [sys.executable, str(tool), "--compiler", compiler, "--cdefs", str(cdefs)]
    subprocess.run(command, check=True)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Build the compiled module of winsvc.")
    job = parser.add_mutually_exclusive_group(required=True)
    job.add_argument(
        "--emit", type=Path, metavar="C_FILE", help="write the C source, do not compile"
    )
    job.add_argument("--cross", type=Path, metavar="PYD", help="compile for Windows with mingw-w64")
    parser.add_argument("--compiler", default="x86_64-w64-mingw32-gcc")
    parser.add_argument("-I", dest="include_dirs", action="append", type=Path, default=[])
    parser.add_argument("-L", dest="library_dirs", action="append", type=Path, default=[])
    parser.add_argument("-l", dest="libraries", action="append", default=[])
    options = parser.parse_args(argv)
    if options.emit:
        options.emit.write_text(emit(), encoding="ascii", newline="\n")
        return 0
    try:
        cross_compile(
            options.cross,
            compiler=options.compiler,
            include_dirs=options.include_dirs,
            library_dirs=options.library_dirs,
            libraries=options.libraries or ["python3"],
        )
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
