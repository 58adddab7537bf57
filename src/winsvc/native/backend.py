"""The backend that calls Windows."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc.native.memory import (
    check,
    failure,
    filled,
    handle_value,
    sc_handle,
    scratch,
    text_at,
    texts_at,
    wide,
    wide_list,
    wiped,
)
from winsvc.rows import ConfigRow, EnumRow, StatusRow

if TYPE_CHECKING:
    from _winsvc_cffi import SERVICE_STATUS_PROCESS

# Windows transfers at most this much of an enumeration at once.
_PAGE_LIMIT = 256 * 1024


class _PageSize(threading.local):
    """How large an enumeration's buffer is asked for: what the last one turned out to need.

    Wine moves the whole buffer, however little is in it, so a large one is slow for few services.
    """

    bytes = 8 * 1024


_page = _PageSize()


class NativeBackend:
    """``advapi32.dll``, through the compiled module. Has no state of its own."""

    def open_sc_manager(self, machine: str | None, database: str | None, access: int) -> int:
        handle = lib.OpenSCManagerW(wide(machine, "machine"), wide(database, "database"), access)
        return handle_value(handle, "OpenSCManagerW")

    def close_service_handle(self, handle: int) -> None:
        check(lib.CloseServiceHandle(sc_handle(handle)), "CloseServiceHandle")

    def enum_services_status_ex(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[list[EnumRow], int]:
        needed, count, next_page = ffi.new("DWORD *"), ffi.new("DWORD *"), ffi.new("DWORD *")
        group_name = wide(group, "group")
        size = _page.bytes
        while True:
            buffer = scratch.of(size)
            next_page[0] = resume
            done = lib.EnumServicesStatusExW(
                sc_handle(manager),
                lib.SC_ENUM_PROCESS_INFO,
                service_type,
                state,
                buffer,
                size,
                needed,
                count,
                next_page,
                group_name,
            )
            if not done:
                error = failure("EnumServicesStatusExW")
                if error.winerror != lib.ERROR_MORE_DATA:
                    raise error
                # What is left is an estimate, and services are added meanwhile: some room on top.
                wanted = needed[0] + needed[0] // 16 + 1024
                _page.bytes = min(size + wanted, _PAGE_LIMIT)
                if not count[0]:
                    if wanted <= size:
                        raise error  # asks for no more than it got: no end in sight
                    size = wanted
                    continue
            entries = ffi.cast("ENUM_SERVICE_STATUS_PROCESSW *", buffer)
            rows = [
                EnumRow(
                    ffi.string(entry.lpServiceName),
                    text_at(entry.lpDisplayName),
                    status_row(entry.ServiceStatusProcess),
                )
                for entry in ffi.unpack(entries, count[0])
            ]
            return rows, 0 if done else next_page[0]

    def open_service(self, manager: int, name: str, access: int) -> int:
        handle = lib.OpenServiceW(sc_handle(manager), wide(name, "name"), access)
        return handle_value(handle, "OpenServiceW")

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
        tag = ffi.new("DWORD *") if want_tag else ffi.NULL
        with wiped(password) as secret:
            handle = lib.CreateServiceW(
                sc_handle(manager),
                wide(name, "name"),
                wide(display_name, "display_name"),
                access,
                service_type,
                start_type,
                error_control,
                wide(binary_path, "binary_path"),
                wide(load_order_group, "load_order_group"),
                tag,
                wide_list(dependencies, "dependencies"),
                wide(account, "account"),
                secret,
            )
            value = handle_value(handle, "CreateServiceW")
        return value, tag[0] if want_tag else None

    def delete_service(self, service: int) -> None:
        check(lib.DeleteService(sc_handle(service)), "DeleteService")

    def query_service_status_ex(self, service: int) -> StatusRow:
        status = ffi.new("SERVICE_STATUS_PROCESS *")
        size = ffi.sizeof("SERVICE_STATUS_PROCESS")
        level = lib.SC_STATUS_PROCESS_INFO
        needed = ffi.new("DWORD *")
        buffer = ffi.cast("BYTE *", status)
        done = lib.QueryServiceStatusEx(sc_handle(service), level, buffer, size, needed)
        check(done, "QueryServiceStatusEx")
        return status_row(status[0])

    def query_service_config(self, service: int) -> ConfigRow:
        handle = sc_handle(service)
        buffer = filled(
            "QueryServiceConfigW",
            lambda buffer, size, needed: lib.QueryServiceConfigW(
                handle, ffi.cast("QUERY_SERVICE_CONFIGW *", buffer), size, needed
            ),
        )
        config = ffi.cast("QUERY_SERVICE_CONFIGW *", buffer)
        return ConfigRow(
            config.dwServiceType,
            config.dwStartType,
            config.dwErrorControl,
            text_at(config.lpBinaryPathName),
            text_at(config.lpLoadOrderGroup),
            config.dwTagId,
            texts_at(config.lpDependencies),
            text_at(config.lpServiceStartName),
            text_at(config.lpDisplayName),
        )

    def start_service(self, service: int, arguments: Sequence[str]) -> None:
        texts = [wide(text, f"arguments[{index}]") for index, text in enumerate(arguments)]
        vector = ffi.new("LPCWSTR[]", texts) if texts else ffi.NULL
        check(lib.StartServiceW(sc_handle(service), len(texts), vector), "StartServiceW")

    def control_service(self, service: int, control: int) -> StatusRow:
        status = ffi.new("SERVICE_STATUS *")
        check(lib.ControlService(sc_handle(service), control, status), "ControlService")
        return StatusRow(
            status.dwServiceType,
            status.dwCurrentState,
            status.dwControlsAccepted,
            status.dwWin32ExitCode,
            status.dwServiceSpecificExitCode,
            status.dwCheckPoint,
            status.dwWaitHint,
            0,
            0,
        )


def status_row(status: SERVICE_STATUS_PROCESS) -> StatusRow:
    return StatusRow(
        status.dwServiceType,
        status.dwCurrentState,
        status.dwControlsAccepted,
        status.dwWin32ExitCode,
        status.dwServiceSpecificExitCode,
        status.dwCheckPoint,
        status.dwWaitHint,
        status.dwProcessId,
        status.dwServiceFlags,
    )
