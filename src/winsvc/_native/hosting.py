"""Hosting services: the dispatcher and the callbacks that Windows invokes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import (
    check,
    failure,
    handle_value,
    sc_handle,
    wide,
)
from winsvc._native.payloads import copy_payload
from winsvc.backend import ControlHandler, ServiceMain

if TYPE_CHECKING:
    from _winsvc_cffi import DWORD, WCHAR, AnyPointer, Pointer

# ServiceMain by the service's name in upper case. A process can start one dispatcher, once.
_mains: dict[str, ServiceMain] = {}
# A service's index in this list is the context that Windows passes with its controls.
_handlers: list[tuple[str, ControlHandler]] = []
_lock = threading.Lock()
_dispatching = threading.Event()


def is_connected() -> bool:
    """Return whether this process is connected to the service control manager as a service."""
    return _dispatching.is_set()


class Hosting:
    """The part of the backend that a service's own process uses."""

    def start_service_ctrl_dispatcher(self, table: Sequence[tuple[str, ServiceMain]]) -> None:
        names = [wide(name, "name") for name, _ in table]
        entries = ffi.new("SERVICE_TABLE_ENTRYW[]", len(table) + 1)
        _mains.clear()
        for entry, name, (key, main) in zip(entries, names, table, strict=False):
            entry.lpServiceName = name
            entry.lpServiceProc = lib.winsvc_service_main
            _mains[key.upper()] = main
        _dispatching.set()
        try:
            check(lib.StartServiceCtrlDispatcherW(entries), "StartServiceCtrlDispatcherW")
        finally:
            _dispatching.clear()

    def register_service_ctrl_handler(self, name: str, handler: ControlHandler) -> int:
        key = name.upper()
        with _lock:
            places = [place for place, (known, _) in enumerate(_handlers) if known == key]
            if places:
                _handlers[places[0]] = (key, handler)
            else:
                _handlers.append((key, handler))
            context = ffi.cast("void *", places[0] if places else len(_handlers) - 1)
        handle = lib.RegisterServiceCtrlHandlerExW(
            wide(name, "name"), lib.winsvc_control_handler, context
        )
        return handle_value(handle, "RegisterServiceCtrlHandlerExW")

    def query_start_reason(self, handle: int) -> int:
        answer = ffi.new("PVOID *")
        done = lib.QueryServiceDynamicInformation(
            ffi.cast("SERVICE_STATUS_HANDLE", handle),
            lib.SERVICE_DYNAMIC_INFORMATION_LEVEL_START_REASON,
            answer,
        )
        check(done, "QueryServiceDynamicInformation")
        try:
            return ffi.cast("SERVICE_START_REASON *", answer[0]).dwReason
        finally:
            lib.LocalFree(answer[0])

    def get_service_directory(self, handle: int) -> str:
        status_handle = ffi.cast("SERVICE_STATUS_HANDLE", handle)
        kind = lib.ServiceDirectoryPersistentState
        return _directory(
            "GetServiceDirectory",
            lambda *buffer: lib.GetServiceDirectory(status_handle, kind, *buffer),
        )

    def get_shared_service_directory(self, name: str) -> str:
        function = "GetSharedServiceDirectory"
        if not lib.HAS_GetSharedServiceDirectory:
            raise failure(function, lib.ERROR_CALL_NOT_IMPLEMENTED)
        kind = lib.ServiceSharedDirectoryPersistentState
        connection = lib.OpenSCManagerW(ffi.NULL, ffi.NULL, lib.SC_MANAGER_CONNECT)
        manager = sc_handle(handle_value(connection, "OpenSCManagerW"))
        try:
            # The documentation does not specify the right that the call requires.
            opened = lib.OpenServiceW(manager, wide(name, "name"), lib.MAXIMUM_ALLOWED)
            service = sc_handle(handle_value(opened, "OpenServiceW"))
            try:
                return _directory(
                    function,
                    lambda *buffer: lib.GetSharedServiceDirectory(service, kind, *buffer),
                )
            finally:
                lib.CloseServiceHandle(service)
        finally:
            lib.CloseServiceHandle(manager)


def _directory(function: str, call: Callable[[Pointer[WCHAR], int, Pointer[DWORD]], int]) -> str:
    """Query a path with a call that returns its error code and the required size."""
    size, required = 260, ffi.new("DWORD *")
    while True:
        buffer = ffi.new("wchar_t[]", size)
        code = call(buffer, size, required)
        if not code:
            return ffi.string(buffer)
        if code != lib.ERROR_INSUFFICIENT_BUFFER or required[0] <= size:
            raise failure(function, code)
        size = required[0]


@ffi.def_extern("winsvc_service_main")
def _service_main(count: int, vector: Pointer[Pointer[WCHAR]]) -> None:
    arguments = [ffi.string(vector[index]) for index in range(count)]
    # Windows ignores the name in the table of a process with a single service.
    main = _mains.get(arguments[0].upper()) or next(iter(_mains.values()))
    main(arguments)


@ffi.def_extern("winsvc_control_handler", error=lib.ERROR_CALL_NOT_IMPLEMENTED)
def _control_handler(control: int, event_type: int, data: AnyPointer, context: AnyPointer) -> int:
    _, handler = _handlers[int(ffi.cast("uintptr_t", context))]
    return handler(control, event_type, copy_payload(control, event_type, data))
