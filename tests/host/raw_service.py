"""A service in Python, through nothing but the compiled module; started by test_callbacks.py."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

if TYPE_CHECKING:
    from _winsvc_cffi import WCHAR, AnyPointer, Pointer

stopped = threading.Event()
status = ffi.new("SERVICE_STATUS *")
handle = ffi.cast("SERVICE_STATUS_HANDLE", 0)


def note(text: str) -> None:
    with open(sys.argv[1], "a", encoding="utf-8") as log:
        log.write(text + "\n")


def report(state: int) -> None:
    status.dwServiceType = lib.SERVICE_WIN32_OWN_PROCESS
    status.dwCurrentState = state
    status.dwControlsAccepted = lib.SERVICE_ACCEPT_STOP if state == lib.SERVICE_RUNNING else 0
    assert lib.SetServiceStatus(handle, status)


@ffi.def_extern("winsvc_control_handler", error=1)
def control_handler(control: int, event_type: int, data: AnyPointer, context: AnyPointer) -> int:
    note(f"control {control}")
    if control == lib.SERVICE_CONTROL_STOP:
        stopped.set()
    return 0


@ffi.def_extern("winsvc_service_main")
def service_main(count: int, vector: Pointer[Pointer[WCHAR]]) -> None:
    global handle
    arguments = [ffi.string(vector[index]) for index in range(count)]
    handle = lib.RegisterServiceCtrlHandlerExW(
        ffi.new("wchar_t[]", arguments[0]), lib.winsvc_control_handler, ffi.NULL
    )
    note(f"started {arguments[1:]}")
    report(lib.SERVICE_RUNNING)
    stopped.wait()
    note("stopping")
    report(lib.SERVICE_STOPPED)


name = ffi.new("wchar_t[]", "")
table = ffi.new("SERVICE_TABLE_ENTRYW[]", 2)
table[0].lpServiceName = name
table[0].lpServiceProc = lib.winsvc_service_main
assert lib.StartServiceCtrlDispatcherW(table), ffi.getwinerror()
note("dispatcher returned")
