"""The simulated access check, compared with the rules of Windows ([MS-DTYP] 2.5.3)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsvc.enums import ManagerAccess, ServiceAccess
from winsvc.security import Ace, Acl, SecurityDescriptor, Sid
from winsvc.security.accesscheck import MANAGER, SERVICE
from winsvc.testing.access import (
    DEFAULT_MANAGER_SECURITY,
    DEFAULT_SERVICE_SECURITY,
    CallerIdentity,
    granted,
)
from winsvc.testing.refusal import RefusalError

ADMIN, USER, REMOTE = (
    CallerIdentity.administrator(),
    CallerIdentity.user(),
    CallerIdentity.remote_user(),
)
SYSTEM = CallerIdentity.local_system()
A, M = ServiceAccess, ManagerAccess
MAXIMUM = A.MAXIMUM_ALLOWED
UNPRIVILEGED = CallerIdentity(name="unprivileged", sids=frozenset({Sid.parse("S-1-5-21-1-2-3-4")}))
OWNER = SecurityDescriptor(owner=Sid.parse("S-1-5-21-1-2-3-4"))


def allowed(
    sddl: str | SecurityDescriptor, access: int, caller: CallerIdentity = UNPRIVILEGED
) -> int:
    descriptor = SecurityDescriptor.coerce(sddl)
    return granted(descriptor, caller, int(access), SERVICE)


def refused(
    sddl: str | SecurityDescriptor, access: int, caller: CallerIdentity = UNPRIVILEGED
) -> int:
    with pytest.raises(RefusalError) as caught:
        allowed(sddl, access, caller)
    return caught.value.code


# The defaults of "Service Security and Access Rights" in the Microsoft documentation.
@pytest.mark.parametrize(
    ("caller", "kind", "rights"),
    [
        (ADMIN, "service", A.ALL_ACCESS),
        (ADMIN, "manager", M.ALL_ACCESS),
        (
            USER,
            "service",
            A.READ_CONTROL
            | A.ENUMERATE_DEPENDENTS
            | A.INTERROGATE
            | A.QUERY_CONFIG
            | A.QUERY_STATUS
            | A.USER_DEFINED_CONTROL,
        ),
        (
            USER,
            "manager",
            M.CONNECT | M.ENUMERATE_SERVICE | M.QUERY_LOCK_STATUS | M.READ_CONTROL,
        ),
        (REMOTE, "service", None),
        (REMOTE, "manager", M.CONNECT),
        (SYSTEM, "manager", M.ALL_ACCESS),
    ],
)
def test_granted_with_default_security_matches_documented_rights(
    caller: CallerIdentity, kind: str, rights: int | None
) -> None:
    descriptor, mapping = {
        "service": (DEFAULT_SERVICE_SECURITY, SERVICE),
        "manager": (DEFAULT_MANAGER_SECURITY, MANAGER),
    }[kind]
    if rights is None:
        with pytest.raises(RefusalError):
            granted(descriptor, caller, MAXIMUM, mapping)
    else:
        assert granted(descriptor, caller, MAXIMUM, mapping) == rights
        assert granted(descriptor, caller, int(rights), mapping) == rights


def test_granted_uses_first_matching_ace_for_each_right() -> None:
    denied_first = "D:(D;;RP;;;WD)(A;;RPWP;;;S-1-5-21-1-2-3-4)"
    allowed_first = "D:(A;;RP;;;S-1-5-21-1-2-3-4)(D;;RPWP;;;WD)"
    caller = CallerIdentity(name="x", sids=UNPRIVILEGED.sids | {Sid.parse("WD")})
    assert refused(denied_first, A.START, caller) == 5
    assert allowed(denied_first, A.STOP, caller) == A.STOP
    assert allowed(allowed_first, A.START, caller) == A.START
    assert refused(allowed_first, A.START | A.STOP, caller) == 5
    assert allowed(denied_first, A.START, UNPRIVILEGED) == A.START  # the denial is for others


def test_granted_combines_rights_of_all_groups() -> None:
    text = "D:(A;;RP;;;BU)(A;;WP;;;IU)"
    assert allowed(text, A.START | A.STOP, USER) == A.START | A.STOP
    assert refused(text, A.START | A.STOP | A.DELETE, USER) == 5


def test_granted_ignores_inherit_only_aces() -> None:
    assert refused("D:(A;CIIO;GA;;;WD)", A.START, USER) == 5
    assert allowed("D:(D;CIIO;GA;;;WD)(A;;RP;;;WD)", A.START, USER) == A.START


@pytest.mark.parametrize("dacl", ["D:NO_ACCESS_CONTROL", "O:SY"])
def test_granted_without_dacl_allows_all_access(dacl: str) -> None:
    assert allowed(dacl, A.ALL_ACCESS) == A.ALL_ACCESS
    assert allowed(dacl, MAXIMUM) == A.ALL_ACCESS
    assert refused(dacl, A.ACCESS_SYSTEM_SECURITY) == 1314


def test_granted_with_empty_dacl_refuses_every_right() -> None:
    assert refused("D:", A.QUERY_STATUS) == 5
    assert refused("D:", MAXIMUM) == 5
    assert allowed("D:", 0) == 0


def test_granted_maps_generic_rights_in_request_and_in_aces() -> None:
    assert allowed("D:(A;;GA;;;WD)", A.GENERIC_READ, USER) == 0x2008D
    assert allowed("D:(A;;GX;;;WD)", A.START | A.STOP, USER) == A.START | A.STOP
    assert refused("D:(A;;GX;;;WD)", A.GENERIC_WRITE, USER) == 5


@pytest.mark.parametrize(
    ("generic", "meaning"),
    [
        (M.GENERIC_READ, 0x20014),
        (M.GENERIC_WRITE, 0x20022),
        (M.GENERIC_EXECUTE, 0x20009),
        (M.GENERIC_ALL, M.ALL_ACCESS),
        (M.GENERIC_READ | M.DELETE, 0x30014),
    ],
)
def test_mapping_expands_generic_manager_rights(generic: int, meaning: int) -> None:
    assert MANAGER.map(int(generic)) == meaning


def test_owner_is_implicitly_granted_read_control_and_write_dac() -> None:
    implied = A.READ_CONTROL | A.WRITE_DAC
    empty = SecurityDescriptor(owner=OWNER.owner, dacl=Acl())
    assert allowed(empty, implied) == implied
    assert allowed(empty, MAXIMUM) == implied
    assert refused(empty, A.WRITE_OWNER) == 5
    denying = SecurityDescriptor.from_sddl("O:S-1-5-21-1-2-3-4D:(D;;RCWD;;;S-1-5-21-1-2-3-4)")
    assert allowed(denying, implied) == implied
    assert refused(SecurityDescriptor(owner=Sid.parse("SY"), dacl=Acl()), A.READ_CONTROL) == 5


def test_owner_rights_ace_replaces_implicit_owner_rights() -> None:
    text = "O:S-1-5-21-1-2-3-4D:(A;;RP;;;OW)"
    assert allowed(text, A.START) == A.START
    assert refused(text, A.READ_CONTROL) == 5
    assert refused("O:SYD:(A;;RP;;;OW)", A.START) == 5  # only for the owner
    assert allowed("O:S-1-5-21-1-2-3-4D:(A;IO;RP;;;OW)", A.READ_CONTROL) == A.READ_CONTROL


def test_access_system_security_requires_security_privilege() -> None:
    text = "D:(A;;GA;;;WD)"
    sacl = A.ACCESS_SYSTEM_SECURITY
    assert refused(text, sacl, ADMIN) == 1314
    assert refused(text, MAXIMUM | sacl, ADMIN) == 1314
    able = ADMIN.enabling("sesecurityprivilege")
    assert allowed(text, sacl | A.START, able) == sacl | A.START
    assert allowed(text, MAXIMUM | sacl, able) == sacl | A.ALL_ACCESS
    assert allowed(text, MAXIMUM, able) == A.ALL_ACCESS  # only if it is requested
    everything = SecurityDescriptor(dacl=Acl((Ace.allow("WD", A(0x010F01FF)),)))
    assert allowed(everything, MAXIMUM, USER) == A.ALL_ACCESS


def test_take_ownership_privilege_grants_write_owner() -> None:
    able = UNPRIVILEGED.enabling("SeTakeOwnershipPrivilege")
    assert allowed("D:", A.WRITE_OWNER, able) == A.WRITE_OWNER
    assert refused("D:", A.WRITE_OWNER | A.DELETE, able) == 5
    assert refused("D:", MAXIMUM, able) == 5


def test_maximum_allowed_with_explicit_right_requires_that_right() -> None:
    assert allowed("D:(A;;RPWP;;;WD)", MAXIMUM | A.START, USER) == A.START | A.STOP
    assert refused("D:(A;;RPWP;;;WD)", MAXIMUM | A.DELETE, USER) == 5


def test_granted_with_invalid_right_or_kind_raises() -> None:
    assert refused(DEFAULT_SERVICE_SECURITY, 0x8000, ADMIN) == 5


_BITS = (A.START, A.STOP, A.DELETE, A.READ_CONTROL, A.GENERIC_READ, A.GENERIC_EXECUTE)
_masks = st.sets(st.sampled_from(_BITS)).map(lambda bits: A(sum(map(int, bits))))
_aces = st.builds(
    lambda allow, sid, mask: (Ace.allow if allow else Ace.deny)(sid, mask),
    st.booleans(),
    st.sampled_from(["WD", "BU", "IU", "SY"]),
    _masks,
)


@given(st.lists(_aces, max_size=6).map(tuple), _masks)
def test_granted_matches_ms_dtyp_reference_algorithm(
    aces: tuple[Ace, ...], access: ServiceAccess
) -> None:
    """Check access with the algorithm of [MS-DTYP]: remove rights until one is denied."""
    left = wanted = SERVICE.map(int(access))
    ok = None
    for ace in aces:
        if ace.trustee in USER.sids and ok is None:
            mask = SERVICE.map(int(ace.access))
            if ace.type.name == "ALLOWED":
                left &= ~mask
            elif left & mask:
                ok = False
    ok = left == 0 if ok is None else ok
    descriptor = SecurityDescriptor(dacl=Acl(aces))
    if ok:
        assert allowed(descriptor, access, USER) == wanted
        assert not wanted or allowed(descriptor, MAXIMUM, USER) & wanted == wanted
    else:
        assert refused(descriptor, access, USER) == 5


def test_caller_reports_membership_privileges_and_refuses_wrong_types() -> None:
    assert ADMIN.is_member("BA")
    assert not USER.is_member("BUILTIN\\Administrators")
    assert SYSTEM.holds("SETCBPRIVILEGE")
    assert not SYSTEM.holds("SeSecurityPrivilege")  # held, but not enabled
    assert ADMIN.enabling("A", "b").privileges == ADMIN.privileges | {"A", "b"}
    identity = CallerIdentity(name="x", sids={"SY"}, privileges=["a"])  # type: ignore[arg-type]
    assert identity.sids == frozenset({Sid.parse("SY")})
    for wrong in ({"sids": "SY"}, {"privileges": "a"}, {"privileges": {1}}, {"name": 1}):
        with pytest.raises(TypeError):
            CallerIdentity(**{"name": "x", "sids": frozenset(), **wrong})  # type: ignore[arg-type]
