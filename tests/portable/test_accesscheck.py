"""The access check of :mod:`winsvc.security.accesscheck` and its generic mappings."""

from __future__ import annotations

import pytest

from winsvc.enums import ServiceAccess
from winsvc.security import NULL_ACL, Ace, AceFlags, AceType, Acl, Sid
from winsvc.security.accesscheck import (
    DESKTOP,
    FILE,
    MANAGER,
    SERVICE,
    WINDOW_STATION,
    GenericMapping,
    access_check,
    allowed_rights,
)

OWN, OTHER, OWNER_RIGHTS = Sid.parse("BU"), Sid.parse("BA"), Sid.parse("OW")
READ, WRITE, EXECUTE, ALL = 0x80000000, 0x40000000, 0x20000000, 0x10000000
MAXIMUM = 0x02000000
READ_CONTROL, WRITE_DAC, SYSTEM_SECURITY = 0x20000, 0x40000, 0x1000000
ALLOWED, DENIED, CALLBACK = AceType.ALLOWED, AceType.DENIED, AceType.DENIED_CALLBACK


def entry(kind: AceType, access: int, trustee: Sid = OWN, flags: int = 0) -> Ace:
    data = b"artx\0\0\0\0" if kind is CALLBACK else b""
    rights, inheritance = ServiceAccess(access), AceFlags(flags)
    return Ace(type=kind, access=rights, trustee=trustee, flags=inheritance, data=data)


def check(desired: int, *entries: Ace, owner: Sid | None = None, privileged: int = 0) -> int | None:
    dacl = Acl(entries)
    return access_check(dacl, {OWN}, desired, SERVICE, owner=owner, privileged=privileged)


@pytest.mark.parametrize(
    ("mapping", "rights"),
    [
        (SERVICE, (0x2008D, 0x20002, 0x20170, 0xF01FF)),
        (MANAGER, (0x20014, 0x20022, 0x20009, 0xF003F)),
        (WINDOW_STATION, (0x20303, 0x2001C, 0x20060, 0xF037F)),
        (DESKTOP, (0x20041, 0x200BE, 0x20100, 0xF01FF)),
        (FILE, (0x120089, 0x120116, 0x1200A0, 0x1F01FF)),
    ],
)
def test_generic_mapping_of_each_kind_is_that_of_windows(
    mapping: GenericMapping, rights: tuple[int, int, int, int]
) -> None:
    assert tuple(mapping) == rights
    for generic, meaning in zip((READ, WRITE, EXECUTE, ALL), rights, strict=True):
        assert mapping.map(generic | 0x100000) == meaning | 0x100000
        assert type(mapping.map(generic)) is int


def test_missing_or_null_dacl_grants_everything() -> None:
    for dacl in (None, NULL_ACL):
        assert access_check(dacl, (), 0x10, SERVICE) == 0x10
        assert access_check(dacl, (), MAXIMUM, SERVICE) == SERVICE.all


def test_empty_dacl_denies_every_right_and_grants_none() -> None:
    assert check(0x10) is None
    assert check(MAXIMUM) is None
    assert check(0) == 0


def test_first_entry_for_a_right_decides() -> None:
    assert check(0x10, entry(ALLOWED, 0x10), entry(DENIED, 0x10)) == 0x10
    assert check(0x10, entry(DENIED, 0x10), entry(ALLOWED, 0x30)) is None
    assert check(MAXIMUM, entry(DENIED, 0x10), entry(ALLOWED, 0x30)) == 0x20


def test_entries_for_others_or_only_inherited_do_not_count() -> None:
    inherited = entry(ALLOWED, 0x10, flags=AceFlags.INHERIT_ONLY | AceFlags.CONTAINER_INHERIT)
    assert check(0x10, entry(ALLOWED, 0x10, OTHER), inherited) is None


def test_owner_may_read_and_write_the_dacl_unless_an_entry_says_otherwise() -> None:
    assert check(MAXIMUM, owner=OWN) == READ_CONTROL | WRITE_DAC
    assert check(READ_CONTROL, owner=OTHER) is None
    assert check(READ_CONTROL, entry(ALLOWED, 0x10, OWNER_RIGHTS), owner=OWN) is None
    assert check(0x10, entry(ALLOWED, 0x10, OWNER_RIGHTS), owner=OWN) == 0x10


def test_access_to_the_sacl_comes_from_a_privilege_alone() -> None:
    assert check(SYSTEM_SECURITY, entry(ALLOWED, SYSTEM_SECURITY)) is None
    assert check(SYSTEM_SECURITY, privileged=SYSTEM_SECURITY) == SYSTEM_SECURITY


def test_conditional_denial_counts_in_the_access_check_only() -> None:
    dacl = Acl((entry(CALLBACK, 0x10), entry(ALLOWED, 0x30)))
    assert access_check(dacl, {OWN}, MAXIMUM, SERVICE) == 0x20
    assert allowed_rights(dacl, {OWN}, SERVICE) == 0x30
