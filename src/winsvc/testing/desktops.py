"""Every simulated call for window stations and desktops."""

from __future__ import annotations

import threading
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from winsvc._util.text import same_name
from winsvc._values.rows import UserObjectFlagsRow
from winsvc.enums import (
    DesktopAccess,
    DesktopFlags,
    ErrorCode,
    SecurityInformation,
    UserObjectInformation,
    WindowStationAccess,
    WindowStationCreation,
    WindowStationFlags,
)
from winsvc.errors import ArgumentError
from winsvc.security import InvalidSecurityError, SecurityDescriptor
from winsvc.security.parts import rights_to_read, rights_to_write
from winsvc.testing.access import Caller
from winsvc.testing.calls import Simulation, windows_call
from winsvc.testing.configuring import with_parts
from winsvc.testing.refusal import Refusal
from winsvc.testing.userobjects import (
    DEFAULT_SECURITY,
    INTERACTIVE_STATION,
    SERVICE_STATION,
    SimulatedDesktop,
    SimulatedWindow,
    SimulatedWindowStation,
    UserObject,
    handle_rights,
    interactive_station,
    may_list,
    service_station,
)

if TYPE_CHECKING:
    from winsvc.backend import DesktopBackend

__all__ = ["SimulatedDesktops"]

_LOGON_STATION = "Service-0x0-1ba4f$"  # of the logon session that the program runs in
_EVERYTHING = int(WindowStationAccess.GENERIC_ALL)
_TOO_LONG = 260  # MAX_PATH, with the NUL


@dataclass(slots=True, eq=False)
class _UserHandle:
    """An open handle."""

    target: UserObject
    access: int
    inherit: bool


