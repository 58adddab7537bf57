"""Window stations and desktops: ``user32.dll``, through the compiled module."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import (
    FIRST_SIZE,
    WCHAR_SIZE,
    call_with_growing_buffer,
    check,
    failure,
    handle_of,
    handle_value,
    security_attributes,
    valid_descriptor,
    wide_or_null,
)
from winsvc._values.rows import UserObjectFlagsRow

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, HDESK, HWINSTA, HWND, LPWSTR, WCHAR, Array, Pointer

_CLASS_NAME_SIZE = 257  # the maximum length, and the NUL


class Desktops:
    """The part of the backend for window stations and desktops."""

    # ---------------------------------------------------------------------- window stations

    def enum_window_stations(self) -> list[str]:
        return _enumerate(
            "EnumWindowStationsW",
            lambda: lib.EnumWindowStationsW(lib.winsvc_enum_name, 0),
        ).names

    def open_window_station(self, name: str | None, inherit: bool, access: int) -> int:
        handle = lib.OpenWindowStationW(wide_or_null(name, "name"), inherit, access)
        return handle_value(handle, "OpenWindowStationW")

    def create_window_station(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        attributes, _referenced = security_attributes(inherit, descriptor)
        text = wide_or_null(name, "name")
        handle = lib.CreateWindowStationW(text, flags, access, attributes)
        return handle_value(handle, "CreateWindowStationW")

    def close_window_station(self, station: int) -> None:
        check(lib.CloseWindowStation(_hwinsta(station)), "CloseWindowStation")

    def get_process_window_station(self) -> int:
        return handle_value(lib.GetProcessWindowStation(), "GetProcessWindowStation")

    def set_process_window_station(self, station: int) -> None:
        check(lib.SetProcessWindowStation(_hwinsta(station)), "SetProcessWindowStation")

    def enum_desktops(self, station: int) -> list[str]:
        handle = _hwinsta(station)
        return _enumerate(
            "EnumDesktopsW", lambda: lib.EnumDesktopsW(handle, lib.winsvc_enum_name, 0)
        ).names

    # ---------------------------------------------------------------------- desktops

    def open_desktop(self, name: str | None, flags: int, inherit: bool, access: int) -> int:
        handle = lib.OpenDesktopW(wide_or_null(name, "name"), flags, inherit, access)
        return handle_value(handle, "OpenDesktopW")

    def open_input_desktop(self, flags: int, inherit: bool, access: int) -> int:
        return handle_value(lib.OpenInputDesktop(flags, inherit, access), "OpenInputDesktop")

    def create_desktop(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        attributes, _referenced = security_attributes(inherit, descriptor)
        text = wide_or_null(name, "name")
        handle = lib.CreateDesktopW(text, ffi.NULL, ffi.NULL, flags, access, attributes)
        return handle_value(handle, "CreateDesktopW")

    def close_desktop(self, desktop: int) -> None:
        check(lib.CloseDesktop(_hdesk(desktop)), "CloseDesktop")

    def get_current_thread_id(self) -> int:
        return lib.GetCurrentThreadId()

    def get_thread_desktop(self, thread_id: int) -> int:
        return handle_value(lib.GetThreadDesktop(thread_id), "GetThreadDesktop")

    def set_thread_desktop(self, desktop: int) -> None:
        check(lib.SetThreadDesktop(_hdesk(desktop)), "SetThreadDesktop")

    def switch_desktop(self, desktop: int) -> None:
        check(lib.SwitchDesktop(_hdesk(desktop)), "SwitchDesktop")

    def enum_desktop_windows(self, desktop: int) -> list[int]:
        handle = _hdesk(desktop)
        return _enumerate(
            "EnumDesktopWindows",
            lambda: lib.EnumDesktopWindows(handle, lib.winsvc_enum_window, 0),
        ).windows

    def get_window_text(self, window: int) -> str:
        hwnd = _hwnd(window)
        size = FIRST_SIZE // WCHAR_SIZE
        while True:
            text, length = _window_text(
                "InternalGetWindowText",
                lambda buffer, size: lib.InternalGetWindowText(hwnd, buffer, size),
                size,
            )
            if length < size - 1:
                return text
            size *= 2  # the text may be truncated

    def get_class_name(self, window: int) -> str:
        hwnd = _hwnd(window)
        text, _ = _window_text(
            "GetClassNameW",
            lambda buffer, size: lib.GetClassNameW(hwnd, buffer, size),
            _CLASS_NAME_SIZE,
        )
        return text

    # ---------------------------------------------------------------------- user objects

    def query_user_object_flags(self, user_object: int) -> UserObjectFlagsRow:
        # Wine writes only the last field; a new buffer is zeroed.
        buffer, _ = _information(user_object, lib.UOI_FLAGS)
        info = ffi.cast("USEROBJECTFLAGS *", buffer)
        return UserObjectFlagsRow(info.fInherit, info.fReserved, info.dwFlags)

    def query_user_object_text(self, user_object: int, index: int) -> str:
        buffer, _ = _information(user_object, index)
        return ffi.string(ffi.cast("wchar_t *", buffer))

    def query_user_object_number(self, user_object: int, index: int) -> int:
        buffer, _ = _information(user_object, index)
        return ffi.cast("ULONG *", buffer)[0]

    def query_user_object_sid(self, user_object: int) -> bytes | None:
        buffer, length = _information(user_object, lib.UOI_USER_SID)
        return bytes(ffi.buffer(buffer, length)) if length else None

    def set_user_object_flags(self, user_object: int, row: UserObjectFlagsRow) -> None:
        info = ffi.new("USEROBJECTFLAGS *")
        info.fInherit, info.fReserved, info.dwFlags = row
        size = ffi.sizeof("USEROBJECTFLAGS")
        done = lib.SetUserObjectInformationW(handle_of(user_object), lib.UOI_FLAGS, info, size)
        check(done, "SetUserObjectInformationW")

    def get_user_object_security(self, user_object: int, information: int) -> bytes:
        handle, parts = handle_of(user_object), ffi.new("DWORD *", information)
        buffer = call_with_growing_buffer(
            "GetUserObjectSecurity",
            lambda buffer, size, needed: lib.GetUserObjectSecurity(
                handle, parts, buffer, size, needed
            ),
        )
        return _self_relative(buffer)

    def set_user_object_security(
        self, user_object: int, information: int, descriptor: bytes
    ) -> None:
        buffer, parts = valid_descriptor(descriptor), ffi.new("DWORD *", information)
        done = lib.SetUserObjectSecurity(handle_of(user_object), parts, buffer)
        check(done, "SetUserObjectSecurity")


def _hwinsta(value: int) -> HWINSTA:
    return ffi.cast("HWINSTA", value)


def _hdesk(value: int) -> HDESK:
    return ffi.cast("HDESK", value)


def _hwnd(value: int) -> HWND:
    return ffi.cast("HWND", value)


def _information(user_object: int, index: int) -> tuple[Array[BYTE], int]:
    """Query one item of an object; return the buffer and the number of bytes used."""
    handle, length = handle_of(user_object), 0

    def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
        nonlocal length
        done = lib.GetUserObjectInformationW(handle, index, buffer, size, needed)
        length = needed[0]
        return done

    return call_with_growing_buffer("GetUserObjectInformationW", call), length


def _self_relative(descriptor: Array[BYTE]) -> bytes:
    """Return the descriptor's bytes; convert the absolute form, which Wine returns."""
    control, revision = ffi.new("SECURITY_DESCRIPTOR_CONTROL *"), ffi.new("DWORD *")
    done = lib.GetSecurityDescriptorControl(descriptor, control, revision)
    check(done, "GetSecurityDescriptorControl")
    if not control[0] & lib.SE_SELF_RELATIVE:
        absolute = descriptor

        def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
            needed[0] = size
            return lib.MakeSelfRelativeSD(absolute, buffer, needed)

        descriptor = call_with_growing_buffer("MakeSelfRelativeSD", call)
    return bytes(ffi.buffer(descriptor, lib.GetSecurityDescriptorLength(descriptor)))


