"""Apply changes to a service, one call for each change."""

from __future__ import annotations

from collections.abc import Iterable

from winsvc._scm.handle_pool import HandlePool
from winsvc._values.changes import ConfigArguments
from winsvc._values.setting import Change
from winsvc.backend import ServiceBackend
from winsvc.enums import ServiceAccess
from winsvc.errors import AccessDeniedError, Win32Error

__all__ = ["apply"]


def apply(changes: Iterable[Change], service: HandlePool[ServiceAccess]) -> dict[str, object]:
    """Apply the changes, and return the result of each call by the name of its setting.

    The hint of an error names the change that was refused and the changes applied before it.
    """
    done: dict[str, object] = {}
    for change in changes:
        try:
            done[change.setting] = service.call(change.right, _call, service.backend, change)
        except Win32Error as error:
            hints = [error.hint] if error.hint else []
            hints.append(f"Refused: {change.setting}.")
            if done:
                hints.append(f"Changed before that: {', '.join(done)}.")
            error.hint = " ".join(hints)
            raise
    return done


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
