"""One run of one service: from its start to its end."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from winsvc._util.durations import Duration, milliseconds, to_timedelta
from winsvc.backend import HostBackend, ProcessEnded
from winsvc.enums import Control, ErrorCode, ServiceType, StartReason, State
from winsvc.errors import Win32Error
from winsvc.host.definition import ServiceBase, ServiceExit
from winsvc.host.events import Event, decode
from winsvc.host.failures import FailureReport
from winsvc.host.handlers import STOP_CONTROLS, accepted_controls, handler_of
from winsvc.host.mailbox import Mailbox
from winsvc.host.status import StatusReporter
from winsvc.host.stop_request import StopRequest

__all__ = ["ServiceRun"]

log = logging.getLogger("winsvc.host")

# What is reported once the handler of a control is through, and from which state on the way.
_SETTLES: Final = {
    Control.PAUSE: (State.PAUSED, State.PAUSE_PENDING),
    Control.CONTINUE: (State.RUNNING, State.CONTINUE_PENDING),
}
_BEGINS: Final = {
    Control.PAUSE: (State.PAUSE_PENDING, State.RUNNING),
    Control.CONTINUE: (State.CONTINUE_PENDING, State.PAUSED),
}


class _Received(NamedTuple):
    """A control for the service's handler of it."""

    control: int
    method: str
    event: Event | None


