"""Watch services while their states change."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable

import pytest
from differences import Differs
from support import Waits

from winsvc import (
    ConfigChanged,
    Service,
    ServiceCreated,
    ServiceDeleted,
    ServiceEvent,
    ServiceManager,
    State,
    StatusChanged,
    Watch,
)


def until(events: Watch, wanted: Callable[[ServiceEvent], bool]) -> list[ServiceEvent]:
    """Return the events up to the wanted one."""
    seen: list[ServiceEvent] = []
    while not seen or not wanted(seen[-1]):
        event = events.wait(30)
        assert event is not None, f"nothing but {seen}"
        seen.append(event)
    return seen


def reached(state: State) -> Callable[[ServiceEvent], bool]:
    return lambda event: isinstance(event, StatusChanged) and event.new.state is state


def states(seen: list[ServiceEvent]) -> list[State]:
    """Return the states in their order; each begins where the one before ended."""
    changes = [event for event in seen if isinstance(event, StatusChanged)]
    for before, after in itertools.pairwise(changes):
        assert before.new.state is after.old.state
    return [event.new.state for event in changes]


def settled(seen: list[ServiceEvent]) -> list[State]:
    """Return the states without the pending ones."""
    return [state for state in states(seen) if not state.name.endswith("_PENDING")]


def test_watch_of_single_service_reports_each_state_in_order(installed: Service) -> None:
    with installed.watch(interval=30) as events:
        assert events.wait(0) is None
        installed.start("slow=300", wait=False)
        seen = until(events, reached(State.RUNNING))
        assert states(seen) == [State.START_PENDING, State.RUNNING]
        assert {event.name for event in seen} == {installed.name}
        installed.pause(timeout=30)
        seen = until(events, reached(State.PAUSED))
        installed.resume(timeout=30)
        seen += until(events, reached(State.RUNNING))
        installed.stop(timeout=30)
        seen += until(events, reached(State.STOPPED))
        assert settled(seen) == [State.PAUSED, State.RUNNING, State.STOPPED]
        assert events.wait(0) is None
    assert events.closed
    assert events.wait(30) is None
    assert list(events) == []


def test_watch_of_all_services_reports_creation_changes_and_deletion(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()

    def mine(kind: type[ServiceEvent]) -> Callable[[ServiceEvent], bool]:
        return lambda event: isinstance(event, kind) and event.name == name

    with scm.watch(interval=0.1) as events:
        with scm.create(name, program) as service:
            seen = until(events, mine(ServiceCreated))
            service.start(timeout=30)
            seen += until(events, reached(State.RUNNING))
            service.stop(timeout=30)
            seen += until(events, reached(State.STOPPED))
            service.delete()
        seen += until(events, mine(ServiceDeleted))
    seen = [event for event in seen if event.name == name]
    assert isinstance(seen[0], ServiceCreated)
    assert seen[0].status is not None
    assert states(seen)[-1] is State.STOPPED


def test_watch_of_missing_service_reports_its_creation(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name, other = unique_name(), unique_name()
    with scm.watch(name, interval=0.1) as events:
        scm.create(other, program).close()
        scm.delete(other, wait=True, timeout=30)
        scm.create(name, program).close()
        first = events.wait(30)
        assert isinstance(first, ServiceCreated)
        assert first.name == name
        scm.delete(name)
        assert events.wait(30) == ServiceDeleted(name)  # the watch does not keep it
        assert not scm.exists(name)
        scm.create(name, program).close()
        assert isinstance(events.wait(30), ServiceCreated)
    scm.delete(name, wait=True, timeout=30)


def test_watch_reports_config_change(installed: Service, wine_differs: Differs) -> None:
    with installed.watch(interval=30) as events:
        installed.configure(display_name=f"{installed.name} changed")
        if wine_differs("missing-calls"):
            installed.start()
            seen = until(events, reached(State.RUNNING))
            assert {type(event) for event in seen} == {StatusChanged}
        else:
            assert events.wait(30) == ConfigChanged(installed.name)


@pytest.mark.parametrize("named", [False, True])
def test_watch_closed_by_another_thread_ends_iteration(
    scm: ServiceManager, installed: Service, waits: Waits, named: bool
) -> None:
    events = scm.watch(installed.name) if named else scm.watch()
    closed: list[bool] = []

    def close() -> None:
        try:
            waits.until(1)  # the iteration waits
            closed.append(events.closed)
        finally:
            events.close()

    thread = threading.Thread(target=close)
    thread.start()
    seen = [event for event in events if event.name == installed.name]
    thread.join()
    assert seen == []
    assert closed == [False]
    assert events.closed


def test_watch_after_manager_and_service_close_still_reports(installed: Service) -> None:
    with ServiceManager() as scm, scm.open(installed.name) as service:
        events = service.watch(interval=30)
    with events:
        installed.start(timeout=30)
        assert settled(until(events, reached(State.RUNNING))) == [State.RUNNING]


def test_watch_of_rapid_changes_reports_every_settled_state(installed: Service) -> None:
    with installed.watch(interval=30) as events:
        installed.start(timeout=30)
        until(events, reached(State.RUNNING))
        seen: list[ServiceEvent] = []
        for _ in range(20):
            installed.pause()
            seen += until(events, reached(State.PAUSED))
            installed.resume()
            seen += until(events, reached(State.RUNNING))
        installed.stop(timeout=30)
        seen += until(events, reached(State.STOPPED))
        assert settled(seen) == [State.PAUSED, State.RUNNING] * 20 + [State.STOPPED]
        assert events.wait(0) is None
