"""The older calls, which only :mod:`winsvc.win32service` makes."""

from __future__ import annotations

from winsvc.enums import AcceptedControls, ErrorCode, ServiceAccess, State
from winsvc.errors import message_for
from winsvc.rows import EnumRow, StatusRow
from winsvc.testing.calls import windows_call
from winsvc.testing.refusal import Refusal
from winsvc.testing.service_calls import SimulatedServices
from winsvc.testing.services import SimulatedService

__all__ = ["DropInCalls"]

_INVALID_DATA = 13


class DropInCalls(SimulatedServices):
    """What :mod:`winsvc.win32service` calls beyond the object API."""

    def __init__(self) -> None:
        super().__init__()
        self._hosted: dict[int, SimulatedService] = {}

    @windows_call("QueryServiceStatus")
    def query_service_status(self, service: int) -> StatusRow:
        """``QueryServiceStatus``; process and flags are 0."""
        return self._service(service, ServiceAccess.QUERY_STATUS).brief_status_row()

    @windows_call("EnumServicesStatusW")
    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        """``EnumServicesStatusW``: one page; process and flags are 0."""
        rows, next_page = self._page(manager, service_type, state, None, resume)
        return [
            row._replace(status=row.status._replace(process_id=0, service_flags=0)) for row in rows
        ], next_page

    @windows_call("SetServiceStatus")
    def set_service_status(self, handle: int, row: StatusRow) -> None:
        """``SetServiceStatus``, with a handle that :meth:`status_handle` gave."""
        service = self._hosted.get(handle)
        if service is None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        if not State.STOPPED <= row.current_state <= State.PAUSED:
            raise Refusal(_INVALID_DATA)
        state, running = State(row.current_state), self.local.running
        service.exit_code = row.win32_exit_code
        service.service_exit_code = row.service_specific_exit_code
        if state is State.STOPPED:
            running.stopped(service, row.win32_exit_code, row.service_specific_exit_code)
            return
        running.report(service, state, check_point=row.check_point, wait_hint=row.wait_hint)
        service.controls_accepted = AcceptedControls(row.controls_accepted)

    def status_handle(self, name: str) -> int:
        """The handle with which the program of a service on this machine reports its status.

        Raises:
            KeyError: there is no such service.
        """
        with self._lock:
            handle = self._next_handle()
            self._hosted[handle] = self.local[name]
            return handle

    def format_message(self, code: int) -> str | None:
        """What the system says about an error code; None where it has no text."""
        known = code in ErrorCode.__members__.values()
        return f"{message_for(code)}." if known else None
