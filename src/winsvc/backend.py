"""What stands below the object API: one method per Windows call, in plain Python types.

A backend takes and gives ints, strings (None is NULL), bytes and the rows of :mod:`winsvc.rows`. It
owns buffers and their growing, and raises the typed error of :mod:`winsvc.errors` with the
function's name and code; who called on which machine is filled in above it. Handles are bare ints
here: a caller that has none that is open must not call.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

from winsvc.enums import ErrorCode
from winsvc.errors import UnsupportedError
from winsvc.rows import ConfigRow, EnumRow, StatusRow

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
        password: str | None,
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
