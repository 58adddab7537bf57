"""Failure actions: their parts, durations and rights."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from recorder import Recorder, opened

from winsvc import AccessDeniedError, FailureAction, FailureActions, ServiceAccess, ValidationError
from winsvc._values.rows import FailureActionsRow
from winsvc.errors import win32_error

NO_CHANGE = 0xFFFFFFFF
RESTARTS = FailureActions.restart(after=(5, 30.5), reset_after=timedelta(days=1))


def sent(recorder: Recorder) -> list[FailureActionsRow]:
    return [call.row for call in recorder.called("change_failure_actions")]


def test_configure_restart_action_requests_start_right() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(failure_actions=RESTARTS)
    assert sent(recorder) == [FailureActionsRow(86400, "", "", ((1, 5000), (1, 30500)))]
    assert recorder.called("open_service")[-1].access & ServiceAccess.START


def test_configure_failure_actions_none_clears_all_parts() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(failure_actions=None)
    assert sent(recorder) == [FailureActionsRow(0, "", "", ())]
    assert not recorder.called("open_service")[-1].access & ServiceAccess.START


def test_failure_actions_of_wrong_type_raise_type_error() -> None:
    for wrong in (None, [FailureAction.restart()], "restart", (1,)):
        with pytest.raises(TypeError, match="actions"):
            FailureActions(actions=wrong)  # type: ignore[arg-type]


def test_configure_with_replaced_part_keeps_other_failure_actions() -> None:
    before = FailureActionsRow(3600, "soon", "cmd", ((2, 1000),))
    recorder = Recorder(query_failure_actions=before)
    with opened(recorder) as service:
        actions = service.failure_actions()
        service.configure(failure_actions=replace(actions, command="other"))
        service.configure(failure_actions=replace(actions, reset_after=None))
    assert sent(recorder) == [
        FailureActionsRow(3600, "soon", "other", ((2, 1000),)),
        FailureActionsRow(NO_CHANGE, "soon", "cmd", ((2, 1000),)),
    ]


def test_failure_action_delay_over_maximum_raises() -> None:
    longest = timedelta(milliseconds=NO_CHANGE)
    actions = FailureActions(actions=(FailureAction.restart(longest),), reset_after=None)
    row = FailureActionsRow(NO_CHANGE, "", "", ((1, NO_CHANGE),))
    assert actions.to_row() == row
    assert FailureActions.from_row(row) == actions
    with pytest.raises(ValidationError, match=r"actions\[0\].delay: must be at most"):
        FailureActions(
            actions=(FailureAction.restart(longest + timedelta(milliseconds=1)),)
        ).to_row()


@pytest.mark.parametrize(
    ("delay", "error"),
    [
        (-1, ValidationError),
        (float("nan"), ValidationError),
        (float("inf"), ValidationError),
        (1e300, ValidationError),
        ("5", TypeError),
    ],
)
def test_failure_action_invalid_delay_raises(delay: float, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^delay: "):
        FailureAction.restart(delay)


def test_failure_actions_queried_with_nulls_can_be_set() -> None:
    row = FailureActionsRow(NO_CHANGE, None, None, None)
    recorder = Recorder(query_failure_actions=row)
    with opened(recorder) as service:
        service.configure(failure_actions=service.failure_actions())
    assert sent(recorder) == [FailureActionsRow(NO_CHANGE, "", "", ())]


def test_reboot_action_access_denied_names_shutdown_privilege() -> None:
    recorder = Recorder(change_failure_actions=win32_error(5, "ChangeServiceConfig2W"))
    with opened(recorder) as service, pytest.raises(AccessDeniedError, match="SeShutdownPrivilege"):
        service.configure(failure_actions=FailureActions(actions=(FailureAction.reboot(60),)))
