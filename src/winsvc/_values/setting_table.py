"""The table of settings: one entry for each setting of a service.

Validation, changes, queries, snapshots and the simulated system use the entries. The declarations
that type checkers need, the queries of :class:`winsvc.Service` and ``docs/settings.md`` are written
from them by ``tools/settingsgen.py``: run it, and then ``tools/aiogen.py``, after a change.

A new configuration level needs an entry here, a member of :class:`winsvc.enums.ConfigLevel` and,
unless it is a single number, the methods ``query_NAME`` and ``change_NAME`` in the backends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from winsvc._util.checks import check_dword
from winsvc._util.durations import Duration
from winsvc._util.text import check_text
from winsvc._values.account import LOCAL_SYSTEM, Account, Secret
from winsvc._values.commandline import check_binary_path
from winsvc._values.config import FailureActions
from winsvc._values.dependency import Dependency, parse_dependencies
from winsvc._values.names import check_display_name
from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, TriggerRow
from winsvc._values.setting import Change, Setting
from winsvc.enums import (
    ActionType,
    ConfigLevel,
    ErrorCode,
    ErrorControl,
    LaunchProtection,
    SecurityInformation,
    ServiceAccess,
    ServiceType,
    SidType,
    StartType,
)
from winsvc.security import SecurityDescriptor
from winsvc.security.parts import parts_to_write, rights_to_write
from winsvc.triggers import Trigger, check_triggers

__all__ = ["NUMBER_LEVELS", "SETTINGS", "change_failure_actions", "change_security"]

# ---------------------------------------------------------------------- special cases of settings


def change_failure_actions(row: FailureActionsRow) -> Change:
    """Return the change to these failure actions."""
    kinds = {kind for kind, _ in row.actions or ()}
    right = ServiceAccess.CHANGE_CONFIG
    if ActionType.RESTART in kinds:
        right |= ServiceAccess.START
    hint = "A REBOOT action also needs SeShutdownPrivilege, held and enabled."
    return Change(
        setting="failure_actions",
        right=right,
        method="change_failure_actions",
        arguments=(row,),
        denied_hint=hint if ActionType.REBOOT in kinds else None,
    )


def _failure_lines(actions: FailureActions) -> Iterator[str]:
    if not actions.actions:
        return
    steps = ", ".join(
        f"{action.type.name.lower().replace('_', ' ')} after {action.delay.total_seconds():g} s"
        for action in actions.actions
    )
    after = actions.reset_after
    reset = "never reset" if after is None else f"reset after {after.total_seconds():g} s"
    yield f"{steps}; {reset}"


def _check_privileges(privileges: Iterable[str], argument: str) -> None:
    for privilege in privileges:
        check_text(privilege, argument, empty=False)


def _change_triggers(rows: list[TriggerRow]) -> Change:
    # Windows refuses to clear the triggers of a service that has none.
    ignored = frozenset() if rows else frozenset({int(ErrorCode.INVALID_PARAMETER)})
    return Change(setting="triggers", method="change_triggers", arguments=(rows,), ignored=ignored)


def _change_preferred_node(row: PreferredNodeRow) -> Change:
    # Windows refuses to remove the node of a service that has none.
    ignored = frozenset({int(ErrorCode.INVALID_PARAMETER)}) if row.delete else frozenset()
    return Change(
        setting="preferred_node", method="change_preferred_node", arguments=(row,), ignored=ignored
    )


def change_security(
    descriptor: SecurityDescriptor, parts: SecurityInformation = SecurityInformation.DACL
) -> Change:
    """Return the change to these parts of a security descriptor.

    Raises:
        ValidationError: the descriptor lacks one of the parts.
    """
    content = parts_to_write(descriptor, parts)
    return Change(
        setting="security",
        right=rights_to_write(parts),
        method="set_service_object_security",
        arguments=(int(parts), content),
    )


# A description may be the name of a resource, which may be missing. The range is ERROR_MUI_*.
_NO_RESOURCE: Final = frozenset(
    {int(ErrorCode.FILE_NOT_FOUND), int(ErrorCode.NOT_FOUND), *range(15100, 15109)}
)

# ---------------------------------------------------------------------------------------- the table

_TABLE: Final = (
    Setting(
        name="service_type",
        doc="the kind of service: own process, shared process, driver and so on",
        accepts=ServiceType,
        default=ServiceType.OWN_PROCESS,
    ),
    Setting(
        name="start_type",
        doc="when the service is started",
        accepts=StartType,
        default=StartType.MANUAL,
    ),
    Setting(
        name="error_control",
        doc="the severity of a failed start while the system boots",
        accepts=ErrorControl,
        default=ErrorControl.NORMAL,
    ),
    Setting(
        name="binary_path",
        doc="the command line of the process, or the file of the driver",
        note="A program with a blank in its path must be quoted, as "
        ":meth:`winsvc.ServiceSpec.for_program` does.",
        accepts=str,
        check=check_binary_path,
    ),
    Setting(
        name="load_order_group",
        doc="the load-order group that the service belongs to",
        accepts=str | None,
        reads=str,
        default="",
        check=check_text,
    ),
    Setting(
        name="dependencies",
        doc='the services, and groups (``"+name"`` or ``GroupDependency``), that must run first',
        accepts=Iterable[str | Dependency] | None,
        reads=tuple[Dependency, ...],
        default=(),
        check=parse_dependencies,
        to_row=lambda items: list(map(str, items)),
    ),
    Setting(
        name="account",
        doc="the account that the service runs as, in any spelling",
        accepts=Account | str,
        reads=Account,
        default=LOCAL_SYSTEM,
        to_row=str,
    ),
    Setting(
        name="password",
        doc="the password of the account, which is never displayed",
        accepts=Secret | str | None,
        reads=Secret,
    ),
    Setting(
        name="display_name",
        doc="the name that user interfaces display",
        accepts=str,
        default="",
        check=check_display_name,
    ),
    Setting(
        name="description",
        doc='the text that describes the service; "" for none or for a missing resource',
        accepts=str | None,
        reads=str,
        default="",
        level=ConfigLevel.DESCRIPTION,
        check=check_text,
        from_row=lambda text: text or "",
        unset_errors=_NO_RESOURCE,
        label="description",
    ),
    Setting(
        name="delayed_auto_start",
        doc="whether an automatic start waits until the other automatic starts are done",
        accepts=bool,
        default=False,
        level=ConfigLevel.DELAYED_AUTO_START_INFO,
    ),
    Setting(
        name="failure_actions",
        doc="the actions of the SCM when the service fails",
        note="RESTART actions also need the right ``START``, REBOOT actions the privilege "
        "``SeShutdownPrivilege``. To change a part:"
        " ``dataclasses.replace(service.failure_actions(), ...)``.",
        accepts=FailureActions | None,
        reads=FailureActions,
        default=FailureActions(),
        level=ConfigLevel.FAILURE_ACTIONS,
        to_row=FailureActions.to_row,
        from_row=FailureActions.from_row,
        to_change=change_failure_actions,
        label="on failure",
        lines=_failure_lines,
    ),
    Setting(
        name="failure_actions_on_error",
        doc="whether the failure actions also apply when the service stops with an error code",
        accepts=bool,
        default=False,
        level=ConfigLevel.FAILURE_ACTIONS_FLAG,
        label="",
        lines=lambda value: ["also when it stops with an error code"] if value else [],
    ),
    Setting(
        name="sid_type",
        doc="whether the service's own SID is in its process token",
        note="The SID: :func:`winsvc.service_sid`.",
        accepts=SidType,
        default=SidType.NONE,
        level=ConfigLevel.SERVICE_SID_INFO,
        label="service SID",
    ),
    Setting(
        name="required_privileges",
        doc="the privileges that the process keeps; () for all privileges of its account",
        accepts=Iterable[str] | None,
        reads=tuple[str, ...],
        default=(),
        level=ConfigLevel.REQUIRED_PRIVILEGES_INFO,
        check=_check_privileges,
        to_row=list,
        from_row=lambda privileges: tuple(privileges or ()),
        label="privileges",
    ),
    Setting(
        name="preshutdown_timeout",
        doc="the time that the service may take before a shutdown",
        note="A timedelta or seconds, up to 49.7 days.",
        accepts=Duration,
        reads=timedelta,
        default=timedelta(seconds=10),
        level=ConfigLevel.PRESHUTDOWN_INFO,
        converts=True,
        label="preshutdown",
    ),
    Setting(
        name="triggers",
        doc="the events that start or stop the service",
        note="All triggers are replaced.",
        accepts=Iterable[Trigger] | None,
        reads=tuple[Trigger, ...],
        default=(),
        level=ConfigLevel.TRIGGER_INFO,
        check=check_triggers,
        to_row=lambda triggers: [trigger.to_row() for trigger in triggers],
        from_row=lambda rows: tuple(map(Trigger.from_row, rows)),
        to_change=_change_triggers,
        label="trigger",
        lines=lambda triggers: [trigger.describe() for trigger in triggers],
    ),
    Setting(
        name="preferred_node",
        doc="the preferred NUMA node of the process; None for any, and if there is only one",
        accepts=int | None,
        level=ConfigLevel.PREFERRED_NODE,
        check=lambda node, argument: check_dword(node, argument, limit=0xFFFF),
        to_row=lambda node: PreferredNodeRow(node or 0, node is None),
        from_row=lambda row: None if row is None or row.delete else row.preferred_node,
        to_change=_change_preferred_node,
        unset_errors=frozenset({int(ErrorCode.INVALID_PARAMETER)}),
        label="NUMA node",
    ),
    Setting(
        name="launch_protection",
        doc="the kind of protected process that the service runs in",
        note="Windows accepts a change only from a protected program, and never removes the "
        "protection.",
        accepts=LaunchProtection,
        default=LaunchProtection.NONE,
        level=ConfigLevel.LAUNCH_PROTECTED,
        label="protection",
    ),
    Setting(
        name="security",
        doc="the security descriptor of the service",
        note="A descriptor, SDDL or bytes, of which the DACL is set; other parts: "
        ":meth:`winsvc.Service.set_security`.",
        accepts=SecurityDescriptor | str | bytes,
        reads=SecurityDescriptor,
        converts=True,
        to_row=SecurityDescriptor.coerce,
        to_change=change_security,
        label="security",
        lines=lambda descriptor: descriptor.describe().splitlines(),
    ),
)

SETTINGS: Final[Mapping[str, Setting]] = MappingProxyType(
    {setting.name: setting for setting in _TABLE}
)
"""The settings by name, in the order in which they are displayed and changed."""

NUMBER_LEVELS: Final[Mapping[int, Setting]] = MappingProxyType(
    {int(each.level): each for each in _TABLE if each.level is not None and each.is_number}
)
"""The settings whose level is a single number, by level."""
