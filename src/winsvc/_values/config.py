"""What the service control manager tells, as plain values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import repeat
from typing import Final, NamedTuple, TypeVar

from winsvc._util.checks import DWORD_MAX, check_type
from winsvc._util.durations import Duration, milliseconds, seconds, to_timedelta
from winsvc._util.text import Dependency, parse_dependency
from winsvc._values.rows import ConfigRow, EnumPage, EnumRow, FailureActionsRow, StatusRow
from winsvc.enums import (
    AcceptedControls,
    ActionType,
    ErrorControl,
    ServiceFlags,
    ServiceType,
    StartType,
    State,
)

__all__ = [
    "UNCHANGED",
    "FailureAction",
    "FailureActions",
    "LockStatus",
    "ServiceConfig",
    "ServiceInfo",
    "ServiceStatus",
    "Unchanged",
]


E = TypeVar("E")


class _Members(dict[int, E]):
    """Members of an enumeration by their numbers: ten times as quick as asking for one."""

    def __init__(self, kind: Callable[[int], E]) -> None:
        super().__init__()
        self._kind = kind

    def __missing__(self, number: int) -> E:
        member = self._kind(number)
        if len(self) < _MOST_MEMBERS:
            self[number] = member
        return member


_MOST_MEMBERS: Final = 1024
_SERVICE_TYPES: Final = _Members(ServiceType)
_STATES: Final = _Members(State)
_CONTROLS: Final = _Members(AcceptedControls)
_FLAGS: Final = _Members(ServiceFlags)
_START_TYPES: Final = _Members(StartType)
_ERROR_CONTROLS: Final = _Members(ErrorControl)


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """Where a service stands, at the moment it was asked (``SERVICE_STATUS_PROCESS``).

    Attributes:
        service_type: the kind of service; a running one may show more bits than it was made with.
        state: where it stands.
        controls_accepted: the controls that it handles in this state.
        exit_code: the Windows error code it last ended with, unsigned; 1066 points to
            ``service_exit_code``, 1077 says it has not run since the system started.
        service_exit_code: the service's own error code, unsigned.
        check_point: counts up while a pending operation makes progress.
        wait_hint: how long the pending operation expects to need until the next check point.
        pid: the process that runs it; None where there is none.
        flags: whether it runs in a system process that must not be ended.
    """

    service_type: ServiceType
    state: State
    controls_accepted: AcceptedControls
    exit_code: int
    service_exit_code: int
    check_point: int
    wait_hint: timedelta
    pid: int | None
    flags: ServiceFlags

    @classmethod
    def from_row(cls, row: StatusRow) -> ServiceStatus:
        """From the numbers of a ``SERVICE_STATUS_PROCESS``, in its order."""
        # Nearly always the same few: what does not change may be shared.
        known = _STATUSES.get(row)
        if known is None:
            known = cls._new(row)
            if len(_STATUSES) >= _MOST_STATUSES:
                _STATUSES.clear()
            _STATUSES[row] = known
        return known

    @classmethod
    def _new(cls, row: StatusRow) -> ServiceStatus:
        kind, state, accepted, exit_code, own_exit_code, check_point, hint, pid, flags = row
        return cls(
            _SERVICE_TYPES[kind],
            _STATES[state],
            _CONTROLS[accepted],
            exit_code,
            own_exit_code,
            check_point,
            timedelta(milliseconds=hint),
            pid or None,
            _FLAGS[flags],
        )


_STATUSES: Final[dict[StatusRow, ServiceStatus]] = {}
_MOST_STATUSES: Final = 1024


class ServiceInfo(NamedTuple):
    """One service of a listing (``ENUM_SERVICE_STATUS_PROCESS``).

    A named tuple, of which a thousand are made in the time that a hundred dataclasses take.

    Attributes:
        name: the key name, which opens the service.
        display_name: the name for people; the key name where none was given.
        status: where it stands.
    """

    name: str
    display_name: str
    status: ServiceStatus

    @classmethod
    def from_row(cls, row: EnumRow) -> ServiceInfo:
        """From the fields of an ``ENUM_SERVICE_STATUS_PROCESS``."""
        name, display_name, status = row
        # Windows always gives a display name; Wine gives NULL for "same as the name".
        return cls(name, display_name or name, ServiceStatus.from_row(status))

    @classmethod
    def from_rows(cls, rows: Sequence[EnumRow]) -> Iterator[ServiceInfo]:
        """From all rows of a page, made as they are taken, without a step of Python's for each."""
        page = EnumPage.of(rows)
        shown = page.display_names
        if page.blank:
            shown = list(shown)
            for index in page.blank:
                shown[index] = page.names[index]
        different = list(map(ServiceStatus.from_row, page.statuses))
        statuses = map(different.__getitem__, page.which)
        return map(tuple.__new__, repeat(cls), zip(page.names, shown, statuses, strict=True))


