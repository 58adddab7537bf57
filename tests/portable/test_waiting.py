"""Waiting for a service, on a simulated machine: what ends a wait, when, and its errors."""

from __future__ import annotations

import itertools
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from winsvc import (
    AcceptedControls,
    AccessDeniedError,
    CancelToken,
    ControlRefusedError,
    ErrorCode,
    FailureActions,
    HandleClosedError,
    MachineUnreachableError,
    MarkedForDeleteError,
    Service,
    ServiceAccess,
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
from winsvc.errors import ServiceStoppedError
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State
TAKES = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
SLOW = ProgramBehavior(start_takes=3, stop_takes=3, pause_takes=3, continue_takes=3, accepts=TAKES)
DIES = ProgramBehavior(start_takes=9, ends_after=3.5, exit_code=1066, service_exit_code=77)
NOTIFY = "NotifyServiceStatusChangeW"


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


def status_queries(sim: SimulatedSCM) -> int:
    return len(sim.called("QueryServiceStatusEx"))


# ------------------------------------------------------------------- arriving


def test_wait_for_current_state_returns_at_once(sim: SimulatedSCM, beat: Service) -> None:
    assert beat.wait(S.STOPPED).state is S.STOPPED
    assert beat.wait([S.RUNNING, S.STOPPED], 0).state is S.STOPPED
    assert not sim.called(NOTIFY)


def test_wait_returns_when_state_is_reached(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(wait=False)
    status = beat.wait(S.RUNNING, 30)
    assert (status.state, sim.clock.now) == (S.RUNNING, 3)
    assert status.pid is not None
    assert beat.wait(S.RUNNING, 30) == status
    assert status_queries(sim) < 12


@pytest.mark.parametrize("timeout", [3.5, timedelta(minutes=1)])
def test_operation_with_timeout_waits_for_target_state(
    sim: SimulatedSCM, beat: Service, timeout: float | timedelta
) -> None:
    beat.start("one", timeout=timeout)
    assert (sim["beat"].state, sim["beat"].arguments) == (S.RUNNING, ("one",))
    assert beat.pause(timeout=timeout).state is S.PAUSED
    assert beat.resume(timeout=timeout).state is S.RUNNING
    assert beat.stop(timeout=timeout).state is S.STOPPED
    assert sim.clock.now == 12


def test_stop_with_timeout_of_stopping_service_waits(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(timeout=5)
    beat.stop(wait=False)
    with pytest.raises(ControlRefusedError):
        beat.stop(wait=False)
    assert beat.stop(timeout=5).state is S.STOPPED
    with pytest.raises(ServiceNotActiveError):
        beat.stop(timeout=5)


def test_wait_for_several_states_returns_first_reached(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(wait=False)
    assert beat.wait({S.PAUSED, S.RUNNING, S.STOPPED}).state is S.RUNNING


def test_wait_sees_start_by_other_handle(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    with scm.open("beat") as other:
        sim.clock.after(100, lambda: other.start(wait=False))
        assert beat.wait(S.RUNNING).state is S.RUNNING
    assert sim.clock.now == 103


def test_progress_is_called_for_each_status(sim: SimulatedSCM, beat: Service) -> None:
    seen: list[tuple[State, int, float]] = []

    def progress(status: ServiceStatus) -> None:
        seen.append((status.state, status.check_point, sim.clock.now))

    beat.start(timeout=9, progress=progress)
    assert seen == [
        (S.START_PENDING, 1, 0),
        (S.START_PENDING, 2, 1),
        (S.START_PENDING, 3, 2),
        (S.RUNNING, 0, 3),
    ]
    assert beat.stop(timeout=9, progress=progress).state is S.STOPPED
    assert len(seen) == 8


def test_exception_in_progress_ends_wait(sim: SimulatedSCM, beat: Service) -> None:
    def progress(status: ServiceStatus) -> None:
        if status.check_point > 1:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        beat.start(timeout=9, progress=progress)
    assert sim.clock.now == 1


# ------------------------------------------------------------------- ending before


def test_wait_for_service_ending_while_starting_raises_start_error(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim["beat"].program = DIES
    starts: list[Callable[[], object]] = [
        lambda: beat.start(timeout=60),
        lambda: started(beat).wait(S.RUNNING, 60),
    ]
    for start in starts:
        began = sim.clock.now
        with pytest.raises(ServiceStartError) as caught:
            start()
        error = caught.value
        assert sim.clock.now - began == 3.5
        assert error.status is not None
        assert (error.status.state, error.status.exit_code) == (S.STOPPED, 1066)
        assert error.status.service_exit_code == 77
        assert error.last_progress is not None
        assert error.last_progress.check_point == 4
        assert error.last_progress.wait_hint == timedelta(seconds=2)
        assert error.waited == timedelta(seconds=3.5)
        assert (error.winerror, error.object_name) == (1066, "beat")
        for part in ("'beat'", "not RUNNING", "after 3.5 s", "exit code 1066", "own code 77"):
            assert part in str(error)
        assert "START_PENDING (check point 4, wait hint 2 s)" in str(error)
        assert pickle.loads(pickle.dumps(error)).waited == error.waited


def started(service: Service) -> Service:
    service.start(wait=False)
    return service


def test_wait_after_failed_start_raises_at_once(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = DIES
    beat.start(wait=False)
    sim.clock.advance(10)
    with pytest.raises(ServiceStartError, match="own code 77") as caught:
        beat.wait(S.RUNNING, 60)
    assert caught.value.waited == timedelta(0)
    # After that report, the next wait is for another start.
    sim["beat"].program = SLOW
    sim.clock.after(30, lambda: sim.local.starting.start(sim["beat"]))
    assert beat.wait(S.RUNNING, 60).state is S.RUNNING
    beat.stop(timeout=9)
    with pytest.raises(WaitTimeoutError):
        beat.wait(S.RUNNING, 9)


def test_start_error_shows_text_of_exit_code(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=9, ends_after=1, exit_code=5)
    with pytest.raises(ServiceStartError, match=r"exit code 5, .*Access denied") as caught:
        beat.start(timeout=60)
    assert caught.value.winerror == 5


def test_start_of_crashing_service_raises_process_aborted(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=9, ends_after=1, crashes=True)
    with pytest.raises(ServiceStartError) as caught:
        beat.start(timeout=60)
    assert (caught.value.winerror, sim.clock.now) == (ErrorCode.PROCESS_ABORTED, 1)


def test_start_of_service_restarted_after_crash_raises_start_error(
    sim: SimulatedSCM, beat: Service
) -> None:
    """The end is not missed, though it is starting again when the news arrive."""
    sim["beat"].program = ProgramBehavior(start_takes=9, ends_after=3.5, crashes=True)
    beat.configure(failure_actions=FailureActions.restart(after=[0]))
    sim.faults.lag = 0.3
    with pytest.raises(ServiceStartError) as caught:
        beat.start(timeout=60)
    assert (caught.value.winerror, sim.clock.now) == (1067, 3.8)
    assert sim["beat"].state is S.START_PENDING


def test_wait_for_paused_raises_when_service_stops(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(timeout=9)
    sim.clock.after(5, lambda: sim.local.crash("beat"))
    with pytest.raises(ServiceNotActiveError, match="was RUNNING before") as caught:
        beat.wait(S.PAUSED, 60)
    assert isinstance(caught.value, ServiceStoppedError)
    assert caught.value.waited == timedelta(seconds=5)
    assert caught.value.status is not None
    assert caught.value.status.exit_code == 1067


def test_wait_timeout_error_describes_last_progress(sim: SimulatedSCM, beat: Service) -> None:
    with pytest.raises(WaitTimeoutError) as caught:
        beat.start(timeout=2.5)
    error = caught.value
    assert isinstance(error, TimeoutError)
    assert sim.clock.now == 2.5
    assert error.waited == timedelta(seconds=2.5)
    assert error.status is not None
    assert error.status.check_point == 3
    assert "START_PENDING (check point 3, wait hint 2 s), not RUNNING, after 2.5 s" in str(error)
    assert "making progress" in str(error)
    with pytest.raises(WaitTimeoutError, match="not PAUSED or STOPPED, after 0 s"):
        beat.wait([S.STOPPED, S.PAUSED], 0)


def test_start_timeout_includes_time_of_start_call(sim: SimulatedSCM, beat: Service) -> None:
    sim.faults.slow(2, "StartServiceW")
    with pytest.raises(WaitTimeoutError):
        beat.start(timeout=4)
    assert sim.clock.now == 4


def test_start_of_slow_reporting_service_keeps_waiting(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = ProgramBehavior(start_takes=4000, check_point_every=40, wait_hint=5)
    beat.start(timeout=5000)
    assert sim.clock.now == 4000


def test_wait_for_hung_service_raises_wait_timeout(sim: SimulatedSCM, beat: Service) -> None:
    sim["beat"].program = ProgramBehavior(hangs_in=[S.START_PENDING], wait_hint=20)
    beat.start(wait=False)
    with pytest.raises(WaitTimeoutError, match="no progress for 80 s"):
        beat.wait(S.RUNNING)
    assert sim.clock.now == 80


def test_wait_raises_when_service_is_marked_for_deletion(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    beat.start(wait=False)
    sim.clock.after(1.5, lambda: scm.delete("beat"))
    with pytest.raises(MarkedForDeleteError) as caught:
        beat.wait(S.RUNNING, 60)
    assert sim.clock.now == 1.5
    assert "is START_PENDING" in str(caught.value)
    with pytest.raises(MarkedForDeleteError):
        beat.wait(S.RUNNING, 60)


def test_stop_with_timeout_of_deleted_service_waits(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    beat.start(timeout=9)
    scm.delete("beat")
    with pytest.raises(MarkedForDeleteError):
        beat.wait(S.STOPPED)  # no caller has requested a stop
    assert beat.stop(timeout=9).state is S.STOPPED


def test_wait_raises_when_service_is_removed(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(wait=False)
    sim.clock.after(2, lambda: sim.local.remove("beat"))
    with pytest.raises(HandleClosedError):
        beat.wait(S.RUNNING, 60)
    assert sim.clock.now < 5


# ------------------------------------------------------------------- without notifications


def test_wait_for_driver_polls_status(sim: SimulatedSCM, scm: ServiceManager) -> None:
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER, program=ProgramBehavior(stop_takes=3))
    with scm.open("disk") as disk:
        disk.start(timeout=5)
        before = status_queries(sim)
        assert disk.stop(timeout=5).state is S.STOPPED
        assert 3 <= sim.clock.now < 3.26
    assert 10 < status_queries(sim) - before < 30
    assert {call.error for call in sim.called(NOTIFY)} == {87}


@pytest.mark.parametrize("error", [5, 50, 120, 1242, 1722])
def test_wait_without_notifications_polls_status(
    sim: SimulatedSCM, beat: Service, error: int
) -> None:
    sim.faults.fail(NOTIFY, error, times=99)
    beat.start(timeout=30)
    assert 3 <= sim.clock.now < 3.26
    assert len(sim.called(NOTIFY)) == 1


def test_polling_interval_grows_to_tenth_of_wait_hint(sim: SimulatedSCM, beat: Service) -> None:
    sim.faults.fail(NOTIFY, 120, times=99)
    sim["beat"].program = ProgramBehavior(start_takes=60, wait_hint=30, check_point_every=99)
    beat.start(timeout=90)
    times = [call.at for call in sim.called("QueryServiceStatusEx")]
    pauses = [after - before for before, after in itertools.pairwise(times)]
    assert sorted(pauses) == pauses
    assert pauses[1] == pytest.approx(0.01)
    assert pauses[-1] == pytest.approx(3)


def test_wait_on_other_machine_polls_status(sim: SimulatedSCM) -> None:
    sim.add_machine("build07").add("beat", program=SLOW)
    with ServiceManager("build07", backend=sim) as scm, scm.open("beat") as beat:
        beat.start(timeout=30)
        assert 3 <= sim.clock.now < 3.26
        assert not sim.called(NOTIFY)
        with pytest.raises(WaitTimeoutError, match="'beat' on build07 is RUNNING, not PAUSED"):
            beat.wait(S.PAUSED, 1)


def test_wait_with_lagging_notifications_registers_again(sim: SimulatedSCM, beat: Service) -> None:
    for nth in (1, 3, 4):
        sim.faults.fail(NOTIFY, 1294, nth=nth)
    sim["beat"].program = ProgramBehavior(start_takes=30, check_point_every=5)
    beat.start(timeout=60)
    assert sim.clock.now == 30


def test_wait_with_constant_lagging_falls_back_to_polling(sim: SimulatedSCM, beat: Service) -> None:
    sim.faults.fail(NOTIFY, 1294, times=99)
    beat.start(timeout=60)
    assert 3 <= sim.clock.now < 3.26
    assert len(sim.called(NOTIFY)) == 3


def test_wait_sees_change_before_registration(sim: SimulatedSCM, beat: Service) -> None:
    sim.faults.before(NOTIFY, lambda: sim.clock.advance(3))
    beat.start(timeout=60)
    assert sim.clock.now == 3


def test_wait_sees_change_between_registrations(sim: SimulatedSCM, beat: Service) -> None:
    sim.faults.before(NOTIFY, lambda: sim.clock.advance(2.5), nth=2)
    beat.start(timeout=60)
    assert sim.clock.now <= 3.5


def test_wait_with_delayed_notifications_polls_each_second(
    sim: SimulatedSCM, beat: Service
) -> None:
    sim.faults.lag = 2.6
    beat.start(timeout=60)
    assert sim.clock.now <= 4  # a look every second finds it
    beat.stop(timeout=60)
    assert sim.clock.now <= 8


def test_wait_raises_unreachable_when_connection_is_lost(sim: SimulatedSCM, beat: Service) -> None:
    beat.start(timeout=9)
    sim.clock.after(4, sim.local.disconnect)
    with pytest.raises(MachineUnreachableError):
        beat.wait(S.STOPPED, 600)
    assert sim.clock.now < 20


def test_start_with_timeout_without_query_right_raises(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    with scm.open("beat", access=ServiceAccess.START | ServiceAccess.STOP) as service:
        with pytest.raises(AccessDeniedError, match=r"QUERY_STATUS.*wait=False"):
            service.start(timeout=9)
        assert sim["beat"].state is S.STOPPED
    beat.start(wait=False)
    sim.faults.deny(ServiceAccess.QUERY_STATUS, "beat")  # an open handle still has it
    assert beat.wait(S.RUNNING, 9).state is S.RUNNING


REGISTRATIONS = [("OpenServiceW", 1), (NOTIFY, 1), (NOTIFY, 2), (NOTIFY, 3)]
ERRORS = {
    5: AccessDeniedError,
    6: HandleClosedError,
    8: Win32Error,
    1060: ServiceNotFoundError,
    1072: MarkedForDeleteError,
    1294: Win32Error,
    1722: MachineUnreachableError,
}


@pytest.mark.parametrize(("function", "nth"), REGISTRATIONS)
@pytest.mark.parametrize("code", [code for code in ERRORS if code != 1072])
def test_start_with_refused_registration_polls_until_running(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service, function: str, nth: int, code: int
) -> None:
    with scm.open("beat", access=ServiceAccess.ALL_ACCESS) as service:
        before = sim.open_handles
        sim.faults.fail(function, code, nth=nth)
        service.start(timeout=9)
        assert sim["beat"].state is S.RUNNING
        assert 3 <= sim.clock.now < 3.26
        assert code in {call.error for call in sim.called(function)}
        assert sim.open_handles == before


@pytest.mark.parametrize(
    ("function", "nth", "code", "reported"),
    [
        *((function, nth, 1072, "") for function, nth in REGISTRATIONS),  # of the wait
        *(
            ("QueryServiceStatusEx", nth, code, "QueryServiceStatusEx")
            for nth in (1, 2, 3)
            for code in ERRORS
        ),
    ],
)
def test_start_with_failing_call_raises_and_leaves_no_handle(
    sim: SimulatedSCM,
    scm: ServiceManager,
    beat: Service,
    function: str,
    nth: int,
    code: int,
    reported: str,
) -> None:
    with scm.open("beat", access=ServiceAccess.ALL_ACCESS) as service:
        before = sim.open_handles
        sim.faults.fail(function, code, nth=nth)
        with pytest.raises(Win32Error) as caught:
            service.start(timeout=9)
        assert type(caught.value) is ERRORS[code]
        assert caught.value.function == reported
        assert sim["beat"].state is S.START_PENDING  # the start is not undone
        assert sim.open_handles == before


# ------------------------------------------------------------------- cancelling


@contextmanager
def once_waiting(sim: SimulatedSCM, action: Callable[[], object], waits: int = 1) -> Iterator[None]:
    """Run an action on another thread once so many waits have begun."""
    begun = threading.Semaphore(0)
    sim.faults.before(NOTIFY, begun.release, times=waits)

    def act() -> None:
        for _ in range(waits):
            begun.acquire()
        action()

    thread = threading.Thread(target=act)
    thread.start()
    yield
    thread.join()


def test_wait_cancelled_by_other_thread_raises(sim: SimulatedSCM, beat: Service) -> None:
    token = CancelToken()
    with (
        once_waiting(sim, token.cancel),
        pytest.raises(WaitCancelledError, match=r"is STOPPED, not RUNNING, .*cancelled") as caught,
    ):
        beat.wait(S.RUNNING, cancel=token)
    assert caught.value.winerror == 1223
    assert caught.value.status is not None
    assert token.cancelled
    for wait in (beat.wait, lambda state, cancel: beat.start(timeout=9, cancel=cancel)):
        with pytest.raises(WaitCancelledError):
            wait(S.RUNNING, cancel=token)  # at once
    assert sim["beat"].state is S.START_PENDING
    assert beat.wait(S.RUNNING).state is S.RUNNING


def test_wait_cancelled_by_progress_raises(sim: SimulatedSCM, beat: Service) -> None:
    token = CancelToken()

    def progress(status: ServiceStatus) -> None:
        if status.check_point == 2:
            token.cancel()

    with pytest.raises(WaitCancelledError):
        beat.start(timeout=9, progress=progress, cancel=token)
    assert sim.clock.now == 1


def test_cancel_token_ends_all_its_waits(sim: SimulatedSCM, scm: ServiceManager) -> None:
    token, ended = CancelToken(), list[str]()
    names = [f"s{number}" for number in range(16)]

    def wait(name: str) -> None:
        with scm.open(name) as service:
            try:
                service.wait(S.RUNNING, cancel=token)
            except WaitCancelledError:
                ended.append(name)

    for name in names:
        sim.add(name)
    threads = [threading.Thread(target=wait, args=[name]) for name in names]
    with once_waiting(sim, token.cancel, waits=len(names)):
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(ended) == sorted(names)


@pytest.mark.usefixtures("interruptible")
def test_keyboard_interrupt_ends_wait(sim: SimulatedSCM, beat: Service) -> None:
    with once_waiting(sim, lambda: signal.raise_signal(signal.SIGINT)):
        with pytest.raises(KeyboardInterrupt):
            beat.wait(S.RUNNING)


# ------------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda beat: beat.wait([]), ValidationError, "state"),
        (lambda beat: beat.wait("RUNNING"), TypeError, "state"),
        (lambda beat: beat.wait(4), TypeError, "."),
        (lambda beat: beat.wait(S.RUNNING, -1), ValidationError, "timeout"),
        (lambda beat: beat.wait(S.RUNNING, "9"), TypeError, "timeout"),
        (lambda beat: beat.wait(S.RUNNING, cancel=threading.Event()), TypeError, "cancel"),
        (lambda beat: beat.start(timeout=-1), ValidationError, "timeout"),
        (lambda beat: beat.stop(timeout=float("nan")), ValidationError, "timeout"),
        (lambda beat: beat.delete(wait=True, timeout=-1), ValidationError, "timeout"),
    ],
)
def test_invalid_argument_raises_before_any_change(
    sim: SimulatedSCM,
    beat: Service,
    call: Callable[[Service], object],
    error: type[Exception],
    match: str,
) -> None:
    with pytest.raises(error, match=match):
        call(beat)
    assert sim["beat"].state is S.STOPPED
    assert not sim["beat"].marked_for_deletion


def test_wait_on_closed_service_raises(beat: Service) -> None:
    beat.close()
    with pytest.raises(HandleClosedError):
        beat.wait(S.STOPPED)


# ------------------------------------------------------------------- until it is deleted


def test_delete_with_timeout_cancelled_by_token_raises(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    token = CancelToken()
    sim.clock.after(3, token.cancel)
    with pytest.raises(WaitCancelledError, match="is marked for deletion") as caught:
        scm.delete("beat", wait=True, timeout=60, cancel=token)
    assert 3 <= sim.clock.now < 3.3
    assert caught.value.waited is not None


def test_delete_with_timeout_waits_until_last_handle_is_closed(
    sim: SimulatedSCM, scm: ServiceManager, beat: Service
) -> None:
    sim.clock.after(3, beat.close)
    scm.delete("beat", wait=True, timeout=60)
    assert 3 <= sim.clock.now < 3.3
    assert "beat" not in sim
