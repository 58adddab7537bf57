"""The handles of the service control manager."""

from __future__ import annotations

from winsvc._util.handles import Handle

__all__ = ["ManagerHandle", "ServiceHandle"]


class ManagerHandle(Handle):
    """An ``SC_HANDLE`` of a service control manager."""

    __slots__ = ()


class ServiceHandle(Handle):
    """An ``SC_HANDLE`` of a service."""

    __slots__ = ()
