"""The program of a service: its kind, files, interpreter, commands and log file."""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Final

from winsvc.errors import ValidationError

__all__ = [
    "COMMANDS",
    "Program",
    "ProgramKind",
    "default_log_file",
    "is_command",
    "this_program",
]

COMMANDS: Final = ("install", "remove", "start", "stop", "restart", "status", "debug", "doctor")
"""The commands that :func:`winsvc.host.run` takes at a terminal."""


def is_command(argument: str) -> bool:
    """Return whether a program's first argument is one of the commands."""
    return argument in COMMANDS or argument in ("-h", "--help")


class ProgramKind(Enum):
    """The kind of a program."""

    SCRIPT = "script"
    """``python beat.py``"""
    MODULE = "module"
    """``python -m package`` or ``python -m package.module``"""
    ZIPAPP = "zipapp"
    """``python app.pyz``; also a folder with a ``__main__.py``"""
    FROZEN = "frozen"
    """a standalone program, of PyInstaller, cx_Freeze or Nuitka"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that can be a service; :func:`this_program` finds the running one.

    Attributes:
        kind: what sort of program it is.
        target: the path of the script, zip file, folder or frozen program; a module's name.
        interpreter: the interpreter that is started, a real one and not a virtual environment's;
            the program itself if it is frozen.
        venv: the folder of its virtual environment; None without one.
        path: the folder in which a module's package lies, unless the interpreter searches it
            anyway.
        options: the interpreter's, such as ``-O``.
    """

    kind: ProgramKind
    target: str
    interpreter: str
    venv: str | None = None
    path: str | None = None
    options: tuple[str, ...] = ()

    def describe(self) -> str:
        """Return the command that starts it at a terminal: ``beat.py``, ``python -m beat``."""
        if self.kind is ProgramKind.MODULE:
            return f"python -m {self.target}"
        return os.path.basename(self.target)


def this_program() -> Program:
    """Describe the running program.

    Raises:
        ValidationError: it cannot be started again, as it was typed in or read from a pipe.
    """
    main = sys.modules["__main__"]
    frozen = _frozen(main)
    if frozen is not None:
        return Program(kind=ProgramKind.FROZEN, target=frozen, interpreter=frozen)
    kind, target, path = _target(main)
    venv = os.path.abspath(sys.prefix) if sys.prefix != sys.base_prefix else None
    return Program(
        kind=kind,
        target=target,
        interpreter=_interpreter(),
        venv=venv,
        path=path,
        options=_interpreter_options(sys.flags.optimize, sys._xoptions),
    )


def default_log_file(name: str) -> str:
    r"""``%ProgramData%\winsvc\NAME.log``: where a service's failures are written to."""
    folder = os.environ.get("PROGRAMDATA") or ("C:\\ProgramData" if os.name == "nt" else "/var/log")
    # Of what a service's name may have, a file's may not have these.
    return os.path.join(folder, "winsvc", re.sub(r'[<>:"|?*\x00-\x1f]', "_", name) + ".log")


def _frozen(main: ModuleType) -> str | None:
    """Return the path of the program if it is frozen."""
    if getattr(sys, "frozen", False):
        return os.path.abspath(sys.executable)
    if hasattr(main, "__compiled__"):
        # Nuitka: sys.executable is an interpreter that may not be there.
        program = os.path.abspath(sys.argv[0])
        return program if os.path.splitext(program)[1] or os.name != "nt" else f"{program}.exe"
    return None


def _target(main: ModuleType) -> tuple[ProgramKind, str, str | None]:
    """Return the kind and name of the program, and the folder to add to ``sys.path``."""
    spec = getattr(main, "__spec__", None)
    file: str | None = getattr(main, "__file__", None)
    if spec is not None and spec.name != "__main__":
        name: str = spec.name.removesuffix(".__main__")
        return ProgramKind.MODULE, name, _module_path(spec.name, spec.origin or file)
    if file is None or file.startswith("<"):
        raise ValidationError(
            "program",
            "this code was typed in or read from a pipe, so it cannot be started as a service. "
            "Save it as a file, and install it with: python beat.py install",
        )
    if spec is not None:
        return ProgramKind.ZIPAPP, os.path.dirname(os.path.abspath(file)), None
    return ProgramKind.SCRIPT, os.path.abspath(file), None


def _module_path(name: str, origin: str | None) -> str | None:
    """Return the folder of a module's outermost package; None if it is searched anyway."""
    if origin is None:
        return os.path.abspath(sys.path[0])
    folder = os.path.abspath(origin)
    for _ in name.split("."):
        folder = os.path.dirname(folder)
    if os.path.basename(os.path.abspath(origin)) == "__init__.py":
        folder = os.path.dirname(folder)
    # Not the folder of a user's own packages: a service may be another user.
    found_anyway = [*site.getsitepackages(), os.path.dirname(os.path.abspath(os.__file__))]
    known = {os.path.normcase(os.path.abspath(path)) for path in found_anyway}
    return None if os.path.normcase(folder) in known else folder


def _interpreter() -> str:
    """Return the interpreter, of the base installation and with a console's ``main``."""
    program = getattr(sys, "_base_executable", None) or sys.executable
    if not program:
        raise ValidationError("program", "sys.executable is empty, so the interpreter is unknown")
    folder, name = os.path.split(os.path.abspath(program))
    # pythonw.exe is the same without standard streams.
    console = re.sub(r"(?i)^pythonw(_d)?(\.exe)?$", r"python\1\2", name)
    return os.path.join(folder, console)


def _interpreter_options(
    optimize: int, implementation: Mapping[str, str | bool]
) -> tuple[str, ...]:
    """Return the options that change a program's behavior: ``-O`` and ``-X``."""
    options = ["-" + "O" * optimize] if optimize else []
    for name, value in implementation.items():
        options.append(f"-X{name}" if value is True else f"-X{name}={value}")
    return tuple(options)
