"""Strings, handles, buffers and errors on their way between Python and C."""

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
# For what is filled by C, which does without the zeros that CFFI writes.
_unwritten = ffi.new_allocator(should_clear_after_alloc=False)

_MOST_KEPT = 8 * 1024 * 1024  # bytes; what is larger is not kept


class Kept(threading.local):
    """A large buffer of each thread that is used again: new memory costs as much as its use."""

    block: Array[BYTE] | None = None

    def take(self, size: int) -> Array[BYTE]:
        """A buffer of at least that size, not empty; whoever has it gives it back, or drops it."""
        # Taken: a signal handler that comes in the middle must get another one.
        block, self.block = self.block, None
        if block is None or not size <= len(block) <= 4 * size:
            block = _unwritten("BYTE[]", size)
        return block

    def give(self, block: Array[BYTE]) -> None:
        """Keep a buffer that was taken, for the next who needs one."""
        if len(block) <= _MOST_KEPT:
            self.block = block


KEPT_FOR_PAGES = Kept()
KEPT_FOR_PACKING = Kept()

FIRST_SIZE = 4096  # bytes; holds nearly every answer that is not an enumeration


_messages: dict[int, str | None] = {}


def failure(function: str, returned: int = -1) -> Win32Error:
    """The error of the call that has just failed. Nothing may come between the two.

    A call that returns its error code has it ``returned``; most leave it to be asked for.
    """
    code = lib.GetLastError() if returned == -1 else returned & 0xFFFFFFFF
    if code not in _messages:
        # The system takes longer to find the text than for many a call.
        _, text = ffi.getwinerror(code if code <= 0x7FFFFFFF else code - 0x1_0000_0000)
        # CFFI gives a text of its own for a code that the system has none for.
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
    """The number of a handle that was just returned; NULL raises its call's error."""
    if not handle:
        raise failure(function)
    return int(ffi.cast("uintptr_t", handle))


def wide(text: str, what: str) -> Pointer[WCHAR]:
    """A string for C."""
    return ffi.new("wchar_t[]", check_text(text, what))


def wide_or_null(text: str | None, what: str) -> Pointer[WCHAR]:
    """A string for C; None is NULL."""
    return ffi.NULL if text is None else wide(text, what)


def wide_list(texts: Sequence[str] | None, what: str) -> Pointer[WCHAR]:
    """A multi-string for C; an empty list is two NULs, None is NULL."""
    return ffi.NULL if texts is None else ffi.new("wchar_t[]", pack_multi_string(texts, what))


def guid(value: bytes, what: str) -> Pointer[GUID]:
    """A GUID for C, from the bytes that it has in memory."""
    size = ffi.sizeof("GUID")
    if len(value) != size:
        raise ValidationError(what, f"a GUID has {size} bytes, not {len(value)}")
    pointer = ffi.new("GUID *")
    ffi.memmove(pointer, value, size)
    return pointer


@contextmanager
def wiped(secret: Secret | None) -> Iterator[Pointer[WCHAR]]:
    """A secret string for C that is wiped after use; None is NULL."""
    if secret is None:
        yield ffi.NULL
        return
    # Revealed in no variable: those show in tracebacks.
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
    """A double-NUL-terminated list."""
    if not pointer:
        return None
    texts: list[str] = []
    while text := ffi.string(pointer):
        texts.append(text)
        # In 16-bit units: a character outside the BMP takes two.
        pointer += len(text.encode("utf-16-le", "surrogatepass")) // 2 + 1
    return tuple(texts)


_GROW = frozenset({int(lib.ERROR_INSUFFICIENT_BUFFER), int(lib.ERROR_MORE_DATA)})


def filled(
    function: str,
    call: Callable[[Array[BYTE], int, Pointer[DWORD]], int],
    size: int = FIRST_SIZE,
) -> Array[BYTE]:
    """Call with a buffer that grows until the answer fits; the answer may grow meanwhile.

    The buffer must outlive what points into it: a cast does not keep it.
    """
    needed = ffi.new("DWORD *")
    while True:
        # A new one each time: a signal handler that calls in the middle must not write to it.
        buffer = ffi.new("BYTE[]", size)
        if call(buffer, size, needed):
            return buffer
        error = failure(function)
        if error.winerror not in _GROW or needed[0] <= size:
            raise error  # also a call that asks for no more than it got: no end in sight
        size = needed[0]


def filled_text(
    function: str, call: Callable[[Pointer[WCHAR], Pointer[DWORD]], int], size: int
) -> str:
    """Call with a text buffer of ``size`` characters that grows until the answer fits.

    For calls with one size, in characters: of the buffer, and then of the text without its NUL.
    """
    unchanged = False

    def call_in_bytes(buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
        nonlocal unchanged
        given = needed[0] = size // WCHAR_SIZE
        done = call(ffi.cast("wchar_t *", buffer), needed)
        # A text as long as the buffer lacks but its NUL. Twice running, that is no length: the
        # call leaves the size as it was, and would for ever.
        before, unchanged = unchanged, needed[0] == given
        needed[0] = 0 if before and unchanged else (needed[0] + 1) * WCHAR_SIZE
        return done

    buffer = filled(function, call_in_bytes, size * WCHAR_SIZE)
    return ffi.string(ffi.cast("wchar_t *", buffer))


def security_attributes(inherit: bool, descriptor: bytes | None) -> tuple[AnyPointer, object]:
    """What an object is made with, and what that points to, which C does not keep."""
    attributes = ffi.new("SECURITY_ATTRIBUTES *")
    attributes.nLength = ffi.sizeof("SECURITY_ATTRIBUTES")
    attributes.bInheritHandle = inherit
    if descriptor is None:
        return attributes, None
    buffer = valid_descriptor(descriptor)
    attributes.lpSecurityDescriptor = buffer
    return attributes, buffer


def valid_descriptor(descriptor: bytes) -> Array[BYTE]:
    """A security descriptor for C: one that leads nowhere outside of its bytes."""
    # Not loaded for what only lists and starts.
    from winsvc.security import InvalidSecurityError, SecurityDescriptor

    try:
        SecurityDescriptor.from_bytes(descriptor)  # the system's check trusts offsets and counts
    except InvalidSecurityError as error:
        raise ValidationError("descriptor", str(error)) from None
    buffer = ffi.new("BYTE[]", descriptor)
    valid = lib.IsValidSecurityDescriptor(buffer)
    if not valid or lib.GetSecurityDescriptorLength(buffer) > len(descriptor):
        raise ValidationError("descriptor", "the system finds no valid security descriptor there")
    return buffer
