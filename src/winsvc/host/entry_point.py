"""The entry point of a service's program: run the services, or a command at a terminal."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from winsvc.backend import default_backend
from winsvc.errors import ValidationError, Win32Error
from winsvc.host.commands import Commands
from winsvc.host.definition import ServiceBase, checked_names
from winsvc.host.eventlog import EventLogHandler
from winsvc.host.failures import FailureReport
from winsvc.host.process import HostProcess, get_current, not_started_as_service
from winsvc.host.program import default_log_file, is_command

__all__ = ["run"]


def run(
    *services: type[ServiceBase],
    arguments: Sequence[str] | None = None,
    log_file: str | os.PathLike[str] | None = None,
) -> None:
    r"""Be the program of these services: the last line of it.

    Started by the service control manager, it runs them until all have stopped. At a terminal it
    takes a command, such as ``beat.py install``; ``beat.py --help`` tells all of them.

    Call it on the main thread: the first service has its ``main()`` there.

    Args:
        *services: the classes.
        arguments: the program's; None for ``sys.argv[1:]``. The first may be a command.
        log_file: where failures are written to, beside the event log; None for
            ``%ProgramData%\winsvc\NAME.log``, or what was said when it was installed.

    Raises:
        SystemExit: a command failed (1), or was none (2); Ctrl-C (130).
        ValidationError: there is no class, one has no name, or two have the same.
        TypeError: something else is among them.
        Win32Error: the system refused to let it be a service.
    """
    checked_names(services)
    process = get_current()
    launched = process is not None and process.by_launcher
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not launched and given and is_command(given[0]):
        if code := Commands(services, log_file).run(given):
            raise SystemExit(code)
        return
    try:
        _serve(process or _process(services, log_file), services)
    except Win32Error as error:
        if not not_started_as_service(error):
            raise
        if launched:
            print(_NOT_AT_A_TERMINAL, file=sys.stderr)
        else:
            Commands(services, log_file).explain(given)
        raise SystemExit(2) from None


_NOT_AT_A_TERMINAL: Final = (
    "This is how the service control manager starts it, which nobody else can. At a terminal start "
    "the service's own program, with the command debug."
)


def _serve(process: HostProcess, services: Sequence[type[ServiceBase]]) -> None:
    _log_events(process.names[0], services)
    process.has_run = True  # from now on the services report by themselves
    process.serve(services)


def _log_events(name: str, services: Sequence[type[ServiceBase]]) -> None:
    """Have what is logged go to the event log, unless the program has said where it goes."""
    root = logging.getLogger()
    if root.handlers:
        return
    try:
        handler = EventLogHandler(name)
    except (ValidationError, Win32Error):
        return  # no source can have the name; no reason for a service not to start
    root.addHandler(handler)
    root.setLevel(min(kind.log_level for kind in services))


def _process(
    services: Sequence[type[ServiceBase]], log_file: str | os.PathLike[str] | None
) -> HostProcess:
    names = [kind.name for kind in services]
    backend = default_backend()
    report = FailureReport(backend, Path(log_file or default_log_file(names[0])))
    return HostProcess(names, backend, report)
