"""JSON forms of values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from winsvc._util.jsonable import Reader, Writer, from_jsonable, jsonable
from winsvc._values.dependency import Dependency, ServiceDependency
from winsvc._values.status import ServiceInfo, ServiceStatus
from winsvc.enums import AcceptedControls, ServiceFlags, ServiceType, StartType, State
from winsvc.errors import ValidationError

GUID = UUID("0000000a-000b-000c-000d-00000000000e")


def test_jsonable_service_info_uses_names_and_numbers() -> None:
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
    converted = jsonable(ServiceInfo("beat", "Heartbeat", status))
    assert json.loads(json.dumps(converted)) == {
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


def test_jsonable_encodes_bytes_and_refuses_unknown_type() -> None:
    assert jsonable({"a": (b"\x00\xff", State(77))}) == {"a": ["00ff", "unknown_0x4d"]}
    assert jsonable(GUID) == "0000000a-000b-000c-000d-00000000000e"
    with pytest.raises(TypeError, match="object has no JSON form"):
        jsonable(object())


def test_jsonable_writer_replaces_form_of_its_type() -> None:
    value = {"a": (State.RUNNING, GUID), "b": ServiceDependency("x")}
    writers: dict[object, Writer] = {UUID: lambda guid: guid.hex, Dependency: str}
    assert jsonable(value, writers) == {"a": ["running", GUID.hex], "b": "x"}


# ------------------------------------------------------------------------------ and back


@dataclass(frozen=True)
class Part:
    kind: StartType
    delay: timedelta = timedelta(0)


@dataclass(frozen=True)
class Whole:
    parts: tuple[Part, ...]
    named: dict[str, State]
    content: bytes | None = None
    count: int = 0
    flag: bool = False


def test_from_jsonable_round_trips_dataclass() -> None:
    whole = Whole((Part(StartType(9), timedelta(seconds=2.5)),), {"a": State.RUNNING}, b"\0\xff", 7)
    assert from_jsonable(Whole, json.loads(json.dumps(jsonable(whole))), "whole") == whole
    assert from_jsonable(Whole, whole, "whole") is whole
    assert from_jsonable(Whole, {"parts": [], "named": {}}, "whole") == Whole((), {})


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        (State, "running", State.RUNNING),
        (State, "START_PENDING", State.START_PENDING),
        (State, 4, State.RUNNING),
        (State, State.RUNNING, State.RUNNING),
        (State, "unknown_0xffffffff", State(0xFFFFFFFF)),
        (ServiceType, ["own_process", 0x80000000], ServiceType(0x80000010)),
        (ServiceType, "win32", ServiceType.WIN32),
        (ServiceType, [], ServiceType(0)),
        (ServiceType, 0x30, ServiceType.WIN32),
        (timedelta, 0.001, timedelta(milliseconds=1)),
        (timedelta, timedelta(1), timedelta(1)),
        (bytes, "00fF", b"\x00\xff"),
        (UUID, "{0000000A-000B-000C-000D-00000000000E}", GUID),
        (UUID, GUID, GUID),
        (int | None, None, None),
        (tuple[str, ...], ["a", ""], ("a", "")),
        (tuple[str, ...] | None, (item for item in "ab"), ("a", "b")),
    ],
)
def test_from_jsonable_valid_value_returns_declared_type(
    kind: Any, given: object, value: object
) -> None:
    read = from_jsonable(kind, given, "it")
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("kind", "given", "error", "message"),
    [
        (
            State,
            "on",
            ValidationError,
            "it: 'on' is not a valid State; valid values: stopped, start_pending, ",
        ),
        (
            State,
            "unknown_0x100000000",
            ValidationError,
            "it: 'unknown_0x100000000' is not a valid State",
        ),
        (State, -1, ValidationError, "it: must be from 0 to 4294967295, not -1"),
        (State, True, TypeError, "it: expected the name of a State member, not bool"),
        (State, None, TypeError, "it: expected the name of a State member, not None"),
        (
            ServiceType,
            ["own_process", "x"],
            ValidationError,
            "it[1]: 'x' is not a valid ServiceType",
        ),
        (ServiceType, {}, TypeError, "it: expected the name of a ServiceType member, not dict"),
        (timedelta, "5", TypeError, "it: expected a timedelta or seconds, not str"),
        (timedelta, -1, ValidationError, "it: must not be negative: -1 seconds"),
        (
            timedelta,
            float("nan"),
            ValidationError,
            "it: must be a finite number of seconds, not nan",
        ),
        (bytes, "0", ValidationError, "it: must be pairs of hexadecimal digits"),
        (UUID, "0", ValidationError, "it: '0' is not a GUID"),
        (UUID, 5, TypeError, "it: expected str, not int"),
        (int, "5", TypeError, "it: expected int, not str"),
        (int, 2**32, ValidationError, "it: must be from 0 to 4294967295, not 4294967296"),
        (bool, 1, TypeError, "it: expected bool, not int"),
        (str, None, TypeError, "it: expected str, not None"),
        (tuple[str, ...], "ab", TypeError, "it: expected a list, not str"),
        (tuple[str, ...], ["a", 1], TypeError, "it[1]: expected str, not int"),
        (Whole, [], TypeError, "it: expected a mapping, not list"),
        (Whole, {1: 2}, TypeError, "a key of it: expected str, not int"),
        (Whole, {"odd": 1}, ValidationError, "it.odd: unknown field of Whole"),
        (
            Whole,
            {"count_": 1},
            ValidationError,
            "it.count_: unknown field of Whole (did you mean 'count'?)",
        ),
        (
            StartType,
            "automatc",
            ValidationError,
            "it: 'automatc' is not a valid StartType (did you mean 'automatic'?); valid values: "
            "boot, system, automatic, manual, disabled",
        ),
        (Whole, {"named": {}}, ValidationError, "it.parts: is missing"),
        (
            Whole,
            {"named": {}, "parts": [{"kind": "boot"}, {"kind": "later"}]},
            ValidationError,
            "it.parts[1].kind: 'later' is not a valid StartType",
        ),
        (
            Whole,
            {"parts": [], "named": {"a": "on"}},
            ValidationError,
            "it.named.a: 'on' is not a valid State",
        ),
    ],
)
def test_from_jsonable_invalid_value_raises_with_path(
    kind: Any, given: object, error: type[Exception], message: str
) -> None:
    with pytest.raises(error) as caught:
        from_jsonable(kind, given, "it")
    assert str(caught.value).startswith(message)


def test_from_jsonable_uses_custom_reader_of_type() -> None:
    readers: dict[object, Reader] = {Part: lambda value, argument: Part(StartType[value.upper()])}
    given = {"parts": ["boot", Part(StartType.MANUAL)], "named": {}}
    parts = (Part(StartType.BOOT), Part(StartType.MANUAL))
    assert from_jsonable(Whole, given, "it", readers) == Whole(parts, {})
