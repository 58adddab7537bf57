"""Machines, connections to them, and services that are going: all that handles hold on to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from simulated import MANAGER_ALL, code_of, control, create, manager, opened, start, state_of

from winsvc import (
    AccessDeniedError,
    Control,
    HandleClosedError,
    MachineUnreachableError,
    MarkedForDeleteError,
    ServiceManager,
    ServiceNotFoundError,
    State,
    ValidationError,
    WaitTimeoutError,
    Win32Error,
)
from winsvc.testing import ProgramBehavior, SimulatedMachine, SimulatedSCM


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.add("beat")
    return sim


@pytest.fixture
def build(sim: SimulatedSCM) -> SimulatedMachine:
    machine = sim.add_machine("build07")
    machine.add("beat", state=State.RUNNING)
    return machine


# ------------------------------------------------------------------- other machines


@pytest.mark.parametrize("name", ["build07", "BUILD07", r"\\build07"])
def test_manager_of_other_machine_controls_its_services(
    sim: SimulatedSCM, build: SimulatedMachine, name: str
) -> None:
    with ServiceManager(name, backend=sim) as scm, scm.open("beat") as service:
        assert service.status().state is State.RUNNING
        service.stop()
    assert state_of(build, "beat") is State.STOPPED


def test_manager_of_unreachable_machine_raises(sim: SimulatedSCM) -> None:
    sim.add_machine("down", error=1722)
    sim.add_machine("strict", error=5)
    for name, error in (("none", 1722), ("down", 1722), ("strict", 5)):
        with pytest.raises(Win32Error) as caught:
            ServiceManager(name, backend=sim)
        assert caught.value.winerror == error
        assert caught.value.machine == name
    with pytest.raises(MachineUnreachableError):
        ServiceManager("none", backend=sim)
    with pytest.raises(AccessDeniedError):
        ServiceManager("strict", backend=sim)


def test_each_machine_has_its_own_services(sim: SimulatedSCM, build: SimulatedMachine) -> None:
    assert sim["beat"] is not build["beat"]
    assert start(sim, "beat") == 0
    handle = opened(sim, "beat", machine="build07")
    assert sim.control_service(handle, Control.STOP).current_state == State.STOPPED
    assert state_of(sim, "beat") is State.RUNNING
    build.add("only-there")
    assert "only-there" in build
    assert "only-there" not in sim
    sim.delete_service(handle)
    sim.close_service_handle(handle)
    assert "beat" in sim
    assert "beat" not in build


def test_errors_name_the_machine(sim: SimulatedSCM, build: SimulatedMachine) -> None:
    with ServiceManager("build07", backend=sim) as scm:
        with pytest.raises(ServiceNotFoundError) as caught:
            scm.open("none")
        assert (caught.value.machine, caught.value.object_name) == ("build07", "none")
        with scm.open("beat") as service, pytest.raises(Win32Error, match="on build07") as other:
            service.start()
        assert other.value.machine == "build07"
    assert {call.machine for call in sim.calls} == {"build07"}


def test_add_machine_with_existing_name_raises(sim: SimulatedSCM, build: SimulatedMachine) -> None:
    for name in ("BUILD07", r"\\build07", "simulated", "localhost", ""):
        with pytest.raises(ValidationError):
            sim.add_machine(name)


def test_machine_name_with_leading_backslashes_is_recognized(sim: SimulatedSCM) -> None:
    sim.add_machine(r"\\other").add("beat")
    exported = SimulatedSCM.from_json({"machine": r"\\other", "services": {"beat": {}}})
    for backend in (sim, exported):
        for name in ("other", r"\\other"):
            with ServiceManager(name, backend=backend) as scm:
                assert scm.exists("beat")


def test_add_existing_or_invalid_service_raises(build: SimulatedMachine) -> None:
    with pytest.raises(ValidationError):
        build.add("BEAT")
    with pytest.raises(ValidationError):
        build.add("a/b")
    with pytest.raises(KeyError):
        build["none"]
    with pytest.raises(KeyError):
        build.remove("none")


# ------------------------------------------------------------------- connections that are lost


def test_disconnect_fails_calls_and_invalidates_handles(
    sim: SimulatedSCM, build: SimulatedMachine
) -> None:
    scm = manager(sim, machine="build07")
    service = sim.open_service(scm, "beat", 0xF01FF)
    build.disconnect()
    for _ in range(2):
        assert code_of(sim.query_service_status_ex, service) == 1722
        assert code_of(sim.open_service, scm, "beat", 0) == 1722
        assert code_of(manager, sim, 1, "build07") == 1722
    assert code_of(opened, sim, "beat") == 0  # the own machine is there
    build.reconnect()
    assert code_of(sim.query_service_status_ex, service) == 6
    assert code_of(sim.open_service, scm, "beat", 0) == 6
    again = opened(sim, "beat", machine="build07")
    assert sim.query_service_status_ex(again).current_state == State.RUNNING
    for handle in (scm, service, again):
        sim.close_service_handle(handle)


def test_handle_of_lost_connection_does_not_delay_deletion(
    sim: SimulatedSCM, build: SimulatedMachine
) -> None:
    old = opened(sim, "beat", machine="build07")
    build.disconnect()
    build.reconnect()
    new = opened(sim, "beat", machine="build07")
    sim.control_service(new, Control.STOP)
    sim.delete_service(new)
    sim.close_service_handle(old)
    assert "beat" in build
    sim.close_service_handle(new)
    assert "beat" not in build


def test_status_after_disconnect_raises_machine_unreachable(
    sim: SimulatedSCM, build: SimulatedMachine
) -> None:
    with ServiceManager("build07", backend=sim) as scm, scm.open("beat") as service:
        build.disconnect(error=1726)
        with pytest.raises(MachineUnreachableError, match="build07"):
            service.status()
        build.reconnect()
        with pytest.raises(HandleClosedError):
            service.status()
        with ServiceManager("build07", backend=sim) as other, other.open("beat") as again:
            assert again.status().state is State.RUNNING


def test_removed_machine_is_unreachable(sim: SimulatedSCM, build: SimulatedMachine) -> None:
    handle = opened(sim, "beat", machine="build07")
    sim.machines.remove(build)
    assert code_of(sim.query_service_status_ex, handle) == 1722
    assert code_of(manager, sim, 1, "build07") == 1722
    sim.close_service_handle(handle)


def test_reboot_invalidates_all_handles(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    other = opened(sim, "beat")
    sim.delete_service(handle)
    sim.local.reboot()
    assert "beat" not in sim  # nothing holds it any more
    assert code_of(sim.query_service_status_ex, other) == 6
    sim.add("beat")
    sim.close_service_handle(handle)
    sim.close_service_handle(other)
    assert sim["beat"].handles == 0
    assert sim.open_handles == 0


def test_removed_service_invalidates_its_handles(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    sim.local.remove("beat")
    assert code_of(sim.query_service_status_ex, handle) == 6
    assert code_of(sim.start_service, handle, ()) == 6
    sim.add("beat")
    assert code_of(sim.query_service_status_ex, handle) == 6
    sim.close_service_handle(handle)
    assert code_of(opened, sim, "beat") == 0


# ------------------------------------------------------------------- deletion


def test_deleted_service_vanishes_with_last_handle(sim: SimulatedSCM) -> None:
    with ServiceManager(backend=sim) as scm:
        first, second = scm.open("beat"), scm.open("beat")
        first.delete()
        first.close()
        assert scm.exists("beat")
        with pytest.raises(MarkedForDeleteError):
            scm.create("beat", r"C:\beat.exe")
        with pytest.raises(MarkedForDeleteError):
            second.delete()
        assert second.status().state is State.STOPPED
        second.close()
        assert not scm.exists("beat")
        scm.create("beat", r"C:\beat.exe").close()


def stopped_by_control(sim: SimulatedSCM) -> None:
    assert control(sim, "beat", Control.STOP) == 0  # by a handle that is closed again
    sim.clock.advance(2.5)
    assert "beat" in sim
    sim.clock.advance(0.5)


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(stopped_by_control, id="stop"),
        pytest.param(lambda sim: sim.local.crash("beat"), id="crash"),
        pytest.param(lambda sim: sim.clock.advance(10), id="end of program"),
    ],
)
def test_deleted_running_service_vanishes_when_stopped(
    sim: SimulatedSCM, end: Callable[[SimulatedSCM], None]
) -> None:
    sim["beat"].program = ProgramBehavior(ends_after=10, stop_takes=3)
    start(sim, "beat")
    handle = opened(sim, "beat")
    sim.delete_service(handle)
    sim.close_service_handle(handle)
    assert state_of(sim, "beat") is State.RUNNING
    assert sim["beat"].marked_for_deletion
    rows, _ = sim.enum_services_status_ex(manager(sim), 0x30, 3, None, 0)
    assert [row.service_name for row in rows] == ["beat"]
    end(sim)
    assert "beat" not in sim
    assert code_of(create, sim, manager(sim), "beat") == 0
    sim.clock.advance(1000)  # nothing is left of the old one
    assert state_of(sim, "beat") is State.STOPPED


def test_deleted_stopped_service_stays_while_open(sim: SimulatedSCM) -> None:
    start(sim, "beat")
    handle = opened(sim, "beat")
    sim.delete_service(handle)
    assert sim.control_service(handle, Control.STOP).current_state == State.STOPPED
    assert sim.query_service_status_ex(handle).current_state == State.STOPPED
    assert code_of(sim.start_service, handle, ()) == 1072
    sim.close_service_handle(handle)
    assert "beat" not in sim


def test_delete_with_timeout_and_open_handle_times_out(sim: SimulatedSCM) -> None:
    with ServiceManager(backend=sim) as scm:
        other = scm.open("beat")
        service = scm.open("beat")
        began = sim.clock.now
        with pytest.raises(WaitTimeoutError):
            service.delete(wait=True, timeout=5)
        assert 5 <= sim.clock.now - began < 6
        other.close()
        assert not scm.exists("beat")
    assert sim.open_handles == 0


# ------------------------------------------------------------------- the lock


def test_lock_affects_only_its_machine(sim: SimulatedSCM, build: SimulatedMachine) -> None:
    local, remote = manager(sim), manager(sim, MANAGER_ALL, "build07")
    lock = sim.lock_service_database(local)
    assert sim.query_service_lock_status(remote).is_locked == 0
    other = sim.lock_service_database(remote)
    sim.unlock_service_database(lock)
    assert sim.query_service_lock_status(remote).is_locked == 1
    assert sim.query_service_lock_status(remote).lock_owner == sim.caller.name
    sim.unlock_service_database(other)


def test_lock_is_released_when_connection_is_lost(
    sim: SimulatedSCM, build: SimulatedMachine
) -> None:
    lock = sim.lock_service_database(manager(sim, MANAGER_ALL, "build07"))
    build.disconnect()
    build.reconnect()
    remote = manager(sim, MANAGER_ALL, "build07")
    assert sim.query_service_lock_status(remote).is_locked == 0
    new = sim.lock_service_database(remote)
    assert code_of(sim.unlock_service_database, lock) == 1071  # not the new one
    sim.unlock_service_database(new)
