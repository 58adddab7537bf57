"""The older calls, which only :mod:`winsvc.win32service` makes."""

from __future__ import annotations

from winsvc._values.rows import EnumRow, StatusRow
from winsvc.enums import ErrorCode, ServiceAccess
from winsvc.errors import message_for
from winsvc.testing.calls import windows_call
from winsvc.testing.service_calls import ServiceCalls

__all__ = ["DropInCalls"]


class DropInCalls(ServiceCalls):
    """What :mod:`winsvc.win32service` calls beyond the object API."""

    @windows_call("QueryServiceStatus")
    def query_service_status(self, service: int) -> StatusRow:
        return self._service(service, ServiceAccess.QUERY_STATUS).brief_status_row()

    @windows_call("EnumServicesStatusW")
    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        rows, next_page = self._page(manager, service_type, state, None, resume)
        return [
            row._replace(status=row.status._replace(process_id=0, service_flags=0)) for row in rows
        ], next_page

    def format_message(self, code: int) -> str | None:
        known = code in ErrorCode.__members__.values()
        return f"{message_for(code)}." if known else None
