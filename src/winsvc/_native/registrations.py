"""Registration for device and power setting events: ``user32.dll``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import check, guid, handle_of, handle_value
from winsvc.errors import win32_error

if TYPE_CHECKING:
    from _winsvc_cffi import HANDLE


class HostRegistrations:
    """The part of the backend that registers a service for device and power events.

    The handles are a service's status handle, and the result of a registration.
    """

    def register_device_notification(self, handle: int, interface: bytes | None) -> int:
        function = "RegisterDeviceNotificationW"
        wanted = ffi.new("DEV_BROADCAST_DEVICEINTERFACE_W *")
        wanted.dbcc_size = ffi.sizeof("DEV_BROADCAST_DEVICEINTERFACE_W")
        wanted.dbcc_devicetype = lib.DBT_DEVTYP_DEVICEINTERFACE
        flags = lib.DEVICE_NOTIFY_SERVICE_HANDLE
        if interface is None:
            flags |= lib.DEVICE_NOTIFY_ALL_INTERFACE_CLASSES
        else:
            wanted.dbcc_classguid = guid(interface, "interface")[0]
        recipient = _recipient(handle, function)
        registration = lib.RegisterDeviceNotificationW(recipient, wanted, flags)
        return handle_value(registration, function)

    def unregister_device_notification(self, registration: int) -> None:
        function = "UnregisterDeviceNotification"
        _check_handle(registration, function)
        check(lib.UnregisterDeviceNotification(ffi.cast("HDEVNOTIFY", registration)), function)

    def register_power_setting_notification(self, handle: int, setting: bytes) -> int:
        function = "RegisterPowerSettingNotification"
        wanted, recipient = guid(setting, "setting"), _recipient(handle, function)
        flags = lib.DEVICE_NOTIFY_SERVICE_HANDLE
        registration = lib.RegisterPowerSettingNotification(recipient, wanted, flags)
        return handle_value(registration, function)

    def unregister_power_setting_notification(self, registration: int) -> None:
        function = "UnregisterPowerSettingNotification"
        _check_handle(registration, function)
        handle = ffi.cast("HPOWERNOTIFY", registration)
        check(lib.UnregisterPowerSettingNotification(handle), function)


def _recipient(handle: int, function: str) -> HANDLE:
    _check_handle(handle, function)
    return handle_of(handle)


def _check_handle(handle: int, function: str) -> None:
    """Refuse NULL as Windows does; Wine accepts it, or fails without an error code."""
    if not handle:
        raise win32_error(lib.ERROR_INVALID_HANDLE, function)
