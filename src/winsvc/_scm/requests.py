"""Requests that change the state of one service, and wait for the new state."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from winsvc._scm.connection import Connection
from winsvc._scm.open_service import OpenService
from winsvc._scm.waiting import CancelToken, StateWait, run_waits, states_of
from winsvc._util.checks import check_type, type_error
from winsvc._util.durations import Duration, to_timedelta
from winsvc._values.status import ServiceStatus
from winsvc.enums import PENDING_STATES, Control, ErrorCode, ServiceAccess, State
from winsvc.errors import (
    AccessDeniedError,
    ControlRefusedError,
    ServiceAlreadyRunningError,
    ServiceStartError,
    ServiceStoppedError,
    ValidationError,
)

if TYPE_CHECKING:
    from winsvc._values.stopreason import StopReason

__all__ = [
    "WaitOptions",
    "check_own_process",
    "check_progress",
    "pause",
    "resume",
    "seconds_of",
    "start",
    "stop",
    "wait_for",
    "wait_for_all",
]

# A refused request is repeated this often if the state has changed since.
_MAX_REPEATS: Final = 10


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """Options of a wait, with checked values.

    Attributes:
        timeout: in seconds; None applies the hang rule.
        progress: called with each changed status.
        cancel: ends the wait.
        stable_for: how many seconds the service must run.
    """

    timeout: float | None = None
    progress: Callable[[ServiceStatus], object] | None = None
    cancel: CancelToken | None = None
    stable_for: float = 0.0

    @classmethod
    def of(
        cls,
        timeout: Duration | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
        stable_for: Duration | None = None,
    ) -> Self:
        """Check the arguments of a waiting method.

        Raises:
            TypeError, ValidationError: an argument is invalid.
        """
        if cancel is not None:
            check_type(cancel, CancelToken, "cancel")
        check_progress(progress)
        seconds = seconds_of(timeout, "timeout")
        return cls(seconds, progress, cancel, seconds_of(stable_for, "stable_for") or 0.0)

    @staticmethod
    def refuse(wait: bool, **given: object) -> None:
        """Check that no argument of a wait is given without the wait.

        Raises:
            TypeError: an argument has no effect.
        """
        check_type(wait, bool, "wait")
        for name, value in given.items():
            if not wait and value is not None:
                raise TypeError(f"{name}: has no effect with wait=False")


def check_progress(progress: object) -> None:
    """Check that a progress argument can be called."""
    if progress is not None and not callable(progress):
        raise type_error(progress, "a function", "progress")


def seconds_of(duration: Duration | None, argument: str) -> float | None:
    """Check a duration; return its seconds."""
    return None if duration is None else to_timedelta(duration, argument).total_seconds()


def start(service: OpenService, arguments: Sequence[str], options: WaitOptions) -> ServiceStatus:
    """Start a service and wait until it is running."""
    request = _Request(service, State.START_PENDING, State.RUNNING, options, bool(arguments))
    return request.run(lambda: service.start(arguments))


def stop(service: OpenService, reason: StopReason | None, options: WaitOptions) -> ServiceStatus:
    """Stop a service and wait until it is stopped."""
    request = _Request(service, State.STOP_PENDING, State.STOPPED, options)
    return request.run(lambda: service.control(Control.STOP, reason))


def pause(service: OpenService, options: WaitOptions) -> ServiceStatus:
    """Pause a service and wait until it is paused."""
    request = _Request(service, State.PAUSE_PENDING, State.PAUSED, options)
    return request.run(lambda: service.control(Control.PAUSE))


def resume(service: OpenService, options: WaitOptions) -> ServiceStatus:
    """Resume a paused service and wait until it is running."""
    request = _Request(service, State.CONTINUE_PENDING, State.RUNNING, options)
    return request.run(lambda: service.control(Control.CONTINUE))


def wait_for(service: OpenService, states: frozenset[State], options: WaitOptions) -> ServiceStatus:
    """Wait until a service is in one of the states."""
    _check_can_wait(service)
    check_own_process(service)
    wait = StateWait(
        service,
        states,
        deadline=_deadline(service, options),
        progress=options.progress,
        requested=service.requested_state in states,
    )
    return _run(service, wait, options)


def wait_for_all(
    connection: Connection,
    states: Mapping[str, State | Collection[State]],
    options: WaitOptions,
    progress: Callable[[str, ServiceStatus], object] | None,
) -> dict[str, ServiceStatus]:
    """Wait at the same time for states of several services."""
    check_type(states, Mapping, "states")
    check_progress(progress)
    targets = {name: states_of(state) for name, state in states.items()}
    with ExitStack() as closing:
        deadline = None
        if options.timeout is not None:
            deadline = connection.backend.monotonic() + options.timeout
        waits: dict[str, StateWait] = {}
        for name, target in targets.items():
            service = OpenService.of(connection, name, ServiceAccess.QUERY_STATUS)
            closing.enter_context(service)
            check_own_process(service)
            waits[name] = StateWait(
                service,
                target,
                deadline=deadline,
                progress=None if progress is None else partial(progress, name),
            )
        run_waits(list(waits.values()), options.cancel)
        return {name: wait.result for name, wait in waits.items() if wait.result is not None}


class _Request:
    """One request: sent, repeated after a pending state that refuses it, and waited for."""

    def __init__(
        self,
        service: OpenService,
        pending: State,
        target: State,
        options: WaitOptions,
        has_arguments: bool = False,
    ) -> None:
        _check_can_wait(service)
        check_own_process(service)
        self._service, self._pending, self._target = service, pending, target
        self._options, self._has_arguments = options, has_arguments
        self._began = service.backend.monotonic()
        self._deadline = _deadline(service, options)
        self._sent = False

    def run(self, send: Callable[[], ServiceStatus | None]) -> ServiceStatus:
        try:
            reported = self._send(send)
            return self._wait(frozenset({self._target}), reported, requested=True)
        except KeyboardInterrupt as error:
            if self._sent:
                name = self._service.name
                error.add_note(f"The request to service {name!r} was sent, and is not withdrawn.")
            raise

    def _send(self, send: Callable[[], ServiceStatus | None]) -> ServiceStatus | None:
        """Send the request. Query the status only if the request is refused."""
        for _ in range(_MAX_REPEATS):
            try:
                self._sent = True
                return send()
            except (ServiceAlreadyRunningError, ControlRefusedError) as error:
                if error.winerror not in _STATE_ERRORS:
                    raise
                self._sent = False
                status = self._service.status()
                if status.state is self._pending and not self._has_arguments:
                    return status  # the same request was sent by another client
                if status.state in PENDING_STATES and status.state is not self._pending:
                    others = frozenset(State) - {status.state}
                    self._wait(others, None, requested=False)
                elif not self._has_changed(error.winerror, status.state):
                    raise
        self._sent = True
        return send()

    def _has_changed(self, winerror: int, state: State) -> bool:
        """Return whether the state has changed since the refusal, so that a repeat can succeed."""
        if winerror == ErrorCode.SERVICE_ALREADY_RUNNING:
            return state is State.STOPPED
        settled = state not in PENDING_STATES
        return winerror == ErrorCode.SERVICE_CANNOT_ACCEPT_CTRL and settled

    def _wait(
        self, states: frozenset[State], reported: ServiceStatus | None, *, requested: bool
    ) -> ServiceStatus:
        wait = StateWait(
            self._service,
            states,
            deadline=self._deadline,
            progress=self._options.progress,
            stable_for=self._options.stable_for if requested else 0.0,
            requested=requested,
            reported=reported,
            began=self._began,
        )
        return _run(self._service, wait, self._options)


# The codes of a request that is refused because of the state: the state may be pending.
_STATE_ERRORS: Final = frozenset(
    {
        ErrorCode.SERVICE_ALREADY_RUNNING,
        ErrorCode.SERVICE_CANNOT_ACCEPT_CTRL,
        ErrorCode.INVALID_SERVICE_CONTROL,
    }
)


def _deadline(service: OpenService, options: WaitOptions) -> float | None:
    return None if options.timeout is None else service.backend.monotonic() + options.timeout


def _run(service: OpenService, wait: StateWait, options: WaitOptions) -> ServiceStatus:
    try:
        run_waits([wait], options.cancel)
    except (ServiceStartError, ServiceStoppedError):
        service.requested_state = None  # the outcome of a request is reported once
        raise
    service.requested_state = None
    assert wait.result is not None
    return wait.result


def _check_can_wait(service: OpenService) -> None:
    """Check the right to wait before anything is sent."""
    try:
        service.require(ServiceAccess.QUERY_STATUS)
    except AccessDeniedError as error:
        error.hint = f"{error.hint or ''} A request with wait=False does not need it.".lstrip()
        raise


def check_own_process(service: OpenService) -> None:
    """Check that the service is not one of this process: it would wait for itself."""
    own = service.connection.capabilities.own_pid
    if own is not None and service.status().pid == own:
        raise ValidationError(
            "wait",
            f"service {service.name!r} runs in this process, which would wait for itself; "
            "send requests with wait=False",
        )
