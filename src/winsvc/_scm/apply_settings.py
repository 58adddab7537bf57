"""Settings become calls: checked all together first, then made one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from winsvc._scm.handle_pool import Grants
from winsvc._util.checks import check_bool, check_dword
from winsvc._util.durations import Duration, milliseconds, to_timedelta
from winsvc._util.text import check_text
from winsvc._values.account import Account, Secret, check_interactive, password_for
from winsvc._values.commandline import check_binary_path
from winsvc._values.config import FailureAction, FailureActions, Unchanged
from winsvc._values.dependency import parse_dependencies
from winsvc._values.names import check_display_name
from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, TriggerRow
from winsvc._values.settings import ServiceSpec, Settings
from winsvc.backend import Backend
from winsvc.enums import (
    ActionType,
    ConfigLevel,
    ErrorControl,
    SecurityInformation,
    ServiceAccess,
    ServiceType,
    StartType,
)
from winsvc.errors import AccessDeniedError, ArgumentError, InvalidArgumentError, ServiceError
from winsvc.security import SecurityDescriptor
from winsvc.security.parts import parts_to_write, rights_to_write
from winsvc.triggers import check_triggers

__all__ = ["Change", "CreationPlan", "apply", "plan_creation", "prepare"]

NO_CHANGE: Final = 0xFFFFFFFF
_DRIVER_OBJECTS: Final = ("\\Driver\\", "\\FileSystem\\")


@dataclass(frozen=True, slots=True)
class Change:
    """One call that is to be made on a service's handle.

    Attributes:
        setting: what it changes.
        right: the right that it needs.
        call: makes it.
    """

    setting: str
    right: ServiceAccess
    call: Callable[[int], object]


def apply(changes: list[Change], grants: Grants[ServiceAccess]) -> None:
    """Make the changes; an error says which one was refused, and which were made by then."""
    made: list[str] = []
    for change in changes:
        try:
            grants.call(change.right, change.call)
        except ServiceError as error:
            told = [error.hint] if error.hint else []
            told.append(f"Refused: {change.setting}.")
            if made:
                told.append(f"Changed before that: {', '.join(made)}.")
            error.hint = " ".join(told)
            raise
        made.append(change.setting)


def prepare(
    settings: Settings, backend: Backend, *, want_tag: bool = False, unquoted: bool = False
) -> tuple[list[Change], Config]:
    """Check every setting, and make a list of what is to be called for those that are given.

    Returns:
        The changes, and the configuration, which holds the tag afterwards if one was wanted.

    Raises:
        TypeError: a setting is of the wrong type.
        ArgumentError: a setting can't be.
        InvalidSecurityError: the security descriptor is malformed.
    """
    config = Config.of(settings, want_tag=want_tag, unquoted=unquoted)
    changes: list[Change] = []
    if config.given:
        right = ServiceAccess.CHANGE_CONFIG
        if config.needs_account:
            right |= ServiceAccess.QUERY_CONFIG
        changes.append(Change("configuration", right, lambda value: config.change(backend, value)))
    return [*changes, *_levels(settings, backend), *_security(settings, backend)], config


@dataclass(frozen=True, slots=True)
class CreationPlan:
    """How a new service is made.

    Attributes:
        create: makes it: from the manager's handle and the rights, the service's handle.
        later: what is to be done then.
    """

    create: Callable[[int, int], int]
    later: list[Change]


def plan_creation(
    spec: ServiceSpec, backend: Backend, *, want_tag: bool, unquoted: bool = False
) -> CreationPlan:
    """Check every setting of a new service.

    Raises:
        TypeError, ArgumentError, InvalidSecurityError: as :func:`prepare`.
    """
    config = Config.of(spec, want_tag=want_tag, unquoted=unquoted)
    if not config.binary_path:
        raise ArgumentError("binary_path", "a new service needs one")
    later = [*_levels(spec, backend), *_security(spec, backend)]
    return CreationPlan(
        lambda manager, access: config.create(backend, manager, spec.name, access), later
    )


@dataclass(slots=True)
class Config:
    """What ``CreateServiceW`` and ``ChangeServiceConfigW`` take, None and NO_CHANGE left out."""

    service_type: int = NO_CHANGE
    start_type: int = NO_CHANGE
    error_control: int = NO_CHANGE
    binary_path: str | None = None
    load_order_group: str | None = None
    want_tag: bool = False
    dependencies: list[str] | None = None
    account: str | None = None
    password: Secret | None = None
    display_name: str | None = None
    tag: int | None = field(default=None, compare=False)

    @classmethod
    def of(cls, settings: Settings, *, want_tag: bool, unquoted: bool) -> Config:
        check_bool(unquoted, "unquoted")
        config = cls(want_tag=check_bool(want_tag, "want_tag"))
        if not isinstance(settings.service_type, Unchanged):
            config.service_type = _number(settings.service_type, "service_type")
        if not isinstance(settings.start_type, Unchanged):
            config.start_type = _number(settings.start_type, "start_type")
        if not isinstance(settings.error_control, Unchanged):
            config.error_control = _number(settings.error_control, "error_control")
        if not isinstance(settings.binary_path, Unchanged):
            config.binary_path = check_binary_path(settings.binary_path, unquoted=unquoted)
        if not isinstance(settings.load_order_group, Unchanged):
            group = settings.load_order_group or ""
            config.load_order_group = check_text(group, "load_order_group")
        if not isinstance(settings.dependencies, Unchanged):
            dependencies = parse_dependencies(settings.dependencies or ())
            config.dependencies = [str(dependency) for dependency in dependencies]
        if not isinstance(settings.display_name, Unchanged):
            config.display_name = check_display_name(settings.display_name)
        config._set_account(settings)
        return config

    def _set_account(self, settings: Settings) -> None:
        password = None if isinstance(settings.password, Unchanged) else settings.password
        if isinstance(password, str):
            password = Secret(password)
        if isinstance(settings.account, Unchanged):
            self.password = password
        elif settings.account.startswith(_DRIVER_OBJECTS):
            self.account = check_text(settings.account, "account")
        else:
            account = Account(settings.account)
            self.account = account.name
            self.password = password_for(account, password)
            if self.service_type != NO_CHANGE:
                check_interactive(ServiceType(self.service_type), account)

    @property
    def given(self) -> bool:
        return self != Config()

    @property
    def needs_account(self) -> bool:
        """Windows takes a password only along with the account that it is for."""
        return self.password is not None and self.account is None

    def change(self, backend: Backend, service: int) -> None:
        account, password = self.account, self.password
        if self.needs_account:
            account = backend.query_service_config(service).service_start_name
            password = password_for(Account(account or ""), password)
        self.tag = backend.change_service_config(
            service,
            self.service_type,
            self.start_type,
            self.error_control,
            self.binary_path,
            self.load_order_group,
            self.want_tag,
            self.dependencies,
            account,
            password,
            self.display_name,
        )

    def create(self, backend: Backend, manager: int, name: str, access: int) -> int:
        handle, self.tag = backend.create_service(
            manager,
            name,
            self.display_name,
            access,
            ServiceType.OWN_PROCESS if self.service_type == NO_CHANGE else self.service_type,
            StartType.MANUAL if self.start_type == NO_CHANGE else self.start_type,
            ErrorControl.NORMAL if self.error_control == NO_CHANGE else self.error_control,
            self.binary_path or "",
            self.load_order_group,
            self.want_tag,
            self.dependencies or None,
            self.account,
            self.password,
        )
        return handle


def _levels(settings: Settings, backend: Backend) -> Iterator[Change]:
    """The levels of ``ChangeServiceConfig2W``."""
    right = ServiceAccess.CHANGE_CONFIG
    if not isinstance(settings.description, Unchanged):
        text = check_text(settings.description or "", "description")
        yield Change("description", right, lambda value: backend.change_description(value, text))
    if not isinstance(settings.failure_actions, Unchanged):
        yield failure_actions_change(settings.failure_actions or FailureActions(), backend)
    for name, level, number in _numbers(settings):
        yield Change(name, right, _number_call(backend, level, number))
    if not isinstance(settings.required_privileges, Unchanged):
        privileges = [
            check_text(name, "required_privileges", empty=False)
            for name in settings.required_privileges or ()
        ]
        yield Change(
            "required_privileges",
            right,
            lambda value: backend.change_required_privileges(value, privileges),
        )
    if not isinstance(settings.triggers, Unchanged):
        rows = [trigger.to_row() for trigger in check_triggers(settings.triggers or ())]
        yield Change("triggers", right, lambda value: _change_triggers(backend, value, rows))
    if not isinstance(settings.preferred_node, Unchanged):
        node = settings.preferred_node
        number = 0 if node is None else check_dword(node, "preferred_node", limit=0xFFFF)
        row = PreferredNodeRow(number, node is None)
        yield Change(
            "preferred_node", right, lambda value: backend.change_preferred_node(value, row)
        )


def _numbers(settings: Settings) -> Iterator[tuple[str, ConfigLevel, int]]:
    """The levels that are one number."""
    if not isinstance(settings.delayed_auto_start, Unchanged):
        delayed = int(settings.delayed_auto_start)
        yield "delayed_auto_start", ConfigLevel.DELAYED_AUTO_START_INFO, delayed
    if not isinstance(settings.failure_actions_on_error, Unchanged):
        flag = int(settings.failure_actions_on_error)
        yield "failure_actions_on_error", ConfigLevel.FAILURE_ACTIONS_FLAG, flag
    if not isinstance(settings.sid_type, Unchanged):
        yield "sid_type", ConfigLevel.SERVICE_SID_INFO, _number(settings.sid_type, "sid_type")
    if not isinstance(settings.preshutdown_timeout, Unchanged):
        timeout = milliseconds(settings.preshutdown_timeout, "preshutdown_timeout")
        yield "preshutdown_timeout", ConfigLevel.PRESHUTDOWN_INFO, timeout
    if not isinstance(settings.launch_protection, Unchanged):
        protection = _number(settings.launch_protection, "launch_protection")
        yield "launch_protection", ConfigLevel.LAUNCH_PROTECTED, protection


def _number_call(backend: Backend, level: ConfigLevel, number: int) -> Callable[[int], object]:
    return lambda value: backend.change_config_number(value, int(level), number)


def failure_actions_change(actions: FailureActions, backend: Backend) -> Change:
    """Set all of a service's failure actions."""
    return _failure_actions_call(actions.to_row(), backend)


