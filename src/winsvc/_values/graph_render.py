"""Draw a dependency graph: as a tree of text, in Graphviz's DOT language, as a Mermaid flowchart.

The arguments are the services of a graph, the names of the missing dependencies, and the errors of
services whose dependencies could not be read, by name.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from winsvc._util.text import name_key
from winsvc._values.dependency import Dependency, GroupDependency, ServiceDependency
from winsvc._values.graph_node import ServiceNode
from winsvc.enums import State
from winsvc.errors import Win32Error

__all__ = ["dot", "mermaid", "text"]

_COLORS: Final = {
    "running": "#c8e6c9",
    "stopped": "#eeeeee",
    "paused": "#fff9c4",
    "pending": "#ffe0b2",
    "missing": "#ffcdd2",
}


def _kind(state: State | None) -> str | None:
    """Return the name of the color of a state."""
    if state is None:
        return None
    if state in (State.RUNNING, State.STOPPED, State.PAUSED):
        return state.name.lower()
    return "pending"


def _readable(name: str) -> str:
    """Escape the characters that cannot be drawn: control characters and surrogates."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in name)


# ----------------------------------------------------------------------- nodes and edges


class _Picture:
    """The services, groups and missing dependencies of a graph, with names for a drawing."""

    def __init__(self, services: Sequence[ServiceNode], missing: Iterable[str]) -> None:
        self.services = {name_key(node.name): f"n{i}" for i, node in enumerate(services)}
        self.nodes = [(f"n{i}", node) for i, node in enumerate(services)]
        self.missing = {name_key(name): (f"m{i}", name) for i, name in enumerate(missing)}
        needed = (item for node in services for item in node.dependencies)
        groups = {name_key(str(item)): str(item) for item in needed if _is_group(item)}
        present = (key for key in groups if key not in self.missing)
        self.groups = {key: (f"g{i}", groups[key]) for i, key in enumerate(present)}
        self.edges = [
            (here, target)
            for here, node in self.nodes
            for target in dict.fromkeys(self._drawn(item) for item in node.dependencies)
        ]
        self.memberships = [
            (self.groups[_group(node)][0], here)
            for here, node in self.nodes
            if _group(node) in self.groups
        ]

    def _drawn(self, item: Dependency) -> str:
        key = name_key(str(item))
        if key in self.missing:
            return self.missing[key][0]
        return self.groups[key][0] if _is_group(item) else self.services[key]


def _is_group(item: Dependency) -> bool:
    return isinstance(item, GroupDependency)


# ----------------------------------------------------------------------- Graphviz and Mermaid


def dot(services: Sequence[ServiceNode], missing: Iterable[str], errors: Collection[str]) -> str:
    """Return the graph in the language of Graphviz."""
    picture = _Picture(services, missing)
    lines = [
        "digraph services {",
        "  rankdir=LR;",
        '  node [shape=box, style="rounded,filled", fillcolor=white, fontname="sans-serif"];',
    ]
    for here, node in picture.nodes:
        label = _dot_text(node.name)
        if node.state is not None:
            label += r"\n" + _dot_text(_state(node.state))
        kind = _kind(node.state)
        color = f', fillcolor="{_COLORS[kind]}"' if kind else ""
        style = ', style="rounded,filled,dotted"' if node.name in errors else ""
        lines.append(f'  {here} [label="{label}"{color}{style}];')
    for here, name in picture.groups.values():
        lines.append(f'  {here} [label="{_dot_text(name)}", shape=folder, style=solid];')
    for here, name in picture.missing.values():
        lines.append(
            f'  {here} [label="{_dot_text(name)}\\nmissing", style="filled,dashed", '
            f'fillcolor="{_COLORS["missing"]}"];'
        )
    lines += [f"  {here} -> {target};" for here, target in picture.edges]
    lines += [f"  {here} -> {target} [style=dashed];" for here, target in picture.memberships]
    return "\n".join([*lines, "}", ""])


def _dot_text(name: str) -> str:
    # In a label, a backslash begins an escape and "&" an HTML entity.
    escaped = _readable(name).replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("&", "&amp;")


def mermaid(services: Sequence[ServiceNode], missing: Iterable[str]) -> str:
    """Return the graph as a Mermaid flowchart."""
    picture = _Picture(services, missing)
    lines = ["flowchart LR"]
    for here, node in picture.nodes:
        kind = _kind(node.state)
        lines.append(f'  {here}["{_mermaid_text(node.name)}"]' + (f":::{kind}" if kind else ""))
    for here, name in picture.groups.values():
        lines.append(f'  {here}(["{_mermaid_text(name)}"])')
    for here, name in picture.missing.values():
        lines.append(f'  {here}["{_mermaid_text(name)} is missing"]:::missing')
    lines += [f"  {here} --> {target}" for here, target in picture.edges]
    lines += [f"  {here} -.-> {target}" for here, target in picture.memberships]
    used = {_kind(node.state) for node in services} | ({"missing"} if picture.missing else set())
    for kind, color in _COLORS.items():
        if kind in used:
            dashes = ",stroke-dasharray:4" if kind == "missing" else ""
            lines.append(f"  classDef {kind} fill:{color},color:#000,stroke:#666{dashes}")
    return "\n".join([*lines, ""])


