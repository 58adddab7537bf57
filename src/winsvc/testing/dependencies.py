"""The dependencies between services, and the start and stop order that results."""

from __future__ import annotations

from collections.abc import Iterable

from winsvc._util.text import name_key, same_name
from winsvc.enums import State
from winsvc.testing.services import SimulatedService

__all__ = ["blocking", "dependents", "is_circular", "members"]


def members(services: Iterable[SimulatedService], group: str) -> list[SimulatedService]:
    """Return the services of a load-order group."""
    return [service for service in services if same_name(service.load_order_group, group)]


def dependents(
    services: Iterable[SimulatedService],
    service: SimulatedService,
    *,
    now: bool = False,
) -> list[SimulatedService]:
    """Return the services that need a service, directly or not, in stop order.

    Args:
        services: the existing services.
        service: the needed service.
        now: omit the services that another member of a group, which is not stopped, serves.
    """
    every = list(services)
    found: list[SimulatedService] = []
    seen = {service.name}

    def visit(needed: SimulatedService) -> None:
        # The last to be started is the first to be stopped.
        for other in reversed(every):
            if other.name not in seen and _needs(other, needed, every if now else ()):
                seen.add(other.name)
                visit(other)
                found.append(other)

    visit(service)
    return found


def blocking(
    services: Iterable[SimulatedService], service: SimulatedService
) -> list[SimulatedService]:
    """Return the running services that need a service, and that no other service serves."""
    found = dependents(services, service, now=True)
    return [other for other in found if other.state is not State.STOPPED]


def is_circular(
    services: Iterable[SimulatedService], name: str, group: str, dependencies: Iterable[str]
) -> bool:
    """Return whether a service with this name, group and dependencies would need itself."""
    # Without the service itself: what is stored of it may be about to change.
    every = {
        name_key(service.name): service for service in services if not same_name(service.name, name)
    }
    seen: set[str] = set()
    ahead = list(dependencies)
    while ahead:
        needed = ahead.pop()
        if needed.startswith("+"):
            if group and same_name(needed[1:], group):
                return True
            ahead += [service.name for service in members(every.values(), needed[1:])]
            continue
        if same_name(needed, name):
            return True
        key = name_key(needed)
        if key in every and key not in seen:
            seen.add(key)
            ahead += every[key].dependencies
    return False


def _needs(
    service: SimulatedService, needed: SimulatedService, others: Iterable[SimulatedService]
) -> bool:
    """Return whether a service needs another that no member of its group can replace."""
    if any(same_name(name, needed.name) for name in service.service_dependencies()):
        return True
    group = needed.load_order_group
    if not group or not any(same_name(name, group) for name in service.group_dependencies()):
        return False
    running = [other for other in members(others, group) if other.state is not State.STOPPED]
    return not any(other is not needed and other is not service for other in running)
