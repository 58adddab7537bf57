"""The service database of one simulated machine."""

from __future__ import annotations

from collections.abc import Iterator

from winsvc._util.text import name_key, same_name
from winsvc.enums import Notify, State
from winsvc.testing.notifications import Notifications
from winsvc.testing.services import SimulatedService

__all__ = ["Services"]


class Services:
    """The services of one machine, in the order in which they were created.

    It notifies of each service that is added or removed.
    """

    def __init__(self, notifications: Notifications) -> None:
        self._notifications = notifications
        self._by_name: dict[str, SimulatedService] = {}
        self._number = 0

    def __iter__(self) -> Iterator[SimulatedService]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, service: object) -> bool:
        return isinstance(service, SimulatedService) and self.get(service.name) is service

    def get(self, name: str) -> SimulatedService | None:
        """Return the service of this key name, in upper or lower case."""
        return self._by_name.get(name_key(name))

    def by_display_name(self, name: str) -> SimulatedService | None:
        """Return the first service of this display name."""
        return next((service for service in self if same_name(service.display_name, name)), None)

    def add(self, service: SimulatedService) -> None:
        """Add a service at the end of the list."""
        self._number += 1
        service.number = self._number
        self._by_name[name_key(service.name)] = service
        self._notifications.listed(Notify.CREATED, f"/{service.name}")

    def remove(self, service: SimulatedService) -> None:
        """Remove a service."""
        del self._by_name[name_key(service.name)]
        self._notifications.listed(Notify.DELETED, service.name)

    def remove_if_deleted(self, service: SimulatedService) -> None:
        """Remove a service marked for deletion, once it has stopped and no handle is open."""
        idle = service.state is State.STOPPED and not service.handles
        if service.marked_for_deletion and idle and service in self:
            self.remove(service)
