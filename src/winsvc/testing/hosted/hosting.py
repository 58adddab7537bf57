"""Being a service on the simulated system: what :mod:`winsvc.host` asks of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Final, TypeVar

from winsvc._values.rows import StatusRow
from winsvc.backend import ControlHandler, ServiceMain
from winsvc.enums import AcceptedControls, Control, ErrorCode, State
from winsvc.testing.calls import windows_call
from winsvc.testing.clock import Timer
from winsvc.testing.hosted.baton import Pause
from winsvc.testing.hosted.processes import HostedProcess, HostedRun, Watch
from winsvc.testing.refusal import Refusal
from winsvc.testing.service_calls import SimulatedServices
from winsvc.testing.services import SimulatedService

__all__ = ["HostCalls", "SimulatedEvent"]

T = TypeVar("T")

_INVALID_DATA: Final = 13
_FOREVER: Final = 1e12  # seconds
_GLANCE: Final = 0.01  # real seconds: where nothing is due, another thread has to do something


class SimulatedEvent:
    """A :class:`winsvc.backend.HostEvent`: its waits take simulated time.

    Threads that a service has made by itself, with :mod:`threading`, wait for others to let time
    pass, and run beside them; tests' own threads let it pass.
    """

    def __init__(self, simulation: HostCalls) -> None:
        self._simulation = simulation
        self._of_process = simulation.baton.owner() is not None
        self._set = False
        self._pauses: list[Pause] = []
        self._changed = threading.Condition(simulation.baton.lock)

    def set(self) -> None:
        """Have all waits end, when time next passes."""
        with self._simulation.baton.lock:
            if not self._set:
                self._set = True
                for pause in self._pauses:
                    self._simulation.clock.after(0, pause.resume)
                self._changed.notify_all()

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._set

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, or so many simulated seconds have passed; whether it is."""
        simulation = self._simulation
        simulation.baton.check()
        thread = simulation.baton.current()
        if thread is not None:
            with simulation.baton.lock:
                if not self._set:
                    self._wait_for_turn(simulation.baton.pause(thread), timeout)
                return self._set
        clock = simulation.clock
        end = _FOREVER if timeout is None else round(clock.now + timeout, 6)
        drives = not self._of_process or simulation.drives()
        while not self._set:
            due = False
            if drives:
                with simulation.happening():
                    due = clock.run_next(end)
                    if not due and timeout is not None:
                        clock.elapse(end - clock.now)
            if not due and clock.now >= end:
                break
            if not due:
                with simulation.baton.lock:
                    self._changed.wait(_GLANCE)
        return self._set

    def _wait_for_turn(self, pause: Pause, timeout: float | None) -> None:
        simulation = self._simulation
        timer: Timer | None = None
        if timeout is not None:
            timer = simulation.clock.after(max(timeout, simulation.latency), pause.time_out)
        self._pauses.append(pause)
        try:
            simulation.baton.wait(pause)
        finally:
            self._pauses.remove(pause)
            if timer is not None:
                timer.cancel()


class _NoProcess:
    """What threads belong to that are no simulated process's."""

    def __init__(self) -> None:
        self.ended = False

    def __str__(self) -> str:
        return "the program under test"


