"""The callers of the simulated system, and their access rights."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Final

from winsvc._util.checks import check_dword, check_type, type_error
from winsvc.enums import ErrorCode, ServiceAccess
from winsvc.security import SecurityDescriptor, Sid, SidLike
from winsvc.security.accesscheck import GenericMapping, access_check
from winsvc.testing.refusal import RefusalError

__all__ = [
    "DEFAULT_MANAGER_SECURITY",
    "DEFAULT_SERVICE_SECURITY",
    "SIMULATED_ACCOUNTS",
    "CallerIdentity",
    "granted",
]

# The default of Windows for a new service.
DEFAULT_SERVICE_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;BA)"
    "(A;;CCLCSWLOCRRC;;;IU)(A;;CCLCSWLOCRRC;;;SU)"
)
# Callers from the network can only connect. LocalSystem creates services as an administrator.
DEFAULT_MANAGER_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:SYG:SYD:(A;;CC;;;AU)(A;;CCLCRPRC;;;IU)(A;;CCLCRPRC;;;SU)(A;;CCLCRPWPRC;;;SY)(A;;KA;;;BA)"
    "(A;;CC;;;AC)S:(AU;FA;KA;;;WD)(AU;OIIOFA;GA;;;WD)"
)

_SYSTEM: Final = Sid.parse("SY")
_EVERY_LOGON: Final = ("WD", "AU", "BU", "S-1-5-15")
_AT_THE_CONSOLE: Final = ("IU", "S-1-2-0", "S-1-2-1")
# The SIDs of the accounts of the simulated machine.
_MACHINE: Final = (21, 1000, 2000, 3000)
_ADMINISTRATOR: Final = Sid(5, (*_MACHINE, 1001))
_USER: Final = Sid(5, (*_MACHINE, 1002))
SIMULATED_ACCOUNTS: Final = {_ADMINISTRATOR: "SIMULATED\\admin", _USER: "SIMULATED\\user"}

# Other privileges are disabled at first, even for LocalSystem; a program must enable them.
_ENABLED: Final = frozenset({"SeChangeNotifyPrivilege"})
_ENABLED_ELEVATED: Final = _ENABLED | {"SeImpersonatePrivilege", "SeCreateGlobalPrivilege"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerIdentity:
    """The account that a simulated program runs as.

    Attributes:
        name: the account's name.
        sids: the account's SID and those of its groups.
        privileges: the privileges that are held and enabled, such as ``"SeShutdownPrivilege"``,
            in any case.
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
    def administrator(cls) -> CallerIdentity:
        """Create an elevated administrator at the console who has enabled no privileges."""
        sids = _sids(_ADMINISTRATOR, "BA", "S-1-5-114", *_EVERY_LOGON, *_AT_THE_CONSOLE)
        return cls(name=SIMULATED_ACCOUNTS[_ADMINISTRATOR], sids=sids, privileges=_ENABLED_ELEVATED)

    @classmethod
    def user(cls) -> CallerIdentity:
        """Create a user at the console who is not an administrator."""
        sids = _sids(_USER, *_EVERY_LOGON, *_AT_THE_CONSOLE)
        return cls(name=SIMULATED_ACCOUNTS[_USER], sids=sids)

    @classmethod
    def remote_user(cls) -> CallerIdentity:
        """Create a remote user, who can connect but can neither list nor query services."""
        return cls(name=SIMULATED_ACCOUNTS[_USER], sids=_sids(_USER, *_EVERY_LOGON, "NU"))

    @classmethod
    def local_system(cls) -> CallerIdentity:
        """Create the account LocalSystem, as of a service."""
        sids = _sids(_SYSTEM, "BA", "SU", "S-1-2-0", "S-1-2-1", *_EVERY_LOGON)
        more = {"SeTcbPrivilege", "SeDebugPrivilege", "SeAuditPrivilege"}
        return cls(
            name="NT AUTHORITY\\SYSTEM", sids=sids, privileges=frozenset(_ENABLED_ELEVATED | more)
        )

    def enabling(self, *privileges: str) -> CallerIdentity:
        """Return a copy with these privileges enabled.

        ``"SeSecurityPrivilege"`` is for SACLs, ``"SeShutdownPrivilege"`` for reboot actions.
        """
        return replace(self, privileges=self.privileges.union(privileges))

    def holds(self, privilege: str) -> bool:
        """Return whether this privilege is held and enabled."""
        return privilege.casefold() in map(str.casefold, self.privileges)

    def is_member(self, sid: SidLike) -> bool:
        """Return whether this is the SID of the account or of one of its groups."""
        return Sid.coerce(sid) in self.sids


def _sids(*sids: SidLike) -> frozenset[Sid]:
    return frozenset(map(Sid.coerce, sids))


def _several(value: object, argument: str) -> Collection[Any]:
    if isinstance(value, (str, bytes)) or not isinstance(value, Collection):
        raise type_error(value, "a collection", argument)
    return value


def granted(
    descriptor: SecurityDescriptor, caller: CallerIdentity, access: int, mapping: GenericMapping
) -> int:
    """Return the rights of a handle that is opened with these.

    Args:
        descriptor: the security descriptor of the object.
        caller: the account that opens the object.
        access: the desired rights, which may contain generic ones and ``MAXIMUM_ALLOWED``.
        mapping: the generic rights of this kind of object.

    Raises:
        RefusalError: a desired right is not allowed (5), or ``ACCESS_SYSTEM_SECURITY`` was
            desired without ``SeSecurityPrivilege`` (1314).
    """
    desired = mapping.map(check_dword(access, "access"))
    # Privileges count only for rights that are desired by name.
    privileged = desired & int(ServiceAccess.ACCESS_SYSTEM_SECURITY)
    if privileged and not caller.holds("SeSecurityPrivilege"):
        raise RefusalError(ErrorCode.PRIVILEGE_NOT_HELD)
    if caller.holds("SeTakeOwnershipPrivilege"):
        privileged |= desired & int(ServiceAccess.WRITE_OWNER)
    rights = access_check(
        descriptor.dacl,
        caller.sids,
        desired,
        mapping,
        owner=descriptor.owner,
        privileged=privileged,
    )
    if rights is None:
        raise RefusalError(ErrorCode.ACCESS_DENIED)
    return rights
