"""Test the recovery of failed services on a simulated machine, and the start reasons."""

from __future__ import annotations

import pytest
from simulated import change, code_of, control, number, opened, start, state_of

from winsvc import Control, FailureAction, FailureActions, ServiceType, StartType, State, Trigger
from winsvc.enums import ConfigLevel, StartReason
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State
R, RUN, NONE = FailureAction.restart, FailureAction.run_command, FailureAction.none


def failing(
    *actions: FailureAction,
    reset_after: float | None = None,
    command: str = "",
    reboot_message: str = "",
) -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.latency = 0
    whole = FailureActions(actions=actions, command=command, reboot_message=reboot_message)
    row = whole.to_row()._replace(
        reset_period=0xFFFFFFFF if reset_after is None else int(reset_after)
    )
    sim.add("beat", state=S.RUNNING).failure_actions = row
    return sim


def restarted_after(sim: SimulatedSCM) -> float | None:
    """Return the seconds from a crash to the next run; None if there is no restart."""
    sim.local.crash("beat")
    began = sim.clock.now
    while state_of(sim, "beat") is S.STOPPED:
        if sim.clock.now > began + 1000:
            return None
        sim.clock.advance(1)
    return sim.clock.now - began


def test_crash_without_failure_actions_leaves_service_stopped() -> None:
    sim = failing()
    assert restarted_after(sim) is None
    assert sim["beat"].exit_code == 1067


def test_failure_actions_run_in_order_and_last_repeats() -> None:
    sim = failing(R(5), R(60), R(600))
    assert [restarted_after(sim) for _ in range(5)] == [5, 60, 600, 600, 600]
    assert sim["beat"].failures == 5


def test_failure_action_none_leaves_service_stopped() -> None:
    sim = failing(NONE(), R(3))
    assert restarted_after(sim) is None
    start(sim, "beat")
    assert restarted_after(sim) == 3


@pytest.mark.parametrize(
    ("reset_after", "quiet", "second"),
    [(100, 80, 20), (100, 100, 10), (100, 120, 10), (None, 100_000, 20), (0, 1, 10)],
)
def test_failure_count_resets_after_reset_period(
    reset_after: float | None, quiet: float, second: float
) -> None:
    sim = failing(R(10), R(20), reset_after=reset_after)
    assert restarted_after(sim) == 10
    sim.clock.advance(quiet - 10 if quiet > 10 else quiet)
    assert restarted_after(sim) == second


def test_failure_restarts_reset_period() -> None:
    sim = failing(R(1), R(2), R(3), reset_after=100)
    found = []
    for _ in range(3):
        found.append(restarted_after(sim))
        sim.clock.advance(90)
    assert found == [1, 2, 3]


def test_run_command_action_runs_command_after_delay() -> None:
    sim = failing(RUN(4), command="alarm.exe --loud")
    sim.local.crash("beat")
    sim.clock.advance(3.9)
    assert sim.local.commands == []
    sim.clock.advance(0.1)
    assert sim.local.commands == ["alarm.exe --loud"]
    assert state_of(sim, "beat") is S.STOPPED


def test_run_command_action_without_command_runs_nothing() -> None:
    sim = failing(RUN())
    sim.local.crash("beat")
    sim.clock.advance(1)
    assert sim.local.commands == []


def test_reboot_action_reboots_machine_after_delay() -> None:
    sim = failing(FailureAction.reboot(60), reboot_message="Going down")
    sim.add("auto", start_type=StartType.AUTOMATIC)
    sim.add("other", state=S.RUNNING)
    handle = opened(sim, "other")
    sim.local.crash("beat")
    sim.clock.advance(59)
    assert sim.local.reboots == []
    sim.clock.advance(1)
    assert sim.local.reboots == ["Going down"]
    assert [service.state for service in sim] == [S.STOPPED, S.RUNNING, S.STOPPED]
    assert sim["beat"].exit_code == 1077
    assert sim["beat"].failures == 0
    assert code_of(sim.query_service_status_ex, handle) == 6


@pytest.mark.parametrize(
    ("flag", "code", "restarts"), [(0, 5, False), (1, 5, True), (1, 0, False), (1, 1066, True)]
)
def test_exit_with_error_restarts_only_if_flag_is_set(flag: int, code: int, restarts: bool) -> None:
    sim = failing(R(7))
    number(sim, "beat", ConfigLevel.FAILURE_ACTIONS_FLAG, flag)
    sim["beat"].program = ProgramBehavior(ends_after=1, exit_code=code)
    control(sim, "beat", Control.STOP)
    start(sim, "beat")
    sim["beat"].program = ProgramBehavior()
    sim.clock.advance(1)
    assert (state_of(sim, "beat"), sim["beat"].exit_code) == (S.STOPPED, code)
    sim.clock.advance(7)
    assert (state_of(sim, "beat") is S.RUNNING) == restarts


