"""Files, folders and drives: the queries and changes that hosting a service needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import (
    call_with_growing_buffer,
    check,
    security_attributes,
    valid_descriptor,
    wide,
)

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, Array, Pointer


class Files:
    """The part of the backend that examines files and creates folders."""

    def is_remote_drive(self, root: str) -> bool:
        return lib.GetDriveTypeW(wide(root, "root")) == lib.DRIVE_REMOTE

    def get_file_security(self, path: str, information: int) -> bytes:
        name = wide(path, "path")
        buffer = call_with_growing_buffer(
            "GetFileSecurityW",
            lambda buffer, size, needed: lib.GetFileSecurityW(
                name, information, buffer, size, needed
            ),
        )
        return bytes(ffi.buffer(buffer, lib.GetSecurityDescriptorLength(buffer)))

    def set_file_security(self, path: str, information: int, descriptor: bytes) -> None:
        buffer = valid_descriptor(descriptor)
        done = lib.SetFileSecurityW(wide(path, "path"), information, buffer)
        check(done, "SetFileSecurityW")

    def create_directory(self, path: str, descriptor: bytes) -> None:
        attributes, _referenced = security_attributes(False, descriptor)
        check(lib.CreateDirectoryW(wide(path, "path"), attributes), "CreateDirectoryW")

    def lookup_account(self, name: str) -> bytes:
        wanted = wide(name, "name")
        kind = ffi.new("SID_NAME_USE *")
        domain = ffi.new("wchar_t[]", 256)  # unused, but required by the call

        def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
            needed[0] = size
            length = ffi.new("DWORD *", 256)
            return lib.LookupAccountNameW(ffi.NULL, wanted, buffer, needed, domain, length, kind)

        buffer = call_with_growing_buffer("LookupAccountNameW", call)
        return bytes(ffi.buffer(buffer, lib.GetLengthSid(buffer)))
