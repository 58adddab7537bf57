"""The calls that read and change a service's configuration and its security descriptor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from winsvc._util.checks import check_dword
from winsvc._values.rows import (
    NO_CHANGE,
    ConfigRow,
    FailureActionsRow,
    PreferredNodeRow,
    TriggerRow,
)
from winsvc._values.setting import Setting
from winsvc._values.setting_table import NUMBER_LEVELS
from winsvc.enums import (
    ActionType,
    ConfigLevel,
    ErrorCode,
    SecurityInformation,
    ServiceAccess,
)
from winsvc.security.parts import rights_to_read, rights_to_write
from winsvc.testing.calls import windows_call
from winsvc.testing.configuring import Configuration, read_descriptor, with_parts
from winsvc.testing.machine import SimulatedMachine
from winsvc.testing.open_handles import ServiceHandles
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

if TYPE_CHECKING:
    from winsvc._values.account import Secret

__all__ = ["ConfigCalls"]

T = TypeVar("T")


class ConfigCalls(ServiceHandles):
    """The calls of :class:`winsvc.backend.Backend` for the settings of a service."""

    @windows_call("QueryServiceConfigW")
    def query_service_config(self, service: int) -> ConfigRow:
        return self._service(service, ServiceAccess.QUERY_CONFIG).config_row()

    @windows_call("ChangeServiceConfigW")
    def change_service_config(
        self,
        service: int,
        service_type: int,
        start_type: int,
        error_control: int,
        binary_path: str | None,
        load_order_group: str | None,
        assign_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
        display_name: str | None,
    ) -> int | None:
        target = self._changing(service)
        wanted = Configuration(
            _kept(service_type, target.service_type),
            _kept(start_type, target.start_type),
            _kept(error_control, target.error_control),
            _kept(binary_path, target.binary_path),
            _kept(load_order_group, target.load_order_group),
            assign_tag,
            _kept(dependencies, target.dependencies),
            account,
            password,
            display_name,
        )
        tag = wanted.apply(self._of(service), target)
        self._changed(service)
        return tag

    def _changing(
        self, service: int, right: ServiceAccess = ServiceAccess.CHANGE_CONFIG
    ) -> SimulatedService:
        target = self._service(service, right)
        if target.marked_for_deletion:
            raise RefusalError(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        return target

    def _changed(self, service: int) -> None:
        known = self._handle(service)
        if known.service is not None:
            known.machine.notifications.configured(known.service)

    @windows_call("QueryServiceConfig2W")
    def query_description(self, service: int) -> str | None:
        return self._service(service, ServiceAccess.QUERY_CONFIG).description

    @windows_call("ChangeServiceConfig2W")
    def change_description(self, service: int, description: str | None) -> None:
        target = self._changing(service)
        if description is not None:
            target.description = description or None
            self._changed(service)

    @windows_call("QueryServiceConfig2W")
    def query_failure_actions(self, service: int) -> FailureActionsRow:
        return self._service(service, ServiceAccess.QUERY_CONFIG).failure_actions

    @windows_call("ChangeServiceConfig2W")
    def change_failure_actions(self, service: int, row: FailureActionsRow) -> None:
        right = ServiceAccess.CHANGE_CONFIG
        kinds = {kind for kind, _ in row.actions or ()}
        if kinds - set(ActionType):
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        if ActionType.RESTART in kinds:
            right |= ServiceAccess.START
        target = self._changing(service, right)
        if ActionType.REBOOT in kinds and not self.caller.holds("SeShutdownPrivilege"):
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        reset, message, command, actions = target.failure_actions
        if row.actions is not None:
            # The time of reset is stored along with actions, or not at all.
            reset, actions = row.reset_period if row.actions else 0, row.actions
        message = message if row.reboot_message is None else row.reboot_message or None
        command = command if row.command is None else row.command or None
        target.failure_actions = FailureActionsRow(reset, message, command, actions)
        self._changed(service)

    @windows_call("QueryServiceConfig2W")
    def query_config_number(self, service: int, level: int) -> int:
        _number_level(level)
        return self._service(service, ServiceAccess.QUERY_CONFIG).numbers[level]

    @windows_call("ChangeServiceConfig2W")
    def change_config_number(self, service: int, level: int, number: int) -> None:
        known = _number_level(level).known_numbers
        check_dword(number, "number")
        target = self._changing(service)
        if level == ConfigLevel.FAILURE_ACTIONS_FLAG:
            number = int(bool(number))
        if known is not None and number not in known:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        if level == ConfigLevel.LAUNCH_PROTECTED and number != target.numbers[level]:
            # Only a protected program may; no simulated one is.
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        target.numbers[level] = number
        self._changed(service)

    @windows_call("QueryServiceConfig2W")
    def query_required_privileges(self, service: int) -> tuple[str, ...] | None:
        return self._service(service, ServiceAccess.QUERY_CONFIG).required_privileges or None

    @windows_call("ChangeServiceConfig2W")
    def change_required_privileges(self, service: int, privileges: Sequence[str]) -> None:
        self._changing(service).required_privileges = tuple(privileges)
        self._changed(service)

    @windows_call("QueryServiceConfig2W")
    def query_triggers(self, service: int) -> tuple[TriggerRow, ...]:
        return self._service(service, ServiceAccess.QUERY_CONFIG).triggers

    @windows_call("ChangeServiceConfig2W")
    def change_triggers(self, service: int, triggers: Sequence[TriggerRow]) -> None:
        target = self._changing(service)
        if not triggers and not target.triggers:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        target.triggers = tuple(triggers)
        self._changed(service)

    @windows_call("QueryServiceConfig2W")
    def query_preferred_node(self, service: int) -> PreferredNodeRow:
        node = self._service(service, ServiceAccess.QUERY_CONFIG).preferred_node
        if node is None:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        return PreferredNodeRow(node, False)

    @windows_call("ChangeServiceConfig2W")
    def change_preferred_node(self, service: int, row: PreferredNodeRow) -> None:
        target = self._changing(service)
        if not row.delete and row.preferred_node >= self._of(service).numa_nodes:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        target.preferred_node = None if row.delete else row.preferred_node
        self._changed(service)

    # ------------------------------------------------------------------- security

    @windows_call("QueryServiceObjectSecurity")
    def query_service_object_security(self, handle: int, information: int) -> bytes:
        parts = SecurityInformation(information)
        return self._secured(handle, rights_to_read(parts)).security.select(parts).to_bytes()

    @windows_call("SetServiceObjectSecurity")
    def set_service_object_security(self, handle: int, information: int, descriptor: bytes) -> None:
        parts = SecurityInformation(information)
        new = read_descriptor(descriptor)
        if not parts:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        target = self._secured(handle, rights_to_write(parts))
        owner = new.owner if parts & SecurityInformation.OWNER else None
        may_restore = self.caller.holds("SeRestorePrivilege")
        if owner is not None and not (self.caller.is_member(owner) or may_restore):
            raise RefusalError(ErrorCode.INVALID_OWNER)
        target.security = with_parts(target.security, new, parts)

    def _secured(self, handle: int, right: ServiceAccess) -> SimulatedMachine | SimulatedService:
        known = self._handle(handle)
        if right & ~known.access:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return known.machine if known.service is None else known.service


def _kept(new: T | None, old: T) -> T:
    return old if new is None or new == NO_CHANGE else new


def _number_level(level: int) -> Setting:
    if level not in NUMBER_LEVELS:
        raise RefusalError(ErrorCode.INVALID_LEVEL)
    return NUMBER_LEVELS[level]
