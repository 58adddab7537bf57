"""Triggers and their data items."""

from __future__ import annotations

import json
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsvc import triggers
from winsvc.enums import TriggerAction, TriggerDataType, TriggerType
from winsvc.errors import ValidationError
from winsvc.triggers import SUBTYPES, Trigger, TriggerData, check_triggers, subtype_name

START = TriggerAction.SERVICE_START
STOP = TriggerAction.SERVICE_STOP
DISK = UUID("53f56307-b6bf-11d0-94f2-00a0c91efb8b")

numbers = st.integers(0, 0xFFFFFFFF)
data_items = st.builds(TriggerData, st.builds(TriggerDataType, st.integers(0, 7)), st.binary())
any_trigger = st.builds(
    Trigger,
    st.builds(TriggerType, numbers | st.sampled_from(list(TriggerType))),
    st.builds(TriggerAction, numbers | st.sampled_from(list(TriggerAction))),
    st.none() | st.uuids() | st.sampled_from(list(SUBTYPES.values())),
    st.lists(data_items, max_size=4).map(tuple),
)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


def test_from_bytes_returns_binary_item() -> None:
    item = TriggerData.from_bytes(b"\x01\x00")
    assert item == TriggerData(TriggerDataType.BINARY, b"\x01\x00")
    assert (item.text, item.texts, item.level, item.keyword) == (None, (), None, None)


def test_from_text_returns_terminated_string_item() -> None:
    item = TriggerData.from_text(r"USBSTOR\GenDisk")
    assert item == TriggerData(TriggerDataType.STRING, utf16("USBSTOR\\GenDisk\0"))
    assert item.text == r"USBSTOR\GenDisk"
    assert item.texts == (r"USBSTOR\GenDisk",)
    assert TriggerData.from_text("").raw == b"\0\0"


def test_from_texts_returns_multi_string_item() -> None:
    item = TriggerData.from_texts(["5001", "UDP"])
    assert item == TriggerData(TriggerDataType.STRING, utf16("5001\0UDP\0\0"))
    assert item.texts == ("5001", "UDP")
    assert item.text is None


@pytest.mark.parametrize(
    ("raw", "texts", "text"),
    [
        (b"", (), ""),
        (b"\0\0\0\0", (), ""),
        (b"a\0", ("a",), "a"),
        (b"a\0\0", ("a",), "a"),
        (utf16("a\0\0b\0\0"), ("a", "", "b"), None),
        (b"\x00\xd8", ("\ud800",), "\ud800"),
    ],
    ids=["nothing", "nuls", "no-nul", "odd", "empty-inside", "lone-surrogate"],
)
def test_string_item_with_irregular_bytes_is_decoded(
    raw: bytes, texts: tuple[str, ...], text: str | None
) -> None:
    item = TriggerData(TriggerDataType.STRING, raw)
    assert item.texts == texts
    assert item.text == text
    assert item.raw == raw


def test_from_level_returns_single_byte_item() -> None:
    item = TriggerData.from_level(4)
    assert item == TriggerData(TriggerDataType.LEVEL, b"\x04")
    assert item.level == 4
    assert TriggerData(TriggerDataType.LEVEL, b"\x04\0").level is None


def test_from_keyword_returns_eight_byte_item() -> None:
    item = TriggerData.from_keyword_any(0x8000000000000010)
    assert item == TriggerData(TriggerDataType.KEYWORD_ANY, b"\x10\0\0\0\0\0\0\x80")
    assert item.keyword == 0x8000000000000010
    assert TriggerData.from_keyword_all(1).raw == b"\x01\0\0\0\0\0\0\0"
    assert TriggerData(TriggerDataType.KEYWORD_ALL, b"\x01").keyword is None


@pytest.mark.parametrize("value", [-1, 256])
def test_from_level_out_of_range_raises(value: int) -> None:
    with pytest.raises(ValidationError, match=r"^level: "):
        TriggerData.from_level(value)


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_from_keyword_out_of_range_raises(value: int) -> None:
    for make in (TriggerData.from_keyword_any, TriggerData.from_keyword_all):
        with pytest.raises(ValidationError, match=r"^keyword: "):
            make(value)


