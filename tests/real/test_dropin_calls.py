"""The older calls, which only the drop-in uses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import Service, ServiceManager
from winsvc._native import NativeBackend
from winsvc._native import dropin as module
from winsvc._native.structs import ENUM_LAYOUT, STATUS_LAYOUT
from winsvc._values.rows import EnumRow, StatusRow
from winsvc.errors import HandleClosedError, Win32Error

if TYPE_CHECKING:
    from _winsvc_cffi import DWORD, ENUM_SERVICE_STATUSW, Pointer

WINE = bool(lib.wine_version())

backend = NativeBackend()


@pytest.fixture
def manager() -> Iterator[int]:
    handle = backend.open_sc_manager(None, None, lib.SC_MANAGER_ALL_ACCESS)
    yield handle
    backend.close_service_handle(handle)


def bare(row: StatusRow) -> StatusRow:
    return row._replace(process_id=0, service_flags=0)


def test_query_service_status_equals_ex_without_process(manager: int, installed: Service) -> None:
    installed.start()
    handle = backend.open_service(manager, installed.name, lib.SERVICE_QUERY_STATUS)
    expected = backend.query_service_status_ex(handle)
    assert expected.process_id
    assert backend.query_service_status(handle) == bare(expected)
    backend.close_service_handle(handle)
    with pytest.raises(HandleClosedError):
        backend.query_service_status(0)


@pytest.mark.parametrize("kind", [0x30, 0x0B, 0x3B, 4])
@pytest.mark.parametrize("state", [1, 2, 3])
def test_enum_services_status_equals_ex_without_process(
    manager: int, installed: Service, kind: int, state: int
) -> None:
    def both() -> tuple[tuple[list[EnumRow], int], list[EnumRow]]:
        later, _ = backend.enum_services_status_ex(manager, kind, state, None, 0)
        short = [row._replace(status=bare(row.status)) for row in later]
        return backend.enum_services_status(manager, kind, state, 0), short

    (rows, resume), expected = both()
    assert resume == 0
    assert sorted(rows) == sorted(expected)
    assert bool(rows) is (kind != 4 and bool(expected))


def test_enum_services_status_with_120_services_lists_all(
    scm: ServiceManager, manager: int, installed: Service, program: str
) -> None:
    created = [scm.create(f"{installed.name}-{index}", program) for index in range(120)]
    try:
        names = {row.service_name for row in backend.enum_services_status(manager, 0x30, 3, 0)[0]}
        assert {service.name for service in created} <= names
    finally:
        for service in created:
            service.delete()
            service.close()


def test_enum_services_status_with_invalid_arguments_raises_error(manager: int) -> None:
    for kind, state in ((0, 3), (0x30, 0)):
        with pytest.raises(Win32Error) as caught:
            backend.enum_services_status(manager, kind, state, 0)
        assert caught.value.winerror == lib.ERROR_INVALID_PARAMETER
    with pytest.raises(HandleClosedError):
        backend.enum_services_status(0, 0x30, 3, 0)


@pytest.mark.skipif(not WINE, reason="Wine takes a service's handle for that of its program")
def test_set_service_status_reads_back(manager: int, installed: Service) -> None:
    handle = backend.open_service(manager, installed.name, lib.SERVICE_ALL_ACCESS | 0x8000)
    row = StatusRow(0x10, 2, 0x80000001, 0x80070005, 0xFFFFFFFF, 7, 30000, 0, 0)
    backend.set_service_status(handle, row)
    assert backend.query_service_status(handle) == row
    backend.set_service_status(handle, StatusRow(0x10, 1, 0, 0, 0, 0, 0, 0, 0))
    backend.close_service_handle(handle)
    with pytest.raises(HandleClosedError):
        backend.set_service_status(0, row)


def test_format_message_returns_text_or_none_if_unknown() -> None:
    code, text = ffi.getwinerror(lib.ERROR_INVALID_HANDLE)
    whole = backend.format_message(code)
    assert whole is not None
    assert whole.rstrip(". ") == text
    assert whole == whole.rstrip("\r\n")
    assert backend.format_message(0xDEADBEEF) is None


def test_status_layouts_match_compiled_structures() -> None:
    assert ENUM_LAYOUT.size == ffi.sizeof("ENUM_SERVICE_STATUSW")
    assert STATUS_LAYOUT.size == ffi.sizeof("SERVICE_STATUS_PROCESS")


class Paged:
    """The module's functions, with an enumeration in pages of two, as on Windows."""

    def __init__(self) -> None:
        self.texts = [ffi.new("wchar_t[]", f"service {index}") for index in range(7)]

    def __getattr__(self, name: str) -> object:
        return getattr(lib, name)

    def EnumServicesStatusW(
        self,
        manager: object,
        kind: int,
        state: int,
        entries: Pointer[ENUM_SERVICE_STATUSW],
        size: int,
        needed: Pointer[DWORD],
        count: Pointer[DWORD],
        resume: Pointer[DWORD],
    ) -> int:
        start = resume[0]
        page = self.texts[start : start + 2]
        for index, text in enumerate(page):
            entries[index].lpServiceName = text
        count[0] = len(page)
        if start + 2 >= len(self.texts):
            needed[0] = resume[0] = 0
            return 1
        needed[0], resume[0] = 1000, start + 2
        lib.SetLastError(lib.ERROR_MORE_DATA)
        return 0


def test_enum_services_status_in_pages_returns_every_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "lib", Paged())
    names: list[str] = []
    resume = 0
    while True:
        rows, resume = backend.enum_services_status(1, 0x30, 3, resume)
        names += [row.service_name for row in rows]
        if not resume:
            break
    assert names == [f"service {index}" for index in range(7)]


def test_enum_services_status_without_progress_raises_more_data(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A system that returns nothing and requires a larger buffer each time."""

    class Stubborn(Paged):
        def EnumServicesStatusW(self, *arguments: object) -> int:
            needed, count = arguments[5], arguments[6]
            needed[0], count[0] = 20 * 1024 * 1024, 0  # type: ignore[index]
            lib.SetLastError(lib.ERROR_MORE_DATA)
            return 0

    monkeypatch.setattr(module, "lib", Stubborn())
    with pytest.raises(Win32Error) as caught:
        backend.enum_services_status(1, 0x30, 3, 0)
    assert caught.value.winerror == lib.ERROR_MORE_DATA
