"""Window stations and desktops leave no handle open."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from real.process_handles import open_handles

from winsvc import Desktop, NotFoundError, WindowStation, WindowStationAccess
from winsvc.errors import AlreadyExistsError

ROUNDS = 1000


def test_handle_count_with_open_station_differs(unique_name: Callable[[], str]) -> None:
    name = unique_name()
    WindowStation.create(name).close()  # the first call creates what the process keeps
    before = open_handles()
    with WindowStation.create(name):
        assert open_handles() != before
    assert open_handles() == before


def stations(name: str) -> None:
    with WindowStation.create(name) as created, WindowStation.open(name) as opened:
        assert opened.name() == name
        assert created.desktop_names() == []
        created.security()
        with pytest.raises(AlreadyExistsError):
            WindowStation.create(name, create_only=True)
    with pytest.raises(NotFoundError):
        WindowStation.open(name)


def desktops(name: str) -> None:
    with (
        Desktop.create(name) as created,
        Desktop.open(name) as opened,
        Desktop.open_input() as shown,
    ):
        assert (created.name(), opened.name(), shown.object_type()) == (name, name, "Desktop")
        assert opened.windows() == []
    with pytest.raises(NotFoundError):
        Desktop.open(name)


def switches(name: str) -> None:
    with WindowStation.create(name) as station, station.process_window_station():
        with Desktop.create(name) as created:
            assert station.desktop_names() == [created.name()]
            with created.thread_desktop():
                assert Desktop.current().name() == name
    with Desktop.create(name) as created, created.thread_desktop():
        assert Desktop.current().name() == name
    with pytest.raises(NotFoundError):
        WindowStation.open(name, WindowStationAccess.ENUMERATE)


@pytest.mark.parametrize("work", [stations, desktops, switches])
def test_repeated_desktop_calls_leave_no_handles(
    work: Callable[[str], None], unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    work(name)  # the first call creates what the process keeps
    names, before = WindowStation.names(), open_handles()
    for _ in range(ROUNDS):
        work(name)
    assert open_handles() == before
    assert WindowStation.names() == names
    assert name not in WindowStation.current().desktop_names()
