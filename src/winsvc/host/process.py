"""A process in which services run: it connects to the system, and gives each start its class."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from winsvc._util.text import name_key
from winsvc.backend import HostBackend, HostEvent, default_backend
from winsvc.enums import ErrorCode, ServiceType
from winsvc.errors import UnsupportedError, Win32Error, win32_error
from winsvc.host._run import ServiceRun
from winsvc.host.definition import ServiceBase
from winsvc.host.failures import FailureReport
from winsvc.host.mailbox import Mailbox

__all__ = ["HostProcess", "get_current", "is_service", "not_started_as_service", "set_current"]

# While the program loads, START_PENDING is reported again and again: as long as loading may well
# take, but not for ever.
LOADING_STEP: Final = 1.0
LOADING_HINT: Final = 10.0
LOADING_LIMIT: Final = 300.0

RETURN_LIMIT: Final = 5.0  # seconds, for a thread that has nothing left to do


def not_started_as_service(error: Win32Error) -> bool:
    """Return whether an error only means that the system did not start this process."""
    return isinstance(error, UnsupportedError) or (
        error.winerror == ErrorCode.FAILED_SERVICE_CONTROLLER_CONNECT
    )


def is_service() -> bool:
    """Return whether the service control manager started this process.

    That is so if its parent process is ``services.exe``, or if :func:`run` has connected. It is
    False in a console, in child processes of a service, and on other systems than Windows.
    """
    try:
        backend = default_backend()
    except UnsupportedError:
        return False
    return backend.is_service_process()


class HostProcess:
    """The services of one process.

    The system is answered from the first moment: :meth:`connect` needs the names alone, so the
    program with the classes may still be loading, or fail to. :meth:`serve` gives it the classes.
    """

    def __init__(self, names: Sequence[str], backend: HostBackend, report: FailureReport) -> None:
        """For these services, the first of which has its ``main()`` on the main thread.

        A single service may be installed under any name, which it receives when it is started.
        """
        self.names = tuple(names)
        """The names of its services."""
        self.by_launcher = False
        """Whether the launcher connects the process, not the program itself."""
        self.has_run = False
        """Whether ``run()`` has begun to serve; what fails before is a failure to load."""
        self._backend = backend
        self._report = report
        self._lock = threading.Lock()
        self._services: dict[str, type[ServiceBase]] = {}
        self._loaded = backend.new_event()
        self._starts: Mailbox[ServiceRun | None] = Mailbox(
            backend
        )  # for the main thread; None: over
        self._returned: list[HostEvent] = []  # one for each service's main function
        self._connected = False
        self._failure: tuple[str, BaseException] | None = None
        self._refused: Exception | None = None

    def connect(self) -> None:
        """Connect to the system, on a thread beside; nothing happens where that was done."""
        with self._lock:
            if self._connected:
                return
            self._connected = True
        self._backend.start_thread(self._dispatch, "winsvc: dispatcher")

    def serve(self, services: Sequence[type[ServiceBase]]) -> None:
        """Run the services until all of them have stopped; on the main thread.

        Raises:
            Win32Error: the process was not started by the system (1063), or it refused.
        """
        with self._lock:
            if self._loaded.is_set():
                raise RuntimeError(
                    "run() must be called once per process, with all services: run(A, B)"
                )
            self._services = self._by_name(services)
            self._loaded.set()
        self.connect()
        while (run := self._starts.get()) is not None:
            run.live(self._services[name_key(self._key(run.name))])
        # The interpreter must not go while the system's threads are on their way back to it.
        for returned in self._returned:
            returned.wait(RETURN_LIMIT)
        if self._refused is not None:
            raise self._refused

    def fail(self, where: str, error: BaseException) -> None:
        """There will be no classes, for this reason: every start fails with 1064, and says so.

        Raises:
            Win32Error: as :meth:`serve`.
        """
        self._failure = (where, error)
        self.serve(())

    def _by_name(self, services: Sequence[type[ServiceBase]]) -> dict[str, type[ServiceBase]]:
        if len(self.names) == len(services) == 1:
            return {name_key(self.names[0]): services[0]}  # whatever it is called
        return {name_key(kind.name): kind for kind in services}

    # ------------------------------------------------------------------- the system's threads

    def _dispatch(self) -> None:
        table = [(name, self._service_main) for name in self.names]
        try:
            self._backend.start_service_ctrl_dispatcher(table)
        except Exception as error:  # for the main thread to raise
            self._refused = error
        self._starts.put(None)

    def _service_main(self, arguments: list[str]) -> None:
        name = arguments[0] if arguments else self.names[0]
        returned = self._backend.new_event()
        self._returned = [event for event in self._returned if not event.is_set()] + [returned]
        try:
            self._run(name, tuple(arguments[1:]))
        except Exception as error:  # nothing may go back into the system's code
            self._report.failed(name, "the start", error)
        finally:
            returned.set()

    def _run(self, name: str, arguments: tuple[str, ...]) -> None:
        alone = len(self.names) == 1
        run = ServiceRun(
            self._backend,
            name,
            arguments,
            service_type=ServiceType.OWN_PROCESS if alone else ServiceType.SHARE_PROCESS,
            report=self._report,
        )
        if not self._wait_until_loaded(run):
            run.end(0)
            return
        if self._failure is not None:
            self._report.failed(name, *self._failure)
            run.end(ErrorCode.EXCEPTION_IN_SERVICE)
            return
        key = name_key(self._key(run.name))
        kind = self._services.get(key)
        if kind is None:
            code = ErrorCode.SERVICE_NOT_IN_EXE
            error = win32_error(code, "StartServiceCtrlDispatcherW", object_name=run.name)
            self._report.failed(run.name, "finding its class", error)
            run.end(code)
        elif key == name_key(self.names[0]):
            self._starts.put(run)
            run.over.wait()
        else:
            run.live(kind)

    def _key(self, name: str) -> str:
        """Return the name under which the class of a service is known."""
        return name if len(self.names) > 1 else self.names[0]

    def _wait_until_loaded(self, run: ServiceRun) -> bool:
        """Wait for the classes; False if the service is to stop before they come."""
        end = self._backend.monotonic() + LOADING_LIMIT
        while not self._loaded.wait(LOADING_STEP):
            if run.stop_requested.is_set():
                return False
            if self._backend.monotonic() < end:
                run.reporter.step(LOADING_HINT)
        return True


_current: list[HostProcess] = []


def set_current(process: HostProcess | None) -> None:
    """Set the process that connects before the program calls ``run()``; None for none."""
    _current[:] = [] if process is None else [process]


def get_current() -> HostProcess | None:
    """Return the process that was connected; None if the program connects in ``run()``."""
    return _current[-1] if _current else None
