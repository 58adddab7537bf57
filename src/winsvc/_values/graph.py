"""The dependency graph of services: orders, cycles, missing services, drawings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from winsvc._public import publish
from winsvc._util.checks import check_type
from winsvc._util.jsonable import JSON, json_object
from winsvc._util.text import name_key
from winsvc._values import graph_render
from winsvc._values.dependency import Dependency, GroupDependency
from winsvc._values.graph_node import ServiceNode
from winsvc.errors import ValidationError, Win32Error

__all__ = ["DependencyGraph"]


@dataclass(frozen=True)
class DependencyGraph:
    """The services of a machine and their dependencies; see :meth:`ServiceManager.graph`.

    A dependency on a load-order group is a dependency on each of its members. Names are compared
    without case, and returned in the spelling of the service. A graph may contain cycles: Windows
    refuses to create them, but the registry can contain them.

    Attributes:
        services: the services, in the order of the system.
        errors: the errors of services whose dependencies could not be read, by key name.
    """

    services: tuple[ServiceNode, ...]
    errors: Mapping[str, Win32Error] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_type(self.services, tuple, "services")
        if len(self._ids) < len(self.services):
            keys = [name_key(node.name) for node in self.services]
            at = next(i for i, key in enumerate(keys) if key in keys[:i])
            raise ValidationError(
                f"services[{at}]", f"{self.services[at].name!r} is a duplicate name"
            )

    def __repr__(self) -> str:
        count = sum(len(node.dependencies) for node in self.services)
        return f"<DependencyGraph: {len(self)} services, {count} dependencies>"

    def __len__(self) -> int:
        return len(self.services)

    def __iter__(self) -> Iterator[ServiceNode]:
        return iter(self.services)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name_key(name) in self._ids

    def __getitem__(self, name: str) -> ServiceNode:
        return self.services[self._id(name)]

    # ------------------------------------------------------------------- dependencies

    def dependencies_of(self, name: str, *, direct: bool = False) -> tuple[str, ...]:
        """Return the services that a service depends on, in the order in which they start.

        Args:
            name: the key name.
            direct: omit the services that it depends on only through others.

        Raises:
            KeyError: the graph does not contain the service.
        """
        start = self._id(name)
        return self._ordered(self._reach([start], self._index.needed, direct=direct) - {start})

    def dependents_of(self, name: str, *, direct: bool = False) -> tuple[str, ...]:
        """Return the services that depend on a service, in the order in which they stop.

        Args:
            name: the key name.
            direct: omit the services that depend on it only through others.

        Raises:
            KeyError: the graph does not contain the service.
        """
        start = self._id(name)
        found = self._reach([start], self._index.needing, direct=direct) - {start}
        return self._ordered(found)[::-1]

    def start_order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return these services and all that they depend on, in a start order.

        A service comes after the services that it depends on, except within a cycle. Services that
        do not depend on each other keep the order of the system.

        Args:
            names: the key names; None for all services.

        Raises:
            KeyError: the graph does not contain one of the services.
        """
        return self._ordered(self._reach(self._chosen(names), self._index.needed))

    def stop_order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """Return these services and all that depend on them, in a stop order.

        A service comes after the services that depend on it, except within a cycle.

        Args:
            names: the key names; None for all services.

        Raises:
            KeyError: the graph does not contain one of the services.
        """
        return self._ordered(self._reach(self._chosen(names), self._index.needing))[::-1]

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Return the groups of services that depend on each other.

        A service that depends on itself, or on a group that contains it, is a cycle of one service.
        """
        found = []
        for component in self._components:
            services = {node for node in component if node < len(self.services)}
            if len(component) > 1 or component[0] in self._index.needed[component[0]]:
                found.append(self._ordered(services))
        return tuple(sorted(found, key=lambda names: self._ranks[self._id(names[0])]))

    def missing(self) -> dict[str, tuple[str, ...]]:
        """Return the missing dependencies, with the services that depend on them.

        A group, whose name has the prefix "+", is missing if it has no member.
        """
        return {wanted: tuple(names) for wanted, names in self._index.missing.values()}

    def subgraph(
        self, *names: str, dependencies: bool = True, dependents: bool = False
    ) -> DependencyGraph:
        """Return the graph of these services and of related services.

        It omits dependencies on services outside of it, but keeps missing dependencies.

        Args:
            names: the key names.
            dependencies: include the services that they depend on.
            dependents: include the services that depend on them.

        Raises:
            KeyError: the graph does not contain one of the services.
        """
        start = self._chosen(names)
        wanted = set(start)
        if dependencies:
            wanted |= self._reach(start, self._index.needed)
        if dependents:
            wanted |= self._reach(start, self._index.needing)
        missing = self._index.missing
        nodes = [self.services[number] for number in wanted if number < len(self)]
        keys = {name_key(node.name) for node in nodes}
        keys |= {"+" + name_key(node.group) for node in nodes}
        keys |= set(missing)

        def inside(node: ServiceNode) -> ServiceNode:
            items = tuple(item for item in node.dependencies if name_key(str(item)) in keys)
            return node if items == node.dependencies else replace(node, dependencies=items)

        kept = tuple(inside(node) for number, node in enumerate(self) if number in wanted)
        errors = {name: error for name, error in self.errors.items() if name_key(name) in keys}
        return DependencyGraph(kept, errors)

    # ------------------------------------------------------------------- output

    def to_text(self, name: str | None = None, *, dependents: bool = False) -> str:
        """Draw the graph as a tree of text.

        Args:
            name: the service at the root; None for the services that no other depends on.
            dependents: draw the dependents of a service below it instead of its dependencies.

        Raises:
            KeyError: the graph does not contain the service.
        """
        root = None if name is None else self[name]
        return graph_render.text(
            self.services, self.missing(), self.errors, root, dependents=dependents
        )

    def to_dot(self) -> str:
        """Draw the graph in the language of Graphviz; colors are states."""
        return graph_render.dot(self.services, self.missing(), self.errors)

    def to_mermaid(self) -> str:
        """Draw the graph as a Mermaid flowchart, for Markdown; colors are states."""
        return graph_render.mermaid(self.services, self.missing())

    def to_json(self) -> dict[str, JSON]:
        """Return the graph as :func:`json.dumps` accepts it."""
        value = {
            "services": self.services,
            "missing": self.missing(),
            "cycles": self.cycles(),
            "errors": self.errors,
        }
        return json_object(value, {Dependency: str, Win32Error: str})

    # ------------------------------------------------------------------- implementation

    # The nodes are numbers: a service has its index, and the referenced groups follow from
    # len(services) on. A group has edges to its members, which keeps the number of edges linear.

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name_key(node.name): number for number, node in enumerate(self.services)}

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.services, self._ids)

    @cached_property
    def _components(self) -> list[list[int]]:
        return list(_strongly_connected(self._index.needed))

    @cached_property
    def _ranks(self) -> dict[int, int]:
        # The post-order of a depth-first search is not sufficient: with a group in a cycle, a
        # service could come before a service outside of the cycle that it depends on.
        nodes = (node for component in self._components for node in component)
        return {node: rank for rank, node in enumerate(nodes)}

    def _id(self, name: str) -> int:
        number = self._ids.get(name_key(name))
        if number is None:
            raise KeyError(f"the graph does not contain the service {name!r}")
        return number

    def _chosen(self, names: Iterable[str] | None) -> list[int]:
        if names is None:
            return list(range(len(self.services)))
        if isinstance(names, str):
            raise TypeError("names: expected a list, not a single str")
        return list(map(self._id, names))

    def _ordered(self, numbers: Iterable[int]) -> tuple[str, ...]:
        ranks = self._ranks
        services = (number for number in numbers if number < len(self.services))
        return tuple(
            self.services[number].name for number in sorted(services, key=ranks.__getitem__)
        )

    def _reach(
        self, start: Sequence[int], edges: list[list[int]], *, direct: bool = False
    ) -> set[int]:
        seen = set(start)
        ahead = list(start)
        while ahead:
            for other in edges[ahead.pop()]:
                if other not in seen:
                    seen.add(other)
                    if not direct or other >= len(self.services):
                        ahead.append(other)
        return seen


class _Index:
    """The edges of a graph in both directions, and the missing dependencies."""

    def __init__(self, services: Sequence[ServiceNode], ids: Mapping[str, int]) -> None:
        members: dict[str, list[int]] = {}
        for number, node in enumerate(services):
            if node.group:
                members.setdefault(name_key(node.group), []).append(number)
        groups: dict[str, int] = {}
        self.needed: list[list[int]] = [[] for _ in services]
        self.missing: dict[str, tuple[str, list[str]]] = {}
        for number, node in enumerate(services):
            for item in node.dependencies:
                key = name_key(item.name)
                if not isinstance(item, GroupDependency):
                    found = ids.get(key)
                elif key in members:
                    found = groups.get(key)
                    if found is None:
                        found = groups[key] = len(self.needed)
                        self.needed.append(members[key])
                else:
                    found = None
                if found is None:
                    needing = self.missing.setdefault(name_key(str(item)), (str(item), []))[1]
                    if node.name not in needing[-1:]:
                        needing.append(node.name)
                elif found not in self.needed[number]:
                    self.needed[number].append(found)
        self.needing: list[list[int]] = [[] for _ in self.needed]
        for number, needed in enumerate(self.needed):
            for other in needed:
                self.needing[other].append(number)


def _strongly_connected(edges: list[list[int]]) -> Iterator[list[int]]:
    """Return the strongly connected components (Tarjan's algorithm, without recursion).

    A component comes after the components that it leads to. The nodes of a component are in the
    reverse order of their discovery.
    """
    found = [-1] * len(edges)  # the order of discovery
    lowest = [0] * len(edges)
    waiting: list[int] = []
    is_waiting = [False] * len(edges)
    count = 0
    for root in range(len(edges)):
        if found[root] >= 0:
            continue
        path = [(root, iter(edges[root]))]
        while path:
            node, rest = path[-1]
            if found[node] < 0:
                found[node] = lowest[node] = count
                count += 1
                waiting.append(node)
                is_waiting[node] = True
            for other in rest:
                if found[other] < 0:
                    path.append((other, iter(edges[other])))
                    break
                if is_waiting[other]:
                    lowest[node] = min(lowest[node], found[other])
            else:
                path.pop()
                if path:
                    before = path[-1][0]
                    lowest[before] = min(lowest[before], lowest[node])
                if lowest[node] == found[node]:
                    component: list[int] = []
                    while node not in component[-1:]:
                        component.append(waiting.pop())
                        is_waiting[component[-1]] = False
                    yield component


publish(__name__)
