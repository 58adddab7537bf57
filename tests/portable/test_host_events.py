"""Test the decoding of control data to events. tests/real checks the layouts."""

from __future__ import annotations

import copy
import inspect
import pickle
import struct
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winsvc.enums import Control, OpenEnum, OpenFlag
from winsvc.host import events
from winsvc.host.events import (
    CustomControl,
    Device,
    DeviceEvent,
    DeviceEventKind,
    DeviceHandle,
    DeviceInterface,
    DeviceOem,
    DevicePort,
    DeviceType,
    DeviceVolume,
    Event,
    HardwareProfileChange,
    HardwareProfileChangeKind,
    OtherControl,
    PowerEvent,
    PowerEventKind,
    SessionChange,
    SessionChangeReason,
    TimeChange,
    UnknownDevice,
    VolumeFlags,
    decode,
)

DISK = UUID("53f56307-b6bf-11d0-94f2-00a0c91efb8b")
POWER_SOURCE = UUID("5d3e9a59-e9d5-4b00-a6bd-ff34ff516548")
PATH = r"\\?\STORAGE#Volume#{a}#{53f56307-b6bf-11d0-94f2-00a0c91efb8b}"

WITH_EVENTS = [
    Control.DEVICE_EVENT,
    Control.HARDWARE_PROFILE_CHANGE,
    Control.POWER_EVENT,
    Control.SESSION_CHANGE,
    Control.TIME_CHANGE,
]


def wide(text: str) -> bytes:
    return f"{text}\0".encode("utf-16-le")


def broadcast(kind: int, rest: bytes) -> bytes:
    """Return a structure of dbt.h: the header and the data."""
    return struct.pack("<III", 12 + len(rest), kind, 0) + rest


def device(data: bytes, kind: int = DeviceEventKind.ARRIVAL) -> Device | None:
    event = decode(Control.DEVICE_EVENT, kind, data)
    assert isinstance(event, DeviceEvent)
    assert event.kind == kind
    return event.device


# ------------------------------------------------------------------------------ controls


@pytest.mark.parametrize("code", [128, 200, 255])
def test_decode_of_custom_control_returns_plain_code(code: int) -> None:
    event = decode(Control(code), 0, b"")
    assert event == CustomControl(code)
    assert repr(event) == f"CustomControl(code={code})"  # a plain number


@pytest.mark.parametrize(
    "control", [Control.STOP, Control.TRIGGER_EVENT, Control(127), Control(256)]
)
def test_decode_of_control_without_event_returns_other_control(control: Control) -> None:
    assert decode(control, 7, b"x") == OtherControl(control, 7, b"x")


# ------------------------------------------------------------------------------ sessions


def test_decode_of_session_change_returns_reason_and_session() -> None:
    data = struct.pack("<II", 8, 3)
    event = decode(Control.SESSION_CHANGE, 5, data)
    assert event == SessionChange(SessionChangeReason.SESSION_LOGON, 3)
    match event:
        case SessionChange(SessionChangeReason.SESSION_LOGON, session_id):
            assert session_id == 3
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("size", range(8))
def test_decode_of_truncated_session_change_returns_no_session(size: int) -> None:
    data = struct.pack("<II", 8, 3)[:size]
    assert decode(Control.SESSION_CHANGE, 7, data) == SessionChange(
        SessionChangeReason.SESSION_LOCK, None
    )


def test_decode_of_unknown_session_change_keeps_reason_number() -> None:
    event = decode(Control.SESSION_CHANGE, 12, struct.pack("<III", 12, 0xFFFFFFFF, 5))
    assert event == SessionChange(SessionChangeReason(12), 0xFFFFFFFF)
    assert "UNKNOWN_0xc" in repr(event)


# ------------------------------------------------------------------------------ power


