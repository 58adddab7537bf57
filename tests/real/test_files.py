"""Files and folders with security descriptors, and the log file in them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from differences import on_wine

from winsvc.backend import FileBackend, default_backend
from winsvc.enums import SecurityInformation
from winsvc.errors import ValidationError, Win32Error
from winsvc.host import logfile
from winsvc.host.filerights import CHANGE_FOLDER, EVERY_USER, any_granted
from winsvc.host.program import default_log_file
from winsvc.security import Acl, SecurityDescriptor, Sid

DACL = int(SecurityInformation.DACL)


@pytest.fixture
def files() -> FileBackend:
    backend = default_backend().capabilities(None).files
    assert backend is not None
    return backend


def test_create_directory_with_descriptor_applies_its_dacl(
    files: FileBackend, tmp_path: Path
) -> None:
    folder = str(tmp_path / "a folder äöü")
    wanted = SecurityDescriptor.from_sddl("O:BAG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)").to_bytes()
    files.create_directory(folder, wanted)
    assert os.path.isdir(folder)
    found = SecurityDescriptor.from_bytes(files.get_file_security(folder, DACL))
    assert isinstance(found.dacl, Acl)
    assert not any_granted(found.dacl, EVERY_USER, CHANGE_FOLDER)
    with pytest.raises(Win32Error) as caught:
        files.create_directory(folder, wanted)
    assert (caught.value.winerror, caught.value.function) == (183, "CreateDirectoryW")
    files.set_file_security(folder, DACL, SecurityDescriptor.from_sddl("D:(A;;FA;;;WD)").to_bytes())
    found = SecurityDescriptor.from_bytes(files.get_file_security(folder, DACL))
    assert isinstance(found.dacl, Acl)
    assert any_granted(found.dacl, EVERY_USER, CHANGE_FOLDER)
    with pytest.raises(Win32Error, match="SetFileSecurityW"):
        files.set_file_security(str(tmp_path / "none"), DACL, wanted)
    with pytest.raises(ValidationError):
        files.create_directory(folder, b"none")


def test_lookup_account_returns_sid_or_raises_if_unknown(files: FileBackend) -> None:
    assert Sid.from_bytes(files.lookup_account_name(None, "Everyone")) == Sid.parse("S-1-1-0")
    with pytest.raises(Win32Error, match="LookupAccountNameW"):
        files.lookup_account_name(None, "no such account at all")


def test_lookup_account_sid_returns_domain_and_name(files: FileBackend) -> None:
    assert files.lookup_account_sid(None, Sid.parse("WD").to_bytes()) == ("", "Everyone")
    assert files.lookup_account_sid(None, Sid.parse("BA").to_bytes()) == (
        "BUILTIN",
        "Administrators",
    )
    with pytest.raises(Win32Error, match="LookupAccountSidW") as caught:
        files.lookup_account_sid(None, Sid.parse("S-1-5-21-1-2-3-4").to_bytes())
    assert caught.value.winerror == 1332


@pytest.mark.parametrize("data", [b"", bytes(7), b"\1\1" + bytes(6), b"\1\0" + bytes(7)])
def test_lookup_account_sid_with_malformed_sid_raises_before_the_call(
    files: FileBackend, data: bytes
) -> None:
    with pytest.raises(ValidationError, match="not a SID"):
        files.lookup_account_sid(None, data)


def test_make_log_file_grants_users_no_change_rights(
    files: FileBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    log = default_log_file("beat")
    for _ in range(2):
        logfile.make_log_file(files, log, {"beat": "LocalService"})
        with open(log, "a") as file:  # the system, which created the file, may do so
            file.write("x")
    assert os.listdir(tmp_path) == ["winsvc"]
    problem = logfile.folder_problem(files, os.path.dirname(log))
    if on_wine():  # Wine does not store owners: the owner is the current user
        assert problem is not None
        assert "is owned by" in problem
    else:
        assert problem is None
    for path in (log, os.path.dirname(log)):
        found = SecurityDescriptor.from_bytes(files.get_file_security(path, DACL))
        assert isinstance(found.dacl, Acl)
        assert not any_granted(found.dacl, EVERY_USER, CHANGE_FOLDER)
