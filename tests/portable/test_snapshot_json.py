"""A snapshot as JSON and back: nothing is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsvc._values.account import Account
from winsvc._values.config import FailureAction, FailureActions, ServiceConfig
from winsvc._values.dependency import GroupDependency, ServiceDependency
from winsvc._values.snapshot import ServiceSnapshot, unreadable
from winsvc._values.status import ServiceStatus
from winsvc.enums import (
    AcceptedControls,
    ActionType,
    ErrorControl,
    LaunchProtection,
    ServiceAccess,
    ServiceFlags,
    ServiceType,
    SidType,
    StartType,
    State,
    TriggerAction,
    TriggerDataType,
    TriggerType,
)
from winsvc.errors import AccessDeniedError, ValidationError, Win32Error, win32_error
from winsvc.security import (
    NULL_ACL,
    Ace,
    AceFlags,
    AceType,
    Acl,
    ControlFlags,
    SecurityDescriptor,
    Sid,
)
from winsvc.triggers import Trigger, TriggerData

dwords = st.integers(0, 0xFFFFFFFF)
# Windows gives texts without NUL; half a character outside of the plane is possible.
texts = st.text(st.characters(exclude_characters="\0")) | st.just("\ud800")
names = st.text(st.characters(exclude_characters="\0+", exclude_categories=["Cs"]), min_size=1)
durations = st.builds(lambda count: timedelta(milliseconds=count), dwords)
statuses = st.builds(
    ServiceStatus,
    service_type=dwords.map(ServiceType),
    state=dwords.map(State),
    controls_accepted=dwords.map(AcceptedControls),
    exit_code=dwords,
    service_exit_code=dwords,
    check_point=dwords,
    wait_hint=durations,
    pid=st.none() | dwords,
    flags=dwords.map(ServiceFlags),
)
configs = st.builds(
    ServiceConfig,
    service_type=dwords.map(ServiceType),
    start_type=(st.integers(0, 5) | dwords).map(StartType),
    error_control=dwords.map(ErrorControl),
    binary_path=texts,
    load_order_group=texts,
    tag=dwords,
    dependencies=st.lists(
        names.map(ServiceDependency) | (texts | st.just("")).map(GroupDependency)
    ).map(tuple),
    account=texts.map(Account.stored),
    display_name=texts,
)
failure_actions = st.builds(
    FailureActions,
    actions=st.lists(st.builds(FailureAction, dwords.map(ActionType), durations)).map(tuple),
    reset_after=st.none() | durations,
    reboot_message=texts,
    command=texts,
)
triggers = st.builds(
    Trigger,
    (st.integers(0, 8) | dwords).map(TriggerType),
    dwords.map(TriggerAction),
    st.none() | st.uuids(),
    st.lists(st.builds(TriggerData, dwords.map(TriggerDataType), st.binary())).map(tuple),
)
sids = st.sampled_from(["SY", "BA", "OW", "S-1-5-21-1-2-3-500", "S-1-5-80-1"]).map(Sid.parse)
aces = st.builds(
    Ace,
    type=st.sampled_from([AceType.ALLOWED, AceType.DENIED, AceType.AUDIT, AceType.MANDATORY_LABEL]),
    access=dwords.map(ServiceAccess),
    trustee=sids,
    flags=st.integers(0, 255).map(AceFlags),
) | st.builds(Ace, type=st.integers(0x30, 0xFF).map(AceType), data=st.just(b"1234"))
acls = st.builds(Acl, st.lists(aces, max_size=3).map(tuple), st.sampled_from([0, 2, 4]))
descriptors = st.builds(
    SecurityDescriptor,
    owner=st.none() | sids,
    group=st.none() | sids,
    dacl=st.none() | st.just(NULL_ACL) | acls,
    sacl=st.none() | st.just(NULL_ACL) | acls,
    control=st.integers(0, 0xFFFF).map(ControlFlags),
    rm_control=st.integers(0, 255),
)
errors = st.builds(
    win32_error,
    st.sampled_from([5, 124, 1060, 1314]) | dwords,
    st.sampled_from(["OpenServiceW", "QueryServiceConfig2W", ""]),
    st.none() | texts,
    object_name=st.none() | names,
    machine=st.none() | names,
    hint=st.none() | texts,
)
snapshots = st.builds(
    ServiceSnapshot,
    name=names,
    machine=st.none() | names,
    status=st.none() | statuses,
    config=st.none() | configs,
    description=st.none() | texts,
    failure_actions=st.none() | failure_actions,
    failure_actions_on_error=st.none() | st.booleans(),
    delayed_auto_start=st.none() | st.booleans(),
    sid_type=st.none() | dwords.map(SidType),
    required_privileges=st.none() | st.lists(texts).map(tuple),
    preshutdown_timeout=st.none() | durations,
    triggers=st.none() | st.lists(triggers, max_size=3).map(tuple),
    preferred_node=st.none() | dwords,
    launch_protection=st.none() | dwords.map(LaunchProtection),
    dependents=st.none() | st.lists(names).map(tuple),
    security=st.none() | descriptors,
    errors=st.dictionaries(st.sampled_from(["status", "config", "security"]), errors),
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
    ("change", "error", "told"),
    [
        ({"odd": 1}, ValidationError, "snapshot.odd: is no part of a ServiceSnapshot"),
        ({"name": None}, TypeError, "snapshot.name: expected str"),
        ({"config": {}}, ValidationError, "snapshot.config.service_type: is missing"),
        ({"sid_type": "x"}, ValidationError, "snapshot.sid_type: 'x' is no SidType"),
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
    change: dict[str, Any], error: type[Exception], told: str
) -> None:
    with pytest.raises(error) as caught:
        ServiceSnapshot.from_json({**EMPTY.to_json(), **change})
    assert str(caught.value).startswith(told)
