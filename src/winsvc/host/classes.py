"""What the classes of one program have to be."""

from __future__ import annotations

from collections.abc import Sequence

from winsvc._util.text import name_key
from winsvc._values.names import check_service_name
from winsvc.errors import ArgumentError
from winsvc.host.definition import Service

__all__ = ["checked_names"]


def checked_names(services: Sequence[type[Service]], name: str | None = None) -> list[str]:
    """The names of a program's services.

    Args:
        services: their classes.
        name: instead of the name of a single one.

    Raises:
        TypeError: there is something else among them.
        ArgumentError: there is none, one has no name or one that no service can have, or two have
            the same.
    """
    if not services:
        raise ArgumentError("services", "at least one class is needed")
    given: Sequence[object] = services
    for kind in given:
        if not isinstance(kind, type) or not issubclass(kind, Service):
            raise TypeError(f"services: expected classes of winsvc.host.Service, not {kind!r}")
    if name is not None:
        if len(services) > 1:
            raise ArgumentError("name", "is for a single service; this program has several")
        return [check_service_name(name)]
    for kind in services:
        if not kind.name:
            raise ArgumentError("services", f"{kind.__qualname__} has no name")
        check_service_name(kind.name, f"{kind.__qualname__}.name")
    names = [kind.name for kind in services]
    if len(set(map(name_key, names))) < len(names):
        raise ArgumentError("services", f"two have the same name: {', '.join(names)}")
    return names
