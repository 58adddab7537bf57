"""Waiting for a service: told by Windows where it tells, asked again and again elsewhere."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final

from winsvc._scm.handle_pool import Grants
from winsvc._util.checks import check_type
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.handles import Handle
from winsvc._values.rows import NotificationRow
from winsvc._values.status import ServiceStatus
from winsvc.backend import Backend
from winsvc.enums import PENDING_STATES, ErrorCode, Notify, ServiceAccess, State
from winsvc.errors import (
    ArgumentError,
    HandleClosedError,
    MarkedForDeleteError,
    ServiceError,
    ServiceNotActiveError,
    ServiceStartError,
    UnsupportedError,
    WaitCancelledError,
    WaitTimeoutError,
)

__all__ = ["EVERY_STATE", "CancelToken", "StateWait", "Waiter", "until_gone"]

EVERY_STATE: Final = Notify(0x7F)

# How long until the next look, in seconds. Where nothing is told: from the first, twice as long
# each time, up to a tenth of the wait hint (as Windows' documentation advises) within two limits.
_FIRST_LOOK: Final = 0.01
_USUAL_LOOK: Final = 0.25
_LAST_LOOK: Final = 10.0
# Where it is told, too: not every system tells of check points.
_CHECK_POINT_LOOK: Final = 1.0

# A service that is under way, and reports nothing for so much longer than its wait hint, hangs.
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
        """Have something called when it is cancelled, in the ``with`` block."""
        with self._lock:
            self._wakers.append(wake)
        try:
            yield
        finally:
            with self._lock:
                self._wakers.remove(wake)


class Waiter(Handle):
    """What services' own handles tell; :meth:`wake` ends a wait from any thread."""

    __slots__ = ("_backend",)

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend.open_waiter(), backend.close_waiter, "notifications")
        self._backend = backend

    def bind(self, handle: Handle) -> Handle:
        """Have a handle that serves nothing else closed as one that tells."""

        def disarm(value: int) -> None:
            try:
                with self as waiter:
                    self._backend.disarm(waiter, value)
            except HandleClosedError:
                if not self.closed:  # which has closed it, too
                    raise

        return handle.closed_by(disarm)

    def arm(self, handle: Handle, mask: Notify) -> None:
        """Have the next event of the mask told, once; the handle is a bound one."""
        with self as waiter, handle as value:
            self._backend.arm(waiter, value, int(mask))

    def subscribe(self, handle: Handle) -> None:
        """Have changes of the configuration told; the handle is a bound one."""
        with self as waiter, handle as value:
            self._backend.subscribe(waiter, value)

    def wait(self, seconds: float | None) -> list[tuple[int, NotificationRow]]:
        """What was told; nothing after so many seconds, or when it was woken."""
        with self as waiter:
            return self._backend.wait_notified(waiter, seconds)

    def wake(self) -> None:
        """Have the wait that is on, or else the next one, return."""
        try:
            with self as waiter:
                self._backend.wake(waiter)
        except HandleClosedError:
            pass  # nobody waits any more


