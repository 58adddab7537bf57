"""A service as a node of a dependency graph."""

from __future__ import annotations

from dataclasses import dataclass

from winsvc._public import publish
from winsvc._values.dependency import Dependency
from winsvc.enums import State

__all__ = ["ServiceNode"]


@dataclass(frozen=True, slots=True)
class ServiceNode:
    """One service of a graph.

    Attributes:
        name: the key name.
        dependencies: the services and the groups that the service depends on, as stored.
        group: the load-order group of the service; "" for none.
        state: the state when the graph was created; None if it is unknown.
    """

    name: str
    dependencies: tuple[Dependency, ...] = ()
    group: str = ""
    state: State | None = None


publish(__name__)
