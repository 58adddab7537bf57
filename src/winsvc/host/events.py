"""Types for the data of controls.

:func:`decode` makes an :class:`Event` of a control's event type and of a copy of its data. It takes
whatever comes: what is missing becomes None, what is unknown keeps its number and its bytes. The
structures are those that Windows gives to a control handler in the process that decodes them.
"""

from __future__ import annotations

import string
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final, TypeAlias
from uuid import UUID

from winsvc.enums import Control, OpenEnum, OpenFlag

__all__ = [
    "CustomControl",
    "Device",
    "DeviceEvent",
    "DeviceEventKind",
    "DeviceHandle",
    "DeviceInterface",
    "DeviceOem",
    "DevicePort",
    "DeviceType",
    "DeviceVolume",
    "Event",
    "HardwareProfileChange",
    "HardwareProfileChangeKind",
    "OtherControl",
    "PowerEvent",
    "PowerEventKind",
    "SessionChange",
    "SessionChangeReason",
    "TimeChange",
    "UnknownDevice",
    "VolumeFlags",
    "decode",
]


# ------------------------------------------------------------------------------ kinds of events


class SessionChangeReason(OpenEnum):
    """The kinds of changes of a session (``WTS_CONSOLE_CONNECT`` and the like)."""

    CONSOLE_CONNECT = 1
    CONSOLE_DISCONNECT = 2
    REMOTE_CONNECT = 3
    REMOTE_DISCONNECT = 4
    SESSION_LOGON = 5
    SESSION_LOGOFF = 6
    SESSION_LOCK = 7
    SESSION_UNLOCK = 8
    SESSION_REMOTE_CONTROL = 9
    SESSION_CREATE = 10
    SESSION_TERMINATE = 11


class PowerEventKind(OpenEnum):
    """The kinds of power events (``PBT_APMSUSPEND`` and the like).

    Since Windows Vista only ``POWER_STATUS_CHANGE``, ``RESUME_AUTOMATIC``, ``RESUME_SUSPEND``,
    ``SUSPEND`` and ``POWER_SETTING_CHANGE`` come.
    """

    QUERY_SUSPEND = 0x0000
    QUERY_SUSPEND_FAILED = 0x0002
    SUSPEND = 0x0004
    RESUME_CRITICAL = 0x0006
    RESUME_SUSPEND = 0x0007
    BATTERY_LOW = 0x0009
    POWER_STATUS_CHANGE = 0x000A
    OEM_EVENT = 0x000B
    RESUME_AUTOMATIC = 0x0012
    POWER_SETTING_CHANGE = 0x8013


class DeviceEventKind(OpenEnum):
    """The kinds of device events (``DBT_DEVICEARRIVAL`` and the like)."""

    DEVNODES_CHANGED = 0x0007
    ARRIVAL = 0x8000
    QUERY_REMOVE = 0x8001
    QUERY_REMOVE_FAILED = 0x8002
    REMOVE_PENDING = 0x8003
    REMOVE_COMPLETE = 0x8004
    TYPE_SPECIFIC = 0x8005
    CUSTOM_EVENT = 0x8006


class DeviceType(OpenEnum):
    """The types of devices in device events (``DBT_DEVTYP_DEVICEINTERFACE`` and the like)."""

    OEM = 0
    DEVNODE = 1
    VOLUME = 2
    PORT = 3
    NET = 4
    INTERFACE = 5
    HANDLE = 6


class VolumeFlags(OpenFlag):
    """The kinds of volumes that arrive or leave (``DBTF_MEDIA`` and ``DBTF_NET``)."""

    MEDIA = 1
    NET = 2


class HardwareProfileChangeKind(OpenEnum):
    """The kinds of changes of the hardware profile (``DBT_CONFIGCHANGED`` and the like)."""

    QUERY_CHANGE_CONFIG = 0x0017
    CONFIG_CHANGED = 0x0018
    CONFIG_CHANGE_CANCELED = 0x0019


# ------------------------------------------------------------------------------ events


@dataclass(frozen=True, slots=True)
class Event:
    """The data of a control: one of the classes below."""


@dataclass(frozen=True, slots=True)
class CustomControl(Event):
    """A control of the author's own, 128 to 255, which says no more than its number.

    For every service that has ``on_custom()``; sent by ``ControlService``.

    Attributes:
        code: the control's code.
    """

    code: int


@dataclass(frozen=True, slots=True)
class SessionChange(Event):
    """A user logged on or off, locked or unlocked, connected or disconnected a session.

    ``SERVICE_CONTROL_SESSIONCHANGE`` with a ``WTSSESSION_NOTIFICATION``, for every service that
    has ``on_session_change()``.

    Attributes:
        reason: what happened.
        session_id: to which session; None if the data lacks it.
    """

    reason: SessionChangeReason
    session_id: int | None


