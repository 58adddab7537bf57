"""Methods of ServiceManager on a scripted backend: enumeration, lookup, errors."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from datetime import timedelta

import pytest
from recorder import STOPPED, Recorder

from winsvc import (
    HandleClosedError,
    InvalidNameError,
    ServiceManager,
    UnsupportedError,
    ValidationError,
    Win32Error,
)
from winsvc._values.rows import EnumRow, LockRow
from winsvc.errors import win32_error


class BodyError(Exception):
    """Raised in the body of a with block."""


def test_manager_of_unreachable_machine_raises_connection_error() -> None:
    recorder = Recorder(open_sc_manager=win32_error(1722, "OpenSCManagerW"))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(ConnectionError, match=r"failed on nowhere: .*1722") as caught:
            ServiceManager("nowhere", backend=recorder.backend)
        assert isinstance(caught.value, Win32Error)
        assert caught.value.machine == "nowhere"
        del caught
        gc.collect()
    assert not recorder.open
    assert warned == []


def test_lock_status_returns_owner_and_duration() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        assert scm.lock_status().owner is None
        recorder.answers["query_service_lock_status"] = LockRow(1, r"ME\me", 7)
        assert scm.lock_status().owner == r"ME\me"
        assert scm.lock_status().duration == timedelta(seconds=7)


def test_services_in_process_returns_services_of_process() -> None:
    rows = [
        EnumRow("a", "A", STOPPED._replace(process_id=7, current_state=4)),
        EnumRow("b", "B", STOPPED._replace(process_id=8, current_state=4)),
        EnumRow("c", "C", STOPPED._replace(process_id=7, current_state=4)),
    ]
    recorder = Recorder(enum_services_status_ex=(rows, 0))
    with ServiceManager(backend=recorder.backend) as scm:
        assert [info.name for info in scm.services_in_process(7)] == ["a", "c"]
        assert scm.services_in_process(9) == []
        with pytest.raises(ValidationError, match="pid"):
            scm.services_in_process(0)


def test_services_fetches_pages_on_demand() -> None:
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
    assert [call.resume for call in recorder.called("enum_services_status_ex")] == [0, 5, 6]


def test_exists_with_access_denied_returns_true() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        assert scm.exists("x")
        recorder.answers["open_service"] = win32_error(5, "OpenServiceW")
        assert scm.exists("x")
        recorder.answers["open_service"] = win32_error(1060, "OpenServiceW")
        assert not scm.exists("x")
        recorder.answers["open_service"] = win32_error(1722, "OpenServiceW")
        with pytest.raises(ConnectionError):
            scm.exists("x")


def test_info_returns_service_name_as_stored() -> None:
    recorder = Recorder(get_service_display_name="Print", get_service_key_name="Spooler")
    with ServiceManager(backend=recorder.backend) as scm:
        assert scm.info("SPOOLER").name == "Spooler"
        recorder.answers["get_service_key_name"] = "Other"  # two services share the display name
        assert scm.info("SPOOLER").name == "SPOOLER"


def test_manager_errors_name_service_and_machine() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        recorder.answers["open_service"] = win32_error(1722, "OpenServiceW")
        for question in (scm.exists, scm.open, scm.info, scm.delete):
            with pytest.raises(ConnectionError, match="for 'x' on build07"):
                question("x")
        recorder.answers["open_service"] = win32_error(123, "OpenServiceW")
        with pytest.raises(InvalidNameError, match="a/b"):
            scm.exists("a/b")
        recorder.answers["enum_services_status_ex"] = win32_error(1060, "EnumServicesStatusExW")
        with pytest.raises(LookupError, match="load-order group 'G' does not exist"):
            list(scm.services(group="G"))


def test_notify_boot_config_status_on_remote_manager_raises() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        with pytest.raises(UnsupportedError, match="local machine only"):
            scm.notify_boot_config_status(False)
    with pytest.raises(HandleClosedError):
        scm.notify_boot_config_status(False)
    assert not recorder.called("notify_boot_config_status")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda scm: scm.services(state="running"), "state"),
        (lambda scm: scm.services(state={"running"}), "state"),
        (lambda scm: scm.services(service_type="win32"), "service_type"),
        (lambda scm: scm.services_in_process("7"), "pid"),
        (lambda scm: scm.create(None), "spec"),
        (lambda scm: scm.create(b"x", "y.exe"), "spec"),
        (lambda scm: scm.open("x", access="all"), "access"),
    ],
)
def test_manager_argument_of_wrong_type_raises_type_error(
    call: Callable[[ServiceManager], object], argument: str
) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(TypeError, match=f"^{argument}"):
            call(scm)
    methods = [call.method for call in recorder.calls]
    assert methods == ["open_sc_manager", "close_service_handle"]


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda scm: scm.open("x", access=-1), "access"),
        (lambda scm: scm.services(service_type=-1), "service_type"),
    ],
)
def test_manager_argument_out_of_range_raises_argument_error(
    call: Callable[[ServiceManager], object], argument: str
) -> None:
    with ServiceManager(backend=Recorder().backend) as scm:
        with pytest.raises(ValidationError, match=f"^{argument}"):
            call(scm)


def test_manager_with_failing_close_raises_error_of_body() -> None:
    recorder = Recorder(close_service_handle=win32_error(6, "CloseServiceHandle"))
    with pytest.raises(BodyError), ServiceManager(backend=recorder.backend):
        raise BodyError
    assert len(recorder.called("close_service_handle")) == 1
