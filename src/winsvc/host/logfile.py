r"""The file for failures, created so that no user can redirect a service to another file.

``%ProgramData%\winsvc`` may be created by any user, who would then own it. A link there would let
LocalSystem write to any file. So the folder is created when a service is installed, with its own
rights: administrators and the system write there, and others read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import Final

from winsvc._values.account import Account
from winsvc.backend import FileBackend
from winsvc.enums import ErrorCode, SecurityInformation
from winsvc.errors import ValidationError, Win32Error
from winsvc.host.filerights import CHANGE_FOLDER, TRUSTED, sid_of, untrusted_writers
from winsvc.host.program import default_log_file
from winsvc.security import Acl, InvalidSecurityError, SecurityDescriptor, Sid

__all__ = ["folder_problem", "in_default_folder", "make_log_file"]

_FOLDER: Final = "O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
_FILE: Final = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x120089;;;BU)"
_READ_WRITE: Final = "(A;;0x12019f;;;{})"  # FILE_GENERIC_READ, FILE_GENERIC_WRITE

_OWN_LIST: Final = SecurityInformation.DACL | SecurityInformation.PROTECTED_DACL


def make_log_file(files: FileBackend, log: str, accounts: Mapping[str, str]) -> None:
    """Make the file for failures, and its folder.

    In the default folder only the services' accounts may write to it, and no other user.
    Elsewhere the installing user has chosen the folder, and the file inherits its rights: it is
    created here if the system alone writes to it, otherwise by the services' accounts.

    Args:
        files: this machine's files.
        log: the full path of the file.
        accounts: of each service that has it, by its name.

    Raises:
        ValidationError: the default folder, or the file there, is a link, or belongs to a user.
        Win32Error: the system refused (``CreateDirectoryW``, ``SetFileSecurityW``).
        OSError: it could not be created.
    """
    sids = [_sid_of(files, account) for account in accounts.values()]
    if not in_default_folder(log):
        os.makedirs(os.path.dirname(log), exist_ok=True)
        if all(sid == _SYSTEM for sid in sids):
            open(log, "a").close()
        return
    _make_folder(files, os.path.dirname(log))
    if problem := _file_problem(files, log):
        raise ValidationError("log_file", f"{problem}; delete it, or specify another log file")
    open(log, "a").close()
    rights = {_READ_WRITE.format(sid) for sid in sids if sid not in (None, _SYSTEM)}
    wanted = SecurityDescriptor.from_sddl(_FILE + "".join(sorted(rights)))
    files.set_file_security(log, int(_OWN_LIST), wanted.to_bytes())


def in_default_folder(log: str) -> bool:
    """Return whether a file is in the folder that is used if no log file is specified."""
    folder, default = os.path.dirname(log), os.path.dirname(default_log_file("x"))
    return os.path.normcase(os.path.abspath(folder)) == os.path.normcase(default)


def folder_problem(files: FileBackend, folder: str) -> str | None:
    """Return the flaw that lets a user redirect writes in the default folder, or None.

    Raises:
        Win32Error: the folder's rights cannot be read (``GetFileSecurityW``).
        ValidationError: the folder's rights are invalid.
    """
    if _is_link(folder):
        return f"{folder} is a link"
    found = _security(files, folder)
    if found.owner is not None and found.owner not in TRUSTED:
        return f"{folder} is owned by {_shown(found.owner)}, not by the administrators"
    if not isinstance(found.dacl, Acl):
        return f"{folder} is writable by everyone"
    others = untrusted_writers(found.dacl, CHANGE_FOLDER)
    if others:
        return f"{folder} is writable by {', '.join(map(_shown, others))}"
    return None


def _is_link(path: str) -> bool:
    """Return whether it is a symbolic link, a junction or another reparse point."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    attributes: int = getattr(found, "st_file_attributes", 0)
    return stat.S_ISLNK(found.st_mode) or bool(attributes & _REPARSE_POINT)


_REPARSE_POINT: Final = 0x400  # FILE_ATTRIBUTE_REPARSE_POINT
_SYSTEM: Final = Sid.parse("S-1-5-18")


def _make_folder(files: FileBackend, folder: str) -> None:
    wanted = SecurityDescriptor.from_sddl(_FOLDER).to_bytes()
    try:
        files.create_directory(folder, wanted)
    except Win32Error as error:
        if error.winerror != ErrorCode.ALREADY_EXISTS:
            raise
    else:
        return
    if _is_link(folder) or not os.path.isdir(folder):
        raise ValidationError("log_file", f"{folder} is a link or a file, not a folder; delete it")
    found = _security(files, folder)
    if not _is_ours(files, found.owner, folder):
        raise ValidationError(
            "log_file",
            f"{folder} is owned by {_shown(found.owner)}, who can change every file in it. "
            "Check its content and delete it",
        )
    if not isinstance(found.dacl, Acl) or untrusted_writers(found.dacl, CHANGE_FOLDER):
        files.set_file_security(folder, int(_OWN_LIST), wanted)


def _file_problem(files: FileBackend, log: str) -> str | None:
    """Return the flaw of an existing file; None without a flaw."""
    try:
        found = os.lstat(log)
    except FileNotFoundError:
        return None
    if _is_link(log) or not stat.S_ISREG(found.st_mode) or found.st_nlink > 1:
        return f"{log} is a link or not a regular file"
    owner = _security(files, log).owner
    if not _is_ours(files, owner, os.path.dirname(log)):
        return f"{log} is owned by {_shown(owner)}"
    return None


def _is_ours(files: FileBackend, owner: Sid | None, beside: str) -> bool:
    """Return whether the owner is the system, the administrators, or that of every new file.

    The latter where no owners are kept, as in Wine: there a new folder has the same owner, too.
    """
    if owner in TRUSTED:
        return True
    probe = f"{beside}.{os.getpid()}.tmp"
    files.create_directory(probe, SecurityDescriptor.from_sddl(_FOLDER).to_bytes())
    try:
        return _security(files, probe).owner == owner
    finally:
        os.rmdir(probe)


def _security(files: FileBackend, path: str) -> SecurityDescriptor:
    parts = SecurityInformation.OWNER | SecurityInformation.DACL
    data = files.get_file_security(path, int(parts))
    try:
        return SecurityDescriptor.from_bytes(data)
    except InvalidSecurityError as error:
        raise ValidationError(
            "log_file", f"the security descriptor of {path} is invalid: {error}"
        ) from None


def _shown(sid: Sid | None) -> str:
    return "nobody" if sid is None else sid.name or str(sid)


def _sid_of(files: FileBackend, name: str) -> Sid | None:
    """Return an account's SID; None if it is unknown."""
    try:
        account = Account(name)
        if known := sid_of(account):
            return known
        return Sid.from_bytes(files.lookup_account_name(None, account.name.removeprefix(".\\")))
    except (Win32Error, ValidationError, InvalidSecurityError):
        return None