def test_trigger_data_over_1024_bytes_raises() -> None:
    assert len(TriggerData.from_bytes(bytes(1024)).raw) == 1024
    assert len(TriggerData.from_text("x" * 511).raw) == 1024
    assert len(TriggerData.from_texts(["x" * 510]).raw) == 1024
    with pytest.raises(ValidationError, match=r"^raw: .*1024.*1025"):
        TriggerData.from_bytes(bytes(1025))
    with pytest.raises(ValidationError, match=r"^text: "):
        TriggerData.from_text("x" * 512)
    with pytest.raises(ValidationError, match=r"^texts: "):
        TriggerData.from_texts(["x" * 511])


def test_trigger_data_from_invalid_string_raises() -> None:
    with pytest.raises(ValidationError, match=r"^text: "):
        TriggerData.from_text("a\0b")
    with pytest.raises(ValidationError, match=r"^texts\[1\]: "):
        TriggerData.from_texts(["a", ""])
    with pytest.raises(TypeError, match=r"^texts: "):
        TriggerData.from_texts("abc")


@given(any_trigger)
def test_trigger_json_round_trips_exactly(trigger: Trigger) -> None:
    assert Trigger.from_json(json.loads(json.dumps(trigger.to_json()))) == trigger


@given(any_trigger)
def test_describe_of_any_trigger_is_single_line_and_texts_match_raw(trigger: Trigger) -> None:
    assert "\n" not in trigger.describe()
    for item in trigger.data:
        is_text = item.type == TriggerDataType.STRING
        content = item.raw[: len(item.raw) // 2 * 2] if is_text else b""
        texts = "\0".join(item.texts).encode("utf-16-le", "surrogatepass")
        assert texts == re.sub(rb"(\0\0)*\Z", b"", content)


def test_trigger_to_json_uses_names_numbers_and_hex() -> None:
    trigger = Trigger(
        TriggerType.CUSTOM,
        TriggerAction(9),
        UUID("0000000A-000B-000C-000D-00000000000E"),
        (TriggerData(TriggerDataType(77), b"\xab\x00"),),
    )
    assert trigger.to_json() == {
        "type": "custom",
        "action": "unknown_0x9",
        "subtype": "0000000a-000b-000c-000d-00000000000e",
        "data": [{"type": "unknown_0x4d", "raw": "ab00"}],
    }


def test_from_json_other_spellings_same_trigger() -> None:
    subtype = "{0000000A-000B-000C-000D-00000000000E}"
    item = {"type": "Binary", "raw": "AB00"}
    for kind in ("CUSTOM", "custom", "unknown_0x14", 20):
        given = {"type": kind, "action": "Service_Start", "subtype": subtype, "data": [item]}
        assert Trigger.from_json(given) == Trigger(
            TriggerType.CUSTOM, START, UUID(subtype), (TriggerData.from_bytes(b"\xab\x00"),)
        )
    assert TriggerData.from_json(item) == TriggerData.from_bytes(b"\xab\x00")
    assert TriggerData.from_bytes(b"\xab").to_json() == {"type": "binary", "raw": "ab"}


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"type": "NO_SUCH"}, "trigger.type"),
        ({"action": -1}, "trigger.action"),
        ({"action": 1 << 32}, "trigger.action"),
        ({"subtype": "no guid"}, "trigger.subtype"),
        ({"data": [{"type": "BINARY", "raw": "xy"}]}, "trigger.data[0].raw"),
        ({"data": [{"type": "BINARY"}]}, "trigger.data[0].raw"),
        ({"data": [{"type": "BIN", "raw": ""}]}, "trigger.data[0].type"),
        ({"odd": 1}, "trigger.odd"),
    ],
)
def test_trigger_from_json_invalid_value_error_names_path(
    change: dict[str, object], argument: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Trigger.from_json({**Trigger.on_ip_available().to_json(), **change})
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ({"type": None}, "trigger.type"),
        ({"type": True}, "trigger.type"),
        ({"subtype": 1}, "trigger.subtype"),
        ({"data": "ab"}, "trigger.data"),
        ({"data": ["ab"]}, "trigger.data[0]"),
    ],
)
def test_from_json_wrong_type_raises_type_error(change: dict[str, object], argument: str) -> None:
    with pytest.raises(TypeError, match=rf"^{re.escape(argument)}: "):
        Trigger.from_json({**Trigger.on_ip_available().to_json(), **change})


