"""The buffer that grows until a result fits, with scripted calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest
from _winsvc_cffi import ffi, lib

from winsvc._native.memory import FIRST_SIZE, call_with_growing_buffer, call_with_growing_text
from winsvc.errors import AccessDeniedError, ServiceNotFoundError, Win32Error

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, WCHAR, Array, Pointer

Step = tuple[int, int]  # the error (0: none) and the requested size

INSUFFICIENT_BUFFER = lib.ERROR_INSUFFICIENT_BUFFER
MORE_DATA = lib.ERROR_MORE_DATA


class Script:
    """A function that returns scripted results, and records the sizes of the buffers."""

    def __init__(self, *steps: Step) -> None:
        self.steps: Iterator[Step] = iter(steps)
        self.sizes: list[int] = []

    def __call__(self, buffer: Array[BYTE], size: int, needed: Pointer[DWORD]) -> int:
        self.sizes.append(size)
        assert ffi.sizeof(buffer) >= size
        ffi.memmove(buffer, bytes(size), size)  # the whole buffer is writable
        error, wanted = next(self.steps)
        if wanted:
            needed[0] = wanted
        lib.SetLastError(error)
        if error:
            return 0
        buffer[0] = 42
        return 1


@pytest.mark.parametrize("code", [INSUFFICIENT_BUFFER, MORE_DATA])
@pytest.mark.parametrize(
    ("steps", "sizes"),
    [
        pytest.param([(0, 0)], [FIRST_SIZE], id="fits at once"),
        pytest.param([(1, 10_000), (0, 0)], [FIRST_SIZE, 10_000], id="grows"),
        pytest.param([(1, FIRST_SIZE + 1), (0, 0)], [FIRST_SIZE, FIRST_SIZE + 1], id="by a byte"),
        pytest.param(
            [(1, 10_000), (1, 20_000), (0, 0)], [FIRST_SIZE, 10_000, 20_000], id="grows twice"
        ),
    ],
)
def test_filled_grows_buffer_to_needed_size(
    code: int, steps: Sequence[Step], sizes: list[int]
) -> None:
    call = Script(*[(code if error else 0, wanted) for error, wanted in steps])
    assert call_with_growing_buffer("AnyCallW", call)[0] == 42
    assert call.sizes == sizes


@pytest.mark.parametrize("code", [INSUFFICIENT_BUFFER, MORE_DATA])
@pytest.mark.parametrize("wanted", [0, 1, FIRST_SIZE - 1, FIRST_SIZE])
def test_filled_with_needed_size_not_larger_raises_error(code: int, wanted: int) -> None:
    call = Script((code, wanted))
    with pytest.raises(Win32Error) as caught:
        call_with_growing_buffer("AnyCallW", call)
    assert (caught.value.winerror, caught.value.function) == (code, "AnyCallW")
    assert call.sizes == [FIRST_SIZE]


def test_filled_with_repeated_needed_size_raises_more_data() -> None:
    call = Script((MORE_DATA, 10_000), (MORE_DATA, 10_000))
    with pytest.raises(Win32Error) as caught:
        call_with_growing_buffer("AnyCallW", call)
    assert caught.value.winerror == MORE_DATA
    assert call.sizes == [FIRST_SIZE, 10_000]


@pytest.mark.parametrize(
    ("code", "kind"),
    [(lib.ERROR_ACCESS_DENIED, AccessDeniedError), (0xE0000001, Win32Error)],
)
def test_filled_with_other_error_raises_it(code: int, kind: type[Win32Error]) -> None:
    for steps in ([(code, 10_000)], [(INSUFFICIENT_BUFFER, 10_000), (code, 20_000)]):
        call = Script(*steps)
        with pytest.raises(kind) as caught:
            call_with_growing_buffer("AnyCallW", call)
        assert caught.value.winerror == code
        assert len(call.sizes) == len(steps)
        assert "%X" not in str(caught.value)


def test_filled_called_twice_returns_separate_buffers() -> None:
    first = call_with_growing_buffer("AnyCallW", Script((0, 0)))
    assert call_with_growing_buffer("AnyCallW", Script((0, 0))) != first


# ------------------------------------------------------------------------------ sizes in characters


class Name:
    """A call with the sizes of ``GetServiceDisplayNameW``: only the input counts the NUL."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sizes: list[int] = []

    def __call__(self, buffer: Pointer[WCHAR], size: Pointer[DWORD]) -> int:
        self.sizes.append(size[0])
        fits = len(self.text) < size[0]
        size[0] = len(self.text)
        if not fits:
            lib.SetLastError(INSUFFICIENT_BUFFER)
            return 0
        buffer[0 : len(self.text) + 1] = self.text + "\0"
        return 1


@pytest.mark.parametrize(
    ("length", "sizes"), [(0, [257]), (256, [257]), (257, [257, 258]), (5000, [257, 5001])]
)
def test_filled_text_grows_with_room_for_nul(length: int, sizes: list[int]) -> None:
    call = Name("x" * length)
    assert call_with_growing_text("AnyCallW", call, 257) == "x" * length
    assert call.sizes == sizes


def test_filled_text_of_missing_service_raises_not_found() -> None:
    def call(_buffer: Pointer[WCHAR], size: Pointer[DWORD]) -> int:
        size[0] = 2  # as Windows does
        lib.SetLastError(lib.ERROR_SERVICE_DOES_NOT_EXIST)
        return 0

    with pytest.raises(ServiceNotFoundError):
        call_with_growing_text("AnyCallW", call, 257)


def test_filled_text_with_needed_size_not_larger_raises_error() -> None:
    def call(_buffer: Pointer[WCHAR], _size: Pointer[DWORD]) -> int:
        lib.SetLastError(INSUFFICIENT_BUFFER)
        return 0

    with pytest.raises(Win32Error) as caught:
        call_with_growing_text("AnyCallW", call, 257)
    assert caught.value.winerror == INSUFFICIENT_BUFFER
