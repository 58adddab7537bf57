"""Starting and controlling a service on a scripted backend."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recorder import STOPPED, Recorder, opened

from winsvc import (
    Control,
    DependentServicesRunningError,
    Service,
    ServiceAccess,
    ServiceStartError,
    ServiceStatus,
    State,
    StateFilter,
    StopMajor,
    StopMinor,
    StopReason,
    ValidationError,
)
from winsvc._values.rows import EnumRow, StatusRow
from winsvc._values.stopreason import StopFlag
from winsvc.errors import win32_error


@pytest.mark.parametrize(
    ("send", "code", "right"),
    [
        (lambda service: service.stop(wait=False), 1, ServiceAccess.STOP),
        (lambda service: service.pause(wait=False), 2, ServiceAccess.PAUSE_CONTINUE),
        (lambda service: service.resume(wait=False), 3, ServiceAccess.PAUSE_CONTINUE),
        (Service.interrogate, 4, ServiceAccess.INTERROGATE),
        (lambda service: service.control(128), 128, ServiceAccess.USER_DEFINED_CONTROL),
        (lambda service: service.control(255), 255, ServiceAccess.USER_DEFINED_CONTROL),
        (lambda service: service.control(Control.PARAM_CHANGE), 6, ServiceAccess.PAUSE_CONTINUE),
    ],
)
def test_control_sends_code_with_needed_right(
    send: Callable[[Service], ServiceStatus], code: int, right: ServiceAccess
) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        assert send(service).state is State.STOPPED
    (call,) = recorder.called("control_service")
    assert call.control == code
    reading = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
    assert [call.access for call in recorder.called("open_service")] == [reading, reading | right]


@pytest.mark.parametrize("code", [0, 5, 11, 15, 127, 256])
def test_control_with_reserved_code_raises_argument_error(code: int) -> None:
    recorder = Recorder()
    with opened(recorder) as service, pytest.raises(ValidationError, match="128 to 255"):
        service.control(code)
    assert not recorder.called("control_service")


def test_stop_with_reason_calls_control_service_ex() -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "new version")
    recorder = Recorder()
    with opened(recorder) as service:
        service.stop(reason)
    (call,) = recorder.called("control_service", "control_service_ex")
    assert (call.method, call.control) == ("control_service_ex", Control.STOP)
    assert (call.reason, call.comment) == (reason.code, "new version")


def test_reason_for_other_control_raises_argument_error() -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE)
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(ValidationError, match="goes with STOP alone"):
            service.control(Control.PAUSE, reason)
    assert not recorder.called("control_service", "control_service_ex")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda service: service.stop(30), "reason"),
        (lambda service: service.stop("maintenance"), "reason"),
        (lambda service: service.control(True), "control"),
        (lambda service: service.control("STOP"), "control"),
        (lambda service: service.control(200.5), "control"),
    ],
)
def test_control_argument_of_wrong_type_raises_type_error(
    call: Callable[[Service], object], argument: str
) -> None:
    recorder = Recorder()
    with opened(recorder) as service, pytest.raises(TypeError, match=f"^{argument}: "):
        call(service)
    assert not recorder.called("control_service", "control_service_ex")


def test_stop_with_running_dependents_error_names_them() -> None:
    rows = [EnumRow("b", "B", STOPPED), EnumRow("a", None, STOPPED)]
    recorder = Recorder(
        control_service=win32_error(1051, "ControlService"), enum_dependent_services=rows
    )
    with opened(recorder) as service, pytest.raises(DependentServicesRunningError) as caught:
        service.stop()
    assert caught.value.dependents == ("b", "a")
    assert "Running services depend on it: b, a." in str(caught.value)
    (call,) = recorder.called("enum_dependent_services")
    assert call.state == StateFilter.ACTIVE


def test_stop_with_unreadable_dependents_error_lists_none() -> None:
    recorder = Recorder(
        control_service=win32_error(1051, "ControlService"),
        enum_dependent_services=win32_error(5, "EnumDependentServicesW"),
    )
    with opened(recorder) as service, pytest.raises(DependentServicesRunningError) as caught:
        service.stop()
    assert caught.value.dependents == ()
    assert len(recorder.called("enum_dependent_services")) == 1


@pytest.mark.parametrize(
    ("status", "pattern"),
    [
        (STOPPED._replace(win32_exit_code=5), "exit code 5."),
        (STOPPED._replace(win32_exit_code=0x80070005), "exit code 2147942405."),
        (
            STOPPED._replace(win32_exit_code=1066, service_specific_exit_code=42),
            "its own error code 42.",
        ),
    ],
)
@pytest.mark.parametrize("code", [1053, 1066, 1067])
def test_failed_start_error_carries_exit_codes(code: int, status: StatusRow, pattern: str) -> None:
    recorder = Recorder(
        start_service=win32_error(code, "StartServiceW"), query_service_status_ex=status
    )
    with opened(recorder) as service, pytest.raises(ServiceStartError, match=pattern) as caught:
        service.start()
    assert caught.value.status == ServiceStatus.from_row(status)


@pytest.mark.parametrize("state", list(State))
def test_status_reports_pid_in_every_state(state: State) -> None:
    row = STOPPED._replace(current_state=int(state), process_id=7)
    with opened(Recorder(query_service_status_ex=row)) as service:
        assert service.status().pid == 7
