"""Where Wine's service control manager answers otherwise than Windows does, and why.

A test that meets such a difference asks :func:`wine_differs` with the entry's name, so that the
list holds what the suite has met, and nothing is passed over in silence.
"""

from __future__ import annotations

import sys

WINE_DIFFERENCES = {
    "group-none": 'the group "" (services in no group) is an unknown group, 1060',
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
