"""The launcher: connect to the service control manager, then run the user's program.

:mod:`winsvc.host._bootstrap`, the script that the system starts, loads this module.
"""

from __future__ import annotations

import os
import runpy
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from winsvc.backend import default_backend
from winsvc.errors import Win32Error
from winsvc.host.failures import FailureReport
from winsvc.host.process import HostProcess, not_started_as_service, set_current

if TYPE_CHECKING:
    # An import cycle, for this type only: the script defines its options itself, because it must
    # read them, and report failures by them, before anything of winsvc can be imported.
    from winsvc.host._bootstrap import Options

__all__ = ["Launcher", "connect"]


def connect(options: Options) -> Launcher:
    """Connect to the service control manager for the services in the options.

    Raises:
        Win32Error: there is no service control manager.
    """
    backend = default_backend()
    report = FailureReport(backend, None if options.log is None else Path(options.log))
    process = HostProcess(options.services, backend, report)
    process.connect()
    return Launcher(process, report)


class Launcher:
    """Runs the user's program in a process that is connected."""

    def __init__(self, process: HostProcess, report: FailureReport) -> None:
        self._process = process
        self._report = report

    def run(self, options: Options, *, has_path: bool) -> int:
        """Run the program; return the exit code of the process.

        Args:
            options: which one, and how.
            has_path: whether Python puts a script's folder first on ``sys.path`` here.
        """
        self._process.by_launcher = True
        set_current(self._process)
        reason: BaseException
        try:
            self._run(options, has_path)
            if self._process.has_run:
                return 0
            reason = RuntimeError(f"{options.program} ended without calling winsvc.host.run()")
        except BaseException as error:
            if self._process.has_run:
                raise
            if isinstance(error, KeyboardInterrupt):
                return 130
            reason = error
            if isinstance(error, SystemExit):
                reason = RuntimeError(
                    f"{options.program} exited (SystemExit: {error.code}) without calling "
                    "winsvc.host.run()"
                )
                reason.__cause__ = error
        return self._fail(options, reason)

    def _run(self, options: Options, has_path: bool) -> None:
        if options.script is None:
            assert options.module is not None
            if options.path is not None and has_path:
                sys.path.insert(0, options.path)
            sys.argv = [options.module, *options.arguments]
            runpy.run_module(options.module, run_name="__main__", alter_sys=True)
            return
        if not os.path.exists(options.script):
            raise FileNotFoundError(f"the service's program {options.script} does not exist")
        sys.argv = [options.script, *options.arguments]
        if has_path and os.path.isfile(options.script) and not _has_main(options.script):
            sys.path.insert(0, os.path.dirname(options.script))
        runpy.run_path(options.script, run_name="__main__")

    def _fail(self, options: Options, error: BaseException) -> int:
        """Fail every start with this reason; return the exit code."""
        where = f"loading {options.program}"
        try:
            self._process.fail(where, error)
        except Win32Error as refused:
            traceback.print_exception(error)
            if not not_started_as_service(refused):
                self._report.failed(options.services[0], "connecting", refused)
                self._report.failed(options.services[0], where, error)
            print(f"{where} failed; {refused}", file=sys.stderr)
        return 1


def _has_main(path: str) -> bool:
    """Return whether it is a zip file: runpy adds the file itself to ``sys.path``."""
    import zipfile

    return zipfile.is_zipfile(path)
