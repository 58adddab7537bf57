"""Security descriptors: binary form, rights, and changes."""

from __future__ import annotations

import copy
import pickle
import re
import struct
from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winsvc.enums import SecurityInformation, ServiceAccess
from winsvc.security import (
    NULL_ACL,
    ORDINARY_USERS,
    Ace,
    AceFlags,
    AceType,
    Acl,
    ControlFlags,
    InvalidSecurityError,
    SecurityDescriptor,
    Sid,
    map_generic,
    right_names,
)

# The descriptor that the SCM keeps in the registry for many services: SACL, DACL, owner, group.
SERVICE_BYTES = bytes.fromhex(
    "01001480 90000000 9c000000 14000000 30000000"
    "02001c00 01000000"
    "02801400 ff010f00 01010000 00000001 00000000"
    "02006000 04000000"
    "00001400 fd010200 01010000 00000005 12000000"
    "00001800 ff010f00 01020000 00000005 20000000 20020000"
    "00001400 8d010200 01010000 00000005 0b000000"
    "00001800 fd010200 01020000 00000005 20000000 23020000"
    "01010000 00000005 12000000"
    "01010000 00000005 12000000"
)
SERVICE_SDDL = (
    "O:SYG:SY"
    "D:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;AU)(A;;CCLCSWRPWPDTLOCRRC;;;PU)"
    "S:(AU;FA;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;WD)"
)
START, STOP, DELETE = ServiceAccess.START, ServiceAccess.STOP, ServiceAccess.DELETE


def dacl(text: str) -> SecurityDescriptor:
    return SecurityDescriptor.from_sddl(f"D:{text}")


# --- the binary form ----------------------------------------------------------------------------


def test_descriptor_from_registry_bytes_round_trips() -> None:
    descriptor = SecurityDescriptor.from_bytes(SERVICE_BYTES)
    assert descriptor.to_sddl() == SERVICE_SDDL
    assert descriptor.to_bytes() == bytes(descriptor) == SERVICE_BYTES
    assert descriptor == SecurityDescriptor.from_sddl(SERVICE_SDDL)
    assert descriptor.owner == Sid.parse("SY")
    assert isinstance(descriptor.dacl, Acl)
    assert descriptor.dacl[1] == Ace.allow("BA", ServiceAccess.ALL_ACCESS)
    assert [ace.trustee for ace in descriptor.dacl[2:]] == [Sid.parse("AU"), Sid.parse("PU")]


def test_absent_null_and_empty_acls_stay_distinct() -> None:
    absent, null, empty = (
        SecurityDescriptor(dacl=acl, sacl=acl) for acl in (None, NULL_ACL, Acl())
    )
    assert len({absent, null, empty}) == 3
    assert absent.to_bytes() == bytes.fromhex("01000080" + "00" * 16)
    assert null.to_bytes() == bytes.fromhex("01001480" + "00" * 16)
    assert empty.to_bytes() == bytes.fromhex(
        "01001480 00000000 00000000 14000000 1c000000 0200080000000000 0200080000000000"
    )
    for descriptor in (absent, null, empty):
        assert SecurityDescriptor.from_bytes(descriptor.to_bytes()) == descriptor


def test_from_bytes_accepts_any_offsets_and_trailing_data() -> None:
    body = bytes.fromhex("0101000000000005 12000000")  # one SID, shared by owner and group
    head = struct.pack("<BBHIIII", 1, 0, 0x8000, 24, 24, 0, 0)
    descriptor = SecurityDescriptor.from_bytes(head + b"free" + body + b"more")
    assert descriptor == SecurityDescriptor(owner=Sid(5, (18,)), group=Sid(5, (18,)))


def test_from_bytes_acl_with_slack_drops_it() -> None:
    acl = bytes.fromhex("0200 2000 0100 0000 0000 1400 01000000 0101000000000005 12000000 00000000")
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20)
    descriptor = SecurityDescriptor.from_bytes(head + acl)
    assert descriptor.dacl == Acl((Ace.allow("SY", ServiceAccess.QUERY_CONFIG),))