def test_subtype_names_map_in_both_directions() -> None:
    assert len(SUBTYPES) == 11
    for name, value in SUBTYPES.items():
        assert subtype_name(value) == name
        assert getattr(triggers, name) == value
        assert name in triggers.__all__
    assert subtype_name(DISK) is None


@pytest.mark.parametrize(
    ("trigger", "kind", "action", "subtype", "description"),
    [
        (
            Trigger.on_ip_available(),
            TriggerType.IP_ADDRESS_AVAILABILITY,
            START,
            "NETWORK_MANAGER_FIRST_IP_ADDRESS_ARRIVAL_GUID",
            "start when the first IP address is available",
        ),
        (
            Trigger.on_ip_lost(),
            TriggerType.IP_ADDRESS_AVAILABILITY,
            STOP,
            "NETWORK_MANAGER_LAST_IP_ADDRESS_REMOVAL_GUID",
            "stop when the last IP address is removed",
        ),
        (
            Trigger.on_domain_join(),
            TriggerType.DOMAIN_JOIN,
            START,
            "DOMAIN_JOIN_GUID",
            "start when the machine joins a domain",
        ),
        (
            Trigger.on_domain_leave(action=START),
            TriggerType.DOMAIN_JOIN,
            START,
            "DOMAIN_LEAVE_GUID",
            "start when the machine leaves its domain",
        ),
        (
            Trigger.on_group_policy(),
            TriggerType.GROUP_POLICY,
            START,
            "MACHINE_POLICY_PRESENT_GUID",
            "start when the machine's group policy changes",
        ),
        (
            Trigger.on_group_policy(machine=False, action=STOP),
            TriggerType.GROUP_POLICY,
            STOP,
            "USER_POLICY_PRESENT_GUID",
            "stop when a user's group policy changes",
        ),
    ],
)
def test_trigger_factory_without_data_sets_fields(
    trigger: Trigger, kind: TriggerType, action: TriggerAction, subtype: str, description: str
) -> None:
    assert trigger == Trigger(kind, action, SUBTYPES[subtype])
    assert trigger.describe() == description


def test_on_firewall_port_builds_documented_data_item() -> None:
    program = r"%programfiles%\MyApplication\MyServiceProcess.exe"
    trigger = Trigger.on_firewall_port(5001, "UDP", program=program, service="MyService")
    assert trigger.subtype == triggers.FIREWALL_PORT_OPEN_GUID
    assert trigger.action == START
    # Microsoft's own example of this item.
    assert trigger.data[0].raw == utf16(f"5001\0UDP\0{program}\0MyService\0\0")
    closed = Trigger.on_firewall_port_closed("RPC", "TCP")
    assert closed.subtype == triggers.FIREWALL_PORT_CLOSE_GUID
    assert closed.action == STOP
    assert closed.data[0].texts == ("RPC", "TCP")
    assert closed.describe() == "stop when a firewall port is closed: 'RPC', 'TCP'"


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_on_firewall_port_out_of_range_raises(port: int) -> None:
    with pytest.raises(ValidationError, match=r"^port: "):
        Trigger.on_firewall_port(port, "TCP")


def test_on_firewall_port_invalid_string_raises() -> None:
    with pytest.raises(ValidationError, match=r"^service: "):
        Trigger.on_firewall_port(80, "TCP", service="x")
    with pytest.raises(ValidationError, match=r"^protocol: "):
        Trigger.on_firewall_port(80, "")
    with pytest.raises(ValidationError, match=r"^program: "):
        Trigger.on_firewall_port(80, "TCP", program="")


