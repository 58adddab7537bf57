"""The published JSON Schema describes every export, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from snapshot_values import ODD, rich, snapshots

from winsvc import ServiceManager, ServiceSnapshot, cli
from winsvc._values.export_schema import export_schema
from winsvc._values.snapshot import FORMAT, unreadable
from winsvc.errors import win32_error
from winsvc.testing import SimulatedSCM

PROJECT = Path(__file__).parent.parent.parent
PUBLISHED = PROJECT / "docs" / "schemas" / f"export-{FORMAT}.schema.json"
SCHEMA = json.loads(PUBLISHED.read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def document(*snapshots: ServiceSnapshot) -> Any:
    services = [snapshot.to_json() for snapshot in snapshots]
    return json.loads(json.dumps({"winsvc": FORMAT, "machine": None, "services": services}))


def test_published_schema_is_up_to_date() -> None:
    command = [sys.executable, str(PROJECT / "tools" / "schemagen.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_schema_is_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert export_schema() == SCHEMA


@given(snapshots)
def test_schema_accepts_every_snapshot(snapshot: ServiceSnapshot) -> None:
    VALIDATOR.validate(document(snapshot))


def test_schema_accepts_unusual_and_unreadable_services() -> None:
    denied = unreadable("shut", "m", None, win32_error(5, "OpenServiceW", hint="Be patient."))
    VALIDATOR.validate(document(ODD, denied))


@pytest.mark.parametrize("arguments", [[], ["--service", "rich"]])
def test_export_of_simulated_system_matches_schema(
    arguments: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    simulated = SimulatedSCM()
    with ServiceManager(backend=simulated) as scm:
        rich(scm).close()
    monkeypatch.setattr("winsvc.backend._in_use", [simulated])
    assert cli.main(["export", *arguments]) == 0
    exported = json.loads(capsys.readouterr().out)
    assert "rich" in [service["name"] for service in exported["services"]]
    VALIDATOR.validate(exported)


def test_export_schema_option_prints_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["export", "--schema"]) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


def change(path: list[str | int], value: object) -> Any:
    changed = document(ODD)
    part = changed
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["winsvc"], 2),
        (["extra"], 1),
        (["services", 0, "name"], None),
        (["services", 0, "status", "state"], "RUNNING"),
        (["services", 0, "status", "state"], 4),
        (["services", 0, "status", "exit_code"], -1),
        (["services", 0, "config", "start_type"], "automatc"),
        (["services", 0, "config", "service_type"], ["own_process", "win32"]),
        (["services", 0, "config", "odd"], 1),
        (["services", 0, "security"], {"hex": ""}),
        (["services", 0, "triggers", 0, "data", 0, "raw"], "0"),
        (["services", 0, "errors"], {"config": {"winerror": 5}}),
    ],
    ids=str,
)
def test_schema_refuses_other_spellings(path: list[str | int], value: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(change(path, value))
