"""The logger ``winsvc``: each call at DEBUG, and each change at INFO.

Records contain the service, the machine, the rights of a handle and the error of a refused call,
never the arguments of a call: passwords, command lines and start arguments may be secret. The
module ``logging`` is not imported here, because that takes longer than a listing; a program that
has not imported it has no handler for the records either.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from winsvc.enums import ManagerAccess, ServiceAccess, rights_text
from winsvc.errors import Win32Error

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["log_change", "log_rights", "logged", "target_text"]

P = ParamSpec("P")
R = TypeVar("R")

_DEBUG, _INFO = 10, 20
_logger: Logger | None = None


def logged(
    target: str | tuple[str | None, str | None],
    method: Callable[P, R],
    *arguments: P.args,
    **keywords: P.kwargs,
) -> R:
    """Call a method of the backend, and log the call with its outcome.

    Args:
        target: the object of the call: a text, or the arguments of :func:`target_text`.
        method: the method.
        *arguments: its arguments, which are not logged.
        **keywords: its keyword arguments, which are not logged.
    """
    if not _is_enabled(_DEBUG):
        return method(*arguments, **keywords)
    name = getattr(method, "__name__", "call")
    text = target if isinstance(target, str) else target_text(*target)
    try:
        result = method(*arguments, **keywords)
    except Win32Error as error:
        _log(_DEBUG, "%s: %s: error %d", name, text, error.winerror)
        raise
    _log(_DEBUG, "%s: %s", name, text)
    return result


def log_rights(object_name: str | None, machine: str | None, access: int) -> None:
    """Log the rights of a handle that was opened."""
    if _is_enabled(_DEBUG):
        kind = ManagerAccess if object_name is None else ServiceAccess
        target = target_text(object_name, machine)
        _log(_DEBUG, "%s: opened with %s", target, rights_text(kind(access)))


def log_change(object_name: str | None, machine: str | None, change: str) -> None:
    """Log a change that the system has accepted."""
    if _is_enabled(_INFO):
        _log(_INFO, "%s: %s", target_text(object_name, machine), change)


def target_text(object_name: str | None, machine: str | None) -> str:
    """Return the text for an object.

    Args:
        object_name: the key name of the service; None for the service control manager.
        machine: the machine; None for this one.
    """
    what = "the service control manager" if object_name is None else f"service {object_name!r}"
    return f"{what} on {machine or 'this machine'}"


def _is_enabled(level: int) -> bool:
    global _logger
    if _logger is None:
        # Absent while another thread imports the module.
        get_logger = getattr(sys.modules.get("logging"), "getLogger", None)
        if get_logger is None:
            return False
        _logger = get_logger("winsvc")
        assert _logger is not None
    return _logger.isEnabledFor(level)


def _log(level: int, text: str, *arguments: object) -> None:
    assert _logger is not None
    _logger.log(level, text, *arguments, stacklevel=3)
