"""Test starts and stops of dependent services on a simulated machine."""

from __future__ import annotations

from datetime import timedelta

import pytest
from simulated import change, code_of, control, create, manager, opened, start, state_of, states

from winsvc import AcceptedControls, Control, ServiceType, StartType, State, Trigger
from winsvc.enums import StartReason
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State
HANGS = ProgramBehavior(hangs_in=[State.START_PENDING])


@pytest.fixture
def sim() -> SimulatedSCM:
    """Top needs middle, which needs low; and some in groups."""
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("low")
    sim.add("middle", dependencies=["LOW"])
    sim.add("top", dependencies=["middle"])
    return sim


def running(sim: SimulatedSCM) -> list[str]:
    return [service.name for service in sim if service.state is S.RUNNING]


# ------------------------------------------------------------------- starting


def test_start_also_starts_stopped_dependencies(sim: SimulatedSCM) -> None:
    assert start(sim, "top", "argument") == 0
    assert running(sim) == ["low", "middle", "top"]
    assert [tuple(service.arguments) for service in sim] == [(), (), ("argument",)]
    assert [service.starts for service in sim] == [1, 1, 1]


def test_start_waits_for_slow_dependencies(sim: SimulatedSCM) -> None:
    for name in ("low", "middle"):
        sim[name].program = ProgramBehavior(start_takes=100)
    assert start(sim, "top") == 0
    assert sim.clock.now == 200
    assert running(sim) == ["low", "middle", "top"]


def test_start_waits_for_dependency_in_start_pending(sim: SimulatedSCM) -> None:
    sim["low"].program = ProgramBehavior(start_takes=9)
    start(sim, "low")
    sim.clock.advance(4)
    assert start(sim, "middle") == 0
    assert sim.clock.now == 9


@pytest.mark.parametrize("state", [S.RUNNING, S.PAUSED])
def test_start_leaves_active_dependency_unchanged(state: State) -> None:
    sim = SimulatedSCM()
    sim.add("low", state=state)
    sim.add("high", dependencies=["low"])
    assert start(sim, "high") == 0
    assert state_of(sim, "low") is state
    assert sim["low"].starts == 0


@pytest.mark.parametrize(
    "wrong",
    [
        ProgramBehavior(start_error=2),
        ProgramBehavior(start_takes=9, ends_after=3),
        ProgramBehavior(start_takes=9, ends_after=3, crashes=True),
        HANGS,
    ],
)
def test_start_with_failing_dependency_returns_dependency_error(
    sim: SimulatedSCM, wrong: ProgramBehavior
) -> None:
    sim["low"].program = wrong
    assert start(sim, "top") == 1068
    assert running(sim) == []
    assert [sim[name].exit_code for name in ("middle", "top")] == [1068, 1068]


def test_start_with_hung_dependency_fails_within_time_limit(sim: SimulatedSCM) -> None:
    sim["low"].program = HANGS
    assert start(sim, "top") == 1068
    assert 2 < sim.clock.now < 60
    assert state_of(sim, "low") is S.START_PENDING


def test_start_with_disabled_dependency_is_refused(sim: SimulatedSCM) -> None:
    sim["low"].start_type = StartType.DISABLED
    assert start(sim, "top") == 1068
    assert start(sim, "low") == 1058


def test_start_with_missing_dependency_is_refused(sim: SimulatedSCM) -> None:
    sim["top"].dependencies = ("low", "none")
    assert start(sim, "top") == 1075
    assert running(sim) == []
    sim["top"].dependencies = ("low",)
    handle = opened(sim, "low")
    sim.delete_service(handle)
    assert start(sim, "top") == 1075
    assert sim["top"].exit_code == 1075


def test_start_with_stopping_dependency_is_refused(sim: SimulatedSCM) -> None:
    sim["low"].program = ProgramBehavior(stop_takes=9)
    start(sim, "low")
    control(sim, "low", Control.STOP)
    assert start(sim, "middle") == 1068


