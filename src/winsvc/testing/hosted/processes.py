"""The processes of a simulated machine in which Python services run."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from winsvc._util.text import name_key
from winsvc.backend import ControlHandler, ProcessEnded, ServiceMain
from winsvc.enums import AcceptedControls, Control, ErrorCode
from winsvc.testing.behaviour import HostedProgram
from winsvc.testing.hosted.baton import Pause
from winsvc.testing.refusal import Refusal

if TYPE_CHECKING:
    from winsvc.testing.machine import SimulatedMachine
    from winsvc.testing.services import SimulatedService

__all__ = ["HostedProcess", "HostedRun", "Watch"]

log = logging.getLogger("winsvc.testing")

NO_CONTROLS: Final = AcceptedControls(0)
CONTROL_TIMEOUT: Final = 30.0  # simulated seconds that a control handler has


@dataclass(frozen=True, slots=True)
class Watch:
    """What a service has registered for: events of devices, or of a power setting.

    Attributes:
        control: ``DEVICE_EVENT`` or ``POWER_EVENT``.
        which: the class of device interfaces, or the power setting, as a GUID's bytes; None is
            all.
    """

    control: Control
    which: bytes | None


@dataclass(slots=True, eq=False)
class HostedRun:
    """One run of a service in a process.

    Attributes:
        accepts: the controls that were reported last.
        handler: its control handler, once it is registered.
        watches: what it has registered for, by registration.
    """

    process: HostedProcess
    service: SimulatedService
    accepts: AcceptedControls = NO_CONTROLS
    handler: ControlHandler | None = None
    watches: dict[int, Watch] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Control:
    """A control for a service, and what its handler says to it."""

    run: HostedRun
    code: int
    event_type: int
    data: bytes
    answer: int | None = None


class HostedProcess:
    """A process that is a hosted program: it begins with its main thread.

    Attributes:
        pid: its process id.
        path: the command line that it was started by.
        shared: whether it may have several services.
        runs: the services that run in it.
        connected: whether it has called ``StartServiceCtrlDispatcherW``.
        ended: whether it is over; its threads end where they wait.
    """

    def __init__(
        self,
        machine: SimulatedMachine,
        program: HostedProgram,
        pid: int,
        path: str,
        shared: bool,
    ) -> None:
        self.machine = machine
        self.pid = pid
        self.path = path
        self.shared = shared
        self.runs: list[HostedRun] = []
        self.connected = False
        self.ended = False
        self._simulation = machine.simulation
        self._baton = machine.simulation.baton
        self._program = program
        self._table: list[tuple[str, ServiceMain]] = []
        self._controls: deque[_Control] = deque()
        self._over = False  # all services have stopped: the dispatcher returns
        self._dispatcher: Pause | None = None  # while it waits
        self.start_thread(self._main, f"{self}: main")

    def __str__(self) -> str:
        return f"the process {self.pid} of {self._program}"

    @property
    def takes_starts(self) -> bool:
        """Whether another service can be started in it."""
        return self.shared and not self.ended and (not self.connected or bool(self.runs))

    # ------------------------------------------------------------------- its threads

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        """A thread of the process."""
        self._baton.new_thread(self._simulation.clock, target, name, self)

    def _main(self) -> None:
        try:
            self._program.main(self._simulation.as_host())
        except SystemExit:
            pass  # the process's exit code, which is nobody's here
        except Exception:
            log.exception("%s has ended with an exception", self)
        finally:
            with self._baton.lock:
                if not self.ended:
                    for run in list(self.runs):
                        self.machine.running.crash(run.service)
                    self.end()

    def end(self) -> None:
        """It is no more: its threads end, wherever they wait."""
        if self.ended:
            return
        self.ended = True
        self.runs.clear()
        if self in self.machine.running.processes:
            self.machine.running.processes.remove(self)
        self._baton.end(self)

    # ------------------------------------------------------------------- as the system sees it

    def main_of(self, service: SimulatedService, own: bool) -> ServiceMain | None:
        """What its table has for a service; in a process of its own names don't count."""
        for name, main in self._table:
            if own or name_key(name) == name_key(service.name):
                return main
        return None

    def start_service(
        self, service: SimulatedService, main: ServiceMain, arguments: Sequence[str]
    ) -> None:
        """Have a service's main function called."""
        run = HostedRun(self, service)
        service.hosted = run
        self.runs.append(run)
        self.start_thread(lambda: main([service.name, *arguments]), f"{service.name}: ServiceMain")

    def stopped(self, run: HostedRun) -> None:
        """A service has stopped; with the last one the dispatcher returns."""
        if run in self.runs:
            self.runs.remove(run)
        if not self.runs:
            self._over = True
            self._wake_dispatcher()

    def control(self, run: HostedRun, code: int, event_type: int, data: bytes) -> int:
        """Have a control handler called, and wait for its answer.

        Raises:
            Refusal: it did not come.
        """
        if run.handler is None:
            raise Refusal(ErrorCode.SERVICE_CANNOT_ACCEPT_CTRL, run.service.brief_status_row())
        clock = self._simulation.clock
        control = _Control(run, code, event_type, data)
        self._controls.append(control)
        if self._dispatcher is not None:
            self._dispatcher.resume()  # at once: no time passes until it has answered
            self._baton.run_ready()
        end = round(clock.now + CONTROL_TIMEOUT, 6)
        while control.answer is None:
            if self.ended or clock.now >= end:
                raise Refusal(ErrorCode.SERVICE_REQUEST_TIMEOUT)
            if not clock.run_next(end):
                clock.elapse(end - clock.now)
        return control.answer

    # ------------------------------------------------------------------- as the process sees it

    def connect(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        """Tell the system what can be started in it; once."""
        if self.connected:
            raise Refusal(ErrorCode.SERVICE_ALREADY_RUNNING)
        self._table = list(table)
        self.connected = True
        self._simulation.stir()

    def dispatch(self) -> None:
        """Call control handlers, until all services have stopped."""
        thread = self._baton.current()
        assert thread is not None
        while True:
            with self._baton.lock:
                if not self._controls:
                    if self._over:
                        return
                    self._dispatcher = pause = self._baton.pause(thread)
                    try:
                        self._baton.wait(pause)
                    finally:
                        self._dispatcher = None
                    continue
                control = self._controls.popleft()
            control.answer = self._answer(control)
            self._baton.stir()  # a service that has sent it

    def _answer(self, control: _Control) -> int:
        handler = control.run.handler
        if handler is None:
            return 0
        try:
            return handler(control.code, control.event_type, control.data)
        except ProcessEnded:
            raise
        except Exception:
            log.exception("%s: a control handler has failed", self)
            return ErrorCode.CALL_NOT_IMPLEMENTED

    def _wake_dispatcher(self) -> None:
        if self._dispatcher is not None:
            self._simulation.clock.after(0, self._dispatcher.resume)

    def run_named(self, name: str) -> HostedRun | None:
        """The service that is meant by a name; where there is one alone, always that."""
        if len(self.runs) == 1 and not self.shared:
            return self.runs[0]
        found = (one for one in self.runs if name_key(one.service.name) == name_key(name))
        return next(found, None)
