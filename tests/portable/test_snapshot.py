"""Snapshots of a service on a scripted backend."""

from __future__ import annotations

import pytest
from recorder import Recorder, opened

from winsvc import HandleClosedError, UnsupportedError
from winsvc.errors import win32_error


def test_snapshot_with_unreadable_settings_keeps_errors_and_values() -> None:
    recorder = Recorder(
        query_triggers=win32_error(124, "QueryServiceConfig2W"),
        query_service_object_security=win32_error(5, "QueryServiceObjectSecurity"),
        query_required_privileges=("SeBackupPrivilege",),
        query_description="A beat",
    )
    with opened(recorder) as service:
        snapshot = service.snapshot()
    assert snapshot.description == "A beat"
    assert snapshot.triggers is None
    assert set(snapshot.errors) == {"triggers", "security"}
    assert isinstance(snapshot.errors["triggers"], UnsupportedError)
    exported = snapshot.to_json()
    assert exported["errors"] == {
        "triggers": {
            "winerror": 124,
            "function": "QueryServiceConfig2W",
            "message": "Invalid level",
        },
        "security": {
            "winerror": 5,
            "function": "QueryServiceObjectSecurity",
            "message": "Access denied",
            "hint": "Needed: ServiceAccess.READ_CONTROL.",
        },
    }
    assert "not readable  triggers: Invalid level (error 124)" in snapshot.describe()


def test_snapshots_of_unchanged_service_compare_equal() -> None:
    recorder = Recorder(query_triggers=win32_error(124, "QueryServiceConfig2W"))
    recorder.answers["query_service_object_security"] = b"no descriptor"
    with opened(recorder) as service:
        first, second = service.snapshot(), service.snapshot()
    assert first == second
    assert set(first.errors) == {"triggers", "security"}


def test_snapshot_of_closed_service_raises_handle_closed() -> None:
    service = opened(Recorder())
    service.close()
    with pytest.raises(HandleClosedError):
        service.snapshot()
