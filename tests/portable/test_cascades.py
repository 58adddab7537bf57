"""Stopping, starting and restarting along with dependents, and what goes wrong on the way."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from winsvc import (
    AcceptedControls,
    AccessDeniedError,
    CancelToken,
    CascadeError,
    ControlRefusedError,
    DependentServicesRunningError,
    MachineUnreachableError,
    ServiceAccess,
    ServiceAlreadyRunningError,
    ServiceDisabledError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceStartError,
    StartType,
    State,
    StopMajor,
    StopMinor,
    StopReason,
    WaitCancelledError,
    WaitTimeoutError,
)
from winsvc._values.stopreason import StopFlag
from winsvc.errors import CascadeStep
from winsvc.testing import ProgramBehavior, SimulatedMachine, SimulatedSCM

S = State
ALL = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
GOOD = ProgramBehavior(accepts=ALL, start_takes=1, stop_takes=1, pause_takes=1)
REFUSES = ProgramBehavior(accepts=AcceptedControls(0))
HANGS = ProgramBehavior(hangs_in=[S.STOP_PENDING])


def fill(machine: SimulatedSCM | SimulatedMachine, state: State = S.RUNNING) -> None:
    """Add base ← left, right; left ← top; and an unrelated service."""
    machine.add("base", state=state, program=GOOD)
    machine.add("left", dependencies=["BASE"], state=state, program=GOOD)
    machine.add("right", dependencies=["base"], state=state, program=GOOD)
    machine.add("top", dependencies=["Left"], state=state, program=GOOD)
    machine.add("other", state=S.RUNNING)


@pytest.fixture
def sim(simulated_scm: SimulatedSCM) -> SimulatedSCM:
    fill(simulated_scm)
    return simulated_scm


@pytest.fixture
def stopped(simulated_scm: SimulatedSCM) -> SimulatedSCM:
    fill(simulated_scm, S.STOPPED)
    return simulated_scm


@pytest.fixture(autouse=True)
def simulated_scm() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        yield sim
    assert not sim.open_handles


def states(sim: SimulatedSCM | SimulatedMachine) -> dict[str, State]:
    return {service.name: service.state for service in sim if service.name != "other"}


def every(sim: SimulatedSCM | SimulatedMachine, state: State) -> dict[str, State]:
    return dict.fromkeys(states(sim), state)


def order(sim: SimulatedSCM, function: str) -> list[str | None]:
    return [call.service for call in sim.called(function) if call.error is None]


def texts(*steps: CascadeStep) -> list[str]:
    return [str(step) for step in steps]


# ------------------------------------------------------------------- stop


def test_stop_with_dependents_stops_dependents_first(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base:
        assert base.stop_with_dependents().state is S.STOPPED
    assert order(sim, "ControlService") == ["right", "top", "left", "base"]
    assert states(sim) == every(sim, S.STOPPED)
    assert sim["other"].state is S.RUNNING
    assert 4 <= sim.clock.now < 5  # each was waited for, a second each


def test_stop_without_dependents_flag_raises_dependents_running(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base, pytest.raises(DependentServicesRunningError):
        base.stop()
    assert states(sim) == every(sim, S.RUNNING)


def test_stop_with_dependents_skips_stopped_services(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    for name in ("top", "right"):
        with scm.open(name) as service:
            service.stop_with_dependents()
    sim.calls.clear()
    with scm.open("base") as base:
        base.stop_with_dependents()
    assert order(sim, "ControlService") == ["left", "base"]


def test_stop_of_stopped_service_raises_not_active(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base, pytest.raises(ServiceNotActiveError):
        base.stop_with_dependents()


def test_stop_with_dependents_waits_for_pending_states(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("late", dependencies=["base"], program=ProgramBehavior(start_takes=8, stop_takes=1))
    with scm.open("late") as late:
        late.start()
    with scm.open("right") as right:
        right.stop()  # still stopping
    with scm.open("base") as base:
        base.stop_with_dependents()
    assert states(sim) == every(sim, S.STOPPED)


def test_stop_with_dependents_includes_dependents_by_group(
    simulated_scm: SimulatedSCM, scm: ServiceManager
) -> None:
    sim = simulated_scm
    sim.add("member", load_order_group="Net", state=S.RUNNING)
    sim.add("user", dependencies=["+NET"], state=S.RUNNING)
    with scm.open("member") as member:
        member.stop_with_dependents()
    assert order(sim, "ControlService") == ["user", "member"]


def test_stop_with_refusing_dependent_raises_cascade_error_with_steps(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.local.running.silence(sim["top"])
    sim["top"].behavior = REFUSES
    sim["top"].controls_accepted = AcceptedControls(0)
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents()
    error = caught.value
    assert isinstance(error.error, ControlRefusedError)
    assert error.__cause__ is error.error
    assert (error.winerror, error.function, error.object_name) == (1052, "ControlService", "top")
    assert texts(*error.done) == ["stop right"]
    assert texts(*error.failed) == ["stop top"]
    assert texts(*error.not_done) == ["stop left", "stop base"]
    assert "Done: stop right. Not done: stop left, stop base." in str(error)
    assert states(sim) == {**every(sim, S.RUNNING), "right": S.STOPPED}
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.done, str(copy)) == (error.done, str(error))


def test_stop_with_hanging_dependent_fails_with_timeout(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim["left"].behavior = HANGS
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents(timeout=7)
    error = caught.value
    assert isinstance(error.error, WaitTimeoutError)
    assert error.object_name == "left"
    assert texts(*error.done) == ["stop right", "stop top"]
    assert texts(*error.not_done) == ["stop base"]
    assert 9 <= sim.clock.now < 9.5


def test_stop_with_total_timeout_ends_cascade_when_it_elapses(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents(timeout=10, total_timeout=2.5)
    error = caught.value
    assert isinstance(error.error, WaitTimeoutError)
    assert texts(*error.done) == ["stop right", "stop top"]
    assert error.object_name == "left"
    assert 2.5 <= sim.clock.now < 3
    assert sim["base"].state is S.RUNNING


def test_stop_past_total_timeout_sends_no_control(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.faults.slow(3, "EnumDependentServicesW")
    with scm.open("base") as base, pytest.raises(CascadeError, match="turn did not come") as caught:
        base.stop_with_dependents(total_timeout=2)
    assert caught.value.object_name == "right"
    assert states(sim) == every(sim, S.RUNNING)


def test_stop_without_stop_right_on_dependent_names_missing_right(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.faults.deny(ServiceAccess.STOP, "left")
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents()
    assert isinstance(caught.value.error, AccessDeniedError)
    assert "ServiceAccess.STOP" in str(caught.value)
    assert caught.value.object_name == "left"


def test_stop_without_enumerate_dependents_right_stops_nothing(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.faults.deny(ServiceAccess.ENUMERATE_DEPENDENTS, "base")
    with scm.open("base") as base, pytest.raises(AccessDeniedError):
        base.stop_with_dependents()
    assert states(sim) == every(sim, S.RUNNING)


def test_stop_with_dependent_started_during_cascade_stops_it_too(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    def start() -> None:
        sim.add("late", dependencies=["left"], state=S.RUNNING)

    sim.faults.before("ControlService", start, service="left")
    with scm.open("base") as base:
        base.stop_with_dependents()
    assert states(sim) == every(sim, S.STOPPED)
    assert order(sim, "ControlService") == ["right", "top", "late", "left", "base"]


def test_stop_with_endlessly_starting_dependents_raises_cascade_error(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    def start() -> None:
        sim.add(f"late{len(sim.local.services)}", dependencies=["base"], state=S.RUNNING)

    sim.faults.before("ControlService", start, times=100, service="base")
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents()
    assert isinstance(caught.value.error, DependentServicesRunningError)
    assert sim["base"].state is S.RUNNING


def test_stop_without_reported_dependents_falls_back_to_graph(
    sim: SimulatedSCM, scm: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winsvc.testing.service_calls.dependents", lambda *given: [])
    with scm.open("base") as base:
        base.stop_with_dependents()
    assert order(sim, "ControlService") == ["top", "right", "left", "base"]
    assert states(sim) == every(sim, S.STOPPED)


def test_stop_with_unreadable_graph_raises_dependents_running(
    sim: SimulatedSCM, scm: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("winsvc.testing.service_calls.dependents", lambda *given: [])
    sim.faults.deny(ServiceAccess.QUERY_CONFIG, "left")
    sim.faults.deny(ServiceAccess.QUERY_CONFIG, "right")
    with scm.open("base") as base, pytest.raises(DependentServicesRunningError):
        base.stop_with_dependents()


def test_stop_with_circular_dependents_raises_cascade_error(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim["left"].dependencies = ("base", "top")
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.stop_with_dependents()  # neither can be the first
    assert isinstance(caught.value.error, DependentServicesRunningError)


def test_stop_with_reason_and_dependents_sends_extended_control_to_all(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE)
    with scm.open("base") as base:
        base.stop_with_dependents(reason)
    assert order(sim, "ControlServiceExW") == ["right", "top", "left", "base"]


# ------------------------------------------------------------------- restart


def test_restart_restores_dependents_to_previous_states(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("right") as right, scm.open("top") as top:
        right.pause()
        top.stop()
    with scm.open("base") as base:
        assert base.restart("one", "two").state is S.RUNNING
    assert states(sim) == {
        "base": S.RUNNING,
        "left": S.RUNNING,
        "right": S.PAUSED,
        "top": S.STOPPED,
    }
    assert order(sim, "StartServiceW") == ["base", "left", "right"]
    assert sim["base"].arguments == ("one", "two")
    assert [sim[name].starts for name in ("base", "left", "right", "top")] == [1, 1, 1, 0]


def test_restart_restores_indirect_dependents(sim: SimulatedSCM, scm: ServiceManager) -> None:
    with scm.open("top") as top:
        top.pause()
    with scm.open("base") as base:
        base.restart()
    assert states(sim) == {**every(sim, S.RUNNING), "top": S.PAUSED}
    assert order(sim, "StartServiceW") == ["base", "left", "top", "right"]


def test_restart_of_stopped_service_only_starts_it(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base:
        assert base.restart().state is S.RUNNING
    assert order(stopped, "StartServiceW") == ["base"]
    assert not stopped.called("ControlService")


def test_restart_of_paused_service_leaves_it_running(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("top") as top:
        top.pause()
        assert top.restart().state is S.RUNNING


def test_restart_without_dependents_is_refused_if_dependents_run(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("base") as base, pytest.raises(DependentServicesRunningError):
        base.restart(dependents=False)
    with scm.open("top") as top:
        assert top.restart(dependents=False).state is S.RUNNING
    assert states(sim) == every(sim, S.RUNNING)


def test_restart_with_failing_start_reports_steps_not_done(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim["base"].program = ProgramBehavior(
        start_takes=5, ends_after=1, exit_code=1066, service_exit_code=77
    )
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.restart()
    error = caught.value
    assert isinstance(error.error, ServiceStartError)
    assert error.error.status is not None
    assert error.error.status.service_exit_code == 77
    assert texts(*error.done) == ["stop right", "stop top", "stop left", "stop base"]
    assert texts(*error.failed) == ["start base"]
    assert texts(*error.not_done) == ["start left", "start top", "start right"]


def test_restart_with_crashing_dependent_restores_the_others(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim["left"].program = ProgramBehavior(start_takes=5, ends_after=1, crashes=True)
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.restart()
    error = caught.value
    assert isinstance(error.error, ServiceStartError)
    assert texts(*error.failed) == ["start left", "start top"]
    assert texts(*error.done)[-2:] == ["start base", "start right"]
    assert error.not_done == ()
    assert "Also failed: start top." in str(error)
    assert states(sim) == {
        "base": S.RUNNING,
        "left": S.STOPPED,
        "right": S.RUNNING,
        "top": S.STOPPED,
    }


def test_restart_with_failing_stop_restores_stopped_dependents(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("right") as right:
        right.pause()
    sim["left"].behavior = HANGS
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.restart(timeout=5)
    error = caught.value
    assert error.object_name == "left"
    done = ["stop right", "stop top", "start right", "pause right"]
    assert texts(*error.done) == done
    assert texts(*error.failed) == ["stop left", "start top"]  # left, which top needs, hangs
    assert texts(*error.not_done) == ["stop base", "start base"]
    assert sim["right"].state is S.PAUSED


def test_restart_past_total_timeout_restores_without_waiting(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim["left"].behavior = HANGS
    with scm.open("base") as base, pytest.raises(CascadeError):
        base.restart(total_timeout=4)
    assert sim["right"].state is S.START_PENDING


def test_restart_with_failing_pause_reports_failed_step(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("right") as right:
        right.pause()
    sim["right"].program = ProgramBehavior()  # no longer takes a pause
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.restart()
    assert texts(*caught.value.failed) == ["pause right"]
    assert states(sim) == every(sim, S.RUNNING)


def test_restart_with_lost_connection_reports_steps_not_done(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    build = sim.add_machine("build07")
    fill(build)
    sim.faults.before("StartServiceW", build.disconnect, service="left")
    with ServiceManager("build07") as remote, remote.open("base") as base:
        with pytest.raises(CascadeError) as caught:
            base.restart()
        build.reconnect()
    error = caught.value
    assert isinstance(error.error, MachineUnreachableError)
    assert texts(*error.failed) == ["start left"]
    assert texts(*error.not_done) == ["start top", "start right"]
    assert error.machine == "build07"


def test_cascades_on_remote_machine_leave_local_services_unchanged(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    build = sim.add_machine("build07")
    fill(build)
    sim.calls.clear()
    with ServiceManager("build07") as remote:
        with remote.open("base") as base:
            base.restart()
            base.stop_with_dependents()
            assert states(build) == every(build, S.STOPPED)
        with remote.open("top") as top:
            top.start_with_dependencies()
    assert states(build) == {**every(build, S.RUNNING), "right": S.STOPPED}
    assert states(sim) == every(sim, S.RUNNING)
    assert {call.machine for call in sim.calls if call.function == "OpenSCManagerW"} == {"build07"}


# ------------------------------------------------------------------- start


def test_start_with_dependencies_starts_them_in_order(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("top") as top:
        top.start_with_dependencies("argument")
    assert order(stopped, "StartServiceW") == ["base", "left", "top"]
    assert states(stopped) == {**every(stopped, S.RUNNING), "right": S.STOPPED}
    assert stopped["top"].arguments == ("argument",)
    assert 3 <= stopped.clock.now < 4


def test_start_with_dependencies_leaves_paused_dependency_unchanged(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("left") as left:
        left.start_with_dependencies()
        left.pause()
        stopped.clock.advance(1)
    with scm.open("top") as top:
        top.start_with_dependencies()
        assert stopped["left"].state is S.PAUSED
        with pytest.raises(ServiceAlreadyRunningError):
            top.start_with_dependencies()


def test_start_with_failing_dependency_reports_its_name_and_exit_code(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["left"].program = ProgramBehavior(
        start_takes=5, ends_after=1, exit_code=1066, service_exit_code=42
    )
    with scm.open("top") as top, pytest.raises(CascadeError) as caught:
        top.start_with_dependencies()
    error = caught.value
    assert isinstance(error.error, ServiceStartError)
    assert (error.object_name or "").lower() == "left"
    status = error.error.status
    assert status is not None
    assert (status.exit_code, status.service_exit_code) == (1066, 42)
    assert "42" in str(error)
    assert [str(step).lower() for step in error.done] == ["start base"]
    assert texts(*error.not_done) == ["start top"]
    assert 2 <= stopped.clock.now < 2.5  # not the whole timeout


def test_start_with_disabled_dependency_raises_cascade_error(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["base"].start_type = int(StartType.DISABLED)
    with scm.open("top") as top, pytest.raises(CascadeError, match="Not done: ") as caught:
        top.start_with_dependencies()
    assert isinstance(caught.value.error, ServiceDisabledError)
    assert states(stopped) == every(stopped, S.STOPPED)


def test_start_with_slow_dependency_fails_with_timeout(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["left"].program = ProgramBehavior(start_takes=100)
    with scm.open("top") as top, pytest.raises(CascadeError) as caught:
        top.start_with_dependencies(timeout=20)
    assert isinstance(caught.value.error, WaitTimeoutError)
    assert 21 <= stopped.clock.now < 21.5


def test_start_with_missing_dependency_names_it_and_starts_nothing(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["left"].dependencies = ("base", "nix", "+nobody")
    with scm.open("top") as top, pytest.raises(ServiceStartError) as caught:
        top.start_with_dependencies()
    assert caught.value.winerror == 1075
    assert "nix" in str(caught.value)
    assert "+nobody" in str(caught.value)
    assert states(stopped) == every(stopped, S.STOPPED)


def test_start_with_failing_target_reports_started_dependencies(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["top"].program = stopped["base"].program = ProgramBehavior(start_error=2)
    with scm.open("base") as base, pytest.raises(FileNotFoundError):
        base.start_with_dependencies()
    stopped["base"].program = GOOD
    with scm.open("top") as top, pytest.raises(CascadeError) as caught:
        top.start_with_dependencies()
    assert caught.value.winerror == 2
    assert [str(step).lower() for step in caught.value.done] == ["start base", "start left"]


@pytest.fixture
def grouped(simulated_scm: SimulatedSCM) -> SimulatedSCM:
    for name in ("one", "two"):
        simulated_scm.add(name, load_order_group="Net", program=GOOD)
    simulated_scm.add("user", dependencies=["+NET"], program=GOOD)
    return simulated_scm


def test_start_with_group_dependency_starts_every_member(
    grouped: SimulatedSCM, scm: ServiceManager
) -> None:
    with scm.open("user") as user:
        user.start_with_dependencies()
    assert sorted(map(str, order(grouped, "StartServiceW"))) == ["one", "two", "user"]


def test_start_with_group_dependency_succeeds_if_one_member_runs(
    grouped: SimulatedSCM, scm: ServiceManager
) -> None:
    grouped["two"].program = ProgramBehavior(start_error=2)
    with scm.open("user") as user:
        user.start_with_dependencies()
    assert states(grouped) == {"one": S.RUNNING, "two": S.STOPPED, "user": S.RUNNING}


def test_start_with_group_dependency_fails_if_no_member_runs(
    grouped: SimulatedSCM, scm: ServiceManager
) -> None:
    for name in ("one", "two"):
        grouped[name].program = ProgramBehavior(start_error=2)
    with scm.open("user") as user, pytest.raises(CascadeError) as caught:
        user.start_with_dependencies()
    assert sorted(texts(*caught.value.failed)) == ["start one", "start two"]
    assert texts(*caught.value.not_done) == ["start user"]


def test_start_with_group_member_already_running_succeeds(
    grouped: SimulatedSCM, scm: ServiceManager
) -> None:
    grouped["user"].dependencies = ("one", "+net")
    grouped["two"].program = ProgramBehavior(start_error=2)
    with scm.open("one") as member:
        member.start()
    with scm.open("user") as user:
        user.start_with_dependencies()
    assert grouped["user"].state is S.RUNNING


def test_start_with_circular_dependencies_starts_nothing(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped["base"].dependencies = ("top",)
    with scm.open("top") as top, pytest.raises(CascadeError) as caught:
        top.start_with_dependencies()
    assert caught.value.winerror == 1068
    assert caught.value.done == ()
    assert [step.lower() for step in texts(*caught.value.failed)] == ["start base"]
    assert [step.lower() for step in texts(*caught.value.not_done)] == ["start left", "start top"]
    assert states(stopped) == every(stopped, S.STOPPED)


def test_start_without_query_config_right_still_starts_dependencies(
    stopped: SimulatedSCM, scm: ServiceManager
) -> None:
    stopped.faults.deny(ServiceAccess.QUERY_CONFIG, "top")
    with scm.open("top") as top:
        top.start_with_dependencies()  # the system brings up what it needs
    assert stopped["left"].state is S.RUNNING


@pytest.mark.parametrize("timeout", [-1, float("nan"), "5"])
def test_cascade_with_invalid_timeout_raises_and_changes_nothing(
    sim: SimulatedSCM, scm: ServiceManager, timeout: float
) -> None:
    with scm.open("base") as base:
        with pytest.raises((TypeError, ValueError), match=r"^timeout"):
            base.restart(timeout=timeout)
        with pytest.raises((TypeError, ValueError), match="total_timeout"):
            base.restart(total_timeout=timeout)
        with pytest.raises((TypeError, ValueError), match=r"^timeout"):
            base.stop_with_dependents(timeout=timeout)
        with pytest.raises((TypeError, ValueError), match="total_timeout"):
            base.start_with_dependencies(total_timeout=timeout)
    assert states(sim) == every(sim, S.RUNNING)


# ------------------------------------------------------------------- cancelled


def test_cancelled_cascade_raises_with_steps_done(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim["left"].behavior = HANGS
    token = CancelToken()
    sim.clock.after(5, token.cancel)
    with scm.open("base") as base:
        with pytest.raises(CascadeError) as caught:
            base.restart(timeout=60, cancel=token)
        assert isinstance(caught.value.error, WaitCancelledError)
        assert texts(*caught.value.done) == ["stop right", "stop top"]  # and stay so
        assert 5 <= sim.clock.now < 6
        with pytest.raises(CascadeError, match="cancelled before its turn"):
            base.stop_with_dependents(cancel=token)


def test_restart_cancelled_while_restoring_reports_steps_not_done(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    token = CancelToken()
    sim.faults.before("StartServiceW", token.cancel, service="left")
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        base.restart(cancel=token)
    assert texts(*caught.value.failed) == ["start left"]
    assert texts(*caught.value.not_done) == ["start top", "start right"]
    assert sim["base"].state is S.RUNNING


def test_restart_without_right_to_start_does_not_stop_service(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("web", state=State.RUNNING)
    sim.faults.deny(ServiceAccess.START, "web")
    with scm.open("web") as web:
        with pytest.raises(AccessDeniedError):
            web.restart()
        with pytest.raises(AccessDeniedError), web.stopped():
            pytest.fail("the block runs")
    assert sim["web"].state is State.RUNNING
