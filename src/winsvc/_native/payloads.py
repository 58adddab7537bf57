"""The data of a control, copied because it is valid only until the control handler returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from _winsvc_cffi import ffi, lib

if TYPE_CHECKING:
    from _winsvc_cffi import AnyPointer

__all__ = ["LARGEST", "copy_payload"]

LARGEST: Final = 0x10000
"""The maximum size of a copy, in bytes; a larger length is considered invalid."""

_FIXED: Final = {
    int(lib.SERVICE_CONTROL_SESSIONCHANGE): ffi.sizeof("WTSSESSION_NOTIFICATION"),
    int(lib.SERVICE_CONTROL_TIMECHANGE): ffi.sizeof("SERVICE_TIMECHANGE_INFO"),
}
_DEVICE: Final = int(lib.SERVICE_CONTROL_DEVICEEVENT)
_DEVICE_HEADER: Final = ffi.sizeof("DEV_BROADCAST_HDR")
_POWER: Final = int(lib.SERVICE_CONTROL_POWEREVENT)
_POWER_SETTING: Final = int(lib.PBT_POWERSETTINGCHANGE)
_POWER_HEADER: Final = ffi.offsetof("POWERBROADCAST_SETTING", "Data")


def copy_payload(control: int, event_type: int, pointer: AnyPointer) -> bytes:
    """Copy the data to which ``lpEventData`` of a control handler points.

    The size is that of the structure, or the length in the structure: if the length exceeds
    :data:`LARGEST`, only the fixed part is copied. The result is empty for NULL, for controls
    without data, and for a device structure whose length is less than its header.
    """
    if not pointer:
        return b""
    size = _FIXED.get(control, 0)
    if control == _DEVICE:
        size = _device_size(pointer)
    elif control == _POWER and event_type == _POWER_SETTING:
        size = _setting_size(pointer)
    return bytes(ffi.buffer(ffi.cast("BYTE *", pointer), size)) if size else b""


def _device_size(pointer: AnyPointer) -> int:
    size = ffi.cast("DEV_BROADCAST_HDR *", pointer).dbch_size
    if size < _DEVICE_HEADER:
        return 0
    return size if size <= LARGEST else _DEVICE_HEADER


def _setting_size(pointer: AnyPointer) -> int:
    size = _POWER_HEADER + ffi.cast("POWERBROADCAST_SETTING *", pointer).DataLength
    return size if size <= LARGEST else _POWER_HEADER
