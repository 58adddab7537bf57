"""The configuration of a service, its failure actions, and ``UNCHANGED``."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Final

from winsvc._public import publish
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
    """The configuration of a service (``QUERY_SERVICE_CONFIG``).

    Attributes:
        service_type: the kind of service.
        start_type: when the service is started.
        error_control: the severity of a failed start while the system boots.
        binary_path: the command line of the process, or the file of the driver, as stored.
        load_order_group: the load-order group of the service; "" for none.
        tag: the position in the group; 0 for none.
        dependencies: the services and the groups that must run first.
        account: the account that the service runs as, as stored; the object name of a driver.
        display_name: the name that user interfaces display.
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
        """Return the configuration of the named service from a ``QUERY_SERVICE_CONFIG``."""
        return cls(
            _SERVICE_TYPES[row.service_type],
            _START_TYPES[row.start_type],
            _ERROR_CONTROLS[row.error_control],
            row.binary_path_name or "",
            row.load_order_group or "",
            row.tag_id,
            tuple(map(parse_dependency, row.dependencies or ())),
            _account(row.service_start_name or ""),
            # Windows always returns a display name; Wine returns "" for "same as the name".
            row.display_name or name,
        )


@dataclass(frozen=True, slots=True)
class FailureAction:
    """One action of the SCM when a service fails.

    Attributes:
        type: the kind of action.
        delay: the time between the failure and the action.
    """

    type: ActionType
    delay: timedelta = timedelta(0)

    @classmethod
    def restart(cls, delay: Duration = 0) -> FailureAction:
        """Return an action that starts the service again."""
        return cls(ActionType.RESTART, to_timedelta(delay, "delay"))

    @classmethod
    def reboot(cls, delay: Duration = 0) -> FailureAction:
        """Return an action that restarts the computer; writing it needs ``SeShutdownPrivilege``."""
        return cls(ActionType.REBOOT, to_timedelta(delay, "delay"))

    @classmethod
    def run_command(cls, delay: Duration = 0) -> FailureAction:
        """Return an action that runs the command of the :class:`FailureActions`."""
        return cls(ActionType.RUN_COMMAND, to_timedelta(delay, "delay"))

    @classmethod
    def none(cls, delay: Duration = 0) -> FailureAction:
        """Return an action that does nothing."""
        return cls(ActionType.NONE, to_timedelta(delay, "delay"))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureActions:
    """The actions of the SCM when a service fails (``SERVICE_FAILURE_ACTIONS``).

    Attributes:
        actions: the action for the first failure, the second, and so on; the last action is also
            used for all further failures.
        reset_after: the time without a failure after which the count is reset; None for never.
            Windows stores it only together with actions.
        reboot_message: the message that users receive before a reboot; "" for none.
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
            check_type(action.type, ActionType, f"actions[{index}].type")
            check_type(action.delay, timedelta, f"actions[{index}].delay")

    @classmethod
    def restart(
        cls,
        *,
        after: Sequence[Duration] = (0,),
        reset_after: Duration | None = timedelta(days=1),
    ) -> FailureActions:
        """Return actions that restart the service after each failure.

        Args:
            after: the delays for the first failure, the second, and so on.
            reset_after: the time without a failure after which the first delay is used again.
        """
        check_type(after, Iterable, "after")
        actions = tuple(map(FailureAction.restart, after))
        reset = None if reset_after is None else to_timedelta(reset_after, "reset_after")
        return cls(actions=actions, reset_after=reset)

    @classmethod
    def from_row(cls, row: FailureActionsRow) -> FailureActions:
        """Return the actions from the fields of a ``SERVICE_FAILURE_ACTIONS``."""
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
        """Return the fields of a ``SERVICE_FAILURE_ACTIONS``, of which none is NULL.

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
"""The value of a setting that keeps its value. None, "" and () clear a setting."""

publish(__name__)
