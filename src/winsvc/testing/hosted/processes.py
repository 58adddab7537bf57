"""The processes of a simulated machine in which Python services run."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from winsvc._util.text import same_name
from winsvc._values.rows import StatusRow
from winsvc.backend import ControlHandler, ProcessEnded, ServiceMain
from winsvc.enums import AcceptedControls, Control, ErrorCode
from winsvc.testing.behavior import HostedProgram
from winsvc.testing.hosted.scheduler import CooperativeScheduler, Pause
from winsvc.testing.refusal import RefusalError

if TYPE_CHECKING:
    from winsvc.backend import HostBackend

__all__ = ["HostedProcess", "HostedRun", "Watch"]

log = logging.getLogger("winsvc.testing")

NO_CONTROLS: Final = AcceptedControls(0)
CONTROL_TIMEOUT: Final = 30.0  # simulated seconds that a control handler has


@dataclass(frozen=True, slots=True)
class Watch:
    """A registration of a service for events of devices, or of a power setting.

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
        process: the process.
        name: the key name of the service.
        report: called with each status that the service reports (``SetServiceStatus``).
        accepts: the controls that were reported last.
        handler: its control handler, once it is registered.
        watches: what it has registered for, by registration.
    """

    process: HostedProcess
    name: str
    report: Callable[[StatusRow], None]
    accepts: AcceptedControls = NO_CONTROLS
    handler: ControlHandler | None = None
    watches: dict[int, Watch] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """True after the service has stopped, or its process has ended."""
        return self not in self.process.runs


@dataclass(slots=True, eq=False)
class _Control:
    """A control for a service, and the answer of its handler."""

    call_handler: Callable[[], int]
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
        scheduler: CooperativeScheduler,
        host: HostBackend,
        program: HostedProgram,
        pid: int,
        path: str,
        shared: bool,
        on_end: Callable[[], None],
    ) -> None:
        """Start the main thread; ``on_end`` is called when it ends while services run."""
        self.pid = pid
        self.path = path
        self.shared = shared
        self.runs: list[HostedRun] = []
        self.connected = False
        self.ended = False
        self._scheduler = scheduler
        self._host = host
        self._program = program
        self._on_end = on_end
        self._table: list[tuple[str, ServiceMain]] = []
        self._controls: deque[_Control] = deque()
        self._over = False  # all services have stopped: the dispatcher returns
        self._dispatcher: Pause | None = None  # while it waits
        self.start_thread(self._main, f"{self}: main")

    def __str__(self) -> str:
        return f"the process {self.pid} of {self._program}"

    @property
    def takes_starts(self) -> bool:
        """True while another service can be started in the process."""
        return self.shared and not self.ended and (not self.connected or bool(self.runs))

    # ------------------------------------------------------------------- its threads

    def start_thread(self, target: Callable[[], None], name: str) -> None:
        """Start a thread of the process."""
        self._scheduler.new_thread(target, name, self)

    def _main(self) -> None:
        try:
            self._program.main(self._host)
        except SystemExit:
            pass  # the simulation has no use for the process's exit code
        except Exception:
            log.exception("%s ended with an exception", self)
        finally:
            with self._scheduler.lock:
                if self.runs:
                    self._on_end()
                self.end()

    def end(self) -> None:
        """End the process and its threads, wherever they wait."""
        if self.ended:
            return
        self.ended = True
        self.runs.clear()
        self._scheduler.end(self)

    # ------------------------------------------------------------------- as the system sees it

    def main_of(self, name: str, own: bool) -> ServiceMain | None:
        """Find a service's main function; in the service's own process, any name matches."""
        mains = (main for known, main in self._table if own or same_name(known, name))
        return next(mains, None)

    def start_service(
        self,
        name: str,
        main: ServiceMain,
        arguments: Sequence[str],
        report: Callable[[StatusRow], None],
    ) -> HostedRun:
        """Call a service's main function in a separate thread."""
        run = HostedRun(self, name, report)
        self.runs.append(run)
        self.start_thread(lambda: main([name, *arguments]), f"{name}: ServiceMain")
        return run

    def stopped(self, run: HostedRun) -> None:
        """Remove a service that has stopped; with the last one the dispatcher returns."""
        if run in self.runs:
            self.runs.remove(run)
        if not self.runs:
            self._over = True
            if self._dispatcher is not None:
                self._scheduler.clock.after(0, self._dispatcher.resume)

    def control(self, handler: ControlHandler, code: int, event_type: int, data: bytes) -> int:
        """Call a control handler, and wait for its answer.

        Raises:
            RefusalError: the answer did not come in time.
        """
        clock = self._scheduler.clock
        control = _Control(partial(handler, code, event_type, data))
        self._controls.append(control)
        if self._dispatcher is not None:
            self._dispatcher.resume()  # at once: no time passes until it has answered
            self._scheduler.run_ready()
        end = clock.later(CONTROL_TIMEOUT)
        while control.answer is None:
            if self.ended or clock.now >= end:
                raise RefusalError(ErrorCode.SERVICE_REQUEST_TIMEOUT)
            clock.step(end)
        return control.answer

    # ------------------------------------------------------------------- as the process sees it

    def connect(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        """Register the services that can be started in the process; once."""
        if self.connected:
            raise RefusalError(ErrorCode.SERVICE_ALREADY_RUNNING)
        self._table = list(table)
        self.connected = True
        self._scheduler.wake_watchers_later()

    def dispatch(self) -> None:
        """Call control handlers, until all services have stopped."""
        while True:
            with self._scheduler.lock:
                if not self._controls:
                    if self._over:
                        return
                    self._dispatcher = self._scheduler.pause()
                    try:
                        self._scheduler.wait(self._dispatcher)
                    finally:
                        self._dispatcher = None
                    continue
                control = self._controls.popleft()
            control.answer = self._answer(control)
            self._scheduler.wake_watchers()  # a service that has sent it

    def _answer(self, control: _Control) -> int:
        try:
            return control.call_handler()
        except ProcessEnded:
            raise
        except Exception:
            log.exception("%s: a control handler raised an exception", self)
            return ErrorCode.CALL_NOT_IMPLEMENTED

    def run_named(self, name: str) -> HostedRun | None:
        """Return the service with this name; in an own process, always its only service."""
        if len(self.runs) == 1 and not self.shared:
            return self.runs[0]
        return next((run for run in self.runs if same_name(run.name, name)), None)