@dataclass(frozen=True, slots=True)
class PowerEvent(Event):
    """The computer goes to sleep or wakes up, its power source or a power setting has changed.

    ``SERVICE_CONTROL_POWEREVENT``, for every service that has ``on_power()``. Power settings (a
    ``POWERBROADCAST_SETTING``) come only after :meth:`~winsvc.host.ServiceBase.watch_power`.

    Attributes:
        kind: what happened.
        setting: which power setting has changed; None for other kinds, or if the data lacks it.
        value: the setting's new value, as bytes; empty for other kinds.
    """

    kind: PowerEventKind
    setting: UUID | None = None
    value: bytes = b""

    @property
    def number(self) -> int | None:
        """The value of a setting whose value is a number (a ``DWORD``), as most are; else None."""
        return int.from_bytes(self.value, "little") if len(self.value) == 4 else None


@dataclass(frozen=True, slots=True)
class DeviceInterface:
    """An interface of a device (``DEV_BROADCAST_DEVICEINTERFACE``).

    Attributes:
        class_guid: the class of interfaces that it belongs to.
        path: the name by which it is opened.
    """

    class_guid: UUID
    path: str


@dataclass(frozen=True, slots=True)
class DeviceVolume:
    """One or more volumes (``DEV_BROADCAST_VOLUME``).

    Attributes:
        drives: their letters, such as ``("D", "E")``.
        flags: whether a medium came or went, or a drive on the net.
    """

    drives: tuple[str, ...]
    flags: VolumeFlags


@dataclass(frozen=True, slots=True)
class DevicePort:
    """A serial or parallel port (``DEV_BROADCAST_PORT``).

    Attributes:
        name: such as ``COM3``.
    """

    name: str


@dataclass(frozen=True, slots=True)
class DeviceHandle:
    """A device or file system by an open handle (``DEV_BROADCAST_HANDLE``).

    Comes only after a separate call to ``RegisterDeviceNotificationW`` has registered that handle.

    Attributes:
        handle: the handle that was registered.
        registration: what the registration returned.
        event: which event it is; only with ``DeviceEventKind.CUSTOM_EVENT``.
        name_offset: where in ``data`` the event's text begins; None without one.
        data: the event's data, and its text; only with ``DeviceEventKind.CUSTOM_EVENT``.
    """

    handle: int
    registration: int
    event: UUID | None = None
    name_offset: int | None = None
    data: bytes = b""

    @property
    def name(self) -> str | None:
        """The event's text; None without one."""
        return None if self.name_offset is None else _text(self.data[self.name_offset :])


@dataclass(frozen=True, slots=True)
class DeviceOem:
    """A device that is its manufacturer's to explain (``DEV_BROADCAST_OEM``).

    Attributes:
        identifier: which device.
        suppfunc: the manufacturer's own value.
    """

    identifier: int
    suppfunc: int


@dataclass(frozen=True, slots=True)
class UnknownDevice:
    """A device that this version cannot decode: of another type, or too short for its type.

    Attributes:
        type: its type; None where the data is too short to contain it.
        data: all of the event's data.
    """

    type: DeviceType | None
    data: bytes


Device: TypeAlias = (
    DeviceInterface | DeviceVolume | DevicePort | DeviceHandle | DeviceOem | UnknownDevice
)
"""The device of a device event (``DEV_BROADCAST_HDR`` and what follows it)."""


@dataclass(frozen=True, slots=True)
class DeviceEvent(Event):
    """A device came, went or is about to go.

    ``SERVICE_CONTROL_DEVICEEVENT``, for a service that has ``on_device()``, and only after
    :meth:`~winsvc.host.ServiceBase.watch_devices`, whose events have a :class:`DeviceInterface`.

    ``QUERY_REMOVE`` has been agreed to when it arrives here.

    Attributes:
        kind: what happened.
        device: to which device; None if the control has no data.
    """

    kind: DeviceEventKind
    device: Device | None


@dataclass(frozen=True, slots=True)
class HardwareProfileChange(Event):
    """The computer was docked or undocked, or is to be.

    ``SERVICE_CONTROL_HARDWAREPROFILECHANGE``, for every service that has
    ``on_hardware_profile()``.

    Attributes:
        kind: what happened.
    """

    kind: HardwareProfileChangeKind


@dataclass(frozen=True, slots=True)
class TimeChange(Event):
    """The system's clock was set.

    ``SERVICE_CONTROL_TIMECHANGE`` with a ``SERVICE_TIMECHANGE_INFO``, for every service that has
    ``on_time_change()``.

    Attributes:
        old: the time before, in UTC; None if the data lacks it, or Python cannot represent it.
        new: the time that was set, likewise.
    """

    old: datetime | None
    new: datetime | None


@dataclass(frozen=True, slots=True)
class OtherControl(Event):
    """A control that this version knows no event for, as it came.

    Attributes:
        control: the control.
        event_type: the ``dwEventType`` of the control handler.
        data: what was copied of its data.
    """

    control: Control
    event_type: int
    data: bytes


# ------------------------------------------------------------------------------ structures

