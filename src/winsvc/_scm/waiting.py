"""Wait for states by notification, or by polling where the system does not notify."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final, TypeVar

from winsvc._public import publish
from winsvc._scm.call_log import logged
from winsvc._scm.handle_pool import HandlePool
from winsvc._util.handles import Handle
from winsvc._values.rows import NotificationRow
from winsvc._values.status import ServiceStatus, collect_states
from winsvc.backend import NotificationBackend
from winsvc.enums import PENDING_STATES, ErrorCode, Notify, ServiceAccess, State
from winsvc.errors import (
    HandleClosedError,
    MarkedForDeleteError,
    ServiceRestartedError,
    ServiceStartError,
    ServiceStoppedError,
    ValidationError,
    WaitCancelledError,
    WaitError,
    WaitTimeoutError,
    Win32Error,
)

__all__ = ["EVERY_STATE", "CancelToken", "StateWait", "Waiter", "run_waits", "states_of"]

EVERY_STATE: Final = Notify(0x7F)

# How long until the next poll, in seconds. Without notifications the interval starts at the first
# value and doubles up to a tenth of the wait hint (the advice of Windows' documentation), within
# two limits.
_FIRST_POLL: Final = 0.01
_MIN_POLL: Final = 0.25
_MAX_POLL: Final = 10.0
# Also with notifications, because some systems do not notify of check points.
_CHECK_POINT_POLL: Final = 1.0

# Without a timeout, a pending service hangs if its check point does not grow for its wait hint and
# this many seconds more; a requested change hangs if the old state lasts for this many seconds.
_PATIENCE: Final = 60.0
_MAX_WAIT_HINT: Final = 3600.0


class CancelToken:
    """Ends waits from another thread, or from a signal handler.

    Example::

        token = CancelToken()
        threading.Timer(5, token.cancel).start()
        service.wait(State.RUNNING, cancel=token)  # raises WaitCancelledError

    One token may go to any number of waits; those that begin later end at once.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()  # re-entrant: a signal handler may cancel
        self._cancelled = False
        self._wakers: list[Callable[[], None]] = []

    @property
    def cancelled(self) -> bool:
        """Return whether :meth:`cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """End the waits that have this token."""
        with self._lock:
            self._cancelled = True
            wakers = list(self._wakers)
        for wake in wakers:
            wake()

    @contextmanager
    def waking(self, wake: Callable[[], None]) -> Iterator[None]:
        """Call *wake* when the token is cancelled within the ``with`` block."""
        with self._lock:
            self._wakers.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


class Waiter(Handle):
    """A set of notification registrations; :meth:`wake` ends a wait from any thread."""

    __slots__ = ("_backend",)

    def __init__(self, backend: NotificationBackend) -> None:
        super().__init__(backend.open_waiter(), backend.close_waiter, "notifications")
        self._backend = backend

    def bind(self, handle: Handle) -> Handle:
        """Bind a dedicated handle to this waiter; closing the handle cancels its registration."""

        def disarm(value: int) -> None:
            try:
                with self as waiter:
                    logged(handle.what, self._backend.disarm, waiter, value)
            except HandleClosedError:
                if not self.closed:  # a closed waiter has closed the handle as well
                    raise

        return handle.closed_by(disarm)

    def arm(self, handle: Handle, mask: Notify) -> None:
        """Request one notification, of the next event in the mask, for a bound handle."""
        with self as waiter, handle as value:
            logged(handle.what, self._backend.arm, waiter, value, int(mask))

    def subscribe(self, handle: Handle) -> None:
        """Request notifications of configuration changes for a bound handle."""
        with self as waiter, handle as value:
            logged(handle.what, self._backend.subscribe, waiter, value)

    def wait(self, seconds: float | None) -> list[tuple[int, NotificationRow]]:
        """Return the notifications; an empty list after a timeout or a wake-up."""
        with self as waiter:
            return self._backend.wait_notified(waiter, seconds)

    def wake(self) -> None:
        """End the current wait, or else the next one."""
        try:
            with self as waiter:
                self._backend.wake(waiter)
        except HandleClosedError:
            pass  # no thread waits any more


class StateWait:
    """One wait for a state of one service: judges each status; :func:`run_waits` runs it.

    Attributes:
        service: the service.
        result: the status that ended the wait; None until then.
    """

    def __init__(
        self,
        service: HandlePool[ServiceAccess],
        target: frozenset[State],
        *,
        deadline: float | None = None,
        progress: Callable[[ServiceStatus], object] | None = None,
        stable_for: float = 0.0,
        requested: bool = False,
        reported: ServiceStatus | None = None,
        began: float | None = None,
    ) -> None:
        """Start the time of the wait.

        Args:
            service: the service.
            target: the awaited states.
            deadline: when the wait ends, in the backend's time; None applies the hang rule.
            progress: called with each changed status.
            stable_for: how many seconds the target state must last, in the same process.
            requested: whether a request that leads to the target was sent. A service that is
                stopped then has failed, and a service that is marked for deletion still stops.
            reported: the status that the control returned.
            began: when the request was sent, in the backend's time; None for now.
        """
        self.service = service
        self.result: ServiceStatus | None = None
        self._backend = service.backend
        self._target, self._deadline, self._progress = target, deadline, progress
        self._stable_for, self._requested = stable_for, requested
        self._progressed_at = self._backend.monotonic()
        self._began = self._progressed_at if began is None else began
        self._last: ServiceStatus | None = None
        # The last status that was not STOPPED.
        self._last_active = reported if reported and reported.state is not State.STOPPED else None
        self._pending: State | None = None  # the last pending state
        self._fetched: ServiceStatus | None = None  # queried, but not judged yet
        self._known: ServiceStatus | None = None  # when it was armed: notifications are later
        self._was_active = False  # by then
        self._was_starting = reported is not None and reported.state is State.START_PENDING
        self._pid = None if reported is None else reported.pid
        self._stable: ServiceStatus | None = None  # the status that must last
        self._stable_since = 0.0
        self._marked = False  # for deletion
        self._polls = not self._backend.capabilities(service.machine).notifies
        self._handle: Handle | None = None  # the registration
        self._poll = _FIRST_POLL

    # ------------------------------------------------------------------- notifications

    def register(self, waiter: Waiter) -> int | None:
        """Request a notification of the next change; return the registration's handle value.

        None if the system does not notify: the service is polled.
        """
        self._known, self._was_active = self._last, self._last_active is not None
        lags = 0
        while not self._polls:
            try:
                mask = EVERY_STATE | Notify.DELETE_PENDING
                if self._handle is None:
                    handle = self.service.open_handle(ServiceAccess.QUERY_STATUS)
                    self._handle = waiter.bind(handle)
                    if self._known is not None and self._known.state not in PENDING_STATES:
                        # Otherwise the current state is notified at once.
                        mask &= ~Notify(1 << (self._known.state - 1))
                waiter.arm(self._handle, mask)
                with self._handle as number:
                    return number
            except Win32Error as error:
                self.close()
                self._marked |= isinstance(error, MarkedForDeleteError)
                lags += 1
                again = error.winerror == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING and lags < 3
                self._polls = not again
        return None

    def close(self) -> None:
        """Cancel the registration."""
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except Win32Error:
                pass  # the handle is closed in any case, and the outcome of the wait is reported

    def notify(self, row: NotificationRow) -> None:
        """Judge the status of a notification. It may be older than the last one queried."""
        if self.result is not None:
            return
        if row.notification_status != 0:
            self.close()
            self._marked |= row.notification_status == ErrorCode.SERVICE_MARKED_FOR_DELETE
            # After a lag the service notifies through a new handle.
            self._polls = row.notification_status != ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
            return
        status, last = ServiceStatus.from_row(row.status), self._last
        # The first notification is of the current state, which was queried since.
        outdated = last is not None and (
            last.state is status.state and last.check_point > status.check_point
        )
        if status != self._known and not outdated:
            self._judge(status, notified=True)

    # ------------------------------------------------------------------- queries

    def fetch(self) -> None:
        """Query the status, without judging it."""
        method = self._backend.query_service_status_ex
        row = self.service.call(ServiceAccess.QUERY_STATUS, method)
        self._fetched = ServiceStatus.from_row(row)

    def judge(self) -> None:
        """Judge the status that was fetched last."""
        assert self._fetched is not None
        self._judge(self._fetched)
        if self.result is None:
            self._check_time()

    def seconds_until_poll(self) -> float | None:
        """Return when to query the status again; None if the next change is notified."""
        status, now = self._last, self._backend.monotonic()
        assert status is not None
        usual = min(max(status.wait_hint.total_seconds() / 10, _MIN_POLL), _MAX_POLL)
        # A deadline is for reaching the target, not for the time that it must last.
        ends = [self._deadline if self._stable is None else None, self._hang_time(status)]
        if self._handle is None:
            ends.append(now + min(self._poll, usual))
            self._poll = 2 * min(self._poll, usual)
        elif status.state in PENDING_STATES:
            ends.append(now + max(usual, _CHECK_POINT_POLL))
        elif self._deadline is not None and self._stable is None:
            ends.append(now + _MAX_POLL)  # finds a lost connection, which is not notified
        if self._stable is not None:
            ends.append(self._stable_since + self._stable_for)
        known = [end for end in ends if end is not None]
        return max(min(known) - now, 0.0) if known else None

    # ------------------------------------------------------------------- outcome

    def _judge(self, status: ServiceStatus, *, notified: bool = False) -> None:
        """Set the result if the target is reached; raise an error if it cannot be reached."""
        last, self._last = self._last, status
        if last is None or status.state is not last.state or status.check_point > last.check_point:
            self._progressed_at, self._poll = self._backend.monotonic(), _FIRST_POLL
        if status.state in PENDING_STATES:
            self._pending = status.state
        if self._progress is not None and (last is None or _changed(last, status)):
            self._progress(status)
        if self._stable is not None:
            self._judge_stability(status, notified=notified)
        elif status.state in self._target:
            if self._stable_for:
                self._stable, self._stable_since = status, self._backend.monotonic()
            else:
                self.result = status
        else:
            self._check_state(status, notified=notified)
        if status.state is not State.STOPPED:
            self._last_active = status

    def _judge_stability(self, status: ServiceStatus, *, notified: bool) -> None:
        assert self._stable is not None
        first, ends = self._stable.pid, self._stable_since + self._stable_for
        if status.state is State.STOPPED:
            raise self._stopped_error(status)
        if status.pid is not None and first is not None and status.pid != first:
            raise self._restarted_error(status)
        if not notified and self._backend.monotonic() + 1e-6 >= ends:
            if status.state not in self._target:
                raise self._error(WaitError, ErrorCode.INVALID_STATE, status, "it did not last")
            self.result = status

    def _check_state(self, status: ServiceStatus, *, notified: bool) -> None:
        was_active = self._was_active if notified else self._last_active is not None
        if status.state is State.STOPPED and (self._requested or was_active):
            raise self._stopped_error(status)
        if not notified:  # a notified status may be older than the last one queried
            self._check_restart(status)
            aim = None if self._pending is None else _REQUESTED[self._pending]
            if status.state not in PENDING_STATES and aim in self._target:
                why = "the service has returned to its previous state"
                raise self._error(WaitError, ErrorCode.INVALID_STATE, status, why)
        stops = status.state is State.STOP_PENDING or self._requested
        if self._marked and not (State.STOPPED in self._target and stops):
            raise self._error(MarkedForDeleteError, ErrorCode.SERVICE_MARKED_FOR_DELETE, status)

    def _check_restart(self, status: ServiceStatus) -> None:
        """Raise an error if a stop was requested, and the service runs in another process."""
        if not self._requested or self._target != {State.STOPPED}:
            return
        started = status.state is State.START_PENDING and not self._was_starting
        if started or (self._pid and status.pid and status.pid != self._pid):
            raise self._restarted_error(status)
        self._was_starting = status.state is State.START_PENDING
        self._pid = status.pid or self._pid

    def _hang_time(self, status: ServiceStatus) -> float | None:
        """Return when the service hangs if its status does not change; None for never."""
        if self._deadline is not None or self._stable is not None:
            return None
        if status.state in PENDING_STATES:
            hint = min(status.wait_hint.total_seconds(), _MAX_WAIT_HINT)
            return self._progressed_at + hint + _PATIENCE
        return self._progressed_at + _PATIENCE if self._requested else None

    def _check_time(self) -> None:
        status, now = self._last, self._backend.monotonic() + 1e-6  # a wait may end slightly early
        assert status is not None
        hang_time = self._hang_time(status)
        if hang_time is not None and now >= hang_time:
            silent = now - self._progressed_at
            why = f"it has reported no progress for {silent:.3g} s"
            error = self._error(WaitTimeoutError, ErrorCode.TIMEOUT, status, why)
            error.hint = "The service does not respond; a timeout= allows it more time."
            raise error
        if self._deadline is not None and now >= self._deadline and self._stable is None:
            error = self._error(WaitTimeoutError, ErrorCode.TIMEOUT, status)
            if status.state in PENDING_STATES and status.check_point > 1:
                error.hint = "The service is making progress; increase the timeout."
            raise error

    def cancelled_error(self) -> Win32Error:
        """Return the error of a wait that was ended by its token."""
        assert self._last is not None
        why = "the wait was cancelled"
        return self._error(WaitCancelledError, ErrorCode.CANCELLED, self._last, why)

    def _restarted_error(self, status: ServiceStatus) -> Win32Error:
        why = "the service has stopped and was restarted, for example by its failure actions"
        before = self._pid if self._stable is None else self._stable.pid
        if before and status.pid and before != status.pid:
            why += f" (process {status.pid} instead of {before})"
        return self._error(ServiceRestartedError, ErrorCode.SERVICE_ALREADY_RUNNING, status, why)

    def _stopped_error(self, status: ServiceStatus) -> Win32Error:
        before = self._last_active or self._stable
        codes = f"it stopped with exit code {status.exit_code}"
        if status.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            codes += f", its own code {status.service_exit_code}"
        if before is not None:
            codes += f", and was {_format_status(before)} before"
        error: Win32Error
        starting = before is None or before.state is State.START_PENDING or self._stable is not None
        if starting:
            code = status.exit_code or ErrorCode.SERVICE_NOT_ACTIVE
            if self._handle is None and self._stable is None and State.RUNNING in self._target:
                codes += "; the status was polled, so RUNNING may have been missed"
            error = self._error(ServiceStartError, code, status, codes)
        else:
            error = self._error(ServiceStoppedError, ErrorCode.SERVICE_NOT_ACTIVE, status, codes)
        if status.exit_code not in _CODES_WITHOUT_TEXT:
            error.hint = self._backend.format_message(status.exit_code)
        return error

    def _error(
        self, kind: type[WaitErrorT], code: int, status: ServiceStatus, why: str = ""
    ) -> WaitErrorT:
        target = " or ".join(sorted(state.name for state in self._target))
        name, machine = self.service.object_name, self.service.machine
        place = f" on {machine}" if machine is not None else ""
        waited = self._backend.monotonic() - self._began
        state = _format_status(status)
        if status.state not in self._target:
            # Most states are awaited: the wait is for the end of this state.
            state += f", not {target}," if len(self._target) <= 2 else ", which has not ended,"
        text = f"service {name!r}{place} is {state} after {waited:.3g} s"
        message = f"{text}: {why}" if why else text
        error = kind(code, "", message, object_name=name, machine=machine)
        if isinstance(error, WaitError):
            error.status, error.last_progress = status, self._last_active or self._stable
            error.waited = timedelta(seconds=waited)
        return error


WaitErrorT = TypeVar("WaitErrorT", bound="Win32Error")

# The state that each pending state leads to.
_REQUESTED: Final = {
    State.START_PENDING: State.RUNNING,
    State.STOP_PENDING: State.STOPPED,
    State.PAUSE_PENDING: State.PAUSED,
    State.CONTINUE_PENDING: State.RUNNING,
}

# Exit codes whose text adds nothing to the code.
_CODES_WITHOUT_TEXT: Final = frozenset(
    {0, ErrorCode.SERVICE_SPECIFIC_ERROR, ErrorCode.SERVICE_NEVER_STARTED}
)


def run_waits(waits: Sequence[StateWait], cancel: CancelToken | None = None) -> None:
    """Run waits of services on one machine at the same time, until all have their result.

    The first error ends all of them.
    """
    for wait in waits:
        wait.fetch()
        wait.judge()
    pending = [wait for wait in waits if wait.result is None]
    if not pending:
        return
    with ExitStack() as closing:
        waiter = Waiter(pending[0].service.backend)
        closing.callback(waiter.close)
        for wait in pending:
            closing.callback(wait.close)
        if cancel is not None:
            closing.enter_context(cancel.waking(waiter.wake))
        by_number: dict[int, StateWait] = {}
        due = pending
        while True:
            for wait in due:
                number = wait.register(waiter)
                if number is not None:
                    by_number[number] = wait
            for wait in pending:
                wait.fetch()  # after the registration, so that no earlier change is missed
            # A notified state comes before the state that was queried since, which may be STOPPED.
            notifications = waiter.wait(0)
            if not notifications:
                for wait in pending:
                    wait.judge()
                pending = [wait for wait in pending if wait.result is None]
                if not pending:
                    return
                if cancel is not None and cancel.cancelled:
                    raise pending[0].cancelled_error()
                times = [wait.seconds_until_poll() for wait in pending]
                notifications = waiter.wait(min((t for t in times if t is not None), default=None))
            for number, row in notifications:
                # The state may have passed, such as STOPPED of a service that has restarted.
                by_number[number].notify(row)
            due = [by_number[number] for number, _ in notifications]
            pending = [wait for wait in pending if wait.result is None]
            if not pending:
                return


def states_of(state: State | Collection[State]) -> frozenset[State]:
    """Check the states to wait for."""
    states = collect_states(state)
    if not states:
        raise ValidationError("state", "no state to wait for")
    return states


def _changed(last: ServiceStatus, status: ServiceStatus) -> bool:
    return (last.state, last.check_point, last.wait_hint) != (
        status.state,
        status.check_point,
        status.wait_hint,
    )


def _format_status(status: ServiceStatus) -> str:
    if status.state not in PENDING_STATES:
        return status.state.name
    hint = f"{status.wait_hint.total_seconds():g} s"
    return f"{status.state.name} (check point {status.check_point}, wait hint {hint})"


publish(__name__)
