"""Event sources in the real registry.

Wine keeps no events (``event-log`` in ``differences.py``): events cannot be read back.
"""

from __future__ import annotations

import os
import sys
import winreg
from collections.abc import Callable, Iterator

import pytest
from real.process_handles import open_handles, settled_handles

from winsvc.backend import default_backend
from winsvc.enums import EventType
from winsvc.errors import AccessDeniedError, Win32Error
from winsvc.host.eventlog import (
    MESSAGE_FILE,
    EventSource,
    register_source,
    remove_source,
    source_problem,
)

assert sys.platform == "win32"

LOGS = r"SYSTEM\CurrentControlSet\Services\EventLog"
APPLICATION = rf"{LOGS}\Application"


@pytest.fixture
def source(unique_name: Callable[[], str]) -> Iterator[str]:
    """Provide a name that the test may register; delete the source afterwards."""
    name = unique_name()
    yield name
    for key in (rf"{APPLICATION}\{name}", rf"{LOGS}\System\{name}"):
        try:
            winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, key)
        except FileNotFoundError:
            pass


def values(source: str) -> dict[str, tuple[object, int]]:
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, rf"{APPLICATION}\{source}") as key:
        count = winreg.QueryInfoKey(key)[1]
        return {
            name: (value, kind)
            for name, value, kind in map(winreg.EnumValue, [key] * count, range(count))
        }


def test_register_source_writes_registry_values(source: str) -> None:
    register_source(source)
    assert values(source) == {
        "EventMessageFile": (MESSAGE_FILE, winreg.REG_EXPAND_SZ),
        "TypesSupported": (7, winreg.REG_DWORD),
    }
    assert "%" not in os.path.expandvars(MESSAGE_FILE)
    remove_source(source)
    with pytest.raises(FileNotFoundError):
        values(source)


def test_read_event_source_with_foreign_values_uses_defaults(source: str) -> None:
    path = rf"{APPLICATION}\{source}"
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
        assert default_backend().read_event_source(source) == ("", 0)
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_SZ, r"C:\one.dll;C:\two.dll")
        winreg.SetValueEx(key, "TypesSupported", 0, winreg.REG_SZ, "7")
        assert default_backend().read_event_source(source) == (r"C:\one.dll;C:\two.dll", 0)
        winreg.SetValueEx(key, "EventMessageFile", 0, winreg.REG_MULTI_SZ, ["a", "b"])
        assert default_backend().read_event_source(source) == ("", 0)
    assert register_source(source), "a source without a message file is registered by no program"


def test_register_source_of_another_log_raises_value_error(source: str) -> None:
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, rf"{LOGS}\System\{source}"):
        pass
    with pytest.raises(ValueError, match="is a source of the event log 'System'"):
        register_source(source)
    assert "'System'" in (source_problem(source) or "")
    assert not remove_source(source)


def test_delete_source_with_subkey_raises_access_denied(source: str) -> None:
    register_source(source)
    below = rf"{APPLICATION}\{source}\below"
    with winreg.CreateKey(winreg.HKEY_LOCAL_MACHINE, below):
        pass
    try:
        with pytest.raises(AccessDeniedError) as refused:  # a key with subkeys is not deleted
            default_backend().delete_event_source(source)
    finally:
        winreg.DeleteKey(winreg.HKEY_LOCAL_MACHINE, below)
    assert isinstance(refused.value, Win32Error)
    assert (refused.value.function, refused.value.winerror) == ("RegDeleteKeyW", 5)
    assert refused.value.object_name == source
    assert refused.value.strerror
    remove_source(source)


def test_event_source_calls_leave_no_handles(source: str) -> None:
    def all_of_it() -> None:
        register_source(source)
        writes = EventSource(source, default_backend())
        writes.write(EventType.INFORMATION, 1, "text")
        writes.close()
        source_problem(source)
        remove_source(source)

    all_of_it()
    before = open_handles()
    for _ in range(50):
        all_of_it()
    assert settled_handles(before) <= before
