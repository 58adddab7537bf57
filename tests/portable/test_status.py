"""Statuses as text, and listings grouped by template."""

from __future__ import annotations

import sys

import pytest
from recorder import STOPPED

from winsvc._values.status import ServiceInfo, ServiceStatus, group_by_template
from winsvc.enums import ErrorCode

RUNNING = STOPPED._replace(current_state=4, process_id=12)


def status(**fields: int) -> ServiceStatus:
    return ServiceStatus.from_row(STOPPED._replace(**fields))


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (0, "no error"),
        (1077, "never started since the last boot"),
        (1066, "service-specific exit code 7"),
        (1067, "Process aborted (exit code 1067)"),
        (0x80070005, "Unknown 0x80070005 (exit code 2147942405)"),
    ],
)
def test_exit_text_explains_exit_code(code: int, text: str) -> None:
    stopped = status(win32_exit_code=code, service_specific_exit_code=7)
    if sys.platform != "win32" or "(" not in text:
        assert stopped.exit_text == text
    assert f"exit code {code}" in stopped.exit_text or code in (0, 1066, 1077)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (ServiceStatus.from_row(STOPPED), "STOPPED"),
        (ServiceStatus.from_row(RUNNING), "RUNNING, process 12"),
        (
            status(current_state=2, check_point=3, wait_hint=1500, process_id=9),
            "START_PENDING, process 9, check point 3, wait hint 1.5 s",
        ),
        (
            status(win32_exit_code=1066, service_specific_exit_code=3),
            "STOPPED, service-specific exit code 3",
        ),
        (status(win32_exit_code=1077), "STOPPED, never started since the last boot"),
        (status(current_state=99), "UNKNOWN_0x63"),
    ],
)
def test_str_of_status_is_readable(value: ServiceStatus, text: str) -> None:
    assert str(value) == f"{value}" == text


def test_status_keeps_exit_code_as_plain_int() -> None:
    code = ServiceStatus.from_row(
        STOPPED._replace(win32_exit_code=ErrorCode.EXCEPTION_IN_SERVICE)
    ).exit_code
    assert (type(code), code) == (int, 1064)


def test_group_by_template_collects_instances() -> None:
    own, template, instance = (
        ServiceStatus.from_row(STOPPED._replace(service_type=number)) for number in (16, 96, 224)
    )
    infos = [
        ServiceInfo("a", "A", own),
        ServiceInfo("Cdp_1f", "Cdp_1f", instance),
        ServiceInfo("Cdp", "Cdp", template),
        ServiceInfo("CDP_2a", "CDP_2a", instance),
        ServiceInfo("Other_1f", "Other_1f", instance),
    ]
    assert group_by_template(infos) == {
        None: [infos[0], infos[2]],
        "Cdp": [infos[1], infos[3]],
        "Other": [infos[4]],
    }
    assert group_by_template([]) == {}
