"""The dependency graph: its orders, its cycles, what is missing, and its pictures."""

from __future__ import annotations

import io
import json
import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsvc import (
    AccessDeniedError,
    DependencyGraph,
    MachineUnreachableError,
    NotFoundError,
    ServiceAccess,
    ServiceManager,
    ServiceNode,
    ServiceType,
    State,
    ValidationError,
)
from winsvc._util.text import name_key
from winsvc._values.dependency import GroupDependency, parse_dependencies
from winsvc.cli import main
from winsvc.testing import SimulatedSCM

S = State


def node(name: str, *needs: str, group: str = "", state: State | None = None) -> ServiceNode:
    return ServiceNode(name, parse_dependencies(needs), group, state)


def graph(*nodes: ServiceNode) -> DependencyGraph:
    return DependencyGraph(nodes)


SMALL = graph(
    node("low", state=S.RUNNING),
    node("Middle", "LOW", "+Net", state=S.START_PENDING),
    node("top", "middle", "nix", state=S.STOPPED),
    node("one", group="NET", state=S.PAUSED),
    node("two", "low", group="net"),
    node("a", "b"),
    node("b", "A", "+none"),
    node("self", "Self"),
    node("own", "+own", group="Own"),
)

# ------------------------------------------------------------------- what needs what


def test_graph_returns_direct_and_transitive_dependencies_and_dependents() -> None:
    assert SMALL.dependencies_of("TOP") == ("low", "one", "two", "Middle")
    assert SMALL.dependencies_of("top", direct=True) == ("Middle",)
    assert SMALL.dependencies_of("middle", direct=True) == ("low", "one", "two")
    assert SMALL.dependents_of("two") == ("top", "Middle")
    assert SMALL.dependents_of("two", direct=True) == ("Middle",)
    assert SMALL.dependents_of("low") == ("top", "Middle", "two")
    assert SMALL.dependencies_of("a") == SMALL.dependents_of("a") == ("b",)
    assert SMALL.dependencies_of("self") == ()


def test_start_order_puts_dependencies_first_and_stop_order_last() -> None:
    assert SMALL.start_order(["top"]) == ("low", "one", "two", "Middle", "top")
    assert SMALL.stop_order(["LOW"]) == ("top", "Middle", "two", "low")
    assert SMALL.start_order() == SMALL.stop_order()[::-1]
    assert len(SMALL.start_order()) == len(SMALL) == 9
    assert SMALL.start_order([]) == ()


def test_cycles_and_missing_list_circular_and_absent_dependencies() -> None:
    assert SMALL.cycles() == (("b", "a"), ("self",), ("own",))
    assert SMALL.missing() == {"nix": ("top",), "+none": ("b",)}
    assert graph(node("x", "y", "Y"), node("z", "Y")).missing() == {"y": ("x", "z")}


def test_graph_with_unknown_name_raises_key_error() -> None:
    for call in (
        SMALL.dependencies_of,
        SMALL.dependents_of,
        SMALL.__getitem__,
        SMALL.subgraph,
        SMALL.to_text,
        lambda name: SMALL.start_order([name]),
    ):
        with pytest.raises(KeyError, match="the service 'nix'"):
            call("nix")
    assert "nix" not in SMALL
    assert "TOP" in SMALL
    assert 5 not in SMALL
    assert SMALL["TOP"].name == "top"
    with pytest.raises(TypeError):
        SMALL.start_order("top")


def test_graph_with_duplicate_name_raises_argument_error() -> None:
    with pytest.raises(ValidationError, match=r"services\[2\]: 'X' is a duplicate name"):
        graph(node("x"), node("y"), node("X"))
    with pytest.raises(TypeError):
        DependencyGraph([])  # type: ignore[arg-type]


def test_graph_pickles_and_compares_by_value() -> None:
    copy = pickle.loads(pickle.dumps(SMALL))
    assert copy == SMALL
    assert hash(copy) == hash(SMALL)
    assert copy.to_text() == SMALL.to_text()
    assert repr(SMALL) == "<DependencyGraph: 9 services, 10 dependencies>"


