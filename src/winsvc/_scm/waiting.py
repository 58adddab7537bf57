"""Wait for a state by notification, or by polling where the system does not notify."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final

from winsvc._scm.handle_pool import HandlePool
from winsvc._util.checks import check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.handles import Handle
from winsvc._values.rows import NotificationRow
from winsvc._values.status import ServiceStatus
from winsvc.backend import NotificationBackend
from winsvc.enums import PENDING_STATES, ErrorCode, Notify, ServiceAccess, State
from winsvc.errors import (
    ArgumentError,
    HandleClosedError,
    MarkedForDeleteError,
    ServiceError,
    ServiceNotActiveError,
    ServiceStartError,
    WaitCancelledError,
    WaitTimeoutError,
)

__all__ = ["EVERY_STATE", "CancelToken", "StateWait", "Waiter", "wait_until_removed"]

EVERY_STATE: Final = Notify(0x7F)

# How long until the next poll, in seconds. Without notifications the interval starts at the first
# value and doubles up to a tenth of the wait hint (the advice of Windows' documentation), within
# two limits.
_FIRST_POLL: Final = 0.01
_MIN_POLL: Final = 0.25
_MAX_POLL: Final = 10.0
# Also with notifications, because some systems do not notify of check points.
_CHECK_POINT_POLL: Final = 1.0

# A pending service hangs if it reports nothing for its wait hint and this many seconds more.
_PATIENCE: Final = 60.0


class CancelToken:
    """Ends waits from another thread, or from a signal handler::

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
        """Whether :meth:`cancel` was called."""
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
                    self._backend.disarm(waiter, value)
            except HandleClosedError:
                if not self.closed:  # a closed waiter has closed the handle as well
                    raise

        return handle.closed_by(disarm)

    def arm(self, handle: Handle, mask: Notify) -> None:
        """Request one notification, of the next event in the mask, for a bound handle."""
        with self as waiter, handle as value:
            self._backend.arm(waiter, value, int(mask))

    def subscribe(self, handle: Handle) -> None:
        """Request notifications of configuration changes for a bound handle."""
        with self as waiter, handle as value:
            self._backend.subscribe(waiter, value)

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
    """One wait for a state of one service."""

    def __init__(
        self,
        service: HandlePool[ServiceAccess],
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """Start the time of the wait; see :meth:`winsvc.Service.wait` for the arguments."""
        self._service, self._backend = service, service.backend
        self._target = _states(state)
        limit = None if timeout is None else to_timedelta(timeout, "timeout").total_seconds()
        if cancel is not None:
            check_type(cancel, CancelToken, "cancel")
        self._progress, self._cancel = progress, cancel
        self._began = self._changed_at = self._backend.monotonic()
        self._deadline = None if limit is None else self._began + limit
        self._last: ServiceStatus | None = None
        self._last_active: ServiceStatus | None = None  # the last status that was not STOPPED
        self._known: ServiceStatus | None = None  # when it was armed: notifications are later
        self._was_active = False  # by then
        self._requested = False
        self._marked = False  # for deletion
        # To other machines nothing is registered: one call that hangs would block all waits.
        self._notifies = self._backend.capabilities(service.machine).notifies
        self._handle: Handle | None = None  # the registration
        self._poll = _FIRST_POLL

    def run(self, *, requested: State | None = None) -> ServiceStatus:
        """Wait.

        Args:
            requested: the state that the last request leads to. If it is awaited, a service that
                is stopped has failed, and a service that is marked for deletion still stops.
        """
        self._requested = requested in self._target
        try:
            status = self._query()
            if self._has_arrived(status):
                return status
            self._check_time(status)
            with ExitStack() as closing:
                waiter = Waiter(self._backend)
                closing.callback(waiter.close)
                closing.callback(self._close_registration)
                if self._cancel is not None:
                    closing.enter_context(self._cancel.waking(waiter.wake))
                return self._wait(waiter)
        except ServiceError as error:
            error.waited = self._waited()
            raise

    def _wait(self, waiter: Waiter) -> ServiceStatus:
        self._register(waiter)
        # Queried after the registration, so that no earlier change is missed.
        while not self._has_arrived(status := self._query()):
            self._check_time(status)
            notifications = waiter.wait(self._until_next_poll(status))
            for _, row in notifications:
                # The state may have passed, such as STOPPED of a service that has restarted.
                status = ServiceStatus.from_row(row.status)
                if self._is_new_status(row, status) and self._has_arrived(status, notified=True):
                    return status
            if notifications:
                self._register(waiter)
        return status

    # ------------------------------------------------------------------- notifications

    def _register(self, waiter: Waiter) -> None:
        """Request a notification of the next change, if the system notifies."""
        self._known, self._was_active = self._last, self._last_active is not None
        lags = 0
        while self._notifies:
            try:
                mask = EVERY_STATE | Notify.DELETE_PENDING
                if self._handle is None:
                    handle = self._service.open_handle(ServiceAccess.QUERY_STATUS)
                    self._handle = waiter.bind(handle)
                    if self._known is not None and self._known.state not in PENDING_STATES:
                        # Otherwise the current state is notified at once.
                        mask &= ~Notify(1 << (self._known.state - 1))
                waiter.arm(self._handle, mask)
                return
            except ServiceError as error:
                self._close_registration()
                self._marked |= isinstance(error, MarkedForDeleteError)
                lags += 1
                again = error.winerror == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING and lags < 3
                self._notifies = again  # otherwise the wait polls

    def _close_registration(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except ServiceError:
                pass  # the handle is closed in any case, and the outcome of the wait is reported

    def _is_new_status(self, row: NotificationRow, status: ServiceStatus) -> bool:
        """Return whether a notification has a new status, and does not end the registration."""
        if row.notification_status == 0:
            # The first notification is of the current state, which was queried since.
            last = self._last
            outdated = last is not None and (
                last.state is status.state and last.check_point > status.check_point
            )
            return status != self._known and not outdated
        self._close_registration()
        self._marked |= row.notification_status == ErrorCode.SERVICE_MARKED_FOR_DELETE
        # After a lag the service notifies through a new handle.
        self._notifies = row.notification_status == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
        return False

    # ------------------------------------------------------------------- queries

    def _query(self) -> ServiceStatus:
        method = self._backend.query_service_status_ex
        return ServiceStatus.from_row(self._service.call(ServiceAccess.QUERY_STATUS, method))

    def _until_next_poll(self, status: ServiceStatus) -> float | None:
        now = self._backend.monotonic()
        usual = min(max(status.wait_hint.total_seconds() / 10, _MIN_POLL), _MAX_POLL)
        if self._handle is None:
            seconds = min(self._poll, usual)
            self._poll = 2 * seconds
        elif status.state in PENDING_STATES:
            seconds = max(usual, _CHECK_POINT_POLL)
        elif self._deadline is None:
            return None  # the next change is notified
        else:
            seconds = _MAX_POLL
        if self._deadline is not None:
            seconds = min(seconds, self._deadline - now)
        return max(min(seconds, self._changed_at + _patience(status) - now), 0.0)

    # ------------------------------------------------------------------- outcome

    def _has_arrived(self, status: ServiceStatus, *, notified: bool = False) -> bool:
        """Return whether the target state is reached; raise an error if it cannot be reached.

        A status that was ``notified`` may be older than the one queried after the registration.
        """
        last, self._last = self._last, status
        if last is None or _progress_of(last) != _progress_of(status):
            self._changed_at, self._poll = self._backend.monotonic(), _FIRST_POLL
            if self._progress is not None:
                self._progress(status)
        if status.state in self._target:
            return True
        if status.state is not State.STOPPED:
            self._last_active = status
        elif self._requested or (self._was_active if notified else self._last_active is not None):
            raise self._stopped_error(status)
        stops = status.state is State.STOP_PENDING or self._requested
        if self._marked and not (State.STOPPED in self._target and stops):
            raise self._error(MarkedForDeleteError, ErrorCode.SERVICE_MARKED_FOR_DELETE, status)
        return False

    def _check_time(self, status: ServiceStatus) -> None:
        if self._cancel is not None and self._cancel.cancelled:
            why = "the wait was cancelled"
            raise self._error(WaitCancelledError, ErrorCode.CANCELLED, status, why)
        now = self._backend.monotonic() + 1e-6  # a wait may end a trifle early
        silent = now - self._changed_at
        if silent >= _patience(status):
            hangs = f"nothing was reported for {silent:.3g} s: it hangs"
            raise self._error(WaitTimeoutError, ErrorCode.TIMEOUT, status, hangs)
        if self._deadline is not None and now >= self._deadline:
            error = self._error(WaitTimeoutError, ErrorCode.TIMEOUT, status)
            if status.state in PENDING_STATES and status.check_point > 1:
                error.hint = "It gets on: give it more time."
            raise error

    def _stopped_error(self, status: ServiceStatus) -> ServiceError:
        before = self._last_active
        codes = f"it stopped with exit code {status.exit_code}"
        if status.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            codes += f", its own code {status.service_exit_code}"
        if before is not None:
            codes += f", and was {_format_status(before)} before"
        error: ServiceError
        if before is None or before.state is State.START_PENDING:
            code = status.exit_code or ErrorCode.SERVICE_NOT_ACTIVE
            error = self._error(ServiceStartError, code, status, codes)
        else:
            error = self._error(ServiceNotActiveError, ErrorCode.SERVICE_NOT_ACTIVE, status, codes)
        error.last_progress = before
        if status.exit_code not in _CODES_WITHOUT_TEXT:
            error.hint = self._backend.format_message(status.exit_code)
        return error

    def _error(
        self, kind: type[ServiceError], code: int, status: ServiceStatus, why: str = ""
    ) -> ServiceError:
        target = " or ".join(sorted(state.name for state in self._target))
        name, machine = self._service.object_name, self._service.machine
        place = f" on {machine}" if machine is not None else ""
        text = (
            f"service {name!r}{place} is {_format_status(status)}, not {target}, "
            f"after {self._waited().total_seconds():.3g} s"
        )
        message = f"{text}: {why}" if why else text
        error = kind(code, "", message, service=name, machine=machine)
        error.status, error.last_progress = status, self._last_active
        return error

    def _waited(self) -> timedelta:
        return timedelta(seconds=self._backend.monotonic() - self._began)


# Exit codes whose text adds nothing to the code.
_CODES_WITHOUT_TEXT: Final = frozenset(
    {0, ErrorCode.SERVICE_SPECIFIC_ERROR, ErrorCode.SERVICE_NEVER_STARTED}
)


def _states(state: State | Collection[State]) -> frozenset[State]:
    states = frozenset((state,) if isinstance(state, State) else state)
    for item in states:
        check_type(item, State, "state")
    if not states:
        raise ArgumentError("state", "no state to wait for")
    return states


def _progress_of(status: ServiceStatus) -> tuple[object, ...]:
    return status.state, status.check_point, status.wait_hint


def _patience(status: ServiceStatus) -> float:
    """Return how many seconds a service may report nothing."""
    if status.state not in PENDING_STATES:
        return math.inf
    return status.wait_hint.total_seconds() + _PATIENCE


def _format_status(status: ServiceStatus) -> str:
    if status.state not in PENDING_STATES:
        return status.state.name
    hint = f"{status.wait_hint.total_seconds():g} s"
    return f"{status.state.name} (check point {status.check_point}, wait hint {hint})"


def wait_until_removed(
    service: HandlePool[ServiceAccess], timeout: Duration, cancel: CancelToken | None = None
) -> None:
    """Wait until a service that was marked for deletion no longer exists.

    Polls: a handle that receives notifications would keep the service.
    """
    limit = to_timedelta(timeout, "timeout").total_seconds()
    backend = service.backend
    began = backend.monotonic()
    pause = 0.001
    error: ServiceError
    with ExitStack() as closing:
        waiter = Waiter(backend)
        closing.callback(waiter.close)
        if cancel is not None:
            closing.enter_context(cancel.waking(waiter.wake))
        while service.exists(ServiceAccess.QUERY_STATUS):
            waited = backend.monotonic() - began
            left = limit - waited
            if cancel is not None and cancel.cancelled:
                error = WaitCancelledError(
                    ErrorCode.CANCELLED,
                    "DeleteService",
                    "the wait was cancelled: the service is marked for deletion, and still there",
                )
            elif left <= 0:
                error = WaitTimeoutError(
                    ErrorCode.TIMEOUT,
                    "DeleteService",
                    f"still there {limit:g} s after it was marked for deletion",
                    hint="It is still running, or a handle to it is open somewhere.",
                )
            else:
                waiter.wait(min(pause, left))
                pause = min(2 * pause, 0.25)
                continue
            error.locate(service=service.object_name, machine=service.machine)
            error.waited = timedelta(seconds=waited)
            raise error
