"""The window stations and desktops of a simulated session, and the handles of the program."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import Final, TypeVar

from winsvc._util.text import same_name
from winsvc.enums import ErrorCode, WindowStationAccess
from winsvc.errors import ValidationError
from winsvc.security import SecurityDescriptor
from winsvc.testing.access import granted
from winsvc.testing.calls import Simulation
from winsvc.testing.refusal import RefusalError
from winsvc.testing.userobjects import (
    INTERACTIVE_STATION,
    SimulatedDesktop,
    SimulatedWindow,
    SimulatedWindowStation,
    UserObject,
    interactive_station,
    service_station,
)

__all__ = ["DesktopSimulation", "UserHandle"]

T = TypeVar("T", SimulatedWindowStation, SimulatedDesktop)

_EVERYTHING: Final = int(WindowStationAccess.GENERIC_ALL)


@dataclass(slots=True, eq=False)
class UserHandle:
    """An open handle."""

    target: UserObject
    access: int
    inherit: bool


class DesktopSimulation:
    """The window stations of a simulated session, and the assignments of the program.

    Attributes:
        stations: the existing window stations.
        windows: the top-level windows with their desktops, by ``HWND``.
        process: the handle of the window station of the process.
        first: the handle of the desktop on which the process started.
    """

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self.stations: list[SimulatedWindowStation] = [interactive_station(), service_station()]
        self.windows: dict[int, tuple[SimulatedDesktop, SimulatedWindow]] = {}
        self._threads: dict[int, tuple[weakref.ref[threading.Thread], int]] = {}
        self._begun: tuple[int, ...] = ()  # the first two handles of the program
        self.begin_on(INTERACTIVE_STATION, "Default")

    # ------------------------------------------------------------------- for tests

    def begin_on(self, station: str, desktop: str) -> None:
        """Start the program on a desktop."""
        place = self.desktop_named(station, desktop)
        before = self._begun
        self.process = self.create(place.station, _EVERYTHING, False)
        self.first = self.create(place, _EVERYTHING, False)
        self._begun = self.process, self.first
        self._threads.clear()
        for handle in before:  # afterwards: they can be the last handles of the new desktop
            if handle in self._simulation.handles:
                self.close(handle)

    @property
    def open_handles(self) -> int:
        """The number of open handles, without the first two of the program."""
        return len(self._simulation.handles.of_kind(UserHandle).keys() - set(self._begun))

    def desktop_named(self, station: str, desktop: str) -> SimulatedDesktop:
        """Return the desktop of this name on the window station of this name.

        Raises:
            ValidationError: the window station or the desktop does not exist.
        """
        place = self.station_named(station)
        if place is None:
            raise ValidationError("station", f"the window station {station!r} does not exist")
        found = place.find(desktop)
        if found is None:
            raise ValidationError(
                "desktop", f"the desktop {desktop!r} does not exist on {place.name}"
            )
        return found

    # ------------------------------------------------------------------- handles

    def open(self, target: UserObject, access: int, inherit: bool) -> int:
        """Open a window station or a desktop, with an access check."""
        rights = self._simulation.grant(target.security, access, target.mapping, target.name)
        return self._add(target, rights, inherit)

    def create(self, target: UserObject, access: int, inherit: bool) -> int:
        """Open a window station or a desktop as its creator, with all desired rights."""
        everybody = SecurityDescriptor()
        rights = granted(everybody, self._simulation.caller, access, target.mapping)
        return self._add(target, rights, inherit)

    def _add(self, target: UserObject, rights: int, inherit: bool) -> int:
        target.handles += 1
        handle = UserHandle(target, rights, inherit)
        return self._simulation.handles.add(handle, (None, target.name))

    def close(self, value: int) -> None:
        """Close a handle; delete the object with its last handle."""
        target = self._simulation.handles.remove(value, UserHandle).target
        target.handles -= 1
        if target.exists:
            return
        if isinstance(target, SimulatedWindowStation):
            self.stations.remove(target)
            return
        for window in target.windows:
            del self.windows[window.handle]
        target.station.desktops.remove(target)
        if target.station.input is target:
            target.station.input = target.station.find("Default")

    def handle(self, value: int, right: int = 0) -> UserHandle:
        """Return an open handle that has this right."""
        handle = self._simulation.handles.get(value, UserHandle)
        if right & ~handle.access:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return handle

    def station(self, value: int, right: int = 0) -> SimulatedWindowStation:
        """Return the window station of a handle that has this right."""
        return self._target(value, SimulatedWindowStation, right)

    def desktop(self, value: int, right: int = 0) -> SimulatedDesktop:
        """Return the desktop of a handle that has this right."""
        return self._target(value, SimulatedDesktop, right)

    def _target(self, value: int, kind: type[T], right: int) -> T:
        target = self.handle(value).target
        if not isinstance(target, kind):
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        self.handle(value, right)
        return target

    def station_named(self, name: str) -> SimulatedWindowStation | None:
        """Return the window station of this name."""
        return next((station for station in self.stations if same_name(station.name, name)), None)

    # ------------------------------------------------------------------- threads

    def of_thread(self, thread_id: int) -> int:
        """Return the desktop handle of a thread; by default the initial desktop of the process."""
        known = self._threads.get(thread_id)
        if known is not None:
            thread = known[0]()
            if thread is not None and thread.is_alive():
                return known[1]
            del self._threads[thread_id]  # the id can be used again
        return self.first

    def set_for_thread(self, desktop: int) -> None:
        """Assign the calling thread to the desktop of a handle."""
        thread = weakref.ref(threading.current_thread())
        self._threads[threading.get_native_id()] = thread, desktop

    def is_in_use(self, desktop: int) -> bool:
        """Return whether a thread or the process uses the desktop handle."""
        return desktop == self.first or desktop in map(self.of_thread, list(self._threads))