def test_subgraph_selects_reachable_services_and_keeps_missing() -> None:
    part = SMALL.subgraph("top")
    assert [services.name for services in part] == ["low", "Middle", "top", "one", "two"]
    assert part.missing() == {"nix": ("top",)}
    above = SMALL.subgraph("one", dependencies=False, dependents=True)
    assert [services.name for services in above] == ["Middle", "top", "one"]
    assert above.missing() == {"nix": ("top",)}  # low, which is left out, is not missing
    assert [str(item) for item in above["middle"].dependencies] == ["+Net"]
    both = SMALL.subgraph("low", "self", dependents=True)
    assert [services.name for services in both] == ["low", "Middle", "top", "two", "self"]
    assert len(SMALL.subgraph()) == 0


# ------------------------------------------------------------------- any graph

NAMES = [f"s{i}" for i in range(9)]
GROUPS = ["g0", "g1", "g2"]


@st.composite
def graphs(draw: st.DrawFn) -> DependencyGraph:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    wanted = st.lists(
        st.sampled_from([*NAMES, *map(str.upper, NAMES), *(f"+{group}" for group in GROUPS)]),
        max_size=4,
    )
    groups = st.sampled_from(["", "", *GROUPS, "G0"])
    states = st.sampled_from([None, *State])
    return graph(
        *(node(name, *draw(wanted), group=draw(groups), state=draw(states)) for name in names)
    )


def edges(services: DependencyGraph) -> Iterator[tuple[str, str]]:
    """Yield the edges of the graph, computed by a full search."""
    for each in services:
        for item in each.dependencies:
            for other in services:
                if isinstance(item, GroupDependency):
                    found = name_key(other.group) == name_key(item.name)
                else:
                    found = name_key(other.name) == name_key(item.name)
                if found:
                    yield each.name, other.name


def reachable(services: DependencyGraph) -> dict[str, set[str]]:
    known = {each.name: set[str]() for each in services}
    for source, target in edges(services):
        known[source].add(target)
    for middle in known:
        for source in known:
            if middle in known[source]:
                known[source] |= known[middle]
    return known


@given(graphs())
def test_dependencies_and_dependents_match_reachable_services(services: DependencyGraph) -> None:
    known = reachable(services)
    for name in known:
        assert set(services.dependencies_of(name)) == known[name] - {name}
        assert set(services.dependents_of(name)) == {
            other for other in known if name in known[other]
        } - {name}
        direct = {target for source, target in edges(services) if source == name} - {name}
        assert set(services.dependencies_of(name, direct=True)) == direct
        direct = {source for source, target in edges(services) if target == name} - {name}
        assert set(services.dependents_of(name, direct=True)) == direct


@given(graphs(), st.data())
def test_orders_respect_every_edge_that_is_in_no_cycle(
    services: DependencyGraph, data: st.DataObject
) -> None:
    known = reachable(services)
    chosen = data.draw(st.lists(st.sampled_from(sorted(known)))) if known else []
    for names in (None, chosen):
        starting, stopping = services.start_order(names), services.stop_order(names)
        wanted = set(known if names is None else names)
        assert len(set(starting)) == len(starting)
        assert set(starting) == wanted.union(*(known[name] for name in wanted))
        assert set(stopping) == wanted | {name for name in known if known[name] & wanted}
        for source, target in edges(services):
            if source in known[target]:
                continue  # a cycle
            if source in starting:
                assert starting.index(target) < starting.index(source)
            if target in stopping:
                assert stopping.index(source) < stopping.index(target)


@given(graphs())
def test_cycles_match_mutually_reachable_services(services: DependencyGraph) -> None:
    known = reachable(services)
    expected = {
        frozenset(other for other in known if other in known[name] and name in known[other])
        for name in known
        if name in known[name]
    }
    assert {frozenset(cycle) for cycle in services.cycles()} == expected
    assert len(services.cycles()) == len(expected)


def drawn(text: str) -> list[str]:
    """Return the names on the lines of a tree."""
    return [re.sub(r"^[├─└│ ]*", "", line).split(" (")[0] for line in text.splitlines()]


