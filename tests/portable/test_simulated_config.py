"""Test the settings that the simulated SCM accepts, and its error codes for the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulated import NO_CHANGE, change, code_of, create, manager, opened

from winsvc import ServiceAccess, ServiceType, State
from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, TriggerRow
from winsvc.enums import ConfigLevel
from winsvc.testing import SimulatedSCM

OWN, SHARE, INTERACTIVE = 0x10, 0x20, 0x100
A = ServiceAccess


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.add("Spooler", display_name="Print Spooler", state=State.RUNNING, load_order_group="Print")
    sim.add("beat", display_name="Heartbeat")
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER, state=State.RUNNING)
    return sim


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        (
            {"error": 0, "group": "g", "display": "shown"},
            {"error_control": 0, "load_order_group": "g", "display_name": "shown"},
        ),
        ({"start": 4}, {"start_type": 4}),
        ({"start": 2}, {"start_type": 2}),
        ({"path": r"C:\y.exe"}, {"binary_path_name": r"C:\y.exe"}),
        ({"display": "again"}, {"display_name": "again"}),
        ({"display": "beat"}, {"display_name": "beat"}),
        ({"display": "Print Spooler"}, {"display_name": "Print Spooler"}),
        ({"display": ""}, {"display_name": "beat"}),
        ({"type": OWN | INTERACTIVE}, {"service_type": OWN | INTERACTIVE}),
        ({"tag": True, "group": "g"}, {"load_order_group": "g", "tag_id": 1}),
        ({"dependencies": ["none"]}, {"dependencies": ("none",)}),
        ({"dependencies": []}, {}),
    ],
)
def test_change_config_changes_only_given_fields(
    sim: SimulatedSCM, given: dict[str, Any], changed: dict[str, Any]
) -> None:
    handle = opened(sim, "beat")
    before = sim.query_service_config(handle)
    change(sim, handle, **given)
    assert sim.query_service_config(handle) == before._replace(**changed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"path": ""}, 87),
        ({"type": OWN | SHARE}, 87),
        ({"start": 5}, 87),
        ({"start": 0}, 87),
        ({"error": 9}, 87),
        ({"type": OWN | INTERACTIVE, "account": r".\joe"}, 87),
        ({"tag": True}, 87),
        ({"display": "Spooler"}, 1078),
        ({"dependencies": ["beat"]}, 1059),
    ],
)
def test_change_config_refuses_invalid_values_without_effect(
    sim: SimulatedSCM, given: dict[str, Any], expected: int
) -> None:
    handle = opened(sim, "beat")
    before = sim.query_service_config(handle)
    assert code_of(lambda: change(sim, handle, **given)) == expected
    assert sim.query_service_config(handle) == before


def test_change_config_with_display_name_taken_as_key_succeeds(sim: SimulatedSCM) -> None:
    create(sim, manager(sim), "Heartbeat")
    change(sim, opened(sim, "beat"), start=4)
    assert sim["beat"].start_type == 4


def test_change_description_none_keeps_and_empty_clears(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    assert sim.query_description(handle) is None
    sim.change_description(handle, "text")
    sim.change_description(handle, None)
    assert sim.query_description(handle) == "text"
    sim.change_description(handle, "")
    assert sim.query_description(handle) is None


NUMBERS = [
    (ConfigLevel.PRESHUTDOWN_INFO, 10_000, [0, 1, NO_CHANGE], []),
    (ConfigLevel.DELAYED_AUTO_START_INFO, 0, [1, 0], [2, 3]),
    (ConfigLevel.FAILURE_ACTIONS_FLAG, 0, [1, 0], []),
    (ConfigLevel.SERVICE_SID_INFO, 0, [1, 3, 0], [2, 4]),
]


@pytest.mark.parametrize(("level", "first", "good", "bad"), NUMBERS)
def test_change_config_number_accepts_valid_and_refuses_invalid_values(
    sim: SimulatedSCM, level: ConfigLevel, first: int, good: list[int], bad: list[int]
) -> None:
    handle = opened(sim, "beat")
    assert sim.query_config_number(handle, level) == first
    change(sim, handle, start=4)  # even a disabled one
    for value in good:
        sim.change_config_number(handle, level, value)
        assert sim.query_config_number(handle, level) == value
    for value in bad:
        assert code_of(sim.change_config_number, handle, level, value) == 87


@pytest.mark.parametrize("level", [0, 1, 2, 6, 8, 9, 10, 13, 0xFFF0])
def test_unknown_config_level_is_refused_before_handle_check(sim: SimulatedSCM, level: int) -> None:
    assert code_of(sim.query_config_number, 0, level) == 124
    assert code_of(sim.change_config_number, 0, level, 0) == 124


def test_launch_protection_of_unprotected_service_is_refused(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    sim.change_config_number(handle, ConfigLevel.LAUNCH_PROTECTED, 0)
    assert code_of(sim.change_config_number, handle, ConfigLevel.LAUNCH_PROTECTED, 1) == 5
    assert code_of(sim.change_config_number, handle, ConfigLevel.LAUNCH_PROTECTED, 9) == 87


def test_change_failure_actions_keeps_omitted_parts(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    assert sim.query_failure_actions(handle).actions == ()
    sim.change_failure_actions(handle, FailureActionsRow(60, "m", "c", ((1, 5), (3, 0))))
    sim.change_failure_actions(handle, FailureActionsRow(9, None, None, None))
    assert sim.query_failure_actions(handle) == (60, "m", "c", ((1, 5), (3, 0)))
    sim.change_failure_actions(handle, FailureActionsRow(9, "", "", None))
    assert sim.query_failure_actions(handle)[:3] == (60, None, None)
    sim.change_failure_actions(handle, FailureActionsRow(9, None, None, ()))
    assert sim.query_failure_actions(handle) == (0, None, None, ())
    unknown = FailureActionsRow(0, None, None, ((4, 0),))
    assert code_of(sim.change_failure_actions, handle, unknown) == 87


def test_restart_action_without_start_right_is_refused(sim: SimulatedSCM) -> None:
    row = FailureActionsRow(0, None, None, ((1, 0),))
    assert code_of(sim.change_failure_actions, opened(sim, "beat", A.CHANGE_CONFIG), row) == 5
    assert sim["beat"].failure_actions.actions == ()
    handle = opened(sim, "beat", A.CHANGE_CONFIG | A.START)
    sim.change_failure_actions(handle, row)
    assert sim.query_failure_actions(opened(sim, "beat")).actions == ((1, 0),)


def test_change_triggers_clearing_absent_triggers_is_refused(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    rows = [TriggerRow(2, 1, b"x" * 16, ())]
    assert code_of(sim.change_triggers, handle, []) == 87
    sim.change_triggers(handle, rows)
    assert sim.query_triggers(handle) == tuple(rows)
    sim.change_triggers(handle, [])
    assert sim.query_triggers(handle) == ()


def test_preferred_node_unset_or_out_of_range_is_refused(sim: SimulatedSCM) -> None:
    sim.local.numa_nodes = 2
    handle = opened(sim, "beat")
    assert code_of(sim.query_preferred_node, handle) == 87
    assert code_of(sim.change_preferred_node, handle, PreferredNodeRow(2, False)) == 87
    sim.change_preferred_node(handle, PreferredNodeRow(1, False))
    assert sim.query_preferred_node(handle) == (1, False)
    sim.change_preferred_node(handle, PreferredNodeRow(0, True))
    assert code_of(sim.query_preferred_node, handle) == 87


MARKED: list[Callable[[SimulatedSCM, int], object]] = [
    lambda sim, handle: change(sim, handle, display="x"),
    lambda sim, handle: sim.change_description(handle, "x"),
    lambda sim, handle: sim.change_config_number(handle, 3, 1),
    lambda sim, handle: sim.change_required_privileges(handle, ()),
    lambda sim, handle: sim.change_triggers(handle, [TriggerRow(2, 1, None, ())]),
    lambda sim, handle: sim.change_preferred_node(handle, PreferredNodeRow(0, False)),
    lambda sim, handle: sim.change_failure_actions(handle, FailureActionsRow(0, None, "x", None)),
]


@pytest.mark.parametrize("call", MARKED)
def test_change_of_service_marked_for_deletion_is_refused(
    sim: SimulatedSCM, call: Callable[[SimulatedSCM, int], object]
) -> None:
    handle = opened(sim, "beat")
    call(sim, handle)
    before = sim.query_service_config(handle)
    sim.delete_service(handle)
    assert code_of(call, sim, handle) == 1072
    assert sim.query_service_config(handle) == before
