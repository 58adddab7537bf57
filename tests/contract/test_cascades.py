"""Cascades over dependencies and dependents, and the dependency graph."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from differences import Differs

from winsvc import (
    CascadeError,
    DependentServicesRunningError,
    NotFoundError,
    Service,
    ServiceAlreadyRunningError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceStartError,
    State,
    WaitTimeoutError,
    Win32Error,
)
from winsvc.cli import main


@pytest.fixture
def dependent(
    scm: ServiceManager, installed: Service, program: str, unique_name: Callable[[], str]
) -> Iterator[Service]:
    """Return a stopped service that depends on the installed one."""
    with scm.create(unique_name(), program, dependencies=[installed.name.upper()]) as service:
        yield service
        try:
            service.stop(timeout=20)
        except Win32Error:
            pass  # not running
        service.delete()


def states(*services: Service) -> list[State]:
    return [service.status().state for service in services]


def test_stop_with_running_dependent_stops_both(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    installed.start(timeout=20)
    dependent.start(timeout=20)
    assert installed.stop_with_dependents(timeout=20, total_timeout=60).state is State.STOPPED
    # Wine does not list dependents, and allows to stop a service that they need.
    left = State.RUNNING if wine_differs("dependents") else State.STOPPED
    assert states(installed, dependent) == [State.STOPPED, left]


def test_stop_cascade_without_dependents_stops_service(installed: Service) -> None:
    with pytest.raises(ServiceNotActiveError):
        installed.stop_with_dependents()
    installed.start(timeout=20)
    assert installed.stop_with_dependents().state is State.STOPPED


def test_restart_with_paused_dependent_restores_both_states(
    installed: Service, dependent: Service
) -> None:
    installed.start(timeout=20)
    dependent.start(timeout=20)
    dependent.pause(timeout=20)
    before = installed.status().pid
    status = installed.restart("again", timeout=20)
    assert status.state is State.RUNNING
    assert status.pid != before
    assert states(installed, dependent) == [State.RUNNING, State.PAUSED]


def test_restart_of_stopped_service_starts_it(installed: Service) -> None:
    assert installed.restart(timeout=20).state is State.RUNNING
    installed.stop(timeout=20)


def test_start_with_dependencies_starts_both_services(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    dependent.start_with_dependencies("one", timeout=20)
    first = State.STOPPED if wine_differs("dependencies-read") else State.RUNNING
    assert states(installed, dependent) == [first, State.RUNNING]
    with pytest.raises(ServiceAlreadyRunningError):
        dependent.start_with_dependencies()


def test_start_with_failing_dependency_raises_cascade_error(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    installed.configure(binary_path=r"C:\no\such\program.exe")
    if wine_differs("dependencies-start"):
        dependent.start_with_dependencies(timeout=20)
        assert states(installed, dependent) == [State.STOPPED, State.RUNNING]
        return
    with pytest.raises(CascadeError) as caught:
        dependent.start_with_dependencies(timeout=20)
    error = caught.value
    assert isinstance(error.error, NotFoundError)
    assert [str(step) for step in error.failed] == [f"start {installed.name.upper()}"]
    assert [str(step) for step in error.not_done] == [f"start {dependent.name}"]
    assert states(installed, dependent) == [State.STOPPED, State.STOPPED]


def test_start_cascade_past_timeout_raises_timeout_error(installed: Service) -> None:
    with pytest.raises(WaitTimeoutError):
        installed.start_with_dependencies("slow=3000", timeout=0.2)
    assert installed.status().state is State.START_PENDING
    assert installed.wait(State.RUNNING, timeout=20).state is State.RUNNING


def test_start_with_missing_group_raises_dependency_error(
    scm: ServiceManager, program: str, unique_name: Callable[[], str], wine_differs: Differs
) -> None:
    with scm.create(unique_name(), program, dependencies=["+winsvc no such group"]) as service:
        try:
            if wine_differs("dependencies-read"):
                assert service.start_with_dependencies(timeout=20).state is State.RUNNING
                service.stop(timeout=20)
            else:
                with pytest.raises(ServiceStartError, match="winsvc no such group") as caught:
                    service.start_with_dependencies(timeout=20)
                assert caught.value.winerror == 1075
        finally:
            service.delete()


def test_restart_without_dependents_is_refused_while_dependent_runs(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    installed.start(timeout=20)
    dependent.start(timeout=20)
    if wine_differs("dependencies-start"):
        assert installed.restart(dependents=False, timeout=20).state is State.RUNNING
    else:
        with pytest.raises(DependentServicesRunningError) as caught:
            installed.restart(dependents=False, timeout=20)
        assert caught.value.winerror == 1051
        assert caught.value.dependents == (dependent.name,)
    assert states(installed, dependent) == [State.RUNNING, State.RUNNING]


def test_cascade_reports_progress_of_each_service(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    seen: list[tuple[str, State]] = []
    installed.start(timeout=20)
    dependent.start(timeout=20)
    installed.stop_with_dependents(
        timeout=20, progress=lambda name, status: seen.append((name, status.state))
    )
    stopped = [name for name, state in seen if state is State.STOPPED]
    names = [dependent.name, installed.name]
    assert stopped == (names[1:] if wine_differs("dependents") else names)


@pytest.mark.parametrize("options", [{"total_timeout": -5}, {"timeout": "soon"}, {"progress": 5}])
def test_cascade_with_invalid_argument_raises_and_sends_nothing(
    installed: Service, options: dict[str, Any]
) -> None:
    installed.start(timeout=20)
    for cascade in (
        installed.stop_with_dependents,
        installed.restart,
        installed.start_with_dependencies,
    ):
        with pytest.raises((TypeError, ValueError), match=next(iter(options))):
            cascade(**options)
    assert installed.status().state is State.RUNNING


# ------------------------------------------------------------------- stopped for a block


def test_stopped_block_stops_service_and_starts_it_again(installed: Service) -> None:
    before = installed.start(timeout=20).pid
    with installed.stopped(timeout=20) as service:
        assert service is installed
        assert service.status().state is State.STOPPED
        service.configure(description="changed")
    status = installed.status()
    assert status.state is State.RUNNING
    assert status.pid != before


def test_stopped_block_leaves_stopped_service_stopped(installed: Service) -> None:
    with installed.stopped(timeout=20):
        assert installed.status().state is State.STOPPED
    assert installed.status().state is State.STOPPED


def test_stopped_block_restores_paused_service_and_dependent(
    installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    installed.start(timeout=20)
    dependent.start(timeout=20)
    dependent.pause(timeout=20)
    installed.pause(timeout=20)
    with installed.stopped(timeout=20):
        left = State.PAUSED if wine_differs("dependents") else State.STOPPED
        assert states(installed, dependent) == [State.STOPPED, left]
    assert states(installed, dependent) == [State.PAUSED, State.PAUSED]


@pytest.mark.parametrize(("restores", "expected"), [(True, State.RUNNING), (False, State.STOPPED)])
def test_stopped_block_that_raises_restores_service_unless_refused(
    installed: Service, restores: bool, expected: State
) -> None:
    installed.start(timeout=20)
    with pytest.raises(RuntimeError, match="mine"):
        with installed.stopped(timeout=20, restore_on_error=restores):
            raise RuntimeError("mine")
    assert installed.status().state is expected


def test_stopped_block_that_cannot_restore_adds_note_to_error(installed: Service) -> None:
    installed.start(timeout=20)

    def change() -> None:
        with installed.stopped(timeout=20):
            installed.configure(binary_path=r"C:\no\such\program.exe")
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine") as caught:
        change()
    (note,) = caught.value.__notes__
    assert "could not be restored" in note
    assert installed.status().state is State.STOPPED


def test_graph_of_dependent_services_gives_start_order(
    scm: ServiceManager, installed: Service, dependent: Service, wine_differs: Differs
) -> None:
    installed.configure(load_order_group="winsvc-test group")
    graph = scm.graph()
    assert installed.name.upper() in graph
    assert graph[installed.name].group == "winsvc-test group"
    assert graph[installed.name].state is State.STOPPED
    assert {info.name for info in scm.services()} <= {node.name for node in graph}
    needed = () if wine_differs("dependencies-read") else (installed.name,)
    assert graph.dependencies_of(dependent.name) == needed
    order = graph.start_order([installed.name, dependent.name])
    assert set(order) == {installed.name, dependent.name}
    if needed:
        assert order == (installed.name, dependent.name)
        assert graph.dependents_of(installed.name) == (dependent.name,)


def test_graph_with_group_dependency_resolves_group_members(
    scm: ServiceManager,
    installed: Service,
    program: str,
    unique_name: Callable[[], str],
    wine_differs: Differs,
) -> None:
    group = f"{unique_name()} group"
    installed.configure(load_order_group=group)
    with ExitStack() as closing:
        user = closing.enter_context(
            scm.create(unique_name(), program, dependencies=[f"+{group.upper()}"])
        )
        closing.callback(user.delete)
        graph = scm.graph()
        assert graph[installed.name].group == group
        if wine_differs("dependencies-read"):
            assert graph.dependencies_of(user.name) == ()
        else:
            assert graph.dependencies_of(user.name) == (installed.name,)
            user.start_with_dependencies(timeout=20)
            assert states(installed, user) == [State.RUNNING, State.RUNNING]
            installed.restart(timeout=20)
            assert states(installed, user) == [State.RUNNING, State.RUNNING]
            installed.stop_with_dependents(timeout=20)
            assert states(installed, user) == [State.STOPPED, State.STOPPED]


def test_graph_command_in_each_format_lists_dependent(
    installed: Service, dependent: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["graph", dependent.name.upper(), "--format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert dependent.name in {item["name"] for item in document["services"]}
    assert main(["graph", dependent.name]) == 0
    assert capsys.readouterr().out.startswith(f"{dependent.name} (stopped)\n")
    for kind in ("text", "dot", "mermaid"):
        assert main(["graph", "--format", kind]) == 0
        assert dependent.name in capsys.readouterr().out.replace("#45;", "-")