# Nothing is padded with "<", nor needs to be: a GUID begins with a DWORD.
_SESSION: Final = Struct("<II")  # WTSSESSION_NOTIFICATION
_TIMES: Final = Struct("<qq")  # SERVICE_TIMECHANGE_INFO: the new one is the first
_SETTING: Final = Struct("<16sI")  # POWERBROADCAST_SETTING, up to its Data
_HEADER: Final = Struct("<III")  # DEV_BROADCAST_HDR: its size, its type, and 0
_OEM: Final = Struct("<12xII")
_VOLUME: Final = Struct("<12xIH")
_PORT: Final = Struct("<12x")  # up to its name
_INTERFACE: Final = Struct("<12x16s")  # up to its name
_HANDLE: Final = Struct("@IIIPP16si")  # two handles, an event, and where its text is

_FIRST_TIME: Final = datetime(1601, 1, 1, tzinfo=UTC)
CUSTOM_CONTROLS: Final = range(128, 256)
"""The controls that are the author's own."""


def decode(control: Control, event_type: int, data: bytes) -> Event:
    """Decode the event of a control; raise nothing, whatever the data is.

    Args:
        control: which control the handler was called with.
        event_type: its ``dwEventType``.
        data: a copy of what its ``lpEventData`` led to; empty for NULL.
    """
    if control in CUSTOM_CONTROLS:
        return CustomControl(int(control))
    decoder = _DECODERS.get(control)
    if decoder is None:
        return OtherControl(Control(control), event_type, data)
    return decoder(event_type, data)


def _session_change(event_type: int, data: bytes) -> SessionChange:
    complete = len(data) >= _SESSION.size
    session_id = _SESSION.unpack_from(data)[1] if complete else None
    return SessionChange(SessionChangeReason(event_type), session_id)


def _power_event(event_type: int, data: bytes) -> PowerEvent:
    kind = PowerEventKind(event_type)
    if kind is not PowerEventKind.POWER_SETTING_CHANGE or len(data) < _SETTING.size:
        return PowerEvent(kind)
    setting, length = _SETTING.unpack_from(data)
    value = data[_SETTING.size : _SETTING.size + length]
    return PowerEvent(kind, UUID(bytes_le=setting), value)


def _hardware_profile_change(event_type: int, data: bytes) -> HardwareProfileChange:
    return HardwareProfileChange(HardwareProfileChangeKind(event_type))


def _time_change(event_type: int, data: bytes) -> TimeChange:
    if len(data) < _TIMES.size:
        return TimeChange(None, None)
    new, old = _TIMES.unpack_from(data)
    return TimeChange(_time(old), _time(new))


def _time(ticks: int) -> datetime | None:
    """Return the time so many 100 ns after the beginning of 1601; None past the year 9999."""
    if ticks < 0:
        return None
    try:
        return _FIRST_TIME + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None


def _device_event(event_type: int, data: bytes) -> DeviceEvent:
    kind = DeviceEventKind(event_type)
    return DeviceEvent(kind, _device(kind, data) if data else None)


def _device(kind: DeviceEventKind, data: bytes) -> Device:
    if len(data) < _HEADER.size:
        return UnknownDevice(None, data)
    size, number, _ = _HEADER.unpack_from(data)
    known = data[:size]
    match DeviceType(number):
        case DeviceType.INTERFACE if len(known) >= _INTERFACE.size:
            (guid,) = _INTERFACE.unpack_from(known)
            return DeviceInterface(UUID(bytes_le=guid), _text(known[_INTERFACE.size :]))
        case DeviceType.VOLUME if len(known) >= _VOLUME.size:
            return _volume(*_VOLUME.unpack_from(known))
        case DeviceType.PORT if len(known) >= _PORT.size:
            return DevicePort(_text(known[_PORT.size :]))
        case DeviceType.HANDLE if len(known) >= _HANDLE.size:
            return _device_handle(kind, known)
        case DeviceType.OEM if len(known) >= _OEM.size:
            return DeviceOem(*_OEM.unpack_from(known))
        case other:
            return UnknownDevice(other, data)


def _volume(units: int, flags: int) -> DeviceVolume:
    drives = (letter for bit, letter in enumerate(string.ascii_uppercase) if units >> bit & 1)
    return DeviceVolume(tuple(drives), VolumeFlags(flags))


def _device_handle(kind: DeviceEventKind, data: bytes) -> DeviceHandle:
    *_, handle, registration, event, name_offset = _HANDLE.unpack_from(data)
    if kind is not DeviceEventKind.CUSTOM_EVENT:
        return DeviceHandle(handle, registration)  # the other fields are not filled in
    rest = data[_HANDLE.size :]
    has_name = 0 <= name_offset < len(rest)
    return DeviceHandle(
        handle, registration, UUID(bytes_le=event), name_offset if has_name else None, rest
    )


def _text(data: bytes) -> str:
    """UTF-16 up to its NUL, or to the end; half a character is none."""
    whole = len(data) & ~1
    return data[:whole].decode("utf-16-le", "surrogatepass").partition("\0")[0]


_DECODERS: Final[dict[int, Callable[[int, bytes], Event]]] = {
    Control.DEVICE_EVENT: _device_event,
    Control.HARDWARE_PROFILE_CHANGE: _hardware_profile_change,
    Control.POWER_EVENT: _power_event,
    Control.SESSION_CHANGE: _session_change,
    Control.TIME_CHANGE: _time_change,
}
