"""What a service is to be: all settings of a new service, or some of an existing one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, TypedDict

from winsvc._util.checks import check_type
from winsvc._util.durations import Duration
from winsvc._values.account import Secret
from winsvc._values.config import UNCHANGED, FailureActions, Unchanged
from winsvc._values.dependency import Dependency, GroupDependency, ServiceDependency
from winsvc.enums import ErrorControl, LaunchProtection, ServiceType, SidType, StartType
from winsvc.security import SecurityDescriptor
from winsvc.triggers import Trigger

__all__ = ["CreateKeywords", "ServiceSpec", "Settings", "SettingsKeywords"]


class CreateKeywords(TypedDict, total=False):
    """The settings but for the command line, as keywords; :class:`Settings` explains them."""

    service_type: ServiceType | Unchanged
    start_type: StartType | Unchanged
    error_control: ErrorControl | Unchanged
    load_order_group: str | Unchanged | None
    dependencies: Iterable[str | Dependency] | Unchanged | None
    account: str | Unchanged
    password: Secret | str | Unchanged | None
    display_name: str | Unchanged
    description: str | Unchanged | None
    delayed_auto_start: bool | Unchanged
    failure_actions: FailureActions | Unchanged | None
    failure_actions_on_error: bool | Unchanged
    sid_type: SidType | Unchanged
    required_privileges: Iterable[str] | Unchanged | None
    preshutdown_timeout: Duration | Unchanged
    triggers: Iterable[Trigger] | Unchanged | None
    preferred_node: int | Unchanged | None
    launch_protection: LaunchProtection | Unchanged
    security: SecurityDescriptor | str | bytes | Unchanged


class SettingsKeywords(CreateKeywords, total=False):
    """All the settings as keywords."""

    binary_path: str | Unchanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of a service. What is left out, or ``UNCHANGED``, is not touched.

    None, "" and () clear what can be cleared.

    Attributes:
        service_type: own or shared process, driver, and so on.
        start_type: when it is started.
        error_control: what happens when it fails to start while the system boots.
        binary_path: the command line of its process; a program with a blank in its path must be
            quoted (see :func:`winsvc._values.commandline.command_line`).
        load_order_group: the group that it belongs to.
        dependencies: services, and groups (``"+name"`` or ``GroupDependency``), that run first.
        account: the account that it runs as, in any spelling.
        password: the account's password; it never shows.
        display_name: the name for people.
        description: a text for people.
        delayed_auto_start: whether an automatic start waits for the others.
        failure_actions: what the SCM does when it fails.
        failure_actions_on_error: whether that also happens when it stops with an error code.
        sid_type: whether the service's own SID is in its process token.
        required_privileges: the privileges that its process keeps; None or () for all.
        preshutdown_timeout: how long it may take before a shutdown; a timedelta or seconds.
        triggers: what starts and stops it.
        preferred_node: the NUMA node of its process; None for any.
        launch_protection: the kind of protected process it runs in.
        security: who may do what with it, as a descriptor, SDDL or bytes. Its DACL is set; for
            other parts there is :meth:`winsvc.Service.set_security`.
    """

    service_type: ServiceType | Unchanged = UNCHANGED
    start_type: StartType | Unchanged = UNCHANGED
    error_control: ErrorControl | Unchanged = UNCHANGED
    binary_path: str | Unchanged = UNCHANGED
    load_order_group: str | Unchanged | None = UNCHANGED
    dependencies: Iterable[str | Dependency] | Unchanged | None = UNCHANGED
    account: str | Unchanged = UNCHANGED
    password: Secret | str | Unchanged | None = UNCHANGED
    display_name: str | Unchanged = UNCHANGED
    description: str | Unchanged | None = UNCHANGED
    delayed_auto_start: bool | Unchanged = UNCHANGED
    failure_actions: FailureActions | Unchanged | None = UNCHANGED
    failure_actions_on_error: bool | Unchanged = UNCHANGED
    sid_type: SidType | Unchanged = UNCHANGED
    required_privileges: Iterable[str] | Unchanged | None = UNCHANGED
    preshutdown_timeout: Duration | Unchanged = UNCHANGED
    triggers: Iterable[Trigger] | Unchanged | None = UNCHANGED
    preferred_node: int | Unchanged | None = UNCHANGED
    launch_protection: LaunchProtection | Unchanged = UNCHANGED
    security: SecurityDescriptor | str | bytes | Unchanged = UNCHANGED

    def __post_init__(self) -> None:
        if isinstance(self.password, str):
            # A plain str would show in the repr and in tracebacks.
            object.__setattr__(self, "password", Secret(self.password))
        for name, kind in _KINDS.items():
            value = getattr(self, name)
            if value is not UNCHANGED:
                check_type(value, kind, name)
        for name, item in _ITEMS.items():
            value = getattr(self, name)
            if value is not UNCHANGED:
                object.__setattr__(self, name, _items(value, item, name))

    def given(self) -> dict[str, object]:
        """The settings that are to be changed, by name."""
        values = ((field.name, getattr(self, field.name)) for field in fields(Settings))
        return {name: value for name, value in values if value is not UNCHANGED}


_NONE: Final = type(None)
_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "service_type": int,
    "start_type": int,
    "error_control": int,
    "binary_path": str,
    "load_order_group": (str, _NONE),
    "account": str,
    "password": (Secret, _NONE),
    "display_name": str,
    "description": (str, _NONE),
    "delayed_auto_start": bool,
    "failure_actions": (FailureActions, _NONE),
    "failure_actions_on_error": bool,
    "sid_type": int,
    "preferred_node": (int, _NONE),
    "launch_protection": int,
}
_ITEMS: Final[dict[str, tuple[type, ...]]] = {
    "dependencies": (str, ServiceDependency, GroupDependency),
    "required_privileges": (str,),
    "triggers": (Trigger,),
}


def _items(value: object, kind: tuple[type, ...], argument: str) -> tuple[object, ...]:
    """A tuple of what may be iterated only once; None is none of them."""
    if value is None:
        return ()
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        raise TypeError(f"{argument}: expected a list, not a single {type(value).__name__}")
    items = tuple(value)
    for index, item in enumerate(items):
        check_type(item, kind, f"{argument}[{index}]")
    return items


def hide_password(settings: CreateKeywords | SettingsKeywords) -> None:
    """Wrap a password given as a plain str before it can show in a traceback."""
    password = settings.get("password")
    if isinstance(password, str):
        settings["password"] = Secret(password)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSpec(Settings):
    """A service that is to be: its key name and its settings.

    Without the settings in question it is a manual one in a process of its own, as LocalSystem.

    Attributes:
        name: the key name, at most 256 characters without slashes.
    """

    name: str

    @classmethod
    def for_program(
        cls, name: str, program: str | os.PathLike[str], *arguments: str
    ) -> ServiceSpec:
        """A service whose process is a program with arguments, quoted as need be."""
        from winsvc._values.commandline import command_line

        return cls(name=name, binary_path=command_line(program, *arguments))
