"""The rights that the security descriptor of a file or a folder grants, and their holders."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from winsvc._values.account import Account, AccountKind
from winsvc.security import AceFlags, AceType, Acl, Sid, service_sid
from winsvc.security.accesscheck import FILE, allowed_rights

__all__ = [
    "CHANGE_FILE",
    "CHANGE_FOLDER",
    "EVERY_USER",
    "READ",
    "READ_EXECUTE",
    "TRUSTED",
    "WRITE",
    "any_granted",
    "granted",
    "sid_of",
    "untrusted_writers",
]

READ: Final = 0x1  # FILE_READ_DATA
READ_EXECUTE: Final = 0x21  # and FILE_EXECUTE
WRITE: Final = 0x2  # FILE_WRITE_DATA of a file, FILE_ADD_FILE of a folder

# FILE_WRITE_DATA, FILE_APPEND_DATA, DELETE, WRITE_DAC, WRITE_OWNER: with any of them one may have
# a file be another. In a folder the second is FILE_ADD_SUBDIRECTORY, which may be a package.
CHANGE_FILE: Final = 0xD0006
CHANGE_FOLDER: Final = CHANGE_FILE | 0x40  # FILE_DELETE_CHILD

# In the token of everyone who may log on: Everyone, Authenticated Users, INTERACTIVE, Users.
EVERY_USER: Final = frozenset(map(Sid.parse, ("S-1-1-0", "S-1-5-11", "S-1-5-4", "S-1-5-32-545")))

# LocalSystem, Administrators, TrustedInstaller: they may do anything as it is.
TRUSTED: Final = frozenset(
    map(
        Sid.parse,
        (
            "S-1-5-18",
            "S-1-5-32-544",
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        ),
    )
)
_CREATOR_OWNER: Final = Sid.parse("S-1-3-0")  # of what is created there; no token has it

_SIDS: Final = {
    AccountKind.LOCAL_SYSTEM: Sid.parse("S-1-5-18"),
    AccountKind.LOCAL_SERVICE: Sid.parse("S-1-5-19"),
    AccountKind.NETWORK_SERVICE: Sid.parse("S-1-5-20"),
}


def sid_of(account: Account) -> Sid | None:
    """Return the SID of a built-in or virtual account; None for other accounts."""
    if account.kind is AccountKind.VIRTUAL:
        return service_sid(account.name.rpartition("\\")[2])
    return _SIDS.get(account.kind)


def granted(dacl: Acl, sids: Collection[Sid], wanted: int) -> bool:
    """Return whether the list of a file grants all the rights to a holder of these SIDs."""
    return not wanted & ~allowed_rights(dacl, sids, FILE)


def any_granted(dacl: Acl, sids: Collection[Sid], wanted: int) -> bool:
    """Return whether the list grants at least one of the rights."""
    return bool(wanted & allowed_rights(dacl, sids, FILE))


def untrusted_writers(dacl: Acl, wanted: int) -> list[Sid]:
    """Return the untrusted trustees to which an entry grants one of the rights."""
    return [
        ace.trustee
        for ace in dacl
        if ace.type == AceType.ALLOWED
        and ace.trustee is not None
        and not ace.flags & AceFlags.INHERIT_ONLY
        and FILE.map(int(ace.access)) & wanted
        and ace.trustee not in TRUSTED
        and ace.trustee != _CREATOR_OWNER
    ]
