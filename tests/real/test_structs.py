"""Conversion of rows to the compiled structures and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _winsvc_cffi import ffi, lib
from hypothesis import example, given, settings
from hypothesis import strategies as st

from winsvc._native import structs
from winsvc._native.memory import WCHAR_SIZE, wide_list, wide_or_null
from winsvc._values.rows import (
    ConfigRow,
    EnumRow,
    FailureActionsRow,
    LockRow,
    PreferredNodeRow,
    StatusRow,
    TriggerRow,
)
from winsvc.errors import ValidationError

if TYPE_CHECKING:
    from _winsvc_cffi import SERVICE_STATUS_PROCESS_p

NEVER = 0xFFFFFFFF  # INFINITE

dwords = st.integers(0, 0xFFFFFFFF) | st.sampled_from([0, 1, 0x7FFFFFFF, 0x80000000, NEVER])
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
maybe_texts = st.none() | texts
lists = st.lists(texts.filter(bool)).map(tuple)

failure_actions = st.builds(
    FailureActionsRow,
    dwords,
    maybe_texts,
    maybe_texts,
    st.none() | st.lists(st.tuples(st.integers(0, 4), dwords)).map(tuple),
)

binary = st.binary()
data_items = st.one_of(
    st.tuples(st.just(lib.SERVICE_TRIGGER_DATA_TYPE_BINARY), binary),
    st.tuples(
        st.just(lib.SERVICE_TRIGGER_DATA_TYPE_STRING),
        lists.map(lambda names: "".join(f"{name}\0" for name in (*names, "")).encode("utf-16-le")),
    ),
    st.tuples(st.just(lib.SERVICE_TRIGGER_DATA_TYPE_LEVEL), st.binary(min_size=1, max_size=1)),
    st.tuples(
        st.sampled_from(
            [
                lib.SERVICE_TRIGGER_DATA_TYPE_KEYWORD_ANY,
                lib.SERVICE_TRIGGER_DATA_TYPE_KEYWORD_ALL,
            ]
        ),
        st.binary(min_size=8, max_size=8),
    ),
    st.tuples(dwords, binary),
)
trigger_rows = st.builds(
    TriggerRow,
    dwords,
    dwords,
    st.none() | st.binary(min_size=16, max_size=16),
    st.lists(data_items, max_size=5).map(tuple),
)

DISK = bytes.fromhex("0763f553bfb6d01194f200a0c91efb8b")

# Wine is slow now and then.
unhurried = settings(deadline=None)


# ---------------------------------------------------------------------- the configuration by level


@unhurried
@given(st.none() | texts)
@example("")
@example("beyond \U0001f40d the BMP")
def test_description_round_trips_through_structure(text: str | None) -> None:
    info, _kept = structs.encode_description(text)
    assert structs.decode_description(info) == text


@unhurried
@given(failure_actions)
@example(FailureActionsRow(NEVER, "", "", ((0, NEVER), (1, 0), (2, 1), (3, 2))))
@example(FailureActionsRow(0, None, None, None))
@example(FailureActionsRow(86400, "Rebooting.", "fix.exe /fail=%1%", ()))
def test_failure_actions_round_trip_through_structure(row: FailureActionsRow) -> None:
    info, _kept = structs.encode_failure_actions(row)
    assert structs.decode_failure_actions(info) == row


def test_encode_failure_actions_uses_null_only_for_unset_fields() -> None:
    kept, _ = structs.encode_failure_actions(FailureActionsRow(1, None, None, None))
    deleted, _ = structs.encode_failure_actions(FailureActionsRow(1, "", "", ()))
    keep = ffi.cast("SERVICE_FAILURE_ACTIONSW *", kept)
    delete = ffi.cast("SERVICE_FAILURE_ACTIONSW *", deleted)
    assert (keep.cActions, delete.cActions) == (0, 0)
    assert keep.lpsaActions == keep.lpRebootMsg == keep.lpCommand == ffi.NULL
    assert delete.lpsaActions != ffi.NULL
    assert delete.lpRebootMsg != ffi.NULL
    assert delete.lpCommand != ffi.NULL


@pytest.mark.parametrize(
    ("level", "size"),
    [
        (3, ffi.sizeof("SERVICE_DELAYED_AUTO_START_INFO")),
        (4, ffi.sizeof("SERVICE_FAILURE_ACTIONS_FLAG")),
        (5, ffi.sizeof("SERVICE_SID_INFO")),
        (7, ffi.sizeof("SERVICE_PRESHUTDOWN_INFO")),
        (12, ffi.sizeof("SERVICE_LAUNCH_PROTECTED_INFO")),
    ],
)
def test_number_level_round_trips_as_four_bytes(level: int, size: int) -> None:
    for number in (0, 1, 3, NEVER):
        info, _kept = structs.encode_number(level, number)
        assert structs.decode_number(level, info) == number
        assert bytes(ffi.buffer(info)) == number.to_bytes(size, "little")


@pytest.mark.parametrize("level", [0, 1, 2, 6, 8, 9, 10, 11, 13, 0xFFF0])
def test_number_of_other_level_raises_argument_error(level: int) -> None:
    with pytest.raises(ValidationError, match=r"level: .*a single number \(3, 4, 5, 7, 12\)"):
        structs.encode_number(level, 1)
    with pytest.raises(ValidationError, match="level"):
        structs.decode_number(level, ffi.new("DWORD *"))


@unhurried
@given(lists)
@example(())
@example(("SeChangeNotifyPrivilege", "SeImpersonatePrivilege"))
@example(("\U0001f40d",))
def test_required_privileges_round_trip_with_final_nuls(privileges: tuple[str, ...]) -> None:
    info, _kept = structs.encode_required_privileges(privileges)
    assert structs.decode_required_privileges(info) == privileges
    # An empty list also ends in two NULs.
    texts = "".join(f"{name}\0" for name in privileges or ("",)) + "\0"
    list_in_c = ffi.cast("SERVICE_REQUIRED_PRIVILEGES_INFOW *", info).pmszRequiredPrivileges
    in_memory = texts.encode("utf-16-le")
    assert bytes(ffi.buffer(list_in_c, len(in_memory))) == in_memory


@unhurried
@given(st.lists(trigger_rows, max_size=4).map(tuple))
@example(())
@example(
    (
        TriggerRow(1, 1, DISK, ((2, "USBSTOR\\GenDisk\0\0".encode("utf-16-le")),)),
        TriggerRow(20, 2, DISK, ((1, bytes(range(256))), (3, b"\x04"), (4, b"\xff" * 8), (1, b""))),
        TriggerRow(NEVER, NEVER, None, ()),
    )
)
def test_triggers_round_trip_through_structures(rows: tuple[TriggerRow, ...]) -> None:
    info, _kept = structs.encode_triggers(rows)
    assert structs.decode_triggers(info) == rows


def test_encode_triggers_uses_null_for_empty_parts() -> None:
    nothing = ffi.cast("SERVICE_TRIGGER_INFO *", structs.encode_triggers(())[0])
    assert nothing.cTriggers == 0
    assert nothing.pTriggers == nothing.pReserved == ffi.NULL

    pointer, _kept = structs.encode_triggers(
        [TriggerRow(5, 1, None, ()), TriggerRow(1, 1, DISK, ((1, b""), (1, b"a\0")))]
    )
    info = ffi.cast("SERVICE_TRIGGER_INFO *", pointer)
    bare, full = info.pTriggers[0], info.pTriggers[1]
    assert info.pReserved == bare.pTriggerSubtype == bare.pDataItems == ffi.NULL
    assert bare.cDataItems == 0
    assert full.pTriggerSubtype[0].Data1 == 0x53F56307
    assert (full.pDataItems[0].cbData, full.pDataItems[0].pData) == (0, ffi.NULL)
    assert full.pDataItems[1].cbData == 2  # Python does not add a NUL


@pytest.mark.parametrize("subtype", [b"", bytes(15), bytes(17)])
def test_encode_trigger_with_malformed_subtype_raises_argument_error(subtype: bytes) -> None:
    with pytest.raises(ValidationError, match=r"triggers\[1\]\.subtype: a GUID has 16 bytes"):
        structs.encode_triggers([TriggerRow(1, 1, None, ()), TriggerRow(1, 1, subtype, ())])


@unhurried
@given(st.builds(PreferredNodeRow, st.integers(0, 0xFFFF), st.booleans()))
def test_preferred_node_round_trips_through_structure(row: PreferredNodeRow) -> None:
    info, _kept = structs.encode_preferred_node(row)
    assert structs.decode_preferred_node(info) == row


@pytest.mark.parametrize("text", ["a\0b", "\0"])
def test_encode_text_with_nul_raises_argument_error(text: str) -> None:
    for encode in (
        lambda: structs.encode_description(text),
        lambda: structs.encode_failure_actions(FailureActionsRow(0, text, None, None)),
        lambda: structs.encode_failure_actions(FailureActionsRow(0, None, text, None)),
        lambda: structs.encode_required_privileges([text]),
        lambda: structs.encode_reason(0, text),
    ):
        with pytest.raises(ValidationError, match="NUL"):
            encode()


def test_decode_of_null_fields_returns_none_or_empty() -> None:
    assert structs.decode_description(ffi.new("SERVICE_DESCRIPTIONW *")) is None
    privileges = ffi.new("SERVICE_REQUIRED_PRIVILEGES_INFOW *")
    assert structs.decode_required_privileges(privileges) is None
    actions = ffi.new("SERVICE_FAILURE_ACTIONSW *")
    assert structs.decode_failure_actions(actions) == FailureActionsRow(0, None, None, None)
    actions.cActions = 3  # although the array is empty
    assert structs.decode_failure_actions(actions).actions is None
    assert structs.decode_triggers(ffi.new("SERVICE_TRIGGER_INFO *")) == ()
    lock = structs.decode_lock(ffi.new("QUERY_SERVICE_LOCK_STATUSW *"))
    assert lock == LockRow(0, None, 0)
    config = structs.decode_config(ffi.new("QUERY_SERVICE_CONFIGW *"))
    assert config == ConfigRow(0, 0, 0, None, None, 0, None, None, None)


# ----------------------------------------------------------------- what is only read from a system


def status_process(row: StatusRow) -> SERVICE_STATUS_PROCESS_p:
    return ffi.new("SERVICE_STATUS_PROCESS *", tuple(row))


@unhurried
@given(st.builds(StatusRow, *[dwords] * 9))
@example(StatusRow(*[NEVER] * 9))
@example(StatusRow(0x110, 4, 0x80000001, 0xC0000005, 0xDEADBEEF, 0, 0, 4, 1))
def test_decode_status_returns_every_field(row: StatusRow) -> None:
    assert structs.decode_status_process(status_process(row)[0]) == row
    short = ffi.new("SERVICE_STATUS *", tuple(row)[:7])
    assert structs.decode_status(short[0]) == row._replace(process_id=0, service_flags=0)


@unhurried
@given(texts, maybe_texts, st.builds(StatusRow, *[dwords] * 9))
def test_decode_enums_returns_names_and_status(
    name: str, display_name: str | None, status: StatusRow
) -> None:
    first, second = wide_or_null(name, "name"), wide_or_null(display_name, "display_name")
    entry = ffi.new("ENUM_SERVICE_STATUS_PROCESSW *", (first, second, status_process(status)[0]))
    # With and without enough space, with Latin-1 texts and others.
    for size in (0, 4096):
        page, used = structs.decode_enums_process(entry, 1, size)
        assert list(page) == [EnumRow(name, display_name, status)]
        assert used >= ffi.sizeof(entry[0]) + WCHAR_SIZE * (len(name) + len(display_name or "") + 2)
    short = ffi.new("SERVICE_STATUS *", tuple(status)[:7])
    dependent = ffi.new("ENUM_SERVICE_STATUSW *", (first, second, short[0]))
    bare = status._replace(process_id=0, service_flags=0)
    assert structs.decode_enums(dependent, 1) == [EnumRow(name, display_name, bare)]


@unhurried
@given(
    st.builds(
        ConfigRow,
        *[dwords] * 3,
        maybe_texts,
        maybe_texts,
        dwords,
        st.none() | lists,
        maybe_texts,
        maybe_texts,
    )
)
@example(
    ConfigRow(
        0x10, 3, 1, "C:\\a b.exe", "grp", NEVER, ("a", "+grp", "+"), "LocalSystem", "\U0001f40d"
    )
)
def test_decode_config_returns_every_field(row: ConfigRow) -> None:
    kept = [
        wide_or_null(row.binary_path_name, ""),
        wide_or_null(row.load_order_group, ""),
        wide_list(row.dependencies, ""),
        wide_or_null(row.service_start_name, ""),
        wide_or_null(row.display_name, ""),
    ]
    path, group, dependencies, account, display_name = kept
    numbers = row.service_type, row.start_type, row.error_control
    fields = (*numbers, path, group, row.tag_id, dependencies, account, display_name)
    config = ffi.new("QUERY_SERVICE_CONFIGW *", fields)
    assert structs.decode_config(config) == row


def test_decode_dependencies_of_single_nul_is_empty() -> None:
    """Wine returns a single NUL, followed by undefined data."""
    text = wide_or_null("\N{SNOWMAN}", "")
    text[0] = "\0"
    config = ffi.new("QUERY_SERVICE_CONFIGW *", {"lpDependencies": text})
    assert structs.decode_config(config).dependencies == ()


def test_decode_lock_returns_owner_and_duration() -> None:
    owner = wide_or_null(".\\NT Service Control Manager", "")
    lock = ffi.new("QUERY_SERVICE_LOCK_STATUSW *", (1, owner, NEVER))
    assert structs.decode_lock(lock) == LockRow(1, ".\\NT Service Control Manager", NEVER)


def test_encode_reason_sets_code_and_comment() -> None:
    parameters, _kept = structs.encode_reason(0x80000005, "no \U0001f40d")
    assert parameters.dwReason == 0x80000005
    assert ffi.string(parameters.pszComment) == "no \U0001f40d"
    assert structs.decode_status_process(parameters.ServiceStatus) == StatusRow(*[0] * 9)
    assert structs.encode_reason(0, None)[0].pszComment == ffi.NULL