def setting(value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return POWER_SOURCE.bytes_le + struct.pack("<I", size) + value


def power(event_type: int, data: bytes) -> PowerEvent:
    event = decode(Control.POWER_EVENT, event_type, data)
    assert isinstance(event, PowerEvent)
    return event


@pytest.mark.parametrize("kind", [cls for cls in PowerEventKind if cls != 0x8013])
def test_decode_of_power_event_ignores_extra_data(kind: PowerEventKind) -> None:
    assert power(kind, b"") == PowerEvent(kind) == power(kind, setting(b"noise"))
    assert power(kind, b"").number is None


def test_decode_of_power_setting_returns_guid_and_number() -> None:
    event = power(0x8013, setting(b"\x01\0\0\x80"))
    assert event == PowerEvent(PowerEventKind.POWER_SETTING_CHANGE, POWER_SOURCE, b"\x01\0\0\x80")
    assert event.number == 0x80000001


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (setting(b""), b""),
        (setting(POWER_SOURCE.bytes_le), POWER_SOURCE.bytes_le),
        (setting(b"abc", 2), b"ab"),
        (setting(b"abc", 0xFFFFFFFF), b"abc"),
    ],
)
def test_decode_of_power_setting_clips_value_to_declared_length(data: bytes, value: bytes) -> None:
    event = power(0x8013, data)
    assert event == PowerEvent(PowerEventKind.POWER_SETTING_CHANGE, POWER_SOURCE, value)
    assert event.number is None


@pytest.mark.parametrize("size", range(20))
def test_decode_of_truncated_power_setting_returns_kind_only(size: int) -> None:
    event = power(0x8013, setting(b"\x01\0\0\0")[:size])
    assert event == PowerEvent(PowerEventKind.POWER_SETTING_CHANGE)


# ------------------------------------------------------------------------------ devices


@pytest.mark.parametrize("kind", DeviceEventKind)
def test_decode_of_device_interface_returns_class_and_path(kind: DeviceEventKind) -> None:
    data = broadcast(5, DISK.bytes_le + wide(PATH))
    assert decode(Control.DEVICE_EVENT, kind, data) == DeviceEvent(
        kind, DeviceInterface(DISK, PATH)
    )


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"", ""),
        (b"\0\0", ""),
        (b"\0", ""),
        ("näme \U0001f40d".encode("utf-16-le"), "näme \U0001f40d"),
        (wide("a") + wide("b"), "a"),
        (wide("a")[:3], "a"),
        (b"a\0\0\xd8", "a\ud800"),
        (b"\0\xdca\0", "\udc00a"),
    ],
)
def test_device_interface_path_is_decoded_up_to_nul_or_end(name: bytes, path: str) -> None:
    assert device(broadcast(5, DISK.bytes_le + name)) == DeviceInterface(DISK, path)


def test_device_interface_ignores_data_after_declared_size() -> None:
    data = broadcast(5, DISK.bytes_le + "COM".encode("utf-16-le"))
    assert device(data + wide("3")) == DeviceInterface(DISK, "COM")


