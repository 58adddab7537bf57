"""The valid configurations of a service, and the error codes for invalid configurations."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from winsvc._util.text import name_key, same_name
from winsvc._values.account import Account, Secret
from winsvc._values.names import check_service_name
from winsvc.enums import ErrorCode, ErrorControl, SecurityInformation, ServiceType, StartType
from winsvc.errors import ValidationError
from winsvc.security import InvalidSecurityError, SecurityDescriptor
from winsvc.security.aces import ControlFlags
from winsvc.testing.dependencies import is_circular
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService, stored_account

if TYPE_CHECKING:
    from winsvc.testing.machine import SimulatedMachine

__all__ = ["Configuration", "check_name", "read_descriptor", "with_parts"]

_TYPES: Final = frozenset({0x1, 0x2, 0x4, 0x8, 0x10, 0x20, 0x50, 0x60, 0x110, 0x120})


def check_name(name: str) -> None:
    """Refuse what no service can be called."""
    try:
        check_service_name(name)
    except ValidationError:
        raise RefusalError(ErrorCode.INVALID_NAME) from None


@dataclasses.dataclass(frozen=True, slots=True)
class Configuration:
    """The configuration of a service after ``CreateServiceW`` or ``ChangeServiceConfigW``."""

    service_type: int
    start_type: int
    error_control: int
    binary_path: str
    load_order_group: str
    assign_tag: bool
    dependencies: Sequence[str]
    account: str | None  # None keeps it, and the password
    password: Secret | None
    display_name: str | None  # None keeps it

    def apply(self, machine: SimulatedMachine, service: SimulatedService) -> int | None:
        """Check all of it for a service, then store it; the tag where one was wanted."""
        self.check(machine, service)
        if self.assign_tag:
            service.tag = machine.next_tag(self.load_order_group)
        service.service_type = self.service_type
        service.start_type = self.start_type
        service.error_control = self.error_control
        service.binary_path = self._stored_path(self.binary_path)
        service.load_order_group = self.load_order_group
        service.dependencies = tuple(self.dependencies)
        if self.account is not None:
            service.account = self._stored_account(self.account)
            service.password = self.password
        if self.display_name is not None:
            service.display_name = self.display_name or service.name
        return service.tag if self.assign_tag else None

    def check_values(self, service: SimulatedService) -> None:
        """Refuse what is invalid for any service."""
        win32 = not self.service_type & ServiceType.DRIVER
        interactive = self.service_type & ServiceType.INTERACTIVE_PROCESS
        wrong = (
            not self.binary_path
            or self.service_type not in _TYPES
            or self.start_type > max(StartType)
            or (win32 and self.start_type in (StartType.BOOT, StartType.SYSTEM))
            or self.error_control > max(ErrorControl)
            or (interactive and self._account_of(service) != "LocalSystem")
            or (self.assign_tag and not self.load_order_group)
        )
        if wrong:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)

    def check(self, machine: SimulatedMachine, service: SimulatedService) -> None:
        """Refuse a configuration that is invalid for this service on its machine."""
        self.check_values(service)
        if self.display_name is not None:
            for other in machine.services:
                if other is not service and same_name(other.name, self.display_name):
                    raise RefusalError(ErrorCode.DUPLICATE_SERVICE_NAME)
        if is_circular(machine.services, service.name, self.load_order_group, self.dependencies):
            raise RefusalError(ErrorCode.CIRCULAR_DEPENDENCY)
        win32 = not self.service_type & ServiceType.DRIVER
        given = win32 and self.account is not None
        if given and not _exists(machine, self._account_of(service)):
            raise RefusalError(ErrorCode.INVALID_SERVICE_ACCOUNT)

    def _account_of(self, service: SimulatedService) -> str:
        return service.account if self.account is None else self._stored_account(self.account)

    def _stored_account(self, text: str) -> str:
        is_driver = self.service_type & ServiceType.DRIVER
        return text if is_driver else stored_account(text or "LocalSystem")

    def _stored_path(self, path: str) -> str:
        """Return the path; for a driver, in a form that is valid before drive letters exist."""
        windows = r"c:\windows" "\\"
        if not self.service_type & ServiceType.DRIVER or not path.lower().startswith(windows):
            return path
        if self.start_type == StartType.BOOT:
            return "\\SystemRoot\\" + path[len(windows) :]
        if self.start_type == StartType.SYSTEM:
            return "\\??\\" + path
        return path


def _exists(machine: SimulatedMachine, account: str) -> bool:
    if machine.accounts is None:
        return True
    try:
        if not Account(account).kind.takes_password:
            return True
    except ValidationError:
        return False
    return name_key(account) in map(name_key, machine.accounts)


def read_descriptor(content: bytes) -> SecurityDescriptor:
    """Read a self-relative security descriptor, and refuse an invalid one."""
    try:
        return SecurityDescriptor.from_bytes(content)
    except InvalidSecurityError:
        raise RefusalError(ErrorCode.INVALID_SECURITY_DESCR) from None


def with_parts(
    old: SecurityDescriptor, new: SecurityDescriptor, parts: SecurityInformation
) -> SecurityDescriptor:
    """Return the old descriptor with these parts of the new descriptor."""
    info, flags = SecurityInformation, ControlFlags
    chosen = new.select(parts)
    of_dacl = flags.DACL_PROTECTED | flags.DACL_AUTO_INHERITED | flags.DACL_DEFAULTED
    of_sacl = flags.SACL_PROTECTED | flags.SACL_AUTO_INHERITED | flags.SACL_DEFAULTED
    control = int(old.control)
    for part, bits in ((info.DACL, of_dacl), (info.SACL, of_sacl)):
        if parts & part:
            control = control & ~int(bits) | int(new.control & bits)
    if parts & info.PROTECTED_DACL:
        control |= int(flags.DACL_PROTECTED)
    if parts & info.UNPROTECTED_DACL:
        control &= ~int(flags.DACL_PROTECTED)
    return dataclasses.replace(
        old,
        owner=chosen.owner or old.owner,
        group=chosen.group or old.group,
        dacl=old.dacl if chosen.dacl is None else chosen.dacl,
        sacl=old.sacl if chosen.sacl is None else chosen.sacl,
        control=ControlFlags(control),
    )
