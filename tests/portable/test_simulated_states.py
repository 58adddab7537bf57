"""Test simulated services from start to end, in simulated time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from simulated import code_of, control, opened, start, state_of, status

from winsvc import (
    AcceptedControls,
    Control,
    ControlRefusedError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceStartError,
    ServiceType,
    State,
    ValidationError,
    Win32Error,
)
from winsvc.testing import ProgramBehavior, SimulatedSCM

TAKEN = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
SLOW = ProgramBehavior(start_takes=3, stop_takes=4, pause_takes=5, continue_takes=6, accepts=TAKEN)
S = State


def simulated_beat(behavior: ProgramBehavior, state: State = State.STOPPED) -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.latency = 0
    sim.add("beat", program=behavior, state=state)
    return sim


@pytest.mark.parametrize(
    ("first", "code", "pending", "seconds", "settled"),
    [
        (S.STOPPED, None, S.START_PENDING, 3, S.RUNNING),
        (S.RUNNING, Control.STOP, S.STOP_PENDING, 4, S.STOPPED),
        (S.PAUSED, Control.STOP, S.STOP_PENDING, 4, S.STOPPED),
        (S.RUNNING, Control.PAUSE, S.PAUSE_PENDING, 5, S.PAUSED),
        (S.PAUSED, Control.CONTINUE, S.CONTINUE_PENDING, 6, S.RUNNING),
    ],
)
def test_pending_state_reports_check_points_until_settled(
    first: State, code: int | None, pending: State, seconds: float, settled: State
) -> None:
    sim = simulated_beat(SLOW, first)
    done = start(sim, "beat") if code is None else control(sim, "beat", code)
    assert done == 0
    for passed in range(int(seconds)):
        row = status(sim, "beat")
        assert (row.current_state, row.check_point, row.wait_hint) == (pending, passed + 1, 2000)
        assert row.controls_accepted == 0
        assert row.process_id
        sim.clock.advance(1)
    row = status(sim, "beat")
    assert (row.current_state, row.check_point, row.wait_hint) == (settled, 0, 0)
    assert bool(row.process_id) == (settled is not S.STOPPED)
    assert row.controls_accepted == (0 if settled is S.STOPPED else TAKEN)


def test_behaviour_sets_check_points_and_wait_hint() -> None:
    sim = simulated_beat(ProgramBehavior(start_takes=1, check_point_every=0.25, wait_hint=0.5))
    start(sim, "beat")
    seen = []
    for _ in range(5):
        seen.append((sim["beat"].check_point, sim["beat"].wait_hint))
        sim.clock.advance(0.25)
    assert seen == [(1, 500), (2, 500), (3, 500), (4, 500), (0, 0)]


@pytest.mark.parametrize(
    ("first", "code", "pending"),
    [
        (S.STOPPED, None, S.START_PENDING),
        (S.RUNNING, Control.STOP, S.STOP_PENDING),
        (S.RUNNING, Control.PAUSE, S.PAUSE_PENDING),
        (S.PAUSED, Control.CONTINUE, S.CONTINUE_PENDING),
    ],
)
def test_hung_service_stays_pending_until_report(
    first: State, code: int | None, pending: State
) -> None:
    sim = simulated_beat(ProgramBehavior(hangs_in=[pending], accepts=TAKEN), first)
    assert (start(sim, "beat") if code is None else control(sim, "beat", code)) == 0
    before = status(sim, "beat")
    assert before.current_state == pending
    sim.clock.advance(100_000)
    assert status(sim, "beat") == before
    sim.local.report("beat", S.RUNNING)
    assert state_of(sim, "beat") is S.RUNNING


@pytest.mark.parametrize(
    ("behavior", "state_before", "codes"),
    [
        (
            ProgramBehavior(ends_after=5, exit_code=1066, service_exit_code=77),
            S.RUNNING,
            (1066, 77),
        ),
        (ProgramBehavior(ends_after=5, exit_code=3), S.RUNNING, (3, 0)),
        (ProgramBehavior(ends_after=5), S.RUNNING, (0, 0)),
        (ProgramBehavior(ends_after=5, crashes=True), S.RUNNING, (1067, 0)),
        (ProgramBehavior(ends_after=5, crashes=True, exit_code=3), S.RUNNING, (1067, 0)),
        (ProgramBehavior(start_takes=9, ends_after=5, exit_code=7), S.START_PENDING, (7, 0)),
        (ProgramBehavior(start_takes=9, ends_after=5, crashes=True), S.START_PENDING, (1067, 0)),
    ],
)
def test_program_ending_itself_sets_exit_codes(
    behavior: ProgramBehavior, state_before: State, codes: tuple[int, int]
) -> None:
    sim = simulated_beat(behavior)
    assert start(sim, "beat") == 0
    row = status(sim, "beat")
    assert (row.win32_exit_code, row.service_specific_exit_code) == (0, 0)
    sim.clock.advance(4.9)
    assert state_of(sim, "beat") is state_before
    sim.clock.advance(0.1)
    row = status(sim, "beat")
    assert row.current_state == S.STOPPED
    assert (row.win32_exit_code, row.service_specific_exit_code) == codes
    assert row.process_id == 0
    sim.clock.advance(100)
    assert state_of(sim, "beat") is S.STOPPED
    assert start(sim, "beat") == 0
    assert status(sim, "beat").win32_exit_code == 0


def test_stop_cancels_scheduled_end_of_program() -> None:
    sim = simulated_beat(ProgramBehavior(ends_after=5, crashes=True, exit_code=4))
    start(sim, "beat")
    assert control(sim, "beat", Control.STOP) == 0
    assert sim["beat"].exit_code == 4
    start(sim, "beat")
    sim.clock.advance(4)
    assert state_of(sim, "beat") is S.RUNNING  # the first run's end is not the second's


@pytest.mark.parametrize(("error", "seconds"), [(2, 0), (193, 0), (1053, 30)])
def test_start_with_start_error_fails_and_stays_stopped(error: int, seconds: float) -> None:
    sim = simulated_beat(ProgramBehavior(start_error=error))
    assert start(sim, "beat") == error
    assert sim.clock.now == seconds
    row = status(sim, "beat")
    assert (row.current_state, row.process_id, row.win32_exit_code) == (S.STOPPED, 0, error)
    assert sim["beat"].starts == 0


def test_start_timeout_error_has_no_exit_code_hint() -> None:
    sim = simulated_beat(ProgramBehavior(start_error=1053))
    with ServiceManager(backend=sim) as scm, scm.open("beat") as beat:
        with pytest.raises(ServiceStartError) as caught:
            beat.start()
    assert caught.value.hint is None


@pytest.mark.parametrize(
    ("given", "error", "pattern"),
    [
        ({"hangs_in": State.STOP_PENDING}, TypeError, "hangs_in"),
        ({"hangs_in": [State.RUNNING]}, ValidationError, "RUNNING is not a pending state"),
        ({"hangs_in": ["stop_pending"]}, TypeError, "hangs_in"),
        ({"ignores": Control.STOP}, TypeError, "ignores"),
        ({"wait_hint": 10**8}, ValidationError, "wait_hint"),
        ({"check_point_every": 0}, ValidationError, "check_point_every"),
    ],
)
def test_behaviour_with_invalid_value_raises(
    given: dict[str, Any], error: type[Exception], pattern: str
) -> None:
    with pytest.raises(error, match=pattern):
        ProgramBehavior(**given)


def test_program_returning_no_behaviour_raises_type_error() -> None:
    sim = SimulatedSCM()
    nothing: Any = lambda argv: None  # noqa: E731
    sim.add("beat", program=nothing)
    with pytest.raises(TypeError, match="the program of 'beat': expected ProgramBehavior"):
        start(sim, "beat")
    state: Any = "running"
    with pytest.raises(TypeError, match="state: expected State"):
        sim.add("other", state=state)
    assert "other" not in sim
    assert not sim.open_handles


def test_ignored_control_succeeds_without_effect() -> None:
    sim = simulated_beat(ProgramBehavior(accepts=TAKEN, ignores=[Control.STOP, 200]), S.RUNNING)
    assert control(sim, "beat", Control.STOP) == 0
    assert control(sim, "beat", 200) == 0
    assert state_of(sim, "beat") is S.RUNNING
    assert sim["beat"].controls == [Control.STOP, 200]
    assert control(sim, "beat", Control.PAUSE) == 0
    assert state_of(sim, "beat") is S.PAUSED


# The table of ControlService: whether the control goes there if the service takes it.
STATES = [
    (S.STOPPED, 1062, 1062),
    (S.STOP_PENDING, 1061, 1061),
    (S.START_PENDING, 1052, 1061),  # while it starts, it takes no stop
    (S.RUNNING, 0, 0),
    (S.CONTINUE_PENDING, 1052, 0),
    (S.PAUSE_PENDING, 1052, 0),
    (S.PAUSED, 0, 0),
]


CONTROLS = [
    (state, code, expected)
    for state, stop, others in STATES
    for code, expected in ((Control.STOP, stop), (Control.INTERROGATE, others), (128, others))
]


@pytest.mark.parametrize(
    ("state", "code"), [(state, code) for state, code, expected in CONTROLS if expected == 0]
)
def test_control_in_state_that_takes_it_reaches_service(state: State, code: int) -> None:
    sim = simulated_beat(SLOW, state)
    sim.control_service(opened(sim, "beat"), code)
    assert sim["beat"].controls == [code]
    assert state_of(sim, "beat") is (S.STOP_PENDING if code == Control.STOP else state)


@pytest.mark.parametrize(
    ("state", "code", "expected"), [control for control in CONTROLS if control[2] != 0]
)
def test_control_in_state_that_refuses_it_raises(state: State, code: int, expected: int) -> None:
    sim = simulated_beat(SLOW, state)
    with pytest.raises(Win32Error) as caught:
        sim.control_service(opened(sim, "beat"), code)
    assert caught.value.winerror == expected
    assert isinstance(caught.value, ControlRefusedError | ServiceNotActiveError)
    assert caught.value.status is not None
    assert caught.value.status.state is state
    assert sim["beat"].controls == []
    assert state_of(sim, "beat") is state


NEEDED = [
    (Control.STOP, AcceptedControls.STOP),
    (Control.PAUSE, AcceptedControls.PAUSE_CONTINUE),
    (Control.CONTINUE, AcceptedControls.PAUSE_CONTINUE),
    (Control.PARAM_CHANGE, AcceptedControls.PARAM_CHANGE),
    (Control.NETBIND_ADD, AcceptedControls.NETBIND_CHANGE),
    (Control.NETBIND_REMOVE, AcceptedControls.NETBIND_CHANGE),
    (Control.NETBIND_ENABLE, AcceptedControls.NETBIND_CHANGE),
    (Control.NETBIND_DISABLE, AcceptedControls.NETBIND_CHANGE),
]


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        *NEEDED,
        (Control.INTERROGATE, AcceptedControls(0)),
        (128, AcceptedControls(0)),
        (255, AcceptedControls(0)),
    ],
)
def test_control_accepted_by_service_reaches_it(code: int, needed: AcceptedControls) -> None:
    sim = simulated_beat(ProgramBehavior(accepts=needed), S.RUNNING)
    assert control(sim, "beat", code) == 0
    assert sim["beat"].controls == [code]


@pytest.mark.parametrize(("code", "needed"), NEEDED)
def test_control_that_service_does_not_accept_is_refused(
    code: int, needed: AcceptedControls
) -> None:
    sim = simulated_beat(ProgramBehavior(accepts=AcceptedControls(0x7FFF) & ~needed), S.RUNNING)
    with pytest.raises(ControlRefusedError) as caught:
        sim.control_service(opened(sim, "beat"), code)
    assert caught.value.winerror == 1052
    assert caught.value.status is not None
    assert caught.value.status.state is S.RUNNING
    assert sim["beat"].controls == []


def test_user_defined_controls_all_reach_program() -> None:
    received: list[Control] = []
    sim = simulated_beat(
        ProgramBehavior(accepts=AcceptedControls(0), on_control=received.append), S.RUNNING
    )
    handle = opened(sim, "beat")
    for code in range(128, 256):
        assert sim.control_service(handle, code).current_state == S.RUNNING
    assert received == list(range(128, 256)) == sim["beat"].controls


def test_repeated_pause_or_continue_succeeds_without_change() -> None:
    sim = simulated_beat(SLOW, S.RUNNING)
    assert control(sim, "beat", Control.CONTINUE) == 0
    assert state_of(sim, "beat") is S.RUNNING
    sim = simulated_beat(SLOW, S.PAUSED)
    assert control(sim, "beat", Control.PAUSE) == 0
    assert state_of(sim, "beat") is S.PAUSED


def test_on_control_callback_may_call_the_simulation() -> None:
    sim = SimulatedSCM()

    def on_control(code: Control) -> None:
        if code == 200:
            sim.local.crash("beat")
        elif code == 201:
            assert code_of(sim.query_service_status_ex, opened(sim, "beat")) == 0
        elif code == Control.STOP:
            sim.local.report("beat", S.STOPPED)

    sim.add("beat", program=ProgramBehavior(on_control=on_control, stop_takes=3), state=S.RUNNING)
    assert control(sim, "beat", 201) == 0
    assert control(sim, "beat", Control.STOP) == 0
    assert state_of(sim, "beat") is S.STOPPED
    start(sim, "beat")
    assert control(sim, "beat", 200) == 0
    assert (state_of(sim, "beat"), sim["beat"].exit_code) == (S.STOPPED, 1067)


def test_program_function_receives_start_arguments() -> None:
    seen: list[Sequence[str]] = []

    def program(argv: Sequence[str]) -> ProgramBehavior:
        seen.append(list(argv))
        return ProgramBehavior(start_takes=float(argv[1]) if argv[1:] else 0)

    sim = SimulatedSCM()
    sim.local.programs[r"C:\Beat\beat.exe"] = program
    sim.add("beat", binary_path=r'"c:\beat\BEAT.EXE" --loud')
    assert start(sim, "beat", "5", "two") == 0
    assert state_of(sim, "beat") is S.START_PENDING
    sim.clock.advance(5)
    control(sim, "beat", Control.STOP)
    start(sim, "beat")
    assert seen == [["beat", "5", "two"], ["beat"]]
    assert sim["beat"].arguments == ()


def test_report_replaces_scheduled_state_changes() -> None:
    sim = simulated_beat(SLOW)
    start(sim, "beat")
    sim.local.report("beat", S.START_PENDING, check_point=9, wait_hint=60)
    row = status(sim, "beat")
    assert (row.check_point, row.wait_hint) == (9, 60_000)
    sim.clock.advance(100)
    assert state_of(sim, "beat") is S.START_PENDING
    sim.local.report("beat", S.RUNNING, check_point=3, wait_hint=10)
    row = status(sim, "beat")
    assert (row.check_point, row.wait_hint, row.controls_accepted) == (0, 0, TAKEN)
    sim.local.report("beat", S.STOPPED)
    assert sim["beat"].pid == 0
    with pytest.raises(ValueError, match="stopped"):
        sim.local.report("beat", S.RUNNING)


# ------------------------------------------------------------------- processes


def shared() -> SimulatedSCM:
    sim = SimulatedSCM()
    both = ServiceType.SHARE_PROCESS
    for name in ("one", "two"):
        sim.add(name, service_type=both, binary_path=r"C:\host.exe -k a")
    sim.add("elsewhere", service_type=both, binary_path=r"C:\host.exe -k b")
    sim.add("own", binary_path=r"C:\host.exe -k a")
    return sim


def test_shared_services_run_in_same_process() -> None:
    sim = shared()
    for service in sim:
        assert start(sim, service.name) == 0
    pids = [service.pid for service in sim]
    assert all(pids)
    assert pids[0] == pids[1]
    assert len(set(pids)) == 3
    control(sim, "one", Control.STOP)
    assert (sim["one"].pid, sim["two"].pid) == (0, pids[0])
    start(sim, "one")
    assert sim["one"].pid == pids[0]
    for name in ("one", "two"):
        control(sim, name, Control.STOP)
    start(sim, "two")
    assert sim["two"].pid not in pids


def test_crash_stops_all_services_of_process() -> None:
    sim = shared()
    for service in sim:
        start(sim, service.name)
    sim.local.crash("two")
    found = [(service.state, service.exit_code) for service in sim]
    assert found == [(S.STOPPED, 1067)] * 2 + [(S.RUNNING, 0)] * 2
    with pytest.raises(ValueError, match="process"):
        sim.local.crash("two")


def test_start_with_other_account_in_shared_process_is_refused() -> None:
    sim = SimulatedSCM()
    for name, account in (("one", "LocalSystem"), ("two", "LocalService")):
        sim.add(
            name,
            service_type=ServiceType.SHARE_PROCESS,
            binary_path=r"C:\host.exe",
            account=account,
        )
    assert start(sim, "one") == 0
    assert start(sim, "two") == 1079
    control(sim, "one", Control.STOP)
    assert start(sim, "two") == 0


def test_end_of_shared_service_leaves_others_running() -> None:
    sim = shared()
    sim["one"].program = ProgramBehavior(ends_after=1, exit_code=9)
    start(sim, "one")
    start(sim, "two")
    sim.clock.advance(2)
    assert (sim["one"].exit_code, state_of(sim, "two")) == (9, S.RUNNING)


# ------------------------------------------------------------------- drivers


def test_driver_start_waits_and_accepts_only_stop() -> None:
    sim = SimulatedSCM()
    everything = AcceptedControls(0x7FFF)
    program = ProgramBehavior(start_takes=3, accepts=everything)
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER, program=program)
    began = sim.clock.now
    assert start(sim, "disk", "argument") == 0
    assert sim.clock.now >= began + 3  # a driver's start is over once it has initialized
    row = status(sim, "disk")
    assert (row.current_state, row.process_id) == (S.RUNNING, 0)
    assert row.controls_accepted == AcceptedControls.STOP
    assert sim["disk"].arguments == ()
    for code in (Control.PAUSE, Control.PARAM_CHANGE, 128):
        assert control(sim, "disk", code) == 1052
    assert control(sim, "disk", Control.INTERROGATE) == 0
    assert control(sim, "disk", Control.STOP) == 0
    assert state_of(sim, "disk") is S.STOPPED


def test_start_of_hung_driver_returns_start_pending() -> None:
    sim = SimulatedSCM()
    program = ProgramBehavior(hangs_in=[S.START_PENDING])
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER, program=program)
    assert start(sim, "disk") == 0
    assert state_of(sim, "disk") is S.START_PENDING
