"""Test reading the description of a simulated machine."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from snapshot_values import ODD, SDDL

from winsvc._values.account import Secret
from winsvc._values.config import UNCHANGED, FailureActions
from winsvc._values.dependency import GroupDependency, ServiceDependency
from winsvc._values.settings import ServiceSpec, Settings
from winsvc._values.snapshot import ServiceSnapshot, unreadable
from winsvc.enums import (
    AcceptedControls,
    ErrorControl,
    LaunchProtection,
    ServiceType,
    SidType,
    StartType,
    State,
    TriggerAction,
    TriggerType,
)
from winsvc.errors import ValidationError, win32_error
from winsvc.security import SecurityDescriptor, Sid
from winsvc.testing import service_fixture as module
from winsvc.testing.service_fixture import ServiceFixture, read_document
from winsvc.triggers import Trigger


def document(*snapshots: ServiceSnapshot) -> dict[str, Any]:
    written = {"winsvc": 1, "machine": None, "services": [each.to_json() for each in snapshots]}
    read: dict[str, Any] = json.loads(json.dumps(written))
    return read


def read_service(given: dict[str, Any]) -> ServiceFixture:
    machine, (seed,) = read_document({"services": {"beat": given}})
    assert machine is None
    return seed


def test_read_document_keeps_unusual_snapshot_values() -> None:
    assert ODD.config is not None
    assert ODD.security is not None
    _, (seed,) = read_document(document(ODD))
    assert seed == ServiceFixture(
        spec=ServiceSpec(
            name="odd",
            service_type=ServiceType(0x80000010),
            start_type=StartType(77),
            error_control=ErrorControl(9),
            binary_path=ODD.config.binary_path,
            load_order_group="Base",
            dependencies=ODD.config.dependencies,
            account="",
            display_name=ODD.config.display_name,
            description="",
            failure_actions=ODD.failure_actions,
            failure_actions_on_error=True,
            delayed_auto_start=False,
            sid_type=SidType(2),
            required_privileges=(),
            preshutdown_timeout=timedelta(milliseconds=0xFFFFFFFF),
            triggers=ODD.triggers,
            launch_protection=LaunchProtection.NONE,
            security=ODD.security,
        ),
        state=State.RUNNING,
        controls_accepted=AcceptedControls(0),
        exit_code=0,
        service_exit_code=3,
        pid=1200,
        tag=12,
    )


def test_read_document_unreadable_settings_take_defaults() -> None:
    closed = unreadable("shut", None, ODD.status, win32_error(5, "OpenServiceW"))
    hidden = unreadable("hidden", None, None, win32_error(5, "OpenServiceW"))
    _, (shut, other) = read_document(document(closed, hidden))
    # The status contains at least the service type.
    assert shut.spec == ServiceSpec(name="shut", service_type=ServiceType(0x80000130))
    assert (shut.state, shut.pid) == (State.RUNNING, 1200)
    assert other == ServiceFixture(spec=ServiceSpec(name="hidden"))


def test_read_document_inactive_service_drops_accepted_controls() -> None:
    assert ODD.status is not None
    for state in (State.STOPPED, State.START_PENDING):
        status = replace(ODD.status, state=state, pid=None, exit_code=5)
        _, (seed,) = read_document(document(replace(ODD, status=status)))
        assert (seed.state, seed.controls_accepted, seed.exit_code) == (state, None, 5)


def test_read_document_snapshot_from_wine_drops_security() -> None:
    wine = SecurityDescriptor.from_bytes(
        bytes.fromhex("01000c80000000000000000000000000140000000200080000000000")
    )
    _, (seed,) = read_document(document(replace(ODD, security=wine)))
    assert seed.spec.security is UNCHANGED
    for shut in (replace(wine, owner=Sid.parse("SY")), SecurityDescriptor.from_sddl("D:")):
        _, (seed,) = read_document(document(replace(ODD, security=shut)))
        assert seed.spec.security == shut
    assert read_service({"security": wine}).spec.security == wine  # by hand it is meant


def test_read_document_parses_settings_given_as_json() -> None:
    seed = read_service(
        {
            "binary_path": "C:\\x.exe",
            "service_type": ["share_process", "interactive_process"],
            "start_type": "automatic",
            "dependencies": ["RpcSs", "+NetGroup"],
            "state": "paused",
            "controls_accepted": ["stop", "pause_continue"],
            "failure_actions": {"actions": [{"type": "restart", "delay": 1.5}]},
            "preshutdown_timeout": 20,
            "security": SDDL,
            "password": "hunter2",
            "triggers": [{"type": "DOMAIN_JOIN", "action": "SERVICE_START"}],
            "pid": 12,
            "tag": 3,
        }
    )
    assert seed.spec == ServiceSpec(
        name="beat",
        binary_path="C:\\x.exe",
        service_type=ServiceType.SHARE_PROCESS | ServiceType.INTERACTIVE_PROCESS,
        start_type=StartType.AUTOMATIC,
        dependencies=[ServiceDependency("RpcSs"), GroupDependency("NetGroup")],
        failure_actions=FailureActions.restart(after=[1.5], reset_after=0),
        preshutdown_timeout=timedelta(seconds=20),
        security=SecurityDescriptor.from_sddl(SDDL),
        password=Secret("hunter2"),
        triggers=[Trigger(TriggerType.DOMAIN_JOIN, TriggerAction.SERVICE_START)],
    )
    assert (seed.state, seed.pid, seed.tag) == (State.PAUSED, 12, 3)
    assert seed.controls_accepted == AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
    assert "hunter2" not in repr(seed)


def test_read_document_accepts_settings_as_python_objects() -> None:
    given: dict[str, Any] = {
        "service_type": ServiceType.DRIVER,
        "start_type": StartType.BOOT,
        "dependencies": (ServiceDependency("a"), "+b"),
        "failure_actions": FailureActions.restart(),
        "preshutdown_timeout": timedelta(seconds=1),
        "security": SecurityDescriptor.from_sddl(SDDL),
        "password": Secret("x"),
        "triggers": (Trigger.on_ip_available(),),
        "preferred_node": None,
        "description": None,
        "state": State.RUNNING,
    }
    seed = read_service(given)
    expected = {**given, "dependencies": (ServiceDependency("a"), GroupDependency("b"))}
    assert seed.spec.given() == {key: expected[key] for key in given if key != "state"}
    raw = SecurityDescriptor.from_sddl(SDDL).to_bytes()
    assert read_service({"security": raw}).spec.security == seed.spec.security


def test_read_document_name_only_returns_default_seed() -> None:
    assert read_service({}) == ServiceFixture(spec=ServiceSpec(name="beat"))
    assert read_service({}).exit_code == 1077
    assert read_service({"state": "running"}).exit_code == 0
    assert read_service({"exit_code": 5}).exit_code == 5
    assert read_service({}).spec.start_type is UNCHANGED
    assert read_service({"name": "beat"}) == read_service({})


def test_seed_readers_cover_every_setting() -> None:
    assert set(module._SETTINGS) == {field.name for field in fields(Settings)}
    assert set(module._STATE) == {field.name for field in fields(ServiceFixture)} - {"spec"}


@pytest.mark.parametrize(
    ("services", "error", "expected"),
    [
        ({"beat": {"start_type": "x"}}, ValidationError, 'services["beat"].start_type: '),
        ([{"name": "beat", "start_type": "x"}], ValidationError, 'services["beat"].start_type: '),
        ({"b\n": {"odd": 1}}, ValidationError, 'services["b\\n"].odd: unknown setting'),
        ({"beat": {"errors": {}}}, ValidationError, 'services["beat"].errors: unknown setting'),
        (
            {"beat": {"start-typ": "boot"}},
            ValidationError,
            "services[\"beat\"].start-typ: unknown setting (did you mean 'start_type'?)",
        ),
        ({"beat": {"start_type": None}}, TypeError, 'services["beat"].start_type: expected the'),
        (
            {"beat": {"config": {"start_type": []}}},
            TypeError,
            'services["beat"].config.start_type: expected the name of a StartType member, not list',
        ),
        (
            {"beat": {"config": {"odd": 1}}},
            ValidationError,
            'services["beat"].config.odd: unknown setting',
        ),
        ({"beat": {"status": {"state": 1.5}}}, TypeError, 'services["beat"].status.state: '),
        ({"beat": {"status": []}}, TypeError, 'services["beat"].status: expected a mapping'),
        (
            {"beat": {"failure_actions": {"actions": [{"type": "later"}]}}},
            ValidationError,
            'services["beat"].failure_actions.actions[0].type: ',
        ),
        ({"beat": {"security": "D:(x"}}, ValidationError, 'services["beat"].security: '),
        ({"beat": {"dependencies": "RpcSs"}}, TypeError, 'services["beat"].dependencies: '),
        (
            {"beat": {"dependencies": ["a", ""]}},
            ValidationError,
            'services["beat"].dependencies[1]',
        ),
        ({"beat": {"password": 5}}, TypeError, 'services["beat"].password: expected str'),
        (
            {"beat": {"name": "other"}},
            ValidationError,
            "services[\"beat\"].name: 'other' is not the key",
        ),
        ({"beat": None}, TypeError, 'services["beat"]: expected a mapping, not None'),
        ({"a": {}, "A": {}}, ValidationError, "services[\"A\"].name: 'A' is a duplicate name"),
        ({"A": {}, "a": {}}, ValidationError, "services[\"a\"].name: 'a' is a duplicate name"),
        ({"a/b": {}}, ValidationError, 'services["a/b"].name: '),
        ([{}], ValidationError, "services[0].name: is missing"),
        ([{"name": "a"}, 5], TypeError, "services[1]: expected a mapping, not int"),
        ([{"name": 5}], TypeError, "services[0].name: expected str"),
        ("beat", TypeError, "services: expected a list, not str"),
        (None, TypeError, "services: expected a list, not None"),
    ],
)
def test_read_document_invalid_service_raises_with_path(
    services: Any, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error) as caught:
        read_document({"services": services})
    assert str(caught.value).startswith(expected)


@pytest.mark.parametrize(
    ("change", "error", "expected"),
    [
        ({"winsvc": 2}, ValidationError, "winsvc: expected version 1 of a document, not 2"),
        ({"machine": 5}, TypeError, "machine: expected str, not int"),
        (
            {"service": []},
            ValidationError,
            "service: unknown field of a document (did you mean 'services'?)",
        ),
    ],
)
def test_read_document_invalid_document_raises(
    change: Any, error: type[Exception], expected: str
) -> None:
    with pytest.raises(error) as caught:
        read_document({"services": [], **change})
    assert str(caught.value) == expected
    with pytest.raises(ValidationError, match="services: is missing"):
        read_document({})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_read_document_reads_utf8_and_utf16_files(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "machine.json"
    text = json.dumps({**document(ODD), "machine": "bü"}, ensure_ascii=False)
    path.write_text(text, encoding)
    machine, seeds = read_document(path)
    assert machine == "bü"
    assert seeds == read_document(document(ODD))[1]
    assert read_document(str(path)) == (machine, seeds)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe{", b"\x80", b"[" * 200_000])
def test_read_document_invalid_json_file_raises(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "machine.json"
    path.write_bytes(content)
    with pytest.raises(ValidationError) as caught:
        read_document(path)
    assert caught.value.argument == str(path)


def test_read_document_wrong_or_missing_file_raises(tmp_path: Path) -> None:
    path = tmp_path / "machine.json"
    path.write_text("[1]")
    with pytest.raises(TypeError, match="the document: expected a mapping, not list"):
        read_document(path)
    with pytest.raises(FileNotFoundError):
        read_document(tmp_path / "none.json")