@pytest.mark.parametrize(
    ("units", "drives"),
    [
        (0, ()),
        (1, ("A",)),
        (0b1100, ("C", "D")),
        (1 << 25, ("Z",)),
        (0xFFFFFFFF, tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
    ],
)
def test_device_volume_unit_mask_gives_drive_letters(units: int, drives: tuple[str, ...]) -> None:
    data = broadcast(2, struct.pack("<IHxx", units, 3))
    assert device(data) == DeviceVolume(drives, VolumeFlags.MEDIA | VolumeFlags.NET)


def test_decode_of_port_oem_or_other_device_returns_matching_type() -> None:
    assert device(broadcast(3, wide("COM3"))) == DevicePort("COM3")
    assert device(broadcast(3, b"")) == DevicePort("")
    assert device(broadcast(0, struct.pack("<II", 7, 0xFFFFFFFF))) == DeviceOem(7, 0xFFFFFFFF)
    for kind in (DeviceType.DEVNODE, DeviceType.NET, DeviceType(99)):
        data = broadcast(kind, b"\x01\0\0\0")
        assert device(data) == UnknownDevice(kind, data)
    assert device(b"", DeviceEventKind.DEVNODES_CHANGED) is None


def on_handle(offset: int, rest: bytes) -> bytes:
    fields = struct.pack("@IIIPP16si", 0, 6, 0, sys.maxsize, 2, DISK.bytes_le, offset) + rest
    return struct.pack("<I", len(fields)) + fields[4:]


def test_device_handle_custom_event_returns_name_and_data() -> None:
    text = wide("näme")
    decoded = device(on_handle(3, b"abc" + text), DeviceEventKind.CUSTOM_EVENT)
    assert decoded == DeviceHandle(sys.maxsize, 2, DISK, 3, b"abc" + text)
    assert isinstance(decoded, DeviceHandle)
    assert decoded.name == "näme"


@pytest.mark.parametrize("offset", [-1, -(2**31), 3, 2**31 - 1])
def test_device_handle_event_with_invalid_name_offset_has_no_name(offset: int) -> None:
    decoded = device(on_handle(offset, b"abc"), DeviceEventKind.CUSTOM_EVENT)
    assert decoded == DeviceHandle(sys.maxsize, 2, DISK, None, b"abc")
    assert isinstance(decoded, DeviceHandle)
    assert decoded.name is None


def test_device_handle_event_that_is_not_custom_has_no_data() -> None:
    decoded = device(on_handle(0, b"noise"), DeviceEventKind.QUERY_REMOVE)
    assert decoded == DeviceHandle(sys.maxsize, 2)


@pytest.mark.parametrize(
    "data",
    [
        broadcast(5, DISK.bytes_le),
        broadcast(2, struct.pack("<IH", 1, 0)),
        broadcast(0, bytes(8)),
        on_handle(0, b""),
    ],
    ids=["interface", "volume", "oem", "handle"],
)
def test_decode_of_truncated_device_returns_unknown_device(data: bytes) -> None:
    assert not isinstance(device(data), UnknownDevice)
    for size in range(1, len(data)):
        known = DeviceType(data[4]) if size >= 12 else None
        assert device(data[:size]) == UnknownDevice(known, data[:size])
        short = struct.pack("<I", size) + data[4:]  # cut off by what it says
        assert device(short) == UnknownDevice(DeviceType(data[4]), short)


# ------------------------------------------------------------------------------ the rest


@pytest.mark.parametrize("kind", [*HardwareProfileChangeKind, HardwareProfileChangeKind(99)])
def test_decode_of_hardware_profile_change_returns_kind(kind: HardwareProfileChangeKind) -> None:
    event = decode(Control.HARDWARE_PROFILE_CHANGE, kind, b"noise")
    assert event == HardwareProfileChange(kind)


def times(new: int, old: int) -> TimeChange:
    event = decode(Control.TIME_CHANGE, 0, struct.pack("<qq", new, old))
    assert isinstance(event, TimeChange)
    return event


def test_decode_of_time_change_returns_utc_datetimes() -> None:
    unix = 116_444_736_000_000_000  # 1970, in 100 ns since 1601
    event = times(unix + 17_000_000_009, unix)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert event == TimeChange(old=epoch, new=epoch + timedelta(seconds=1700))
    assert event.old
    assert event.old.utcoffset() == timedelta(0)


def test_decode_of_time_outside_datetime_range_returns_none() -> None:
    first = datetime(1601, 1, 1, tzinfo=UTC)
    last = datetime.max.replace(tzinfo=UTC)
    end = (last - first) // timedelta(microseconds=1) * 10 + 9
    assert times(0, end) == TimeChange(last, first)
    assert times(end + 1, -1) == TimeChange(None, None)
    assert times(2**63 - 1, -(2**63)) == TimeChange(None, None)


@pytest.mark.parametrize("size", range(16))
def test_decode_of_truncated_time_change_returns_no_times(size: int) -> None:
    assert decode(Control.TIME_CHANGE, 0, bytes(size)) == TimeChange(None, None)


# ------------------------------------------------------------------------------ whatever comes

dwords = st.integers(0, 0xFFFFFFFF)
kinds = st.sampled_from([*PowerEventKind, *DeviceEventKind, *SessionChangeReason]).map(int) | dwords
# Random data with a plausible header, so that the decoder reads beyond the header.
broadcasts = st.builds(
    lambda size, kind, rest: struct.pack("<III", size, kind, 0) + rest,
    st.integers(0, 80) | dwords,
    st.sampled_from(DeviceType) | dwords,
    st.binary(max_size=80),
)
payloads = st.binary(max_size=80) | broadcasts | st.binary(max_size=24).map(setting)


@given(st.sampled_from(WITH_EVENTS) | st.builds(Control, st.integers(-9, 300)), kinds, payloads)
@example(Control.DEVICE_EVENT, 0x8000, broadcast(5, bytes(0x20000)))
@example(Control.POWER_EVENT, 0x8013, setting(bytes(0x20000)))
def test_decode_of_any_data_returns_hashable_picklable_event(
    control: Control, event_type: int, data: bytes
) -> None:
    event = decode(control, event_type, data)
    assert isinstance(event, Event)
    assert type(event) is not Event
    assert event == decode(control, event_type, data)
    assert hash(event) == hash(copy.deepcopy(event))
    assert pickle.loads(pickle.dumps(event)) == event
    assert repr(event).startswith(type(event).__name__)


@given(kinds, payloads)
@example(0x8013, setting(bytes(0x20000)))
@example(0x8013, setting(b"\x01\0\0\0"))
def test_number_of_any_power_event_is_its_value_of_four_bytes(event_type: int, data: bytes) -> None:
    event = power(event_type, data)
    expected = struct.unpack("<I", event.value)[0] if len(event.value) == 4 else None
    assert event.number == expected


@given(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 9), st.binary(max_size=9))
def test_name_of_any_custom_event_of_a_handle_is_text_or_none(offset: int, rest: bytes) -> None:
    decoded = device(on_handle(offset, rest), DeviceEventKind.CUSTOM_EVENT)
    assert isinstance(decoded, DeviceHandle)
    assert (decoded.name is None) == (decoded.name_offset is None)
    assert isinstance(decoded.name, str | None)