# ------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (ProgramBehavior(), ProgramBehavior(), 0),
        (ProgramBehavior(start_error=2), ProgramBehavior(), 0),
        (ProgramBehavior(), ProgramBehavior(start_error=2), 0),
        (ProgramBehavior(start_error=2), ProgramBehavior(start_error=2), 1068),
        (HANGS, ProgramBehavior(), 0),
    ],
)
def test_start_with_group_dependency_needs_a_running_member(
    first: ProgramBehavior, second: ProgramBehavior, expected: int
) -> None:
    sim = SimulatedSCM()
    sim.add("one", load_order_group="g", program=first)
    sim.add("two", load_order_group="G", program=second)
    sim.add("high", dependencies=["+g"])
    assert start(sim, "high") == expected
    for name, behavior in (("one", first), ("two", second)):  # all are tried
        assert (state_of(sim, name) is S.RUNNING) == (behavior == ProgramBehavior())


def test_start_with_empty_group_is_refused() -> None:
    sim = SimulatedSCM()
    sim.add("high", dependencies=["+g"])
    assert start(sim, "high") == 1068


def test_stop_of_last_running_group_member_is_refused() -> None:
    sim = SimulatedSCM()
    sim.add("one", load_order_group="g")
    sim.add("two", load_order_group="g")
    sim.add("high", dependencies=["+g"])
    sim.add("higher", dependencies=["high"])
    start(sim, "higher")
    assert control(sim, "one", Control.STOP) == 0
    assert control(sim, "two", Control.STOP) == 1051
    start(sim, "one")
    assert control(sim, "two", Control.STOP) == 0


# ------------------------------------------------------------------- stopping


def test_stop_with_running_dependents_is_refused(sim: SimulatedSCM) -> None:
    start(sim, "top")
    assert control(sim, "low", Control.STOP) == 1051
    assert control(sim, "low", Control.INTERROGATE) == 0
    assert state_of(sim, "low") is S.RUNNING
    for name in ("top", "middle", "low"):
        assert control(sim, name, Control.STOP) == 0


def test_stop_with_stopping_dependent_is_refused(sim: SimulatedSCM) -> None:
    sim["middle"].program = ProgramBehavior(stop_takes=5)
    start(sim, "middle")
    control(sim, "middle", Control.STOP)
    assert control(sim, "low", Control.STOP) == 1051
    sim.clock.advance(5)
    assert control(sim, "low", Control.STOP) == 0


def test_enum_dependent_services_returns_stop_order(sim: SimulatedSCM) -> None:
    sim.add("second", dependencies=["low", "top"])
    sim.add("third", dependencies=["low"])
    low = opened(sim, "low")

    def names(state: int) -> list[str]:
        return [row.service_name for row in sim.enum_dependent_services(low, state)]

    found = names(3)
    assert sorted(found) == ["middle", "second", "third", "top"]
    assert found.index("second") < found.index("top") < found.index("middle")
    assert found[0] == "third"  # the last to be started is the first
    assert names(1) == []
    start(sim, "top")
    assert names(1) == ["top", "middle"]
    assert sorted(names(2)) == ["second", "third"]
    for row in sim.enum_dependent_services(low, 1):
        assert row.status.process_id == 0
        assert row.status.current_state == S.RUNNING
    assert code_of(sim.enum_dependent_services, low, 0) == 87
    assert code_of(sim.enum_dependent_services, low, 4) == 87


def test_enum_dependent_services_includes_dependents_by_group() -> None:
    sim = SimulatedSCM()
    sim.add("one", load_order_group="G")
    sim.add("high", dependencies=["+g"])
    rows = sim.enum_dependent_services(opened(sim, "one"), 3)
    assert [row.service_name for row in rows] == ["high"]


# ------------------------------------------------------------------- circles


def test_circular_dependency_is_refused(sim: SimulatedSCM) -> None:
    low = opened(sim, "low")
    for dependencies in (["low"], ["middle"], ["TOP"], ["none", "top"]):
        assert code_of(lambda d=dependencies: change(sim, low, dependencies=d)) == 1059
        assert sim["low"].dependencies == ()
    change(sim, low, dependencies=["none"])
    assert sim["low"].dependencies == ("none",)
    new = manager(sim)
    assert code_of(lambda: create(sim, new, "none", dependencies=["top"])) == 1059


