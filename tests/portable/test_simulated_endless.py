"""Waits in simulated time that nothing can end raise an error instead of hanging."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from winsvc import (
    CancelToken,
    Service,
    ServiceManager,
    ServiceType,
    State,
    WaitCancelledError,
    WaitTimeoutError,
)
from winsvc.aio import AsyncServiceManager
from winsvc.host import ServiceBase
from winsvc.testing import EndlessWaitError, SimulatedSCM, waiter_calls

S = State


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        sim.add("beat")
        yield sim
        sim.close()
        assert sim.open_handles == 0


@pytest.fixture
def scm(sim: SimulatedSCM) -> Iterator[ServiceManager]:
    with ServiceManager() as scm:
        yield scm


@pytest.fixture
def beat(scm: ServiceManager) -> Iterator[Service]:
    with scm.open("beat") as beat:
        yield beat


def in_thread(target: Callable[[], object], *, daemon: bool = False) -> threading.Thread:
    thread = threading.Thread(target=target, daemon=daemon)
    thread.start()
    return thread


needs_alarms = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGALRM")


@contextmanager
def alarm(seconds: float, handler: Callable[..., object]) -> Iterator[None]:
    if sys.platform != "win32":
        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    else:
        yield


# ------------------------------------------------------------------- the only thread


def test_wait_for_state_with_nothing_scheduled_raises(beat: Service) -> None:
    with pytest.raises(EndlessWaitError, match=r"no event is scheduled.*Specify a timeout"):
        beat.wait(S.RUNNING)


def test_wait_with_unused_cancel_token_raises(beat: Service) -> None:
    with pytest.raises(EndlessWaitError):
        beat.wait(S.RUNNING, cancel=CancelToken())


def test_watch_iteration_after_the_last_event_raises(scm: ServiceManager, beat: Service) -> None:
    seen: list[object] = []
    with scm.watch() as events:
        beat.start()
        with pytest.raises(EndlessWaitError):
            seen.extend(events)
        with pytest.raises(EndlessWaitError):
            events.wait(cancel=CancelToken())
        assert events.wait(timeout=60) is None
    assert len(seen) == 1


def test_event_outside_of_a_process_raises(sim: SimulatedSCM) -> None:
    event = sim.new_event()
    assert not event.wait(5)
    with pytest.raises(EndlessWaitError):
        event.wait()
    event.set()
    assert event.wait()


def test_wait_that_polls_a_driver_raises(
    sim: SimulatedSCM, scm: ServiceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drivers send no notifications: such a wait has a timeout each time."""
    monkeypatch.setattr(waiter_calls, "MOST_POLLS", 100)
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER)
    with scm.open("disk") as disk, pytest.raises(EndlessWaitError):
        disk.wait(S.RUNNING)
    sim.clock.after(200, lambda: sim.local.starting.start(sim["disk"]))
    with scm.open("disk") as disk:
        assert disk.wait(S.RUNNING).state is S.RUNNING


def test_wait_for_removal_of_a_service_that_stays_raises(
    scm: ServiceManager, beat: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiter_calls, "MOST_POLLS", 100)
    with scm.open("beat") as other, pytest.raises(EndlessWaitError):
        beat.delete(wait=True, timeout=10**6)
    assert other.closed


# ------------------------------------------------------------------- what still ends a wait


def test_wait_for_a_scheduled_change_returns(sim: SimulatedSCM, beat: Service) -> None:
    sim.clock.after(3600, lambda: sim.local.starting.start(sim["beat"]))
    assert beat.wait(S.RUNNING).state is S.RUNNING
    token = CancelToken()
    sim.clock.after(3600, token.cancel)
    with pytest.raises(WaitCancelledError):
        beat.wait(S.STOPPED, cancel=token)


def test_wait_with_timeout_ends_with_the_timeout(beat: Service) -> None:
    with pytest.raises(WaitTimeoutError):
        beat.wait(S.RUNNING, 3600)


@pytest.mark.parametrize("daemon", [False, True])
def test_wait_for_another_thread_returns(sim: SimulatedSCM, beat: Service, daemon: bool) -> None:
    def start() -> None:
        time.sleep(0.3)  # longer than it takes to find a wait endless
        sim.local.starting.start(sim["beat"])

    thread = in_thread(start, daemon=daemon)
    assert beat.wait(S.RUNNING).state is S.RUNNING
    thread.join()


def test_wait_for_a_timer_that_cancels_returns(beat: Service) -> None:
    token = CancelToken()
    timer = threading.Timer(0.3, token.cancel)
    timer.start()
    with pytest.raises(WaitCancelledError):
        beat.wait(S.RUNNING, cancel=token)
    timer.join()


def test_wait_in_a_worker_thread_waits_for_the_main_thread(
    sim: SimulatedSCM, beat: Service
) -> None:
    found: list[object] = []
    thread = in_thread(lambda: found.append(beat.wait(S.RUNNING).state))
    time.sleep(0.3)
    assert not found
    beat.start()
    thread.join(5)
    assert found == [S.RUNNING]


