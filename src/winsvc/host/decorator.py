"""A service that is a plain function."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from winsvc._util.durations import Duration
from winsvc._values.settings import Settings
from winsvc.host.definition import ServiceBase

__all__ = ["service"]

Main: TypeAlias = Callable[[ServiceBase], Coroutine[Any, Any, None] | None]


def service(
    name: str,
    *,
    display_name: str = "",
    description: str | None = None,
    settings: Settings = ServiceBase.settings,
    start_wait_hint: Duration = ServiceBase.start_wait_hint,
    stop_wait_hint: Duration = ServiceBase.stop_wait_hint,
    **handlers: Callable[..., object],
) -> Callable[[Main], type[ServiceBase]]:
    """Make a :class:`ServiceBase` of a function, which is its ``main()``.

    For example::

        @service("beat", display_name="Heartbeat")
        def beat(service: ServiceBase) -> None:
            service.report_running()
            while not service.stop_requested.wait(5):
                log.info("beat")

        if __name__ == "__main__":
            run(beat)

    Args:
        name: the key name.
        display_name: the name that the service tools show.
        description: the text that the service tools show.
        settings: what else it is installed with.
        start_wait_hint: how long it usually takes to start.
        stop_wait_hint: how long it usually takes to stop.
        **handlers: the functions for controls, as ``on_pause=...``; they, too, are given the
            :class:`ServiceBase` first.

    Raises:
        TypeError: a handler is none, or takes the wrong arguments.
        ValidationError: no service can have this name.
    """
    for handler in handlers:
        if not handler.startswith("on_"):
            raise TypeError(
                f"service() got an unexpected argument {handler!r}; handlers are named on_..."
            )

    def make(main: Main) -> type[ServiceBase]:
        members: dict[str, object] = {
            "__doc__": main.__doc__,
            "__module__": main.__module__,
            "__qualname__": main.__qualname__,
            "name": name,
            "display_name": display_name,
            "description": description,
            "settings": settings,
            "start_wait_hint": start_wait_hint,
            "stop_wait_hint": stop_wait_hint,
            "main": main,
            **handlers,
        }
        return type(main.__name__, (ServiceBase,), members)

    return make
