"""Hosting services: the dispatcher and the callbacks that Windows invokes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import check, handle_value, wide
from winsvc._native.payloads import copy_payload
from winsvc.backend import ControlHandler, ServiceMain

if TYPE_CHECKING:
    from _winsvc_cffi import WCHAR, AnyPointer, Pointer

# ServiceMain by the service's name in upper case. A process can start one dispatcher, once.
_mains: dict[str, ServiceMain] = {}
# A service's index in this list is the context that Windows passes with its controls.
_handlers: list[tuple[str, ControlHandler]] = []
_lock = threading.Lock()


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
        check(lib.StartServiceCtrlDispatcherW(entries), "StartServiceCtrlDispatcherW")

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