def test_from_bytes_ignores_offsets_of_absent_parts() -> None:
    head = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0xFFFF, 0xFFFF)
    assert SecurityDescriptor.from_bytes(head) == SecurityDescriptor()


def test_control_flags_and_rm_control_round_trip() -> None:
    control = ControlFlags.RM_CONTROL_VALID | ControlFlags.DACL_TRUSTED
    descriptor = SecurityDescriptor(owner=Sid(5, (18,)), control=control, rm_control=0x5A)
    data = descriptor.to_bytes()
    assert data[:4] == bytes.fromhex("015a40c0")
    assert SecurityDescriptor.from_bytes(data) == descriptor
    assert descriptor.control == control | ControlFlags.SELF_RELATIVE


ABSOLUTE = struct.pack("<BBHIIII", 1, 0, 0x0004, 20, 20, 0, 20)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "20 bytes"),
        (SERVICE_BYTES[:19], "20 bytes"),
        (b"\2" + SERVICE_BYTES[1:], "revision"),
        (ABSOLUTE, "absolute"),
        (struct.pack("<BBHIIII", 1, 0, 0x8000, 4, 0, 0, 0), "header"),
        (struct.pack("<BBHIIII", 1, 0, 0x8000, 0xFFFFFFFF, 0, 0, 0), "truncated"),
        (struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20), "truncated"),
        (SERVICE_BYTES[:-1], "the group"),
        (SERVICE_BYTES[:20] + b"\2\0\xff\0" + SERVICE_BYTES[24:], "the SACL"),
        (SERVICE_BYTES[:48] + b"\2\0\xff\0" + SERVICE_BYTES[52:], "the DACL"),
    ],
)
def test_from_bytes_malformed_descriptor_raises(data: bytes, match: str) -> None:
    with pytest.raises(InvalidSecurityError, match=match):
        SecurityDescriptor.from_bytes(data)


@pytest.mark.parametrize(
    "acl",
    [
        "01000800 00000000",  # revision
        "05000800 00000000",
        "02000700 00000000",  # smaller than its header
        "02000900 00000000",  # larger than the data
        "02000800 01000000",  # an entry, but no room
        "02000c00 01000000 77000000",  # an entry of no bytes
        "02000c00 01000000 77000300",
        "02001000 01000000 77000600 00000000",  # not a multiple of 4
        "02000c00 01000000 77000800",  # larger than the list
        "02000c00 01000000 00000400",  # no mask
        "02001000 01000000 00000800 01000000",  # no trustee
        "02001c00 01000000 00001400 01000000 02010000 00000005 12000000",  # SID revision
        "02001c00 01000000 00001400 01000000 01020000 00000005 12000000",  # SID too long
        "02001000 01000000 05000800 01000000",  # no object flags
        "02001400 01000000 05000c00 01000000 03000000",  # no GUIDs
    ],
)
def test_from_bytes_malformed_acl_raises(acl: str) -> None:
    head = struct.pack("<BBHIIII", 1, 0, 0x8004, 0, 0, 0, 20)
    with pytest.raises(InvalidSecurityError):
        SecurityDescriptor.from_bytes(head + bytes.fromhex(acl))


def headings(descriptor: SecurityDescriptor) -> list[str]:
    """Return the first word of each part of a description."""
    lines = descriptor.describe().splitlines()
    return [re.split(r"\W", line)[0] for line in lines if not line.startswith(" ")]


def parts(descriptor: SecurityDescriptor) -> list[str]:
    """Return the headings of the parts that a descriptor has."""
    names = ("Owner", "Group", "DACL", "SACL")
    return [name for name in names if getattr(descriptor, name.lower()) is not None]


def is_read(data: bytes) -> bool:
    """Return whether a descriptor is read from data; it is then written and read again."""
    try:
        descriptor = SecurityDescriptor.from_bytes(data)
    except InvalidSecurityError:
        return False
    assert SecurityDescriptor.from_bytes(descriptor.to_bytes()) == descriptor
    assert headings(descriptor) == parts(descriptor)
    return True


