"""Checks of the files of a service: where they are, and who may read and change them."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from winsvc._scm.service import Service
from winsvc._values.account import Account, AccountKind
from winsvc.backend import FileBackend
from winsvc.enums import SecurityInformation, SidType
from winsvc.errors import UnsupportedError, ValidationError, Win32Error
from winsvc.host.doctor.findings import Finding, Severity
from winsvc.host.filerights import (
    CHANGE_FILE,
    CHANGE_FOLDER,
    EVERY_USER,
    READ_EXECUTE,
    WRITE,
    any_granted,
    granted,
    sid_of,
)
from winsvc.host.logfile import folder_problem, in_default_folder
from winsvc.security import (
    NULL_ACL,
    Acl,
    InvalidSecurityError,
    SecurityDescriptor,
    Sid,
    service_sid,
)
from winsvc.security.aces import AclLike

__all__ = ["FileChecks"]

# In the token of every service: Everyone, Authenticated Users, SERVICE, LOCAL, Users.
_EVERY_SERVICE: Final = tuple(
    map(Sid.parse, ("S-1-1-0", "S-1-5-11", "S-1-5-6", "S-1-2-0", "S-1-5-32-545"))
)
_ALL_SERVICES: Final = Sid.parse("S-1-5-80-0")
_ALSO_IN: Final = {
    AccountKind.LOCAL_SYSTEM: (Sid.parse("S-1-5-32-544"),),  # Administrators
    AccountKind.VIRTUAL: (_ALL_SERVICES,),
}


class FileChecks:
    """Checks of the files of one service."""

    def __init__(self, files: FileBackend, service: Service, account: str | None) -> None:
        self._files = files
        self._service = service
        self._account = account or "LocalSystem"
        self._checked: set[str] = set()

    def check_location(self, topic: str, path: str) -> Iterator[Finding]:
        """Check that a file is where a service finds it."""
        drive = ntpath.splitdrive(path)[0]
        local_form = drive.startswith(("\\\\?\\", "\\\\.\\"))
        if drive.startswith("\\\\") and not local_form:
            yield Finding(
                Severity.WARNING,
                topic,
                f"{path} is on another machine: LocalSystem accesses it as this machine's account, "
                "LocalService anonymously, and no account before the network is available",
            )
        elif drive and self._files.is_remote_drive(drive + "\\"):
            yield Finding(
                Severity.ERROR,
                topic,
                f"{path}: {drive} is a network drive, which exists only for the user who has "
                "connected it. Move the file to a local drive",
            )
        elif _in_a_profile(path):
            yield Finding(
                Severity.WARNING,
                topic,
                f"{path} is in a user's profile: other accounts may have no access, and the "
                "file is "
                r"deleted with the user. Move it to a folder in C:\Program Files",
            )

    def check_access(self, topic: str, path: str, wanted: int) -> Iterator[Finding]:
        """Check that the account has these rights to a file, and that users may not change it."""
        sids = self._sids()
        if sids is None:
            text = f"access of {self._account} to {path}: unknown; only its domain knows the groups"
            yield Finding(Severity.UNKNOWN, topic, text)
        elif (right := self._may(path, wanted, sids)) is None:
            yield Finding(
                Severity.UNKNOWN, topic, f"the security descriptor of {path} could not be read"
            )
        elif not right:
            what = "read and execute" if wanted == READ_EXECUTE else "read"
            yield Finding(
                Severity.ERROR,
                topic,
                f"{self._account} is not allowed to {what} {path}. Grant the right with icacls, or "
                "change the account of the service",
            )
        yield from self.check_writers(topic, path)

    def check_writers(self, topic: str, path: str) -> Iterator[Finding]:
        """Check that not every user may change a file, or the files of a folder; once for each."""
        if path in self._checked:
            return
        self._checked.add(path)
        if self._every_user_may_change(path):
            yield Finding(
                Severity.WARNING,
                topic,
                f"{path} is writable by all users, so any user can run code as {self._account}. "
                "Restrict write access to administrators",
            )

    def _every_user_may_change(self, path: str) -> bool:
        wanted = CHANGE_FOLDER if os.path.isdir(path) else CHANGE_FILE
        dacl = self._dacl(path)
        return dacl is NULL_ACL or (isinstance(dacl, Acl) and any_granted(dacl, EVERY_USER, wanted))

    def check_log_file(self, log: str) -> Iterator[Finding]:
        """Check that the service can write to its file for failures, and to no other by it."""
        file = Path(log)
        found = next((path for path in (file, *file.parents) if path.exists()), None)
        if found is None:
            yield Finding(Severity.WARNING, "log file", f"{log}: the drive does not exist")
            return
        yield from self._log_folder(file.parent)
        sids = self._sids()
        may = None if sids is None else self._may(str(found), WRITE, sids)
        if may is False:
            yield Finding(
                Severity.WARNING,
                "log file",
                f"{self._account} cannot write to {found}, so failures are only in the event log",
            )
        elif may:
            yield Finding(Severity.OK, "log file", log)
        else:
            yield Finding(Severity.UNKNOWN, "log file", f"write access to {log}: unknown")

    def _log_folder(self, folder: Path) -> Iterator[Finding]:
        """Check that no other user may redirect the service to another file."""
        problem: str | None = None
        if not folder.is_dir():
            if in_default_folder(str(folder / "x")):
                problem = (
                    f"{folder} does not exist, and any user can create it; install "
                    "the service again"
                )
        elif in_default_folder(str(folder / "x")):
            try:
                problem = folder_problem(self._files, str(folder))
            except (Win32Error, ValidationError) as error:
                yield Finding(Severity.UNKNOWN, "log file", str(error))
        elif self._every_user_may_change(str(folder)):
            problem = f"{folder} is writable by all users"
        if problem is not None:
            yield Finding(
                Severity.WARNING,
                "log file",
                f"{problem}; a link in it could redirect writes of {self._account} to other files",
            )

    def _may(self, path: str, wanted: int, sids: frozenset[Sid]) -> bool | None:
        """Return whether a file's DACL grants rights to these SIDs; None if it cannot be read."""
        dacl = self._dacl(path)
        if dacl is NULL_ACL:
            return True
        return granted(dacl, sids, wanted) if isinstance(dacl, Acl) else None

    def _dacl(self, path: str) -> AclLike | None:
        try:
            data = self._files.get_file_security(path, int(SecurityInformation.DACL))
            return SecurityDescriptor.from_bytes(data).dacl
        except (Win32Error, InvalidSecurityError):
            return None

    def _sids(self) -> frozenset[Sid] | None:
        """Return the account and the groups in its token; None where only a domain knows."""
        try:
            account = Account(self._account)
        except ValidationError:
            return None
        own = sid_of(account)
        if own is None:
            return None
        sids = {own, *_EVERY_SERVICE, *_ALSO_IN.get(account.kind, ())}
        if self._has_service_sid():
            sids |= {service_sid(self._service.name), _ALL_SERVICES}
        return frozenset(sids)

    def _has_service_sid(self) -> bool:
        try:
            return self._service.sid_type() != SidType.NONE
        except (Win32Error, UnsupportedError):
            return False


def _in_a_profile(path: str) -> bool:
    public = os.environ.get("PUBLIC", r"C:\Users\Public")
    users = ntpath.normcase(ntpath.dirname(public)).rstrip("\\") + "\\"
    own = ntpath.normcase(public).rstrip("\\") + "\\"
    given = ntpath.normcase(path)
    return given.startswith(users) and not given.startswith(own)
