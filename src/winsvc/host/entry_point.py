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
    r"""Run the services, or a command such as ``beat.py install``; call it as the last statement.

    If the service control manager has started the process, run the services until all of them have
    stopped. Otherwise run the command in ``arguments``; ``beat.py --help`` lists the commands.

    Call it on the main thread: the first service runs its ``main()`` there.

    Args:
        *services: the classes.
        arguments: the arguments of the program; None for ``sys.argv[1:]``.
        log_file: the log file for failures, which are also written to the event log; None for the
            file specified at the installation, by default ``%ProgramData%\winsvc\NAME.log``.

    Raises:
        SystemExit: the command failed (1) or is unknown (2), or Ctrl-C was pressed (130).
        ValidationError: there is no class, a class has no name, or two have the same name.
        TypeError: an argument is not a subclass of :class:`ServiceBase`.
        Win32Error: the connection to the service control manager was refused.
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
    "This command line is for the service control manager. To run the service in a console, start "
    "its own program with the command debug."
)


def _serve(process: HostProcess, services: Sequence[type[ServiceBase]]) -> None:
    _log_events(process.names[0], services)
    process.has_run = True  # from now on the services report their states
    process.serve(services)


def _log_events(name: str, services: Sequence[type[ServiceBase]]) -> None:
    """Send log records to the event log, unless the program has configured logging."""
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