class HostCalls(SimulatedServices):
    """What :class:`winsvc.backend.HostBackend` has, but for the event log."""

    def __init__(self) -> None:
        super().__init__()
        self._status_handles: dict[int, tuple[SimulatedService, HostedRun | None]] = {}
        self._registrations: dict[int, HostedRun] = {}
        self._no_process = _NoProcess()

    def _place(self, arguments: dict[str, object]) -> tuple[str | None, str | None]:
        machine, service = super()._place(arguments)
        handle = arguments.get("handle")
        if isinstance(handle, int) and handle in self._status_handles:
            service = self._status_handles[handle][0].name
        return machine, service

    # ------------------------------------------------------------------- being a service

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        """``StartServiceCtrlDispatcherW``: returns when all services of it have stopped."""
        self._connect([name for name, _ in table], [main for _, main in table]).dispatch()

    @windows_call("StartServiceCtrlDispatcherW")
    def _connect(self, names: Sequence[str], mains: Sequence[ServiceMain]) -> HostedProcess:
        process = self.baton.owner()
        if not isinstance(process, HostedProcess):
            raise Refusal(ErrorCode.FAILED_SERVICE_CONTROLLER_CONNECT)
        process.connect(list(zip(names, mains, strict=True)))
        return process

    @windows_call("RegisterServiceCtrlHandlerExW")
    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        """``RegisterServiceCtrlHandlerExW``: the status handle."""
        process = self.baton.owner()
        run = process.run_named(name) if isinstance(process, HostedProcess) else None
        if run is None:
            raise Refusal(ErrorCode.SERVICE_NOT_IN_EXE)
        run.handler = handler
        handle = self._next_handle()
        self._status_handles[handle] = run.service, run
        return handle

    @windows_call("SetServiceStatus")
    def set_service_status(self, handle: int, row: StatusRow) -> None:
        """``SetServiceStatus``, with the handle of a service, or of :meth:`status_handle`."""
        service, run = self._status_handles.get(handle, (None, None))
        if service is None or (run is not None and service.hosted is not run):
            raise Refusal(ErrorCode.INVALID_HANDLE)
        if not State.STOPPED <= row.current_state <= State.PAUSED:
            raise Refusal(_INVALID_DATA)
        state, running = State(row.current_state), self.local.running
        accepts = AcceptedControls(row.controls_accepted)
        if run is not None:
            run.accepts = accepts
            running = run.process.machine.running
        service.exit_code = row.win32_exit_code
        service.service_exit_code = row.service_specific_exit_code
        if state is State.STOPPED:
            running.stopped(service, row.win32_exit_code, row.service_specific_exit_code)
            return
        running.report(service, state, check_point=row.check_point, wait_hint=row.wait_hint)
        service.controls_accepted = accepts

    def status_handle(self, name: str) -> int:
        """A handle with which tests report for a service that is only simulated.

        Raises:
            KeyError: there is no such service on this machine.
        """
        with self._lock:
            handle = self._next_handle()
            self._status_handles[handle] = self.local[name], None
            return handle

    # ------------------------------------------------------------------- what it is to be told

    @windows_call("RegisterDeviceNotificationW")
    def register_device_notification(self, handle: int, interface: bytes | None) -> int:
        """``RegisterDeviceNotificationW``: for a service's status handle."""
        return self._register(handle, Watch(Control.DEVICE_EVENT, interface))

    @windows_call("UnregisterDeviceNotification")
    def unregister_device_notification(self, registration: int) -> None:
        """``UnregisterDeviceNotification``."""
        self._unregister(registration, Control.DEVICE_EVENT)

    @windows_call("RegisterPowerSettingNotification")
    def register_power_setting_notification(self, handle: int, setting: bytes) -> int:
        """``RegisterPowerSettingNotification``: for a service's status handle."""
        return self._register(handle, Watch(Control.POWER_EVENT, setting))

    @windows_call("UnregisterPowerSettingNotification")
    def unregister_power_setting_notification(self, registration: int) -> None:
        """``UnregisterPowerSettingNotification``."""
        self._unregister(registration, Control.POWER_EVENT)

    def _register(self, handle: int, watch: Watch) -> int:
        service, run = self._status_handles.get(handle, (None, None))
        if service is None or run is None or service.hosted is not run:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        registration = self._next_handle()
        run.watches[registration] = watch
        self._registrations[registration] = run
        return registration

    def _unregister(self, registration: int, control: Control) -> None:
        run = self._registrations.get(registration)
        if run is None or run.watches[registration].control is not control:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        del self._registrations[registration], run.watches[registration]

    # ------------------------------------------------------------------- threads and time

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        """Have something go on beside, when time next passes; its waits take simulated time."""
        self.baton.check()
        process = self.baton.owner()
        if isinstance(process, HostedProcess):
            process.start_thread(target, name)
        else:
            self.baton.new_thread(self.clock, target, name, self._no_process)

    def new_event(self) -> SimulatedEvent:
        """An event that is not set."""
        return SimulatedEvent(self)

    def run_coroutine(self, coroutine: Coroutine[object, object, T]) -> T:
        """Run a coroutine in an event loop whose timers are in simulated time."""
        from winsvc.testing.hosted.eventloop import run_coroutine  # asyncio is slow to import

        return run_coroutine(self, coroutine)

    def drives(self) -> bool:
        """Whether the thread that asks is one that lets time pass, such as a test's."""
        return threading.current_thread() is threading.main_thread()

    def close(self) -> None:
        """End the processes of hosted services, and their threads; the clock goes no further.

        Raises:
            RuntimeError: a thread of theirs does not end.
        """
        with self.happening():
            for machine in (self.local, *self.machines):
                machine.running.end_processes()
            ended, self._no_process = self._no_process, _NoProcess()
            ended.ended = True
            self.baton.end(ended)
