"""Frozen programs: connect before the imports, so that a failure to load is reported."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from types import TracebackType

from winsvc._values.names import check_service_name
from winsvc.backend import default_backend
from winsvc.errors import UnsupportedError, ValidationError, Win32Error
from winsvc.host.failures import FailureReport
from winsvc.host.process import HostProcess, get_current, not_started_as_service, set_current
from winsvc.host.program import default_log_file, is_command

__all__ = ["report_startup_failures"]


def report_startup_failures(*names: str, log_file: str | os.PathLike[str] | None = None) -> None:
    r"""Report a failure to load a frozen program; call this before all other imports.

    ::

        from winsvc.host import report_startup_failures
        report_startup_failures("beat")

        import everything_else
        from winsvc.host import ServiceBase, run

    It connects to the service control manager immediately, as the launcher does for programs that
    are not frozen, so slow imports do not cause error 1053. If an import fails, or ``run()`` is not
    called, the service stops with exit code 1064, and the reason is written to the event log and
    the log file. It has no effect in programs that are not frozen or not started as a service.

    Args:
        *names: the key names of the services in the program.
        log_file: the log file; None for ``%ProgramData%\winsvc\NAME.log``.

    Raises:
        ValidationError: a name is invalid, or there is none.
    """
    if not names:
        raise ValidationError("names", "at least one service name is required")
    for name in names:
        check_service_name(name, "names")
    if get_current() is not None or (len(sys.argv) > 1 and is_command(sys.argv[1])):
        return
    try:
        backend = default_backend()
    except UnsupportedError:
        return
    report = FailureReport(backend, Path(log_file or default_log_file(names[0])))
    process = HostProcess(names, backend, report)
    process.connect()
    set_current(process)
    before = sys.excepthook

    def failed(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _fail_once(process, report, error)
        before(kind, error, trace)

    sys.excepthook = failed
    reason = RuntimeError("the program ended without calling winsvc.host.run()")
    atexit.register(_fail_once, process, report, reason)


def _fail_once(process: HostProcess, report: FailureReport, error: BaseException) -> None:
    """Fail every start, unless the program has called ``run()``.

    Where the system has not started it nothing is written down: it may be ``beat.exe --version``,
    or a child that multiprocessing has started.
    """
    if process.has_run:
        return
    process.has_run = True
    where = "loading the program"
    try:
        process.fail(where, error)
    except Win32Error as refused:
        if not not_started_as_service(refused):
            report.failed(process.names[0], "connecting", refused)
            report.failed(process.names[0], where, error)
