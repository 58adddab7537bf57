"""Starting, stopping, pausing and deleting with a wait, and what ends the wait."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from differences import Differs
from support import Waits

from winsvc import (
    AccessDeniedError,
    ControlRefusedError,
    MarkedForDeleteError,
    Service,
    ServiceAccess,
    ServiceAlreadyRunningError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceStartError,
    ServiceStatus,
    State,
    WaitTimeoutError,
)

SECONDS = 20
NOT: bool = False  # a bool, not a literal: the result may be a status


@pytest.fixture
def second(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> Callable[[], Service]:
    """Create a further service; it is deleted by the test."""
    return lambda: scm.create(unique_name(), program)


# ------------------------------------------------------------------- start


def test_start_returns_status_of_running_service(installed: Service) -> None:
    status = installed.start("slow=300", timeout=SECONDS)
    assert status.state is State.RUNNING
    assert status.pid is not None
    assert status == installed.status()


def test_start_without_wait_returns_none_while_starting(installed: Service) -> None:
    assert installed.start("slow=1000", wait=NOT) is None
    assert installed.status().state is State.START_PENDING
    assert installed.wait(State.RUNNING, SECONDS).state is State.RUNNING


def test_start_while_other_client_starts_waits_for_running(
    scm: ServiceManager, installed: Service
) -> None:
    installed.start("slow=500", wait=False)
    with scm.open(installed.name) as other:
        assert other.start().state is State.RUNNING


def test_start_with_arguments_while_starting_raises_already_running(installed: Service) -> None:
    installed.start("slow=1000", wait=False)
    with pytest.raises(ServiceAlreadyRunningError) as caught:
        installed.start("argument")
    assert caught.value.winerror == 1056
    assert installed.wait(State.RUNNING, SECONDS).state is State.RUNNING


def test_start_while_stopping_waits_and_starts_again(installed: Service) -> None:
    before = installed.start("slow-stop=500").pid
    installed.stop(wait=False)
    status = installed.start(timeout=SECONDS)
    assert status.state is State.RUNNING
    assert status.pid != before


@pytest.mark.parametrize("code", [0, 5])
def test_start_of_service_that_stops_raises_start_error(installed: Service, code: int) -> None:
    with pytest.raises(ServiceStartError, match=f"exit code {code}") as caught:
        installed.start("slow=300", f"exit={code}")
    status = caught.value.status
    assert status is not None
    assert (status.state, status.exit_code) == (State.STOPPED, code)


def test_start_succeeds_although_service_stops_after_running(installed: Service) -> None:
    assert installed.start("slow=200", "runs=500", "exit=5").state is State.RUNNING
    assert installed.wait(State.STOPPED, SECONDS).exit_code == 5


def test_wait_for_either_state_returns_stopped_of_service_that_runs_once(
    installed: Service,
) -> None:
    installed.start("slow=200", "exit=3", wait=False)
    status = installed.wait([State.RUNNING, State.STOPPED], SECONDS)
    assert (status.state, status.exit_code) == (State.STOPPED, 3)


def test_start_stable_for_returns_after_stable_time(installed: Service) -> None:
    seen: list[ServiceStatus] = []
    status = installed.start("slow=200", stable_for=0.5, progress=seen.append)
    assert status.state is State.RUNNING
    assert seen[-1].state is State.RUNNING


def test_start_stable_for_of_service_that_stops_soon_raises_start_error(
    installed: Service,
) -> None:
    with pytest.raises(ServiceStartError, match="exit code 7") as caught:
        installed.start("slow=200", "runs=300", "exit=7", stable_for=30)
    assert caught.value.status is not None
    assert caught.value.status.exit_code == 7


# ------------------------------------------------------------------- stop, pause, resume


def test_stop_while_starting_waits_and_stops(installed: Service) -> None:
    installed.start("slow=500", wait=False)
    assert installed.stop(timeout=SECONDS).state is State.STOPPED


def test_stop_while_stopping_waits_for_stopped(installed: Service) -> None:
    installed.start("slow-stop=1000")
    installed.stop(wait=False)
    assert installed.stop().state is State.STOPPED


def test_stop_past_timeout_reports_stop_pending(installed: Service) -> None:
    installed.start("slow-stop=2000")
    with pytest.raises(WaitTimeoutError, match=r"STOP_PENDING .*not STOPPED") as caught:
        installed.stop(timeout=0.3)
    assert caught.value.status is not None
    assert caught.value.status.state is State.STOP_PENDING
    assert installed.wait(State.STOPPED, SECONDS).exit_code == 0


def test_pause_while_starting_waits_and_pauses(installed: Service) -> None:
    installed.start("slow=500", wait=False)
    assert installed.pause(timeout=SECONDS).state is State.PAUSED
    assert installed.resume().state is State.RUNNING


def test_pause_without_wait_returns_reported_status(installed: Service) -> None:
    installed.start()
    assert installed.pause(wait=False).state in (State.PAUSED, State.PAUSE_PENDING)
    assert installed.wait(State.PAUSED, SECONDS).state is State.PAUSED
    assert installed.resume(wait=False).state in (State.RUNNING, State.CONTINUE_PENDING)
    assert installed.wait(State.RUNNING, SECONDS).state is State.RUNNING


def test_control_not_accepted_while_running_raises_control_refused(installed: Service) -> None:
    installed.start("no-pause")
    for send in (installed.pause, installed.resume):
        with pytest.raises(ControlRefusedError) as caught:
            send()
        assert caught.value.winerror == 1052
    assert installed.stop().state is State.STOPPED


# ------------------------------------------------------------------- refused before the call


@pytest.mark.parametrize("argument", ["timeout", "stable_for", "progress", "cancel"])
def test_wait_argument_without_wait_raises_type_error_and_sends_nothing(
    installed: Service, argument: str
) -> None:
    with pytest.raises(TypeError, match=rf"{argument}: .*wait=False"):
        installed.start(wait=False, **{argument: 5})
    assert installed.status().state is State.STOPPED


def test_waiting_start_without_query_right_is_refused_before_it_is_sent(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name, access=ServiceAccess.START) as service:
        with pytest.raises(AccessDeniedError, match=r"QUERY_STATUS.*wait=False"):
            service.start()
        assert installed.status().state is State.STOPPED
        service.start(wait=False)
    assert installed.wait(State.RUNNING, SECONDS).state is State.RUNNING


# ------------------------------------------------------------------- one call each, and several


def test_manager_start_restart_and_stop_return_status(
    scm: ServiceManager, installed: Service
) -> None:
    name = installed.name.upper()
    assert scm.start(name, "slow=200").state is State.RUNNING
    before = scm.status(name)
    assert before.state is State.RUNNING
    after = scm.restart(name, timeout=SECONDS)
    assert after.state is State.RUNNING
    assert after.pid != before.pid
    assert scm.stop(name).state is State.STOPPED
    with pytest.raises(ServiceNotActiveError):
        scm.stop(name)


def test_manager_operations_on_missing_service_raise_not_found(scm: ServiceManager) -> None:
    for operation in (scm.start, scm.stop, scm.restart, scm.status, scm.info):
        with pytest.raises(ServiceNotFoundError):
            operation("winsvc-no-such-name")
    with pytest.raises(ServiceNotFoundError):
        scm.wait({"winsvc-no-such-name": State.RUNNING})


def test_manager_wait_returns_when_all_services_reached_their_states(
    scm: ServiceManager, installed: Service, second: Callable[[], Service]
) -> None:
    with second() as other:
        try:
            installed.start("slow=300", wait=False)
            other.start("slow=600", wait=False)
            seen: list[tuple[str, State]] = []
            found = scm.wait(
                {installed.name: State.RUNNING, other.name: [State.PAUSED, State.RUNNING]},
                timeout=SECONDS,
                progress=lambda name, status: seen.append((name, status.state)),
            )
            assert {name: status.state for name, status in found.items()} == {
                installed.name: State.RUNNING,
                other.name: State.RUNNING,
            }
            assert {(name, State.RUNNING) for name in found} <= set(seen)
            other.stop()
        finally:
            other.delete()


def test_manager_wait_with_service_that_stops_raises_its_error(
    scm: ServiceManager, installed: Service, second: Callable[[], Service]
) -> None:
    with second() as other:
        try:
            other.start("slow=400", "exit=9", wait=False)
            with pytest.raises(ServiceStartError) as caught:
                scm.wait({installed.name: State.RUNNING, other.name: State.RUNNING}, SECONDS)
            assert caught.value.object_name == other.name
            assert caught.value.status is not None
            assert caught.value.status.exit_code == 9
        finally:
            other.delete()


# ------------------------------------------------------------------- delete


def test_delete_with_wait_removes_service_and_closes_it(
    scm: ServiceManager, second: Callable[[], Service]
) -> None:
    service = second()
    service.delete(wait=True, timeout=SECONDS)
    assert service.closed
    assert not scm.exists(service.name)


def test_delete_with_wait_of_marked_service_waits_for_removal(
    scm: ServiceManager, second: Callable[[], Service], waits: Waits
) -> None:
    service = second()
    with scm.open(service.name) as other:
        service.delete()
        with pytest.raises(MarkedForDeleteError):
            service.delete()
        with pytest.raises(WaitTimeoutError, match=r"This process has 1 handles? .*open"):
            service.delete(wait=True, timeout=0.1)
        assert other.status().state is State.STOPPED
    scm.create(service.name, "x.exe").close()  # the name is free
    scm.delete(service.name, wait=True, timeout=SECONDS)


def test_delete_with_wait_of_running_service_names_its_state(
    scm: ServiceManager, installed: Service, wine_differs: Differs
) -> None:
    installed.start()
    with pytest.raises(WaitTimeoutError, match=r"RUNNING|handles"):
        scm.delete(installed.name, wait=True, timeout=0.1)
    assert installed.stop().state is State.STOPPED


def test_delete_timeout_without_wait_raises_type_error(
    scm: ServiceManager, installed: Service
) -> None:
    with pytest.raises(TypeError, match="timeout"):
        scm.delete(installed.name, timeout=5)  # type: ignore[call-overload]
    assert installed.start().state is State.RUNNING
