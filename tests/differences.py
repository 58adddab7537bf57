"""The differences between Wine's service control manager and that of Windows.

A test that meets a difference calls its fixture ``wine_differs`` with the entry's name, so that the
list is complete for the tests, and no difference is skipped silently.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

Differs: TypeAlias = Callable[[str], bool]
"""Returns True if the tested system is a Wine that has the difference of this name."""

WINE_DIFFERENCES = {
    "access-check": "OpenServiceW and OpenSCManagerW grant all requested rights to every user",
    "backslash": 'the path "WinSta0\\Default" opens an object that is not a window station (6)',
    "change-deleted": "ChangeServiceConfig2W succeeds for a service that is marked for deletion",
    "circular": "a service may depend on itself (Windows: 1059)",
    "config-levels": "failure actions are ignored; levels 4-6, 8, 9, 12 (Wine 8: also 3) unknown",
    "delayed-start": "level 3 (SERVICE_CONFIG_DELAYED_AUTO_START_INFO) is unknown",
    "dependencies-read": "QueryServiceConfigW never returns dependencies, although they are stored",
    "dependencies-start": "dependencies are not started, and can be stopped before their dependents",
    "dependents": "EnumDependentServicesW always returns an empty list",
    "display-name-empty": 'the display name "" is stored, and GetServiceKeyNameW finds it',
    "display-of-key": "a display name may equal the key name of another service (Windows: 1078)",
    "driver-account": "a driver has the account LocalSystem",
    "duplicate-display-name": "duplicate display names are refused (Windows: since 10 1709)",
    "error-control": "any number is accepted",
    "event-log": "events are written to stderr or nowhere; every handle is accepted",
    "event-log-names": "any name opens the log, even the name of the read-only Security log",
    "exit-code-of-start": "a failed start does not change the exit code",
    "group-none": 'the group "" (services without a group) is an unknown group (1060)',
    "key-name-default": "GetServiceKeyNameW does not find a service without display name by its key",
    "lock": "several locks are granted at a time, and QueryServiceLockStatusW is a stub",
    "long-name": "a key name that is too long gives 1060 or 31 instead of 123",
    "notify-deleted": "a deletion is not notified, and 1072 is not returned for later requests",
    "missing-calls": "ControlServiceExW and QueryServiceDynamicInformation are missing",
    "preshutdown-default": "180 s (Windows: 10 s since 10 1709)",
    "process-death": "the end of a process is not noticed, or the exit code is not 1067",
    "refused-control-status": "the status that comes with error 1052 is invalid",
    "security": "every read returns the same descriptor with an empty DACL; writes are ignored",
    "socket-base": "the query SIO_BASE_HANDLE of a socket, which trio uses, fails",
    "start-deleted": "a service that is marked for deletion can be started",
    "start-ended": "StartServiceW fails with 1053 if the service stops while it starts",
    "status-type": "the type in a service's status is the type at its creation",
    "switch-desktop": "Wine 8: SwitchDesktop does nothing; the first desktop has the input",
    "thread-desktop-station": "SetThreadDesktop refuses desktops of other window stations (5)",
    "types": "the types 4, 8, 0x50 and 0x60 are unknown",
    "user-object-flags": "only dwFlags is returned and stored, not the inheritance of the handle",
    "user-object-info": "queries of the user's SID, the heap size and the input fail with 87",
    "user-object-security": "every read returns an empty descriptor; writes are ignored",
}

WINE_CORRECTED = {"delayed-start": 10, "switch-desktop": 10}
"""The first major versions of Wine that behave as Windows does, if known."""


def on_wine() -> bool:
    return wine_version() > 0


def wine_version() -> int:
    """Return the major version of Wine, or 0 on other systems."""
    if sys.platform != "win32":
        return 0
    else:  # noqa: RET505  # so that mypy sees two platforms, not an unreachable line
        from _winsvc_cffi import ffi, lib

        found = lib.wine_version()
        return 0 if found == ffi.NULL else int(ffi.string(found).split(b".")[0])


def wine_has(name: str) -> bool:
    """Return whether this system is a Wine that has the difference of this name."""
    assert name in WINE_DIFFERENCES
    return 0 < wine_version() < WINE_CORRECTED.get(name, 1 << 30)
