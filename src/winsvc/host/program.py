"""How a Python program is run as a service: what it is, and the command line that says so."""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import ModuleType

from winsvc._values.commandline import join
from winsvc._values.names import check_service_name
from winsvc.errors import ArgumentError
from winsvc.host import _bootstrap

__all__ = [
    "Program",
    "ProgramKind",
    "default_log_file",
    "log_file_of",
    "options_of",
    "this_program",
]


class ProgramKind(Enum):
    """What sort of program it is."""

    SCRIPT = "script"
    """``python beat.py``"""
    MODULE = "module"
    """``python -m package`` or ``python -m package.module``"""
    ZIPAPP = "zipapp"
    """``python app.pyz``; also a folder with a ``__main__.py``"""
    FROZEN = "frozen"
    """a program of its own, of PyInstaller, cx_Freeze or Nuitka"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program that can be a service; :func:`this_program` finds the running one.

    Attributes:
        kind: what sort of program it is.
        target: the path of the script, zip file, folder or frozen program; a module's name.
        interpreter: the interpreter that is started, a real one and not a virtual environment's;
            the program itself if it is frozen.
        venv: the folder of its virtual environment; None without one.
        path: the folder in which a module's package lies, unless it is one that the interpreter
            looks into by itself.
        options: the interpreter's, such as ``-O``.
    """

    kind: ProgramKind
    target: str
    interpreter: str
    venv: str | None = None
    path: str | None = None
    options: tuple[str, ...] = ()

    def command_line(
        self,
        names: Sequence[str],
        log_file: str | os.PathLike[str] | None = None,
        arguments: Sequence[str] = (),
    ) -> str:
        """The command line of a process with these services.

        Args:
            names: their key names.
            log_file: where failures are written to; None for the default. A frozen program says
                so itself, in :func:`winsvc.host.run`.
            arguments: what the program gets in ``sys.argv``, each time it is started.

        Raises:
            ArgumentError: no service can have one of the names, there is none, or something can't
                stand in a command line.
        """
        if not names:
            raise ArgumentError("names", "at least one service's name is needed")
        for name in names:
            check_service_name(name, "names")
        if self.kind is ProgramKind.FROZEN:
            return join(self.target, *arguments)
        module = self.target if self.kind is ProgramKind.MODULE else None
        told = _bootstrap.Options(
            tuple(names),
            module=module,
            script=None if module else self.target,
            log=os.path.abspath(log_file or default_log_file(names[0])),
            venv=self.venv,
            path=self.path,
            arguments=tuple(arguments),
        )
        options = [*self.options, "-S"] if self.venv is not None else self.options
        script = os.path.abspath(_bootstrap.__file__)
        return join(self.interpreter, *options, script, *told.to_arguments())

    def describe(self) -> str:
        """How it is started at a terminal: ``beat.py``, ``python -m beat``."""
        if self.kind is ProgramKind.MODULE:
            return f"python -m {self.target}"
        return os.path.basename(self.target)


def this_program() -> Program:
    """The running program.

    Raises:
        ArgumentError: it is none that could be started again: it was typed in, or read from a pipe.
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


def options_of(command: Sequence[str]) -> tuple[list[str], _bootstrap.Options] | None:
    """The interpreter with its options, and the launcher's own, of a command line's parts.

    None where it does not start the launcher.
    """
    for index, part in enumerate(command):
        folders = re.split(r"[\\/]", part.lower())
        if folders[-3:] == ["winsvc", "host", "_bootstrap.py"]:
            try:
                return list(command[: index + 1]), _bootstrap.parse(command[index + 1 :])
            except ValueError:
                return None
    return None


def log_file_of(command: Sequence[str], name: str) -> str:
    """The file for a service's failures, by the parts of its command line.

    Args:
        command: the parts.
        name: whose default file it is, where they say nothing: also those of a frozen program.
    """
    found = options_of(command)
    return (found[1].log if found is not None else None) or default_log_file(name)


def _frozen(main: ModuleType) -> str | None:
    """The path of the program, if it is a frozen one."""
    if getattr(sys, "frozen", False):
        return os.path.abspath(sys.executable)
    if hasattr(main, "__compiled__"):
        # Nuitka: sys.executable is an interpreter that may not be there.
        program = os.path.abspath(sys.argv[0])
        return program if os.path.splitext(program)[1] or os.name != "nt" else f"{program}.exe"
    return None


def _target(main: ModuleType) -> tuple[ProgramKind, str, str | None]:
    """What is run, and the folder that has to be on ``sys.path`` for it."""
    spec = getattr(main, "__spec__", None)
    file: str | None = getattr(main, "__file__", None)
    if spec is not None and spec.name != "__main__":
        name: str = spec.name.removesuffix(".__main__")
        return ProgramKind.MODULE, name, _module_path(spec.name, spec.origin or file)
    if file is None or file.startswith("<"):
        raise ArgumentError(
            "program",
            "what runs here was typed in, or read from a pipe, so it can't be started as a "
            "service: save it as a file, and install it with: python beat.py install",
        )
    if spec is not None:
        return ProgramKind.ZIPAPP, os.path.dirname(os.path.abspath(file)), None
    return ProgramKind.SCRIPT, os.path.abspath(file), None


def _module_path(name: str, origin: str | None) -> str | None:
    """The folder in which a module's outermost package lies, if the interpreter must be told."""
    if origin is None:
        return os.path.abspath(sys.path[0])
    folder = os.path.abspath(origin)
    for _ in name.split("."):
        folder = os.path.dirname(folder)
    if os.path.basename(os.path.abspath(origin)) == "__init__.py":
        folder = os.path.dirname(folder)
    # Not the folder of a user's own packages: a service may be another user.
    found_anyway = [*site.getsitepackages(), os.path.dirname(os.path.abspath(os.__file__))]
    known = {os.path.normcase(os.path.abspath(one)) for one in found_anyway}
    return None if os.path.normcase(folder) in known else folder


def _interpreter() -> str:
    """The interpreter, of the base installation and with a console's ``main``."""
    program = getattr(sys, "_base_executable", None) or sys.executable
    if not program:
        raise ArgumentError("program", "Python does not know where its interpreter is")
    folder, name = os.path.split(os.path.abspath(program))
    # pythonw.exe is the same without standard streams.
    console = re.sub(r"(?i)^pythonw(_d)?(\.exe)?$", r"python\1\2", name)
    return os.path.join(folder, console)


def _interpreter_options(
    optimize: int, implementation: Mapping[str, str | bool]
) -> tuple[str, ...]:
    """The options that change what a program does: ``-O`` and ``-X``."""
    options = ["-" + "O" * optimize] if optimize else []
    for name, value in implementation.items():
        options.append(f"-X{name}" if value is True else f"-X{name}={value}")
    return tuple(options)
