"""Starting simulated services: what they need first, then their own process."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from winsvc._util.text import same_name
from winsvc.enums import ErrorCode, ServiceType, StartReason, StartType, State
from winsvc.testing.behavior import HostedProgram, ProgramBehavior
from winsvc.testing.dependencies import members
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import USUAL, SimulatedService

if TYPE_CHECKING:
    from winsvc.testing.clock import SimulatedClock
    from winsvc.testing.database import Services
    from winsvc.testing.running import Running

__all__ = ["Starting"]

BehaviorOf: TypeAlias = Callable[[SimulatedService, Sequence[str]], ProgramBehavior | HostedProgram]

CONNECT_TIMEOUT: Final = 30.0  # ServicesPipeTimeout
HANG_ALLOWANCE: Final = 20.0  # beyond its wait hint, before a start counts as hung
LOOK_EVERY: Final = 0.1  # seconds between the steps of a start without a waiting caller
FIRST_WAIT_HINT: Final = 2000  # what the system sets until the service reports

Steps: TypeAlias = Generator[float, None, None]
"""An operation in steps; each yielded value is the latest time of the next step."""


class Starting:
    """The starts on one machine."""

    def __init__(
        self,
        clock: SimulatedClock,
        services: Services,
        running: Running,
        behavior_of: BehaviorOf,
        may_log_on: Callable[[SimulatedService], bool],
    ) -> None:
        self._clock = clock
        self._services = services
        self._running = running
        self._behaviour_of = behavior_of
        self._may_log_on = may_log_on
        self._starting: list[SimulatedService] = []  # that wait for what they need

    def start(self, service: SimulatedService, arguments: Sequence[str] = ()) -> None:
        """Start a service as a program demands it, which waits."""
        with closing(self._steps(service, arguments, StartReason.DEMAND, ())) as steps:
            for until in steps:
                self._clock.step(until)

    def start_by_itself(self, service: SimulatedService, reason: StartReason) -> None:
        """Start a service without a waiting caller; set its exit code on failure."""
        steps = self._steps(service, (), reason, ())

        def go_on() -> None:
            try:
                until = next(steps)
            except (RefusalError, StopIteration):
                return
            self._clock.after(min(until - self._clock.now, LOOK_EVERY), go_on)

        go_on()

    def _steps(
        self,
        service: SimulatedService,
        arguments: Sequence[str],
        reason: StartReason,
        before: tuple[SimulatedService, ...],
    ) -> Steps:
        """Perform all steps of a start; ``before`` are the services that wait for it."""
        if service in self._starting:
            raise RefusalError(ErrorCode.SERVICE_ALREADY_RUNNING)
        self._check(service)
        self._starting.append(service)
        try:
            yield from self._start_needed(service, (*before, service))
            self._check(service)  # time has passed
            yield from self._launch(service, arguments, reason)
        except RefusalError as refusal:
            if service.state is State.STOPPED:
                service.exit_code, service.service_exit_code = refusal.code, 0
            raise
        finally:
            self._starting.remove(service)
        if service.is_driver:  # its start is over once it has initialized
            yield from self._until_started(service)

    def _check(self, service: SimulatedService) -> None:
        if service.marked_for_deletion or service not in self._services:
            raise RefusalError(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        if service.start_type == StartType.DISABLED:
            raise RefusalError(ErrorCode.SERVICE_DISABLED)
        if service.state is not State.STOPPED:
            raise RefusalError(ErrorCode.SERVICE_ALREADY_RUNNING)

    # ------------------------------------------------------------------- what it needs

    def _start_needed(
        self, service: SimulatedService, before: tuple[SimulatedService, ...]
    ) -> Steps:
        found = [self._services.get(name) for name in service.service_dependencies()]
        needed = [other for other in found if other is not None and not other.marked_for_deletion]
        if len(needed) < len(found):
            raise RefusalError(ErrorCode.SERVICE_DEPENDENCY_DELETED)
        for dependency in needed:
            if not (yield from self._bring_up(dependency, before)):
                raise RefusalError(ErrorCode.SERVICE_DEPENDENCY_FAIL)
        for group in service.group_dependencies():
            up = False  # all are started, a single running member is enough
            for member in members(self._services, group):
                if member is not service:
                    up = (yield from self._bring_up(member, before)) or up
            if not up:
                raise RefusalError(ErrorCode.SERVICE_DEPENDENCY_FAIL)

    def _bring_up(
        self, needed: SimulatedService, before: tuple[SimulatedService, ...]
    ) -> Generator[float, None, bool]:
        """Start a service if needed; return whether it runs."""
        if needed in before:
            return False
        if needed.state is State.STOPPED and needed not in self._starting:
            try:
                yield from self._steps(needed, (), StartReason.DEMAND, before)
            except RefusalError:
                return False
        yield from self._until_started(needed)
        return needed.state not in (State.STOPPED, State.START_PENDING, State.STOP_PENDING)

    def _until_started(self, service: SimulatedService) -> Steps:
        """Wait while a service starts, as long as it gets on."""
        check_point, patience = service.check_point, self._patience(service)
        while service.state is State.START_PENDING or service in self._starting:
            if self._clock.now >= patience:
                return
            yield patience
            if service.check_point != check_point:
                check_point, patience = service.check_point, self._patience(service)

    def _patience(self, service: SimulatedService) -> float:
        return self._clock.later(service.wait_hint / 1000 + HANG_ALLOWANCE)

    # ------------------------------------------------------------------- its own process

    def _launch(
        self, service: SimulatedService, arguments: Sequence[str], reason: StartReason
    ) -> Steps:
        if service.is_driver:
            arguments = ()  # drivers are given none
        self._check_logon(service)
        behavior = self._behaviour_of(service, arguments)
        if isinstance(behavior, HostedProgram):
            yield from self._launch_hosted(service, arguments, reason, behavior)
            return
        if behavior.start_error == ErrorCode.SERVICE_REQUEST_TIMEOUT:
            end = self._clock.later(CONNECT_TIMEOUT)
            while self._clock.now < end:
                yield end
        if behavior.start_error:
            raise RefusalError(behavior.start_error)
        self._begin(service, arguments, reason, behavior)
        self._running.enter(service, State.START_PENDING)

    def _launch_hosted(
        self,
        service: SimulatedService,
        arguments: Sequence[str],
        reason: StartReason,
        program: HostedProgram,
    ) -> Steps:
        """Start a program in Python, which has some time to connect."""
        process = self._running.process_of(service, program)
        end = self._clock.later(CONNECT_TIMEOUT)
        while not process.connected:
            if process.ended or self._clock.now >= end:
                process.end()
                raise RefusalError(ErrorCode.SERVICE_REQUEST_TIMEOUT)
            yield end
        own = not service.service_type & ServiceType.SHARE_PROCESS
        main = process.main_of(service.name, own)
        if main is None or service not in self._services:
            if not process.runs:
                process.end()
            raise RefusalError(ErrorCode.SERVICE_NOT_IN_EXE)
        report = partial(self._running.set_status, service)
        service.hosted = process.start_service(service.name, main, arguments, report)
        self._begin(service, arguments, reason, USUAL)

    def _begin(
        self,
        service: SimulatedService,
        arguments: Sequence[str],
        reason: StartReason,
        behavior: ProgramBehavior,
    ) -> None:
        service.starts += 1
        service.start_reason = reason
        service.arguments = tuple(arguments)
        self._running.begin(service, behavior)
        self._running.show(service, State.START_PENDING, 0, FIRST_WAIT_HINT)

    def _check_logon(self, service: SimulatedService) -> None:
        if service.is_driver:
            return
        sharer = self._running.sharer(service)
        if sharer is not None and not same_name(sharer.account, service.account):
            raise RefusalError(ErrorCode.DIFFERENT_SERVICE_ACCOUNT)
        if not self._may_log_on(service):
            raise RefusalError(ErrorCode.SERVICE_LOGON_FAILED)