class StateWait:
    """One wait for a state of one service."""

    def __init__(
        self,
        name: str,
        grants: Grants[ServiceAccess],
        backend: Backend,
        state: State | Collection[State],
        timeout: Duration | None = None,
        *,
        progress: Callable[[ServiceStatus], object] | None = None,
        cancel: CancelToken | None = None,
    ) -> None:
        """The time begins to count; see :meth:`winsvc.Service.wait` for the arguments."""
        self._name, self._grants, self._backend = name, grants, backend
        self._wanted = _states(state)
        limit = None if timeout is None else to_timedelta(timeout, "timeout").total_seconds()
        if cancel is not None:
            check_type(cancel, CancelToken, "cancel")
        self._progress, self._cancel = progress, cancel
        self._began = self._changed_at = backend.monotonic()
        self._deadline = None if limit is None else self._began + limit
        self._last: ServiceStatus | None = None
        self._last_up: ServiceStatus | None = None  # that was not stopped
        self._known: ServiceStatus | None = None  # when it was armed: what is told is later
        self._was_up = False  # by then
        self._asked = False
        self._marked = False  # for deletion
        self._can_be_told = True
        self._handle: Handle | None = None  # through which it is told
        self._pause = _FIRST_LOOK

    def run(self, *, asked: State | None = None) -> ServiceStatus:
        """Wait.

        Args:
            asked: where the service was asked to go. If it is waited for there, one that is
                stopped has failed, and one that is to be deleted still stops.
        """
        self._asked = asked in self._wanted
        try:
            status = self._look()
            if self._has_arrived(status):
                return status
            self._check_time(status)
            with ExitStack() as closing:
                waiter = Waiter(self._backend)
                closing.callback(waiter.close)
                closing.callback(self._deafen)
                if self._cancel is not None:
                    closing.enter_context(self._cancel.waking(waiter.wake))
                return self._wait(waiter)
        except ServiceError as error:
            error.waited = self._waited()
            raise

    def _wait(self, waiter: Waiter) -> ServiceStatus:
        self._listen(waiter)
        # Looked at after it was armed: nothing that comes before is lost.
        while not self._has_arrived(status := self._look()):
            self._check_time(status)
            told = waiter.wait(self._until_next_look(status))
            for _, row in told:
                # It may be over by now, such as the end of a service that has started again.
                status = ServiceStatus.from_row(row.status)
                if self._is_news(row, status) and self._has_arrived(status, told=True):
                    return status
            if told:
                self._listen(waiter)
        return status

    # ------------------------------------------------------------------- being told

    def _listen(self, waiter: Waiter) -> None:
        """Have the next change told, where that can be had."""
        self._known, self._was_up = self._last, self._last_up is not None
        lags = 0
        while self._can_be_told:
            try:
                mask = EVERY_STATE | Notify.DELETE_PENDING
                if self._handle is None:
                    self._handle = self._own_handle(waiter)
                    if self._known is not None and self._known.state not in PENDING_STATES:
                        mask &= ~Notify(1 << (self._known.state - 1))  # else it is told at once
                waiter.arm(self._handle, mask)
                return
            except ServiceError as error:
                self._deafen()
                self._marked |= isinstance(error, MarkedForDeleteError)
                lags += 1
                again = error.winerror == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING and lags < 3
                self._can_be_told = again  # if not, it is asked

    def _own_handle(self, waiter: Waiter) -> Handle:
        if self._grants.machine is not None:
            # One call that hangs would have every wait of this process hang.
            raise UnsupportedError(ErrorCode.NOT_SUPPORTED, "NotifyServiceStatusChangeW")
        return waiter.bind(self._grants.another(ServiceAccess.QUERY_STATUS))

    def _deafen(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            try:
                handle.close()
            except ServiceError:
                pass  # it is gone in any case, and the wait's own end is what counts

    def _is_news(self, row: NotificationRow, status: ServiceStatus) -> bool:
        """Whether a row tells something new, rather than that no more will be told."""
        if row.notification_status == 0:
            # At first it is told what is; and it was looked at since.
            last = self._last
            over = last is not None and (
                last.state is status.state and last.check_point > status.check_point
            )
            return status != self._known and not over
        self._deafen()
        self._marked |= row.notification_status == ErrorCode.SERVICE_MARKED_FOR_DELETE
        lags = row.notification_status == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
        self._can_be_told = lags  # then through a new handle
        return False

    # ------------------------------------------------------------------- asking

    def _look(self) -> ServiceStatus:
        row = self._grants.call(ServiceAccess.QUERY_STATUS, self._backend.query_service_status_ex)
        return ServiceStatus.from_row(row)

    def _until_next_look(self, status: ServiceStatus) -> float | None:
        now = self._backend.monotonic()
        usual = min(max(status.wait_hint.total_seconds() / 10, _USUAL_LOOK), _LAST_LOOK)
        if self._handle is None:
            seconds = min(self._pause, usual)
            self._pause = 2 * seconds
        elif status.state in PENDING_STATES:
            seconds = max(usual, _CHECK_POINT_LOOK)
        elif self._deadline is None:
            return None  # what it does next, it is told
        else:
            seconds = _LAST_LOOK
        if self._deadline is not None:
            seconds = min(seconds, self._deadline - now)
        return max(min(seconds, self._changed_at + _patience(status) - now), 0.0)

    # ------------------------------------------------------------------- judging

    def _has_arrived(self, status: ServiceStatus, *, told: bool = False) -> bool:
        """Whether it is where it is waited for; an error where it won't get there.

        What is ``told`` may be older than what was seen after it was armed.
        """
        last, self._last = self._last, status
        if last is None or _progress_of(last) != _progress_of(status):
            self._changed_at, self._pause = self._backend.monotonic(), _FIRST_LOOK
            if self._progress is not None:
                self._progress(status)
        if status.state in self._wanted:
            return True
        if status.state is not State.STOPPED:
            self._last_up = status
        elif self._asked or (self._was_up if told else self._last_up is not None):
            raise self._fallen(status)
        stops = status.state is State.STOP_PENDING or self._asked
        if self._marked and not (State.STOPPED in self._wanted and stops):
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

    def _fallen(self, status: ServiceStatus) -> ServiceError:
        before = self._last_up
        codes = f"it stopped with exit code {status.exit_code}"
        if status.exit_code == ErrorCode.SERVICE_SPECIFIC_ERROR:
            codes += f", its own code {status.service_exit_code}"
        if before is not None:
            codes += f", and was {_told(before)} before"
        error: ServiceError
        if before is None or before.state is State.START_PENDING:
            code = status.exit_code or ErrorCode.SERVICE_NOT_ACTIVE
            error = self._error(ServiceStartError, code, status, codes)
        else:
            error = self._error(ServiceNotActiveError, ErrorCode.SERVICE_NOT_ACTIVE, status, codes)
        error.last_progress = before
        if status.exit_code not in _SAY_NOTHING:
            error.hint = self._backend.format_message(status.exit_code)
        return error

    def _error(
        self, kind: type[ServiceError], code: int, status: ServiceStatus, why: str = ""
    ) -> ServiceError:
        wanted = " or ".join(sorted(state.name for state in self._wanted))
        place = f" on {self._grants.machine}" if self._grants.machine is not None else ""
        text = (
            f"service {self._name!r}{place} is {_told(status)}, not {wanted}, "
            f"after {self._waited().total_seconds():.3g} s"
        )
        error = kind(
            code,
            "",
            f"{text}: {why}" if why else text,
            service=self._name,
            machine=self._grants.machine,
        )
        error.status, error.last_progress = status, self._last_up
        return error

    def _waited(self) -> timedelta:
        return timedelta(seconds=self._backend.monotonic() - self._began)


# Exit codes whose text says no more than the code.
_SAY_NOTHING: Final = frozenset(
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
    """How long a service may report nothing."""
    if status.state not in PENDING_STATES:
        return math.inf
    return status.wait_hint.total_seconds() + _PATIENCE


def _told(status: ServiceStatus) -> str:
    if status.state not in PENDING_STATES:
        return status.state.name
    hint = f"{status.wait_hint.total_seconds():g} s"
    return f"{status.state.name} (check point {status.check_point}, wait hint {hint})"


def until_gone(
    name: str,
    grants: Grants[ServiceAccess],
    backend: Backend,
    timeout: Duration,
    cancel: CancelToken | None = None,
) -> None:
    """Wait until a service that was marked for deletion is no longer there.

    Asked again and again: a handle to it, through which it could be told, would keep it.
    """
    limit = to_timedelta(timeout, "timeout").total_seconds()
    began = backend.monotonic()
    pause = 0.001
    error: ServiceError
    with ExitStack() as closing:
        waiter = Waiter(backend)
        closing.callback(waiter.close)
        if cancel is not None:
            closing.enter_context(cancel.waking(waiter.wake))
        while grants.exists(ServiceAccess.QUERY_STATUS):
            waited = backend.monotonic() - began
            left = limit - waited
            if cancel is not None and cancel.cancelled:
                error = WaitCancelledError(
                    ErrorCode.CANCELLED,
                    "DeleteService",
                    "the wait was cancelled: the service is marked for deletion, and still there",
                    service=name,
                    machine=grants.machine,
                )
            elif left <= 0:
                error = WaitTimeoutError(
                    ErrorCode.TIMEOUT,
                    "DeleteService",
                    f"still there {limit:g} s after it was marked for deletion",
                    service=name,
                    machine=grants.machine,
                    hint="It is still running, or a handle to it is open somewhere.",
                )
            else:
                waiter.wait(min(pause, left))
                pause = min(2 * pause, 0.25)
                continue
            error.waited = timedelta(seconds=waited)
            raise error
