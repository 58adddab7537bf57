"""Where Wine's service control manager answers otherwise than Windows does, and why.

A test that meets such a difference asks :func:`wine_differs` with the entry's name, so that the
list holds what the suite has met, and nothing is passed over in silence.
"""

from __future__ import annotations

import sys

WINE_DIFFERENCES = {
    "config-levels": "failure actions are dropped; levels 4-6, 8, 9, 12 (Wine 8: 3, too) unknown",
    "dependencies-read": "QueryServiceConfigW never tells dependencies, though they are stored",
    "dependents": "EnumDependentServicesW always finds none",
    "duplicate-display-name": "no display name may be given twice (Windows: since 10 1709)",
    "group-none": 'the group "" (services in no group) is an unknown group, 1060',
    "lock": "a lock is given to everybody, and QueryServiceLockStatusW is a stub",
    "missing-calls": "ControlServiceExW and QueryServiceDynamicInformation are not there",
    "security": "a constant descriptor with an empty DACL is read; what is written is dropped",
}


def wine_differs(name: str) -> bool:
    """Whether this run is on Wine, which has the difference of this name."""
    assert name in WINE_DIFFERENCES
    return on_wine()


def on_wine() -> bool:
    if sys.platform != "win32":
        return False
    else:  # noqa: RET505  # so that mypy sees two platforms, not an unreachable line
        from _winsvc_cffi import ffi, lib

        return lib.wine_version() != ffi.NULL
