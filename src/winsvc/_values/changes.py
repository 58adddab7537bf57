"""Convert settings to changes. Every setting is checked before the first call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from winsvc._util.checks import check_bool
from winsvc._util.text import check_text
from winsvc._values.account import Account, AccountKind, Secret, check_interactive, password_for
from winsvc._values.commandline import check_binary_path
from winsvc._values.rows import NO_CHANGE
from winsvc._values.setting import Change
from winsvc._values.setting_table import SETTINGS
from winsvc._values.settings import ServiceSpec, Settings
from winsvc.enums import ServiceAccess, ServiceType
from winsvc.errors import ValidationError

__all__ = ["ConfigArguments", "changes_for", "creation_for"]


class ConfigArguments(NamedTuple):
    """The arguments of ``ChangeServiceConfigW`` after the handle; the defaults change nothing."""

    service_type: int = NO_CHANGE
    start_type: int = NO_CHANGE
    error_control: int = NO_CHANGE
    binary_path: str | None = None
    load_order_group: str | None = None
    assign_tag: bool = False
    dependencies: Sequence[str] | None = None
    account: str | None = None
    password: Secret | None = None
    display_name: str | None = None

    @property
    def needs_account(self) -> bool:
        """Return whether there is a password without its account, which Windows does not accept."""
        return self.password is not None and self.account is None

    def with_account(self, account: str | None) -> ConfigArguments:
        """Return the arguments with the present account of the service."""
        password = password_for(Account.stored(account or ""), self.password)
        return self._replace(account=account, password=password)

    def creation(self, name: str, access: ServiceAccess) -> tuple[object, ...]:
        """Return the arguments of ``CreateServiceW`` after the manager's handle.

        Raises:
            ValidationError: there is a password, but no account, so that it would be LocalSystem.
        """
        if self.needs_account and self.password:
            raise ValidationError("password", "LocalSystem has no password; specify an account")
        numbers = [
            int(SETTINGS[field].default) if value == NO_CHANGE else value
            for field, value in zip(self._fields[:3], self[:3], strict=True)
        ]
        return (
            *(name, self.display_name, int(access), *numbers, self.binary_path),
            *(self.load_order_group, self.assign_tag, self.dependencies or None),
            *(self.account, self.password),
        )


def changes_for(
    settings: Settings, *, assign_tag: bool = False, allow_unquoted_path: bool = False
) -> list[Change]:
    """Check every setting, and return the changes to a service.

    Args:
        settings: the settings.
        assign_tag: whether a driver gets a new tag, which the first change returns.
        allow_unquoted_path: whether the command line may be unquoted and ambiguous.

    Raises:
        TypeError: a setting is of the wrong type.
        ValidationError: a setting is invalid.
        InvalidSecurityError: the security descriptor is malformed.
    """
    arguments, changes = _calls(
        settings, assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path
    )
    if arguments == ConfigArguments():
        return changes
    right = ServiceAccess.CHANGE_CONFIG
    if arguments.needs_account:
        right |= ServiceAccess.QUERY_CONFIG
    first = Change(
        setting="configuration", right=right, method="change_service_config", arguments=arguments
    )
    return [first, *changes]


def creation_for(
    spec: ServiceSpec,
    access: ServiceAccess,
    *,
    assign_tag: bool = False,
    allow_unquoted_path: bool = False,
) -> tuple[tuple[Any, ...], list[Change]]:
    """Check every setting of a new service.

    Returns:
        The arguments of ``CreateServiceW`` after the manager's handle, and the changes to make
        after the creation.

    Raises:
        TypeError, ValidationError, InvalidSecurityError: as :func:`changes_for`.
    """
    arguments, changes = _calls(
        spec, assign_tag=assign_tag, allow_unquoted_path=allow_unquoted_path
    )
    if not arguments.binary_path:
        raise ValidationError("binary_path", "is missing; a new service needs a command line")
    return arguments.creation(spec.name, access), changes


def _calls(
    settings: Settings, *, assign_tag: bool, allow_unquoted_path: bool
) -> tuple[ConfigArguments, list[Change]]:
    """Check every setting, and return the configuration and the other changes."""
    check_bool(allow_unquoted_path, "allow_unquoted_path")
    given: dict[str, Any] = {"assign_tag": check_bool(assign_tag, "assign_tag")}
    changes: list[Change] = []
    values: dict[str, Any] = settings.given()
    for name, value in values.items():
        setting = SETTINGS[name]
        if setting.has_own_call:
            changes.append(setting.change(value))
            continue
        if allow_unquoted_path and name == "binary_path":
            check_binary_path(value, allow_unquoted_path=True)
        else:
            setting.validate(value)
        given[name] = setting.encode(value)
    if "account" in given:
        given |= _account_arguments(
            given["account"], given.get("password"), given.get("service_type")
        )
    return ConfigArguments(**given), changes


def _account_arguments(
    account: str, password: Secret | None, service_type: int | None
) -> dict[str, object]:
    known = Account.stored(check_text(account, "account"))
    if known.kind is AccountKind.DRIVER_OBJECT and known:
        return {"account": known.name, "password": None}
    known = Account(account)
    password = password_for(known, password)
    if service_type is not None:
        check_interactive(ServiceType(service_type), known)
    return {"account": known.name, "password": password}