class ServiceRun:
    """A service that was started: it begins with its control handler, and ends with STOPPED.

    Created in the thread in which the system calls the service's main function; it lives in
    another thread if the service's ``main()`` is to be on the main thread.
    """

    def __init__(
        self,
        backend: HostBackend,
        name: str,
        arguments: tuple[str, ...],
        *,
        service_type: ServiceType,
        report: FailureReport,
    ) -> None:
        self.name = name
        self.arguments = arguments
        self.over = backend.new_event()
        """Set when STOPPED was reported."""
        self.stop_requested = StopRequest(backend)
        self._backend = backend
        self._report = report
        self._kind: type[ServiceBase] = ServiceBase
        self._received: Mailbox[_Received | None] = Mailbox(backend)
        self._all_handled = backend.new_event()
        self._failed = False
        self._gives_up = False  # no handler is waited for any more
        self._watched: list[Callable[[], None]] = []
        handle = backend.register_service_ctrl_handler(name, self._control)
        self.reporter = StatusReporter(
            backend, handle, service_type, accepted_controls(ServiceBase)
        )
        self.reporter.pending(State.START_PENDING, ServiceBase.start_wait_hint)

    # ------------------------------------------------------------------- the system's thread

    def _control(self, code: int, event_type: int, data: bytes) -> int:
        """Handle a control: report the state, pass the control on, and return at once."""
        try:
            return self._take(code, event_type, data)
        except Exception as error:  # nothing may go back into the system's code
            self._report.failed(self.name, f"taking control {code}", error)
            return ErrorCode.CALL_NOT_IMPLEMENTED

    def _take(self, code: int, event_type: int, data: bytes) -> int:
        handler = handler_of(code)
        if handler is None:
            return ErrorCode.CALL_NOT_IMPLEMENTED
        if code in STOP_CONTROLS:
            self._take_stop(Control(code), handler.method)
            return 0
        if not hasattr(self._kind, handler.method):
            return 0 if code == Control.INTERROGATE else ErrorCode.CALL_NOT_IMPLEMENTED
        if code in _BEGINS:
            state, only_from = _BEGINS[Control(code)]
            if not self.reporter.pending(state, self._kind.start_wait_hint, only_from=only_from):
                return 0  # it is so already
        event = decode(Control(code), event_type, data) if handler.has_event else None
        self._received.put(_Received(code, handler.method, event))
        return 0

    def _take_stop(self, control: Control, method: str) -> None:
        if self.stop_requested.is_set():
            return  # the first one counts
        try:
            self.reporter.pending(State.STOP_PENDING, self._kind.stop_wait_hint)
        finally:
            if hasattr(self._kind, method):  # put first: main() may return as soon as it knows
                self._received.put(_Received(control, method, None))
            self.stop_requested._set(control)

    # ------------------------------------------------------------------- the service's thread

    def live(self, kind: type[ServiceBase]) -> None:
        """Run the service from its creation to its end, in the thread for its ``main()``."""
        self._kind = kind
        self.reporter.accept(accepted_controls(kind))
        if milliseconds(kind.start_wait_hint, "start_wait_hint") != self.reporter.hint:
            self.reporter.step(kind.start_wait_hint)
        exit_code = service_exit_code = 0
        try:
            service = kind.__new__(kind)
            service._run, service.arguments = self, self.arguments
            service.stop_requested = self.stop_requested
            service.__init__()  # type: ignore[misc]
            if not self.stop_requested.is_set():
                self._live(service)
        except ServiceExit as ends:
            exit_code, service_exit_code = ends.exit_code, ends.service_exit_code
        except SystemExit as ends:
            service_exit_code = self._own_code(ends)
        except ProcessEnded:
            raise
        except BaseException as error:
            self._fail("the service", error)
        if self._failed:
            exit_code, service_exit_code = ErrorCode.EXCEPTION_IN_SERVICE, 0
        self.end(exit_code, service_exit_code)

    def end(self, exit_code: int, service_exit_code: int = 0) -> None:
        """Report the end, whatever came before it."""
        for forget in self._watched:
            try:
                forget()
            except Win32Error as error:
                log.warning("%s: %s", self.name, error)
        try:
            self.reporter.stopped(exit_code, service_exit_code)
        except Win32Error as error:
            self._report.failed(self.name, "reporting that the service has stopped", error)
        self.over.set()

    def _live(self, service: ServiceBase) -> None:
        if inspect.iscoroutinefunction(self._kind.main):
            self._backend.run_coroutine(self._main_async(service))
            return
        self._backend.start_thread(lambda: self._handle(service), f"{self.name}: controls")
        try:
            _refuse_awaitable("main", service.main())
        finally:
            self._last_stretch()
            self._received.put(None)
            if not self._all_handled.wait(self._stop_seconds()):
                log.warning("%s: a handler still runs after main() has returned", self.name)

    def _last_stretch(self) -> None:
        """Report STOP_PENDING after ``main()`` has returned.

        A service that was still starting keeps its state, so that a caller that waits for the
        start sees that it has failed.
        """
        if self.reporter.state not in (State.START_PENDING, State.STOP_PENDING):
            self.reporter.pending(State.STOP_PENDING, self._kind.stop_wait_hint)

    def _stop_seconds(self) -> float:
        return to_timedelta(self._kind.stop_wait_hint, "stop_wait_hint").total_seconds()

    def _own_code(self, ends: SystemExit) -> int:
        if ends.code is None or isinstance(ends.code, int):
            return (ends.code or 0) & 0xFFFFFFFF
        self._report.failed(self.name, "main()", ends)  # its text
        return 1

    # ------------------------------------------------------------------- its handlers

    def _handle(self, service: ServiceBase) -> None:
        """Call the handlers, in the order in which the controls came."""
        while (received := self._received.get()) is not None:
            try:
                _refuse_awaitable(received.method, self._call(service, received))
                self._settle(received)
            except ProcessEnded:
                raise
            except BaseException as error:  # whatever it is, it is the service's
                self._handler_failed(f"{received.method}()", error)
        self._all_handled.set()

    async def _main_async(self, service: ServiceBase) -> None:
        loop = asyncio.get_running_loop()
        received: asyncio.Queue[_Received | None] = asyncio.Queue()
        self._received.forward(lambda item: _put(loop, received, item))
        handling = asyncio.create_task(self._handle_async(service, received))
        handling.add_done_callback(self._handling_ended)
        try:
            await service.main()  # type: ignore[misc]
        finally:
            self._last_stretch()
            received.put_nowait(None)
            done, _ = await asyncio.wait([handling], timeout=self._stop_seconds())
            self._gives_up = True
            if not done:
                log.warning("%s: a handler still runs after main() has returned", self.name)

    async def _handle_async(
        self, service: ServiceBase, queue: asyncio.Queue[_Received | None]
    ) -> None:
        while True:
            received = await queue.get()
            if received is None:
                return
            try:
                result = self._call(service, received)
                if inspect.isawaitable(result):
                    await result
                self._settle(received)
            except (ProcessEnded, GeneratorExit):
                raise  # the coroutine does not continue
            except BaseException as error:
                if self._gives_up:
                    raise  # with the event loop
                self._handler_failed(f"{received.method}()", error)

    def _handling_ended(self, task: asyncio.Task[None]) -> None:
        """Stop the service if the program has cancelled the task that calls the handlers."""
        if task.cancelled() and not self._gives_up:
            why = (
                "the task that calls the handlers was cancelled; cancel only tasks that "
                "main() created"
            )
            self._handler_failed("the handlers", asyncio.CancelledError(why))

    @staticmethod
    def _call(service: ServiceBase, received: _Received) -> object:
        handler = getattr(service, received.method)
        if received.control in STOP_CONTROLS:
            service.stop_requested.wait()  # which is set in a moment
        return handler() if received.event is None else handler(received.event)

    def _settle(self, received: _Received) -> None:
        if received.control in _SETTLES:
            state, only_from = _SETTLES[Control(received.control)]
            self.reporter.settle(state, only_from=only_from)

    def _handler_failed(self, where: str, error: BaseException) -> None:
        self._fail(where, error)
        if self.reporter.state is not State.STOP_PENDING:
            self.reporter.pending(State.STOP_PENDING, self._kind.stop_wait_hint)
        self.stop_requested._set(None)

    def _fail(self, where: str, error: BaseException) -> None:
        self._failed = True
        self._report.failed(self.name, where, error)

    # ------------------------------------------------------------------- what it requests

    @contextmanager
    def pending_operation(self, doing: str, hint: Duration) -> Iterator[None]:
        state, before = self.reporter.state, self.reporter.hint / 1000
        self.reporter.step(hint)
        log.debug("%s: %s", self.name, doing or "busy")
        yield
        if self.reporter.state is state:  # else another hint was given in between
            self.reporter.step(before)

    def start_reason(self) -> StartReason:
        """See :meth:`winsvc.host.ServiceBase.start_reason`."""
        return StartReason(self._backend.query_start_reason(self.reporter.handle))

    def directory(self) -> Path:
        """See :meth:`winsvc.host.ServiceBase.directory`."""
        return Path(self._backend.get_service_directory(self.reporter.handle))

    def shared_directory(self) -> Path:
        """See :meth:`winsvc.host.ServiceBase.shared_directory`."""
        return Path(self._backend.get_shared_service_directory(self.name))

    def watch_devices(self, interface: UUID | None) -> None:
        self._must_have("on_device")
        wanted = None if interface is None else interface.bytes_le
        watch = self._backend.register_device_notification(self.reporter.handle, wanted)
        self._watched.append(lambda: self._backend.unregister_device_notification(watch))

    def watch_power(self, setting: UUID) -> None:
        self._must_have("on_power")
        backend = self._backend
        watch = backend.register_power_setting_notification(self.reporter.handle, setting.bytes_le)
        self._watched.append(lambda: backend.unregister_power_setting_notification(watch))

    def _must_have(self, method: str) -> None:
        if not hasattr(self._kind, method):
            raise TypeError(
                f"{self._kind.__qualname__} must define {method}() to receive the notifications"
            )


def _refuse_awaitable(method: str, result: object) -> None:
    if inspect.isawaitable(result):
        if inspect.iscoroutine(result):
            result.close()
        raise TypeError(f"{method}() returned an awaitable; define it and main() with async def")


def _put(
    loop: asyncio.AbstractEventLoop,
    queue: asyncio.Queue[_Received | None],
    received: _Received | None,
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(queue.put_nowait, received)