def test_wait_in_a_task_waits_for_the_event_loop(sim: SimulatedSCM) -> None:
    import asyncio

    async def main() -> object:
        async with AsyncServiceManager() as scm, await scm.open("beat") as beat:
            waiting = asyncio.ensure_future(beat.wait(S.RUNNING))
            await asyncio.sleep(0.3)
            await beat.start()
            return (await waiting).state

    assert asyncio.run(main()) is S.RUNNING


def test_wait_for_a_busy_thread_pool_returns(sim: SimulatedSCM, beat: Service) -> None:
    def start() -> None:
        time.sleep(0.3)
        sim.local.starting.start(sim["beat"])

    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()
        work = pool.submit(start)
        assert beat.wait(S.RUNNING).state is S.RUNNING
        work.result()


@needs_alarms
def test_wait_for_a_signal_handler_returns(beat: Service) -> None:
    token = CancelToken()
    with alarm(0.3, lambda *given: token.cancel()), pytest.raises(WaitCancelledError):
        beat.wait(S.RUNNING, cancel=token)


# ------------------------------------------------------------------- threads that do not count


def test_idle_thread_pool_does_not_count(beat: Service) -> None:
    with ThreadPoolExecutor(2) as pool:
        pool.submit(int).result()
        with pytest.raises(EndlessWaitError):
            beat.wait(S.RUNNING)


def test_older_daemon_thread_counts_once_it_has_called(sim: SimulatedSCM) -> None:
    end, begin = threading.Event(), threading.Event()

    def serve() -> None:
        begin.wait()
        with ServiceManager() as scm, scm.open("beat") as beat:
            time.sleep(0.3)
            beat.start()
        end.wait()

    thread = in_thread(serve, daemon=True)
    with SimulatedSCM().installed() as later, ServiceManager() as scm:
        later.add("beat")
        with scm.open("beat") as beat:
            with pytest.raises(EndlessWaitError):
                beat.wait(S.RUNNING)
            begin.set()
            while not later.called("OpenServiceW", "beat")[1:]:
                time.sleep(0.01)
            assert beat.wait(S.RUNNING).state is S.RUNNING
    end.set()
    thread.join()


def test_timer_of_pytest_timeout_does_not_count(beat: Service) -> None:
    def time_out() -> None:
        raise AssertionError("too late")

    time_out.__module__ = "pytest_timeout"
    timer = threading.Timer(60, time_out)
    timer.start()
    try:
        with pytest.raises(EndlessWaitError):
            beat.wait(S.RUNNING)
    finally:
        timer.cancel()
        timer.join()


@needs_alarms
def test_alarm_of_pytest_timeout_does_not_count(beat: Service) -> None:
    def time_out(*given: Any) -> None:
        raise AssertionError("too late")

    time_out.__module__ = "pytest_timeout"
    with alarm(60, time_out), pytest.raises(EndlessWaitError):
        beat.wait(S.RUNNING)


def test_thread_that_waits_in_the_simulation_does_not_count(
    scm: ServiceManager, beat: Service
) -> None:
    seen: list[object] = []
    events = scm.watch()
    thread = in_thread(lambda: seen.extend(events))
    beat.start()
    with pytest.raises(EndlessWaitError):
        beat.wait(S.PAUSED)
    events.close()
    thread.join(5)
    assert seen


# ------------------------------------------------------------------- services in Python


class Idle(ServiceBase):
    """Waits for its stop, and for nothing else."""

    name = "idle"

    def main(self) -> None:
        self.report_running()
        self.stop_requested.wait()


class Helped(ServiceBase):
    """A service with a second thread, which waits for the stop, too."""

    name = "helped"

    def main(self) -> None:
        self.report_running()
        thread = threading.Thread(target=self.stop_requested.wait)
        thread.start()
        self.stop_requested.wait()
        thread.join(5)


@pytest.mark.parametrize("kind", [Idle, Helped])
def test_hosted_service_that_waits_does_not_count(
    sim: SimulatedSCM, scm: ServiceManager, kind: type[ServiceBase]
) -> None:
    sim.host(kind)
    with scm.open(kind.name) as service:
        service.start(timeout=30)
        with pytest.raises(EndlessWaitError):
            service.wait(S.STOPPED)
        sim.clock.advance(60)  # the waits of the service continue
        assert service.status().state is S.RUNNING
        service.stop(timeout=30)


def test_event_of_a_process_waits_for_the_test(sim: SimulatedSCM, scm: ServiceManager) -> None:
    """A thread that a service has started does not let time pass: the test does."""
    sim.host(Helped)
    with scm.open("helped") as helped:
        helped.start(timeout=30)
        time.sleep(0.3)
        helped.stop(timeout=30)
    assert sim["helped"].exit_code == 0
