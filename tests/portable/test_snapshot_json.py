"""A snapshot as JSON and back: nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from snapshot_values import descriptors, snapshots

from winsvc._values.snapshot import ServiceSnapshot, unreadable
from winsvc.errors import AccessDeniedError, ValidationError, Win32Error, win32_error
from winsvc.security import (
    SecurityDescriptor,
)


def again(snapshot: ServiceSnapshot) -> ServiceSnapshot:
    return ServiceSnapshot.from_json(json.loads(json.dumps(snapshot.to_json())))


@given(snapshots)
def test_snapshot_json_round_trips_exactly(snapshot: ServiceSnapshot) -> None:
    for error in snapshot.errors.values():
        # As those of a real snapshot are.
        error.add_context(object_name=snapshot.name, machine=snapshot.machine)
    back = again(snapshot)
    assert back == snapshot
    assert back.to_json() == snapshot.to_json()
    assert list(back.errors) == list(snapshot.errors)
    for name, error in snapshot.errors.items():
        assert type(back.errors[name]) is type(error)
        assert vars(back.errors[name]) == vars(error)
        assert str(back.errors[name]) == str(error)


@given(descriptors)
def test_snapshot_json_keeps_descriptor_bytes(descriptor: SecurityDescriptor) -> None:
    snapshot = replace(EMPTY, security=descriptor)
    security = again(snapshot).security
    assert security is not None
    assert security.to_bytes() == descriptor.to_bytes()


EMPTY = unreadable("beat", None, None, win32_error(5, "OpenServiceW"))


def test_snapshot_json_writes_security_as_sddl_if_lossless() -> None:
    sddl = "O:SYG:SYD:(A;;CC;;;BA)"
    plain = SecurityDescriptor.from_sddl(sddl)
    assert replace(EMPTY, security=plain).to_json()["security"] == sddl
    odd = replace(plain, rm_control=1)
    assert replace(EMPTY, security=odd).to_json()["security"] == {"bytes": odd.to_bytes().hex()}


def test_unreadable_snapshot_json_keeps_error() -> None:
    denied = win32_error(5, "OpenServiceW", object_name="beat", machine="m", hint="Be patient.")
    snapshot = unreadable("beat", "m", None, denied)
    assert set(snapshot.errors) == set(snapshot.to_json()) - {"name", "machine", "errors"}
    error = again(snapshot).errors["config"]
    assert isinstance(error, AccessDeniedError)
    assert (str(error), error.object_name, error.machine) == (str(denied), "beat", "m")


def test_snapshot_json_keeps_service_and_machine_of_error() -> None:
    error = Win32Error(1722, "OpenSCManagerW", object_name="other", machine="there", hint="")
    snapshot = replace(EMPTY, machine="here", errors={"security": error})
    assert vars(again(snapshot).errors["security"]) == vars(error)


@pytest.mark.parametrize(
    ("change", "error", "expected"),
    [
        ({"odd": 1}, ValidationError, "snapshot.odd: unknown field of ServiceSnapshot"),
        ({"name": None}, TypeError, "snapshot.name: expected str"),
        ({"config": {}}, ValidationError, "snapshot.config.service_type: is missing"),
        ({"sid_type": "x"}, ValidationError, "snapshot.sid_type: 'x' is not a valid SidType"),
        ({"triggers": [{}]}, ValidationError, "snapshot.triggers[0].type: is missing"),
        ({"security": "D:("}, ValidationError, "snapshot.security: "),
        (
            {"security": {"bytes": "00"}},
            ValidationError,
            "snapshot.security: a security descriptor",
        ),
        (
            {"security": {"hex": "00"}},
            ValidationError,
            "snapshot.security: expected SDDL, or an object",
        ),
        ({"security": 1}, TypeError, "snapshot.security: expected SDDL or bytes, not int"),
        ({"errors": {"config": 5}}, TypeError, "snapshot.errors.config: expected a mapping"),
        (
            {"errors": {"config": {"winerror": 5, "function": "F"}}},
            ValidationError,
            "snapshot.errors.config.message: is missing",
        ),
    ],
)
def test_snapshot_from_json_invalid_document_raises_with_path(
    change: dict[str, Any], error: type[Exception], expected: str
) -> None:
    with pytest.raises(error) as caught:
        ServiceSnapshot.from_json({**EMPTY.to_json(), **change})
    assert str(caught.value).startswith(expected)