def test_stop_control_does_not_count_as_failure() -> None:
    sim = failing(R())
    control(sim, "beat", Control.STOP)
    sim.clock.advance(100)
    assert state_of(sim, "beat") is S.STOPPED
    assert sim["beat"].failures == 0


def test_crash_while_starting_counts_as_failure() -> None:
    sim = failing(R(5))
    control(sim, "beat", Control.STOP)
    sim["beat"].program = ProgramBehavior(start_takes=10, ends_after=2, crashes=True)
    start(sim, "beat")
    sim.clock.advance(7)
    assert state_of(sim, "beat") is S.START_PENDING
    assert sim["beat"].starts == 2


def test_queued_restart_runs_after_manual_start_and_stop() -> None:
    sim = failing(R(60))
    sim.local.crash("beat")
    start(sim, "beat")
    control(sim, "beat", Control.STOP)
    sim.clock.advance(60)
    assert state_of(sim, "beat") is S.RUNNING


def test_disabled_service_is_not_restarted() -> None:
    sim = failing(R(60))
    sim.local.crash("beat")
    change(sim, opened(sim, "beat"), start=StartType.DISABLED)
    sim.clock.advance(60)
    assert state_of(sim, "beat") is S.STOPPED
    assert sim["beat"].exit_code == 1067


def test_deleted_service_is_not_restarted() -> None:
    sim = failing(R(60))
    handle = opened(sim, "beat")
    sim.local.crash("beat")
    sim.delete_service(handle)
    sim.clock.advance(60)
    assert state_of(sim, "beat") is S.STOPPED
    sim.close_service_handle(handle)
    assert "beat" not in sim


def test_queued_restart_ignores_new_service_of_same_name() -> None:
    sim = failing(R(60))
    sim.local.crash("beat")
    sim.local.remove("beat")
    sim.add("beat")
    sim.clock.advance(100)
    assert state_of(sim, "beat") is S.STOPPED


def test_crash_of_shared_process_restarts_all_its_services() -> None:
    sim = SimulatedSCM()
    restart = FailureActions.restart(after=[5])
    for name in ("one", "two"):
        sim.add(
            name,
            service_type=ServiceType.SHARE_PROCESS,
            binary_path=r"C:\host.exe",
            failure_actions=restart,
            state=S.RUNNING,
        )
    sim.local.crash("one")
    assert {service.state for service in sim} == {S.STOPPED}
    sim.clock.advance(5)
    assert {service.state for service in sim} == {S.RUNNING}
    assert len({service.pid for service in sim}) == 1


def test_shutdown_does_not_count_as_failure() -> None:
    sim = failing(R(60))
    number(sim, "beat", ConfigLevel.FAILURE_ACTIONS_FLAG, 1)
    sim["beat"].behavior = ProgramBehavior(exit_code=5)
    sim.local.shut_down()
    sim.clock.advance(100)
    assert state_of(sim, "beat") is S.STOPPED


# ------------------------------------------------------------------- why it was started


def reason(sim: SimulatedSCM, name: str) -> int:
    return sim.query_start_reason(sim.status_handle(name))


def test_start_reason_reports_cause_of_each_start() -> None:
    sim = failing(R(1))
    auto = StartType.AUTOMATIC
    sim.add("auto", start_type=auto)
    sim.add("late", start_type=auto, delayed_auto_start=True)
    sim.add("trigger", triggers=[Trigger.on_ip_available()])
    assert code_of(reason, sim, "auto") == 1062
    sim.local.boot()
    assert reason(sim, "auto") == StartReason.AUTO
    sim.clock.advance(120)
    assert reason(sim, "late") == StartReason.DELAYED_AUTO
    sim.local.fire(Trigger.on_ip_available())
    assert reason(sim, "trigger") == StartReason.TRIGGER
    sim.local.crash("beat")
    sim.clock.advance(1)
    assert reason(sim, "beat") == StartReason.RESTART_ON_FAILURE
    for name in ("auto", "late", "trigger", "beat"):
        control(sim, name, Control.STOP)
        assert code_of(reason, sim, name) == 1062
        start(sim, name)
        assert reason(sim, name) == StartReason.DEMAND


def test_restart_action_waits_for_dependencies() -> None:
    sim = failing(R(1))
    sim.add("low", program=ProgramBehavior(start_takes=10))
    sim["beat"].dependencies = ("low",)
    sim.local.crash("beat")
    sim.clock.advance(2)
    assert [service.state for service in sim] == [S.STOPPED, S.START_PENDING]
    sim.clock.advance(10)
    assert [service.state for service in sim] == [S.RUNNING, S.RUNNING]
    assert sim.clock.now == 12