@given(graphs())
def test_any_graph_renders_as_json_dot_mermaid_and_text(services: DependencyGraph) -> None:
    value: Any = services.to_json()
    assert json.loads(json.dumps(value)) == value
    assert [each["name"] for each in value["services"]] == [each.name for each in services]
    dot = services.to_dot()
    flow = services.to_mermaid()
    for each in services:
        assert f'label="{each.name}' in dot
        assert f'["{each.name}"]' in flow
    for dependents in (False, True):
        assert {each.name for each in services} <= set(
            drawn(services.to_text(dependents=dependents))
        )
        for each in services:
            tree = services.to_text(each.name.upper(), dependents=dependents)
            assert drawn(tree)[0] == each.name
            part = services.subgraph(each.name, dependents=dependents)
            assert {other.name for other in part} <= set(drawn(part.to_text()))


@given(graphs(), st.data())
def test_subgraph_reports_only_missing_names_of_whole_graph(
    services: DependencyGraph, data: st.DataObject
) -> None:
    names = (
        data.draw(st.lists(st.sampled_from([each.name for each in services])))
        if len(services)
        else []
    )
    up, down = data.draw(st.booleans()), data.draw(st.booleans())
    part = services.subgraph(*names, dependencies=down, dependents=up)
    assert set(map(name_key, part.missing())) <= set(map(name_key, services.missing()))
    if down:
        for name in names:
            assert set(part.dependencies_of(name)) == set(services.dependencies_of(name))


# ------------------------------------------------------------------- pictures


def test_to_text_draws_dependency_tree() -> None:
    assert SMALL.subgraph("top").to_text() == (
        "top (stopped)\n"
        "├─ Middle (start pending)\n"
        "│  ├─ low (running)\n"
        "│  └─ +Net\n"
        "│     ├─ one (paused)\n"
        "│     └─ two\n"
        "│        └─ low (running)\n"
        "└─ nix (missing)\n"
    )
    assert SMALL.to_text("two", dependents=True) == (
        "two\n└─ +net\n   └─ Middle (start pending)\n      └─ top (stopped)\n"
    )
    assert SMALL.to_text("a") == "a\n└─ b\n   ├─ a ...\n   └─ +none (missing)\n"
    assert graph().to_text() == ""


# What a name may hold: of all characters a key name lacks only / and \, a group not even these.
ODD = "a\"b\\n<i>&amp;#35;`x`[y](z){|}\n\t\x01end;é\U0001f600\ud800'--%%"
SURROGATE = re.compile("[\ud800-\udfff]")


def test_graph_output_escapes_special_characters_in_names() -> None:
    services = graph(node(ODD, f"+{ODD}", ODD[::-1]), node("x", group=ODD), node("end", "x"))
    dot = services.to_dot()
    assert not SURROGATE.search(dot)
    (first, *_) = [line for line in dot.splitlines() if line.startswith("  n0 ")]
    assert first == (
        '  n0 [label="a\\"b\\\\n<i>&amp;amp;#35;`x`[y](z){|}\\\\x0a\\\\x09\\\\x01end;é\U0001f600'
        "\\\\xd800'--%%\"];"
    )
    flow = services.to_mermaid()
    assert not SURROGATE.search(flow)
    for line in flow.splitlines()[1:]:
        assert re.fullmatch(
            r'  (n\d|g\d|m\d)(\["[\w #;.\U0001f600-]*"\]|\(\["[\w #;.\U0001f600-]*"\]\))?'
            r"(:::missing| -->.*| -\.->.*)?|  classDef .*",
            line,
        ), line
    assert "\n" not in services.to_text(ODD).splitlines()[0]
    assert all(line.isprintable() for line in services.to_text().splitlines())


# ------------------------------------------------------------------- many


def test_graph_with_5000_services_is_ordered_and_rendered() -> None:
    count = 5000
    nodes = [
        node(
            f"s{i}",
            *(f"S{i * 7 % n}" for n in (11, 101, 1009) if i),
            *([f"+g{i % 20}"] if i % 5 == 0 else []),
            group=f"G{i % 40}",
        )
        for i in range(count)
    ]
    services = graph(*nodes)
    assert len(services.start_order()) == count
    assert len(services.cycles()) > 0
    for each in range(0, count, 250):
        services.dependents_of(f"s{each}")
    for text in (services.to_dot(), services.to_mermaid(), services.to_text("s77")):
        assert text