class SimulatedDesktops(Simulation):
    """The window stations of a simulated session, and every call to them.

    The program under test is on ``WinSta0\\Default``, as programs of a user are.

    Attributes:
        stations: the window stations. Those that nobody has open any more are gone.
        caller: the account that programs run as.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stations: list[SimulatedWindowStation] = [interactive_station(), service_station()]
        self.caller = Caller.administrator()
        self._desktop_handles: dict[int, _UserHandle] = {}
        self._desktop_threads: dict[int, tuple[weakref.ref[threading.Thread], int]] = {}
        self._desktop_windows: dict[int, tuple[SimulatedDesktop, SimulatedWindow]] = {}
        self._desktop_begun: tuple[int, ...] = ()  # the handles that the program was given
        self.begin_on(INTERACTIVE_STATION)

    # ------------------------------------------------------------------- for tests

    def begin_on(self, station: str = SERVICE_STATION, desktop: str = "Default") -> None:
        """Have the program begin elsewhere: by default where a service of LocalSystem does.

        Raises:
            ArgumentError: there is no such window station, or no such desktop.
        """
        place = self._desktop_seen(station, desktop)
        before = self._desktop_begun
        self._desktop_process = self._desktop_add(place.station, _EVERYTHING, False, None)
        self._desktop_first = self._desktop_add(place, _EVERYTHING, False, None)
        self._desktop_begun = self._desktop_process, self._desktop_first
        self._desktop_threads.clear()
        for handle in before:  # now, since they may be all that keeps the new place
            if handle in self._desktop_handles:
                self._desktop_forget(handle)

    def add_window(
        self,
        desktop: str = "Default",
        title: str | None = "",
        class_name: str | None = "Window",
        *,
        thread: int | None = None,
        station: str = INTERACTIVE_STATION,
    ) -> SimulatedWindow:
        """Put a top-level window on a desktop.

        Args:
            desktop: the desktop's name.
            title: the text of its title bar; None for one that can't be read.
            class_name: the name of its class; None for one that can't be read.
            thread: the id of the thread that owns it, which can't leave its desktop then; None for
                one of another process.
            station: the name of the desktop's window station.

        Raises:
            ArgumentError: there is no such desktop.
        """
        place = self._desktop_seen(station, desktop)
        window = SimulatedWindow(self._next_handle(), title, class_name, thread)
        place.windows.append(window)
        self._desktop_windows[window.handle] = place, window
        return window

    def destroy_window(self, window: SimulatedWindow) -> None:
        """Take a window away.

        Raises:
            ArgumentError: it is gone already.
        """
        if window.handle not in self._desktop_windows:
            raise ArgumentError("window", "it is gone already")
        desktop, _ = self._desktop_windows.pop(window.handle)
        desktop.windows.remove(window)

    @property
    def open_desktop_handles(self) -> int:
        """How many handles of window stations and desktops are open, besides its first two."""
        return len(self._desktop_handles.keys() - set(self._desktop_begun))

    def _desktop_seen(self, station: str, desktop: str) -> SimulatedDesktop:
        place = self._desktop_station_named(station)
        if place is None:
            raise ArgumentError("station", f"there is no window station {station!r}")
        found = place.find(desktop)
        if found is None:
            raise ArgumentError("desktop", f"there is no desktop {desktop!r} on {place.name}")
        return found

    # ------------------------------------------------------------------- handles

    def _place(self, arguments: dict[str, object]) -> tuple[str | None, str | None]:
        for name in ("station", "desktop", "user_object"):
            value = arguments.get(name)
            known = self._desktop_handles.get(value) if isinstance(value, int) else None
            if known is not None:
                return None, known.target.name
        return super()._place(arguments)

    def _desktop_add(
        self, target: UserObject, access: int, inherit: bool, caller: Caller | None, call: str = ""
    ) -> int:
        rights = handle_rights(target, access, caller, call)
        kind = DesktopAccess if isinstance(target, SimulatedDesktop) else WindowStationAccess
        if caller is not None and rights & self.faults.denied(kind, target.name):
            raise Refusal(ErrorCode.ACCESS_DENIED)
        value = self._next_handle()
        self._desktop_handles[value] = _UserHandle(target, rights, inherit)
        target.handles += 1
        return value

    def _desktop_forget(self, value: int) -> None:
        target = self._desktop_handles.pop(value).target
        target.handles -= 1
        if target.exists:
            return
        if isinstance(target, SimulatedWindowStation):
            self.stations.remove(target)
            return
        for window in target.windows:
            del self._desktop_windows[window.handle]
        target.station.desktops.remove(target)
        if target.station.input is target:
            target.station.input = target.station.find("Default")

    def _desktop_handle(self, value: int, right: int = 0) -> _UserHandle:
        handle = self._desktop_handles.get(value)
        if handle is None:
            raise Refusal(ErrorCode.INVALID_HANDLE)
        if right & ~handle.access:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        return handle

    def _desktop_station(self, value: int, right: int = 0) -> SimulatedWindowStation:
        target = self._desktop_handle(value).target
        if not isinstance(target, SimulatedWindowStation):
            raise Refusal(ErrorCode.INVALID_HANDLE)
        self._desktop_handle(value, right)
        return target

    def _desktop_at(self, value: int, right: int = 0) -> SimulatedDesktop:
        target = self._desktop_handle(value).target
        if not isinstance(target, SimulatedDesktop):
            raise Refusal(ErrorCode.INVALID_HANDLE)
        self._desktop_handle(value, right)
        return target

    def _desktop_station_named(self, name: str) -> SimulatedWindowStation | None:
        for station in self.stations:
            if same_name(station.name, name):
                return station
        return None

    def _desktop_of(self, thread_id: int) -> int:
        """The handle that the thread is on: its own, or that on which the process began."""
        known = self._desktop_threads.get(thread_id)
        if known is not None:
            thread = known[0]()
            if thread is not None and thread.is_alive():
                return known[1]
            del self._desktop_threads[thread_id]  # the id may come again
        return self._desktop_first

    # ------------------------------------------------------------------- window stations

    @windows_call("EnumWindowStationsW")
    def enum_window_stations(self) -> list[str]:
        """``EnumWindowStationsW``."""
        return [station.name for station in self.stations if may_list(station, self.caller)]

    @windows_call("OpenWindowStationW")
    def open_window_station(self, name: str | None, inherit: bool, access: int) -> int:
        """``OpenWindowStationW``."""
        if "\\" in (name or ""):
            raise Refusal(ErrorCode.PATH_NOT_FOUND)
        station = self._desktop_station_named(name or _LOGON_STATION)
        if station is None:
            raise Refusal(ErrorCode.FILE_NOT_FOUND)
        return self._desktop_add(station, access, inherit, self.caller, "OpenWindowStationW")

    @windows_call("CreateWindowStationW")
    def create_window_station(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateWindowStationW``; a name of None or "" is made of the logon id."""
        if "\\" in (name or ""):
            raise Refusal(ErrorCode.PATH_NOT_FOUND)
        _check_length(name or "")
        security = _read(descriptor)
        station = self._desktop_station_named(name or _LOGON_STATION)
        if station is not None:
            if flags & WindowStationCreation.CREATE_ONLY:
                raise Refusal(ErrorCode.ALREADY_EXISTS)
            return self._desktop_add(station, access, inherit, self.caller, "CreateWindowStationW")
        if name and not self.caller.is_member("BA"):
            raise Refusal(ErrorCode.ACCESS_DENIED)
        station = SimulatedWindowStation(name or _LOGON_STATION, security)
        self.stations.append(station)
        return self._desktop_add(station, access, inherit, None)

    @windows_call("CloseWindowStation")
    def close_window_station(self, station: int) -> None:
        """``CloseWindowStation``."""
        self._desktop_station(station)
        if station == self._desktop_process:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        self._desktop_forget(station)

    @windows_call("GetProcessWindowStation")
    def get_process_window_station(self) -> int:
        """``GetProcessWindowStation``: a handle that is not to be closed."""
        return self._desktop_process

    @windows_call("SetProcessWindowStation")
    def set_process_window_station(self, station: int) -> None:
        """``SetProcessWindowStation``; threads stay on their desktops."""
        self._desktop_station(station)
        self._desktop_process = station

    @windows_call("EnumDesktopsW")
    def enum_desktops(self, station: int) -> list[str]:
        """``EnumDesktopsW``; 0 means the process's window station."""
        right = int(WindowStationAccess.ENUM_DESKTOPS)
        place = self._desktop_station(station or self._desktop_process, right)
        return [desktop.name for desktop in place.desktops if may_list(desktop, self.caller)]

    # ------------------------------------------------------------------- desktops

    @windows_call("OpenDesktopW")
    def open_desktop(self, name: str | None, flags: int, inherit: bool, access: int) -> int:
        """``OpenDesktopW``: in the process's window station."""
        found = self._desktop_station(self._desktop_process).find(_desktop_name(name))
        if found is None:
            raise Refusal(ErrorCode.FILE_NOT_FOUND)
        return self._desktop_add(found, access, inherit, self.caller, "OpenDesktopW")

    @windows_call("OpenInputDesktop")
    def open_input_desktop(self, flags: int, inherit: bool, access: int) -> int:
        """``OpenInputDesktop``; not from an invisible window station."""
        found = self._desktop_station(self._desktop_process).input
        if found is None:
            raise Refusal(ErrorCode.INVALID_FUNCTION)
        return self._desktop_add(found, access, inherit, self.caller, "OpenInputDesktop")

    @windows_call("CreateDesktopW")
    def create_desktop(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        """``CreateDesktopW``: in the process's window station."""
        text, security = _desktop_name(name), _read(descriptor)
        _check_length(text)
        right = int(WindowStationAccess.CREATE_DESKTOP)
        station = self._desktop_station(self._desktop_process, right)
        found = station.find(text)
        if found is not None:
            return self._desktop_add(found, access, inherit, self.caller, "CreateDesktopW")
        made = SimulatedDesktop(
            text,
            station,
            security,
            heap_size=20480 if station.visible else 768,
            user=station.user,
            flags=DesktopFlags(flags) & DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK,
        )
        station.desktops.append(made)
        return self._desktop_add(made, access, inherit, None)

    @windows_call("CloseDesktop")
    def close_desktop(self, desktop: int) -> None:
        """``CloseDesktop``; not while a thread is on it."""
        self._desktop_at(desktop)
        threads = list(self._desktop_threads)
        if desktop == self._desktop_first or desktop in map(self._desktop_of, threads):
            raise Refusal(ErrorCode.BUSY)
        self._desktop_forget(desktop)

    @windows_call("GetCurrentThreadId")
    def get_current_thread_id(self) -> int:
        """``GetCurrentThreadId``: that of the thread that really calls."""
        return threading.get_native_id()

    @windows_call("GetThreadDesktop")
    def get_thread_desktop(self, thread_id: int) -> int:
        """``GetThreadDesktop``: a handle that is not to be closed."""
        threads = {thread.native_id for thread in threading.enumerate()}
        threads |= {window.thread for _, window in self._desktop_windows.values()}
        if thread_id not in threads | {threading.get_native_id()}:
            raise Refusal(ErrorCode.INVALID_PARAMETER)
        return self._desktop_of(thread_id)

    @windows_call("SetThreadDesktop")
    def set_thread_desktop(self, desktop: int) -> None:
        """``SetThreadDesktop``: of the thread that calls, to any window station's."""
        self._desktop_at(desktop)
        thread_id = threading.get_native_id()
        if any(window.thread == thread_id for _, window in self._desktop_windows.values()):
            raise Refusal(ErrorCode.BUSY)
        thread = weakref.ref(threading.current_thread())
        self._desktop_threads[thread_id] = thread, desktop

    @windows_call("SwitchDesktop")
    def switch_desktop(self, desktop: int) -> None:
        """``SwitchDesktop``; not on an invisible window station."""
        found = self._desktop_at(desktop, int(DesktopAccess.SWITCH_DESKTOP))
        if not found.station.visible:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        found.station.input = found

    @windows_call("EnumDesktopWindows")
    def enum_desktop_windows(self, desktop: int) -> list[int]:
        """``EnumDesktopWindows``: the top-level windows; 0 means the thread's own desktop."""
        value = desktop or self._desktop_of(threading.get_native_id())
        found = self._desktop_at(value, int(DesktopAccess.READ_OBJECTS))
        return [window.handle for window in found.windows]

    @windows_call("InternalGetWindowText")
    def get_window_text(self, window: int) -> str:
        """``InternalGetWindowText``."""
        return self._desktop_text(window, "title")

    @windows_call("GetClassNameW")
    def get_class_name(self, window: int) -> str:
        """``GetClassNameW``."""
        return self._desktop_text(window, "class_name")

    def _desktop_text(self, handle: int, attribute: str) -> str:
        known = self._desktop_windows.get(handle)
        if known is None:
            raise Refusal(ErrorCode.INVALID_WINDOW_HANDLE)
        text = known[1].title if attribute == "title" else known[1].class_name
        if text is None:
            raise Refusal(ErrorCode.ACCESS_DENIED)
        return text

    # ------------------------------------------------------------------- both

    @windows_call("GetUserObjectInformationW")
    def query_user_object_flags(self, user_object: int) -> UserObjectFlagsRow:
        """``GetUserObjectInformationW(UOI_FLAGS)``."""
        handle = self._desktop_handle(user_object)
        return UserObjectFlagsRow(int(handle.inherit), 0, int(handle.target.flags))

    @windows_call("GetUserObjectInformationW")
    def query_user_object_text(self, user_object: int, index: int) -> str:
        """``GetUserObjectInformationW`` with an index that gives a text (2 and 3)."""
        target = self._desktop_handle(user_object).target
        if index == UserObjectInformation.NAME:
            return target.name
        if index != UserObjectInformation.TYPE:
            raise Refusal(ErrorCode.INVALID_PARAMETER)
        return "WindowStation" if isinstance(target, SimulatedWindowStation) else "Desktop"

    @windows_call("GetUserObjectInformationW")
    def query_user_object_number(self, user_object: int, index: int) -> int:
        """``GetUserObjectInformationW`` with an index that gives a number (5 and 6)."""
        target = self._desktop_handle(user_object).target
        if isinstance(target, SimulatedDesktop):
            if index == UserObjectInformation.HEAP_SIZE:
                return target.heap_size
            if index == UserObjectInformation.IO:
                return int(target.station.visible and target.station.input is target)
        raise Refusal(ErrorCode.INVALID_PARAMETER)

    @windows_call("GetUserObjectInformationW")
    def query_user_object_sid(self, user_object: int) -> bytes | None:
        """``GetUserObjectInformationW(UOI_USER_SID)``; None where it has no user."""
        user = self._desktop_handle(user_object).target.user
        return None if user is None else user.to_bytes()

    @windows_call("SetUserObjectInformationW")
    def set_user_object_flags(self, user_object: int, row: UserObjectFlagsRow) -> None:
        """``SetUserObjectInformationW(UOI_FLAGS)``."""
        handle = self._desktop_handle(user_object)
        if row.reserved:
            raise Refusal(ErrorCode.INVALID_PARAMETER)
        handle.inherit = bool(row.inherit)
        if isinstance(handle.target, SimulatedWindowStation):
            handle.target.flags = WindowStationFlags(row.flags) & WindowStationFlags.VISIBLE
        else:
            flags = DesktopFlags(row.flags) & DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK
            handle.target.flags = flags

    @windows_call("GetUserObjectSecurity")
    def get_user_object_security(self, user_object: int, information: int) -> bytes:
        """``GetUserObjectSecurity``: a self-relative security descriptor."""
        parts = SecurityInformation(information)
        target = self._desktop_handle(user_object, int(rights_to_read(parts))).target
        return target.security.select(parts).to_bytes()

    @windows_call("SetUserObjectSecurity")
    def set_user_object_security(
        self, user_object: int, information: int, descriptor: bytes
    ) -> None:
        """``SetUserObjectSecurity``, with a self-relative security descriptor."""
        parts = SecurityInformation(information)
        target = self._desktop_handle(user_object, int(rights_to_write(parts))).target
        target.security = with_parts(target.security, _read(descriptor), parts)


def _desktop_name(name: str | None) -> str:
    if not name:
        raise Refusal(ErrorCode.INVALID_HANDLE)
    if "\\" in name:
        raise Refusal(ErrorCode.BAD_PATHNAME)
    return name


def _check_length(name: str) -> None:
    """Refuse a name that nothing new can have."""
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 >= _TOO_LONG:
        raise Refusal(ErrorCode.FILENAME_EXCED_RANGE)


def _read(descriptor: bytes | None) -> SecurityDescriptor:
    if descriptor is None:
        return DEFAULT_SECURITY
    try:
        return SecurityDescriptor.from_bytes(descriptor)
    except InvalidSecurityError:
        raise Refusal(ErrorCode.INVALID_SECURITY_DESCR) from None


if TYPE_CHECKING:

    def _is_a_backend(sim: SimulatedDesktops) -> DesktopBackend:
        return sim  # checked by mypy: every method is there, with its types