def test_from_bytes_arbitrary_bytes_raise_or_round_trip() -> None:
    head = struct.pack("<BBHIIII", 1, 0, 0x8014, 0, 0, 20, 20)
    outcomes: Counter[bool] = Counter()

    @given(st.binary(max_size=200))
    @example(SERVICE_BYTES)
    @example(SERVICE_BYTES[20:48])  # a list alone
    @example(b"")
    def check(data: bytes) -> None:
        for attempt in (data, head + data, SERVICE_BYTES[: len(data)] + data):
            outcomes[is_read(attempt)] += 1

    check()
    assert outcomes[True] >= 2
    assert outcomes[False] >= 3


def test_from_bytes_with_corrupt_byte_raises_or_round_trips() -> None:
    outcomes: Counter[bool] = Counter()
    for position, byte in enumerate(SERVICE_BYTES):
        for value in {0, 1, 2, 4, 0x10, 0x7F, 0x80, 0xFF, byte ^ 1, byte ^ 0x80} - {byte}:
            data = bytearray(SERVICE_BYTES)
            data[position] = value
            outcomes[is_read(bytes(data))] += 1
    # A descriptor has more bytes of contents (rights, SIDs) than of structure.
    assert outcomes[True] > outcomes[False] > len(SERVICE_BYTES)