@pytest.mark.parametrize("name", ["a\\b", "\\\\.\\pipe\\a\\b", "\\\\.\\PIPE\\a\\b"])
def test_on_named_pipe_strips_pipe_prefix(name: str) -> None:
    trigger = Trigger.on_named_pipe(name)
    assert trigger.type == TriggerType.NETWORK_ENDPOINT
    assert trigger.action == START
    assert trigger.subtype == triggers.NAMED_PIPE_EVENT_GUID
    assert trigger.data == (TriggerData.from_text("a\\b"),)


@pytest.mark.parametrize("name", ["", "\\\\.\\pipe\\", "a\0b"])
def test_on_named_pipe_invalid_name_raises(name: str) -> None:
    with pytest.raises(ValidationError, match=r"^name: "):
        Trigger.on_named_pipe(name)


def test_on_rpc_interface_normalizes_guid() -> None:
    trigger = Trigger.on_rpc_interface("367ABB81-9844-35F1-AD32-98F038001003")
    assert trigger.subtype == triggers.RPC_INTERFACE_EVENT_GUID
    assert trigger.data[0].text == "367abb81-9844-35f1-ad32-98f038001003"
    with pytest.raises(ValidationError, match=r"^interface: "):
        Trigger.on_rpc_interface("nothing")


def test_on_device_arrival_sets_class_and_hardware_ids() -> None:
    trigger = Trigger.on_device_arrival(f"{{{DISK}}}", r"USBSTOR\GenDisk", "x")
    assert trigger == Trigger(
        TriggerType.DEVICE_INTERFACE_ARRIVAL,
        START,
        DISK,
        (TriggerData.from_text(r"USBSTOR\GenDisk"), TriggerData.from_text("x")),
    )
    assert trigger.describe() == (
        f"start when a device arrives of class {DISK}: 'USBSTOR\\\\GenDisk'; 'x'"
    )
    assert Trigger.on_device_arrival(DISK).data == ()
    with pytest.raises(ValidationError, match=r"^hardware_ids\[1\]: "):
        Trigger.on_device_arrival(DISK, "x", "")
    with pytest.raises(TypeError, match=r"^interface: "):
        Trigger.on_device_arrival(None)  # type: ignore[arg-type]


def test_on_etw_event_keeps_and_describes_items() -> None:
    items = (
        TriggerData.from_level(4),
        TriggerData.from_keyword_any(0x10),
        TriggerData.from_keyword_all(1),
        TriggerData.from_bytes(b"\xab\xcd"),
        TriggerData.from_bytes(b""),
    )
    trigger = Trigger.on_etw_event(DISK, *items, action=STOP)
    assert trigger == Trigger(TriggerType.CUSTOM, STOP, DISK, items)
    assert trigger.describe() == (
        f"stop on an event of ETW provider {DISK}: level 4; any of keywords 0x10; "
        "all of keywords 0x1; binary abcd; binary (no bytes)"
    )


def test_describe_unknown_trigger_shows_numbers() -> None:
    assert Trigger(TriggerType(99), TriggerAction(3)).describe() == "action 0x3 on unknown_0x63"


def test_check_triggers_over_limit_raises() -> None:
    trigger = Trigger.on_ip_available()
    item = TriggerData.from_level(1)
    assert check_triggers([trigger] * 64) == (trigger,) * 64
    assert check_triggers([]) == ()
    with pytest.raises(ValidationError, match=r"^triggers: .*65"):
        check_triggers([trigger] * 65)
    most_items = Trigger.on_etw_event(DISK, *[item] * 64)
    assert check_triggers([most_items]) == (most_items,)
    with pytest.raises(ValidationError, match=r"^triggers\[1\]\.data: .*65"):
        check_triggers([trigger, Trigger.on_etw_event(DISK, *[item] * 65)])
    large = TriggerData(TriggerDataType.BINARY, bytes(1025))
    with pytest.raises(ValidationError, match=r"^triggers\[0\]\.data\[1\]: .*1025"):
        check_triggers([Trigger.on_etw_event(DISK, item, large)])


def test_subtype_of_wrong_type_raises_type_error() -> None:
    with pytest.raises(TypeError, match=r"^subtype: "):
        Trigger(1, 1, "guid")  # type: ignore[arg-type]