def test_graph_with_chain_of_3000_services_is_ordered_and_rendered() -> None:
    services = graph(*(node(f"s{i}", f"s{i + 1}") for i in range(3000)), node("s3000"))
    assert services.start_order(["s0"])[0] == "s3000"
    assert services.stop_order(["s3000"])[0] == "s0"
    assert services.cycles() == ()
    assert services.to_text().count("\n") == 3001


# ------------------------------------------------------------------- of a machine


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        sim.add("low", state=S.RUNNING, service_type=ServiceType.KERNEL_DRIVER)
        sim.add("middle", dependencies=["LOW"], load_order_group="Net", state=S.RUNNING)
        sim.add("top", dependencies=["+net"])
        yield sim
        assert not sim.open_handles


def test_manager_graph_reads_services_and_dependencies(sim: SimulatedSCM) -> None:
    with ServiceManager() as scm:
        services = scm.graph()
        assert scm.graph(service_type=ServiceType.WIN32).missing() == {"LOW": ("middle",)}
    assert [each.name for each in services] == ["low", "middle", "top"]
    assert services.dependents_of("low") == ("top", "middle")
    assert services["middle"] == node("middle", "LOW", group="Net", state=S.RUNNING)
    assert not services.errors
    assert len([call for call in sim.calls if call.function == "QueryServiceConfigW"]) == 5


def test_manager_graph_with_unreadable_service_records_its_error(sim: SimulatedSCM) -> None:
    sim.faults.deny(ServiceAccess.QUERY_CONFIG, "middle")
    sim.faults.fail("QueryServiceConfigW", 2, service="top")
    with ServiceManager() as scm:
        services = scm.graph()
    assert isinstance(services.errors["middle"], AccessDeniedError)
    assert isinstance(services.errors["top"], NotFoundError)
    assert services["top"].state is S.STOPPED
    assert "middle (running, dependencies could not be read: error 5)" in services.to_text()
    assert set(services.subgraph("middle").errors) == {"middle"}
    assert "dotted" in services.to_dot()
    printed = services.to_json()["errors"]
    assert isinstance(printed, dict)
    assert "QUERY_CONFIG" in str(printed["middle"])


def test_manager_graph_omits_service_deleted_during_query(sim: SimulatedSCM) -> None:
    sim.faults.before("OpenServiceW", lambda: sim.local.remove("top"), service="top")
    with ServiceManager() as scm:
        assert [each.name for each in scm.graph()] == ["low", "middle"]


def test_manager_graph_with_lost_connection_raises_unreachable(sim: SimulatedSCM) -> None:
    sim.faults.before("OpenServiceW", sim.local.disconnect, service="middle")
    with ServiceManager() as scm:
        with pytest.raises(MachineUnreachableError):
            scm.graph()
        sim.local.reconnect()


def test_graph_command_prints_every_format(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph"]) == 0
    assert capsys.readouterr().out == (
        "top (stopped)\n└─ +net\n   └─ middle (running)\n      └─ low (running)\n"
    )
    assert main(["graph", "LOW"]) == 0
    assert capsys.readouterr().out == "low (running)\n"
    assert main(["graph", "LOW", "--dependents"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "      └─ top (stopped)"
    assert main(["graph", "middle", "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in printed["services"]] == ["low", "middle"]
    assert printed["services"][1]["dependencies"] == ["LOW"]
    assert main(["graph", "--format", "dot"]) == 0
    assert capsys.readouterr().out.startswith("digraph ")
    assert main(["graph", "middle", "--dependents", "--format", "mermaid"]) == 0
    assert capsys.readouterr().out.startswith("flowchart LR\n")


def test_graph_command_with_unknown_service_or_no_dot_reports_error(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", "nix"]) == 1
    assert "1060" in capsys.readouterr().err


def test_graph_command_on_cp1252_console_draws_ascii_tree(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="cp1252", newline="\n"))
    assert main(["graph", "top"]) == 0
    assert output.getvalue().splitlines()[1:3] == [b"`- +net", b"   `- middle (running)"]


def test_graph_command_with_simulate_prints_tree(tmp_path: Path) -> None:
    file = tmp_path / "machine.json"
    file.write_text('{"services": {"a": {"dependencies": ["b"]}, "b": {"state": "running"}}}')
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "winsvc", "--simulate", str(file), "graph", "a"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == "a (stopped)\n└─ b (running)\n"
