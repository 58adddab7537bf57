"""Enumerations in pages, which grow between calls: on Windows only, and therefore simulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import Win32Error
from winsvc._native import backend as module
from winsvc._native.backend import NativeBackend

if TYPE_CHECKING:
    from _winsvc_cffi import BYTE, DWORD, Array, Pointer

ENTRY = ffi.sizeof("ENUM_SERVICE_STATUS_PROCESSW")


class Scripted:
    """The module's functions, with an enumeration of a list of names.

    As Windows does, it gives as many entries as fit and how many bytes the rest may need.
    """

    def __init__(self, names: list[str], growth: Callable[[list[str]], None] | None = None) -> None:
        self.names = names
        self.growth = growth
        self.sizes: list[int] = []
        self._texts: list[object] = []

    def __getattr__(self, name: str) -> object:
        return getattr(lib, name)

    def EnumServicesStatusExW(
        self,
        manager: object,
        level: int,
        kind: int,
        state: int,
        buffer: Array[BYTE],
        size: int,
        needed: Pointer[DWORD],
        count: Pointer[DWORD],
        resume: Pointer[DWORD],
        group: object,
    ) -> int:
        self.sizes.append(size)
        if self.growth:
            self.growth(self.names)
        left = self.names[resume[0] :]
        fits = left[: size // (ENTRY + 600)]
        entries = ffi.cast("ENUM_SERVICE_STATUS_PROCESSW *", buffer)
        for index, name in enumerate(fits):
            text = ffi.new("wchar_t[]", name)
            self._texts.append(text)
            entries[index].lpServiceName = text
            entries[index].lpDisplayName = ffi.NULL
            entries[index].ServiceStatusProcess.dwProcessId = index
        count[0] = len(fits)
        if len(fits) == len(left):
            needed[0] = resume[0] = 0
            return 1
        needed[0] = (len(left) - len(fits)) * (ENTRY + 600)
        resume[0] += len(fits)
        lib.SetLastError(lib.ERROR_MORE_DATA)
        return 0


def listed(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(module, "lib", scripted)
    names: list[str] = []
    resume = 0
    while True:
        rows, resume = NativeBackend().enum_services_status_ex(1, 0x30, 3, None, resume)
        names += [row.service_name for row in rows]
        if not resume:
            return names


def test_enum_services_in_pages_returns_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"service {index}" for index in range(2000)]
    scripted = Scripted(list(names))
    assert listed(scripted, monkeypatch) == names
    assert max(scripted.sizes) <= 256 * 1024
    # The next listing starts with the size that the last listing needed.
    scripted.sizes.clear()
    assert listed(scripted, monkeypatch) == names
    assert len(scripted.sizes) < 10


def test_enum_services_while_list_grows_returns_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"service {index}" for index in range(300)]

    def grow(now: list[str]) -> None:
        if len(now) < 330:
            now.append(f"service {len(now)}")

    scripted = Scripted(names, grow)
    assert listed(scripted, monkeypatch) == [f"service {index}" for index in range(len(names))]


def test_enum_services_without_entries_returns_empty_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(Scripted([]), monkeypatch) == []


def test_enum_services_without_progress_raises_more_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system that returns nothing and requires no larger buffer."""

    class Stubborn(Scripted):
        def EnumServicesStatusExW(self, *arguments: object) -> int:
            needed, count = arguments[6], arguments[7]
            needed[0], count[0] = 8, 0  # type: ignore[index]
            assert len(self.sizes) < 10
            self.sizes.append(0)
            lib.SetLastError(lib.ERROR_MORE_DATA)
            return 0

    with pytest.raises(Win32Error) as caught:
        listed(Stubborn([]), monkeypatch)
    assert caught.value.winerror == 234
