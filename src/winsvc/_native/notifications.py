"""Notifications: waits for what a thread of the compiled module has received."""

from __future__ import annotations

import math
import threading
import time
from typing import TYPE_CHECKING, Final

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import failure, handle_value, sc_handle
from winsvc._native.structs import decode_notification
from winsvc._values.rows import NotificationRow

if TYPE_CHECKING:
    from _winsvc_cffi import Pointer, winsvc_waiter

# Python handles Ctrl-C on the main thread, between two calls only.
_SLICE: Final = 50  # milliseconds
_LONGEST: Final = 0x7FFF_FFFF  # milliseconds; a longer wait is split


class Notifications:
    """The part of the backend for notifications."""

    def open_waiter(self) -> int:
        return handle_value(lib.winsvc_open_waiter(), "CreateEventW")

    def close_waiter(self, waiter: int) -> None:
        lib.winsvc_close_waiter(_pointer(waiter))

    def arm(self, waiter: int, handle: int, mask: int) -> None:
        code = lib.winsvc_arm(_pointer(waiter), sc_handle(handle), mask)
        if code:
            raise failure("NotifyServiceStatusChangeW", code)

    def subscribe(self, waiter: int, handle: int) -> None:
        code = lib.winsvc_subscribe(_pointer(waiter), sc_handle(handle))
        if code:
            raise failure("SubscribeServiceChangeNotifications", code)

    def disarm(self, waiter: int, handle: int) -> None:
        code = lib.winsvc_disarm(_pointer(waiter), sc_handle(handle))
        if code:
            raise failure("CloseServiceHandle", code)

    def wait_notified(
        self, waiter: int, timeout: float | None
    ) -> list[tuple[int, NotificationRow]]:
        pointer = _pointer(waiter)
        deadline = None if timeout is None else time.monotonic() + timeout
        on_main = threading.current_thread() is threading.main_thread()
        longest = _SLICE if on_main else _LONGEST
        while True:
            left = longest
            if deadline is not None:
                # Rounded up: a wait must not end early.
                left = min(max(0, math.ceil((deadline - time.monotonic()) * 1000)), longest)
            woken = lib.winsvc_wait(pointer, left) != lib.WAIT_TIMEOUT
            if woken or (deadline is not None and time.monotonic() >= deadline):
                return _take_all(pointer)

    def wake(self, waiter: int) -> None:
        lib.winsvc_wake(_pointer(waiter))


def _pointer(waiter: int) -> Pointer[winsvc_waiter]:
    return ffi.cast("WINSVC_WAITER", waiter)


def _take_all(waiter: Pointer[winsvc_waiter]) -> list[tuple[int, NotificationRow]]:
    """Take all notifications of a waiter."""
    handle, notify = ffi.new("SC_HANDLE *"), ffi.new("SERVICE_NOTIFY_2W *")
    taken: list[tuple[int, NotificationRow]] = []
    while lib.winsvc_take(waiter, handle, notify):
        try:
            row = decode_notification(notify)
        finally:
            lib.LocalFree(notify.pszServiceNames)
        taken.append((int(ffi.cast("uintptr_t", handle[0])), row))
    return taken