def _failure_actions_call(row: FailureActionsRow, backend: Backend) -> Change:
    kinds = {kind for kind, _ in row.actions or ()}
    right = ServiceAccess.CHANGE_CONFIG
    if ActionType.RESTART in kinds:
        right |= ServiceAccess.START

    def call(value: int) -> None:
        try:
            backend.change_failure_actions(value, row)
        except AccessDeniedError as error:
            if ActionType.REBOOT in kinds:
                error.hint = "A REBOOT action also needs SeShutdownPrivilege, held and enabled."
            raise

    return Change("failure_actions", right, call)


def failure_actions_part(
    backend: Backend,
    current: Callable[[], FailureActions],
    actions: Sequence[FailureAction] | Unchanged | None,
    reset_after: Duration | Unchanged | None,
    reboot_message: str | Unchanged | None,
    command: str | Unchanged | None,
) -> Change:
    """Set some of a service's failure actions; the rest stays.

    NULL keeps a message or a command; actions and time of reset are kept together or not at all.
    """
    texts = FailureActionsRow(
        0,
        None if isinstance(reboot_message, Unchanged) else reboot_message or "",
        None if isinstance(command, Unchanged) else command or "",
        None,
    )
    if isinstance(actions, Unchanged) and isinstance(reset_after, Unchanged):
        return _failure_actions_call(texts, backend)
    if isinstance(actions, Unchanged):
        actions = current().actions
    elif isinstance(reset_after, Unchanged):
        reset_after = current().reset_after if actions else timedelta(0)
    if reset_after is not None and not isinstance(reset_after, Unchanged):
        reset_after = to_timedelta(reset_after, "reset_after")
    assert not isinstance(reset_after, Unchanged)
    if not actions and reset_after != timedelta(0):
        raise ArgumentError("reset_after", "needs at least one action: Windows drops it")
    whole = FailureActions(actions=tuple(actions or ()), reset_after=reset_after)
    return _failure_actions_call(
        whole.to_row()._replace(reboot_message=texts.reboot_message, command=texts.command),
        backend,
    )


def _change_triggers(backend: Backend, service: int, rows: list[TriggerRow]) -> None:
    try:
        backend.change_triggers(service, rows)
    except InvalidArgumentError:
        # Windows refuses to clear the triggers of a service that has none.
        if rows:
            raise


def _number(value: int, argument: str) -> int:
    # The highest one stands for "no change" in these calls.
    return check_dword(value, argument, limit=NO_CHANGE - 1)


def _security(settings: Settings, backend: Backend) -> Iterator[Change]:
    if not isinstance(settings.security, Unchanged):
        descriptor = SecurityDescriptor.coerce(settings.security)
        yield security_change(descriptor, SecurityInformation.DACL, backend)


def security_change(
    descriptor: SecurityDescriptor, parts: SecurityInformation, backend: Backend
) -> Change:
    """Set these parts, which the descriptor must have."""
    content = parts_to_write(descriptor, parts)
    return Change(
        "security",
        rights_to_write(parts),
        lambda value: backend.set_service_object_security(value, int(parts), content),
    )