def test_circular_dependency_through_group_is_refused(sim: SimulatedSCM) -> None:
    top, low = opened(sim, "top"), opened(sim, "low")
    assert code_of(lambda: change(sim, top, group="g", dependencies=["+g"])) == 1059
    change(sim, top, group="g")
    assert code_of(lambda: change(sim, low, dependencies=["+G"])) == 1059
    change(sim, top, group="")
    change(sim, low, dependencies=["+G"])
    assert sim["low"].dependencies == ("+G",)
    assert code_of(lambda: change(sim, top, group="g")) == 1059  # by the group alone
    assert sim["top"].load_order_group == ""
    change(sim, low, dependencies=[])
    change(sim, top, group="g")
    assert sim.query_service_config(low).dependencies == ()
    assert sim.query_service_config(top).load_order_group == "g"


def test_leaving_group_and_depending_on_it_in_one_call_is_no_circle(sim: SimulatedSCM) -> None:
    top = opened(sim, "top")
    change(sim, top, group="g")
    sim.add("other", dependencies=["+g"])
    assert code_of(lambda: change(sim, top, dependencies=["other"])) == 1059
    change(sim, top, group="", dependencies=["other"])
    assert (sim["top"].load_order_group, sim["top"].dependencies) == ("", ("other",))


def test_start_with_existing_circular_dependency_terminates() -> None:
    sim = SimulatedSCM()
    sim.add("one", dependencies=["two"])
    sim.add("two", dependencies=["one"])
    assert start(sim, "one") == 1068
    assert sim.clock.now < 1
    assert control(sim, "one", Control.STOP) == 1062
    assert len(sim.enum_dependent_services(opened(sim, "one"), 3)) == 1


# ------------------------------------------------------------------- boot and shutdown


def test_boot_starts_services_in_load_order() -> None:
    sim = SimulatedSCM()
    sim.local.group_order = ["first", "second"]
    order: list[str] = []

    def noted(name: str) -> ProgramBehavior:
        order.append(name)
        return ProgramBehavior()

    sim.local.other_programs = lambda argv: noted(argv[0])
    auto, driver = StartType.AUTOMATIC, ServiceType.KERNEL_DRIVER
    sim.add("alone", start_type=auto)
    sim.add("delayed", start_type=auto, delayed_auto_start=True)
    sim.add("manual")
    sim.add("disabled", start_type=StartType.DISABLED)
    sim.add("in-second", start_type=auto, load_order_group="second")
    sim.add("in-first", start_type=auto, load_order_group="FIRST", dependencies=["wanted"])
    sim.add("wanted")
    sim.add("system", service_type=driver, start_type=StartType.SYSTEM)
    for name in ("untagged", "tagged-2", "tagged-1"):
        sim.add(
            name, service_type=driver, start_type=StartType.BOOT, load_order_group="first"
        ).tag = int(name[-1]) if name[-1].isdigit() else 0
    sim.local.boot()
    drivers = ["tagged-1", "tagged-2", "untagged", "system"]
    assert order == [*drivers, "wanted", "in-first", "in-second", "alone"]
    assert sim["alone"].start_reason == StartReason.AUTO
    sim.clock.advance(119)
    assert state_of(sim, "delayed") is S.STOPPED
    sim.clock.advance(1)
    assert state_of(sim, "delayed") is S.RUNNING
    assert sim["delayed"].start_reason == StartReason.DELAYED_AUTO
    assert {sim[name].exit_code for name in ("manual", "disabled")} == {1077}


def test_boot_ignores_delay_of_non_automatic_services() -> None:
    sim = SimulatedSCM()
    sim.add("manual", delayed_auto_start=True)
    sim.add(
        "driver",
        service_type=ServiceType.KERNEL_DRIVER,
        start_type=StartType.BOOT,
        delayed_auto_start=True,
    )
    sim.local.boot()
    assert states(sim) == {"manual": S.STOPPED, "driver": S.RUNNING}


def test_failed_boot_start_sets_exit_code() -> None:
    sim = SimulatedSCM()
    auto = StartType.AUTOMATIC
    sim.add("broken", start_type=auto, program=ProgramBehavior(start_error=2))
    sim.add("needs", start_type=auto, dependencies=["broken"])
    sim.add("lost", start_type=auto, dependencies=["none"])
    sim.local.boot()
    assert [service.exit_code for service in sim] == [2, 1068, 1075]


