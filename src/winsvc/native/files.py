"""Files and drives, as far as a service's program has to be found and read."""

from __future__ import annotations

from _winsvc_cffi import ffi, lib

from winsvc.native.memory import filled, wide


class Files:
    """The part of the backend that looks at files."""

    def is_remote_drive(self, root: str) -> bool:
        return lib.GetDriveTypeW(wide(root, "root")) == lib.DRIVE_REMOTE

    def get_file_security(self, path: str, information: int) -> bytes:
        name = wide(path, "path")
        buffer = filled(
            "GetFileSecurityW",
            lambda buffer, size, needed: lib.GetFileSecurityW(
                name, information, buffer, size, needed
            ),
        )
        return bytes(ffi.buffer(buffer, lib.GetSecurityDescriptorLength(buffer)))
