"""The differences between Wine's service control manager and that of Windows.

A test of such a difference calls its fixture ``wine_differs`` with the name of the entry, so the
list contains every difference that the suite accepts.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

Differs: TypeAlias = Callable[[str], bool]
"""A function that returns whether the tested system is Wine with the named difference."""

WINE_DIFFERENCES = {
    "access-check": "a handle has all requested rights, for every caller",
    "backslash": 'the path "WinSta0\\Default" opens an object that is not a window station, 6',
    "change-deleted": "ChangeServiceConfig2W also changes a service that is marked for deletion",
    "circular": "a service may depend on itself (Windows: 1059)",
    "config-levels": "failure actions are dropped; levels 4-6, 8, 9, 12 (Wine 8: also 3) unknown",
    "delayed-start": "level 3 (SERVICE_CONFIG_DELAYED_AUTO_START_INFO) is unknown",
    "dependencies-read": "QueryServiceConfigW returns no dependencies, although they are stored",
    "dependencies-start": "dependencies are not started, and may be stopped",
    "dependents": "EnumDependentServicesW returns an empty list",
    "display-name-empty": 'the display name "" is stored, and finds its service',
    "display-of-key": "a display name may be the key name of another service (Windows: 1078)",
    "driver-account": "a driver has the account LocalSystem",
    "duplicate-display-name": "a display name must be unique (Windows: before 10 1709)",
    "error-control": "any number is accepted",
    "event-log": "events are written to stderr at most; every handle to the event log is valid",
    "event-log-names": "any name opens the log, also the name of a log without write access",
    "exit-code-of-start": "a failed start does not change the exit code",
    "group-none": 'the group "" (services without a group) is an unknown group, 1060',
    "key-name-default": "a service without a display name is not found by its key name",
    "lock": "every caller gets the lock, and QueryServiceLockStatusW is a stub",
    "long-name": "a key name that is too long is not invalid, but unknown (1060), or 31",
    "notify-deleted": "a deletion is not notified, and registrations are not refused for it",
    "missing-calls": "ControlServiceExW and QueryServiceDynamicInformation are missing",
    "preshutdown-default": "180 s (Windows: 10 s since 10 1709)",
    "process-death": "the end of a process is not noticed, or not reported as exit code 1067",
    "refused-control-status": "with error 1052 the status is uninitialized",
    "security": "a constant descriptor with an empty DACL is read; written descriptors are dropped",
    "socket-base": "a socket has no base handle (SIO_BASE_HANDLE), which trio requires",
    "start-deleted": "a service that is marked for deletion can be started",
    "start-ended": "the start of a service that ends while it starts fails with 1053",
    "status-type": "the type in the status of a service is the type at its creation",
    "switch-desktop": "Wine 8: SwitchDesktop does nothing, and the input desktop is the first one",
    "thread-desktop-station": "a thread cannot use a desktop of another window station, 5",
    "types": "the types 4, 8, 0x50 and 0x60 are unknown",
    "user-object-flags": "only dwFlags is stored and returned, not the inheritance of the handle",
    "user-object-info": "the SID of the user, the heap size and the input are not returned, 87",
    "user-object-security": "an empty descriptor is read; written descriptors are dropped",
}

WINE_CORRECTED = {"delayed-start": 10, "switch-desktop": 10}
"""The major versions of Wine in which a difference is corrected, if known."""


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
