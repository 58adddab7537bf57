"""Conversion of structures: decode_… reads a structure in place, encode_… creates one.

An encode_… function returns the structure and the data to which it points. The caller must keep
both alive until the call returns.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import (
    PACKING_BUFFERS,
    WCHAR_SIZE,
    guid,
    text_at,
    texts_at,
    wide_list,
    wide_or_null,
)
from winsvc._values.rows import (
    ConfigRow,
    EnumPage,
    EnumRow,
    FailureActionsRow,
    LockRow,
    NotificationRow,
    PreferredNodeRow,
    StatusRow,
    TriggerRow,
)
from winsvc.errors import ValidationError

if TYPE_CHECKING:
    from _winsvc_cffi import (
        SERVICE_STATUS,
        SERVICE_STATUS_PROCESS,
        SERVICE_TRIGGER,
        SERVICE_TRIGGER_SPECIFIC_DATA_ITEM,
        AnyPointer,
        SERVICE_CONTROL_STATUS_REASON_PARAMSW_p,
        SERVICE_NOTIFY_2W_p,
    )

    Encoded: TypeAlias = tuple[AnyPointer, Sequence[object]]
    """A structure, and the data to which it points."""

# ------------------------------------------------------------------------------ status and listing


def decode_status(status: SERVICE_STATUS) -> StatusRow:
    return StatusRow(*_status_fields(status), 0, 0)


def decode_status_process(status: SERVICE_STATUS_PROCESS) -> StatusRow:
    return StatusRow(*_status_fields(status), status.dwProcessId, status.dwServiceFlags)


def _status_fields(
    status: SERVICE_STATUS | SERVICE_STATUS_PROCESS,
) -> tuple[int, int, int, int, int, int, int]:
    return (
        status.dwServiceType,
        status.dwCurrentState,
        status.dwControlsAccepted,
        status.dwWin32ExitCode,
        status.dwServiceSpecificExitCode,
        status.dwCheckPoint,
        status.dwWaitHint,
    )


# Two pointers, the numbers of the status, and padding. For long lists, the struct module takes half
# the time of CFFI's field access.
ENUM_LAYOUT: Final = struct.Struct("@PP7I0P")
STATUS_LAYOUT: Final = struct.Struct("@9I")
_DWORD_SIZE: Final = ffi.sizeof("DWORD")


def decode_enums(entries: AnyPointer, count: int) -> list[EnumRow]:
    """Decode an array of ``ENUM_SERVICE_STATUSW``."""
    found = ENUM_LAYOUT.iter_unpack(ffi.buffer(entries, count * ENUM_LAYOUT.size))
    return [
        EnumRow(_text(name), _text(shown) if shown else None, StatusRow._make((*status, 0, 0)))
        for name, shown, *status in found
    ]


def decode_enums_process(entries: AnyPointer, count: int, size: int) -> tuple[EnumPage, int]:
    """Decode an array of ``ENUM_SERVICE_STATUS_PROCESSW``; return the bytes that it occupies too.

    ``size`` is the expected maximum of the bytes, texts included; a larger array is accepted.
    """
    entries = ffi.cast("ENUM_SERVICE_STATUS_PROCESSW *", entries)
    packed = ffi.new("WINSVC_PACKED *")
    numbers_size = count * (STATUS_LAYOUT.size + 2 * _DWORD_SIZE)
    while True:
        block = PACKING_BUFFERS.take(numbers_size + size)
        statuses = ffi.cast("SERVICE_STATUS_PROCESS *", block)
        which = ffi.cast("DWORD *", statuses + count)
        blanks = which + count
        texts = ffi.cast("wchar_t *", blanks + count)
        used = lib.winsvc_pack(
            *(entries, count, texts, size // WCHAR_SIZE, statuses, which, blanks, packed)
        )
        if packed.fNarrow:
            names = str(ffi.buffer(texts, used), "latin-1").split("\0")
        elif used <= size // WCHAR_SIZE:
            names = ffi.unpack(texts, used).split("\0")
        else:
            size = used * WCHAR_SIZE
            continue
        shown: list[str | None] = names[1::2]  # type: ignore[assignment]  # a new list
        blank = ffi.unpack(blanks, packed.cBlanks)
        for index in blank:
            if not entries[index].lpDisplayName:
                shown[index] = None
        raw = ffi.buffer(statuses, packed.cStatuses * STATUS_LAYOUT.size)
        different = list(map(StatusRow._make, STATUS_LAYOUT.iter_unpack(raw)))
        # split() returns an additional empty text after the last NUL.
        page = EnumPage(names[0:-1:2], shown, different, ffi.unpack(which, count), blank)
        PACKING_BUFFERS.give(block)
        return page, count * ffi.sizeof("ENUM_SERVICE_STATUS_PROCESSW") + used * WCHAR_SIZE


def _text(address: int) -> str:
    return ffi.string(ffi.cast("wchar_t *", address))


def decode_config(info: AnyPointer) -> ConfigRow:
    config = ffi.cast("QUERY_SERVICE_CONFIGW *", info)
    return ConfigRow(
        config.dwServiceType,
        config.dwStartType,
        config.dwErrorControl,
        text_at(config.lpBinaryPathName),
        text_at(config.lpLoadOrderGroup),
        config.dwTagId,
        texts_at(config.lpDependencies),
        text_at(config.lpServiceStartName),
        text_at(config.lpDisplayName),
    )


_CONFIG_LAYOUT: Final = struct.Struct("@7I")
_SINGLE_TEXTS: Final = 4


def decode_configs(entries: AnyPointer, count: int, texts: str) -> list[ConfigRow | None]:
    """Decode an array of ``WINSVC_CONFIG`` and its texts; an entry with an error is None."""
    rows: list[ConfigRow | None] = []
    found = texts.split("\0")
    at = 0
    raw = ffi.buffer(entries, count * _CONFIG_LAYOUT.size)
    for error, kind, start, severity, tag, nulls, dependencies in _CONFIG_LAYOUT.iter_unpack(raw):
        if error:
            rows.append(None)
            continue
        after = at + _SINGLE_TEXTS
        path, group, account, shown = (
            None if nulls >> index & 1 else text for index, text in enumerate(found[at:after])
        )
        needs = None if nulls >> _SINGLE_TEXTS & 1 else tuple(found[after : after + dependencies])
        rows.append(ConfigRow(kind, start, severity, path, group, tag, needs, account, shown))
        at = after + dependencies
    return rows


def decode_lock(info: AnyPointer) -> LockRow:
    lock = ffi.cast("QUERY_SERVICE_LOCK_STATUSW *", info)
    return LockRow(lock.fIsLocked, text_at(lock.lpLockOwner), lock.dwLockDuration)


def decode_notification(notify: SERVICE_NOTIFY_2W_p) -> NotificationRow:
    return NotificationRow(
        notify.dwNotificationStatus,
        decode_status_process(notify.ServiceStatus),
        notify.dwNotificationTriggered,
        texts_at(notify.pszServiceNames),
    )


def encode_reason(
    reason: int, comment: str | None
) -> tuple[SERVICE_CONTROL_STATUS_REASON_PARAMSW_p, Sequence[object]]:
    """Encode the reason of a control; the system writes the status to the same structure."""
    text = wide_or_null(comment, "comment")
    parameters = ffi.new("SERVICE_CONTROL_STATUS_REASON_PARAMSW *")
    parameters.dwReason = reason
    parameters.pszComment = text
    return parameters, (text,)


# ------------------------------------------------------------------------ levels with a single text


def encode_description(description: str | None) -> Encoded:
    text = wide_or_null(description, "description")
    return ffi.new("SERVICE_DESCRIPTIONW *", {"lpDescription": text}), (text,)


def decode_description(info: AnyPointer) -> str | None:
    return text_at(ffi.cast("SERVICE_DESCRIPTIONW *", info).lpDescription)


def encode_required_privileges(privileges: Sequence[str]) -> Encoded:
    texts = wide_list(privileges, "required_privileges")
    info = ffi.new("SERVICE_REQUIRED_PRIVILEGES_INFOW *", {"pmszRequiredPrivileges": texts})
    return info, (texts,)


def decode_required_privileges(info: AnyPointer) -> tuple[str, ...] | None:
    return texts_at(ffi.cast("SERVICE_REQUIRED_PRIVILEGES_INFOW *", info).pmszRequiredPrivileges)


# ---------------------------------------------------------------------- levels with a single number


def encode_number(level: int, number: int) -> Encoded:
    check_number_level(level)
    return ffi.new("DWORD *", number), ()


def decode_number(level: int, info: AnyPointer) -> int:
    check_number_level(level)
    return ffi.cast("DWORD *", info)[0]


def check_number_level(level: int) -> None:
    """Check that the structure of a level is a single number, of four bytes.

    Raises:
        ValidationError: The level has another structure.
    """
    # Imported late: listing and starting do not need the module.
    from winsvc._values.setting_table import NUMBER_LEVELS

    if level not in NUMBER_LEVELS:
        known = ", ".join(map(str, sorted(NUMBER_LEVELS)))
        raise ValidationError("level", f"{level} is not a level with a single number ({known})")


# --------------------------------------------------------------------------------- failure actions


def encode_failure_actions(row: FailureActionsRow) -> Encoded:
    message = wide_or_null(row.reboot_message, "reboot_message")
    command = wide_or_null(row.command, "command")
    # NULL keeps the actions; a count of 0 with another address deletes them.
    actions = ffi.NULL if row.actions is None else ffi.new("SC_ACTION[]", list(row.actions) or 1)
    info = ffi.new("SERVICE_FAILURE_ACTIONSW *")
    info.dwResetPeriod = row.reset_period
    info.lpRebootMsg = message
    info.lpCommand = command
    info.cActions = len(row.actions or ())
    info.lpsaActions = actions
    return info, (message, command, actions)


def decode_failure_actions(pointer: AnyPointer) -> FailureActionsRow:
    info = ffi.cast("SERVICE_FAILURE_ACTIONSW *", pointer)
    actions = None
    if info.lpsaActions:
        found = ffi.unpack(info.lpsaActions, info.cActions)
        actions = tuple((action.Type, action.Delay) for action in found)
    return FailureActionsRow(
        info.dwResetPeriod, text_at(info.lpRebootMsg), text_at(info.lpCommand), actions
    )


# ---------------------------------------------------------------------------------------- triggers


def encode_triggers(rows: Sequence[TriggerRow]) -> Encoded:
    info = ffi.new("SERVICE_TRIGGER_INFO *")
    if not rows:
        return info, ()
    triggers = ffi.new("SERVICE_TRIGGER[]", len(rows))
    referenced: list[object] = [triggers]
    for index, row in enumerate(rows):
        referenced += _fill_trigger(triggers[index], row, f"triggers[{index}]")
    info.cTriggers = len(rows)
    info.pTriggers = triggers
    return info, referenced


def _fill_trigger(trigger: SERVICE_TRIGGER, row: TriggerRow, what: str) -> list[object]:
    """Write a trigger in place; return the data to which it points."""
    subtype = ffi.NULL if row.subtype is None else guid(row.subtype, f"{what}.subtype")
    trigger.dwTriggerType = row.trigger_type
    trigger.dwAction = row.action
    trigger.pTriggerSubtype = subtype
    referenced: list[object] = [subtype]
    if row.data_items:
        items = ffi.new("SERVICE_TRIGGER_SPECIFIC_DATA_ITEM[]", len(row.data_items))
        for item, (data_type, data) in zip(items, row.data_items, strict=True):
            block = ffi.new("BYTE[]", data) if data else ffi.NULL
            item.dwDataType = data_type
            item.cbData = len(data)
            item.pData = block
            referenced.append(block)
        trigger.cDataItems = len(row.data_items)
        trigger.pDataItems = items
        referenced.append(items)
    return referenced


def decode_triggers(pointer: AnyPointer) -> tuple[TriggerRow, ...]:
    info = ffi.cast("SERVICE_TRIGGER_INFO *", pointer)
    return tuple(_trigger_row(info.pTriggers[index]) for index in range(info.cTriggers))


def _trigger_row(trigger: SERVICE_TRIGGER) -> TriggerRow:
    subtype = trigger.pTriggerSubtype
    return TriggerRow(
        trigger.dwTriggerType,
        trigger.dwAction,
        bytes(ffi.buffer(subtype, ffi.sizeof("GUID"))) if subtype else None,
        tuple(_data_item(trigger.pDataItems[index]) for index in range(trigger.cDataItems)),
    )


def _data_item(item: SERVICE_TRIGGER_SPECIFIC_DATA_ITEM) -> tuple[int, bytes]:
    data = bytes(ffi.buffer(item.pData, item.cbData)) if item.cbData else b""
    return item.dwDataType, data


# ---------------------------------------------------------------------------------- preferred node


def encode_preferred_node(row: PreferredNodeRow) -> Encoded:
    info = ffi.new("SERVICE_PREFERRED_NODE_INFO *")
    info.usPreferredNode = row.preferred_node
    info.fDelete = row.delete
    return info, ()


def decode_preferred_node(pointer: AnyPointer) -> PreferredNodeRow:
    info = ffi.cast("SERVICE_PREFERRED_NODE_INFO *", pointer)
    return PreferredNodeRow(info.usPreferredNode, bool(info.fDelete))
