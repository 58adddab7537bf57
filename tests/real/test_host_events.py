"""The data that Windows passes to a control handler: copied, decoded, and registered for."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from _winsvc_cffi import ffi, lib
from hypothesis import given, settings
from hypothesis import strategies as st

from winsvc import ErrorCode, ServiceManager, ValidationError, Win32Error
from winsvc._native import NativeBackend
from winsvc._native.payloads import LARGEST, copy_payload
from winsvc.enums import Control
from winsvc.host import events
from winsvc.host.events import (
    DeviceEvent,
    DeviceEventKind,
    DeviceHandle,
    DeviceInterface,
    DeviceOem,
    DevicePort,
    DeviceType,
    DeviceVolume,
    Event,
    PowerEvent,
    PowerEventKind,
    SessionChange,
    SessionChangeReason,
    TimeChange,
    UnknownDevice,
    VolumeFlags,
    decode,
)

if TYPE_CHECKING:
    from _winsvc_cffi import GUID, AnyPointer

DISK = UUID("53f56307-b6bf-11d0-94f2-00a0c91efb8b")
POWER_SOURCE = UUID("5d3e9a59-e9d5-4b00-a6bd-ff34ff516548")
PATH = r"\\?\STORAGE#Volume#näme \U0001f40d"

backend = NativeBackend()
# Wine is slow at times.
unhurried = settings(deadline=None)


def decoded(control: int, event_type: int, pointer: AnyPointer) -> Event:
    """Copy and decode the data of a control, as the host does."""
    return decode(Control(control), event_type, copy_payload(control, event_type, pointer))


def memory(data: bytes) -> AnyPointer:
    """Allocate a buffer of exactly this content."""
    return ffi.new("BYTE[]", list(data))


def guid(value: UUID) -> GUID:
    time_low, time_mid, time_high, *_ = value.fields
    return ffi.new("GUID *", (time_low, time_mid, time_high, list(value.bytes[8:])))[0]


# ------------------------------------------------------------------------------ layouts


def offsets(kind: str) -> list[int]:
    """Return the offsets of the fields of a structure."""
    fields = ffi.typeof(kind).fields
    return [field.offset for _, field in fields]


def test_event_layouts_match_compiled_structures() -> None:
    assert ffi.sizeof("WTSSESSION_NOTIFICATION") == events._SESSION.size == 8
    assert offsets("WTSSESSION_NOTIFICATION") == [0, 4]
    assert ffi.sizeof("SERVICE_TIMECHANGE_INFO") == events._TIMES.size == 16
    assert offsets("SERVICE_TIMECHANGE_INFO") == [0, 8]
    assert ffi.offsetof("SERVICE_TIMECHANGE_INFO", "liNewTime") == 0
    assert offsets("POWERBROADCAST_SETTING") == [0, 16, events._SETTING.size] == [0, 16, 20]
    assert ffi.sizeof("DEV_BROADCAST_HDR") == events._HEADER.size == 12
    assert offsets("DEV_BROADCAST_HDR") == [0, 4, 8]
    assert ffi.sizeof("DEV_BROADCAST_OEM") == events._OEM.size == 20
    assert offsets("DEV_BROADCAST_OEM") == [0, 4, 8, 12, 16]
    # The padding after the last field is not included.
    assert ffi.sizeof("DEV_BROADCAST_VOLUME") == 20
    assert offsets("DEV_BROADCAST_VOLUME") == [0, 4, 8, 12, events._VOLUME.size - 2]
    assert offsets("DEV_BROADCAST_PORT_W") == [0, 4, 8, events._PORT.size]
    assert offsets("DEV_BROADCAST_DEVICEINTERFACE_W") == [0, 4, 8, 12, events._INTERFACE.size]


def test_device_handle_layout_matches_compiled_structure() -> None:
    pointer = ffi.sizeof("void *")
    first = struct.calcsize("@IIIP") - pointer
    assert offsets("DEV_BROADCAST_HANDLE") == [
        *(0, 4, 8),
        first,
        first + pointer,
        first + 2 * pointer,
        first + 2 * pointer + 16,
        events._HANDLE.size,
    ]


# ------------------------------------------------------------------------------ from structures


@unhurried
@given(st.integers(0, 0xFFFFFFFF), st.sampled_from(SessionChangeReason))
def test_decode_session_change_returns_reason_and_session(
    session: int, reason: SessionChangeReason
) -> None:
    info = ffi.new("WTSSESSION_NOTIFICATION *", (8, session))
    event = decoded(lib.SERVICE_CONTROL_SESSIONCHANGE, reason, info)
    assert event == SessionChange(reason, session)


def test_decode_time_change_returns_old_and_new_time() -> None:
    info = ffi.new("SERVICE_TIMECHANGE_INFO *")
    info.liNewTime.QuadPart = 133_485_408_000_000_000
    info.liOldTime.QuadPart = 116_444_736_000_000_000
    assert decoded(lib.SERVICE_CONTROL_TIMECHANGE, 0, info) == TimeChange(
        old=datetime(1970, 1, 1, tzinfo=UTC),
        new=datetime(2024, 1, 1, tzinfo=UTC),
    )


@unhurried
@given(st.binary(max_size=40))
def test_decode_power_setting_returns_guid_and_value(value: bytes) -> None:
    room = ffi.new("BYTE[]", 20 + max(1, len(value)))
    info = ffi.cast("POWERBROADCAST_SETTING *", room)
    info.PowerSetting = guid(POWER_SOURCE)
    info.DataLength = len(value)
    ffi.memmove(info.Data, value, len(value))
    event = decoded(lib.SERVICE_CONTROL_POWEREVENT, lib.PBT_POWERSETTINGCHANGE, info)
    assert event == PowerEvent(PowerEventKind.POWER_SETTING_CHANGE, POWER_SOURCE, value)
    event = decoded(lib.SERVICE_CONTROL_POWEREVENT, lib.PBT_APMSUSPEND, info)
    assert event == PowerEvent(PowerEventKind.SUSPEND)


def decoded_device(info: AnyPointer, kind: DeviceEventKind = DeviceEventKind.ARRIVAL) -> object:
    event = decoded(lib.SERVICE_CONTROL_DEVICEEVENT, kind, info)
    assert isinstance(event, DeviceEvent)
    assert event.kind is kind
    return event.device


@unhurried
@given(st.text(st.characters(exclude_characters="\0")))
def test_decode_device_interface_returns_class_and_path(path: str) -> None:
    text = f"{path}\0".encode("utf-16-le", "surrogatepass")
    size = 28 + len(text)
    room = ffi.new("BYTE[]", max(size, ffi.sizeof("DEV_BROADCAST_DEVICEINTERFACE_W")))
    info = ffi.cast("DEV_BROADCAST_DEVICEINTERFACE_W *", room)
    info.dbcc_size = size
    info.dbcc_devicetype = lib.DBT_DEVTYP_DEVICEINTERFACE
    info.dbcc_classguid = guid(DISK)
    ffi.memmove(info.dbcc_name, text, len(text))
    assert decoded_device(info) == DeviceInterface(DISK, path)


def test_decode_volume_returns_drive_letters_and_flags() -> None:
    info = ffi.new("DEV_BROADCAST_VOLUME *")
    info.dbcv_size = ffi.sizeof("DEV_BROADCAST_VOLUME")
    info.dbcv_devicetype = lib.DBT_DEVTYP_VOLUME
    info.dbcv_unitmask = 1 << 3 | 1 << 25
    info.dbcv_flags = lib.DBTF_MEDIA
    assert decoded_device(info) == DeviceVolume(("D", "Z"), VolumeFlags.MEDIA)


def test_decode_port_returns_its_name() -> None:
    text = ffi.new("wchar_t[]", "COM3")
    room = ffi.new("BYTE[]", 12 + ffi.sizeof(text))
    info = ffi.cast("DEV_BROADCAST_PORT_W *", room)
    info.dbcp_size = ffi.sizeof(room)
    info.dbcp_devicetype = lib.DBT_DEVTYP_PORT
    ffi.memmove(info.dbcp_name, text, ffi.sizeof(text))
    assert decoded_device(info, DeviceEventKind.REMOVE_COMPLETE) == DevicePort("COM3")


def test_decode_oem_device_returns_identifier_and_function() -> None:
    info = ffi.new("DEV_BROADCAST_OEM *")
    info.dbco_size = ffi.sizeof("DEV_BROADCAST_OEM")
    info.dbco_devicetype = lib.DBT_DEVTYP_OEM
    info.dbco_identifier = 7
    info.dbco_suppfunc = 0xFFFFFFFF
    assert decoded_device(info) == DeviceOem(7, 0xFFFFFFFF)


def test_decode_device_handle_returns_custom_event_data() -> None:
    data = b"\x01\x02" + PATH.encode("utf-16-le") + b"\0\0"
    start = ffi.offsetof("DEV_BROADCAST_HANDLE", "dbch_data")
    room = ffi.new("BYTE[]", start + len(data))
    info = ffi.cast("DEV_BROADCAST_HANDLE *", room)
    info.dbch_size = ffi.sizeof(room)
    info.dbch_devicetype = lib.DBT_DEVTYP_HANDLE
    info.dbch_handle = ffi.cast("HANDLE", -2)
    info.dbch_hdevnotify = ffi.cast("HDEVNOTIFY", 5)
    info.dbch_eventguid = guid(DISK)
    info.dbch_nameoffset = 2
    ffi.memmove(info.dbch_data, data, len(data))
    handle = int(ffi.cast("uintptr_t", -2))
    custom = decoded_device(info, DeviceEventKind.CUSTOM_EVENT)
    assert custom == DeviceHandle(handle, 5, DISK, 2, data)
    assert isinstance(custom, DeviceHandle)
    assert custom.name == PATH
    assert decoded_device(info, DeviceEventKind.QUERY_REMOVE) == DeviceHandle(handle, 5)


# ------------------------------------------------------------------------------ copying

EVERY = [int(control) for control in Control] + [0, 127, 128, 255, 256, 0xFFFFFFFF]
KINDS = [0, lib.PBT_POWERSETTINGCHANGE, lib.DBT_DEVICEARRIVAL, 0xFFFFFFFF]


@pytest.mark.parametrize("control", EVERY)
def test_copy_payload_of_null_returns_empty_bytes(control: int) -> None:
    assert [copy_payload(control, kind, ffi.NULL) for kind in KINDS] == [b""] * len(KINDS)


def test_copy_payload_of_control_without_data_reads_no_memory() -> None:
    nowhere = ffi.cast("void *", 16)
    with_data = {
        lib.SERVICE_CONTROL_SESSIONCHANGE,
        lib.SERVICE_CONTROL_TIMECHANGE,
        lib.SERVICE_CONTROL_DEVICEEVENT,
    }
    for control in set(EVERY) - with_data:
        for kind in set(KINDS) - {lib.PBT_POWERSETTINGCHANGE}:
            assert copy_payload(control, kind, nowhere) == b""


@pytest.mark.parametrize(
    ("control", "size"),
    [(lib.SERVICE_CONTROL_SESSIONCHANGE, 8), (lib.SERVICE_CONTROL_TIMECHANGE, 16)],
)
def test_copy_payload_of_fixed_length_copies_structure_size(control: int, size: int) -> None:
    data = bytes(range(0xE0, 0x100))
    for kind in KINDS:
        assert copy_payload(control, kind, memory(data)) == data[:size]


@pytest.mark.parametrize(
    ("stated", "copied"),
    [
        *((0, 0), (11, 0), (12, 12), (13, 13), (40, 40), (LARGEST, LARGEST)),
        *((LARGEST + 1, 12), (0x7FFFFFFF, 12), (0xFFFFFFFF, 12)),
    ],
)
def test_copy_payload_of_device_event_copies_stated_length(stated: int, copied: int) -> None:
    data = struct.pack("<III", stated, lib.DBT_DEVTYP_VOLUME, 0)
    data += bytes(max(0, copied - len(data)))
    found = copy_payload(lib.SERVICE_CONTROL_DEVICEEVENT, lib.DBT_DEVICEARRIVAL, memory(data))
    assert found == data[:copied]
    if copied == 12:
        assert decoded_device(memory(data)) == UnknownDevice(DeviceType.VOLUME, data)


@pytest.mark.parametrize(
    ("stated", "copied"),
    [
        *((0, 20), (1, 21), (4, 24), (LARGEST - 20, LARGEST)),
        *((LARGEST - 19, 20), (0x7FFFFFFF, 20), (0xFFFFFFF0, 20), (0xFFFFFFFF, 20)),
    ],
)
def test_copy_payload_of_power_setting_copies_stated_length(stated: int, copied: int) -> None:
    data = POWER_SOURCE.bytes_le + struct.pack("<I", stated)
    data += bytes(max(0, copied - len(data)))
    control, kind = lib.SERVICE_CONTROL_POWEREVENT, lib.PBT_POWERSETTINGCHANGE
    assert copy_payload(control, kind, memory(data)) == data
    event = decoded(control, kind, memory(data))
    assert event == PowerEvent(PowerEventKind.POWER_SETTING_CHANGE, POWER_SOURCE, data[20:])


def test_copy_payload_after_source_change_is_unchanged() -> None:
    info = ffi.new("WTSSESSION_NOTIFICATION *", (8, 3))
    copied = copy_payload(lib.SERVICE_CONTROL_SESSIONCHANGE, 5, info)
    info.dwSessionId = 4
    assert copied == struct.pack("<II", 8, 3)


# ------------------------------------------------------------------------------ registrations


def test_event_registration_with_null_handle_raises_service_error() -> None:
    with pytest.raises(Win32Error) as refused:
        backend.register_device_notification(0, None)
    assert (refused.value.winerror, refused.value.function) == (
        ErrorCode.INVALID_HANDLE,
        "RegisterDeviceNotificationW",
    )
    with pytest.raises(Win32Error) as refused:
        backend.unregister_device_notification(0)
    assert refused.value.function == "UnregisterDeviceNotification"
    with pytest.raises(Win32Error) as refused:
        backend.register_power_setting_notification(0, POWER_SOURCE.bytes_le)
    assert refused.value.function == "RegisterPowerSettingNotification"
    with pytest.raises(Win32Error) as refused:
        backend.unregister_power_setting_notification(0)
    assert refused.value.function == "UnregisterPowerSettingNotification"


@pytest.mark.parametrize("value", [b"", bytes(15), bytes(17)])
def test_event_registration_with_malformed_guid_raises_argument_error(value: bytes) -> None:
    with pytest.raises(ValidationError, match="interface: a GUID has 16 bytes"):
        backend.register_device_notification(1, value)
    with pytest.raises(ValidationError, match="setting: a GUID has 16 bytes"):
        backend.register_power_setting_notification(1, value)


SERVICE = """
import sys
import threading
from pathlib import Path
from uuid import UUID

