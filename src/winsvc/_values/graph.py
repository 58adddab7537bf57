"""Which service needs which, as a value to ask: orders, cycles, what is missing, pictures."""

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
    """The services of a machine and what they need, made by :meth:`ServiceManager.graph`.

    A dependency on a load-order group is one on each of its members. Names are the same in upper
    and lower case; those that come back are written as the service's own. Cycles, which Windows
    refuses to make but a registry may hold, do no harm.

    Attributes:
        services: all of them, in the system's order.
        errors: by key name, why a service's dependencies could not be read.
    """

    services: tuple[ServiceNode, ...]
    errors: Mapping[str, Win32Error] = field(default_factory=dict, compare=False)

    def __post_init__(self) -> None:
        check_type(self.services, tuple, "services")
        if len(self._ids) < len(self.services):
            keys = [name_key(node.name) for node in self.services]
            at = next(i for i, key in enumerate(keys) if key in keys[:i])
            raise ValidationError(f"services[{at}]", f"{self.services[at].name!r} is there already")

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

    # ------------------------------------------------------------------- what needs what

    def dependencies_of(self, name: str, *, direct: bool = False) -> tuple[str, ...]:
        """What a service needs, directly or through others: what starts first comes first.

        Args:
            name: the key name.
            direct: leave out what it needs only through others.

        Raises:
            KeyError: there is no such service.
        """
        start = self._id(name)
        return self._ordered(self._reach([start], self._index.needed, direct=direct) - {start})

    def dependents_of(self, name: str, *, direct: bool = False) -> tuple[str, ...]:
        """What needs a service, directly or through others: what stops first comes first.

        Args:
            name: the key name.
            direct: leave out what needs it only through others.

        Raises:
            KeyError: there is no such service.
        """
        start = self._id(name)
        found = self._reach([start], self._index.needing, direct=direct) - {start}
        return self._ordered(found)[::-1]

    def start_order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """These services and all that they need, in an order to start them in.

        Each comes after what it needs, except in a cycle, where somebody has to be first. What is
        in no order stays in the system's.

        Args:
            names: the key names; None for all services.

        Raises:
            KeyError: there is no service of a name.
        """
        return self._ordered(self._reach(self._chosen(names), self._index.needed))

    def stop_order(self, names: Iterable[str] | None = None) -> tuple[str, ...]:
        """These services and all that need them, in an order to stop them in.

        Each comes after what needs it, except in a cycle.

        Args:
            names: the key names; None for all services.

        Raises:
            KeyError: there is no service of a name.
        """
        return self._ordered(self._reach(self._chosen(names), self._index.needing))[::-1]

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """The services that need each other in a circle, one tuple for each such knot.

        A service that needs itself, or its own group, is one by itself.
        """
        found = []
        for knot in self._knots:
            services = {one for one in knot if one < len(self.services)}
            if len(knot) > 1 or knot[0] in self._index.needed[knot[0]]:
                found.append(self._ordered(services))
        return tuple(sorted(found, key=lambda names: self._ranks[self._id(names[0])]))

    def missing(self) -> dict[str, tuple[str, ...]]:
        """What is needed and not there, with the services that need it.

        A group, which has a "+" before its name, is missing when it has no member.
        """
        return {wanted: tuple(names) for wanted, names in self._index.missing.values()}

    def subgraph(
        self, *names: str, dependencies: bool = True, dependents: bool = False
    ) -> DependencyGraph:
        """The graph of these services and what they have to do with.

        Dependencies that lead out of it are left out; those that are missing stay.

        Args:
            names: the key names.
            dependencies: with all that they need.
            dependents: with all that need them.

        Raises:
            KeyError: there is no service of a name.
        """
        start = self._chosen(names)
        wanted = set(start)
        if dependencies:
            wanted |= self._reach(start, self._index.needed)
        if dependents:
            wanted |= self._reach(start, self._index.needing)
        missing = self._index.missing
        keys = {name_key(self.services[one].name) for one in wanted if one < len(self)}
        keys |= {"+" + name_key(self.services[one].group) for one in wanted if one < len(self)}
        keys |= set(missing)

        def inside(node: ServiceNode) -> ServiceNode:
            items = tuple(one for one in node.dependencies if name_key(str(one)) in keys)
            return node if items == node.dependencies else replace(node, dependencies=items)

        kept = tuple(inside(node) for number, node in enumerate(self) if number in wanted)
        errors = {name: error for name, error in self.errors.items() if name_key(name) in keys}
        return DependencyGraph(kept, errors)

    # ------------------------------------------------------------------- to look at

    def to_text(self, name: str | None = None, *, dependents: bool = False) -> str:
        """As a tree for people, each service once in full.

        Args:
            name: begin with this service; None begins with those that no other needs.
            dependents: what needs a service stands below it, not what it needs.

        Raises:
            KeyError: there is no such service.
        """
        root = None if name is None else self[name]
        return graph_render.text(
            self.services, self.missing(), self.errors, root, dependents=dependents
        )

    def to_dot(self) -> str:
        """In the language of Graphviz; states are colours."""
        return graph_render.dot(self.services, self.missing(), self.errors)

    def to_mermaid(self) -> str:
        """As a Mermaid flowchart, which Markdown shows in many places; states are colours."""
        return graph_render.mermaid(self.services, self.missing())

    def to_json(self) -> dict[str, JSON]:
        """As :func:`json.dumps` takes it."""
        value = {
            "services": self.services,
            "missing": self.missing(),
            "cycles": self.cycles(),
            "errors": self.errors,
        }
        return json_object(value, {Dependency: str, Win32Error: str})

    # ------------------------------------------------------------------- inside

    # Services are numbers, and so are the groups that something needs, from len(services) on: a
    # group needs its members. Else each that needs a group would have an edge for every member.

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {name_key(node.name): number for number, node in enumerate(self.services)}

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.services, self._ids)

    @cached_property
    def _knots(self) -> list[list[int]]:
        return list(_strongly_connected(self._index.needed))

    @cached_property
    def _ranks(self) -> dict[int, int]:
        # Not the order in which a search leaves them: on a way through a group that is in a cycle
        # it would leave a service before another that it needs and that is in none.
        every = (one for knot in self._knots for one in knot)
        return {one: rank for rank, one in enumerate(every)}

    def _id(self, name: str) -> int:
        number = self._ids.get(name_key(name))
        if number is None:
            raise KeyError(f"there is no service {name!r} in the graph")
        return number

    def _chosen(self, names: Iterable[str] | None) -> list[int]:
        if names is None:
            return list(range(len(self.services)))
        if isinstance(names, str):
            raise TypeError("names: expected a list of names, not a single str")
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
            one = ahead.pop()
            for other in edges[one]:
                if other not in seen:
                    seen.add(other)
                    if not direct or other >= len(self.services):
                        ahead.append(other)
        return seen


