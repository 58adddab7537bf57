"""Wait for a service while its states change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from differences import Differs
from support import Waits, simulated_only

from winsvc import (
    CancelToken,
    MarkedForDeleteError,
    Service,
    ServiceManager,
    ServiceStartError,
    ServiceStatus,
    ServiceType,
    State,
    WaitCancelledError,
    WaitTimeoutError,
)
from winsvc.errors import ServiceStoppedError, WaitError
from winsvc.testing import SimulatedSCM


def test_calls_with_timeout_wait_for_each_state(installed: Service) -> None:
    installed.start(timeout=30)
    assert installed.status().state is State.RUNNING
    assert installed.pause(timeout=30).state is State.PAUSED
    assert installed.resume(timeout=30).state is State.RUNNING
    status = installed.stop(timeout=30)
    assert (status.state, status.exit_code) == (State.STOPPED, 0)
    assert installed.wait(State.STOPPED, timeout=0).state is State.STOPPED


def test_slow_start_reports_rising_check_points(installed: Service) -> None:
    seen: list[ServiceStatus] = []
    installed.start("slow=800", timeout=30, progress=seen.append)
    states = [status.state for status in seen]
    assert states == sorted(states)
    assert states[-1] is State.RUNNING
    points = [status.check_point for status in seen if status.state is State.START_PENDING]
    assert points == sorted(set(points))
    assert len(points) > 1
    assert seen[0].wait_hint == timedelta(seconds=2)
    installed.stop(timeout=30)


def test_start_of_exiting_service_raises_start_error(installed: Service) -> None:
    for argument, code, own in (("exit=5", 5, 0), ("specific=42", 1066, 42)):
        with pytest.raises(ServiceStartError) as caught:
            installed.start("slow=400", argument, timeout=30)
        error = caught.value
        assert error.status is not None
        assert error.status.state is State.STOPPED
        assert (error.status.exit_code, error.status.service_exit_code) == (code, own)
        assert error.waited is not None
        assert timedelta(seconds=0.2) < error.waited < timedelta(seconds=20)
        assert error.last_progress is not None
        assert error.last_progress.check_point > 1
        assert f"exit code {code}" in str(error)
    # It has ended before the wait begins.
    installed.start("slow=100", "exit=5", wait=False)
    installed.wait(State.STOPPED, timeout=30)
    installed.start("slow=100", "exit=5", wait=False)
    with pytest.raises(ServiceStartError):
        installed.wait(State.RUNNING, timeout=30)


def test_wait_while_service_stops_raises_not_active(installed: Service) -> None:
    installed.start(timeout=30)
    running: list[ServiceStatus] = []

    def progress(status: ServiceStatus) -> None:
        if status.state is State.RUNNING:
            running.append(status)
            installed.stop(wait=False)

    with pytest.raises(ServiceStoppedError):
        installed.wait(State.PAUSED, timeout=30, progress=progress)
    assert len(running) == 1


def test_start_past_timeout_reports_last_state(installed: Service) -> None:
    with pytest.raises(WaitTimeoutError, match=r"START_PENDING .*not RUNNING") as caught:
        installed.start("slow=3000", timeout=0.25)
    error = caught.value
    assert error.status is not None
    assert error.status.state is State.START_PENDING
    assert error.waited is not None
    assert error.waited >= timedelta(seconds=0.249)
    assert installed.wait(State.RUNNING, timeout=30).state is State.RUNNING


def test_wait_with_cancelled_token_raises_wait_cancelled(installed: Service, waits: Waits) -> None:
    token = CancelToken()

    def cancel() -> None:
        try:
            waits.until(1)
        finally:
            token.cancel()

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(WaitCancelledError):
        installed.wait(State.RUNNING, cancel=token)
    thread.join()
    with pytest.raises(WaitCancelledError):
        installed.wait(State.RUNNING, timeout=30, cancel=token)


def test_wait_returns_when_another_handle_starts_service(
    scm: ServiceManager, installed: Service, waits: Waits
) -> None:
    arrived: list[ServiceStatus] = []

    def wait() -> None:
        with scm.open(installed.name) as other:
            arrived.append(other.wait(State.RUNNING))

    thread = threading.Thread(target=wait)
    thread.start()
    waits.until(1)
    assert arrived == []
    installed.start("slow=300", timeout=30)
    thread.join(30)
    assert not thread.is_alive()
    assert [status.state for status in arrived] == [State.RUNNING]


def test_wait_in_several_threads_returns_in_all(
    scm: ServiceManager, installed: Service, waits: Waits
) -> None:
    arrived: list[State] = []

    def wait() -> None:
        with scm.open(installed.name) as other:
            arrived.append(other.wait(State.RUNNING).state)

    threads = [threading.Thread(target=wait) for _ in range(8)]
    for thread in threads:
        thread.start()
    waits.until(8)
    assert arrived == []
    installed.start("slow=300", timeout=30)
    for thread in threads:
        thread.join(30)
    assert arrived == [State.RUNNING] * 8


def test_wait_on_deleted_service_raises_marked_for_delete(
    installed: Service, wine_differs: Differs
) -> None:
    installed.start(timeout=30)
    installed.delete()
    if wine_differs("notify-deleted"):
        with pytest.raises(WaitTimeoutError):
            installed.wait(State.PAUSED, timeout=0.1)
    else:
        with pytest.raises(MarkedForDeleteError):
            installed.wait(State.PAUSED, timeout=30)
    assert installed.stop(timeout=30).state is State.STOPPED


def test_wait_on_driver_past_timeout_raises_timeout_error(scm: ServiceManager) -> None:
    """Windows does not notify of drivers, so the status is polled."""
    name = next(info.name for info in scm.services(service_type=ServiceType.DRIVER))
    with scm.open(name) as driver, pytest.raises(WaitTimeoutError, match="not PAUSED"):
        driver.wait(State.PAUSED, timeout=0.1)


def test_delete_with_open_handle_when_cancelled_stops_waiting(
    scm: ServiceManager, program: str, unique_name: Callable[[], str], waits: Waits
) -> None:
    """Simulated time passes at once: the timeout is longer than the threads take for a turn."""
    name = unique_name()
    scm.create(name, program).close()
    token = CancelToken()

    def cancel() -> None:
        try:
            waits.until(1)
        finally:
            token.cancel()

    with scm.open(name) as held:
        assert held.status().state is State.STOPPED
        thread = threading.Thread(target=cancel)
        thread.start()
        with pytest.raises(WaitCancelledError, match="marked for deletion"):
            scm.delete(name, wait=True, timeout=1e9, cancel=token)
        thread.join()
        assert scm.exists(name)
    assert not scm.exists(name)


@simulated_only
def test_wait_when_stop_falls_back_to_running_raises_wait_error(
    installed: Service, sim: SimulatedSCM
) -> None:
    installed.start(timeout=30)
    sim.local.report(installed.name, State.STOP_PENDING)
    sim.clock.after(0.5, lambda: sim.local.report(installed.name, State.RUNNING))
    with pytest.raises(WaitError, match="returned to its previous state"):
        installed.wait(State.STOPPED, timeout=30)
