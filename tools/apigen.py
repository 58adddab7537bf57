"""Write `docs/api.md`: the signatures of everything that is public.

    python tools/apigen.py            write the file
    python tools/apigen.py --check    fail, and show the difference, if the file is stale

Each change of the API is a change of this file, and so it shows in a diff.
"""

from __future__ import annotations

import argparse
import difflib
import enum
import importlib
import inspect
import sys
import textwrap
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from winsvc.backend import Backend

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs" / "api.md"
WIDTH = 100

# The modules whose public names are listed, each with its description.
MODULES = {
    "winsvc": "Services, values, rights and errors; window stations and desktops.",
    "winsvc.enums": "Further enumerations.",
    "winsvc.errors": "Further errors.",
    "winsvc.security": "Security descriptors, access control entries and SIDs.",
    "winsvc.triggers": "Trigger events.",
    "winsvc.aio": "The object API for asyncio and trio.",
    "winsvc.host": "Programs that are services.",
    "winsvc.testing": "A simulated machine for tests.",
    "winsvc.backend": "The calls below the object API.",
}
# Modules that are compatible with another package, and only counted here.
COUNTED = {"winsvc.win32service": "the replacement of pywin32's module; see win32service.md"}

# Constructors that only the package calls.
INTERNAL_CONSTRUCTORS = {"Opening", "Watch"}

HEAD = """# API

The signatures of everything that is public, written by `tools/apigen.py`. The descriptions are in
the docstrings: `help(winsvc.ServiceManager)`.
"""


def text() -> str:
    """Return the whole document."""
    parts = [HEAD]
    listed: set[str] = set()
    for name, about in MODULES.items():
        module = importlib.import_module(name)
        names = [item for item in public_names(module) if item not in listed]
        if name == "winsvc":
            listed |= set(names)
        parts.append(f"## `{name}`\n\n{about}\n\n```text\n{listing(module, names)}\n```\n")
    for name, about in COUNTED.items():
        count = len(public_names(importlib.import_module(name)))
        parts.append(f"## `{name}`\n\n{count} names: {about}.\n")
    return "\n".join(parts)


def public_names(module: ModuleType) -> list[str]:
    """Return the public names of a module in alphabetical order."""
    names: list[str] = list(vars(module)["__all__"])
    return sorted(names, key=lambda name: (name.lower(), name))


def listing(module: ModuleType, names: Sequence[str]) -> str:
    """Return the entries of a module: classes and functions, then the other names."""
    entries: list[str] = []
    values: list[str] = []
    for name in names:
        value = getattr(module, name)
        if isinstance(value, type):
            entries.append("\n".join(class_lines(name, value)))
        elif inspect.isroutine(value):
            entries.append("\n".join(function_lines(name, value)))
        else:
            values.append(f"{name}: {value_text(value)}")
    return "\n\n".join([*entries, *(["\n".join(values)] if values else [])])


def value_text(value: object) -> str:
    """Return the type of a constant, or the meaning of a type alias."""
    if isinstance(value, enum.Enum):
        return default_text(value)
    if isinstance(value, (str, int, float)):
        return repr(value)
    if hasattr(value, "__args__"):
        return f"TypeAlias = {annotation_text(value)}"
    return type(value).__name__


# ------------------------------------------------------------------- classes


def class_lines(name: str, kind: type) -> Iterator[str]:
    """Yield the lines of a class: its bases, its constructor and its members."""
    bases = [base.__name__ for base in kind.__bases__ if is_shown_base(base)]
    yield f"class {name}({', '.join(bases)})" if bases else f"class {name}"
    if issubclass(kind, enum.Enum):
        yield from enum_lines(kind)
    constructor = constructor_of(kind)
    if constructor is not None:
        yield f"    {name}{signature_text(constructor, skip=1)}"
    yield from (f"    {line}" for line in member_lines(kind))


def is_shown_base(base: type) -> bool:
    private = base.__module__.startswith("winsvc.") and is_private(base)
    return not private and base not in (object, typing.Generic) and base.__name__ != "Protocol"


def is_private(kind: type) -> bool:
    """Return whether a class is not exported by a public module."""
    module = sys.modules.get(kind.__module__)
    public = kind.__module__ == "winsvc" or kind.__module__ in MODULES
    return not public or kind.__name__ not in getattr(module, "__all__", ())


def enum_lines(kind: type[enum.Enum]) -> Iterator[str]:
    """Yield the members of an enumeration, several on a line."""
    flags = issubclass(kind, enum.Flag)
    members = (
        f"{name} = {member.value:#x}" if flags else f"{name} = {member.value!r}"
        for name, member in kind.__members__.items()
    )
    indent = " " * 4
    yield textwrap.fill(
        ", ".join(members).replace(" = ", "\xa0=\xa0"),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
    ).replace("\xa0", " ")


def constructor_of(kind: type) -> Callable[..., object] | None:
    """Return the constructor that users call; None if only the package calls it."""
    if issubclass(kind, enum.Enum) or getattr(kind, "_is_protocol", False):
        return None
    if kind.__name__ in INTERNAL_CONSTRUCTORS:
        return None
    if hasattr(kind, "_fields"):
        return kind.__new__
    if "__init__" in vars(kind):
        init: Callable[..., object] = vars(kind)["__init__"]
        if init.__doc__ or "__dataclass_fields__" in vars(kind):
            return init
    return None