sids = st.builds(
    Sid,
    st.integers(0, 2**48 - 1),
    st.lists(st.integers(0, 2**32 - 1), max_size=15).map(tuple),
)
words = st.binary(max_size=24).map(lambda data: data[: len(data) // 4 * 4])
masks = st.integers(0, 2**32 - 1).map(ServiceAccess)
ace_flags = st.integers(0, 255).map(AceFlags)
OBJECT_TYPES = [5, 6, 7, 8, 0xB, 0xC, 0xF, 0x10]
PLAIN_TYPES = [0, 1, 2, 3, 9, 0xA, 0xD, 0xE, 0x11, 0x12, 0x13, 0x14, 0x15]


@st.composite
def object_data(draw: st.DrawFn) -> bytes:
    flags = draw(st.integers(0, 2**32 - 1))
    size = 16 * (flags & 3).bit_count()
    return struct.pack("<I", flags) + draw(st.binary(min_size=size, max_size=size))


plain_aces = st.builds(
    Ace,
    type=st.sampled_from(PLAIN_TYPES).map(AceType),
    access=masks,
    trustee=sids,
    flags=ace_flags,
    data=words,
)
object_aces = st.builds(
    Ace,
    type=st.sampled_from(OBJECT_TYPES).map(AceType),
    access=masks,
    trustee=sids,
    flags=ace_flags,
    object_data=object_data(),
    data=words,
)
unknown_aces = st.builds(
    Ace,
    type=st.integers(0x16, 0xFF).map(AceType) | st.just(AceType.ALLOWED_COMPOUND),
    flags=ace_flags,
    data=words,
)
acls = st.builds(
    Acl,
    st.lists(plain_aces | object_aces | unknown_aces, max_size=5).map(tuple),
    st.sampled_from([0, 2, 3, 4]),
)
descriptors = st.builds(
    SecurityDescriptor,
    owner=st.none() | sids,
    group=st.none() | sids,
    dacl=st.none() | st.just(NULL_ACL) | acls,
    sacl=st.none() | st.just(NULL_ACL) | acls,
    control=st.integers(0, 0xFFFF).map(ControlFlags),
    rm_control=st.integers(0, 255),
)


@given(descriptors)
def test_generated_descriptor_round_trips_as_bytes_and_pickle(
    descriptor: SecurityDescriptor,
) -> None:
    data = descriptor.to_bytes()
    again = SecurityDescriptor.from_bytes(data)
    assert again == descriptor
    assert again.to_bytes() == data
    assert hash(again) == hash(descriptor)
    assert pickle.loads(pickle.dumps(descriptor)) == copy.deepcopy(descriptor) == descriptor
    assert headings(descriptor) == parts(descriptor)


def test_to_bytes_beyond_size_limit_raises() -> None:
    entry = Ace(type=AceType.ALLOWED, trustee=Sid(5, (18,)), data=bytes(0xFF00))
    assert len(entry.to_bytes()) == 0xFF00 + 20
    with pytest.raises(InvalidSecurityError, match="65535"):
        Acl((entry, entry)).to_bytes()
    with pytest.raises(InvalidSecurityError, match="65535"):
        Ace(type=AceType(0x77), data=bytes(0xFFFC)).to_bytes()


# --- the values ---------------------------------------------------------------------------------


SYSTEM = Sid(5, (18,))


@pytest.mark.parametrize(
    "fields",
    [
        {"type": AceType.ALLOWED},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "access": -1},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "access": 2**32},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "flags": 256},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "data": b"odd"},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "object_data": bytes(4)},
        {"type": AceType.ALLOWED_OBJECT, "trustee": SYSTEM},
        {"type": AceType.ALLOWED_OBJECT, "trustee": SYSTEM, "object_data": b"\1\0\0\0"},
        {"type": 0x77, "trustee": SYSTEM},
        {"type": 0x77, "access": START},
        {"type": 256},
    ],
)
def test_ace_with_invalid_field_raises_invalid_security(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidSecurityError):
        Ace(**fields)


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "A", "trustee": SYSTEM},
        {"type": AceType.ALLOWED, "trustee": "SY"},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "access": "RP"},
        {"type": AceType.ALLOWED, "trustee": SYSTEM, "data": "text"},
    ],
)
def test_ace_with_field_of_wrong_type_raises_type_error(fields: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Ace(**fields)


def test_ace_keeps_unknown_bits_and_types() -> None:
    ace = Ace(type=AceType(0x77), flags=AceFlags(0x21), data=b"body")
    assert ace.type == 0x77
    assert ace.to_bytes() == bytes.fromhex("77210800") + b"body"
    allowed = Ace.allow("SY", ServiceAccess(0x00F00010))
    assert allowed.access == 0x00F00010
    assert ServiceAccess.START in allowed.access


def test_acl_supports_sequence_operations() -> None:
    first, second = Ace.allow("SY", START), Ace.deny("WD", STOP)
    acl = Acl((first, second))
    assert list(acl) == [first, second]
    assert len(acl) == 2
    assert second in acl
    assert acl[-1] == second
    assert acl[:1] == (first,)
    assert acl.revision == 2
    assert Acl([first]) == Acl((first,))  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        Acl(("SY",))  # type: ignore[arg-type]
    with pytest.raises(InvalidSecurityError):
        Acl((), 5)


def test_acl_with_object_entry_has_revision_four() -> None:
    ace = Ace(type=AceType.ALLOWED_OBJECT, trustee=Sid(5, (18,)), object_data=bytes(4))
    assert Acl((ace,)).revision == 4


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"owner": "SY"}, TypeError),
        ({"dacl": []}, TypeError),
        ({"sacl": ()}, TypeError),
        ({"control": "P"}, TypeError),
        ({"control": 0x10000}, InvalidSecurityError),
        ({"rm_control": 256}, InvalidSecurityError),
    ],
)
def test_descriptor_with_invalid_field_raises(
    fields: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        SecurityDescriptor(**fields)


def test_ace_audit_sets_type_and_flags() -> None:
    ace = Ace.audit("WD", DELETE, success=True)
    assert ace.type == AceType.AUDIT
    assert ace.flags == AceFlags.AUDIT_SUCCESS | AceFlags.AUDIT_FAILURE
    assert Ace.audit("WD", DELETE, success=True, failure=False).flags == AceFlags.AUDIT_SUCCESS


def test_parts_reports_present_components() -> None:
    info = SecurityInformation
    assert SecurityDescriptor().parts == 0
    assert SecurityDescriptor.from_bytes(SERVICE_BYTES).parts == (
        info.OWNER | info.GROUP | info.DACL | info.SACL
    )
    assert SecurityDescriptor(dacl=NULL_ACL).parts == info.DACL


# --- coerce -------------------------------------------------------------------------------------


def test_coerce_accepts_descriptor_bytes_and_sddl() -> None:
    descriptor = SecurityDescriptor.from_bytes(SERVICE_BYTES)
    assert SecurityDescriptor.coerce(descriptor) is descriptor
    for value in (SERVICE_BYTES, bytearray(SERVICE_BYTES), memoryview(SERVICE_BYTES), SERVICE_SDDL):
        assert SecurityDescriptor.coerce(value) == descriptor
    for wrong in (None, 5, ["D:"], object()):
        with pytest.raises(TypeError, match=type(wrong).__name__):
            SecurityDescriptor.coerce(wrong)
    with pytest.raises(InvalidSecurityError):
        SecurityDescriptor.coerce(b"")
    with pytest.raises(InvalidSecurityError):
        SecurityDescriptor.coerce("nonsense")


def test_coerce_takes_any_object_with_a_buffer() -> None:
    class Foreign(bytearray):  # as PySECURITY_DESCRIPTOR: a buffer under another type's name
        pass

    descriptor = SecurityDescriptor.coerce(Foreign(SERVICE_BYTES))
    assert descriptor.to_sddl() == SERVICE_SDDL


# --- rights -------------------------------------------------------------------------------------


def test_effective_returns_rights_of_caller() -> None:
    descriptor = SecurityDescriptor.from_bytes(SERVICE_BYTES)
    assert descriptor.effective("BA") == ServiceAccess.ALL_ACCESS
    assert descriptor.effective("S-1-5-11") == 0x2018D
    assert descriptor.effective("IU") == descriptor.effective() == 0


def test_effective_applies_aces_in_order() -> None:
    assert dacl("(D;;RP;;;WD)(A;;RPWP;;;WD)").effective("WD") == STOP
    assert dacl("(A;;RPWP;;;WD)(D;;RP;;;WD)").effective("WD") == START | STOP
    assert dacl("(A;OIIO;RP;;;WD)(A;ID;WP;;;WD)").effective("WD") == STOP
    assert dacl("(D;;RP;;;IU)(A;;RP;;;WD)").effective("WD") == START


def test_effective_with_several_sids_combines_their_aces() -> None:
    descriptor = dacl("(D;;RP;;;IU)(A;;RP;;;BU)(A;;WP;;;AU)")
    assert descriptor.effective("BU") == START
    assert descriptor.effective("BU", "AU") == START | STOP
    assert descriptor.effective("BU", "AU", "IU") == STOP


def test_effective_includes_everyone() -> None:
    assert dacl("(A;;RP;;;WD)").effective("SY") == START
    assert dacl("(D;;RP;;;WD)(A;;RPWP;;;SY)").effective("SY") == STOP


def test_effective_gives_owner_access_to_dacl_unless_owner_rights_limit_it() -> None:
    owned = SecurityDescriptor.from_sddl("O:BAD:(A;;RP;;;BU)")
    implied = ServiceAccess.READ_CONTROL | ServiceAccess.WRITE_DAC
    assert owned.effective("BA") == implied
    assert owned.effective("BU") == START
    limited = SecurityDescriptor.from_sddl("O:BAD:(A;;RC;;;OW)")
    assert limited.effective("BA") == ServiceAccess.READ_CONTROL


def test_effective_maps_generic_rights() -> None:
    assert dacl("(A;;GA;;;WD)").effective("WD") == ServiceAccess.ALL_ACCESS
    assert dacl("(A;;GR;;;WD)").effective("WD") == 0x2008D
    assert dacl("(A;;GW;;;WD)").effective("WD") == 0x20002
    assert dacl("(A;;GX;;;WD)").effective("WD") == 0x20170
    assert dacl("(D;;GX;;;WD)(A;;RPCC;;;WD)").effective("WD") == ServiceAccess.QUERY_CONFIG
    assert map_generic(START) == START


def test_effective_of_ordinary_users_includes_interactive_users() -> None:
    for trustee, rights in {"WD": START, "AU": START, "BU": START, "IU": START, "BA": 0}.items():
        assert dacl(f"(A;;RP;;;{trustee})").effective(*ORDINARY_USERS) == rights


def test_trustees_lists_each_sid_once_in_order() -> None:
    descriptor = dacl("(D;;RP;;;IU)(A;;RP;;;BU)(A;;WP;;;IU)(A;OIIO;RP;;;SY)")
    assert descriptor.trustees() == (Sid.parse("IU"), Sid.parse("BU"))
    assert SecurityDescriptor(dacl=NULL_ACL).trustees() == (Sid.parse("WD"),)
    assert SecurityDescriptor(dacl=Acl()).trustees() == ()


def test_rights_of_absent_dacl_raise_invalid_security() -> None:
    for query in (SecurityDescriptor().effective, SecurityDescriptor().trustees):
        with pytest.raises(InvalidSecurityError, match="no DACL; read it"):
            query()


def test_change_of_absent_or_null_dacl_raises() -> None:
    absent, null = SecurityDescriptor(), SecurityDescriptor(dacl=NULL_ACL)
    assert null.effective("WD") == ServiceAccess.ALL_ACCESS
    for descriptor, match in ((absent, "no DACL"), (null, "null")):
        for change in (descriptor.grant, descriptor.deny, descriptor.revoke):
            with pytest.raises(InvalidSecurityError, match=match):
                change("WD", START)
    assert SecurityDescriptor(dacl=Acl()).effective("WD") == 0


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "(A;;RP;;;BU)"),
        ("(A;;RP;;;BU)", "(A;;RP;;;BU)"),
        ("(A;;WP;;;BU)", "(A;;RPWP;;;BU)"),
        ("(A;;WP;;;BU)(A;;SD;;;BU)", "(A;;RPWP;;;BU)(A;;SD;;;BU)"),
        ("(D;;RPWP;;;BU)", "(D;;WP;;;BU)(A;;RP;;;BU)"),
        ("(D;;RP;;;BU)", "(A;;RP;;;BU)"),
        ("(A;;WP;;;WD)(D;;RP;;;WD)", "(D;;RP;;;WD)(A;;WP;;;WD)(A;;RP;;;BU)"),
        ("(A;ID;RP;;;BU)", "(A;;RP;;;BU)(A;ID;RP;;;BU)"),
        ("(D;ID;RP;;;BU)", "(A;;RP;;;BU)(D;ID;RP;;;BU)"),
        ("(A;IO;RP;;;BU)", "(A;IO;RP;;;BU)(A;;RP;;;BU)"),
        ("(D;;GX;;;BU)", "(D;;WPDTCRRC;;;BU)(A;;RP;;;BU)"),
    ],
)
def test_grant_rewrites_dacl_to_allow_right(before: str, after: str) -> None:
    changed = dacl(before).grant("BU", START)
    assert changed == dacl(after)
    assert changed.effective("BU") & START or "(D;;RP;;;WD)" in before


