"""Apply changes to a service, with one call for each change."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from winsvc._scm.call_log import log_change
from winsvc._scm.handle_pool import HandlePool
from winsvc._values.changes import ConfigArguments
from winsvc._values.setting import Change
from winsvc.backend import ServiceBackend
from winsvc.enums import ServiceAccess
from winsvc.errors import AccessDeniedError, Win32Error

__all__ = ["apply"]


def apply(changes: Iterable[Change], service: HandlePool[ServiceAccess]) -> dict[str, object]:
    """Apply the changes, and return the result of each call by the name of its setting.

    The hint of an error lists the refused change and the changes that were applied before it.
    """
    done: dict[str, object] = {}
    for change in changes:
        try:
            done[change.setting] = service.call(change.right, _method_of(change, service.backend))
        except Win32Error as error:
            hints = [error.hint] if error.hint else []
            hints.append(f"Refused: {change.setting}.")
            if done:
                hints.append(f"Changed before that: {', '.join(done)}.")
            error.hint = " ".join(hints)
            raise
        log_change(service.object_name, service.machine, f"{change.setting} was changed")
    return done


def _method_of(change: Change, backend: ServiceBackend) -> Callable[[int], object]:
    def method(service: int) -> object:
        return _call(service, backend, change)

    method.__name__ = change.method  # for the log
    return method


def _call(service: int, backend: ServiceBackend, change: Change) -> object:
    arguments = change.arguments
    if isinstance(arguments, ConfigArguments) and arguments.needs_account:
        arguments = arguments.with_account(backend.query_service_config(service).service_start_name)
    try:
        result: object = getattr(backend, change.method)(service, *arguments)
    except Win32Error as error:
        if error.winerror in change.ignored:
            return None
        if isinstance(error, AccessDeniedError) and change.denied_hint:
            error.hint = change.denied_hint
        raise
    return result
