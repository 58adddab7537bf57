"""The methods of a service that handle controls."""

from __future__ import annotations

import difflib
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from winsvc.enums import AcceptedControls, Control
from winsvc.host.events import CUSTOM_CONTROLS

__all__ = ["HANDLERS", "STOP_CONTROLS", "accepted_controls", "check_handlers", "handler_of"]

STOP_CONTROLS: Final = (Control.STOP, Control.SHUTDOWN, Control.PRESHUTDOWN)
"""The controls after which a service is on its way to its end."""


@dataclass(frozen=True, slots=True)
class _Handler:
    """The handling of a control: the method, its acceptance bit, and whether it has an event."""

    method: str
    accepts: AcceptedControls
    has_event: bool = False


_NO_BIT: Final = AcceptedControls(0)
HANDLERS: Final = {
    Control.STOP: _Handler("on_stop", AcceptedControls.STOP),
    Control.PAUSE: _Handler("on_pause", AcceptedControls.PAUSE_CONTINUE),
    Control.CONTINUE: _Handler("on_continue", AcceptedControls.PAUSE_CONTINUE),
    Control.INTERROGATE: _Handler("on_interrogate", _NO_BIT),
    Control.SHUTDOWN: _Handler("on_shutdown", AcceptedControls.SHUTDOWN),
    Control.PRESHUTDOWN: _Handler("on_preshutdown", AcceptedControls.PRESHUTDOWN),
    Control.PARAM_CHANGE: _Handler("on_param_change", AcceptedControls.PARAM_CHANGE),
    Control.DEVICE_EVENT: _Handler("on_device", _NO_BIT, has_event=True),
    Control.HARDWARE_PROFILE_CHANGE: _Handler(
        "on_hardware_profile", AcceptedControls.HARDWARE_PROFILE_CHANGE, has_event=True
    ),
    Control.POWER_EVENT: _Handler("on_power", AcceptedControls.POWER_EVENT, has_event=True),
    Control.SESSION_CHANGE: _Handler(
        "on_session_change", AcceptedControls.SESSION_CHANGE, has_event=True
    ),
    Control.TIME_CHANGE: _Handler("on_time_change", AcceptedControls.TIME_CHANGE, has_event=True),
    Control.TRIGGER_EVENT: _Handler("on_trigger", AcceptedControls.TRIGGER_EVENT),
}
_CUSTOM: Final = _Handler("on_custom", _NO_BIT, has_event=True)


def handler_of(control: int) -> _Handler | None:
    """Return the handling of a control; None if it is unknown."""
    return _CUSTOM if control in CUSTOM_CONTROLS else HANDLERS.get(Control(control))


def accepted_controls(kind: type[object]) -> AcceptedControls:
    """Return the controls that a service of this class accepts: STOP, and those with handlers."""
    accepts = AcceptedControls.STOP
    for handler in HANDLERS.values():
        if hasattr(kind, handler.method):
            accepts |= handler.accepts
    return accepts


def check_handlers(kind: type[object]) -> None:
    """Refuse what would only show when the service is started, or a control comes.

    Other methods ``on_...`` are the author's affair, unless one looks misspelt.

    Raises:
        TypeError: ``main``, ``__init__`` or a handler is no method, is a generator or takes the
            wrong arguments, a handler is misspelt, or one of ``on_pause`` and ``on_continue`` lacks
            the other.
    """
    asynchronous = inspect.iscoroutinefunction(_checked_method(kind, "main", ("self",)))
    _checked_method(kind, "__init__", ("self",))
    known = {handler.method: handler for handler in (*HANDLERS.values(), _CUSTOM)}
    for name in dir(kind):
        if not name.startswith("on_"):
            continue
        if name not in known:
            near = difflib.get_close_matches(name, known, 1, cutoff=0.7)
            if not near:
                continue
            raise TypeError(
                f"{kind.__qualname__}.{name}: unknown handler (did you mean {near[0]}()?)"
            )
        arguments = ("self", "event") if known[name].has_event else ("self",)
        method = _checked_method(kind, name, arguments)
        if inspect.iscoroutinefunction(method) and not asynchronous:
            raise TypeError(f"{kind.__qualname__}.{name} is async, so main() must be async, too")
    if hasattr(kind, "on_pause") != hasattr(kind, "on_continue"):
        raise TypeError(
            f"{kind.__qualname__}: define both on_pause() and on_continue(); the system sends "
            "either both controls or none"
        )
    if hasattr(kind, "on_shutdown") and hasattr(kind, "on_preshutdown"):
        warnings.warn(
            f"{kind.__qualname__} defines on_preshutdown() and on_shutdown(). Windows sends "
            "PRESHUTDOWN first and waits for the service up to its preshutdown_timeout. It sends "
            "SHUTDOWN later and only if the service still runs, according to users not even then. "
            "Define only one of them: on_preshutdown() if the stop takes long.",
            stacklevel=3,
        )


def _checked_method(
    kind: type[object], name: str, arguments: tuple[str, ...]
) -> Callable[..., Any]:
    """Return a method of the class; refuse a method that does not take these arguments."""
    method: object = getattr(kind, name)
    if not callable(method):
        raise TypeError(f"{kind.__qualname__}.{name} must be a method")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise TypeError(
            f"{kind.__qualname__}.{name} must not be a generator: its code would not run"
        )
    plain = isinstance(inspect.getattr_static(kind, name), (staticmethod, classmethod))
    try:
        inspect.signature(method).bind(*arguments[1 if plain else 0 :])
    except TypeError:
        raise TypeError(
            f"{kind.__qualname__}.{name} must take ({', '.join(arguments)}), "
            f"not {inspect.signature(method)}"
        ) from None
    return method
