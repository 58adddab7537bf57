"""Methods of ServiceManager on a scripted backend: enumeration, lookup, lock, errors."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import timedelta

import pytest
from recorder import STOPPED, Recorder

from winsvc import (
    ArgumentError,
    HandleClosedError,
    InvalidArgumentError,
    Service,
    ServiceError,
    ServiceManager,
    Trigger,
    UnsupportedError,
)
from winsvc._values.rows import EnumRow, LockRow
from winsvc.errors import service_error


def test_a_machine_that_is_not_there() -> None:
    recorder = Recorder(open_sc_manager=service_error(1722, "OpenSCManagerW"))
    with pytest.raises(ConnectionError, match=r"failed on nowhere: .*1722") as caught:
        ServiceManager("nowhere", backend=recorder.backend)
    assert isinstance(caught.value, ServiceError)
    assert caught.value.machine == "nowhere"
    gc.collect()  # nothing was opened, nothing is to be warned of


def test_the_lock() -> None:
    recorder = Recorder(lock_service_database=0xABC)
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(ZeroDivisionError), scm.lock():
            _ = 1 / len(recorder.called("unlock_service_database"))
        assert recorder.called("unlock_service_database") == [(0xABC,)]
        assert scm.lock_status().owner is None
        recorder.answers["query_service_lock_status"] = LockRow(1, r"ME\me", 7)
        assert scm.lock_status().owner == r"ME\me"
        assert scm.lock_status().duration == timedelta(seconds=7)


def test_services_of_a_process() -> None:
    rows = [
        EnumRow("a", "A", STOPPED._replace(process_id=7, current_state=4)),
        EnumRow("b", "B", STOPPED._replace(process_id=8, current_state=4)),
        EnumRow("c", "C", STOPPED._replace(process_id=7, current_state=4)),
    ]
    recorder = Recorder(enum_services_status_ex=(rows, 0))
    with ServiceManager(backend=recorder.backend) as scm:
        assert [info.name for info in scm.by_pid(7)] == ["a", "c"]
        assert scm.by_pid(9) == []
        with pytest.raises(ArgumentError, match="pid"):
            scm.by_pid(0)


def test_pages_are_asked_for_as_they_are_used() -> None:
    pages = {
        0: ([EnumRow("a", "A", STOPPED)], 5),
        5: ([], 6),
        6: ([EnumRow("b", None, STOPPED)], 0),
    }
    recorder = Recorder(enum_services_status_ex=lambda *arguments: pages[arguments[-1]])
    with ServiceManager(backend=recorder.backend) as scm:
        services = scm.services()
        assert next(services).name == "a"
        assert len(recorder.called("enum_services_status_ex")) == 1
        assert [info.display_name for info in services] == ["b"]


def test_existence_does_not_need_rights() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        assert "x" in scm
        recorder.answers["open_service"] = service_error(5, "OpenServiceW")
        assert "x" in scm
        recorder.answers["open_service"] = service_error(1060, "OpenServiceW")
        assert "x" not in scm
        assert 5 not in scm
        recorder.answers["open_service"] = service_error(1722, "OpenServiceW")
        with pytest.raises(ConnectionError):
            scm.exists("x")


def test_get_gives_the_name_as_it_is_stored() -> None:
    recorder = Recorder(get_service_display_name="Print", get_service_key_name="Spooler")
    with ServiceManager(backend=recorder.backend) as scm:
        assert scm.get("SPOOLER").name == "Spooler"
        recorder.answers["get_service_key_name"] = "Other"  # two services share the display name
        assert scm.get("SPOOLER").name == "SPOOLER"


def test_errors_name_service_and_machine_everywhere() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        recorder.answers["open_service"] = service_error(1722, "OpenServiceW")
        for question in (scm.exists, scm.open, scm.get, scm.delete):
            with pytest.raises(ConnectionError, match="for 'x' on build07"):
                question("x")
        recorder.answers["open_service"] = service_error(123, "OpenServiceW")
        assert "a/b" not in scm
        recorder.answers["enum_services_status_ex"] = service_error(1060, "EnumServicesStatusExW")
        with pytest.raises(LookupError, match="no load-order group 'G'"):
            list(scm.services(group="G"))


def test_a_remote_manager_does_not_restart_this_machine() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        with pytest.raises(UnsupportedError, match="own machine alone"):
            scm.notify_boot_config_status(False)
    with pytest.raises(HandleClosedError):
        scm.notify_boot_config_status(False)
    assert not recorder.called("notify_boot_config_status")


def test_wrong_arguments() -> None:
    recorder = Recorder(enum_services_status_ex=([], 0))
    wrong: list[Callable[[ServiceManager, Service], object]] = [
        lambda scm, service: scm.services(state="running"),  # type: ignore[arg-type]
        lambda scm, service: scm.services(state={"running"}),  # type: ignore[arg-type]
        lambda scm, service: scm.services(type="win32"),  # type: ignore[arg-type]
        lambda scm, service: scm.by_pid("7"),  # type: ignore[arg-type]
        lambda scm, service: scm.create(None),  # type: ignore[arg-type]
        lambda scm, service: scm.create(b"x", "y.exe"),  # type: ignore[arg-type]
        lambda scm, service: scm.open("x", access="all"),  # type: ignore[arg-type]
        lambda scm, service: service.stop(30),  # type: ignore[arg-type]
        lambda scm, service: service.stop("maintenance"),  # type: ignore[arg-type]
        lambda scm, service: service.control(True),
        lambda scm, service: service.control("STOP"),  # type: ignore[arg-type]
        lambda scm, service: service.control(200.5),  # type: ignore[arg-type]
        lambda scm, service: service.security("DACL"),  # type: ignore[arg-type]
        lambda scm, service: service.set_security(5),  # type: ignore[arg-type]
        lambda scm, service: Trigger(1, 1, "guid"),  # type: ignore[arg-type]
    ]
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        for call in wrong:
            with pytest.raises(TypeError):
                call(scm, service)
        with pytest.raises(ArgumentError, match="access"):
            scm.open("x", access=-1)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="type"):
            scm.services(type=-1)  # type: ignore[arg-type]
    assert not recorder.called("control_service")


def test_the_first_error_counts() -> None:
    recorder = Recorder(
        change_config_number=service_error(87, "ChangeServiceConfig2W"),
        delete_service=service_error(5, "DeleteService"),
    )
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(InvalidArgumentError, match="could not be deleted"):
            scm.create("x", "x.exe", delayed_auto_start=True)
    recorder = Recorder(
        lock_service_database=1,
        unlock_service_database=service_error(1071, "UnlockServiceDatabase"),
    )
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(ZeroDivisionError):
        with scm.lock():
            _ = 1 / len(recorder.called("unlock_service_database"))
    recorder = Recorder(close_service_handle=service_error(6, "CloseServiceHandle"))
    with pytest.raises(ZeroDivisionError), ServiceManager(backend=recorder.backend):
        _ = 1 / 0
