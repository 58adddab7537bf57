"""The handles of the service control manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from weakref import WeakSet

from winsvc._util.handles import Handle
from winsvc._util.text import name_key

__all__ = ["ManagerHandle", "ServiceHandle"]


class ManagerHandle(Handle):
    """An ``SC_HANDLE`` of a service control manager."""

    __slots__ = ()


class ServiceHandle(Handle):
    """An ``SC_HANDLE`` of a service. An open handle keeps a deleted service."""

    __slots__ = ("_key",)

    def __init__(
        self, value: int, free: Callable[[int], None], name: str, machine: str | None
    ) -> None:
        """Take ownership of the handle of a service."""
        super().__init__(value, free, f"service {name!r}")
        self._key = machine, name_key(name)
        _SERVICE_HANDLES.add(self)

    @classmethod
    def count_open(cls, name: str, machine: str | None) -> int:
        """Return how many handles of a service this process has open."""
        key = machine, name_key(name)
        return sum(handle._key == key and not handle.closed for handle in list(_SERVICE_HANDLES))


_SERVICE_HANDLES: Final[WeakSet[ServiceHandle]] = WeakSet()
