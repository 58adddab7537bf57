"""What stands below the object API: one method per Windows call, in plain Python types.

A backend takes and gives ints, strings (None is NULL), bytes and the rows of :mod:`winsvc.rows`. It
owns buffers and their growing, and raises the typed error of :mod:`winsvc.errors` with the
function's name and code; who called on which machine is filled in above it. Handles are bare ints
here: a caller that has none that is open must not call.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from winsvc.enums import ErrorCode
from winsvc.errors import UnsupportedError
from winsvc.rows import (
    ConfigRow,
    EnumRow,
    FailureActionsRow,
    LockRow,
    PreferredNodeRow,
    StatusRow,
    TriggerRow,
)

if TYPE_CHECKING:
    from winsvc.accounts import Secret

__all__ = ["Backend", "default_backend"]


class Backend(Protocol):
    """The calls of the service control manager."""

    def open_sc_manager(self, machine: str | None, database: str | None, access: int) -> int:
        """``OpenSCManagerW``."""

    def close_service_handle(self, handle: int) -> None:
        """``CloseServiceHandle``."""

    def enum_services_status_ex(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[list[EnumRow], int]:
        """``EnumServicesStatusExW``: one page, and where the next begins (0: there is none)."""

    def open_service(self, manager: int, name: str, access: int) -> int:
        """``OpenServiceW``."""

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
        want_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
    ) -> tuple[int, int | None]:
        """``CreateServiceW``: the handle, and the tag where one was wanted."""

    def delete_service(self, service: int) -> None:
        """``DeleteService``."""

    def query_service_status_ex(self, service: int) -> StatusRow:
        """``QueryServiceStatusEx``."""

    def query_service_config(self, service: int) -> ConfigRow:
        """``QueryServiceConfigW``."""

    def start_service(self, service: int, arguments: Sequence[str]) -> None:
        """``StartServiceW``; the system puts the service's name before the arguments."""

    def control_service(self, service: int, control: int) -> StatusRow:
        """``ControlService``; process and flags are 0, which ``SERVICE_STATUS`` lacks."""

    def change_service_config(
        self,
        service: int,
        service_type: int,
        start_type: int,
        error_control: int,
        binary_path: str | None,
        load_order_group: str | None,
        want_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
        display_name: str | None,
    ) -> int | None:
        """``ChangeServiceConfigW``: the tag where one was wanted.

        0xFFFFFFFF (``SERVICE_NO_CHANGE``) and None keep what is there.
        """

    def control_service_ex(
        self, service: int, control: int, reason: int, comment: str | None
    ) -> StatusRow:
        """``ControlServiceExW``."""

    def enum_dependent_services(self, service: int, state: int) -> list[EnumRow]:
        """``EnumDependentServicesW``; process and flags are 0."""

    def get_service_display_name(self, manager: int, name: str) -> str:
        """``GetServiceDisplayNameW``."""

    def get_service_key_name(self, manager: int, display_name: str) -> str:
        """``GetServiceKeyNameW``."""

    def lock_service_database(self, manager: int) -> int:
        """``LockServiceDatabase``: the lock."""

    def unlock_service_database(self, lock: int) -> None:
        """``UnlockServiceDatabase``."""

    def query_service_lock_status(self, manager: int) -> LockRow:
        """``QueryServiceLockStatusW``."""

    def notify_boot_config_status(self, acceptable: bool) -> None:
        """``NotifyBootConfigStatus``."""

    def query_service_object_security(self, handle: int, information: int) -> bytes:
        """``QueryServiceObjectSecurity``: a self-relative security descriptor."""

    def set_service_object_security(self, handle: int, information: int, descriptor: bytes) -> None:
        """``SetServiceObjectSecurity``, with a self-relative security descriptor."""

    def query_start_reason(self, service: int) -> int:
        """``QueryServiceDynamicInformation(SERVICE_DYNAMIC_INFORMATION_LEVEL_START_REASON)``."""

    # ---------------------------------- QueryServiceConfig2W and ChangeServiceConfig2W, by level

    def query_description(self, service: int) -> str | None:
        """``SERVICE_CONFIG_DESCRIPTION``."""

    def change_description(self, service: int, description: str | None) -> None:
        """``SERVICE_CONFIG_DESCRIPTION``; None keeps it, "" removes it."""

    def query_failure_actions(self, service: int) -> FailureActionsRow:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def change_failure_actions(self, service: int, row: FailureActionsRow) -> None:
        """``SERVICE_CONFIG_FAILURE_ACTIONS``."""

    def query_config_number(self, service: int, level: int) -> int:
        """A level that is one number (the levels 3, 4, 5, 7 and 12)."""

    def change_config_number(self, service: int, level: int, number: int) -> None:
        """A level that is one number (the levels 3, 4, 5, 7 and 12)."""

    def query_required_privileges(self, service: int) -> tuple[str, ...] | None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def change_required_privileges(self, service: int, privileges: Sequence[str]) -> None:
        """``SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO``."""

    def query_triggers(self, service: int) -> tuple[TriggerRow, ...]:
        """``SERVICE_CONFIG_TRIGGER_INFO``."""

    def change_triggers(self, service: int, triggers: Sequence[TriggerRow]) -> None:
        """``SERVICE_CONFIG_TRIGGER_INFO``; replaces them all."""

    def query_preferred_node(self, service: int) -> PreferredNodeRow:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""

    def change_preferred_node(self, service: int, row: PreferredNodeRow) -> None:
        """``SERVICE_CONFIG_PREFERRED_NODE``."""


def default_backend() -> Backend:
    """The backend that is used where none is given: the system's own.

    Raises:
        UnsupportedError: this is not Windows.
    """
    if sys.platform == "win32":
        from winsvc.native import NativeBackend  # the compiled module loads only where it is used

        return NativeBackend()
    else:  # noqa: RET505  # so that mypy sees two platforms, not an unreachable line
        raise UnsupportedError(
            ErrorCode.CALL_NOT_IMPLEMENTED,
            "OpenSCManagerW",
            f"there is no service control manager on {sys.platform}",
            hint=(
                "Pass a simulated SCM as backend=, or run this in the project's lab, which has a "
                "real one: make shell."
            ),
        )