def test_deny_moves_right_to_denied_entry() -> None:
    assert dacl("(A;;RPWP;;;BU)").deny("BU", START) == dacl("(D;;RP;;;BU)(A;;WP;;;BU)")
    assert dacl("(A;;RP;;;BU)").deny("BU", START) == dacl("(D;;RP;;;BU)")
    assert dacl("(D;;WP;;;BU)").deny("BU", START) == dacl("(D;;RPWP;;;BU)")
    assert dacl("(A;;GA;;;SY)").deny("BU", START) == dacl("(D;;RP;;;BU)(A;;GA;;;SY)")


def test_revoke_removes_right_from_allowed_entries() -> None:
    assert dacl("(A;;RPWP;;;BU)").revoke("BU", START) == dacl("(A;;WP;;;BU)")
    assert dacl("(A;;RPWP;;;BU)(A;;SD;;;BU)(A;;RP;;;SY)").revoke("BU") == dacl("(A;;RP;;;SY)")
    assert dacl("(D;;RP;;;BU)").revoke("BU") == dacl("(D;;RP;;;BU)")
    assert dacl("(A;;GX;;;BU)").revoke("BU", START) == dacl("(A;;WPDTCRRC;;;BU)")


def test_grant_then_revoke_leaves_descriptor_unchanged() -> None:
    descriptor = SecurityDescriptor.from_sddl("O:SYG:BAD:P(A;;GA;;;SY)S:(AU;FA;GA;;;WD)")
    changed = descriptor.grant("NT SERVICE\\Spooler", START).revoke("NT SERVICE\\Spooler")
    assert changed == descriptor
    assert descriptor.grant("BU", ServiceAccess(0)) == descriptor