def test_boot_start_of_slow_service_does_not_block() -> None:
    sim = SimulatedSCM()
    sim.latency = 0
    auto = StartType.AUTOMATIC
    sim.add("slow", start_type=auto, program=ProgramBehavior(start_takes=10))
    sim.add("needs", start_type=auto, dependencies=["slow"])
    sim.add("silent", start_type=auto, program=ProgramBehavior(start_error=1053))
    sim.local.boot()
    assert sim.clock.now == 0
    sim.clock.advance(9)
    assert sim.clock.now == 9
    assert [service.state for service in sim] == [S.START_PENDING, S.STOPPED, S.STOPPED]
    assert start(sim, "needs") == 1056  # it is on its way
    sim.clock.advance(2)
    assert [service.state for service in sim] == [S.RUNNING, S.RUNNING, S.STOPPED]
    sim.clock.advance(30)
    assert sim["silent"].exit_code == 1053


def test_reboot_cancels_pending_delayed_start() -> None:
    sim = SimulatedSCM()
    sim.add("late", start_type=StartType.AUTOMATIC, delayed_auto_start=True)
    sim.local.boot()
    sim.clock.advance(100)
    sim.local.reboot()
    sim.clock.advance(100)
    assert state_of(sim, "late") is S.STOPPED
    sim.clock.advance(20)
    assert state_of(sim, "late") is S.RUNNING


def test_shut_down_sends_controls_in_order_and_stops_all() -> None:
    sim = SimulatedSCM()
    sim.latency = 0
    received: list[tuple[str, Control, float]] = []

    def program(name: str, accepts: AcceptedControls, **behavior: float) -> ProgramBehavior:
        def note(code: Control) -> None:
            received.append((name, code, sim.clock.now))

        return ProgramBehavior(accepts=accepts, on_control=note, **behavior)  # type: ignore[arg-type]

    taken = AcceptedControls
    stops = program("stops", taken.SHUTDOWN, stop_takes=2)
    sim.add("stops", program=stops, state=S.RUNNING)
    early = program("early", taken.PRESHUTDOWN, stop_takes=7)
    sim.add("early", program=early, state=S.RUNNING)
    stuck = program("stuck", taken.PRESHUTDOWN, stop_takes=100)
    timeout = timedelta(seconds=20)
    sim.add("stuck", program=stuck, state=S.RUNNING, preshutdown_timeout=timeout)
    sim.add("deaf", program=program("deaf", taken.STOP), state=S.PAUSED)
    sim.local.shut_down()
    assert received == [
        ("early", Control.PRESHUTDOWN, 0),
        ("stuck", Control.PRESHUTDOWN, 7),
        ("stops", Control.SHUTDOWN, 27),
    ]
    assert sim.clock.now == 34  # 5 s more for what still runs
    assert {service.state for service in sim} == {S.STOPPED}
    assert {service.exit_code for service in sim} == {0}


# ------------------------------------------------------------------- triggers


def test_trigger_starts_and_stops_matching_services() -> None:
    sim = SimulatedSCM()
    up, down = Trigger.on_ip_available(), Trigger.on_ip_lost()
    sim.add("on", triggers=[up])
    sim.add("off", triggers=[down], state=S.RUNNING)
    sim.add("disabled", triggers=[up], start_type=StartType.DISABLED)
    sim.add("deaf", triggers=[down], program=ProgramBehavior(accepts=AcceptedControls(0)))
    sim.add("needed", triggers=[down], state=S.RUNNING)
    sim.add("needs", dependencies=["needed"], state=S.RUNNING)
    start(sim, "deaf")
    sim.local.fire(up)
    assert state_of(sim, "on") is S.RUNNING
    assert sim.query_start_reason(sim.status_handle("on")) == StartReason.TRIGGER
    assert state_of(sim, "disabled") is S.STOPPED
    assert state_of(sim, "off") is S.RUNNING
    sim.local.fire(down)
    assert state_of(sim, "off") is S.STOPPED
    assert state_of(sim, "deaf") is S.RUNNING
    assert state_of(sim, "needed") is S.RUNNING


def test_trigger_sends_event_control_to_running_service() -> None:
    sim = SimulatedSCM()
    up = Trigger.on_ip_available()
    taken = AcceptedControls.TRIGGER_EVENT
    sim.add("told", triggers=[up], program=ProgramBehavior(accepts=taken), state=S.RUNNING)
    sim.add("not", triggers=[up], state=S.RUNNING)
    sim.local.fire(up)
    assert sim["told"].controls == [Control.TRIGGER_EVENT]
    assert sim["not"].controls == []