def _window_text(
    function: str, call: Callable[[Pointer[WCHAR], int], int], size: int
) -> tuple[str, int]:
    """Query a text of a window and its length in 16-bit units; the text may be empty."""
    buffer = ffi.new("wchar_t[]", size)
    lib.SetLastError(0)
    length = call(buffer, size)
    if not length and lib.GetLastError():
        raise failure(function)
    return ffi.string(buffer), length


# ------------------------------------------------------------------------------- enumerations


class _Listing:
    """The results of one enumeration."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.windows: list[int] = []
        self.error: BaseException | None = None


class _EnumerationStack(threading.local):
    """The enumerations of a thread, innermost last: a signal handler may start another."""

    def __init__(self) -> None:
        self.listings: list[_Listing] = []


_enumerations = _EnumerationStack()


def _enumerate(function: str, call: Callable[[], int]) -> _Listing:
    """Call an enumeration function, whose callbacks run on this thread, and collect the results."""
    listing = _Listing()
    _enumerations.listings.append(listing)
    try:
        lib.SetLastError(0)
        done = call()
        # Without an error code the list is empty, or the callback ended the enumeration.
        error = failure(function) if not done and lib.GetLastError() else None
    finally:
        _enumerations.listings.remove(listing)
    if listing.error is not None:
        raise listing.error
    if error is not None:
        raise error
    return listing


def _store_error(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Store an exception of a callback for the caller; C receives FALSE, which ends the call."""
    _enumerations.listings[-1].error = error


@ffi.def_extern(name="winsvc_enum_name", error=0, onerror=_store_error)
def _add_name(name: LPWSTR, parameter: int) -> int:
    _enumerations.listings[-1].names.append(ffi.string(name))  # a copy: the system owns the text
    return 1


@ffi.def_extern(name="winsvc_enum_window", error=0, onerror=_store_error)
def _add_window(window: HWND, parameter: int) -> int:
    _enumerations.listings[-1].windows.append(int(ffi.cast("uintptr_t", window)))
    return 1