def test_grant_with_invalid_argument_raises() -> None:
    with pytest.raises(TypeError):
        dacl("").grant("BU", "RP")  # type: ignore[arg-type]
    with pytest.raises(InvalidSecurityError):
        dacl("").grant("BU", ServiceAccess(2**32))
    with pytest.raises(InvalidSecurityError):
        dacl("").grant("DA", START)


# The access check grants it to holders of a privilege only.
_PRIVILEGED = ServiceAccess.ACCESS_SYSTEM_SECURITY
few_sids = st.sampled_from([Sid.parse("SY"), Sid.parse("BU"), Sid.parse("WD")])
access_aces = st.builds(
    Ace,
    type=st.sampled_from([AceType.ALLOWED, AceType.DENIED]),
    access=masks,
    trustee=few_sids,
    flags=st.sampled_from([0, 8, 0x10, 0x18]).map(AceFlags),
)


@given(st.lists(access_aces, max_size=6), few_sids, few_sids, masks)
def test_grant_and_deny_are_idempotent_and_keep_other_entries(
    aces: list[Ace], sid: Sid, other: Sid, rights: int
) -> None:
    descriptor = SecurityDescriptor(dacl=Acl(tuple(aces)))
    access = map_generic(ServiceAccess(rights))
    granted = descriptor.grant(sid, access)
    own = SecurityDescriptor(dacl=Acl(tuple(ace for ace in aces if ace.trustee == sid)))
    assert own.grant(sid, access).effective(sid) & access == access & ~_PRIVILEGED
    assert granted.grant(sid, access) == granted
    denied = descriptor.deny(sid, access)
    assert denied.effective(sid) & access == 0
    assert denied.deny(sid, access) == denied
    assert denied.revoke(sid, access) == denied
    for changed in (granted, denied, descriptor.revoke(sid)):
        assert isinstance(changed.dacl, Acl)
        assert [ace for ace in changed.dacl if ace.is_inherited] == [
            ace for ace in aces if ace.is_inherited
        ]
        if other != sid:
            others = [ace for ace in changed.dacl if ace.trustee == other]
            assert sorted(map(bytes, others)) == sorted(
                bytes(ace) for ace in aces if ace.trustee == other
            )


