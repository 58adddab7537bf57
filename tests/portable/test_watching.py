"""Test watching services on a simulated machine: the events, their order, no lost changes."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from winsvc import (
    AccessDeniedError,
    ConfigChanged,
    Control,
    FailureActions,
    HandleClosedError,
    MachineUnreachableError,
    MarkedForDeleteError,
    ServiceAccess,
    ServiceCreated,
    ServiceDeleted,
    ServiceEvent,
    ServiceManager,
    ServiceNotFoundError,
    ServiceType,
    State,
    StatusChanged,
    ValidationError,
    Watch,
    Win32Error,
)
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State
NOTIFY = "NotifyServiceStatusChangeW"
SLOW = ProgramBehavior(start_takes=3, stop_takes=3, check_point_every=9)


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("RpcSs", state=S.RUNNING)
    sim.add("beat", program=SLOW)
    yield sim
    assert sim.open_handles == 0


@pytest.fixture
def scm(sim: SimulatedSCM) -> Iterator[ServiceManager]:
    with ServiceManager(backend=sim) as scm:
        yield scm


def taken(events: Watch, timeout: float = 0) -> list[ServiceEvent]:
    """Return all events until none arrives within the timeout."""
    received: list[ServiceEvent] = []
    while (event := events.wait(timeout)) is not None:
        received.append(event)
    return received


def brief(events: list[ServiceEvent]) -> list[str]:
    """Such as ``+beat``, ``-beat``, ``beat STOPPED>RUNNING`` and ``beat config``."""
    lines: list[str] = []
    for event in events:
        if isinstance(event, ServiceCreated):
            lines.append(f"+{event.name}")
        elif isinstance(event, ServiceDeleted):
            lines.append(f"-{event.name}")
        elif isinstance(event, StatusChanged):
            lines.append(f"{event.name} {event.old.state.name}>{event.new.state.name}")
        else:
            assert isinstance(event, ConfigChanged)
            lines.append(f"{event.name} config")
    return lines


START = ["beat STOPPED>START_PENDING", "beat START_PENDING>RUNNING"]
STOP = ["beat RUNNING>STOP_PENDING", "beat STOP_PENDING>STOPPED"]


# ------------------------------------------------------------------- all, some, one


@pytest.mark.parametrize("names", [(), ("BEAT",), ("beat", "RpcSs", "no-such")])
def test_watch_reports_each_status_change_at_its_time(
    sim: SimulatedSCM, scm: ServiceManager, names: tuple[str, ...]
) -> None:
    with scm.watch(*names) as events:
        assert taken(events) == []
        with scm.open("beat") as beat:
            beat.start(wait=False)
        received = [line.replace("BEAT", "beat") for line in brief(taken(events, 10))]
        assert received == START
        first = sim.clock.now
        sim.clock.after(1, lambda: sim.local.crash("beat"))
        (event,) = taken(events, 2)
        assert isinstance(event, StatusChanged)
        assert (event.old.state, event.new.state, event.new.exit_code) == (
            S.RUNNING,
            S.STOPPED,
            1067,
        )
        assert sim.clock.now == first + 3


def test_watch_wait_returns_at_time_of_event(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.watch() as events:
        sim.clock.after(7, lambda: sim.local.crash("RpcSs"))
        event = events.wait()
        assert event is not None
        assert (event.name, sim.clock.now) == ("RpcSs", 7)


def test_watch_reports_created_and_deleted_services(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.watch() as events:
        with scm.create("New", "new.exe") as new:
            (event,) = taken(events)
            assert isinstance(event, ServiceCreated)
            assert event.name == "New"
            assert event.status == new.status()
            new.start(wait=False)
            assert brief(taken(events))[-1].endswith(">RUNNING")
            new.delete()
            assert taken(events) == []  # it still runs
            new.stop(wait=False)
            assert taken(events) == []  # a deleted service is polled
            assert brief(taken(events, 1)) == ["New RUNNING>STOPPED"]
        assert "New" not in sim  # the watch did not keep it
        assert brief(taken(events)) == ["-New"]
        scm.create("New", "new.exe").close()
        scm.delete("New")
        scm.create("new", "new.exe").close()
        assert brief(taken(events)) == ["+New", "-New", "+new"]
        scm.delete("new")
        assert brief(taken(events)) == ["-new"]
        scm.create("brief", "new.exe").close()
        sim.faults.before("OpenServiceW", lambda: sim.local.remove("brief"))
        assert events.wait(0) == ServiceCreated("brief", None)
        assert brief(taken(events)) == ["-brief"]


def test_watch_with_type_reports_only_that_type(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER)
    with scm.watch() as services, scm.watch(service_type=ServiceType.DRIVER, interval=2) as drivers:
        scm.create("fs", "fs.sys", service_type=ServiceType.FILE_SYSTEM_DRIVER).close()
        scm.create("new", "new.exe").close()
        with scm.open("disk") as disk:
            disk.start(wait=False)
        assert brief(taken(services)) == ["+new"]
        assert brief(taken(drivers, 3)) == ["+fs", "disk STOPPED>RUNNING"]


def test_watch_with_names_ignores_other_services(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.watch("beat", "later") as events:
        scm.create("other", "x.exe").close()
        sim.local.crash("RpcSs")
        scm.delete("other")
        scm.create("LATER", "x.exe").close()
        assert brief(taken(events, 1)) == ["+LATER"]


def test_service_watch_continues_after_service_is_closed(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("beat") as beat, beat.watch() as events:
        beat.start(wait=False)
        beat.close()
        scm.close()
        assert brief(taken(events, 5)) == START


def test_watch_reports_config_changes_if_subscribed(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.watch() as events, scm.open("beat") as beat:
        beat.configure(description="one", display_name="Two")
        assert brief(taken(events)) == ["beat config"]
        beat.configure(failure_actions=FailureActions.restart())
        assert brief(taken(events)) == ["beat config"]
        beat.status()
        assert taken(events) == []
    sim.faults.fail("SubscribeServiceChangeNotifications", 120, times=99)
    with scm.watch() as events, scm.open("beat") as beat:
        beat.configure(description="two")
        assert taken(events) == []


def test_watch_reports_new_process_in_same_state(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.watch("RpcSs") as events:
        before = sim["RpcSs"].pid
        sim.local.crash("RpcSs")
        with scm.open("RpcSs") as service:
            service.start(wait=False)
        (event,) = taken(events)
        assert isinstance(event, StatusChanged)
        assert (event.old.pid, event.old.state, event.new.state) == (before, S.RUNNING, S.RUNNING)
        assert event.new.pid == sim["RpcSs"].pid != before


# ------------------------------------------------------------------- nothing is lost


@pytest.mark.parametrize("nth", range(1, 7))
def test_watch_reports_crash_before_any_registration(
    sim: SimulatedSCM, scm: ServiceManager, nth: int
) -> None:
    """Report all changes that happen while the watch is armed."""
    sim["beat"].program = ProgramBehavior(start_takes=3, check_point_every=0.5)
    with scm.open("beat") as beat, scm.watch("beat") as events:
        assert taken(events) == []
        sim.faults.before(NOTIFY, lambda: sim.local.crash("beat"), nth=nth)
        beat.start(wait=False)
        assert brief(taken(events, 5)) == [
            "beat STOPPED>START_PENDING",
            "beat START_PENDING>STOPPED",
        ]
        assert sim.clock.now == pytest.approx((nth - 1) * 0.5 + 5)


def test_change_while_registration_is_renewed_is_reported(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("beat") as beat, scm.watch() as events:
        beat.start(wait=False)
        sim.faults.before(NOTIFY, lambda: sim.clock.advance(3))
        assert brief(taken(events, 5)) == ["beat STOPPED>RUNNING"]
        sim.faults.before(NOTIFY, lambda: sim.local.crash("beat"))
        sim.local.report("beat", S.PAUSED)
        assert brief(taken(events, 5)) == ["beat RUNNING>PAUSED", "beat PAUSED>STOPPED"]


@pytest.mark.parametrize(
    ("function", "nth"),
    [
        *((NOTIFY, nth) for nth in range(1, 6)),
        *(("QueryServiceStatusEx", nth) for nth in range(1, 7)),
        ("EnumServicesStatusExW", 1),
    ],
)
def test_watch_loses_no_change_while_opening(
    sim: SimulatedSCM, scm: ServiceManager, function: str, nth: int
) -> None:
    seen: list[int] = []

    def happen() -> None:
        sim.add("new")
        sim.local.crash("RpcSs")
        seen.append(1)

    sim.faults.before(function, happen, nth=nth)
    with scm.watch() as events:
        known = {item.name for item in events._watched.values()}
        states = {item.name: item.status.state for item in events._watched.values()}
        received = taken(events, 2)
    assert seen == [1]
    for event in received:
        if isinstance(event, ServiceCreated):
            assert event.name not in known
            known.add(event.name)
        else:
            assert isinstance(event, StatusChanged)
            states[event.name] = event.new.state
    assert known == {"RpcSs", "beat", "new"}
    assert states["RpcSs"] is S.STOPPED


def test_watch_with_lagging_service_notifications_recovers(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.watch() as events:
        for turn, nth in enumerate((1, 2, 3, 1, 2)):
            sim.faults.fail(NOTIFY, 1294, nth=nth)
            scm.create(f"new{turn}", "x.exe").close()
            with scm.open("beat") as beat:
                beat.start(wait=False)
            sim.clock.advance(5)
            sim.local.crash("beat")
            received = brief(taken(events, 5))
            assert f"+new{turn}" in received
            sim.faults.clear()
        sim.local.report("RpcSs", S.PAUSED)
        assert brief(taken(events, 5)) == ["RpcSs RUNNING>PAUSED"]


def test_watch_with_lagging_manager_notifications_recovers(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.watch() as events:
        assert taken(events) == []
        scm.create("one", "x.exe").close()
        sim.faults.fail(NOTIFY, 1294, nth=2)  # after that of the new service
        sim.faults.before(NOTIFY, lambda: sim.add("two"), nth=3)
        sim.faults.before(NOTIFY, lambda: sim.local.remove("RpcSs"), nth=3)
        received = brief(taken(events, 5))
        assert sorted(received) == ["+one", "+two", "-RpcSs"]
        sim.add("three")
        scm.create("four", "x.exe").close()
        assert "+four" in brief(taken(events, 5))


def test_watch_with_delayed_notifications_reports_all_changes(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.faults.lag = 0.5
    with scm.watch() as events, scm.open("beat") as beat:
        assert taken(events, 2) == []
        beat.start(wait=False)
        assert brief(taken(events, 5)) == START


def test_watch_reports_consecutive_status_changes(sim: SimulatedSCM, scm: ServiceManager) -> None:
    """Report each state of a watched service; each change begins where the previous ended."""
    sim["beat"].program = ProgramBehavior(accepts=ProgramBehavior().accepts | 2)
    with scm.watch("beat") as events, scm.open("beat") as beat:
        beat.start(wait=False)
        received = taken(events)
        for _ in range(50):
            beat.pause(wait=False)
            received += taken(events)
            beat.resume(wait=False)
            received += taken(events)
        changes = [event for event in received if isinstance(event, StatusChanged)]
        assert [event.new.state for event in changes[1:]] == [S.PAUSED, S.RUNNING] * 50
        for first, second in itertools.pairwise(changes):
            assert first.new == second.old


# ------------------------------------------------------------------- without notifications


@pytest.mark.parametrize("names", [(), ("beat", "new")])
def test_watch_without_notifications_compares_listings(
    sim: SimulatedSCM, scm: ServiceManager, names: tuple[str, ...]
) -> None:
    sim.faults.fail(NOTIFY, 120, times=999)
    with scm.watch(*names, interval=2) as events, scm.open("beat") as beat:
        assert taken(events, 5) == []
        beat.start(wait=False)
        assert brief(taken(events, 5)) == START
        scm.create("new", "x.exe").close()
        assert brief(taken(events, 5)) == ["+new"]
        scm.delete("new", wait=True, timeout=1)
        assert "new" not in sim
        assert brief(taken(events, 5)) == ["-new"]


def test_watch_on_other_machine_reports_without_notify(sim: SimulatedSCM) -> None:
    build = sim.add_machine("build07")
    build.add("beat", program=SLOW)
    with ServiceManager("build07", backend=sim) as scm:
        for names in ((), ("beat",)):
            with scm.watch(*names) as events, scm.open("beat") as beat:
                beat.start(timeout=5)
                beat.stop(timeout=5)
                beat.start(wait=False)
                assert brief(taken(events, 5)) == START
                beat.stop(timeout=5)
    assert not sim.called(NOTIFY)


@pytest.mark.parametrize("names", [(), ("beat",)])
def test_watch_on_lost_connection_raises_and_recovers(
    sim: SimulatedSCM, names: tuple[str, ...]
) -> None:
    build = sim.add_machine("build07")
    build.add("beat")
    with ServiceManager("build07", backend=sim) as scm, scm.watch(*names) as events:
        build.disconnect()
        for _ in range(3):
            with pytest.raises(MachineUnreachableError):
                events.wait(5)
        build.reconnect()
        build.starting.start(build["beat"])
        assert brief(taken(events, 5)) == ["beat STOPPED>RUNNING"]
        build.disconnect()
        build.reconnect()
        build.running.control(build["beat"], Control.STOP)
        assert brief(taken(events, 5)) == ["beat RUNNING>STOPPED"]  # by a new connection


def test_watch_without_query_right_uses_listing_or_raises(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.faults.deny(ServiceAccess.QUERY_STATUS, "beat")
    with scm.watch(interval=1) as events, scm.open("beat", access=ServiceAccess.START) as beat:
        beat.start(wait=False)
        assert brief(taken(events, 5)) == START  # the listing has it
    with pytest.raises(AccessDeniedError) as caught:
        scm.watch("beat")
    assert caught.value.object_name == "beat"


# ------------------------------------------------------------------- ending


def test_closed_watch_returns_no_events(sim: SimulatedSCM, scm: ServiceManager) -> None:
    events = scm.watch()
    assert repr(events) == "<Watch of every service: open>"
    sim.local.crash("RpcSs")
    events.close()
    events.close()
    assert events.closed
    assert events.wait() is None
    assert list(events) == []
    assert repr(events) == "<Watch of every service: closed>"


def test_watch_closed_by_other_thread_ends_iteration(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    events = scm.watch("RpcSs")
    received: list[ServiceEvent] = []
    first = threading.Event()

    def follow() -> None:
        for event in events:
            received.append(event)
            first.set()

    thread = threading.Thread(target=follow)
    thread.start()
    sim.local.crash("RpcSs")
    assert first.wait(5)
    events.close()
    thread.join(5)
    assert not thread.is_alive()
    assert brief(received) == ["RpcSs RUNNING>STOPPED"]
    assert sim.clock.now == 0  # no thread let time pass


def test_watch_closed_during_wait_ends_iteration(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.clock.after(1, lambda: events.close())
    events = scm.watch()
    assert list(events) == []


CODES = {
    5: AccessDeniedError,
    6: HandleClosedError,
    8: Win32Error,
    1060: ServiceNotFoundError,
    1072: MarkedForDeleteError,
    1722: MachineUnreachableError,
}
NAMED = ("beat", "RpcSs")


def events_of_changes(
    sim: SimulatedSCM, scm: ServiceManager, names: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Watch while a service is created and another changes twice; return the events of each."""
    with scm.watch(*names, interval=1) as events:
        sim.local.report("RpcSs", S.PAUSED)
        sim.add("new")
        received = brief(taken(events, 3))
        sim.local.report("RpcSs", S.RUNNING)
        received += brief(taken(events, 3))
    return [line for line in received if "new" in line], [
        line for line in received if "new" not in line
    ]


