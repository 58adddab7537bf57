r"""The program of a service that runs in a Python interpreter: it starts the user's program.

Installed services start it as a script (:func:`winsvc.host.launch_command.launch_command`
writes that)::

    python.exe [-S] ...\winsvc\host\_bootstrap.py --log=FILE [--venv=DIR] [--path=DIR]
        (--module=NAME | --script=FILE) --service=NAME [--service=NAME]... [--check] [-- ARGS]

It connects to the service control manager before it loads the user's program. So a slow import is
no error 1053, and whatever keeps the program from running is written down.

In a virtual environment the interpreter is the base one: the environment's own ``python.exe`` would
start a second process, and the system watches the first. What that one does is done here.
"""

from __future__ import annotations

import argparse
import io
import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

__all__ = ["Options", "parse"]


@dataclass(frozen=True, slots=True)
class Options:
    """The options of this script.

    Attributes:
        services: the key names of the process's services.
        module: the module to run, as ``python -m`` does; None for a script.
        script: the path of the script, zip file or folder to run; None for a module.
        log: the file for failures; None for none.
        venv: the folder of the virtual environment; None without one.
        path: the folder that is put first on ``sys.path`` for a module; None for none.
        arguments: the program's own.
        check: only check that the program can be found and compiled.
    """

    services: tuple[str, ...]
    module: str | None = None
    script: str | None = None
    log: str | None = None
    venv: str | None = None
    path: str | None = None
    arguments: tuple[str, ...] = ()
    check: bool = False

    @property
    def program(self) -> str:
        """The script or module, as shown in messages."""
        return self.script or f"-m {self.module}"

    def to_arguments(self) -> list[str]:
        """Return the arguments from which :func:`parse` reads these options.

        Values are written as ``--name=value``, so that they may begin with a hyphen.
        """
        arguments = [
            f"--{name}={value}"
            for name in ("log", "venv", "path", "module", "script")
            if (value := getattr(self, name)) is not None
        ]
        arguments += [f"--service={name}" for name in self.services]
        arguments += ["--check"] if self.check else []
        return [*arguments, "--", *self.arguments] if self.arguments else arguments


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def parse(arguments: Sequence[str]) -> Options:
    """Read the options of this script; what follows ``--`` belongs to the program.

    Raises:
        ValueError: an option is unknown, missing or invalid.
    """
    parser = _Parser(prog=os.path.basename(__file__), add_help=False, allow_abbrev=False)
    for name in ("--log", "--venv", "--path"):
        parser.add_argument(name)
    parser.add_argument("--service", dest="services", action="append", required=True)
    program = parser.add_mutually_exclusive_group(required=True)
    program.add_argument("--module")
    program.add_argument("--script")
    parser.add_argument("--check", action="store_true")
    own = list(itertools.takewhile(lambda argument: argument != "--", arguments))
    values = vars(parser.parse_args(own))
    values["services"] = tuple(values["services"])
    return Options(**values, arguments=tuple(arguments[len(own) + 1 :]))


def main(arguments: Sequence[str]) -> int:
    """Run a service's program; return the exit code of the process."""
    _open_streams()
    try:
        options = parse(arguments)
    except ValueError as error:
        print(f"{os.path.basename(__file__)}: {error}. {_BY_HAND}", file=sys.stderr)
        return 2
    try:
        has_path = _leave_own_folder()
        if options.venv is not None:
            _enter_venv(options.venv)
        _find_this_package()
        if options.check:
            for stream in (sys.stdout, sys.stderr):
                if isinstance(stream, io.TextIOWrapper):
                    stream.reconfigure(encoding="utf-8")  # for doctor, which reads it
            from winsvc.host.program_check import check

            return check(script=options.script, module=options.module, path=options.path)
        # Not at the top: until here winsvc may not be importable.
        from winsvc.host.launcher import connect

        launcher = connect(options)
    except BaseException:
        _write_down(options)
        return 1
    return launcher.run(options, has_path=has_path)


_BY_HAND = "This script is for the service control manager; winsvc.host installs services with it"


def _open_streams() -> None:
    """Have ``print()`` go nowhere, not fail, where a service has no such stream."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        try:
            os.fstat(stream.fileno())
        except io.UnsupportedOperation:
            pass  # a replaced stream, without a file
        except (AttributeError, OSError, ValueError):
            nowhere = open(os.devnull, mode, encoding="utf-8", errors="replace")  # noqa: SIM115
            setattr(sys, name, nowhere)


def _leave_own_folder() -> bool:
    """Remove this script's folder from ``sys.path``; return whether Python had added it.

    Its modules have names such as ``events``, and must not be imported by these names.
    """
    here = os.path.normcase(os.path.dirname(os.path.abspath(__file__)))
    if sys.path and os.path.normcase(os.path.abspath(sys.path[0])) == here:
        del sys.path[0]
        return True
    return False


def _enter_venv(folder: str) -> None:
    """Make this process one of a virtual environment, as its own ``python.exe`` would be.

    The interpreter was started with ``-S``, so that the :mod:`site` module has not yet looked.
    """
    if not os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
        raise FileNotFoundError(f"{folder} is not a virtual environment: pyvenv.cfg is missing")
    folder = os.path.abspath(folder)
    scripts, program = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    late = sys.version_info < (3, 14)
    if late:
        # Until 3.13 site sets the prefixes itself, and takes those that it finds for the base's.
        import site
    sys.executable = os.path.join(folder, scripts, program)
    sys.prefix = sys.exec_prefix = folder
    if not late:
        import site
    site.main()


def _find_this_package() -> None:
    """Append the folder that contains winsvc to ``sys.path``, unless it is listed.

    It may be in the folder of a user's own packages, which services have none of.
    """
    here = os.path.abspath(__file__)
    root = os.path.dirname(os.path.dirname(os.path.dirname(here)))
    if os.path.normcase(root) not in map(os.path.normcase, sys.path):
        sys.path.append(root)


def _write_down(options: Options) -> None:
    """Write the exception to the log file, without any module that may have failed.

    In the file alone: the event log is written to by winsvc, which could not be loaded.
    """
    import time
    import traceback

    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    names = ", ".join(options.services)
    text = f"{now} {names}: winsvc could not be loaded, so the service could not connect\n\n"
    text += traceback.format_exc() + "\n"
    print(text, file=sys.stderr)
    if options.log is None or options.check:
        return
    try:
        os.makedirs(os.path.dirname(options.log), exist_ok=True)
        with open(options.log, "a", encoding="utf-8", errors="backslashreplace") as log:
            log.write(text)
    except OSError as error:
        print(f"{options.log}: {error}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
