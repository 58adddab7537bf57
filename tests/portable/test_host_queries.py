"""Test the queries of a process and a hosted service, on the simulated system."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import winsvc
from winsvc import ServiceManager, StartType, State, UnsupportedError, ValidationError
from winsvc.enums import StartReason
from winsvc.host import ServiceBase, is_service
from winsvc.testing import CallerIdentity, SimulatedSCM


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        yield sim
        sim.close()


def run_hosted(sim: SimulatedSCM, query: Callable[[ServiceBase], object]) -> list[object]:
    """Start a hosted service that runs a query; return the result, or the error."""
    results: list[object] = []

    class Beat(ServiceBase):
        name = "beat"

        def main(self) -> None:
            self.report_running()
            try:
                results.append(query(self))
            except Exception as error:
                results.append(error)
            self.stop_requested.wait()

    if "beat" not in sim:
        sim.host(Beat)
    with ServiceManager() as scm:
        scm.start("beat")
        sim.clock.advance(1)
        scm.stop("beat", timeout=30)
    return results


# ------------------------------------------------------------------- the process


def test_is_service_in_program_under_test_is_false(sim: SimulatedSCM) -> None:
    assert not is_service()


def test_is_service_in_hosted_service_is_true(sim: SimulatedSCM) -> None:
    assert run_hosted(sim, lambda _: is_service()) == [True]


@pytest.mark.skipif(sys.platform == "win32", reason="tests the result on other systems")
def test_is_service_off_windows_is_false() -> None:
    assert not is_service()


@pytest.mark.parametrize(
    ("caller", "elevated"),
    [
        (CallerIdentity.administrator(), True),
        (CallerIdentity.local_system(), True),
        (CallerIdentity.user(), False),
        (CallerIdentity.remote_user(), False),
    ],
)
def test_is_elevated_follows_simulated_caller(
    sim: SimulatedSCM, caller: CallerIdentity, elevated: bool
) -> None:
    with sim.run_as(caller):
        assert winsvc.is_elevated() is elevated


@pytest.mark.skipif(sys.platform == "win32", reason="tests the result on other systems")
def test_is_elevated_off_windows_raises_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        winsvc.is_elevated()


# ------------------------------------------------------------------- the hosted service


def test_start_reason_of_demand_start_is_demand(sim: SimulatedSCM) -> None:
    assert run_hosted(sim, lambda service: service.start_reason()) == [StartReason.DEMAND]


def test_start_reason_at_boot_is_auto(sim: SimulatedSCM) -> None:
    reasons: list[StartReason] = []

    class Boot(ServiceBase):
        name = "boot"
        settings = winsvc.Settings(start_type=StartType.AUTOMATIC)

        def main(self) -> None:
            self.report_running()
            reasons.append(self.start_reason())

    sim.host(Boot)
    sim.local.boot()
    sim.clock.advance(1)
    assert reasons == [StartReason.AUTO]


def test_directory_without_the_call_raises_unsupported(sim: SimulatedSCM) -> None:
    for query in (ServiceBase.directory, ServiceBase.shared_directory):
        (error,) = run_hosted(sim, query)
        assert isinstance(error, UnsupportedError)
        assert "Directory" in error.function
        sim.local.remove("beat")


def test_directory_of_service_exists_and_differs_from_shared_one(
    sim: SimulatedSCM, tmp_path: Path
) -> None:
    sim.local.state_directory = tmp_path
    (folders,) = run_hosted(sim, lambda service: (service.directory(), service.shared_directory()))
    assert isinstance(folders, tuple)
    assert len(set(folders)) == 2
    for folder in folders:
        assert isinstance(folder, Path)
        assert folder.is_dir()
        assert folder.is_relative_to(tmp_path / "beat")


# ------------------------------------------------------------------- waits in the own process


def stop_own(service: ServiceBase) -> object:
    with ServiceManager() as scm:
        return scm.stop("beat")


def test_waiting_stop_of_own_service_raises_before_it_is_sent(sim: SimulatedSCM) -> None:
    (error,) = run_hosted(sim, stop_own)
    assert isinstance(error, ValidationError)
    assert "wait=False" in str(error)
    assert len(sim.called("ControlService", "beat")) == 1  # the test's


def test_stop_of_own_service_without_wait_is_sent(sim: SimulatedSCM) -> None:
    results: list[object] = []

    class Once(ServiceBase):
        name = "once"

        def main(self) -> None:
            self.report_running()
            with ServiceManager() as scm, scm.open("once") as own:
                results.append(own.stop(wait=False).state)

    sim.host(Once)
    with ServiceManager() as scm:
        with scm.open("once") as once:
            once.start(wait=False)
        sim.clock.advance(1)
    assert results == [State.STOP_PENDING]
    assert sim["once"].state is State.STOPPED


def test_own_pid_is_set_in_hosted_process_for_the_local_machine_only(sim: SimulatedSCM) -> None:
    sim.add_machine("other")
    assert sim.capabilities(None).own_pid is None
    (pids,) = run_hosted(
        sim, lambda _: (sim.capabilities(None).own_pid, sim.capabilities("other").own_pid)
    )
    assert isinstance(pids, tuple)
    own, other = pids
    assert isinstance(own, int)
    assert other is None
