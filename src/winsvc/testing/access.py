"""Who calls the simulated system, and what the security descriptors let them do."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

from winsvc._util.checks import check_dword, check_type
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess
from winsvc.errors import ArgumentError, service_error
from winsvc.security import (
    Ace,
    AceFlags,
    AceType,
    Acl,
    SecurityDescriptor,
    Sid,
    SidLike,
    map_generic,
)

__all__ = [
    "DEFAULT_MANAGER_SECURITY",
    "DEFAULT_SERVICE_SECURITY",
    "Caller",
    "Kind",
    "granted",
    "map_rights",
]

Kind: TypeAlias = Literal["service", "manager"]
"""What is opened: a service, or the service control manager."""

# What Windows gives a new service whose creator says nothing else.
DEFAULT_SERVICE_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)
# From the network one may only connect. LocalSystem creates services as the administrator it is.
DEFAULT_MANAGER_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:SYG:SYD:(A;;CC;;;AU)(A;;CCLCRPRC;;;IU)(A;;CCLCRPRC;;;SU)(A;;CCLCRPWPRC;;;SY)(A;;KA;;;BA)"
    "(A;;CC;;;AC)S:(AU;FA;KA;;;WD)(AU;OIIOFA;GA;;;WD)"
)

_OWNER_RIGHTS: Final = Sid.parse("OW")
_SYSTEM: Final = Sid.parse("SY")
_ADMINISTRATORS: Final = Sid.parse("BA")
_EVERY_LOGON: Final = ("WD", "AU", "BU", "S-1-5-15")
_AT_THE_CONSOLE: Final = ("IU", "S-1-2-0", "S-1-2-1")
# Accounts of a machine that does not exist.
_MACHINE: Final = (21, 1000, 2000, 3000)
_ADMINISTRATOR: Final = Sid(5, (*_MACHINE, 1001))
_USER: Final = Sid(5, (*_MACHINE, 1002))

# All others are held disabled at first, even by LocalSystem: a program has to enable them.
_ENABLED: Final = frozenset({"SeChangeNotifyPrivilege"})
_ENABLED_ELEVATED: Final = _ENABLED | {"SeImpersonatePrivilege", "SeCreateGlobalPrivilege"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The account that a simulated program runs as.

    Attributes:
        name: the account's name.
        sids: the account's SID and those of its groups.
        privileges: the privileges that are held and enabled, such as ``"SeShutdownPrivilege"``;
            upper and lower case are alike.
    """

    name: str
    sids: frozenset[Sid]
    privileges: frozenset[str] = _ENABLED

    def __post_init__(self) -> None:
        check_type(self.name, str, "name")
        put = object.__setattr__  # frozen
        put(self, "sids", frozenset(map(Sid.coerce, _several(self.sids, "sids"))))
        put(self, "privileges", frozenset(_several(self.privileges, "privileges")))
        for privilege in self.privileges:
            check_type(privilege, str, "privileges")

    @classmethod
    def administrator(cls) -> Caller:
        """An administrator at the machine, elevated, in whose process no privilege was enabled."""
        sids = _sids(_ADMINISTRATOR, "BA", "S-1-5-114", *_EVERY_LOGON, *_AT_THE_CONSOLE)
        return cls(name="SIMULATED\\admin", sids=sids, privileges=_ENABLED_ELEVATED)

    @classmethod
    def user(cls) -> Caller:
        """A user at the machine who is no administrator."""
        sids = _sids(_USER, *_EVERY_LOGON, *_AT_THE_CONSOLE)
        return cls(name="SIMULATED\\user", sids=sids)

    @classmethod
    def remote_user(cls) -> Caller:
        """A user from another machine: may connect, but neither list services nor see them."""
        return cls(name="SIMULATED\\user", sids=_sids(_USER, *_EVERY_LOGON, "NU"))

    @classmethod
    def local_system(cls) -> Caller:
        """A service that runs as LocalSystem."""
        sids = _sids(_SYSTEM, "BA", "SU", "S-1-2-0", "S-1-2-1", *_EVERY_LOGON)
        more = {"SeTcbPrivilege", "SeDebugPrivilege", "SeAuditPrivilege"}
        return cls(
            name="NT AUTHORITY\\SYSTEM", sids=sids, privileges=frozenset(_ENABLED_ELEVATED | more)
        )

    def enabling(self, *privileges: str) -> Caller:
        """The same with these privileges enabled, too.

        ``"SeSecurityPrivilege"`` is for SACLs, ``"SeShutdownPrivilege"`` for reboot actions.
        """
        return replace(self, privileges=self.privileges.union(privileges))

    def holds(self, privilege: str) -> bool:
        """Whether this privilege is held and enabled."""
        return privilege.casefold() in map(str.casefold, self.privileges)

    def is_member(self, sid: SidLike) -> bool:
        """Whether this is the account's SID or that of one of its groups."""
        return Sid.coerce(sid) in self.sids


