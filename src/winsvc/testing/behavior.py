"""The behavior of simulated programs."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from winsvc._util.checks import check_dword, check_type
from winsvc._util.durations import Duration, milliseconds, to_timedelta
from winsvc.enums import PENDING_STATES, AcceptedControls, Control, State
from winsvc.errors import ValidationError

if TYPE_CHECKING:
    from winsvc.backend import HostBackend
    from winsvc.host import ServiceBase

__all__ = ["ProgramBehavior", "HostedProgram", "Program"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramBehavior:
    """The reactions of a simulated service's program to its start and to controls.

    By default every request succeeds at once.

    ::

        ProgramBehavior(start_takes=3)                               # START_PENDING for 3 seconds
        ProgramBehavior(start_takes=3, ends_after=1, exit_code=1066, service_exit_code=77)
        ProgramBehavior(start_error=2)                               # the program does not exist
        ProgramBehavior(ends_after=60, crashes=True)                 # crashes after a minute
        ProgramBehavior(hangs_in=[State.STOP_PENDING])
        ProgramBehavior(accepts=AcceptedControls(0))                 # no STOP: error 1052

    Durations are simulated: timedelta or seconds.

    Attributes:
        start_takes: how long it is in ``START_PENDING``.
        stop_takes: how long it is in ``STOP_PENDING``.
        pause_takes: how long it is in ``PAUSE_PENDING``.
        continue_takes: how long it is in ``CONTINUE_PENDING``.
        wait_hint: the wait hint that it reports in these states.
        check_point_every: the interval at which its check point increases in these states.
        accepts: the controls that it accepts while it is running or paused, besides INTERROGATE
            and 128 to 255.
        ignores: controls that it accepts and ignores.
        hangs_in: pending states that it never leaves and in which its check point does not grow.
        start_error: the error of the start, such as 2 (the program does not exist), 193 (not a
            program) or 1053 (does not connect; reported after 30 s).
        ends_after: the time after its start at which it stops automatically.
        crashes: whether the process crashes then; the exit code is 1067.
        exit_code: its exit code otherwise; 1066 refers to ``service_exit_code``.
        service_exit_code: its service-specific exit code.
        on_control: called with each control that it receives.
    """

    start_takes: Duration = 0
    stop_takes: Duration = 0
    pause_takes: Duration = 0
    continue_takes: Duration = 0
    wait_hint: Duration = 2
    check_point_every: Duration = 1
    accepts: AcceptedControls = AcceptedControls.STOP | AcceptedControls.SHUTDOWN
    ignores: Collection[Control | int] = ()
    hangs_in: Collection[State] = ()
    start_error: int = 0
    ends_after: Duration | None = None
    crashes: bool = False
    exit_code: int = 0
    service_exit_code: int = 0
    on_control: Callable[[Control], None] | None = None

    def __post_init__(self) -> None:
        for name in ("start_takes", "stop_takes", "pause_takes", "continue_takes"):
            to_timedelta(getattr(self, name), name)
        milliseconds(self.wait_hint, "wait_hint")
        if not to_timedelta(self.check_point_every, "check_point_every"):
            raise ValidationError("check_point_every", "must be greater than 0")
        if self.ends_after is not None:
            to_timedelta(self.ends_after, "ends_after")
        for name in ("accepts", "start_error", "exit_code", "service_exit_code"):
            check_dword(getattr(self, name), name)
        for name in ("ignores", "hangs_in"):
            check_type(getattr(self, name), Collection, name)
        for state in self.hangs_in:
            check_type(state, State, "hangs_in")
            if state not in PENDING_STATES:
                raise ValidationError("hangs_in", f"{state.name} is not a pending state")

    def takes(self, state: State) -> float | None:
        """Return the seconds that the program spends in a pending state; None if it hangs."""
        if state in self.hangs_in:
            return None
        duration = {
            State.START_PENDING: self.start_takes,
            State.STOP_PENDING: self.stop_takes,
            State.PAUSE_PENDING: self.pause_takes,
            State.CONTINUE_PENDING: self.continue_takes,
        }[state]
        return to_timedelta(duration, "duration").total_seconds()


@dataclass(frozen=True, slots=True)
class HostedProgram:
    r"""A program in Python: services written with :mod:`winsvc.host`, which really run.

    ::

        sim.local.programs[r"C:\Beat\beat.exe"] = HostedProgram.of(Beat)

    Attributes:
        main: the function to run on the main thread of the process; its argument is the system
            interface of a service process.
        name: the name of the program in errors.
    """

    main: Callable[[HostBackend], None]
    name: str = "a hosted program"

    @classmethod
    def of(cls, *services: type[ServiceBase]) -> HostedProgram:
        """Return the program of one service, or of several in one process.

        Raises:
            ValidationError: there is none.
        """
        if not services:
            raise ValidationError("services", "at least one service class is required")
        names = [service.name for service in services]

        def main(backend: HostBackend) -> None:
            from winsvc.host.failures import FailureReport
            from winsvc.host.process import HostProcess

            HostProcess(names, backend, FailureReport(backend)).serve(services)

        return cls(main, " and ".join(names))

    def __str__(self) -> str:
        return self.name


Program: TypeAlias = (
    ProgramBehavior | HostedProgram | Callable[[list[str]], ProgramBehavior | HostedProgram]
)
"""A behavior, or a function that returns one for the service's name and its arguments."""
