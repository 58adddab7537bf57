"""Deletion of a service, and waiting until it is removed."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

from winsvc._scm.call_log import log_change
from winsvc._scm.handles import ServiceHandle
from winsvc._scm.open_service import OpenService
from winsvc._scm.requests import WaitOptions
from winsvc._scm.waiting import Waiter
from winsvc.enums import ErrorCode, ServiceAccess, State
from winsvc.errors import MarkedForDeleteError, WaitCancelledError, WaitTimeoutError, Win32Error

__all__ = ["delete"]

_FIRST_POLL = 0.001  # seconds
_MAX_POLL = 0.25


def delete(service: OpenService, options: WaitOptions | None) -> None:
    """Mark a service for deletion; with options, close it and wait until it is removed."""
    try:
        service.call(ServiceAccess.DELETE, service.backend.delete_service)
    except MarkedForDeleteError:
        if options is None:
            raise
    else:
        log_change(service.name, service.machine, "it was marked for deletion")
    if options is not None:
        service.close()
        _wait_until_removed(service, options)


def _wait_until_removed(service: OpenService, options: WaitOptions) -> None:
    # Polls: a handle that receives notifications would keep the service.
    backend = service.backend
    began = backend.monotonic()
    pause = _FIRST_POLL
    with ExitStack() as closing:
        waiter = Waiter(backend)
        closing.callback(waiter.close)
        if options.cancel is not None:
            closing.enter_context(options.cancel.waking(waiter.wake))
        while service.exists(ServiceAccess.QUERY_STATUS):
            waited = backend.monotonic() - began
            left = None if options.timeout is None else options.timeout - waited
            error: WaitCancelledError | WaitTimeoutError
            if options.cancel is not None and options.cancel.cancelled:
                text = "the wait was cancelled; the service is marked for deletion"
                error = WaitCancelledError(ErrorCode.CANCELLED, "DeleteService", text)
            elif left is not None and left <= 0:
                text = f"the service still exists {waited:.3g} s after it was marked for deletion"
                error = WaitTimeoutError(ErrorCode.TIMEOUT, "DeleteService", text)
                error.hint = _obstacles(service)
            else:
                waiter.wait(pause if left is None else min(pause, left))
                pause = min(2 * pause, _MAX_POLL)
                continue
            error.add_context(object_name=service.name, machine=service.machine)
            error.waited = timedelta(seconds=waited)
            raise error


def _obstacles(service: OpenService) -> str:
    """Return what keeps the service, if it is known."""
    found: list[str] = []
    try:
        with OpenService(service.connection, service.name) as other:
            other.open(ServiceAccess.QUERY_STATUS)
            state = other.status().state
        if state is not State.STOPPED:
            found.append(f"The service is {state.name}: it is removed when it has stopped.")
    except Win32Error:
        pass  # the timeout is reported
    if count := ServiceHandle.count_open(service.name, service.machine):
        found.append(f"This process has {count} handles of its services and watches open.")
    if not found:
        found.append("A handle to the service is open in another process.")
    return " ".join(found)
