"""The command line of a service's process: write it for a program, read it from a service."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from winsvc._values.commandline import join
from winsvc._values.names import check_service_name
from winsvc.errors import ValidationError
from winsvc.host import _bootstrap
from winsvc.host.program import Program, ProgramKind, default_log_file

__all__ = ["launch_command", "log_file_of", "options_of"]


def launch_command(
    program: Program,
    names: Sequence[str],
    log_file: str | os.PathLike[str] | None = None,
    arguments: Sequence[str] = (),
) -> str:
    """Return the command line of a process with these services.

    Args:
        program: their program.
        names: their key names.
        log_file: where failures are written to; None for the default. A frozen program specifies
            its file itself, in :func:`winsvc.host.run`.
        arguments: what the program gets in ``sys.argv``, each time it is started.

    Raises:
        ValidationError: a name is invalid, there is none, or an argument is invalid in a command
            line.
    """
    if not names:
        raise ValidationError("names", "at least one service name is required")
    for name in names:
        check_service_name(name, "names")
    if program.kind is ProgramKind.FROZEN:
        return join(program.target, *arguments)
    module = program.target if program.kind is ProgramKind.MODULE else None
    launch_options = _bootstrap.Options(
        tuple(names),
        module=module,
        script=None if module else program.target,
        log=os.path.abspath(log_file or default_log_file(names[0])),
        venv=program.venv,
        path=program.path,
        arguments=tuple(arguments),
    )
    options = [*program.options, "-S"] if program.venv is not None else program.options
    script = os.path.abspath(_bootstrap.__file__)
    return join(program.interpreter, *options, script, *launch_options.to_arguments())


def options_of(command: Sequence[str]) -> tuple[list[str], _bootstrap.Options] | None:
    """Return the interpreter with its options, and the options of the launcher.

    Return None if the command line does not start the launcher.
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
    """Return the failure file of a service from the parts of its command line.

    Args:
        command: the parts.
        name: the service whose default file is returned if the parts specify no file, as with a
            frozen program.
    """
    found = options_of(command)
    return (found[1].log if found is not None else None) or default_log_file(name)
