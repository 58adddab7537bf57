"""The open handles of this process, to find leaks."""

from __future__ import annotations

import ctypes
import gc
import time

from _winsvc_cffi import ffi, lib

__all__ = ["open_handles", "settled_handles"]

_FREE = 64


def open_handles() -> int:
    """Return the number of open handles; on Wine, which does not count them, of the lower ones."""
    gc.collect()
    if not lib.wine_version():
        count = ffi.new("DWORD *")
        assert lib.GetProcessHandleCount(lib.GetCurrentProcess(), count)
        return int(count[0])
    kernel = ctypes.CDLL("kernel32")
    # New handles get the lowest free numbers, which are multiples of 4: the others below are open.
    free = [kernel.CreateEventW(None, 0, 0, None) for _ in range(_FREE)]
    for handle in free:
        kernel.CloseHandle(handle)
    return int(max(free)) // 4 - _FREE


def settled_handles(limit: int, seconds: float = 10) -> int:
    """Return the open handles once they are within the limit, or else at the end of the time."""
    deadline = time.monotonic() + seconds
    while (found := open_handles()) > limit and time.monotonic() < deadline:
        time.sleep(0.05)
    return found
