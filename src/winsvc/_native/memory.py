"""Conversion of strings, handles, buffers and errors between Python and C."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from _winsvc_cffi import ffi, lib

from winsvc._util.text import check_text, pack_multi_string
from winsvc.errors import ValidationError, Win32Error, win32_error

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, GUID, HANDLE, SC_HANDLE, WCHAR, AnyPointer, Array, Pointer

    from winsvc._values.account import Secret

WCHAR_SIZE = ffi.sizeof("wchar_t")
# For buffers that C fills: skips the zeros that CFFI would write.
_unwritten = ffi.new_allocator(should_clear_after_alloc=False)

_LARGEST_CACHED = 8 * 1024 * 1024  # bytes; larger buffers are not cached


class BufferCache(threading.local):
    """A large buffer for each thread, reused because allocation costs as much as the use."""

    block: Array[BYTE] | None = None

    def take(self, size: int) -> Array[BYTE]:
        """Take a buffer of at least *size* bytes, with any content, out of the cache."""
        # The cache is empty until give(): a signal handler must get another buffer.
        block, self.block = self.block, None
        if block is None or not size <= len(block) <= 4 * size:
            block = _unwritten("BYTE[]", size)
        return block

    def give(self, block: Array[BYTE]) -> None:
        """Return a buffer to the cache for the next caller."""
        if len(block) <= _LARGEST_CACHED:
            self.block = block


PAGE_BUFFERS = BufferCache()
PACKING_BUFFERS = BufferCache()

FIRST_SIZE = 4096  # bytes; enough for nearly every result except enumerations

_messages: dict[int, str | None] = {}


def failure(function: str, returned: int = -1) -> Win32Error:
    """Create the error of the call that has just failed; no other call may come in between.

    Args:
        function: The function's name.
        returned: The error code, for functions that return it instead of setting the last error.
    """
    code = lib.GetLastError() if returned == -1 else returned & 0xFFFFFFFF
    if code not in _messages:
        # Looking up the text takes longer than many calls.
        _, text = ffi.getwinerror(code if code <= 0x7FFFFFFF else code - 0x1_0000_0000)
        # CFFI's text for a code that is unknown to the system.
        _messages[code] = None if text.startswith("Windows Error 0x") else text
    return win32_error(code, function, _messages[code])


def check(succeeded: int, function: str) -> None:
    """Raise the error of a call that returned FALSE."""
    if not succeeded:
        raise failure(function)


def sc_handle(value: int) -> SC_HANDLE:
    return ffi.cast("SC_HANDLE", value)


def handle_of(value: int) -> HANDLE:
    return ffi.cast("HANDLE", value)


def handle_value(handle: AnyPointer, function: str) -> int:
    """Return the value of a handle; raise the error of the call that returned NULL."""
    if not handle:
        raise failure(function)
    return int(ffi.cast("uintptr_t", handle))


def wide(text: str, what: str) -> Pointer[WCHAR]:
    """Create a string for C."""
    return ffi.new("wchar_t[]", check_text(text, what))


def wide_or_null(text: str | None, what: str) -> Pointer[WCHAR]:
    """Create a string for C; None is NULL."""
    return ffi.NULL if text is None else wide(text, what)


def wide_list(texts: Sequence[str] | None, what: str) -> Pointer[WCHAR]:
    """Create a multi-string for C; an empty list is two NULs, None is NULL."""
    return ffi.NULL if texts is None else ffi.new("wchar_t[]", pack_multi_string(texts, what))


def guid(value: bytes, what: str) -> Pointer[GUID]:
    """Create a GUID for C from its bytes in memory order."""
    size = ffi.sizeof("GUID")
    if len(value) != size:
        raise ValidationError(what, f"a GUID has {size} bytes, not {len(value)}")
    pointer = ffi.new("GUID *")
    ffi.memmove(pointer, value, size)
    return pointer


@contextmanager
def zeroed_secret(secret: Secret | None) -> Iterator[Pointer[WCHAR]]:
    """Create a secret string for C that is zeroed after use; None is NULL."""
    if secret is None:
        yield ffi.NULL
        return
    # Not stored in a variable: tracebacks may show variables.
    if "\0" in secret.reveal():
        raise ValidationError("password", "must not contain a NUL character")
    buffer = ffi.new("wchar_t[]", secret.reveal())
    try:
        yield buffer
    finally:
        ffi.memmove(buffer, bytes(ffi.sizeof(buffer)), ffi.sizeof(buffer))


def text_at(pointer: Pointer[WCHAR]) -> str | None:
    return ffi.string(pointer) if pointer else None


def texts_at(pointer: Pointer[WCHAR]) -> tuple[str, ...] | None:
    """Read a double-NUL-terminated list."""
    if not pointer:
        return None
    texts: list[str] = []
    while text := ffi.string(pointer):
        texts.append(text)
        # In 16-bit units: a character outside the BMP has two.
        pointer += len(text.encode("utf-16-le", "surrogatepass")) // 2 + 1
    return tuple(texts)


_GROW = frozenset({int(lib.ERROR_INSUFFICIENT_BUFFER), int(lib.ERROR_MORE_DATA)})


def call_with_growing_buffer(
    function: str,
    call: Callable[[Array[BYTE], int, Pointer[DWORD]], int],
    size: int = FIRST_SIZE,
) -> Array[BYTE]:
    """Call with a buffer that grows until the result fits; the result may grow between calls.

    The caller must keep the buffer while it uses pointers into it: a cast does not.
    """
    needed = ffi.new("DWORD *")
    while True:
        # A new buffer for each attempt: a signal handler may call this function as well.
        buffer = ffi.new("BYTE[]", size)
        if call(buffer, size, needed):
            return buffer
        error = failure(function)
        if error.winerror not in _GROW or needed[0] <= size:
            raise error  # also if a larger buffer would not help
        size = needed[0]


def call_with_growing_text(
    function: str, call: Callable[[Pointer[WCHAR], Pointer[DWORD]], int], size: int
) -> str:
    """Call with a text buffer of ``size`` characters that grows until the text fits.

    For functions with a single size argument, in characters: in, the size of the buffer; out, the
    length of the text without its NUL.
    """
    unchanged = False

    def call_in_bytes(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
        nonlocal unchanged
        given = needed[0] = size // WCHAR_SIZE
        done = call(ffi.cast("wchar_t *", buffer), needed)
        # A length equal to the buffer's size lacks room for the NUL only. If that repeats, the
        # call does not write the length, and a larger buffer would not help.
        before, unchanged = unchanged, needed[0] == given
        needed[0] = 0 if before and unchanged else (needed[0] + 1) * WCHAR_SIZE
        return done

    buffer = call_with_growing_buffer(function, call_in_bytes, size * WCHAR_SIZE)
    return ffi.string(ffi.cast("wchar_t *", buffer))


def security_attributes(inherit: bool, descriptor: bytes | None) -> tuple[AnyPointer, object]:
    """Create security attributes; the caller keeps the second value alive during the call."""
    attributes = ffi.new("SECURITY_ATTRIBUTES *")
    attributes.nLength = ffi.sizeof("SECURITY_ATTRIBUTES")
    attributes.bInheritHandle = inherit
    if descriptor is None:
        return attributes, None
    buffer = valid_descriptor(descriptor)
    attributes.lpSecurityDescriptor = buffer
    return attributes, buffer


def valid_descriptor(descriptor: bytes) -> Array[BYTE]:
    """Create a security descriptor for C; refuse offsets and counts beyond its bytes."""
    # Imported late: listing and starting do not need the module.
    from winsvc.security import InvalidSecurityError, SecurityDescriptor

    try:
        SecurityDescriptor.from_bytes(descriptor)  # the system's check trusts offsets and counts
    except InvalidSecurityError as error:
        raise ValidationError("descriptor", str(error)) from None
    buffer = ffi.new("BYTE[]", descriptor)
    valid = lib.IsValidSecurityDescriptor(buffer)
    if not valid or lib.GetSecurityDescriptorLength(buffer) > len(descriptor):
        raise ValidationError("descriptor", "is not a valid security descriptor")
    return buffer
