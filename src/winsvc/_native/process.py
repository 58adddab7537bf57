"""Queries about the calling process."""

from __future__ import annotations

from _winsvc_cffi import ffi, lib

from winsvc._native.hosting import is_connected
from winsvc._native.memory import check, failure


class Process:
    """The part of the backend that queries the calling process."""

    def is_service_process(self) -> bool:
        if is_connected():
            return True
        result = ffi.new("BOOL *")
        check(lib.winsvc_parent_is_scm(result), "CreateToolhelp32Snapshot")
        return bool(result[0])

    def is_elevated(self) -> bool:
        token = ffi.new("HANDLE *")
        process = lib.GetCurrentProcess()
        check(lib.OpenProcessToken(process, lib.TOKEN_QUERY, token), "OpenProcessToken")
        try:
            elevation, size = ffi.new("TOKEN_ELEVATION *"), ffi.new("DWORD *")
            if not lib.GetTokenInformation(
                token[0], lib.TokenElevation, elevation, ffi.sizeof("TOKEN_ELEVATION"), size
            ):
                raise failure("GetTokenInformation")
            return bool(elevation.TokenIsElevated)
        finally:
            lib.CloseHandle(token[0])
