"""Creating and deleting services on a scripted backend."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from recorder import Recorder

from winsvc import (
    InvalidParameterError,
    ServiceAccess,
    ServiceManager,
    ServiceSpec,
    StartType,
    Trigger,
    ValidationError,
    Win32Error,
)
from winsvc.errors import win32_error
from winsvc.testing import SimulatedSCM


def test_create_from_spec_or_keywords_makes_same_calls() -> None:
    recorder, other = Recorder(), Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.exe", description="d", start_type=StartType.AUTOMATIC).close()
    with ServiceManager(backend=other.backend) as scm:
        spec = ServiceSpec(
            name="x", binary_path="x.exe", description="d", start_type=StartType.AUTOMATIC
        )
        scm.create(spec).close()
    assert recorder.calls == other.calls
    (call,) = recorder.called("create_service")
    assert call.values == {
        "manager": call.manager,
        "name": "x",
        "display_name": None,
        "access": ServiceAccess.ALL_ACCESS,
        "service_type": 0x10,
        "start_type": 2,
        "error_control": 1,
        "binary_path": "x.exe",
        "load_order_group": None,
        "assign_tag": False,
        "dependencies": None,
        "account": None,
        "password": None,
    }


def test_create_from_spec_and_settings_raises_type_error() -> None:
    spec = ServiceSpec(name="x", binary_path="x.exe")
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(TypeError, match="not both"):
            scm.create(spec, "y.exe")
    assert not recorder.called("create_service")


def test_create_with_failing_cleanup_raises_first_error() -> None:
    recorder = Recorder(
        change_config_number=win32_error(87, "ChangeServiceConfig2W"),
        delete_service=win32_error(5, "DeleteService"),
    )
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(InvalidParameterError, match="could not be deleted"):
            scm.create("x", "x.exe", delayed_auto_start=True)
    assert len(recorder.called("delete_service")) == 1
    assert not recorder.open


def test_create_with_boot_start_sends_start_type_zero() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.sys", start_type=StartType.BOOT).close()
    (call,) = recorder.called("create_service")
    assert call.start_type == 0


def test_delete_with_timeout_waits_until_service_not_found() -> None:
    answers: Iterator[int | Win32Error] = iter([0x1, 0x2, win32_error(1060, "OpenServiceW")])

    def open_service(*arguments: object) -> int:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        service = scm.open("x", access=ServiceAccess.DELETE)
        recorder.answers["open_service"] = open_service
        service.delete(wait=True, timeout=60)
        assert service.closed
    assert len(recorder.called("open_service")) == 4
    assert [call.timeout for call in recorder.called("wait_notified")] == [0.001, 0.002]


def test_spec_built_from_iterators_can_be_reused() -> None:
    spec = ServiceSpec(
        name="x",
        binary_path="x.exe",
        dependencies=(name for name in ["RpcSs"]),
        required_privileges=iter(["SeBackupPrivilege"]),
        triggers=[Trigger.on_ip_available()],
    )
    for _ in range(2):
        recorder = Recorder()
        with ServiceManager(backend=recorder.backend) as scm:
            scm.create(spec).close()
        (creation,) = recorder.called("create_service")
        assert creation.dependencies == ["RpcSs"]
        (change,) = recorder.called("change_required_privileges")
        assert change.privileges == ["SeBackupPrivilege"]
        (change,) = recorder.called("change_triggers")
        assert [row.trigger_type for row in change.triggers] == [Trigger.on_ip_available().type]
    assert hash(spec) == hash(replace(spec))


def test_create_with_password_without_account_raises_validation_error() -> None:
    sim = SimulatedSCM()
    with (
        ServiceManager(backend=sim) as scm,
        pytest.raises(ValidationError, match="password: LocalSystem has no password; specify"),
    ):
        scm.create("beat", r"C:\beat.exe", password="secret")
    assert "beat" not in sim
