"""Window stations and desktops come and go, and the process has no handle more than before."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from real.process_handles import open_handles

from winsvc import Desktop, NotFoundError, WindowStation, WindowStationAccess
from winsvc.enums import WindowStationCreation
from winsvc.errors import AlreadyExistsError

ROUNDS = 1000


def test_handle_count_with_open_station_differs(unique_name: Callable[[], str]) -> None:
    name = unique_name()
    WindowStation.create(name).close()  # what is created once is created here
    before = open_handles()
    with WindowStation.create(name):
        assert open_handles() != before
    assert open_handles() == before


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
                assert Desktop.current().name == name
    with Desktop.create(name).as_thread_desktop():
        assert Desktop.current().name == name
    with pytest.raises(NotFoundError):
        WindowStation.open(name, WindowStationAccess.ENUMERATE)


@pytest.mark.parametrize("work", [stations, desktops, switches])
def test_repeated_desktop_calls_leave_no_handles(
    work: Callable[[str], None], unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    work(name)  # what is made once is made here
    names, before = WindowStation.names(), open_handles()
    for _ in range(ROUNDS):
        work(name)
    assert open_handles() == before
    assert WindowStation.names() == names
    assert name not in WindowStation.current().desktops()
