"""Window stations and desktops come and go, and the process has no handle more than before."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

import pytest
from _winsvc_cffi import ffi, lib

from winsvc import (
    AlreadyExistsError,
    Desktop,
    NotFoundError,
    WindowStation,
    WindowStationAccess,
    WindowStationCreation,
)

ROUNDS = 1000
WINE = bool(lib.wine_version())


def handles() -> object:
    """How many handles the process has; on Wine, which does not count them, the next free ones."""
    gc.collect()
    if not WINE:
        count = ffi.new("DWORD *")
        assert lib.GetProcessHandleCount(lib.GetCurrentProcess(), count)
        return count[0]
    kernel = ctypes.CDLL("kernel32")
    free = [kernel.CreateEventW(None, 0, 0, None) for _ in range(32)]  # the lowest come first
    for handle in free:
        kernel.CloseHandle(handle)
    return free


def test_a_handle_that_is_left_open_is_noticed(unique_name: Callable[[], str]) -> None:
    before = handles()
    with WindowStation.create(unique_name()):
        assert handles() != before
    assert handles() == before


def stations(name: str) -> None:
    with WindowStation.create(name) as made, WindowStation.open(name) as opened:
        assert opened.name == name
        assert made.desktops() == []
        made.security()
        with pytest.raises(AlreadyExistsError):
            WindowStation.create(name, WindowStationCreation.CREATE_ONLY)
    with pytest.raises(NotFoundError):
        WindowStation.open(name)


def desktops(name: str) -> None:
    with Desktop.create(name) as made, Desktop.open(name) as opened, Desktop.input() as shown:
        assert (made.name, opened.name, shown.type) == (name, name, "Desktop")
        assert opened.windows() == []
    with pytest.raises(NotFoundError):
        Desktop.open(name)


def switches(name: str) -> None:
    with WindowStation.create(name).as_process_station() as station:
        with Desktop.create(name) as made:
            assert station.desktops() == [made.name]
            with made.as_thread_desktop():
                pass
    with Desktop.create(name).as_thread_desktop():
        assert Desktop.current().name == name
    with pytest.raises(NotFoundError):
        WindowStation.open(name, WindowStationAccess.ENUMERATE)


@pytest.mark.parametrize("work", [stations, desktops, switches])
def test_nothing_leaks(work: Callable[[str], None], unique_name: Callable[[], str]) -> None:
    name = unique_name()
    work(name)  # what is made once is made here
    names, before = WindowStation.names(), handles()
    for _ in range(ROUNDS):
        work(name)
    assert handles() == before
    assert WindowStation.names() == names
    assert name not in WindowStation.current().desktops()
