"""Requests that wait: when they are sent, repeated, successful, and failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from recorder import STOPPED, Recorder, opened
from simulated import states

from winsvc import (
    AcceptedControls,
    AccessDeniedError,
    CancelToken,
    CascadeError,
    Control,
    ControlRefusedError,
    FailureAction,
    FailureActions,
    MachineUnreachableError,
    MarkedForDeleteError,
    Service,
    ServiceAccess,
    ServiceAlreadyRunningError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceStartError,
    ServiceStatus,
    ServiceType,
    State,
    ValidationError,
    WaitCancelledError,
    WaitTimeoutError,
    Win32Error,
)
from winsvc._values.rows import EnumRow
from winsvc.backend import Capabilities
from winsvc.errors import ServiceRestartedError, ServiceStoppedError, WaitError
from winsvc.security import Acl
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State
CONTROLS = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
INSTANT = ProgramBehavior(accepts=CONTROLS)
SLOW = ProgramBehavior(
    start_takes=3, stop_takes=3, pause_takes=3, continue_takes=3, accepts=CONTROLS
)
NOTIFY = "NotifyServiceStatusChangeW"
QUERY = "QueryServiceStatusEx"


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    sim.latency = 0
    yield sim
    assert sim.open_handles == 0


@pytest.fixture
def scm(sim: SimulatedSCM) -> Iterator[ServiceManager]:
    with ServiceManager(backend=sim) as scm:
        yield scm


@pytest.fixture
def beat(sim: SimulatedSCM, scm: ServiceManager) -> Iterator[Service]:
    sim.add("beat", program=SLOW)
    with scm.open("beat") as service:
        yield service


@pytest.fixture
def running(sim: SimulatedSCM, beat: Service) -> Service:
    """The service ``beat``, running; the log of calls is empty."""
    beat.start()
    sim.calls.clear()
    return beat


def functions(sim: SimulatedSCM) -> list[str]:
    return [call.function for call in sim.calls]


def count(sim: SimulatedSCM, function: str) -> int:
    return len(sim.called(function))


def control(sim: SimulatedSCM, name: str, code: int) -> None:
    """Send a control as another program does."""
    sim.local.running.send(sim[name], Control(code))


def polling(sim: SimulatedSCM) -> None:
    """Let the system refuse notifications, as for another machine."""
    sim.faults.fail(NOTIFY, 120, times=999)


# ------------------------------------------------------------------- the normal path


def test_start_of_instant_service_makes_no_extra_call(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = INSTANT
    sim.calls.clear()
    assert beat.start().state is S.RUNNING
    assert functions(sim) == ["OpenServiceW", "StartServiceW", QUERY]


def test_controls_of_instant_service_make_no_extra_call(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = INSTANT
    beat.start()
    beat.pause()
    beat.resume()
    sim.calls.clear()
    assert beat.pause().state is S.PAUSED
    assert beat.resume().state is S.RUNNING
    assert functions(sim) == ["ControlService", QUERY] * 2
    sim.calls.clear()
    assert beat.stop().state is S.STOPPED
    assert functions(sim) == ["OpenServiceW", "ControlService", QUERY]


def test_start_of_slow_service_queries_only_while_it_waits(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim.calls.clear()
    beat.start()
    assert functions(sim)[:3] == ["OpenServiceW", "StartServiceW", QUERY]
    assert set(functions(sim)[3:]) == {"OpenServiceW", NOTIFY, QUERY, "CloseServiceHandle"}
    assert count(sim, "StartServiceW") == 1


def test_manager_start_opens_service_once_with_both_rights(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("beat", program=INSTANT)
    sim.calls.clear()
    assert scm.start("beat").state is S.RUNNING
    assert functions(sim) == ["OpenServiceW", "StartServiceW", QUERY, "CloseServiceHandle"]
    access = sim.called("OpenServiceW")[0].arguments["access"]
    assert access == ServiceAccess.START | ServiceAccess.QUERY_STATUS


def test_request_without_wait_makes_one_call(sim: SimulatedSCM, beat: Service) -> None:
    sim.calls.clear()
    started: object = beat.start(wait=False)
    assert started is None
    assert functions(sim) == ["OpenServiceW", "StartServiceW"]
    assert beat.wait(S.RUNNING).state is S.RUNNING
    sim.calls.clear()
    assert beat.pause(wait=False).state is S.PAUSE_PENDING
    beat.wait(S.PAUSED)
    assert beat.resume(wait=False).state is S.CONTINUE_PENDING
    beat.wait(S.RUNNING)
    assert beat.stop(wait=False).state is S.STOP_PENDING


# ------------------------------------------------------------------- refused requests


def test_start_of_starting_service_waits_until_it_runs(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(wait=False)
    sim.clock.advance(1)
    assert beat.start().state is S.RUNNING
    assert sim.clock.now == 3
    assert [call.error for call in sim.called("StartServiceW")] == [None, 1056]


def test_start_with_arguments_of_starting_service_raises(sim: SimulatedSCM, beat: Service) -> None:
    beat.start("one", wait=False)
    with pytest.raises(ServiceAlreadyRunningError):
        beat.start("two")
    assert sim.clock.now == 0
    assert sim["beat"].arguments == ("one",)


def test_start_of_running_service_raises_already_running(
    sim: SimulatedSCM, running: Service
) -> None:
    with pytest.raises(ServiceAlreadyRunningError) as caught:
        running.start()
    assert caught.value.winerror == 1056
    assert functions(sim) == ["StartServiceW", QUERY]


@pytest.mark.parametrize("arguments", [(), ("one",)])
def test_start_of_stopping_service_waits_and_repeats(
    sim: SimulatedSCM, running: Service, arguments: tuple[str, ...]
) -> None:
    running.stop(wait=False)
    assert running.start(*arguments).state is S.RUNNING
    assert sim.clock.now == 9  # started, stopped, started
    assert [call.error for call in sim.called("StartServiceW")] == [1056, None]
    assert sim["beat"].arguments == arguments


def test_start_that_finds_stopped_service_after_refusal_repeats(
    sim: SimulatedSCM, running: Service
) -> None:
    sim.faults.before(QUERY, lambda: sim.local.crash("beat"))
    assert running.start().state is S.RUNNING
    assert [call.error for call in sim.called("StartServiceW")] == [1056, None]


def test_stop_of_starting_service_waits_and_repeats(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(wait=False)
    assert beat.stop().state is S.STOPPED
    assert sim.clock.now == 6
    assert [call.error for call in sim.called("ControlService")] == [1052, None]


def test_stop_of_stopping_service_waits_without_second_control(
    sim: SimulatedSCM, running: Service
) -> None:
    running.stop(wait=False)
    assert running.stop().state is S.STOPPED
    assert [call.error for call in sim.called("ControlService")] == [None, 1061]


def test_stop_of_service_that_fails_to_start_raises_not_active(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=5, ends_after=2, exit_code=5)
    beat.start(wait=False)
    with pytest.raises(ServiceNotActiveError) as caught:
        beat.stop()
    assert (caught.value.winerror, sim.clock.now) == (1062, 2)


@pytest.mark.parametrize("call", [Service.stop, Service.pause, Service.resume])
def test_control_of_stopped_service_raises_not_active(
    sim: SimulatedSCM, beat: Service, call: Callable[[Service], object]
) -> None:
    with pytest.raises(ServiceNotActiveError) as caught:
        call(beat)
    assert caught.value.winerror == 1062
    assert not sim.called(QUERY)


@pytest.mark.parametrize("call", [Service.stop, Service.pause, Service.resume])
def test_control_not_accepted_in_settled_state_raises_at_once(
    sim: SimulatedSCM, running: Service, call: Callable[[Service], object]
) -> None:
    sim["beat"].controls_accepted = AcceptedControls(0)
    with pytest.raises(ControlRefusedError) as caught:
        call(running)
    assert (caught.value.winerror, sim.clock.now) == (1052, 3)
    assert count(sim, "ControlService") == 1


def test_pause_of_pausing_service_waits(sim: SimulatedSCM, running: Service) -> None:
    running.pause(wait=False)
    assert running.pause().state is S.PAUSED
    assert sim.clock.now == 6
    running.resume(wait=False)
    assert running.resume().state is S.RUNNING
    assert sim.clock.now == 9


def test_pause_of_resuming_service_waits_and_repeats(sim: SimulatedSCM, running: Service) -> None:
    running.pause()
    running.resume(wait=False)
    assert running.pause().state is S.PAUSED
    assert sim.clock.now == 12


@pytest.mark.parametrize("call", [Service.pause, Service.resume])
def test_control_of_stopping_service_raises_when_it_has_stopped(
    sim: SimulatedSCM, running: Service, call: Callable[[Service], object]
) -> None:
    running.stop(wait=False)
    with pytest.raises(ServiceNotActiveError) as caught:
        call(running)
    assert (caught.value.winerror, sim.clock.now) == (1062, 6)


def test_wait_for_pending_state_before_request_obeys_timeout(
    sim: SimulatedSCM, beat: Service
) -> None:
    beat.start(wait=False)
    with pytest.raises(WaitTimeoutError, match="START_PENDING"):
        beat.stop(timeout=2)
    assert sim.clock.now == 2
    beat.wait(S.RUNNING)
    assert sim.clock.now == 3  # no stop was sent


def test_timeout_includes_the_wait_before_the_repeated_request(
    sim: SimulatedSCM, beat: Service
) -> None:
    beat.start(wait=False)
    with pytest.raises(WaitTimeoutError, match="STOP_PENDING"):
        beat.stop(timeout=5)
    assert sim.clock.now == 5


# ------------------------------------------------------------------- ends of a wait


def fall_back(sim: SimulatedSCM, to: State) -> None:
    sim.clock.after(1, lambda: sim.local.report("beat", to))


@pytest.mark.parametrize("notifies", [True, False])
@pytest.mark.parametrize("call", [Service.stop, Service.pause])
def test_control_that_falls_back_to_running_raises_wait_error(
    sim: SimulatedSCM, running: Service, call: Callable[[Service], object], notifies: bool
) -> None:
    if not notifies:
        polling(sim)
    fall_back(sim, S.RUNNING)
    with pytest.raises(WaitError, match="has returned to its previous state") as caught:
        call(running)
    assert type(caught.value) is WaitError
    assert sim.clock.now < 4.3
    assert caught.value.status is not None
    assert caught.value.status.state is S.RUNNING


def test_resume_that_falls_back_to_paused_raises_wait_error(
    sim: SimulatedSCM, running: Service
) -> None:
    running.pause()
    fall_back(sim, S.PAUSED)
    with pytest.raises(WaitError, match=r"is PAUSED, not RUNNING.*previous state"):
        running.resume()
    assert sim.clock.now == 7


def test_wait_for_stopped_that_falls_back_raises_wait_error(
    sim: SimulatedSCM, running: Service
) -> None:
    sim.clock.after(1, partial(control, sim, "beat", Control.STOP))
    sim.clock.after(2, lambda: sim.local.report("beat", S.RUNNING))
    with pytest.raises(WaitError, match="previous state"):
        running.wait(S.STOPPED)


def test_pause_of_service_that_stops_raises_stopped_error(
    sim: SimulatedSCM, running: Service
) -> None:
    for delay in (0, 1):
        if sim["beat"].state is S.STOPPED:
            running.start()
        if delay:
            sim.clock.after(delay, lambda: sim.local.crash("beat"))
        else:
            sim.faults.before(QUERY, lambda: sim.local.crash("beat"))
        with pytest.raises(ServiceStoppedError, match=r"not PAUSED.*exit code 1067") as caught:
            running.pause()
        assert isinstance(caught.value, ServiceNotActiveError)
        assert "may have been missed" not in str(caught.value)


def test_resume_of_service_that_stops_raises_stopped_error(
    sim: SimulatedSCM, running: Service
) -> None:
    running.pause()
    sim.faults.before(QUERY, lambda: sim.local.crash("beat"))
    with pytest.raises(ServiceStoppedError):
        running.resume()


def test_start_of_deleted_service_raises_marked_for_delete(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    sim.clock.after(1, lambda: scm.delete("beat"))
    with pytest.raises(MarkedForDeleteError):
        beat.start()
    assert sim.clock.now == 1


def test_stop_of_service_deleted_during_wait_succeeds(
    sim: SimulatedSCM, scm: ServiceManager, running: Service
) -> None:
    sim.clock.after(1, lambda: scm.delete("beat"))
    assert running.stop().state is S.STOPPED


@pytest.mark.parametrize("timeout", [None, 60])
def test_start_on_lost_machine_raises_unreachable(
    sim: SimulatedSCM, beat: Service, timeout: float | None
) -> None:
    sim.clock.after(1, sim.local.disconnect)
    with pytest.raises(MachineUnreachableError):
        beat.start(timeout=timeout)
    assert sim.clock.now <= 2


# ------------------------------------------------------------------- services that hang


@pytest.mark.parametrize(("hint", "hangs_at"), [(0, 60), (20, 80), (3600, 3660), (7200, 3660)])
def test_start_without_check_points_hangs_after_hint_and_minute(
    sim: SimulatedSCM, beat: Service, hint: float, hangs_at: float
) -> None:
    sim["beat"].program = ProgramBehavior(hangs_in=[S.START_PENDING], wait_hint=hint)
    with pytest.raises(WaitTimeoutError, match="no progress") as caught:
        beat.start()
    assert sim.clock.now == pytest.approx(hangs_at, abs=0.01)
    assert caught.value.hint == "The service does not respond; a timeout= allows it more time."


def test_start_that_stops_to_report_hangs_after_last_check_point(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim["beat"].program = ProgramBehavior(hangs_in=[S.START_PENDING], wait_hint=10)
    sim.clock.after(
        30, lambda: sim.local.report("beat", S.START_PENDING, check_point=5, wait_hint=10)
    )
    # The same check point with another hint is no progress.
    sim.clock.after(
        50, lambda: sim.local.report("beat", S.START_PENDING, check_point=5, wait_hint=10)
    )
    with pytest.raises(WaitTimeoutError):
        beat.start()
    assert sim.clock.now == pytest.approx(100, abs=0.01)


@pytest.mark.parametrize("notifies", [True, False])
def test_start_with_growing_check_points_never_hangs(
    sim: SimulatedSCM, beat: Service, notifies: bool
) -> None:
    if not notifies:
        polling(sim)
    sim["beat"].program = ProgramBehavior(start_takes=1200, check_point_every=55, wait_hint=0)
    assert beat.start().state is S.RUNNING
    assert 1200 <= sim.clock.now < 1201


@pytest.mark.parametrize("call", [Service.stop, Service.pause])
def test_control_without_effect_hangs_after_a_minute(
    sim: SimulatedSCM, running: Service, call: Callable[[Service], object]
) -> None:
    sim["beat"].behavior = ProgramBehavior(accepts=CONTROLS, ignores=[1, 2])
    with pytest.raises(WaitTimeoutError, match=r"is RUNNING, .* no progress for 60 s"):
        call(running)
    assert sim.clock.now == pytest.approx(63, abs=0.01)


def test_explicit_timeout_replaces_hang_rule(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=900, check_point_every=2000, wait_hint=1)
    assert beat.start(timeout=1000).state is S.RUNNING
    assert sim.clock.now == 900
    sim["beat"].behavior = ProgramBehavior(accepts=CONTROLS, ignores=[1])
    with pytest.raises(WaitTimeoutError, match="after 300 s"):
        beat.stop(timeout=300)


def test_wait_for_settled_service_without_request_never_hangs(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim.clock.after(5000, lambda: beat.start(wait=False))
    assert beat.wait(S.RUNNING).state is S.RUNNING
    assert sim.clock.now == 5003


# ------------------------------------------------------------------- success and failure of a start


def test_start_succeeds_when_running_was_notified_before_stop(
    sim: SimulatedSCM, beat: Service
) -> None:
    def pass_through() -> None:
        sim.local.report("beat", S.RUNNING)
        sim.local.crash("beat")

    sim.clock.after(2, pass_through)
    assert beat.start().state is S.RUNNING
    assert sim["beat"].state is S.STOPPED


def test_start_succeeds_when_service_runs_and_stops_before_query(
    sim: SimulatedSCM, beat: Service
) -> None:
    def pass_through() -> None:
        sim.local.report("beat", S.RUNNING)
        sim.local.crash("beat")

    sim.clock.after(1.5, lambda: sim.faults.before(QUERY, pass_through))
    assert beat.start().state is S.RUNNING
    assert sim["beat"].state is S.STOPPED


@pytest.mark.parametrize("exit_code", [0, 5])
def test_start_of_service_that_stops_before_running_raises_start_error(
    sim: SimulatedSCM, beat: Service, exit_code: int
) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=5, ends_after=2, exit_code=exit_code)
    with pytest.raises(ServiceStartError, match=f"stopped with exit code {exit_code}") as caught:
        beat.start()
    assert caught.value.status is not None
    assert caught.value.status.exit_code == exit_code
    assert "may have been missed" not in str(caught.value)


def test_polled_start_of_service_that_stops_says_running_may_be_missed(sim: SimulatedSCM) -> None:
    once = ProgramBehavior(start_takes=0.1, ends_after=0.2)
    sim.add_machine("build07").add("once", program=once)
    sim.latency = 0.3
    with ServiceManager("build07", backend=sim) as scm, scm.open("once") as service:
        with pytest.raises(ServiceStartError, match="polled, so RUNNING may have been missed"):
            service.start()


@pytest.mark.parametrize(("ends_after", "expected"), [(1, S.STOPPED), (3, S.RUNNING)])
def test_wait_for_running_or_stopped_accepts_service_that_runs_once(
    sim: SimulatedSCM, beat: Service, ends_after: float, expected: State
) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=2, ends_after=ends_after)
    sim.clock.after(5, lambda: beat.start(wait=False))
    sim.clock.advance(5.5)
    assert beat.wait([S.RUNNING, S.STOPPED]).state is expected
    sim.clock.advance(10)
    assert beat.wait([S.RUNNING, S.STOPPED]).state is S.STOPPED


# ------------------------------------------------------------------- stable_for


def test_start_with_stable_for_returns_when_time_has_passed(
    sim: SimulatedSCM, beat: Service
) -> None:
    status = beat.start(stable_for=5)
    assert (status.state, sim.clock.now) == (S.RUNNING, 8)


def test_stable_time_does_not_count_towards_timeout(sim: SimulatedSCM, beat: Service) -> None:
    assert beat.start(timeout=4, stable_for=10).state is S.RUNNING
    assert sim.clock.now == 13


@pytest.mark.parametrize("notifies", [True, False])
def test_start_with_stable_for_raises_when_service_crashes(
    sim: SimulatedSCM, beat: Service, notifies: bool
) -> None:
    if not notifies:
        polling(sim)
    sim["beat"].program = ProgramBehavior(start_takes=1, ends_after=4, crashes=True)
    with pytest.raises(ServiceStartError, match="exit code 1067, and was RUNNING before"):
        beat.start(stable_for=5)
    assert 4 <= sim.clock.now < 4.3


def test_start_with_stable_for_raises_when_service_is_restarted(
    sim: SimulatedSCM, beat: Service
) -> None:
    polling(sim)
    sim["beat"].program = ProgramBehavior(ends_after=0.57, crashes=True)
    beat.configure(failure_actions=FailureActions.restart(after=[0]))
    with pytest.raises(ServiceRestartedError, match="failure actions") as caught:
        beat.start(stable_for=5)
    assert caught.value.status is not None
    assert caught.value.last_progress is not None
    first, second = caught.value.last_progress.pid, caught.value.status.pid
    assert first != second
    assert "is RUNNING after 0.81 s: the service has stopped" in str(caught.value)
    assert f"(process {second} instead of {first})" in str(caught.value)


def test_start_with_stable_for_raises_when_state_does_not_last(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim["beat"].program = INSTANT
    sim.clock.after(1, partial(control, sim, "beat", Control.PAUSE))
    with pytest.raises(WaitError, match=r"is PAUSED, not RUNNING.*did not last"):
        beat.start(stable_for=5)


# ------------------------------------------------------------------- restarted by failure actions


@pytest.mark.parametrize("state", [S.RUNNING, S.START_PENDING])
def test_polled_stop_that_finds_new_process_raises_restarted_error(
    sim: SimulatedSCM, running: Service, state: State
) -> None:
    polling(sim)
    before = sim["beat"].pid
    restarted = INSTANT if state is S.RUNNING else ProgramBehavior(start_takes=100)

    def restart() -> None:
        sim.local.crash("beat")
        sim["beat"].program = restarted
        sim.local.starting.start(sim["beat"])

    sim.clock.after(1, restart)
    with pytest.raises(ServiceRestartedError, match="restarted, for example by its failure") as got:
        running.stop()
    assert got.value.winerror == 1056
    assert got.value.status is not None
    assert (got.value.status.state, got.value.status.pid != before) == (state, True)


def test_restart_accepts_start_by_failure_actions(sim: SimulatedSCM, running: Service) -> None:
    polling(sim)

    def restart() -> None:
        sim.local.crash("beat")
        sim.local.starting.start(sim["beat"])

    sim.clock.after(1, restart)
    assert running.restart().state is S.RUNNING
    assert count(sim, "ControlService") == 1
    assert [call.error for call in sim.called("StartServiceW")] == [1056]  # it was starting


def test_restart_with_arguments_refuses_start_by_failure_actions(
    sim: SimulatedSCM, running: Service
) -> None:
    polling(sim)

    def restart() -> None:
        sim.local.crash("beat")
        sim["beat"].program = INSTANT
        sim.local.starting.start(sim["beat"])

    sim.clock.after(1, restart)
    with pytest.raises(ServiceAlreadyRunningError):
        running.restart("argument")


# ------------------------------------------------------------------- before anything is sent


@pytest.mark.parametrize(
    ("call", "right"),
    [
        (Service.start, ServiceAccess.START),
        (Service.stop, ServiceAccess.STOP),
        (Service.pause, ServiceAccess.PAUSE_CONTINUE),
        (Service.resume, ServiceAccess.PAUSE_CONTINUE),
    ],
)
def test_waiting_request_without_query_right_is_refused_before_sending(
    sim: SimulatedSCM,
    scm: ServiceManager,
    beat: Service,
    call: Callable[[Service], object],
    right: ServiceAccess,
) -> None:
    with scm.open("beat", access=right) as service:
        with pytest.raises(AccessDeniedError, match=r"QUERY_STATUS.*wait=False does not need it"):
            call(service)
    sim.faults.deny(ServiceAccess.QUERY_STATUS, "beat")
    with pytest.raises(AccessDeniedError, match="QUERY_STATUS"):
        scm.start("beat")
    assert not sim.called("StartServiceW")
    assert not sim.called("ControlService")


def test_request_without_wait_needs_no_query_right(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("beat")
    sim.faults.deny(ServiceAccess.QUERY_STATUS, "beat")
    with scm.open("beat") as service:
        service.start(wait=False)
        assert service.stop(wait=False).state is S.STOPPED


TOKEN = CancelToken()
WITHOUT_WAIT: dict[str, list[tuple[str, object]]] = {
    "start": [("timeout", 5), ("stable_for", 5), ("progress", print), ("cancel", TOKEN)],
    "stop": [("timeout", 5), ("progress", print), ("cancel", TOKEN)],
    "pause": [("timeout", 5), ("progress", print), ("cancel", TOKEN)],
    "resume": [("timeout", 5), ("progress", print), ("cancel", TOKEN)],
    "delete": [("timeout", 5), ("cancel", TOKEN)],
}


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [(method, *given) for method, pairs in WITHOUT_WAIT.items() for given in pairs],
)
def test_argument_without_effect_is_refused_before_sending(
    sim: SimulatedSCM, beat: Service, method: str, name: str, value: object
) -> None:
    sim.calls.clear()
    with pytest.raises(TypeError, match=f"^{name}: has no effect with wait=False$"):
        getattr(beat, method)(wait=False, **{name: value})
    assert functions(sim) == []


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda beat: beat.start(total_timeout=5), "total_timeout"),
        (lambda beat: beat.stop(total_timeout="junk"), "total_timeout"),
        (lambda beat: beat.stop(stable_for=5), "stable_for"),
        (lambda beat: beat.pause(stable_for=5), "stable_for"),
        (lambda beat: beat.wait(S.RUNNING, stable_for=5), "stable_for"),
        (lambda beat: beat.restart(stable_for=5), "stable_for"),
        (lambda beat: beat.restart(wait=False), "wait"),
        (lambda beat: beat.stop_with_dependents(wait=False), "wait"),
        (lambda beat: beat.start_with_dependencies(stable_for=5), "stable_for"),
        (lambda beat: beat.delete(wait=True, progress=print), "progress"),
        (lambda beat: beat.delete(timeout=5), "timeout"),
        (lambda beat: beat.start(wait=1), "wait"),
        (lambda beat: beat.start(progress=5), "progress"),
        (lambda beat: beat.stop(cancel=threading.Event()), "cancel"),
        (lambda beat: beat.start(stable_for="5"), "stable_for"),
        (lambda beat: beat.restart(progress=5), "progress"),
        (lambda beat: beat.stopped(total_timeout="junk").__enter__(), "total_timeout"),
    ],
)
def test_invalid_keyword_raises_type_error_before_sending(
    sim: SimulatedSCM, beat: Service, call: Callable[[Service], object], name: str
) -> None:
    sim.calls.clear()
    with pytest.raises(TypeError, match=name):
        call(beat)
    assert functions(sim) == []


@pytest.mark.parametrize(
    "call",
    [
        lambda beat: beat.start(timeout=-5),
        lambda beat: beat.start(stable_for=-1),
        lambda beat: beat.restart(total_timeout=-5),
        lambda beat: beat.stop_with_dependents(total_timeout=-5),
        lambda beat: beat.delete(wait=True, timeout=-1),
    ],
)
def test_negative_duration_raises_before_sending(
    sim: SimulatedSCM, beat: Service, call: Callable[[Service], object]
) -> None:
    sim.calls.clear()
    with pytest.raises(ValidationError):
        call(beat)
    assert functions(sim) == []


# ------------------------------------------------------------------- services of this process


class OwnProcess(Recorder):
    """A backend of a process that hosts services."""

    def capabilities(self, machine: str | None) -> Capabilities:
        return Capabilities(notifies=False, concurrency=1, own_pid=77)


@pytest.mark.parametrize(
    "call",
    [
        Service.start,
        Service.stop,
        Service.pause,
        Service.resume,
        Service.restart,
        Service.stop_with_dependents,
        lambda service: service.stopped().__enter__(),
        lambda service: service.wait(State.STOPPED),
    ],
)
def test_waiting_request_to_own_process_is_refused_before_sending(
    call: Callable[[Service], object],
) -> None:
    own = STOPPED._replace(current_state=4, process_id=77)
    other = EnumRow("user", "User", own._replace(process_id=78))
    recorder = OwnProcess(query_service_status_ex=own, enum_dependent_services=[other])
    with opened(recorder) as service:
        with pytest.raises(ValidationError, match="runs in this process"):
            call(service)
        assert not recorder.called("start_service", "control_service")
        service.stop(wait=False)


def test_wait_for_several_services_refuses_service_of_own_process() -> None:
    recorder = OwnProcess(query_service_status_ex=STOPPED._replace(current_state=4, process_id=77))
    with (
        ServiceManager(backend=recorder.backend) as scm,
        pytest.raises(ValidationError, match="'beat' runs in this process"),
    ):
        scm.wait({"beat": State.STOPPED})


# ------------------------------------------------------------------- Ctrl-C


def test_keyboard_interrupt_after_request_notes_that_it_was_sent(
    sim: SimulatedSCM, beat: Service
) -> None:
    def interrupt(status: ServiceStatus) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        beat.start(progress=interrupt)
    assert caught.value.__notes__ == [
        "The request to service 'beat' was sent, and is not withdrawn."
    ]
    assert sim["beat"].state is S.START_PENDING


def test_keyboard_interrupt_before_repeated_request_has_no_note(
    sim: SimulatedSCM, beat: Service
) -> None:
    def interrupt(status: ServiceStatus) -> None:
        raise KeyboardInterrupt

    beat.start(wait=False)
    with pytest.raises(KeyboardInterrupt) as caught:
        beat.stop(progress=interrupt)
    assert not hasattr(caught.value, "__notes__")


def test_cancelled_start_leaves_service_starting(sim: SimulatedSCM, beat: Service) -> None:
    token = CancelToken()
    sim.clock.after(1, token.cancel)
    with pytest.raises(WaitCancelledError):
        beat.start(cancel=token)
    assert beat.wait(S.RUNNING).state is S.RUNNING


# ------------------------------------------------------------------- deletion


def test_delete_does_not_wait_by_default(sim: SimulatedSCM, beat: Service) -> None:
    sim.calls.clear()
    beat.delete()
    assert functions(sim) == ["OpenServiceW", "DeleteService"]
    assert "beat" in sim
    with pytest.raises(MarkedForDeleteError):
        beat.delete()


def test_delete_with_wait_closes_service_and_waits(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    other = scm.open("beat")
    sim.clock.after(5, other.close)
    beat.delete(wait=True)
    assert "beat" not in sim
    assert beat.closed
    assert 5 <= sim.clock.now < 5.3


def test_delete_with_wait_of_marked_service_waits(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    beat.delete()
    sim.clock.after(2, beat.close)
    scm.delete("beat", wait=True, timeout=30)
    assert "beat" not in sim


def test_delete_with_wait_names_running_state_and_own_handles(
    sim: SimulatedSCM, scm: ServiceManager, running: Service
) -> None:
    with pytest.raises(WaitTimeoutError, match="still exists 3 s after") as caught:
        scm.delete("beat", wait=True, timeout=3)
    assert caught.value.hint is not None
    assert "The service is RUNNING: it is removed when it has stopped." in caught.value.hint
    assert "This process has" in caught.value.hint
    assert (caught.value.object_name, caught.value.winerror) == ("beat", 1460)
    running.stop()
    running.close()
    assert "beat" not in sim


def test_delete_with_wait_counts_handles_of_watch(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("beat")
    with scm.watch("beat"):
        with pytest.raises(WaitTimeoutError, match="1 handles of its services and watches"):
            scm.delete("beat", wait=True, timeout=1)


def test_delete_with_wait_names_other_process_as_last_cause(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("beat")
    manager = sim.open_sc_manager(None, None, 1)
    handle = sim.open_service(manager, "beat", 1)
    with pytest.raises(WaitTimeoutError, match="handle to the service is open in another process"):
        scm.delete("beat", wait=True, timeout=1)
    sim.close_service_handle(handle)
    sim.close_service_handle(manager)


# ------------------------------------------------------------------- a block without the service


def add_tree(sim: SimulatedSCM) -> None:
    """Add ``base`` with two running dependents, of which ``held`` is paused."""
    sim.add("base", program=SLOW, state=S.RUNNING)
    sim.add("user", program=SLOW, state=S.RUNNING, dependencies=("base",))
    sim.add("held", program=SLOW, state=S.PAUSED, dependencies=("base",))


def test_stopped_block_restores_service_and_dependents(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    add_tree(sim)
    before = states(sim)
    seen: list[str] = []

    def progress(name: str, status: ServiceStatus) -> None:
        if name not in seen[-1:]:
            seen.append(name)

    with scm.open("base") as base:
        with base.stopped(timeout=30, progress=progress) as service:
            assert service is base
            assert set(states(sim).values()) == {S.STOPPED}
            base.configure(description="changed")
        assert states(sim) == before
    assert seen[2] == seen[3] == "base" or seen.count("base") == 1
    assert set(seen) == {"base", "user", "held"}


def test_stopped_block_restores_paused_service(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("beat", program=SLOW, state=S.PAUSED)
    with scm.open("beat") as beat, beat.stopped():
        assert states(sim) == {"beat": S.STOPPED}
    assert states(sim) == {"beat": S.PAUSED}


def test_stopped_block_leaves_stopped_service_stopped(sim: SimulatedSCM, beat: Service) -> None:
    with beat.stopped():
        pass
    assert sim["beat"].state is S.STOPPED
    assert not sim.called("StartServiceW")


@pytest.mark.parametrize("restore", [True, False])
def test_stopped_block_with_error_restores_unless_refused(
    sim: SimulatedSCM, scm: ServiceManager, restore: bool
) -> None:
    add_tree(sim)
    before = states(sim)
    with scm.open("base") as base:
        with pytest.raises(ZeroDivisionError), base.stopped(restore_on_error=restore):
            raise ZeroDivisionError
    assert states(sim) == (before if restore else dict.fromkeys(before, S.STOPPED))


def test_stopped_block_adds_failed_restore_as_note(sim: SimulatedSCM, running: Service) -> None:
    def fail_in_block() -> None:
        with running.stopped():
            sim["beat"].program = ProgramBehavior(start_error=2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        fail_in_block()
    (note,) = caught.value.__notes__
    assert note.startswith("The service could not be restored: StartServiceW failed for 'beat'")


def test_stopped_block_that_fails_to_restore_raises(sim: SimulatedSCM, running: Service) -> None:
    with pytest.raises(CascadeError, match="Done: stop beat") as caught, running.stopped():
        sim["beat"].program = ProgramBehavior(start_error=2)
    assert isinstance(caught.value.error, FileNotFoundError)


def test_stopped_block_does_not_begin_if_stop_fails(sim: SimulatedSCM, scm: ServiceManager) -> None:
    add_tree(sim)
    sim["base"].controls_accepted = AcceptedControls(0)
    before = states(sim)
    with scm.open("base") as base, pytest.raises(CascadeError) as caught:
        with base.stopped(timeout=10):
            pytest.fail("the block was entered")
    assert caught.value.winerror == 1052
    assert states(sim) == before


def test_stopped_block_without_dependents_refuses_running_ones(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    add_tree(sim)
    before = states(sim)
    with scm.open("base") as base, pytest.raises(Win32Error) as caught:
        with base.stopped(dependents=False):
            pytest.fail("the block was entered")
    assert caught.value.winerror == 1051
    assert states(sim) == before


# ------------------------------------------------------------------- progress of cascades


def test_cascades_report_progress_with_service_names(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    add_tree(sim)
    seen: list[tuple[str, State]] = []

    def progress(name: str, status: ServiceStatus) -> None:
        if status.state not in (S.STOP_PENDING, S.START_PENDING):
            seen.append((name, status.state))

    with scm.open("base") as base, scm.open("user") as user:
        base.stop_with_dependents(progress=progress)
        assert sorted(seen[:2]) == [("held", S.STOPPED), ("user", S.STOPPED)]
        assert seen[2:] == [("base", S.STOPPED)]
        seen.clear()
        user.start_with_dependencies("one", progress=progress)
        assert seen == [("base", S.RUNNING), ("user", S.RUNNING)]
        assert (sim["base"].arguments, sim["user"].arguments) == ((), ("one",))
        assert sim.clock.now == 15


# ------------------------------------------------------------------- one call of the manager


def test_manager_operations_change_state_and_return_status(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("beat", program=SLOW)
    assert scm.status("beat").state is S.STOPPED
    assert scm.start("beat", "one", stable_for=1).state is S.RUNNING
    assert sim["beat"].arguments == ("one",)
    first = sim["beat"].pid
    assert scm.restart("beat", timeout=30).pid != first
    assert scm.stop("beat").state is S.STOPPED
    with pytest.raises(ServiceNotFoundError):
        scm.start("other")


def test_manager_restart_restores_dependents(sim: SimulatedSCM, scm: ServiceManager) -> None:
    add_tree(sim)
    before = states(sim)
    assert scm.restart("base", total_timeout=60).state is S.RUNNING
    assert states(sim) == before


def test_manager_waits_for_several_services_at_once(
    sim: SimulatedSCM, scm: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[int] = []
    opener = sim.open_waiter

    def open_waiter() -> int:
        opened.append(opener())
        return opened[-1]

    monkeypatch.setattr(sim, "open_waiter", open_waiter)
    seen: list[tuple[str, State]] = []
    for name, seconds in (("a", 5), ("b", 2), ("c", 9)):
        sim.add(name, program=ProgramBehavior(start_takes=seconds))
        with scm.open(name) as service:
            service.start(wait=False)
    done = scm.wait(
        {"a": S.RUNNING, "b": S.RUNNING, "C": [S.RUNNING, S.STOPPED]},
        progress=lambda name, status: seen.append((name, status.state)),
    )
    assert {name: status.state for name, status in done.items()} == {
        "a": S.RUNNING,
        "b": S.RUNNING,
        "C": S.STOPPED if sim["c"].state is S.STOPPED else S.RUNNING,
    }
    assert sim.clock.now == 9
    assert len(opened) == 1
    assert [name for name, state in seen if state is S.RUNNING] == ["b", "a", "C"]
    assert scm.wait({}) == {}


def test_manager_wait_ends_with_first_failure(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("good", program=ProgramBehavior(start_takes=20))
    sim.add("bad", program=ProgramBehavior(start_takes=20, ends_after=4, exit_code=5))
    for name in ("good", "bad"):
        with scm.open(name) as service:
            service.start(wait=False)
    with pytest.raises(ServiceStartError, match="'bad'") as caught:
        scm.wait({"good": S.RUNNING, "bad": S.RUNNING})
    assert (caught.value.object_name, sim.clock.now) == ("bad", 4)
    with pytest.raises(WaitTimeoutError, match="'good'"):
        scm.wait({"good": S.RUNNING}, 1)
    with pytest.raises(ServiceNotFoundError):
        scm.wait({"good": S.RUNNING, "none": S.RUNNING})


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda scm: scm.wait({"beat": "RUNNING"}), TypeError),
        (lambda scm: scm.wait({"beat": []}), ValidationError),
        (lambda scm: scm.wait({"beat": S.RUNNING}, -1), ValidationError),
        (lambda scm: scm.wait({"beat": S.RUNNING}, progress=5), TypeError),
        (lambda scm: scm.wait({"beat": S.RUNNING}, cancel=5), TypeError),
    ],
)
def test_manager_wait_checks_arguments_before_opening(
    sim: SimulatedSCM,
    scm: ServiceManager,
    call: Callable[[ServiceManager], object],
    error: type[Exception],
) -> None:
    sim.add("beat")
    sim.calls.clear()
    with pytest.raises(error):
        call(scm)
    assert functions(sim) == []


# ------------------------------------------------------------------- listings and the manager


def test_services_with_name_returns_matching_key_names(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    for name in ("WinRM", "winmgmt", "Spooler", "x[1]"):
        sim.add(name, display_name=f"Windows {name}")

    def found(name: str) -> list[str]:
        return [info.name for info in scm.services(name=name)]

    assert found("Win*") == ["WinRM", "winmgmt"]
    assert found("SPOOLER") == ["Spooler"]
    assert found("*o?ler") == ["Spooler"]
    assert found("x[[]1]") == ["x[1]"]
    assert found("none*") == []
    assert [info.name for info, _ in scm.configs(name="win*")] == ["WinRM", "winmgmt"]
    assert [item.name for item in scm.snapshots(name="Sp*")] == ["Spooler"]
    with pytest.raises(TypeError, match="name"):
        scm.services(name=5)  # type: ignore[arg-type]


def test_instances_returns_services_of_template(sim: SimulatedSCM, scm: ServiceManager) -> None:
    instance = ServiceType.SHARE_PROCESS | ServiceType.USER_SERVICE | ServiceType(0x80)
    sim.add("CDPUserSvc", service_type=ServiceType.SHARE_PROCESS | ServiceType.USER_SERVICE)
    sim.add("CDPUserSvc_3f2a1", service_type=instance)
    sim.add("CDPUserSvc_77abc", service_type=instance)
    sim.add("Other_3f2a1", service_type=instance)
    sim.add("CDPUserSvc_plain")
    names = [info.name for info in scm.instances("cdpusersvc")]
    assert names == ["CDPUserSvc_3f2a1", "CDPUserSvc_77abc"]
    assert {info.template for info in scm.instances("Other")} == {"Other"}
    assert scm.info("CDPUserSvc").template is None
    assert scm.instances("none") == []


def test_manager_security_can_be_read_and_written(sim: SimulatedSCM, scm: ServiceManager) -> None:
    before = scm.security()
    assert before.dacl is not None
    scm.set_security("D:(A;;CC;;;AU)(A;;KA;;;BA)")
    after = scm.security()
    assert after.owner == before.owner
    assert isinstance(after.dacl, Acl)
    assert len(after.dacl) == 2
    with pytest.raises(ValidationError):
        scm.set_security("O:SY")


def test_manager_security_without_right_raises_access_denied(sim: SimulatedSCM) -> None:
    from winsvc import ManagerAccess

    with ServiceManager(backend=sim, access=ManagerAccess.CONNECT) as scm:
        with pytest.raises(AccessDeniedError, match="READ_CONTROL"):
            scm.security()
        with pytest.raises(AccessDeniedError, match="WRITE_DAC"):
            scm.set_security("D:")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda scm: scm.wait(["beat"]), "states: expected Mapping, not list"),
        (lambda scm: scm.wait({"beat": 99}), "state: expected State, not int"),
        (lambda scm: scm.services(state=None), "state: expected State, not None"),
        (
            lambda scm: ServiceManager(5),  # type: ignore[arg-type]
            "machine: expected str or None, not int",
        ),
        (
            lambda scm: FailureActions.restart(after=5),  # type: ignore[arg-type]
            "after: expected Iterable, not int",
        ),
        (
            lambda scm: FailureActions(actions=(FailureAction("restart"),)),  # type: ignore[arg-type]
            "actions[0].type: expected ActionType, not str",
        ),
    ],
)
def test_argument_of_wrong_type_raises_type_error(
    scm: ServiceManager, call: Callable[[Any], object], message: str
) -> None:
    with pytest.raises(TypeError) as caught:
        call(scm)
    assert message in str(caught.value)


def test_timeout_in_other_pending_state_names_the_state(
    sim: SimulatedSCM, scm: ServiceManager
) -> None:
    sim.add("slow", program=ProgramBehavior(start_takes=60))
    with scm.open("slow") as service:
        service.start(wait=False)
        with pytest.raises(WaitTimeoutError) as caught:
            service.stop(timeout=2)
        assert "is START_PENDING" in str(caught.value)
        assert ", which has not ended, after 2 s" in str(caught.value)
        sim.clock.advance(60)
