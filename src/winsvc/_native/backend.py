"""The backend that calls Windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.accounts import Accounts
from winsvc._native.desktops import Desktops
from winsvc._native.dropin import DropInCalls
from winsvc._native.eventlog import EventLog
from winsvc._native.files import Files
from winsvc._native.hosting import Hosting, is_connected
from winsvc._native.levels import ConfigLevels
from winsvc._native.memory import (
    PACKING_BUFFERS,
    PAGE_BUFFERS,
    WCHAR_SIZE,
    call_with_growing_buffer,
    call_with_growing_text,
    check,
    failure,
    handle_value,
    sc_handle,
    valid_descriptor,
    wide,
    wide_list,
    wide_or_null,
    zeroed_secret,
)
from winsvc._native.notifications import Notifications
from winsvc._native.paging import PageSize, add_margin
from winsvc._native.process import Process
from winsvc._native.registrations import HostRegistrations
from winsvc._native.structs import (
    decode_config,
    decode_configs,
    decode_enums,
    decode_enums_process,
    decode_lock,
    decode_status,
    decode_status_process,
    encode_reason,
)
from winsvc._util.realtime import RealTime
from winsvc._values.names import MAX_NAME_LENGTH
from winsvc._values.rows import ConfigRow, EnumRow, LockRow, StatusRow
from winsvc._values.status import ServiceStatus
from winsvc.backend import Capabilities
from winsvc.enums import ServiceType, State
from winsvc.errors import ControlRefusedError, ServiceNotActiveError, Win32Error

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, Array, Pointer

    from winsvc._values.account import Secret

_page = PageSize()
_LOCAL_CONCURRENCY = 4  # a higher number gains little
_REMOTE_CONCURRENCY = 16  # each call is a round trip
_CONFIG_TEXTS = 64 * 1024  # characters; a configuration has a few hundred


class NativeBackend(
    Accounts,
    ConfigLevels,
    Desktops,
    DropInCalls,
    EventLog,
    Files,
    Hosting,
    HostRegistrations,
    Notifications,
    Process,
    RealTime,
):
    """``advapi32.dll`` and ``user32.dll``, through the compiled module. Objects have no state."""

    def capabilities(self, machine: str | None) -> Capabilities:
        if machine is not None:
            return Capabilities(notifies=False, concurrency=_REMOTE_CONCURRENCY)
        own_pid = lib.GetCurrentProcessId() if is_connected() else None
        return Capabilities(True, _LOCAL_CONCURRENCY, self, self, own_pid)

    def open_sc_manager(self, machine: str | None, database: str | None, access: int) -> int:
        handle = lib.OpenSCManagerW(
            wide_or_null(machine, "machine"), wide_or_null(database, "database"), access
        )
        return handle_value(handle, "OpenSCManagerW")

    def close_service_handle(self, handle: int) -> None:
        check(lib.CloseServiceHandle(sc_handle(handle)), "CloseServiceHandle")

    def enum_services_status_ex(
        self, manager: int, service_type: int, state: int, group: str | None, resume: int
    ) -> tuple[Sequence[EnumRow], int]:
        needed, count, next_page = ffi.new("DWORD *"), ffi.new("DWORD *"), ffi.new("DWORD *")
        group_name = wide_or_null(group, "group")
        size = _page.bytes
        while True:
            next_page[0] = resume
            buffer = PAGE_BUFFERS.take(size)
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
                wanted = add_margin(needed[0])
                if not count[0]:
                    if wanted <= size:
                        raise error  # a larger buffer would not help
                    _page.all_or_nothing = True  # the smallest buffer in use holds any single entry
                    _page.set_size(wanted)
                    size = wanted
                    continue
                _page.all_or_nothing = False
                _page.set_size(size + wanted)
            rows, used = decode_enums_process(buffer, count[0], size)
            PAGE_BUFFERS.give(buffer)
            if done and not resume:
                _page.learn(used)
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
        assign_tag: bool,
        dependencies: Sequence[str] | None,
        account: str | None,
        password: Secret | None,
    ) -> tuple[int, int | None]:
        tag = ffi.new("DWORD *") if assign_tag else ffi.NULL
        with zeroed_secret(password) as secret:
            handle = lib.CreateServiceW(
                sc_handle(manager),
                wide(name, "name"),
                wide_or_null(display_name, "display_name"),
                access,
                service_type,
                start_type,
                error_control,
                wide(binary_path, "binary_path"),
                wide_or_null(load_order_group, "load_order_group"),
                tag,
                wide_list(dependencies, "dependencies"),
                wide_or_null(account, "account"),
                secret,
            )
            value = handle_value(handle, "CreateServiceW")
        return value, tag[0] if assign_tag else None

    def delete_service(self, service: int) -> None:
        check(lib.DeleteService(sc_handle(service)), "DeleteService")

    def query_service_status_ex(self, service: int) -> StatusRow:
        numbers = ffi.new("DWORD[]", 9)
        if not lib.winsvc_query_status(service, numbers):
            raise failure("QueryServiceStatusEx")
        return tuple.__new__(StatusRow, ffi.unpack(numbers, 9))

    def query_configs(self, manager: int, names: Sequence[str]) -> list[ConfigRow | None]:
        rows: list[ConfigRow | None] = []
        while len(rows) < len(names):
            left = names[len(rows) :]
            configs, used = ffi.new("WINSVC_CONFIG[]", len(left)), ffi.new("DWORD *")
            block = PACKING_BUFFERS.take(_CONFIG_TEXTS * WCHAR_SIZE)
            texts = ffi.cast("wchar_t *", block)
            done = lib.winsvc_query_configs(
                *(manager, wide_list(left, "names"), len(left), configs),
                *(texts, _CONFIG_TEXTS, used),
            )
            # A configuration too large for the buffer is left to query_service_config().
            rows += decode_configs(configs, done, ffi.unpack(texts, used[0])) or [None]
            PACKING_BUFFERS.give(block)
        return rows

    def query_service_config(self, service: int) -> ConfigRow:
        handle = sc_handle(service)
        buffer = call_with_growing_buffer(
            "QueryServiceConfigW",
            lambda buffer, size, needed: lib.QueryServiceConfigW(
                handle, ffi.cast("QUERY_SERVICE_CONFIGW *", buffer), size, needed
            ),
        )
        return decode_config(buffer)

    def start_service(self, service: int, arguments: Sequence[str]) -> None:
        texts = [wide(text, f"arguments[{index}]") for index, text in enumerate(arguments)]
        vector = ffi.new("LPCWSTR[]", texts) if texts else ffi.NULL
        check(lib.StartServiceW(sc_handle(service), len(texts), vector), "StartServiceW")

    def control_service(self, service: int, control: int) -> StatusRow:
        status = ffi.new("SERVICE_STATUS *")
        if not lib.ControlService(sc_handle(service), control, status):
            raise refusal(failure("ControlService"), decode_status(status[0]))
        return decode_status(status[0])

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
        tag = ffi.new("DWORD *") if assign_tag else ffi.NULL
        with zeroed_secret(password) as secret:
            done = lib.ChangeServiceConfigW(
                sc_handle(service),
                service_type,
                start_type,
                error_control,
                wide_or_null(binary_path, "binary_path"),
                wide_or_null(load_order_group, "load_order_group"),
                tag,
                wide_list(dependencies, "dependencies"),
                wide_or_null(account, "account"),
                secret,
                wide_or_null(display_name, "display_name"),
            )
            check(done, "ChangeServiceConfigW")
        return tag[0] if assign_tag else None

    def control_service_ex(
        self, service: int, control: int, reason: int, comment: str | None
    ) -> StatusRow:
        info, _referenced = encode_reason(reason, comment)
        level = lib.SERVICE_CONTROL_STATUS_REASON_INFO
        if not lib.ControlServiceExW(sc_handle(service), control, level, info):
            raise refusal(failure("ControlServiceExW"), decode_status_process(info.ServiceStatus))
        return decode_status_process(info.ServiceStatus)

    def enum_dependent_services(self, service: int, state: int) -> list[EnumRow]:
        handle, count = sc_handle(service), ffi.new("DWORD *")
        buffer = call_with_growing_buffer(
            "EnumDependentServicesW",
            lambda buffer, size, needed: lib.EnumDependentServicesW(
                handle, state, ffi.cast("ENUM_SERVICE_STATUSW *", buffer), size, needed, count
            ),
        )
        return decode_enums(buffer, count[0])

    def get_service_display_name(self, manager: int, name: str) -> str:
        handle, text = sc_handle(manager), wide(name, "name")
        return call_with_growing_text(
            "GetServiceDisplayNameW",
            lambda buffer, size: lib.GetServiceDisplayNameW(handle, text, buffer, size),
            MAX_NAME_LENGTH + 1,
        )

    def get_service_key_name(self, manager: int, display_name: str) -> str:
        handle, text = sc_handle(manager), wide_or_null(display_name, "display_name")
        return call_with_growing_text(
            "GetServiceKeyNameW",
            lambda buffer, size: lib.GetServiceKeyNameW(handle, text, buffer, size),
            MAX_NAME_LENGTH + 1,
        )

    def lock_service_database(self, manager: int) -> int:
        return handle_value(lib.LockServiceDatabase(sc_handle(manager)), "LockServiceDatabase")

    def unlock_service_database(self, lock: int) -> None:
        check(lib.UnlockServiceDatabase(ffi.cast("SC_LOCK", lock)), "UnlockServiceDatabase")

    def query_service_lock_status(self, manager: int) -> LockRow:
        handle = sc_handle(manager)

        def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
            info = ffi.cast("QUERY_SERVICE_LOCK_STATUSW *", buffer)
            lib.SetLastError(0)
            done = lib.QueryServiceLockStatusW(handle, info, size, needed)
            if not done and not lib.GetLastError():
                # Wine does not implement the call, and leaves the last error unchanged.
                lib.SetLastError(lib.ERROR_CALL_NOT_IMPLEMENTED)
            return done

        return decode_lock(call_with_growing_buffer("QueryServiceLockStatusW", call))

    def notify_boot_config_status(self, acceptable: bool) -> None:
        check(lib.NotifyBootConfigStatus(acceptable), "NotifyBootConfigStatus")

    def query_service_object_security(self, handle: int, information: int) -> bytes:
        sc_object = sc_handle(handle)
        buffer = call_with_growing_buffer(
            "QueryServiceObjectSecurity",
            lambda buffer, size, needed: lib.QueryServiceObjectSecurity(
                sc_object, information, buffer, size, needed
            ),
        )
        return bytes(ffi.buffer(buffer, lib.GetSecurityDescriptorLength(buffer)))

    def set_service_object_security(self, handle: int, information: int, descriptor: bytes) -> None:
        buffer = valid_descriptor(descriptor)
        done = lib.SetServiceObjectSecurity(sc_handle(handle), information, buffer)
        check(done, "SetServiceObjectSecurity")


def refusal(error: Win32Error, row: StatusRow) -> Win32Error:
    """Add the status that the system returned with a refused control to the error.

    The system returns a status with three error codes. Wine fills it with invalid values for one
    of them: these are recognized by the service type and the state, and ignored.
    """
    real = (
        State.STOPPED <= row.current_state <= State.PAUSED
        and 0 < row.service_type <= ServiceType.ALL
    )
    if real and isinstance(error, (ControlRefusedError, ServiceNotActiveError)):
        error.status = ServiceStatus.from_row(row)
    return error
