"""What comes with a control, copied while it is there: until the control handler returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from _winsvc_cffi import ffi, lib

if TYPE_CHECKING:
    from _winsvc_cffi import AnyPointer

__all__ = ["LARGEST", "copy_payload"]

LARGEST: Final = 0x10000
"""The most that is copied, in bytes. A length beyond it is taken for noise."""

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
    """A copy of what the ``lpEventData`` of a control handler leads to.

    As long as its structure is, or says that it is: where that says more than :data:`LARGEST`,
    only the part that is there in any case. Nothing for NULL, for controls that bring nothing
    along, and for a device structure that says it is shorter than the header it starts with.
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