# --- text ---------------------------------------------------------------------------------------


def test_right_names_returns_names_and_unknown_bits() -> None:
    assert right_names(START | STOP) == ("START", "STOP")
    assert right_names(ServiceAccess.ALL_ACCESS) == ("ALL_ACCESS",)
    assert right_names(0x10F01FF) == ("ALL_ACCESS", "ACCESS_SYSTEM_SECURITY")
    assert right_names(0x100010) == ("START", "0x100000")
    assert right_names(0) == ()


def test_describe_lists_owner_group_and_entries() -> None:
    text = (
        "O:SYG:S-1-5-21-1-2-3-513D:P(A;;GA;;;BA)(D;OI;RPWP;;;AN)(A;;;;;SY)"
        "S:(AU;FA;SD;;;WD)(ML;;NW;;;HI)"
    )
    assert SecurityDescriptor.from_sddl(text).describe() == "\n".join(
        [
            "Owner: NT AUTHORITY\\SYSTEM (SY)",
            "Group: S-1-5-21-1-2-3-513",
            "DACL (protected):",
            "  allowed BUILTIN\\Administrators (BA): GENERIC_ALL",
            "  denied NT AUTHORITY\\ANONYMOUS LOGON (AN): START, STOP [object_inherit]",
            "  allowed NT AUTHORITY\\SYSTEM (SY): none",
            "SACL:",
            "  audit Everyone (WD): DELETE [audit_failure]",
            "  mandatory label Mandatory Label\\High Mandatory Level (HI): policy 0x1",
        ]
    )
    assert SecurityDescriptor(dacl=NULL_ACL).describe() == (
        "DACL: null: all rights are allowed to everyone"
    )
    assert SecurityDescriptor(dacl=Acl()).describe() == "DACL: empty"
    assert SecurityDescriptor().describe() == ""
