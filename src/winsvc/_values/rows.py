"""The rows that backends accept and return: one named tuple per structure, with its fields.

Numbers are unsigned, times are milliseconds, None is NULL.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, overload

__all__ = [
    "NO_CHANGE",
    "ConfigRow",
    "EnumPage",
    "EnumRow",
    "FailureActionsRow",
    "LockRow",
    "NotificationRow",
    "PreferredNodeRow",
    "StatusRow",
    "TriggerRow",
    "UserObjectFlagsRow",
]

NO_CHANGE: Final = 0xFFFFFFFF
"""``SERVICE_NO_CHANGE``: the number in ``ChangeServiceConfigW`` that keeps the value."""


class StatusRow(NamedTuple):
    """``SERVICE_STATUS_PROCESS``."""

    service_type: int
    current_state: int
    controls_accepted: int
    win32_exit_code: int
    service_specific_exit_code: int
    check_point: int
    wait_hint: int
    process_id: int
    service_flags: int


class EnumRow(NamedTuple):
    """``ENUM_SERVICE_STATUS_PROCESS``."""

    service_name: str
    display_name: str | None
    status: StatusRow


@dataclass(slots=True, eq=False, repr=False)
class EnumPage(Sequence[EnumRow]):
    """Rows of an enumeration, stored by column; a row is created when it is accessed.

    A listing is long, and most services are stopped and have the same status.

    Attributes:
        names: the key names.
        display_names: the display names; None is NULL.
        statuses: the different statuses.
        which: for each row, the index of its status in ``statuses``.
        blank: the indexes of the rows whose display name is None or "".
    """

    names: Sequence[str]
    display_names: Sequence[str | None]
    statuses: Sequence[StatusRow]
    which: Sequence[int]
    blank: Sequence[int]

    @classmethod
    def of(cls, rows: Sequence[EnumRow]) -> EnumPage:
        """Return these rows as a page."""
        if isinstance(rows, EnumPage):
            return rows
        shown = [row.display_name for row in rows]
        blank = [index for index, name in enumerate(shown) if not name]
        statuses = [row.status for row in rows]
        return cls([row.service_name for row in rows], shown, statuses, range(len(rows)), blank)

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[EnumRow]:
        statuses = map(self.statuses.__getitem__, self.which)
        return map(EnumRow, self.names, self.display_names, statuses)

    @overload
    def __getitem__(self, index: int) -> EnumRow: ...

    @overload
    def __getitem__(self, index: slice) -> list[EnumRow]: ...

    def __getitem__(self, index: int | slice) -> EnumRow | list[EnumRow]:
        if isinstance(index, slice):
            return list(self)[index]
        status = self.statuses[self.which[index]]
        return EnumRow(self.names[index], self.display_names[index], status)


class ConfigRow(NamedTuple):
    """``QUERY_SERVICE_CONFIG``."""

    service_type: int
    start_type: int
    error_control: int
    binary_path_name: str | None
    load_order_group: str | None
    tag_id: int
    dependencies: tuple[str, ...] | None
    service_start_name: str | None
    display_name: str | None


class FailureActionsRow(NamedTuple):
    """``SERVICE_FAILURE_ACTIONS``; in a write, None keeps the value."""

    reset_period: int  # seconds; 0xFFFFFFFF: never
    reboot_message: str | None
    command: str | None
    actions: tuple[tuple[int, int], ...] | None  # (type, delay in milliseconds)


class TriggerRow(NamedTuple):
    """``SERVICE_TRIGGER``."""

    trigger_type: int
    action: int
    subtype: bytes | None  # a GUID in its memory layout
    data_items: tuple[tuple[int, bytes], ...]  # (type, data)


class PreferredNodeRow(NamedTuple):
    """``SERVICE_PREFERRED_NODE_INFO``."""

    preferred_node: int
    delete: bool


class LockRow(NamedTuple):
    """``QUERY_SERVICE_LOCK_STATUS``."""

    is_locked: int
    lock_owner: str | None
    lock_duration: int  # seconds


class NotificationRow(NamedTuple):
    """``SERVICE_NOTIFY_2``, as Windows fills it in for an event."""

    notification_status: int  # an error code
    status: StatusRow
    triggered: int  # SERVICE_NOTIFY_*
    service_names: tuple[str, ...] | None  # the names of created services begin with "/"


class UserObjectFlagsRow(NamedTuple):
    """``USEROBJECTFLAGS``."""

    inherit: int
    reserved: int  # 0 in a write
    flags: int
