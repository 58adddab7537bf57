"""Test which rights the simulated SCM grants to each caller."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from simulated import SERVICE_ALL, code_of, create, manager, opened, state_of

from winsvc import (
    AccessDeniedError,
    ManagerAccess,
    SecurityDescriptor,
    SecurityInformation,
    ServiceAccess,
    ServiceManager,
    State,
)
from winsvc._values.rows import FailureActionsRow
from winsvc.testing import CallerIdentity, SimulatedSCM

M, A, I = ManagerAccess, ServiceAccess, SecurityInformation  # noqa: E741
GENERIC_READ, GENERIC_WRITE, GENERIC_EXECUTE = 0x80000000, 0x40000000, 0x20000000
GENERIC_ALL, MAXIMUM, SACL_RIGHT = 0x10000000, 0x02000000, 0x01000000


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.add("beat", state=State.RUNNING)
    return sim


def dacl(sddl: str) -> bytes:
    return SecurityDescriptor.from_sddl(sddl).to_bytes()


# ------------------------------------------------------------------- who may what by default


MANAGER_RIGHTS = [
    (CallerIdentity.administrator, M.ALL_ACCESS, 0),
    (CallerIdentity.administrator, GENERIC_ALL, 0),
    (CallerIdentity.local_system, M.CONNECT | M.ENUMERATE_SERVICE | M.LOCK, 0),
    (CallerIdentity.user, M.CONNECT | M.ENUMERATE_SERVICE | M.QUERY_LOCK_STATUS, 0),
    (CallerIdentity.user, GENERIC_READ, 0),
    (CallerIdentity.user, M.CREATE_SERVICE, 5),
    (CallerIdentity.user, M.LOCK, 5),
    (CallerIdentity.user, M.ALL_ACCESS, 5),
    (CallerIdentity.user, GENERIC_ALL, 5),
    (CallerIdentity.user, GENERIC_WRITE, 5),
    (CallerIdentity.remote_user, M.CONNECT, 0),
    (CallerIdentity.remote_user, 0, 0),
    (CallerIdentity.remote_user, M.ENUMERATE_SERVICE, 5),
]


@pytest.mark.parametrize(("caller", "access", "expected"), MANAGER_RIGHTS)
def test_open_manager_checks_rights_of_caller(
    sim: SimulatedSCM, caller: Callable[[], CallerIdentity], access: int, expected: int
) -> None:
    with sim.run_as(caller()):
        assert code_of(sim.open_sc_manager, None, None, int(access)) == expected


SERVICE_RIGHTS = [
    (CallerIdentity.administrator, SERVICE_ALL, 0),
    (CallerIdentity.administrator, GENERIC_ALL, 0),
    (
        CallerIdentity.user,
        A.QUERY_STATUS | A.QUERY_CONFIG | A.ENUMERATE_DEPENDENTS | A.INTERROGATE,
        0,
    ),
    (CallerIdentity.user, GENERIC_READ, 0),
    (CallerIdentity.user, A.START, 5),
    (CallerIdentity.user, A.STOP, 5),
    (CallerIdentity.user, A.CHANGE_CONFIG, 5),
    (CallerIdentity.user, A.DELETE, 5),
    (CallerIdentity.user, GENERIC_WRITE, 5),
    (CallerIdentity.user, GENERIC_EXECUTE, 5),
    (CallerIdentity.user, 0, 0),
    (CallerIdentity.remote_user, A.QUERY_STATUS, 5),
    (CallerIdentity.remote_user, 0, 0),
    (CallerIdentity.remote_user, MAXIMUM, 5),
    (CallerIdentity.administrator, SACL_RIGHT, 1314),
]


@pytest.mark.parametrize(("caller", "access", "expected"), SERVICE_RIGHTS)
def test_open_service_checks_rights_of_caller(
    sim: SimulatedSCM, caller: Callable[[], CallerIdentity], access: int, expected: int
) -> None:
    with sim.run_as(caller()):
        scm = manager(sim, M.CONNECT)
        assert code_of(sim.open_service, scm, "beat", int(access)) == expected


def test_run_as_replaces_and_restores_caller(sim: SimulatedSCM) -> None:
    before, user = sim.caller, CallerIdentity.user()
    with sim.run_as(user):
        assert sim.caller is user
    with pytest.raises(KeyError), sim.run_as(user):
        sim["none"]
    assert sim.caller is before


def test_handle_keeps_rights_after_caller_changes(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    with sim.run_as(CallerIdentity.user()):
        sim.control_service(handle, 1)
    assert state_of(sim, "beat") is State.STOPPED


def test_maximum_allowed_grants_rights_of_caller(sim: SimulatedSCM) -> None:
    with sim.run_as(CallerIdentity.user()):
        handle = opened(sim, "beat", MAXIMUM)
        assert code_of(sim.query_service_config, handle) == 0
        assert code_of(sim.control_service, handle, 4) == 0
        assert code_of(sim.start_service, handle, ()) == 5
        assert code_of(sim.delete_service, handle) == 5
    assert code_of(sim.control_service, opened(sim, "beat", MAXIMUM), 1) == 0
    assert state_of(sim, "beat") is State.STOPPED


CALLS: dict[str, Callable[[SimulatedSCM, int], object]] = {
    "query_status": lambda sim, handle: sim.query_service_status_ex(handle),
    "query_config": lambda sim, handle: sim.query_service_config(handle),
    "enum_dependents": lambda sim, handle: sim.enum_dependent_services(handle, 3),
    "change_config": lambda sim, handle: sim.change_description(handle, "text"),
    "stop": lambda sim, handle: sim.control_service(handle, 1),
    "interrogate": lambda sim, handle: sim.control_service(handle, 4),
    "user_control": lambda sim, handle: sim.control_service(handle, 200),
    "delete": lambda sim, handle: sim.delete_service(handle),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("access", "allowed"),
    [
        (GENERIC_READ, {"query_status", "query_config", "enum_dependents", "interrogate"}),
        (GENERIC_WRITE, {"change_config"}),
        (GENERIC_EXECUTE, {"stop", "user_control"}),
        (GENERIC_ALL, {*CALLS}),
    ],
)
def test_generic_right_maps_to_service_rights(
    sim: SimulatedSCM, access: int, allowed: set[str], call: str
) -> None:
    handle = opened(sim, "beat", access)
    assert code_of(CALLS[call], sim, handle) == (0 if call in allowed else 5)


def test_notify_boot_config_status_requires_administrator(sim: SimulatedSCM) -> None:
    with sim.run_as(CallerIdentity.user()):
        assert code_of(sim.notify_boot_config_status, True) == 5
    with sim.run_as(CallerIdentity.local_system()):
        assert code_of(sim.notify_boot_config_status, True) == 0


# ------------------------------------------------------------------- descriptors


@pytest.mark.parametrize(
    ("sddl", "access", "expected"),
    [
        ("D:(D;;RP;;;BA)(A;;GA;;;BA)", A.START, 5),
        ("D:(D;;RP;;;BA)(A;;GA;;;BA)", A.STOP, 0),
        ("D:(A;;GA;;;BA)(D;;RP;;;BA)", A.START, 0),  # the first entry decides
        ("D:(D;;GA;;;BG)(A;;GA;;;BA)", A.START, 0),
        ("D:", A.QUERY_STATUS, 5),
        ("D:(A;;LC;;;WD)", A.QUERY_STATUS, 0),
        ("D:(A;;LC;;;WD)", A.QUERY_STATUS | A.START, 5),
    ],
)
def test_open_service_applies_dacl_entries_in_order(
    sim: SimulatedSCM, sddl: str, access: ServiceAccess, expected: int
) -> None:
    handle = opened(sim, "beat", A.WRITE_DAC)
    sim.set_service_object_security(handle, I.DACL, dacl(sddl))
    assert code_of(opened, sim, "beat", int(access)) == expected


def test_user_granted_start_can_start_but_not_stop(sim: SimulatedSCM) -> None:
    with ServiceManager(backend=sim) as scm, scm.open("beat") as service:
        service.stop()
        security = service.security()
        service.set_security(security.to_sddl().replace("D:", "D:(A;;RP;;;IU)", 1))
    with sim.run_as(CallerIdentity.user()), ServiceManager(backend=sim) as scm:
        with scm.open("beat") as service:
            service.start()
            with pytest.raises(AccessDeniedError):
                service.stop()
    assert state_of(sim, "beat") is State.RUNNING


def test_manager_dacl_controls_access_of_callers(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    sim.set_service_object_security(scm, I.DACL, dacl("D:(A;;KA;;;IU)"))
    with sim.run_as(CallerIdentity.user()):
        assert code_of(create, sim, manager(sim), "new") == 0
    with sim.run_as(CallerIdentity.remote_user()):
        assert code_of(manager, sim, M.CONNECT) == 5


@pytest.mark.parametrize(
    ("parts", "needed"),
    [
        (I.DACL, A.WRITE_DAC),
        (I.OWNER, A.WRITE_OWNER),
        (I.GROUP, A.WRITE_OWNER),
        (I.OWNER | I.DACL, A.WRITE_OWNER | A.WRITE_DAC),
    ],
)
def test_set_security_writes_only_named_parts(
    sim: SimulatedSCM, parts: SecurityInformation, needed: ServiceAccess
) -> None:
    sddl = "O:BAG:BAD:(A;;GA;;;BA)"
    everything = I.OWNER | I.GROUP | I.DACL
    handle = opened(sim, "beat", needed | A.READ_CONTROL)
    before = SecurityDescriptor.from_bytes(sim.query_service_object_security(handle, everything))
    sim.set_service_object_security(handle, parts, dacl(sddl))
    after = SecurityDescriptor.from_bytes(sim.query_service_object_security(handle, everything))
    for part, name in ((I.OWNER, "owner"), (I.GROUP, "group"), (I.DACL, "dacl")):
        changed = getattr(after, name) != getattr(before, name)
        assert changed == bool(parts & part), name
    for right in (A.WRITE_DAC, A.WRITE_OWNER):
        if needed & right:
            less = opened(sim, "beat", (needed | A.READ_CONTROL) & ~right)
            assert code_of(sim.set_service_object_security, less, parts, dacl(sddl)) == 5


def test_query_security_returns_only_named_part(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat", A.READ_CONTROL)
    for part, name in ((I.OWNER, "owner"), (I.GROUP, "group"), (I.DACL, "dacl")):
        read = SecurityDescriptor.from_bytes(sim.query_service_object_security(handle, part))
        parts_read = {
            part_name
            for part_name in ("owner", "group", "dacl")
            if getattr(read, part_name) is not None
        }
        assert parts_read == {name}


def test_set_owner_without_restore_privilege_is_refused(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat", A.WRITE_OWNER)
    assert code_of(sim.set_service_object_security, handle, I.OWNER, dacl("O:BU")) == 0
    assert code_of(sim.set_service_object_security, handle, I.OWNER, dacl("O:LS")) == 1307
    with sim.run_as(sim.caller.enabling("SeRestorePrivilege")):
        assert code_of(sim.set_service_object_security, handle, I.OWNER, dacl("O:LS")) == 0


def test_sacl_access_without_security_privilege_is_refused(sim: SimulatedSCM) -> None:
    with pytest.raises(AccessDeniedError) as caught:
        opened(sim, "beat", SACL_RIGHT | A.READ_CONTROL)
    assert caught.value.winerror == 1314
    plain = opened(sim, "beat", A.READ_CONTROL)
    assert code_of(sim.query_service_object_security, plain, I.SACL) == 5
    with sim.run_as(sim.caller.enabling("SeSecurityPrivilege")):
        handle = opened(sim, "beat", SACL_RIGHT | A.READ_CONTROL)
    sim.set_service_object_security(handle, I.SACL, dacl("S:(AU;FA;GA;;;WD)"))
    read = SecurityDescriptor.from_bytes(sim.query_service_object_security(handle, I.SACL))
    assert read.sacl
    assert read.dacl is None


def test_reboot_action_without_shutdown_privilege_is_refused(sim: SimulatedSCM) -> None:
    row = FailureActionsRow(0, None, None, ((2, 0),))
    handle = opened(sim, "beat")
    assert code_of(sim.change_failure_actions, handle, row) == 5
    assert sim["beat"].failure_actions.actions == ()
    with sim.run_as(sim.caller.enabling("SeShutdownPrivilege")):
        assert code_of(sim.change_failure_actions, handle, row) == 0


# ------------------------------------------------------------------- rights denied by a test


def test_faults_deny_refuses_denied_service_rights(sim: SimulatedSCM) -> None:
    sim.add("other")
    before = opened(sim, "beat")
    sim.faults.deny(A.START | A.STOP, "BEAT")
    assert code_of(opened, sim, "beat", int(A.STOP)) == 5
    assert code_of(opened, sim, "beat", int(A.QUERY_STATUS)) == 0
    assert code_of(opened, sim, "other", int(A.START)) == 0
    assert code_of(sim.control_service, before, 1) == 0  # it is open already
    most = opened(sim, "beat", MAXIMUM)
    assert code_of(sim.start_service, most, ()) == 5
    assert code_of(sim.query_service_config, most) == 0
    sim.faults.clear()
    assert code_of(opened, sim, "beat", int(A.STOP)) == 0


def test_faults_deny_manager_right_refuses_listing(sim: SimulatedSCM) -> None:
    sim.faults.deny(M.ENUMERATE_SERVICE)
    assert code_of(manager, sim, M.ENUMERATE_SERVICE) == 5
    with ServiceManager(backend=sim) as scm:
        with pytest.raises(AccessDeniedError, match="ENUMERATE_SERVICE"):
            list(scm.services())
        assert scm.info("beat").name == "beat"


def test_faults_deny_without_name_affects_every_service(sim: SimulatedSCM) -> None:
    sim.faults.deny(A.STOP)
    with ServiceManager(backend=sim) as scm, scm.open("beat") as service:
        with pytest.raises(AccessDeniedError, match="STOP") as caught:
            service.stop()
    assert caught.value.object_name == "beat"
    assert state_of(sim, "beat") is State.RUNNING
    assert code_of(opened, sim, "beat") == 5  # with every right


def test_denied_right_of_wrong_type_raises_type_error(sim: SimulatedSCM) -> None:
    with pytest.raises(TypeError, match="access"):
        sim.faults.deny(3)  # type: ignore[arg-type]
    assert code_of(opened, sim, "beat") == 0
