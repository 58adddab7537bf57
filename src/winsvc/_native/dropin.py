"""The calls that only the drop-in needs; the object API uses their successors."""

from __future__ import annotations

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import check, failure, sc_handle
from winsvc._native.paging import PageSize, add_margin, bytes_used
from winsvc._native.structs import ENUM_LAYOUT, decode_enums, decode_status
from winsvc._values.rows import EnumRow, StatusRow

_MESSAGE_SIZES = (1024, 64 * 1024)  # characters; the last is the maximum of FormatMessageW

_LARGEST_LIST = 64 * 1024 * 1024  # bytes; larger than any list of services

_page = PageSize()


class DropInCalls:
    """The part of the backend with the older calls."""

    def query_service_status(self, service: int) -> StatusRow:
        status = ffi.new("SERVICE_STATUS *")
        check(lib.QueryServiceStatus(sc_handle(service), status), "QueryServiceStatus")
        return decode_status(status[0])

    def enum_services_status(
        self, manager: int, service_type: int, state: int, resume: int
    ) -> tuple[list[EnumRow], int]:
        needed, count, next_page = ffi.new("DWORD *"), ffi.new("DWORD *"), ffi.new("DWORD *")
        size = _page.bytes
        while True:
            buffer = ffi.new("BYTE[]", size)
            entries = ffi.cast("ENUM_SERVICE_STATUSW *", buffer)
            next_page[0] = resume
            done = lib.EnumServicesStatusW(
                sc_handle(manager), service_type, state, entries, size, needed, count, next_page
            )
            if not done:
                error = failure("EnumServicesStatusW")
                if error.winerror != lib.ERROR_MORE_DATA:
                    raise error
                wanted = size + add_margin(needed[0])
                # Wine returns a part of the list, but no position at which to continue.
                no_page = not count[0] or next_page[0] == resume
                _page.all_or_nothing = _page.all_or_nothing or no_page
                _page.set_size(wanted)
                if no_page:
                    if not needed[0] or wanted > _LARGEST_LIST:
                        raise error  # a larger buffer would not help
                    size = wanted
                    continue
            rows = decode_enums(entries, count[0])
            if done and not resume:
                _page.learn(bytes_used(rows, ENUM_LAYOUT.size))
            return rows, 0 if done else next_page[0]

    def set_service_status(self, handle: int, row: StatusRow) -> None:
        status = ffi.new("SERVICE_STATUS *", row[:7])
        done = lib.SetServiceStatus(ffi.cast("SERVICE_STATUS_HANDLE", handle), status)
        check(done, "SetServiceStatus")

    def format_message(self, code: int) -> str | None:
        # Not ffi.getwinerror(): it removes the full stop as well.
        flags = lib.FORMAT_MESSAGE_FROM_SYSTEM | lib.FORMAT_MESSAGE_IGNORE_INSERTS
        for size in _MESSAGE_SIZES:
            buffer = ffi.new("wchar_t[]", size)
            if lib.FormatMessageW(flags, ffi.NULL, code, 0, buffer, size, ffi.NULL):
                return ffi.string(buffer).rstrip("\r\n")
        return None