def _mermaid_text(name: str) -> str:
    # Characters with a meaning in Mermaid, Markdown or HTML are written as numbers.
    return "".join(
        char if char.isalnum() or char in " _-." or char > "\x7f" else f"#{ord(char)};"
        for char in _readable(name)
    )


# ----------------------------------------------------------------------- a tree


@dataclass(frozen=True, slots=True)
class _Branch:
    """One line of a tree."""

    key: str  # equal for equal nodes
    label: str
    node: ServiceNode | None = None
    services: tuple[str, ...] = ()  # the branches of a group


class _Tree:
    """A tree, in which the branches below a node are drawn once."""

    def __init__(
        self,
        services: Sequence[ServiceNode],
        missing: Iterable[str],
        errors: Mapping[str, Win32Error],
        dependents: bool,
    ) -> None:
        self._nodes = {name_key(node.name): node for node in services}
        self._errors = errors
        self._dependents = dependents
        self._missing = {name_key(name) for name in missing}
        self._members: dict[str, list[str]] = {}  # of groups, by "+" and the name
        self._needing: dict[
            str, dict[str, str]
        ] = {}  # the dependents of a service or group, by key
        for node in services:
            if node.group:
                self._members.setdefault(_group(node), []).append(node.name)
            for item in node.dependencies:
                names = self._needing.setdefault(name_key(str(item)), {})
                names[name_key(node.name)] = node.name
        self.drawn: dict[str, bool] = {}  # by key, whether there are branches below

    def is_root(self, node: ServiceNode) -> bool:
        """Return whether a service is below no other service."""
        key = name_key(node.name)
        if self._dependents:
            others = {name_key(str(item)) for item in node.dependencies} - self._missing
        else:
            others = set(self._needing.get(key, ())) | set(self._needing.get(_group(node), ()))
        return not others - {key}

    def service(self, node: ServiceNode) -> _Branch:
        facts = [] if node.state is None else [_state(node.state)]
        if node.name in self._errors:
            code = self._errors[node.name].winerror
            facts.append(f"dependencies could not be read: error {code}")
        label = _readable(node.name) + (f" ({', '.join(facts)})" if facts else "")
        return _Branch(name_key(node.name), label, node)

    def _named(self, name: str) -> _Branch:
        return self.service(self._nodes[name_key(name)])

    def _below(self, branch: _Branch) -> list[_Branch]:
        node = branch.node
        if node is None:
            return [self._named(name) for name in branch.services]
        if not self._dependents:
            items = {name_key(str(item)): item for item in node.dependencies}
            return [self._item(key, item) for key, item in items.items()]
        below = [self._named(name) for name in self._needing.get(branch.key, {}).values()]
        if needing := self._needing.get(_group(node)):
            label = _readable(f"+{node.group}")
            below.append(_Branch(_group(node), label, None, tuple(needing.values())))
        return below

    def _item(self, key: str, item: Dependency) -> _Branch:
        if key in self._missing:
            return _Branch(key, f"{_readable(str(item))} (missing)")
        if isinstance(item, ServiceDependency):
            return self._named(item.name)
        return _Branch(key, _readable(str(item)), None, tuple(self._members[key]))

    def lines(self, root: _Branch) -> Iterator[str]:
        below = self._below(root)
        self.drawn[root.key] = bool(below)
        yield root.label
        path = [("", below[::-1])]
        while path:
            before, rest = path[-1]
            if not rest:
                path.pop()
                continue
            branch = rest.pop()
            corner, line = ("├─ ", "│  ") if rest else ("└─ ", "   ")
            if branch.key in self.drawn:
                yield before + corner + branch.label + (" ..." if self.drawn[branch.key] else "")
                continue
            yield before + corner + branch.label
            below = self._below(branch)
            self.drawn[branch.key] = bool(below)
            path.append((before + line, below[::-1]))


def text(
    services: Sequence[ServiceNode],
    missing: Iterable[str],
    errors: Mapping[str, Win32Error],
    root: ServiceNode | None,
    *,
    dependents: bool,
) -> str:
    """Return the graph, or the part below *root*, as a tree.

    A service or group that has branches is drawn with them once; "..." marks its other places.
    """
    tree = _Tree(services, missing, errors, dependents)
    if root is not None:
        return _joined(tree.lines(tree.service(root)))
    lines: list[str] = []
    for node in filter(tree.is_root, services):
        lines += tree.lines(tree.service(node))
    for node in services:  # nodes that are reachable only through a cycle
        if name_key(node.name) not in tree.drawn:
            lines += tree.lines(tree.service(node))
    return _joined(lines)


def _group(node: ServiceNode) -> str:
    return "+" + name_key(node.group)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _state(state: State) -> str:
    return state.name.lower().replace("_", " ")
