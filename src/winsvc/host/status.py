"""Reports of a service's state to the system."""

from __future__ import annotations

import threading
from typing import Final

from winsvc._util.durations import Duration, milliseconds
from winsvc._values.rows import StatusRow
from winsvc.backend import HostBackend
from winsvc.enums import PENDING_STATES, AcceptedControls, ErrorCode, ServiceType, State

__all__ = ["StatusReporter"]

_NOTHING: Final = AcceptedControls(0)
_SETTLED_ONLY: Final = AcceptedControls.PAUSE_CONTINUE  # while it runs, or is paused


class StatusReporter:
    """The one place that calls ``SetServiceStatus`` for a service.

    There is none without a status handle, and so none before the control handler is registered.
    Reports that come too late are ignored: a service that was requested to stop never runs again,
    and a stopped service reports nothing. Threads may report at the same time.
    """

    def __init__(
        self,
        backend: HostBackend,
        handle: int,
        service_type: ServiceType,
        accepts: AcceptedControls,
    ) -> None:
        """For a service that takes the controls ``accepts`` once it runs."""
        self.handle = handle
        """The status handle."""
        self.state = State.STOPPED
        """The state that was reported last."""
        self.hint = 0
        """The hint that was reported last, in milliseconds."""
        self._backend = backend
        self._type = service_type
        self._accepts = accepts
        self._lock = threading.Lock()
        self._check_point = 0
        self._over = False

    def accept(self, accepts: AcceptedControls) -> None:
        """Take these controls from the next report on."""
        with self._lock:
            self._accepts = accepts

    def pending(self, state: State, hint: Duration, *, only_from: State | None = None) -> bool:
        """Report that the service is on its way; whether that was reported.

        Args:
            state: one of ``PENDING_STATES``.
            hint: how long the system may expect to wait for the next report.
            only_from: do so only if the service is in this state.
        """
        with self._lock:
            if not self._may_enter(state, only_from):
                return False
            self._check_point = 1
            self._report(state, milliseconds(hint, "hint"))
            return True

    def step(self, hint: Duration | None = None) -> bool:
        """Report a step of a pending state; return whether the state is pending.

        Args:
            hint: how long the next may take; None for the time that was reported last.
        """
        with self._lock:
            if self._over or self.state not in PENDING_STATES:
                return False
            self._check_point += 1
            self._report(self.state, self.hint if hint is None else milliseconds(hint, "hint"))
            return True

    def settle(self, state: State, *, only_from: State | None = None) -> bool:
        """Report ``RUNNING`` or ``PAUSED``; whether that was reported, and not too late."""
        with self._lock:
            if not self._may_enter(state, only_from):
                return False
            self._check_point = 0
            self._report(state, 0)
            return True

    def stopped(self, exit_code: int, service_exit_code: int) -> None:
        """Report the end; with a code of the service's own, ``exit_code`` is 1066."""
        with self._lock:
            if self._over:
                return
            self._over = True
            self._check_point = 0
            self._report(State.STOPPED, 0, exit_code, service_exit_code)

    def _may_enter(self, state: State, only_from: State | None) -> bool:
        stopping = self.state is State.STOP_PENDING and state is not State.STOP_PENDING
        return not (self._over or stopping) and only_from in (None, self.state)

    def _report(
        self, state: State, hint: int, exit_code: int = 0, service_exit_code: int = 0
    ) -> None:
        accepts = self._accepts
        if state in (State.STOP_PENDING, State.STOPPED):
            accepts = _NOTHING
        elif state in PENDING_STATES:
            accepts &= ~_SETTLED_ONLY
        row = StatusRow(
            int(self._type),
            int(state),
            int(accepts),
            int(ErrorCode.SERVICE_SPECIFIC_ERROR) if service_exit_code else exit_code,
            service_exit_code,
            self._check_point,
            hint,
            0,
            0,
        )
        self._backend.set_service_status(self.handle, row)
        self.state, self.hint = state, hint
