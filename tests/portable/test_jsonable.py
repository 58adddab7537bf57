from __future__ import annotations

import json
from datetime import timedelta

import pytest

from winsvc.enums import AcceptedControls, ServiceFlags, ServiceType, State
from winsvc.jsonable import jsonable
from winsvc.models import ServiceInfo, ServiceStatus


def test_a_service_info() -> None:
    status = ServiceStatus(
        service_type=ServiceType.OWN_PROCESS | ServiceType.INTERACTIVE_PROCESS,
        state=State.START_PENDING,
        controls_accepted=AcceptedControls(0x80000001),
        exit_code=0xFFFFFFFF,
        service_exit_code=0,
        check_point=3,
        wait_hint=timedelta(milliseconds=1500),
        pid=None,
        flags=ServiceFlags(0),
    )
    told = jsonable(ServiceInfo("beat", "Heartbeat", status))
    assert json.loads(json.dumps(told)) == {
        "name": "beat",
        "display_name": "Heartbeat",
        "status": {
            "service_type": ["own_process", "interactive_process"],
            "state": "start_pending",
            "controls_accepted": ["stop", 0x80000000],
            "exit_code": 0xFFFFFFFF,
            "service_exit_code": 0,
            "check_point": 3,
            "wait_hint": 1.5,
            "pid": None,
            "flags": [],
        },
    }


def test_other_values() -> None:
    assert jsonable({"a": (b"\x00\xff", State(77))}) == {"a": ["00ff", "unknown_0x4d"]}
    with pytest.raises(TypeError, match="object has no JSON form"):
        jsonable(object())
