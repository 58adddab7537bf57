"""What the launcher does once winsvc can be imported: it connects, and runs the user's program.

:func:`explain_failures` does the same for a frozen program, which is its own.
"""

from __future__ import annotations

import atexit
import os
import pkgutil
import runpy
import sys
import traceback
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from winsvc._values.names import check_service_name
from winsvc.backend import default_backend
from winsvc.errors import ArgumentError, ServiceError, UnsupportedError
from winsvc.host.commands import is_command, not_by_the_system
from winsvc.host.current_process import ConnectedProcess, get_current, set_current
from winsvc.host.failures import FailureReport
from winsvc.host.process import HostProcess
from winsvc.host.program import default_log_file

if TYPE_CHECKING:
    from winsvc.host._bootstrap import Options

__all__ = ["Launcher", "check", "connected", "explain_failures"]


def connected(options: Options) -> Launcher:
    """Connect for the services that the launcher was told.

    Raises:
        ServiceError: there is no such thing here.
    """
    backend = default_backend()
    report = FailureReport(backend, None if options.log is None else Path(options.log))
    process = HostProcess(options.services, backend, report)
    process.connect()
    return Launcher(ConnectedProcess(process), report)


class Launcher:
    """Runs the user's program in a process that is connected."""

    def __init__(self, state: ConnectedProcess, report: FailureReport) -> None:
        self._state = state
        self._report = report

    def run(self, options: Options, *, has_path: bool) -> int:
        """Run the program; return the exit code of the process.

        Args:
            options: which one, and how.
            has_path: whether Python puts a script's folder first on ``sys.path`` here.
        """
        set_current(self._state)
        try:
            self._run(options, has_path)
        except KeyboardInterrupt:
            if not self._state.served:
                return 130
            raise
        except SystemExit as ends:
            if self._state.served:
                raise
            reason = RuntimeError(
                f"{options.program} has ended by itself (SystemExit: {ends.code}), without calling "
                "winsvc.host.run()"
            )
            reason.__cause__ = ends
            return self._fail(options, reason)
        except BaseException as error:
            if self._state.served:
                raise
            return self._fail(options, error)
        if not self._state.served:
            reason = RuntimeError(f"{options.program} came to its end without winsvc.host.run()")
            return self._fail(options, reason)
        return 0

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
        """Have every start fail, for this reason; the exit code."""
        where = f"loading {options.program}"
        try:
            self._state.process.fail(where, error)
        except ServiceError as refused:
            traceback.print_exception(error)
            if not not_by_the_system(refused):
                self._report.failed(options.services[0], "connecting", refused)
                self._report.failed(options.services[0], where, error)
            print(f"{where} failed; {refused}", file=sys.stderr)
        return 1


def _has_main(path: str) -> bool:
    """Whether it is a zip file: that goes on ``sys.path`` itself, and runpy puts it there."""
    import zipfile

    return zipfile.is_zipfile(path)


# ----------------------------------------------------------------------- for doctor


def check(options: Options) -> int:
    """Look, without running it, whether the program would be found; 0 if so, else 1 and why."""
    try:
        if sys.platform == "win32":
            default_backend()  # with the compiled module, and all its DLLs
        if options.script is not None:
            _check_script(options.script)
        else:
            if options.path is not None:
                sys.path.insert(0, options.path)
            _check_module(options.module or "")
    except Exception as error:
        print("".join(traceback.format_exception_only(type(error), error)), file=sys.stderr)
        return 1
    print(f"{sys.executable} {'.'.join(map(str, sys.version_info[:3]))}")
    return 0


def _check_script(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} does not exist")
    if os.path.isfile(path) and not _has_main(path):
        compile(Path(path).read_bytes(), path, "exec")
        return
    importer = pkgutil.get_importer(path)
    spec = None if importer is None else importer.find_spec("__main__", None)
    if spec is None:
        raise ImportError(f"{path} has no __main__.py")
    _compile_spec(spec)


def _check_module(name: str) -> None:
    """Find a module as ``python -m`` does, without importing the packages that it is in."""
    spec = _find_module(name)
    if spec.submodule_search_locations is not None:
        spec = _find_module(f"{name}.__main__")
    _compile_spec(spec)


def _find_module(name: str) -> ModuleSpec:
    spec: ModuleSpec | None = None
    full = ""
    for part in name.split("."):
        full = f"{full}.{part}" if full else part
        places = None if spec is None else spec.submodule_search_locations
        if spec is not None and places is None:
            raise ModuleNotFoundError(f"{spec.name} is no package, so there is no {name}")
        finds = (finder.find_spec(full, places) for finder in sys.meta_path)
        spec = next((found for found in finds if found is not None), None)
        if spec is None:
            raise ModuleNotFoundError(f"there is no module {full} on {sys.path}")
    assert spec is not None
    return spec


def _compile_spec(spec: ModuleSpec) -> None:
    get_code = getattr(spec.loader, "get_code", None)
    if get_code is None or get_code(spec.name) is None:
        raise ImportError(f"{spec.name} ({spec.origin}) has no code to run")


# ----------------------------------------------------------------------- for frozen programs


def explain_failures(*names: str, log_file: str | os.PathLike[str] | None = None) -> None:
    r"""Have a frozen program's failure to load written down; call it before all other imports.

    ::

        from winsvc.host import explain_failures
        explain_failures("beat")

        import everything_else
        from winsvc.host import Service, run

    It connects to the service control manager at once, as the launcher does for programs that are
    not frozen: slow imports no longer end in error 1053, and if one fails, or ``run()`` is never
    called, the service stops with exit code 1064, and the reason is in the event log and the file.
    For programs that are not frozen nothing happens, and nothing is written down where the system
    has not started it as a service.

    Args:
        *names: the key names of the services that the program has.
        log_file: the file; None for ``%ProgramData%\winsvc\NAME.log``.

    Raises:
        ArgumentError: no service can have such a name, or there is none.
    """
    if not names:
        raise ArgumentError("names", "at least one service's name is needed")
    for name in names:
        check_service_name(name, "names")
    if get_current() is not None or (len(sys.argv) > 1 and is_command(sys.argv[1])):
        return
    try:
        backend = default_backend()
    except UnsupportedError:
        return
    report = FailureReport(backend, Path(log_file or default_log_file(names[0])))
    state = ConnectedProcess(HostProcess(names, backend, report), by_launcher=False)
    state.process.connect()
    set_current(state)
    before = sys.excepthook

    def failed(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        _fail_once(state, report, error)
        before(kind, error, trace)

    sys.excepthook = failed
    reason = RuntimeError("the program came to its end without winsvc.host.run()")
    atexit.register(_fail_once, state, report, reason)


def _fail_once(state: ConnectedProcess, report: FailureReport, error: BaseException) -> None:
    """Have every start fail, unless the program has come as far as ``run()``.

    Where the system has not started it nothing is written down: it may be ``beat.exe --version``,
    or a child that multiprocessing has started.
    """
    if state.served:
        return
    state.served = True
    where = "loading the program"
    try:
        state.process.fail(where, error)
    except ServiceError as refused:
        if not not_by_the_system(refused):
            report.failed(state.process.names[0], "connecting", refused)
            report.failed(state.process.names[0], where, error)