# ------------------------------------------------------------------------------ the types


def public() -> list[type]:
    found = [getattr(events, name) for name in events.__all__]
    return [kind for kind in found if inspect.isclass(kind)]


@pytest.mark.parametrize("kind", public())
def test_public_types_are_documented(kind: type) -> None:
    assert kind.__doc__


@pytest.mark.parametrize(
    "kind", [cls for cls in public() if not issubclass(cls, (OpenEnum, OpenFlag))]
)
def test_public_event_types_are_documented_and_frozen(kind: type) -> None:
    assert kind.__doc__
    assert kind.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert "__dict__" not in dir(kind)
    for name in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        assert f"\n    {name}: " in inspect.cleandoc(kind.__doc__)


@pytest.mark.parametrize("kind", [cls for cls in public() if issubclass(cls, (OpenEnum, OpenFlag))])
def test_unknown_event_kind_survives_pickling(kind: type[OpenEnum] | type[OpenFlag]) -> None:
    value = kind(0x5A5A0)
    assert value == 0x5A5A0
    assert isinstance(value, kind)
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize(
    ("kind", "handler", "control"),
    [
        (CustomControl, "on_custom()", "128 to 255"),
        (SessionChange, "on_session_change()", "SERVICE_CONTROL_SESSIONCHANGE"),
        (PowerEvent, "on_power()", "SERVICE_CONTROL_POWEREVENT"),
        (DeviceEvent, "on_device()", "SERVICE_CONTROL_DEVICEEVENT"),
        (
            HardwareProfileChange,
            "on_hardware_profile()",
            "SERVICE_CONTROL_HARDWAREPROFILECHANGE",
        ),
        (TimeChange, "on_time_change()", "SERVICE_CONTROL_TIMECHANGE"),
    ],
)
def test_every_event_docstring_names_handler_and_control(
    kind: type[Event], handler: str, control: str
) -> None:
    assert handler in (kind.__doc__ or "")
    assert control in (kind.__doc__ or "")


def test_every_event_class_has_a_handler() -> None:
    kinds = {kind for kind in public() if issubclass(kind, Event)}
    assert kinds - {Event, OtherControl} == {
        *(CustomControl, SessionChange, PowerEvent, DeviceEvent),
        *(HardwareProfileChange, TimeChange),
    }
