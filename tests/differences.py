"""Where Wine's service control manager answers otherwise than Windows does, and why.

A test that meets such a difference asks its fixture ``wine_differs`` with the entry's name, so that
the list holds what the suite has met, and nothing is passed over in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeAlias

Differs: TypeAlias = Callable[[str], bool]
"""Whether what is tested is Wine's, which has the difference of this name."""

WINE_DIFFERENCES = {
    "access-check": "a handle is given with any rights that are asked for, whoever asks",
    "backslash": 'the path "WinSta0\\Default" leads to an object that is no window station, 6',
    "change-deleted": "ChangeServiceConfig2W changes a service that is marked for deletion, too",
    "circular": "a service may depend on itself (Windows: 1059)",
    "config-levels": "failure actions are dropped; levels 4-6, 8, 9, 12 (Wine 8: 3, too) unknown",
    "delayed-start": "level 3 (SERVICE_CONFIG_DELAYED_AUTO_START_INFO) is unknown",
    "dependencies-read": "QueryServiceConfigW never tells dependencies, though they are stored",
    "dependencies-start": "what a service depends on is neither started nor kept from stopping",
    "dependents": "EnumDependentServicesW always finds none",
    "display-name-empty": 'a display name that was set to "" is one, and finds its service',
    "display-of-key": "a display name may be the key name of another service (Windows: 1078)",
    "driver-account": "a driver has the account LocalSystem",
    "duplicate-display-name": "no display name may be given twice (Windows: since 10 1709)",
    "error-control": "any number is taken",
    "event-log": "events go to stderr if anywhere; every handle to it is good, whatever it was",
    "event-log-names": "any name opens the log, also that of one that nobody may write to",
    "exit-code-of-start": "a start that fails leaves the exit code as it was",
    "group-none": 'the group "" (services in no group) is an unknown group, 1060',
    "key-name-default": "a service without display name is not found by that of its key",
    "lock": "a lock is given to everybody, and QueryServiceLockStatusW is a stub",
    "long-name": "too long a key name is not invalid: none has it (1060), or 31",
    "notify-deleted": "nobody is told that a service is to be deleted, nor refused for it",
    "missing-calls": "ControlServiceExW and QueryServiceDynamicInformation are not there",
    "preshutdown-default": "180 s (Windows: 10 s since 10 1709)",
    "process-death": "the end of a process is not noticed, or not told by the exit code 1067",
    "refused-control-status": "with error 1052 the status is noise",
    "security": "a constant descriptor with an empty DACL is read; what is written is dropped",
    "socket-base": "a socket does not tell its base handle (SIO_BASE_HANDLE), which trio asks for",
    "start-deleted": "a service that is marked for deletion can be started",
    "start-ended": "a service that ends while it starts has not started, 1053",
    "status-type": "the type in a service's status is the one that it was made with",
    "switch-desktop": "Wine 8: SwitchDesktop does nothing, and the input desktop is the first one",
    "thread-desktop-station": "a thread cannot be assigned to a desktop of another window station, 5",
    "types": "the types 4, 8, 0x50 and 0x60 are unknown",
    "user-object-flags": "only dwFlags is returned and stored, not the inheritance of the handle",
    "user-object-info": "the user's SID, the heap size and the input state cannot be queried, 87",
    "user-object-security": "an empty descriptor is read; what is written is dropped",
}

WINE_CORRECTED = {"delayed-start": 10, "switch-desktop": 10}
"""The major versions of Wine that answer as Windows does, where this is known."""


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
