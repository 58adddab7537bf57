"""How services are set up: configuration, failure actions, and what leaves them unchanged."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from winsvc._util.checks import DWORD_MAX, check_type
from winsvc._util.durations import Duration, milliseconds, seconds, to_timedelta
from winsvc._values.account import Account
from winsvc._values.dependency import Dependency, parse_dependency
from winsvc._values.rows import ConfigRow, FailureActionsRow
from winsvc.enums import ActionType, ErrorControl, MemberCache, ServiceType, StartType

__all__ = ["UNCHANGED", "FailureAction", "FailureActions", "ServiceConfig", "Unchanged"]

_SERVICE_TYPES: Final = MemberCache(ServiceType)
_START_TYPES: Final = MemberCache(StartType)
_ERROR_CONTROLS: Final = MemberCache(ErrorControl)
_account = functools.lru_cache(1024)(Account.stored)


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
    account: Account
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
            _account(row.service_start_name or ""),
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
            ValidationError: a duration is negative or too long.
        """
        reset = DWORD_MAX if self.reset_after is None else seconds(self.reset_after, "reset_after")
        actions = tuple(
            (int(action.type), milliseconds(action.delay, f"actions[{index}].delay"))
            for index, action in enumerate(self.actions)
        )
        return FailureActionsRow(reset, self.reboot_message or "", self.command or "", actions)


class Unchanged(Enum):
    """The type of :data:`UNCHANGED`."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged.UNCHANGED
"""In a write: leave this as it is. None, "" and () clear it."""
