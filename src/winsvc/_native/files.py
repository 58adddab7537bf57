"""Files and drives: the security descriptors of files, folders, and remote drives."""

from __future__ import annotations

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import (
    call_with_growing_buffer,
    check,
    security_attributes,
    valid_descriptor,
    wide,
)


class Files:
    """The calls of the backend for files and folders."""

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
