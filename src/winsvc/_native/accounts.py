"""Accounts and groups: translate names to SIDs and SIDs to names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._native.memory import WCHAR_SIZE, call_with_growing_buffer, wide, wide_or_null
from winsvc.errors import ValidationError

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, Array, Pointer

_NAME_SIZE = 257  # characters; longer than a user name (20), a group name (256) and a domain (255)


class Accounts:
    """The calls of the backend for accounts and groups."""

    def lookup_account_name(self, machine: str | None, name: str) -> bytes:
        system, account = wide_or_null(machine, "machine"), wide(name, "name")
        use = ffi.new("SID_NAME_USE *")
        domain = ffi.new("wchar_t[]", _NAME_SIZE)

        def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
            needed[0] = size
            length = ffi.new("DWORD *", _NAME_SIZE)
            return lib.LookupAccountNameW(system, account, buffer, needed, domain, length, use)

        sid = call_with_growing_buffer("LookupAccountNameW", call)
        return bytes(ffi.buffer(sid, lib.GetLengthSid(sid)))

    def lookup_account_sid(self, machine: str | None, sid: bytes) -> tuple[str, str]:
        # A SID of 8 bytes and 4 more for each sub-authority; the system trusts the count.
        if len(sid) < 8 or len(sid) != 8 + 4 * sid[1]:
            raise ValidationError("sid", "not a SID in binary form")
        system = wide_or_null(machine, "machine")
        binary = ffi.new("BYTE[]", sid)
        use = ffi.new("SID_NAME_USE *")
        domain = ffi.new("wchar_t[]", _NAME_SIZE)

        def call(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
            length = ffi.new("DWORD *", size // WCHAR_SIZE)
            domain_length = ffi.new("DWORD *", _NAME_SIZE)
            name = ffi.cast("wchar_t *", buffer)
            done = lib.LookupAccountSidW(system, binary, name, length, domain, domain_length, use)
            needed[0] = length[0] * WCHAR_SIZE
            return done

        name = call_with_growing_buffer("LookupAccountSidW", call)
        return ffi.string(domain), ffi.string(ffi.cast("wchar_t *", name))