def _sids(*sids: SidLike) -> frozenset[Sid]:
    return frozenset(map(Sid.coerce, sids))


def _several(value: object, argument: str) -> Collection[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise TypeError(f"{argument}: expected a set, not a single {type(value).__name__}")
    return value


_M: Final = ManagerAccess
# What the generic rights mean for the service control manager.
_MANAGER_MEANING: Final = {
    _M.GENERIC_READ: _M.READ_CONTROL | _M.ENUMERATE_SERVICE | _M.QUERY_LOCK_STATUS,
    _M.GENERIC_WRITE: _M.READ_CONTROL | _M.CREATE_SERVICE | _M.MODIFY_BOOT_CONFIG,
    _M.GENERIC_EXECUTE: _M.READ_CONTROL | _M.CONNECT | _M.LOCK,
    _M.GENERIC_ALL: _M.ALL_ACCESS,
}


def map_rights(access: int, kind: Kind) -> int:
    """The rights with the generic ones replaced by what they mean for this kind of object."""
    if kind == "service":
        return int(map_generic(ServiceAccess(access)))
    for generic, meaning in _MANAGER_MEANING.items():
        if access & generic:
            access = access & ~int(generic) | int(meaning)
    return access


_IMPLIED_FOR_OWNER: Final = int(ServiceAccess.READ_CONTROL | ServiceAccess.WRITE_DAC)
# A condition is not evaluated; Windows then takes a denying entry for met, an allowing one for not.
_DENYING: Final = frozenset({AceType.DENIED, AceType.DENIED_CALLBACK})


def granted(
    descriptor: SecurityDescriptor, caller: Caller, access: int, kind: Kind, function: str
) -> int:
    """The rights of a handle that is opened with these, as Windows' access check has it.

    An absent DACL allows everything, as a null one does. Integrity labels are not looked at.

    Args:
        descriptor: the object's.
        caller: who opens it.
        access: the rights that are asked for, generic ones and ``MAXIMUM_ALLOWED`` included.
        kind: what it is.
        function: the Windows function to name in an error.

    Raises:
        AccessDeniedError: something that was asked for is not allowed (5), or
            ``ACCESS_SYSTEM_SECURITY`` was without ``SeSecurityPrivilege`` (1314).
    """
    if kind not in ("service", "manager"):
        raise ArgumentError("kind", f"{kind!r} is neither 'service' nor 'manager'")
    asked = map_rights(check_dword(access, "access"), kind)
    maximum = asked & int(ServiceAccess.MAXIMUM_ALLOWED)
    asked &= ~maximum
    given = 0
    # Privileges count only for what was asked for by name, and before any entry.
    if asked & ServiceAccess.ACCESS_SYSTEM_SECURITY:
        if not caller.holds("SeSecurityPrivilege"):
            raise service_error(ErrorCode.PRIVILEGE_NOT_HELD, function)
        given |= int(ServiceAccess.ACCESS_SYSTEM_SECURITY)
    if asked & ServiceAccess.WRITE_OWNER and caller.holds("SeTakeOwnershipPrivilege"):
        given |= int(ServiceAccess.WRITE_OWNER)
    if isinstance(descriptor.dacl, Acl):
        given |= _allowed(descriptor, descriptor.dacl, caller, kind)
    else:
        given |= asked | (map_rights(int(ServiceAccess.GENERIC_ALL), kind) if maximum else 0)
    if asked & ~given or (maximum and not given):
        raise service_error(ErrorCode.ACCESS_DENIED, function)
    return given if maximum else asked


def _allowed(descriptor: SecurityDescriptor, dacl: Acl, caller: Caller, kind: Kind) -> int:
    """All that the entries allow: for each right the first entry that names it decides."""
    entries = [ace for ace in dacl if not ace.flags & AceFlags.INHERIT_ONLY]
    sids = caller.sids
    allowed = denied = 0
    if descriptor.owner in sids:
        sids |= {_OWNER_RIGHTS}
        if not any(ace.trustee == _OWNER_RIGHTS for ace in entries):
            allowed = _IMPLIED_FOR_OWNER
    for ace in entries:
        if ace.trustee not in sids:
            continue
        rights = _rights(ace, kind)
        if ace.type == AceType.ALLOWED:
            allowed |= rights & ~denied
        elif ace.type in _DENYING:
            denied |= rights
    return allowed


def _rights(ace: Ace, kind: Kind) -> int:
    """What an entry speaks of; nothing in a DACL gives access to the SACL."""
    return map_rights(int(ace.access), kind) & ~int(ServiceAccess.ACCESS_SYSTEM_SECURITY)
