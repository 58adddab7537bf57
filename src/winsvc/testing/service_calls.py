"""The calls of the service control manager, answered as Windows answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from winsvc._scm.open_service import right_to_send
from winsvc._util.text import check_text, same_name
from winsvc._values.rows import EnumRow, LockRow, StatusRow
from winsvc.enums import (
    ErrorCode,
    ManagerAccess,
    ServiceAccess,
    ServiceType,
    State,
    StateFilter,
)
from winsvc.errors import message_for
from winsvc.security import SecurityDescriptor
from winsvc.security.accesscheck import MANAGER, SERVICE
from winsvc.testing.calls import windows_call
from winsvc.testing.config_calls import ConfigCalls
from winsvc.testing.configuring import Configuration, check_name
from winsvc.testing.dependencies import dependents
from winsvc.testing.machine import Lock
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

if TYPE_CHECKING:
    from winsvc._values.account import Secret

__all__ = ["ServiceCalls"]

_ACTIVE_DATABASE: Final = "ServicesActive"
_FAILED_DATABASE: Final = "ServicesFailed"


class ServiceCalls(ConfigCalls):
    """The machines, and every call to them of :class:`winsvc.backend.Backend`."""

    @windows_call("OpenSCManagerW")
    def open_sc_manager(self, machine: str | None, database: str | None, access: int) -> int:
        called = self._machine_called(machine)
        if called.error:
            raise RefusalError(called.error)
        if database is not None and same_name(database, _FAILED_DATABASE):
            raise RefusalError(ErrorCode.DATABASE_DOES_NOT_EXIST)
        if database is not None and not same_name(database, _ACTIVE_DATABASE):
            raise RefusalError(ErrorCode.INVALID_NAME)
        # Every handle includes this right, also with an access mask of 0.
        requested = access | ManagerAccess.CONNECT
        rights = self.grant(called.security, requested, MANAGER)
        return self._new(called, None, rights)

    @windows_call("CloseServiceHandle")
    def close_service_handle(self, handle: int) -> None:
        self._close(handle)

    @windows_call("OpenServiceW")
    def open_service(self, manager: int, name: str, access: int) -> int:
        check_text(name, "name")  # not None
        machine = self._manager(manager, ManagerAccess.CONNECT)
        check_name(name)
        service = machine.services.get(name)
        if service is None:
            raise RefusalError(ErrorCode.SERVICE_DOES_NOT_EXIST)
        rights = self.grant(service.security, access, SERVICE, service.name)
        return self._new(machine, service, rights)

    # ------------------------------------------------------------------- listing and names

    @windows_call("EnumServicesStatusExW")
    def enum_services_status_ex(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[list[EnumRow], int]:
        page, next_page = self._page(manager, service_type, state, group, resume)
        rows = [
            EnumRow(service.name, service.display_name, service.status_row()) for service in page
        ]
        return rows, next_page

    @windows_call("EnumServicesStatusW")
    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        page, next_page = self._page(manager, service_type, state, None, resume)
        return [service.brief_enum_row() for service in page], next_page

    def _page(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[list[SimulatedService], int]:
        self._manager(manager, ManagerAccess(0))
        _check_filter(state)
        if not 0 < service_type <= ServiceType.ALL:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        machine = self._manager(manager, ManagerAccess.ENUMERATE_SERVICE)
        if group and not machine.knows_group(group):
            raise RefusalError(ErrorCode.SERVICE_DOES_NOT_EXIST)
        found = [
            service
            for service in machine.services
            if service.number > resume
            and service.service_type & service_type
            and _is_in(service, state)
            and (group is None or same_name(service.load_order_group, group))
        ]
        # At least one: a page without any would never get on.
        page = found if machine.page_size is None else found[: max(machine.page_size, 1)]
        return page, page[-1].number if len(page) < len(found) else 0

    @windows_call("EnumDependentServicesW")
    def enum_dependent_services(self, service: int, state: int) -> list[EnumRow]:
        self._service(service, ServiceAccess(0))
        _check_filter(state)
        needed = self._service(service, ServiceAccess.ENUMERATE_DEPENDENTS)
        found = dependents(self._of(service).services, needed)
        return [dependent.brief_enum_row() for dependent in found if _is_in(dependent, state)]

    @windows_call("GetServiceDisplayNameW")
    def get_service_display_name(self, manager: int, name: str) -> str:
        check_text(name, "name")
        service = self._manager(manager, ManagerAccess.CONNECT).services.get(name)
        if service is None:
            raise RefusalError(ErrorCode.SERVICE_DOES_NOT_EXIST)
        return service.display_name

    @windows_call("GetServiceKeyNameW")
    def get_service_key_name(self, manager: int, display_name: str) -> str:
        check_text(display_name, "display_name")
        services = self._manager(manager, ManagerAccess.CONNECT).services
        service = services.by_display_name(display_name)
        if service is None:
            raise RefusalError(ErrorCode.SERVICE_DOES_NOT_EXIST)
        return service.name

    # ------------------------------------------------------------------- making and unmaking

    @windows_call("CreateServiceW")
    def create_service(
        self,
        manager: int,
        name: str,
        display_name: str | None,
        access: int,
        service_type: int,
        start_type: int,
        error_control: int,
        binary_path: str,
        load_order_group: str | None,
        assign_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
    ) -> tuple[int, int | None]:
        machine = self._manager(manager, ManagerAccess.CREATE_SERVICE)
        check_name(name)
        service = SimulatedService(name)
        existing = machine.services.get(name)
        wanted = Configuration(
            service_type,
            start_type,
            error_control,
            binary_path,
            load_order_group or "",
            assign_tag,
            dependencies or (),
            account or ("" if service_type & ServiceType.DRIVER else "LocalSystem"),
            password,
            display_name or name,
        )
        wanted.check_values(service)
        if existing is not None and existing.marked_for_deletion:
            raise RefusalError(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        if existing is not None:
            raise RefusalError(ErrorCode.SERVICE_EXISTS)
        tag = wanted.apply(machine, service)
        # The creator of a service gets the requested rights, regardless of its descriptor.
        everybody = SecurityDescriptor()
        rights = self.grant(everybody, access, SERVICE, name)
        machine.services.add(service)
        return self._new(machine, service, rights), tag

    @windows_call("DeleteService")
    def delete_service(self, service: int) -> None:
        target = self._service(service, ServiceAccess.DELETE)
        if target.marked_for_deletion:
            raise RefusalError(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        target.marked_for_deletion = True
        self._of(service).notifications.marked(target)

    # ------------------------------------------------------------------- status and control

    @windows_call("QueryServiceStatusEx")
    def query_service_status_ex(self, service: int) -> StatusRow:
        return self._service(service, ServiceAccess.QUERY_STATUS).status_row()

    @windows_call("QueryServiceStatus")
    def query_service_status(self, service: int) -> StatusRow:
        return self._service(service, ServiceAccess.QUERY_STATUS).brief_status_row()

    @windows_call("StartServiceW")
    def start_service(self, service: int, arguments: Sequence[str]) -> None:
        target = self._service(service, ServiceAccess.START)
        self._of(service).starting.start(target, arguments)

    @windows_call("ControlService")
    def control_service(self, service: int, control: int) -> StatusRow:
        return self._control(service, control)

    @windows_call("ControlServiceExW")
    def control_service_ex(
        self, service: int, control: int, reason: int, comment: str | None
    ) -> StatusRow:
        self._control(service, control)
        return self._service(service, ServiceAccess(0)).status_row()

    def _control(self, service: int, code: int) -> StatusRow:
        self._service(service, ServiceAccess(0))
        right = right_to_send(code)
        if right is None:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        target = self._service(service, right)
        return self._of(service).running.control(target, code)

    # ------------------------------------------------------------------- the rest

    @windows_call("LockServiceDatabase")
    def lock_service_database(self, manager: int) -> int:
        machine = self._manager(manager, ManagerAccess.LOCK)
        if machine.lock is not None:
            raise RefusalError(ErrorCode.SERVICE_DATABASE_LOCKED)
        machine.lock = Lock(self.handles.number(), self.caller.name, self.clock.now)
        return machine.lock.number

    @windows_call("UnlockServiceDatabase")
    def unlock_service_database(self, lock: int) -> None:
        for machine in (self.local, *self.machines):
            if machine.lock is not None and machine.lock.number == lock:
                machine.lock = None
                return
        raise RefusalError(ErrorCode.INVALID_SERVICE_LOCK)

    @windows_call("QueryServiceLockStatusW")
    def query_service_lock_status(self, manager: int) -> LockRow:
        lock = self._manager(manager, ManagerAccess.QUERY_LOCK_STATUS).lock
        if lock is None:
            return LockRow(0, "", 0)
        return LockRow(1, lock.owner, int(self.clock.now - lock.since))

    @windows_call("NotifyBootConfigStatus")
    def notify_boot_config_status(self, acceptable: bool) -> None:
        self.check_administrator()
        if self.local.boot_accepted:
            raise RefusalError(ErrorCode.BOOT_ALREADY_ACCEPTED)
        self.local.boot_accepted = True
        if not acceptable:
            self.local.reboot()

    def format_message(self, code: int) -> str | None:
        known = code in ErrorCode.__members__.values()
        return f"{message_for(code)}." if known else None

    def monotonic(self) -> float:
        return self.clock.now

    def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)


def _is_in(service: SimulatedService, state: int) -> bool:
    wanted = StateFilter.INACTIVE if service.state is State.STOPPED else StateFilter.ACTIVE
    return bool(state & wanted)


def _check_filter(state: int) -> None:
    if not 0 < state <= StateFilter.ALL:
        raise RefusalError(ErrorCode.INVALID_PARAMETER)