@pytest.mark.parametrize(
    ("function", "nth", "names", "code"),
    [
        *(
            (NOTIFY, nth, names, code)
            for names in ((), NAMED)
            for nth in (1, 2, 3, 4)
            for code in CODES
        ),
        *(("OpenServiceW", nth, (), code) for nth in (1, 2, 3) for code in CODES),
        ("OpenServiceW", 1, NAMED, 1060),  # the first is missing; the second changes
        *(("OpenSCManagerW", 1, names, 5) for names in ((), NAMED)),
        *(("OpenSCManagerW", 2, names, code) for names in ((), NAMED) for code in CODES),
    ],
)
def test_watch_with_refused_registration_reports_all_events(
    sim: SimulatedSCM,
    scm: ServiceManager,
    function: str,
    nth: int,
    names: tuple[str, ...],
    code: int,
) -> None:
    before = sim.open_handles
    sim.faults.fail(function, code, nth=nth)
    created, changed = events_of_changes(sim, scm, names)
    assert code in {call.error for call in sim.called(function)}
    assert created == ([] if names else ["+new"])
    assert changed == ["RpcSs RUNNING>PAUSED", "RpcSs PAUSED>RUNNING"]
    assert sim.open_handles == before


@pytest.mark.parametrize(
    ("function", "nth", "names", "code"),
    [
        *(("OpenServiceW", nth, NAMED, code) for nth in (1, 2) for code in CODES if code != 1060),
        *(("OpenSCManagerW", 1, (), code) for code in CODES if code != 5),
        *(("OpenSCManagerW", 1, NAMED, code) for code in CODES if code != 5),
    ],
)
def test_watch_with_failing_open_raises_and_leaves_no_handle(
    sim: SimulatedSCM,
    scm: ServiceManager,
    function: str,
    nth: int,
    names: tuple[str, ...],
    code: int,
) -> None:
    before = sim.open_handles
    sim.faults.fail(function, code, nth=nth)
    with pytest.raises(Win32Error) as caught:
        scm.watch(*names, interval=1)
    assert type(caught.value) is CODES[code]
    assert caught.value.function == function
    assert sim.open_handles == before


def test_watch_with_invalid_argument_raises(scm: ServiceManager) -> None:
    with pytest.raises(ValidationError, match="interval"):
        scm.watch(interval=0)
    with pytest.raises(TypeError, match="names"):
        scm.watch(5)  # type: ignore[arg-type]
    with scm.watch() as events, pytest.raises(ValidationError, match="timeout"):
        events.wait(-1)
    scm.close()
    with pytest.raises(HandleClosedError):
        scm.watch()