def member_lines(kind: type) -> Iterator[str]:
    """Yield the public members, also those of private base classes."""
    seen: set[str] = set()
    if kind.__module__.startswith("winsvc.testing") and hasattr(kind, "open_sc_manager"):
        yield "(the methods of winsvc.backend.Backend)"
        seen |= {name for name in dir(Backend) if not name.startswith("_")}
    for base in kind.__mro__:
        if base is not kind and not (base.__module__.startswith("winsvc") and is_private(base)):
            continue
        fields = getattr(base, "__dataclass_fields__", getattr(base, "_fields", ()))
        annotations = inspect.get_annotations(base)
        for name, annotation in annotations.items():
            is_attribute = not isinstance(vars(base).get(name), (enum.Enum, property))
            if not name.startswith("_") and name not in seen and name not in fields:
                seen.add(name)
                if is_attribute:
                    yield f"{name}: {annotation_text(annotation)}"
        for name, member in vars(base).items():
            if name.startswith("_") or name in seen or name in fields:
                continue
            seen.add(name)
            yield from one_member(name, member)


def one_member(name: str, member: object) -> Iterator[str]:
    if isinstance(member, property):
        assert member.fget is not None
        returns = inspect.signature(member.fget).return_annotation
        yield f"{name}: {annotation_text(returns)}"
    elif isinstance(member, (classmethod, staticmethod)):
        kind = type(member).__name__
        skip = 1 if kind == "classmethod" else 0
        yield from (f"@{kind} {line}" for line in function_lines(name, member.__func__, skip))
    elif inspect.isfunction(member):
        yield from function_lines(name, member, 1)


# ------------------------------------------------------------------- signatures


def function_lines(name: str, function: Callable[..., object], skip: int = 0) -> Iterator[str]:
    """Yield the signature of a function, or those of its overloads."""
    wrapped = inspect.unwrap(function)
    prefix = "async " if inspect.iscoroutinefunction(function) else ""
    if wrapped is not function and inspect.isgeneratorfunction(wrapped):
        prefix = "@contextmanager "
    for overload in typing.get_overloads(wrapped) or [function]:
        yield f"{prefix}def {name}{signature_text(overload, skip)}"


def signature_text(function: Callable[..., object], skip: int = 0) -> str:
    """Return a signature without its first parameters, on one line."""
    signature = inspect.signature(function)
    parts: list[str] = []
    star = False
    parameters = list(signature.parameters.values())[skip:]
    for index, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            star = True
            if not any(item.kind is item.VAR_POSITIONAL for item in parameters[:index]):
                parts.append("*")
        parts.append(parameter_text(parameter))
        following = parameters[index + 1].kind if index + 1 < len(parameters) else None
        if parameter.kind is parameter.POSITIONAL_ONLY and following != parameter.POSITIONAL_ONLY:
            parts.append("/")
    returns = signature.return_annotation
    arrow = "" if returns is inspect.Signature.empty else f" -> {annotation_text(returns)}"
    return f"({', '.join(parts)}){arrow}"


def parameter_text(parameter: inspect.Parameter) -> str:
    stars = ""
    if parameter.kind is parameter.VAR_POSITIONAL:
        stars = "*"
    elif parameter.kind is parameter.VAR_KEYWORD:
        stars = "**"
    result = f"{stars}{parameter.name}"
    annotated = parameter.annotation is not inspect.Parameter.empty
    if annotated:
        result += f": {annotation_text(parameter.annotation)}"
    if parameter.default is not inspect.Parameter.empty:
        equals = " = " if annotated else "="
        result += f"{equals}{default_text(parameter.default)}"
    return result


def annotation_text(annotation: object) -> str:
    """Return an annotation as the source has it."""
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, str):
        return annotation
    forward: str | None = getattr(annotation, "__forward_arg__", None)
    if forward is not None:
        return forward
    arguments = getattr(annotation, "__args__", None)
    if arguments and type(annotation).__name__ == "UnionType":
        return " | ".join(map(annotation_text, arguments))
    if isinstance(annotation, type) and not arguments:
        return annotation.__qualname__
    return str(annotation).replace("typing.", "").replace("collections.abc.", "")


def default_text(value: object) -> str:
    """Return a default value, the same on each Python version."""
    kind = type(value)
    if value is ...:
        return "..."
    if isinstance(value, enum.Flag):
        for name, member in kind.__members__.items():  # type: ignore[attr-defined]
            if member.value == value.value:
                return f"{kind.__name__}.{name}"
        names = [member.name or "" for member in kind if member in value]  # type: ignore[attr-defined]
        return " | ".join(f"{kind.__name__}.{name}" for name in names) or f"{kind.__name__}(0)"
    if isinstance(value, enum.Enum):
        return f"{kind.__name__}.{value.name}"
    if isinstance(value, type) or inspect.isroutine(value):
        return value.__qualname__
    shown = repr(value).removeprefix("datetime.")
    return "..." if " at 0x" in shown else shown


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Write the listing of the public API.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    options = parser.parse_args(argv)
    wanted = text()
    name = OUTPUT.relative_to(ROOT).as_posix()
    present = OUTPUT.read_text("utf-8") if OUTPUT.exists() else ""
    if present == wanted:
        return 0
    if options.check:
        difference = difflib.unified_diff(
            present.splitlines(), wanted.splitlines(), name, "the API", lineterm=""
        )
        print("\n".join(difference), file=sys.stderr)
        print(f"{name} is stale: run python tools/apigen.py", file=sys.stderr)
        return 1
    OUTPUT.write_text(wanted, encoding="utf-8", newline="\n")
    print(f"wrote {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
