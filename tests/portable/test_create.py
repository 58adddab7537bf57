"""Creating and deleting services on a scripted backend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from recorder import Recorder

from winsvc import (
    InvalidArgumentError,
    ServiceAccess,
    ServiceError,
    ServiceManager,
    ServiceSpec,
    StartType,
    Trigger,
    WaitTimeoutError,
)
from winsvc.errors import service_error


def test_create_from_a_spec_or_keywords_is_the_same() -> None:
    one, other = Recorder(), Recorder()
    with ServiceManager(backend=one.backend) as scm:
        scm.create("x", "x.exe", description="d", start_type=StartType.AUTOMATIC).close()
    with ServiceManager(backend=other.backend) as scm:
        spec = ServiceSpec(
            name="x", binary_path="x.exe", description="d", start_type=StartType.AUTOMATIC
        )
        scm.create(spec).close()
    assert one.calls == other.calls
    assert one.called("create_service")[0][1:] == (
        *("x", None, ServiceAccess.ALL_ACCESS, 0x10, 2, 1, "x.exe"),
        *(None, False, None, None, None),
    )
    with ServiceManager(backend=one.backend) as scm, pytest.raises(TypeError, match="not both"):
        scm.create(spec, "y.exe")


def test_a_new_service_that_can_t_be_finished_is_removed() -> None:
    recorder = Recorder(change_config_number=service_error(87, "ChangeServiceConfig2W"))
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(InvalidArgumentError):
        scm.create("x", "x.exe", description="d", delayed_auto_start=True)
    assert recorder.called("delete_service")
    assert not recorder.open


def test_a_new_driver_that_starts_at_boot() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.sys", start_type=StartType.BOOT).close()
    assert recorder.called("create_service")[0][5] == 0


def test_deleting_waits_until_it_is_gone() -> None:
    answers: Iterator[int | ServiceError] = iter([0x1, 0x2, service_error(1060, "OpenServiceW")])

    def open_service(*arguments: object) -> int:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        service = scm.open("x", access=ServiceAccess.DELETE)
        recorder.answers["open_service"] = open_service
        service.delete(timeout=60)
        assert service.closed
    assert len(recorder.called("open_service")) == 4


def test_deleting_what_stays() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(WaitTimeoutError) as caught:
        scm.delete("x", timeout=0)
    assert isinstance(caught.value, TimeoutError)
    assert "a handle to it is open somewhere" in str(caught.value)
    assert not recorder.open


def test_a_spec_may_be_used_twice() -> None:
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
        assert recorder.called("create_service")[0][10] == ["RpcSs"]
        assert recorder.called("change_required_privileges")[0][1] == ["SeBackupPrivilege"]
        assert len(recorder.called("change_triggers")[0][1]) == 1  # type: ignore[arg-type]
    assert hash(spec)