class _Index:
    """The edges of a graph, both ways, and what is missing."""

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
            for one in needed:
                self.needing[one].append(number)


def _strongly_connected(edges: list[list[int]]) -> Iterator[list[int]]:
    """Those that lead to each other, set by set (Tarjan's algorithm, without recursion).

    A set comes after those that it leads to; in it, those that were found last come first.
    """
    found = [-1] * len(edges)  # when each was found
    lowest = [0] * len(edges)
    waiting: list[int] = []
    is_waiting = [False] * len(edges)
    count = 0
    for root in range(len(edges)):
        if found[root] >= 0:
            continue
        path = [(root, iter(edges[root]))]
        while path:
            one, rest = path[-1]
            if found[one] < 0:
                found[one] = lowest[one] = count
                count += 1
                waiting.append(one)
                is_waiting[one] = True
            for other in rest:
                if found[other] < 0:
                    path.append((other, iter(edges[other])))
                    break
                if is_waiting[other]:
                    lowest[one] = min(lowest[one], found[other])
            else:
                path.pop()
                if path:
                    before = path[-1][0]
                    lowest[before] = min(lowest[before], lowest[one])
                if lowest[one] == found[one]:
                    knot: list[int] = []
                    while one not in knot[-1:]:
                        knot.append(waiting.pop())
                        is_waiting[knot[-1]] = False
                    yield knot


publish(__name__)
