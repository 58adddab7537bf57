"""The access check: the rights that a DACL grants to a set of SIDs.

The rules are those of the Windows access check ([MS-DTYP] 2.5.3), except that integrity labels,
object ACEs and the conditions of conditional ACEs are not evaluated.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from winsvc.enums import DesktopAccess, ManagerAccess, ServiceAccess, WindowStationAccess
from winsvc.security.aces import AceFlags, AceType, Acl, AclLike
from winsvc.security.sids import Sid

__all__ = [
    "DESKTOP",
    "FILE",
    "MANAGER",
    "SERVICE",
    "WINDOW_STATION",
    "GenericMapping",
    "access_check",
    "allowed_rights",
    "map_generic",
]

_OWNER_RIGHTS: Final = Sid.parse("OW")
_IMPLIED_FOR_OWNER: Final = int(ServiceAccess.READ_CONTROL | ServiceAccess.WRITE_DAC)
_MAXIMUM_ALLOWED: Final = int(ServiceAccess.MAXIMUM_ALLOWED)
_ACCESS_SYSTEM_SECURITY: Final = int(ServiceAccess.ACCESS_SYSTEM_SECURITY)
_DENIED: Final = frozenset({AceType.DENIED})
# Windows treats a condition that it cannot evaluate as true in a denying ACE and as false in an
# allowing one.
_DENIED_OR_UNKNOWN: Final = frozenset({AceType.DENIED, AceType.DENIED_CALLBACK})


class GenericMapping(NamedTuple):
    """The rights that each generic right includes (``GENERIC_MAPPING``)."""

    read: int
    write: int
    execute: int
    all: int

    def map(self, access: int) -> int:
        """Replace generic rights by the specific ones (``MapGenericMask``)."""
        for place, rights in enumerate(self):  # from GENERIC_READ down to GENERIC_ALL
            generic = 0x80000000 >> place
            if access & generic:
                access = access & ~generic | rights
        return int(access)


_S: Final = ServiceAccess
_M: Final = ManagerAccess
_W: Final = WindowStationAccess
_D: Final = DesktopAccess
_READ: Final = _S.READ_CONTROL  # STANDARD_RIGHTS_READ, _WRITE and _EXECUTE are the same
_STANDARD: Final = 0xF0000  # STANDARD_RIGHTS_REQUIRED

SERVICE: Final = GenericMapping(
    read=_READ | _S.QUERY_CONFIG | _S.QUERY_STATUS | _S.INTERROGATE | _S.ENUMERATE_DEPENDENTS,
    write=_READ | _S.CHANGE_CONFIG,
    execute=_READ | _S.START | _S.STOP | _S.PAUSE_CONTINUE | _S.USER_DEFINED_CONTROL,
    all=_S.ALL_ACCESS,
)
MANAGER: Final = GenericMapping(
    read=_READ | _M.ENUMERATE_SERVICE | _M.QUERY_LOCK_STATUS,
    write=_READ | _M.CREATE_SERVICE | _M.MODIFY_BOOT_CONFIG,
    execute=_READ | _M.CONNECT | _M.LOCK,
    all=_M.ALL_ACCESS,
)
WINDOW_STATION: Final = GenericMapping(
    read=_READ | _W.ENUM_DESKTOPS | _W.ENUMERATE | _W.READ_ATTRIBUTES | _W.READ_SCREEN,
    write=_READ | _W.ACCESS_CLIPBOARD | _W.CREATE_DESKTOP | _W.WRITE_ATTRIBUTES,
    execute=_READ | _W.ACCESS_GLOBAL_ATOMS | _W.EXIT_WINDOWS,
    all=_STANDARD | _W.ALL_ACCESS,
)
DESKTOP: Final = GenericMapping(
    read=_READ | _D.ENUMERATE | _D.READ_OBJECTS,
    write=(
        _READ
        | _D.CREATE_MENU
        | _D.CREATE_WINDOW
        | _D.HOOK_CONTROL
        | _D.JOURNAL_PLAYBACK
        | _D.JOURNAL_RECORD
        | _D.WRITE_OBJECTS
    ),
    execute=_READ | _D.SWITCH_DESKTOP,
    all=_STANDARD | 0x1FF,
)
FILE: Final = GenericMapping(read=0x120089, write=0x120116, execute=0x1200A0, all=0x1F01FF)


def map_generic(access: ServiceAccess) -> ServiceAccess:
    """Replace generic rights by the service rights that they include."""
    return ServiceAccess(SERVICE.map(int(access)))


def allowed_rights(
    dacl: Acl,
    sids: Collection[Sid],
    mapping: GenericMapping,
    denying: Collection[AceType] = _DENIED,
) -> int:
    """Return all rights that the ACEs for these SIDs allow.

    The first ACE that names a right decides; inherit-only ACEs are ignored.
    """
    allowed = denied = 0
    for ace in dacl:
        if ace.trustee not in sids or ace.flags & AceFlags.INHERIT_ONLY:
            continue
        rights = mapping.map(int(ace.access))
        if ace.type == AceType.ALLOWED:
            allowed |= rights & ~denied
        elif ace.type in denying:
            denied |= rights
    return allowed


def access_check(
    dacl: AclLike | None,
    sids: Collection[Sid],
    desired: int,
    mapping: GenericMapping,
    *,
    owner: Sid | None = None,
    privileged: int = 0,
) -> int | None:
    """Return the rights of a handle that is opened with the desired ones (``AccessCheck``).

    Args:
        dacl: the DACL of the object; an absent or null one allows all rights.
        sids: the SIDs of the caller.
        desired: the desired rights, which may include generic rights and ``MAXIMUM_ALLOWED``.
        mapping: the meaning of the generic rights.
        owner: the owner of the object, who can read and write the DACL unless an ACE for OWNER
            RIGHTS limits this.
        privileged: the rights that the privileges of the caller grant in addition.

    Returns:
        The granted rights; None if access is denied.
    """
    desired = mapping.map(desired)
    maximum = desired & _MAXIMUM_ALLOWED
    desired &= ~_MAXIMUM_ALLOWED
    granted = privileged
    if isinstance(dacl, Acl):
        if owner in sids:
            sids = {*sids, _OWNER_RIGHTS}
            if not any(
                ace.trustee == _OWNER_RIGHTS and not ace.flags & AceFlags.INHERIT_ONLY
                for ace in dacl
            ):
                granted |= _IMPLIED_FOR_OWNER
        allowed = allowed_rights(dacl, sids, mapping, _DENIED_OR_UNKNOWN)
        granted |= allowed & ~_ACCESS_SYSTEM_SECURITY  # which only a privilege grants
    else:
        granted |= desired | (mapping.all if maximum else 0)
    if desired & ~granted or (maximum and not granted):
        return None
    return granted if maximum else desired
