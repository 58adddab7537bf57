"""Tests of update.py on a simulated system (``pytest examples/test_update.py``)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from update import update

from winsvc import AccessDeniedError, ServiceAccess, State
from winsvc.testing import CallerIdentity, ProgramBehavior, SimulatedSCM

OLD, NEW = r"C:\beat\1\beat.exe", r"C:\beat\2\beat.exe"


@pytest.fixture
def sim(simulated_scm: SimulatedSCM) -> Iterator[SimulatedSCM]:
    simulated_scm.add("beat", binary_path=OLD, state=State.RUNNING)
    yield simulated_scm
    assert simulated_scm.open_handles == 0


def test_update_with_slow_start_runs_new_program(sim: SimulatedSCM) -> None:
    sim.local.programs[NEW] = ProgramBehavior(start_takes=20)
    assert update("beat", NEW) == rf"beat runs {NEW}"
    assert sim["beat"].state is State.RUNNING
    assert sim["beat"].binary_path == NEW
    assert sim.clock.now > 20  # simulated seconds


def test_update_with_failing_start_restores_old_program(sim: SimulatedSCM) -> None:
    sim.local.programs[NEW] = ProgramBehavior(
        start_takes=5, ends_after=3, exit_code=1066, service_exit_code=77
    )
    assert update("beat", NEW) == rf"{NEW} ended with 1066: back to {OLD}"
    assert sim["beat"].state is State.RUNNING
    assert sim["beat"].binary_path == OLD


def test_update_with_missing_program_restores_old_program(sim: SimulatedSCM) -> None:
    sim.local.programs[NEW] = ProgramBehavior(start_error=2)
    assert update("beat", NEW) == rf"{NEW} ended with 2: back to {OLD}"
    assert sim["beat"].state is State.RUNNING
    assert sim["beat"].binary_path == OLD


def test_update_with_hanging_start_configures_old_program(sim: SimulatedSCM) -> None:
    sim.local.programs[NEW] = ProgramBehavior(hangs_in=[State.START_PENDING])
    assert update("beat", NEW) == rf"{NEW} hangs as START_PENDING: {OLD} is for the next start"
    assert sim["beat"].state is State.START_PENDING
    assert sim["beat"].binary_path == OLD


def test_update_with_two_failing_programs_reports_both(sim: SimulatedSCM) -> None:
    sim.local.other_programs = ProgramBehavior(start_error=2)
    assert update("beat", NEW) == rf"{NEW} ended with 2, and {OLD} does not start again"
    assert sim["beat"].state is State.STOPPED
    assert sim["beat"].binary_path == OLD


def test_update_of_service_that_does_not_stop_changes_nothing(sim: SimulatedSCM) -> None:
    sim["beat"].behavior = ProgramBehavior(hangs_in=[State.STOP_PENDING])
    assert update("beat", NEW) == "beat does not stop: nothing was changed"
    assert sim["beat"].state is State.STOP_PENDING
    assert sim["beat"].binary_path == OLD


def test_update_without_right_raises_access_denied(sim: SimulatedSCM) -> None:
    with (
        sim.run_as(CallerIdentity.user()),
        pytest.raises(AccessDeniedError, match=r"ServiceAccess\.STOP"),
    ):
        update("beat", NEW)
    sim.faults.deny(ServiceAccess.CHANGE_CONFIG, "beat")
    with pytest.raises(AccessDeniedError, match=r"ServiceAccess\.CHANGE_CONFIG"):
        update("beat", NEW)
    assert not sim.called("ChangeServiceConfigW")
    # The rights to change are requested when the service has stopped.
    assert sim["beat"].state is State.STOPPED
    assert sim["beat"].binary_path == OLD


def test_update_with_lost_connection_raises_connection_error(sim: SimulatedSCM) -> None:
    sim.faults.fail("StartServiceW", 1722)
    with pytest.raises(ConnectionError):
        update("beat", NEW)
    assert sim["beat"].state is State.STOPPED
    assert sim["beat"].binary_path == NEW