from winsvc._native import NativeBackend
from winsvc._values.rows import StatusRow

name, log, disk, power_source = sys.argv[1:]
backend = NativeBackend()
stop = threading.Event()


def control(code, event_type, data):
    if code == 1:
        stop.set()
    return 0


def main(arguments):
    handle = backend.register_service_ctrl_handler(name, control)
    try:
        for interface in (UUID(disk).bytes_le, None):
            registration = backend.register_device_notification(handle, interface)
            backend.unregister_device_notification(registration)
        setting = UUID(power_source).bytes_le
        registration = backend.register_power_setting_notification(handle, setting)
        backend.unregister_power_setting_notification(registration)
        outcome = "done"
    except Exception as error:
        outcome = repr(error)
    Path(log).write_text(outcome, encoding="utf-8")
    backend.set_service_status(handle, StatusRow(16, 4, 1, 0, 0, 0, 0, 0, 0))
    stop.wait()
    backend.set_service_status(handle, StatusRow(16, 1, 0, 0, 0, 0, 0, 0, 0))


backend.start_service_ctrl_dispatcher([(name, main)])
"""


def test_service_process_registers_for_device_and_power_events(
    scm: ServiceManager, unique_name: Callable[[], str], tmp_path: Path
) -> None:
    """Wine accepts the registrations, but does not notify."""
    name, script, log = unique_name(), tmp_path / "service.py", tmp_path / "log.txt"
    script.write_text(SERVICE, "utf-8")
    command = f'"{sys.executable}" "{script}" {name} "{log}" {DISK} {POWER_SOURCE}'
    with scm.create(name, command) as service:
        try:
            service.start(timeout=30)
            service.stop(timeout=30)
        finally:
            service.delete()
    assert log.read_text("utf-8") == "done"
