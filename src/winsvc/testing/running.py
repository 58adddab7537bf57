"""The states, controls, ends and failures of simulated services."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from winsvc._util.durations import milliseconds, to_timedelta
from winsvc._util.text import same_name
from winsvc._values.rows import StatusRow
from winsvc.enums import (
    PENDING_STATES,
    AcceptedControls,
    ConfigLevel,
    Control,
    ErrorCode,
    ServiceType,
    State,
)
from winsvc.testing.behavior import HostedProgram, ProgramBehavior
from winsvc.testing.clock import Timer
from winsvc.testing.dependencies import blocking
from winsvc.testing.hosted.processes import HostedProcess, HostedRun
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

if TYPE_CHECKING:
    from winsvc.testing.calls import Simulation
    from winsvc.testing.database import Services
    from winsvc.testing.notifications import Notifications
    from winsvc.testing.service_fixture import ServiceFixture

__all__ = ["Running"]

SHUTDOWN_TIMEOUT: Final = 5.0  # WaitToKillServiceTimeout

_SETTLED: Final = {
    State.START_PENDING: State.RUNNING,
    State.STOP_PENDING: State.STOPPED,
    State.PAUSE_PENDING: State.PAUSED,
    State.CONTINUE_PENDING: State.RUNNING,
}
_BEGINS: Final = {
    Control.STOP: State.STOP_PENDING,
    Control.SHUTDOWN: State.STOP_PENDING,
    Control.PRESHUTDOWN: State.STOP_PENDING,
    Control.PAUSE: State.PAUSE_PENDING,
    Control.CONTINUE: State.CONTINUE_PENDING,
}
# The bit of most controls has the same name.
_ACCEPT: Final = {
    **{
        control: AcceptedControls[control.name]
        for control in Control
        if control.name in AcceptedControls.__members__
    },
    Control.PAUSE: AcceptedControls.PAUSE_CONTINUE,
    Control.CONTINUE: AcceptedControls.PAUSE_CONTINUE,
    Control.NETBIND_ADD: AcceptedControls.NETBIND_CHANGE,
    Control.NETBIND_REMOVE: AcceptedControls.NETBIND_CHANGE,
    Control.NETBIND_ENABLE: AcceptedControls.NETBIND_CHANGE,
    Control.NETBIND_DISABLE: AcceptedControls.NETBIND_CHANGE,
}
_PAUSED: Final = (State.PAUSED, State.PAUSE_PENDING, State.CONTINUE_PENDING)
_INVALID_DATA: Final = 13
_POWER_SETTING_CHANGE: Final = 0x8013
_DEVICE_INTERFACE: Final = 5  # DBT_DEVTYP_DEVICEINTERFACE


class Running:
    """The running services and processes of one machine."""

    def __init__(
        self,
        simulation: Simulation,
        services: Services,
        notifications: Notifications,
        on_failure: Callable[[SimulatedService], None],
    ) -> None:
        """Run the services of a machine; ``on_failure`` is called when one has failed."""
        self._simulation = simulation
        self._clock = simulation.clock
        self._services = services
        self._notifications = notifications
        self._on_failure = on_failure
        self._last_pid = 1000
        self._processes: list[HostedProcess] = []

    # ------------------------------------------------------------------- processes

    def begin(self, service: SimulatedService, behavior: ProgramBehavior) -> None:
        """Assign a process with this behavior to a service."""
        service.behavior = behavior
        service.controls.clear()
        service.exit_code = service.service_exit_code = 0
        service.pid = 0
        if service.hosted is not None:
            service.pid = service.hosted.process.pid
        elif not service.is_driver:
            sharer = self.sharer(service)
            service.pid = self._new_pid() if sharer is None else sharer.pid
        if behavior.ends_after is not None:
            seconds = to_timedelta(behavior.ends_after, "ends_after").total_seconds()
            service.end = self._clock.after(seconds, lambda: self._end_by_itself(service))

    def sharer(self, service: SimulatedService) -> SimulatedService | None:
        """Return a service with a shareable process and the same command line."""
        if not service.service_type & ServiceType.SHARE_PROCESS:
            return None
        for peer in self._services:
            shares = peer.pid and peer.service_type & ServiceType.SHARE_PROCESS
            if shares and same_name(peer.binary_path, service.binary_path):
                return peer
        return None

    def _new_pid(self) -> int:
        self._last_pid += 4
        return self._last_pid

    def process_of(self, service: SimulatedService, program: HostedProgram) -> HostedProcess:
        """Return a process, new or shared, for a service that is about to start."""
        path, shared = service.binary_path, bool(service.service_type & ServiceType.SHARE_PROCESS)
        for process in self._processes:
            if shared and process.takes_starts and same_name(process.path, path):
                return process
        pid = self._new_pid()
        process = HostedProcess(
            self._simulation.scheduler,
            self._simulation.as_host(),
            program,
            pid,
            path,
            shared,
            on_end=lambda: self._crash_process(pid),
        )
        self._processes = [other for other in self._processes if not other.ended]
        self._processes.append(process)
        return process

    def end_processes(self) -> None:
        """End all processes of Python services, as a system that goes down does."""
        for process in list(self._processes):
            for service in self._services_in(process.pid):
                self.stopped(service, 0)
            process.end()

    def resume(
        self, service: SimulatedService, behavior: ProgramBehavior, seed: ServiceFixture
    ) -> None:
        """Put a service into the state of a fixture, as if it had run before."""
        if seed.state in _PAUSED:
            # It has been paused, so it accepts the controls that pause and resume it.
            accepts = behavior.accepts | AcceptedControls.PAUSE_CONTINUE
            behavior = replace(behavior, accepts=accepts)
        self.begin(service, behavior)
        service.exit_code, service.service_exit_code = seed.exit_code, seed.service_exit_code
        service.pid = seed.pid or service.pid
        self._last_pid = max(self._last_pid, service.pid)
        self.enter(service, seed.state)
        if seed.controls_accepted is not None:
            service.controls_accepted = seed.controls_accepted

    def silence(self, service: SimulatedService) -> None:
        """Forget what was still to come of a service."""
        self._cancel(service.timers)
        if service.end is not None:
            service.end.cancel()
            service.end = None

    def forget(self, service: SimulatedService) -> None:
        """Remove a service in any state; end its process with its last service."""
        self.silence(service)
        run, service.hosted = service.hosted, None
        if run is not None:
            run.process.runs.remove(run)
            if not run.process.runs:
                run.process.end()

    # ------------------------------------------------------------------- states

    def report(
        self,
        service: SimulatedService,
        state: State,
        *,
        check_point: int = 0,
        wait_hint: int = 0,
    ) -> None:
        """Set a service's status, as its program does with ``SetServiceStatus``."""
        if state is State.STOPPED:
            self.stopped(service, service.behavior.exit_code, service.behavior.service_exit_code)
            return
        self._cancel(service.timers)
        if state not in PENDING_STATES:
            check_point = wait_hint = 0  # the system takes none here
        self.show(service, state, check_point, wait_hint)

    def set_status(self, service: SimulatedService, row: StatusRow) -> None:
        """Store a status that a program has reported in full (``SetServiceStatus``)."""
        if not State.STOPPED <= row.current_state <= State.PAUSED:
            raise RefusalError(_INVALID_DATA)
        state, accepts = State(row.current_state), AcceptedControls(row.controls_accepted)
        if service.hosted is not None:
            service.hosted.accepts = accepts
        service.exit_code = row.win32_exit_code
        service.service_exit_code = row.service_specific_exit_code
        if state is State.STOPPED:
            self.stopped(service, row.win32_exit_code, row.service_specific_exit_code)
            return
        self.report(service, state, check_point=row.check_point, wait_hint=row.wait_hint)
        service.controls_accepted = accepts

    def enter(self, service: SimulatedService, state: State) -> None:
        """Go into a state, and on from a pending one when its time has come."""
        if state not in PENDING_STATES:
            self.report(service, state)
            return
        takes = service.behavior.takes(state)
        if takes == 0:
            self.report(service, _SETTLED[state])
            return
        self._cancel(service.timers)
        self.show(service, state, 1, milliseconds(service.behavior.wait_hint, "wait_hint"))
        if takes is not None:
            settle = partial(self.report, service, _SETTLED[state])
            service.timers.append(self._clock.after(takes, settle))
            self._count_check_points(service)

    def _count_check_points(self, service: SimulatedService) -> None:
        every = to_timedelta(service.behavior.check_point_every, "every").total_seconds()

        def count() -> None:
            service.check_point += 1
            self._notifications.state_changed(service)
            service.timers.append(self._clock.after(every, count))

        service.timers.append(self._clock.after(every, count))

    def show(
        self, service: SimulatedService, state: State, check_point: int, wait_hint: int
    ) -> None:
        """Update the status of a service."""
        news = state is not service.state or check_point != service.check_point
        if state is not service.state:
            service.changes += 1
        accepts = AcceptedControls(0)
        if service.hosted is not None:
            accepts = service.hosted.accepts
        elif state in (State.RUNNING, State.PAUSED):
            accepts = service.behavior.accepts
            if service.is_driver:
                accepts &= AcceptedControls.STOP  # all that drivers take
        service.state = state
        service.controls_accepted = accepts
        service.check_point, service.wait_hint = check_point, wait_hint
        if news:
            self._notifications.state_changed(service)

    def stopped(
        self,
        service: SimulatedService,
        exit_code: int,
        service_exit_code: int = 0,
        *,
        crashed: bool = False,
    ) -> None:
        """Record the end of a service."""
        self.silence(service)
        service.exit_code, service.service_exit_code = exit_code, service_exit_code
        service.pid = 0
        run, service.hosted = service.hosted, None
        self.show(service, State.STOPPED, 0, 0)
        if run is not None:
            run.process.stopped(run)
        flag = service.numbers[ConfigLevel.FAILURE_ACTIONS_FLAG]
        if crashed or (flag and exit_code):
            self._on_failure(service)
        self._services.remove_if_deleted(service)

    def crash(self, service: SimulatedService) -> None:
        """End the process of a service without a word, and so all services in it."""
        process = None if service.hosted is None else service.hosted.process
        self._crash_process(service.pid)
        if process is not None:
            process.end()

    def _crash_process(self, pid: int) -> None:
        for service in self._services_in(pid):
            self.stopped(service, ErrorCode.PROCESS_ABORTED, crashed=True)

    def _services_in(self, pid: int) -> list[SimulatedService]:
        return [service for service in self._services if pid and service.pid == pid]

    def _end_by_itself(self, service: SimulatedService) -> None:
        service.end = None
        if service.behavior.crashes:
            self.crash(service)
        else:
            self.report(service, State.STOPPED)

    @staticmethod
    def _cancel(timers: list[Timer]) -> None:
        for timer in timers:
            timer.cancel()
        timers.clear()

    # ------------------------------------------------------------------- controls

    def control(self, service: SimulatedService, code: int) -> StatusRow:
        """Send a control as a program may; the status afterwards."""
        control = Control(code)
        if service.state is State.STOPPED:
            raise RefusalError(ErrorCode.SERVICE_NOT_ACTIVE, service.brief_status_row())
        starting = service.state is State.START_PENDING
        if service.state is State.STOP_PENDING or (starting and control is not Control.STOP):
            raise RefusalError(ErrorCode.SERVICE_CANNOT_ACCEPT_CTRL, service.brief_status_row())
        if not self._takes(service, control):
            raise RefusalError(ErrorCode.INVALID_SERVICE_CONTROL, service.brief_status_row())
        if control is Control.STOP and blocking(self._services, service):
            raise RefusalError(ErrorCode.DEPENDENT_SERVICES_RUNNING)
        self.send(service, control)
        return service.brief_status_row()

    @staticmethod
    def _takes(service: SimulatedService, control: Control) -> bool:
        if control is Control.INTERROGATE or (control >= 128 and not service.is_driver):
            return True
        return bool(service.controls_accepted & _ACCEPT.get(control, AcceptedControls(0)))

    def send(self, service: SimulatedService, control: Control) -> None:
        """Deliver a control to the service's program."""
        if service.hosted is not None:
            self._call_handler(service, service.hosted, control)
            return
        service.controls.append(control)
        if service.behavior.on_control is not None:
            service.behavior.on_control(control)
        if control in service.behavior.ignores or service.state is State.STOPPED:
            return  # stopped by its callback
        begins = _BEGINS.get(control)
        if begins is not None and _SETTLED[begins] is not service.state:
            self.enter(service, begins)

    @staticmethod
    def _call_handler(
        service: SimulatedService,
        run: HostedRun,
        control: Control,
        event_type: int = 0,
        data: bytes = b"",
    ) -> int:
        """Call the control handler of a service in Python; return its result."""
        service.controls.append(control)
        if run.handler is None:
            raise RefusalError(ErrorCode.SERVICE_CANNOT_ACCEPT_CTRL, service.brief_status_row())
        return run.process.control(run.handler, int(control), event_type, data)

    def event(self, control: Control, event_type: int, data: bytes) -> dict[str, int]:
        """Send a system event to all services that accept it; return their handlers' results."""
        answers: dict[str, int] = {}
        for service in self._services:
            if service.state in (State.RUNNING, State.PAUSED) and _wants(
                service, control, event_type, data
            ):
                answers[service.name] = 0
                if service.hosted is None:
                    self.send(service, control)
                else:
                    answers[service.name] = self._call_handler(
                        service, service.hosted, control, event_type, data
                    )
        return answers

    def shut_down(self) -> None:
        """End everything, as a system that goes down does."""
        every = [service for service in self._services if service.state is not State.STOPPED]
        for service in every:
            if service.controls_accepted & AcceptedControls.PRESHUTDOWN:
                self.send(service, Control.PRESHUTDOWN)
                self._wait_for_end(service, service.numbers[ConfigLevel.PRESHUTDOWN_INFO] / 1000)
        for service in every:
            if service.controls_accepted & AcceptedControls.SHUTDOWN:
                self.send(service, Control.SHUTDOWN)
        for service in every:
            self._wait_for_end(service, SHUTDOWN_TIMEOUT)
        for service in every:  # what is left is ended with the system: that is no failure
            if service.state is not State.STOPPED:
                self.stopped(service, 0)
        self.end_processes()

    def _wait_for_end(self, service: SimulatedService, seconds: float) -> None:
        end = self._clock.later(seconds)
        while service.state is State.STOP_PENDING and self._clock.now < end:
            self._clock.step(end)


def _wants(service: SimulatedService, control: Control, event_type: int, data: bytes) -> bool:
    """Return whether the system sends an event to a service."""
    bit = _ACCEPT.get(control)
    if bit is not None and not service.controls_accepted & bit:
        return False
    if control is Control.DEVICE_EVENT:
        # DEV_BROADCAST_DEVICEINTERFACE has the class after its size, its type and 4 more bytes.
        interface = data[12:28] if data[4:8] == _DEVICE_INTERFACE.to_bytes(4, "little") else None
        return _watches(service, control, interface)
    if control is Control.POWER_EVENT and event_type == _POWER_SETTING_CHANGE:
        return _watches(service, control, data[:16])  # POWERBROADCAST_SETTING
    return bit is not None


def _watches(service: SimulatedService, control: Control, which: bytes | None) -> bool:
    run = service.hosted
    return run is not None and any(
        watch.control is control and (which is None or watch.which in (None, which))
        for watch in run.watches.values()
    )
