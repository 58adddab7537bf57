"""Which service needs which: the order to start them in, and to stop them in."""

from __future__ import annotations

from collections.abc import Iterable

from winsvc._util.text import name_key, same_name
from winsvc.enums import State
from winsvc.testing.services import SimulatedService

__all__ = ["blocking", "dependents", "is_circular", "members"]


def members(services: Iterable[SimulatedService], group: str) -> list[SimulatedService]:
    """The services of a load-order group."""
    return [one for one in services if same_name(one.load_order_group, group)]


def dependents(
    services: Iterable[SimulatedService],
    service: SimulatedService,
    *,
    now: bool = False,
) -> list[SimulatedService]:
    """All that need a service, directly or not: those to stop first come first.

    Args:
        services: those that there are.
        service: the one that is needed.
        now: leave out what another member of a group, which is not stopped, serves as well.
    """
    every = list(services)
    found: list[SimulatedService] = []
    seen = {service.name}

    def visit(needed: SimulatedService) -> None:
        # The last to be started is the first to be stopped.
        for one in reversed(every):
            if one.name not in seen and _needs(one, needed, every if now else ()):
                seen.add(one.name)
                visit(one)
                found.append(one)

    visit(service)
    return found


def blocking(
    services: Iterable[SimulatedService], service: SimulatedService
) -> list[SimulatedService]:
    """Those that keep a service from being stopped: they run, and nothing else serves them."""
    found = dependents(services, service, now=True)
    return [one for one in found if one.state is not State.STOPPED]


def is_circular(
    services: Iterable[SimulatedService], name: str, group: str, dependencies: Iterable[str]
) -> bool:
    """Whether a service of that name and group would, with these dependencies, need itself."""
    # Without the service itself: what is stored of it may be about to change.
    every = {name_key(one.name): one for one in services if not same_name(one.name, name)}
    seen: set[str] = set()
    ahead = list(dependencies)
    while ahead:
        needed = ahead.pop()
        if needed.startswith("+"):
            if group and same_name(needed[1:], group):
                return True
            ahead += [one.name for one in members(every.values(), needed[1:])]
            continue
        if same_name(needed, name):
            return True
        key = name_key(needed)
        if key in every and key not in seen:
            seen.add(key)
            ahead += every[key].dependencies
    return False


def _needs(
    one: SimulatedService, needed: SimulatedService, others: Iterable[SimulatedService]
) -> bool:
    """Whether a service needs another, which none of the others in its group can stand in for."""
    if any(same_name(name, needed.name) for name in one.service_dependencies()):
        return True
    group = needed.load_order_group
    if not group or not any(same_name(name, group) for name in one.group_dependencies()):
        return False
    running = [other for other in members(others, group) if other.state is not State.STOPPED]
    return not any(other is not needed and other is not one for other in running)