@dataclass(frozen=True, slots=True)
class ServiceConfig:
    """How a service is set up (``QUERY_SERVICE_CONFIG``).

    Attributes:
        service_type: the kind of service.
        start_type: when it is started.
        error_control: what happens when it fails to start while the system boots.
        binary_path: the command line of its process, or the driver's file, as stored.
        load_order_group: the group that it belongs to; "" for none.
        tag: its place within the group; 0 for none.
        dependencies: the services and the groups that must run first.
        account: the account that it runs as, or the driver's object name.
        display_name: the name for people.
    """

    service_type: ServiceType
    start_type: StartType
    error_control: ErrorControl
    binary_path: str
    load_order_group: str
    tag: int
    dependencies: tuple[Dependency, ...]
    account: str
    display_name: str

    @classmethod
    def from_row(cls, row: ConfigRow, name: str) -> ServiceConfig:
        """From the fields of a ``QUERY_SERVICE_CONFIG`` of the service of that name."""
        return cls(
            _SERVICE_TYPES[row.service_type],
            _START_TYPES[row.start_type],
            _ERROR_CONTROLS[row.error_control],
            row.binary_path_name or "",
            row.load_order_group or "",
            row.tag_id,
            tuple(map(parse_dependency, row.dependencies or ())),
            row.service_start_name or "",
            # Windows always gives a display name; Wine gives "" for "same as the name".
            row.display_name or name,
        )


@dataclass(frozen=True, slots=True)
class FailureAction:
    """One thing that the SCM does when a service fails.

    Attributes:
        type: what it does.
        delay: how long it waits before.
    """

    type: ActionType
    delay: timedelta = timedelta(0)

    @classmethod
    def restart(cls, delay: Duration = 0) -> FailureAction:
        """Start the service again."""
        return cls(ActionType.RESTART, to_timedelta(delay, "delay"))

    @classmethod
    def reboot(cls, delay: Duration = 0) -> FailureAction:
        """Restart the computer. To set it needs ``SeShutdownPrivilege``."""
        return cls(ActionType.REBOOT, to_timedelta(delay, "delay"))

    @classmethod
    def run_command(cls, delay: Duration = 0) -> FailureAction:
        """Run the command of the :class:`FailureActions`."""
        return cls(ActionType.RUN_COMMAND, to_timedelta(delay, "delay"))

    @classmethod
    def none(cls, delay: Duration = 0) -> FailureAction:
        """Do nothing."""
        return cls(ActionType.NONE, to_timedelta(delay, "delay"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureActions:
    """What the SCM does when a service fails (``SERVICE_FAILURE_ACTIONS``).

    Attributes:
        actions: for the first failure, the second, and so on; the last one goes on.
        reset_after: how long without a failure until the count starts again; None for never.
            Windows keeps it only along with actions.
        reboot_message: what users are told before a reboot; "" for nothing.
        command: the command line of a ``RUN_COMMAND`` action; "" for none.
    """

    actions: tuple[FailureAction, ...] = ()
    reset_after: timedelta | None = timedelta(0)
    reboot_message: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        check_type(self.actions, tuple, "actions")
        for index, action in enumerate(self.actions):
            check_type(action, FailureAction, f"actions[{index}]")

    @classmethod
    def restart(
        cls,
        *,
        after: Sequence[Duration] = (0,),
        reset_after: Duration | None = timedelta(days=1),
    ) -> FailureActions:
        """Restart the service after each failure, with these delays.

        Args:
            after: a delay for each failure in turn.
            reset_after: how long without a failure until the first delay counts again.
        """
        actions = tuple(map(FailureAction.restart, after))
        reset = None if reset_after is None else to_timedelta(reset_after, "reset_after")
        return cls(actions=actions, reset_after=reset)

    @classmethod
    def from_row(cls, row: FailureActionsRow) -> FailureActions:
        """From the fields of a ``SERVICE_FAILURE_ACTIONS``."""
        never = row.reset_period == DWORD_MAX
        return cls(
            actions=tuple(
                FailureAction(ActionType(kind), timedelta(milliseconds=delay))
                for kind, delay in row.actions or ()
            ),
            reset_after=None if never else timedelta(seconds=row.reset_period),
            reboot_message=row.reboot_message or "",
            command=row.command or "",
        )

    def to_row(self) -> FailureActionsRow:
        """As a ``SERVICE_FAILURE_ACTIONS`` that sets everything.

        Raises:
            ArgumentError: a duration is negative or too long.
        """
        reset = DWORD_MAX if self.reset_after is None else seconds(self.reset_after, "reset_after")
        actions = tuple(
            (int(action.type), milliseconds(action.delay, f"actions[{index}].delay"))
            for index, action in enumerate(self.actions)
        )
        return FailureActionsRow(reset, self.reboot_message or "", self.command or "", actions)


@dataclass(frozen=True, slots=True)
class LockStatus:
    """Who holds the lock of the service database (``QUERY_SERVICE_LOCK_STATUS``).

    Attributes:
        owner: who holds it; None when it is not locked.
        duration: for how long.
    """

    owner: str | None
    duration: timedelta


class Unchanged(Enum):
    """The type of :data:`UNCHANGED`."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged.UNCHANGED
"""In a write: leave this as it is. None, "" and () clear it."""
