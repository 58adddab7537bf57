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
        dependencies: the services and the groups that it needs, as they are stored.
        group: the load-order group that it belongs to; "" for none.
        state: where it stood when the graph was made; None where that is not known.
    """

    name: str
    dependencies: tuple[Dependency, ...] = ()
    group: str = ""
    state: State | None = None


publish(__name__)
