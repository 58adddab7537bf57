"""Snapshots and services with many properties, and strategies for random ones."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from winsvc import Service, ServiceManager, ServiceSnapshot
from winsvc._values.account import Account
from winsvc._values.config import FailureAction, FailureActions, ServiceConfig
from winsvc._values.dependency import GroupDependency, ServiceDependency
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
from winsvc.errors import win32_error
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

SDDL = "O:SYG:SYD:(A;;CC;;;BA)"

# What a real machine may have: nothing that ServiceManager.create() would take.
ODD = ServiceSnapshot(
    name="odd",
    machine="build07",
    status=ServiceStatus(
        service_type=ServiceType(0x80000130),
        state=State.RUNNING,
        controls_accepted=AcceptedControls(0),
        exit_code=0,
        service_exit_code=3,
        check_point=1,
        wait_hint=timedelta(seconds=1),
        pid=1200,
        flags=ServiceFlags(1),
    ),
    config=ServiceConfig(
        service_type=ServiceType(0x80000010),
        start_type=StartType(77),
        error_control=ErrorControl(9),
        binary_path=r"C:\Program Files\no quotes\x.exe -k a",
        load_order_group="Base",
        tag=12,
        dependencies=(ServiceDependency("RpcSs"), GroupDependency("")),
        account=Account.stored(""),
        display_name="@%SystemRoot%\\x.dll,-100",
    ),
    description="",
    failure_actions=FailureActions(
        actions=(FailureAction(ActionType(7), timedelta(days=49)),), reset_after=None
    ),
    failure_actions_on_error=True,
    delayed_auto_start=False,
    sid_type=SidType(2),
    required_privileges=(),
    preshutdown_timeout=timedelta(milliseconds=0xFFFFFFFF),
    triggers=(
        Trigger(
            TriggerType(99),
            TriggerAction(0),
            None,
            (TriggerData(TriggerDataType(0), b"x" * 2000),),
        ),
    ),
    preferred_node=None,
    launch_protection=LaunchProtection.NONE,
    dependents=("other",),
    security=SecurityDescriptor.from_sddl(SDDL),
    errors={},
)


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


def rich(scm: ServiceManager) -> Service:
    scm.create("needed", "needed.exe").close()
    return scm.create(
        "rich",
        r'"C:\Program Files\rich.exe" -k a',
        service_type=ServiceType.SHARE_PROCESS,
        start_type=StartType.AUTOMATIC,
        load_order_group="Base",
        dependencies=["needed", "+Other"],
        account=Account(r"NT AUTHORITY\LocalService"),
        display_name="Rich",
        description="Has every setting.",
        delayed_auto_start=True,
        failure_actions=FailureActions(actions=(FailureAction.restart(5),), command="x.exe"),
        failure_actions_on_error=True,
        sid_type=SidType.UNRESTRICTED,
        required_privileges=["SeChangeNotifyPrivilege"],
        preshutdown_timeout=20,
        triggers=[Trigger.on_domain_join(), Trigger.on_named_pipe("rich")],
        preferred_node=0,
        security="D:(A;;GA;;;BA)(A;;LC;;;BU)",
    )
