"""The simulated calls for window stations and desktops."""

from __future__ import annotations

import threading
from typing import Final

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
from winsvc.errors import ValidationError
from winsvc.security import SecurityDescriptor
from winsvc.security.parts import rights_to_read, rights_to_write
from winsvc.testing.calls import Simulation, windows_call
from winsvc.testing.configuring import read_descriptor, with_parts
from winsvc.testing.desktops import DesktopSimulation
from winsvc.testing.refusal import RefusalError
from winsvc.testing.userobjects import (
    DEFAULT_SECURITY,
    INTERACTIVE_STATION,
    SERVICE_STATION,
    SimulatedDesktop,
    SimulatedWindow,
    SimulatedWindowStation,
    may_list,
)

__all__ = ["DesktopCalls"]

_LOGON_STATION: Final = "Service-0x0-1ba4f$"  # of the logon session that the program runs in
_TOO_LONG: Final = 260  # MAX_PATH, with the NUL


class DesktopCalls(Simulation):
    r"""The calls of :class:`winsvc.backend.DesktopBackend`.

    The program under test starts on ``WinSta0\Default``, like the programs of a user.

    Attributes:
        desktops: the state of the window stations and desktops.
    """

    desktops: DesktopSimulation

    @property
    def stations(self) -> list[SimulatedWindowStation]:
        """The existing window stations."""
        return self.desktops.stations

    @property
    def open_desktop_handles(self) -> int:
        """The number of open handles of window stations and desktops, without the first two."""
        return self.desktops.open_handles

    def begin_on(self, station: str = SERVICE_STATION, desktop: str = "Default") -> None:
        """Start the program on another desktop, by default that of a service of LocalSystem.

        Raises:
            ValidationError: the window station or the desktop does not exist.
        """
        self.desktops.begin_on(station, desktop)

    def add_window(
        self,
        desktop: str = "Default",
        title: str | None = "",
        class_name: str | None = "Window",
        *,
        thread: int | None = None,
        station: str = INTERACTIVE_STATION,
    ) -> SimulatedWindow:
        """Add a top-level window to a desktop.

        Args:
            desktop: the desktop's name.
            title: the text of the title bar; None if it cannot be read.
            class_name: the name of the window class; None if it cannot be read.
            thread: the id of the thread that owns the window and therefore cannot change its
                desktop; None for a thread of another process.
            station: the name of the desktop's window station.

        Raises:
            ValidationError: the desktop does not exist.
        """
        place = self.desktops.desktop_named(station, desktop)
        window = SimulatedWindow(self.handles.number(), title, class_name, thread)
        place.windows.append(window)
        self.desktops.windows[window.handle] = place, window
        return window

    def destroy_window(self, window: SimulatedWindow) -> None:
        """Destroy a window.

        Raises:
            ValidationError: the window was already destroyed.
        """
        if window.handle not in self.desktops.windows:
            raise ValidationError("window", "already destroyed")
        desktop, _ = self.desktops.windows.pop(window.handle)
        desktop.windows.remove(window)

    # ------------------------------------------------------------------- window stations

    @windows_call("EnumWindowStationsW")
    def enum_window_stations(self) -> list[str]:
        return [station.name for station in self.stations if may_list(station, self.caller)]

    @windows_call("OpenWindowStationW")
    def open_window_station(self, name: str | None, inherit: bool, access: int) -> int:
        if "\\" in (name or ""):
            raise RefusalError(ErrorCode.PATH_NOT_FOUND)
        station = self.desktops.station_named(name or _LOGON_STATION)
        if station is None:
            raise RefusalError(ErrorCode.FILE_NOT_FOUND)
        return self.desktops.open(station, access, inherit)

    @windows_call("CreateWindowStationW")
    def create_window_station(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        if "\\" in (name or ""):
            raise RefusalError(ErrorCode.PATH_NOT_FOUND)
        _check_length(name or "")
        security = _security(descriptor)
        station = self.desktops.station_named(name or _LOGON_STATION)
        if station is not None:
            if flags & WindowStationCreation.CREATE_ONLY:
                raise RefusalError(ErrorCode.ALREADY_EXISTS)
            return self.desktops.open(station, access, inherit)
        if name and not self.caller.is_member("BA"):
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        station = SimulatedWindowStation(name or _LOGON_STATION, security)
        self.stations.append(station)
        return self.desktops.create(station, access, inherit)

    @windows_call("CloseWindowStation")
    def close_window_station(self, station: int) -> None:
        self.desktops.station(station)
        if station == self.desktops.process:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        self.desktops.close(station)

    @windows_call("GetProcessWindowStation")
    def get_process_window_station(self) -> int:
        return self.desktops.process

    @windows_call("SetProcessWindowStation")
    def set_process_window_station(self, station: int) -> None:
        self.desktops.station(station)
        self.desktops.process = station

    @windows_call("EnumDesktopsW")
    def enum_desktops(self, station: int) -> list[str]:
        right = int(WindowStationAccess.ENUM_DESKTOPS)
        place = self.desktops.station(station or self.desktops.process, right)
        return [desktop.name for desktop in place.desktops if may_list(desktop, self.caller)]

    # ------------------------------------------------------------------- desktops

    @windows_call("OpenDesktopW")
    def open_desktop(self, name: str | None, flags: int, inherit: bool, access: int) -> int:
        found = self.desktops.station(self.desktops.process).find(_desktop_name(name))
        if found is None:
            raise RefusalError(ErrorCode.FILE_NOT_FOUND)
        return self.desktops.open(found, access, inherit)

    @windows_call("OpenInputDesktop")
    def open_input_desktop(self, flags: int, inherit: bool, access: int) -> int:
        found = self.desktops.station(self.desktops.process).input
        if found is None:
            raise RefusalError(ErrorCode.INVALID_FUNCTION)
        return self.desktops.open(found, access, inherit)

    @windows_call("CreateDesktopW")
    def create_desktop(
        self, name: str | None, flags: int, access: int, inherit: bool, descriptor: bytes | None
    ) -> int:
        text, security = _desktop_name(name), _security(descriptor)
        _check_length(text)
        right = int(WindowStationAccess.CREATE_DESKTOP)
        station = self.desktops.station(self.desktops.process, right)
        found = station.find(text)
        if found is not None:
            return self.desktops.open(found, access, inherit)
        desktop = SimulatedDesktop(
            text,
            station,
            security,
            heap_size=20480 if station.visible else 768,
            user=station.user,
            flags=DesktopFlags(flags) & DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK,
        )
        station.desktops.append(desktop)
        return self.desktops.create(desktop, access, inherit)

    @windows_call("CloseDesktop")
    def close_desktop(self, desktop: int) -> None:
        self.desktops.desktop(desktop)
        if self.desktops.is_in_use(desktop):
            raise RefusalError(ErrorCode.BUSY)
        self.desktops.close(desktop)

    @windows_call("GetCurrentThreadId")
    def get_current_thread_id(self) -> int:
        return threading.get_native_id()

    @windows_call("GetThreadDesktop")
    def get_thread_desktop(self, thread_id: int) -> int:
        threads = {thread.native_id for thread in threading.enumerate()}
        threads |= {window.thread for _, window in self.desktops.windows.values()}
        if thread_id not in threads | {threading.get_native_id()}:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        return self.desktops.of_thread(thread_id)

    @windows_call("SetThreadDesktop")
    def set_thread_desktop(self, desktop: int) -> None:
        self.desktops.desktop(desktop)
        thread_id = threading.get_native_id()
        if any(window.thread == thread_id for _, window in self.desktops.windows.values()):
            raise RefusalError(ErrorCode.BUSY)
        self.desktops.set_for_thread(desktop)

    @windows_call("SwitchDesktop")
    def switch_desktop(self, desktop: int) -> None:
        found = self.desktops.desktop(desktop, int(DesktopAccess.SWITCH_DESKTOP))
        if not found.station.visible:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        found.station.input = found

    @windows_call("EnumDesktopWindows")
    def enum_desktop_windows(self, desktop: int) -> list[int]:
        value = desktop or self.desktops.of_thread(threading.get_native_id())
        found = self.desktops.desktop(value, int(DesktopAccess.READ_OBJECTS))
        return [window.handle for window in found.windows]

    @windows_call("InternalGetWindowText")
    def get_window_text(self, window: int) -> str:
        return self._text(window, "title")

    @windows_call("GetClassNameW")
    def get_class_name(self, window: int) -> str:
        return self._text(window, "class_name")

    def _text(self, handle: int, attribute: str) -> str:
        known = self.desktops.windows.get(handle)
        if known is None:
            raise RefusalError(ErrorCode.INVALID_WINDOW_HANDLE)
        text = known[1].title if attribute == "title" else known[1].class_name
        if text is None:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return text

    # ------------------------------------------------------------------- both

    @windows_call("GetUserObjectInformationW")
    def query_user_object_flags(self, user_object: int) -> UserObjectFlagsRow:
        handle = self.desktops.handle(user_object)
        return UserObjectFlagsRow(int(handle.inherit), 0, int(handle.target.flags))

    @windows_call("GetUserObjectInformationW")
    def query_user_object_text(self, user_object: int, index: int) -> str:
        target = self.desktops.handle(user_object).target
        if index == UserObjectInformation.NAME:
            return target.name
        if index != UserObjectInformation.TYPE:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        return "WindowStation" if isinstance(target, SimulatedWindowStation) else "Desktop"

    @windows_call("GetUserObjectInformationW")
    def query_user_object_number(self, user_object: int, index: int) -> int:
        target = self.desktops.handle(user_object).target
        if isinstance(target, SimulatedDesktop):
            if index == UserObjectInformation.HEAP_SIZE:
                return target.heap_size
            if index == UserObjectInformation.IO:
                return int(target.station.visible and target.station.input is target)
        raise RefusalError(ErrorCode.INVALID_PARAMETER)

    @windows_call("GetUserObjectInformationW")
    def query_user_object_sid(self, user_object: int) -> bytes | None:
        user = self.desktops.handle(user_object).target.user
        return None if user is None else user.to_bytes()

    @windows_call("SetUserObjectInformationW")
    def set_user_object_flags(self, user_object: int, row: UserObjectFlagsRow) -> None:
        handle = self.desktops.handle(user_object)
        if row.reserved:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        handle.inherit = bool(row.inherit)
        if isinstance(handle.target, SimulatedWindowStation):
            handle.target.flags = WindowStationFlags(row.flags) & WindowStationFlags.VISIBLE
        else:
            flags = DesktopFlags(row.flags) & DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK
            handle.target.flags = flags

    @windows_call("GetUserObjectSecurity")
    def get_user_object_security(self, user_object: int, information: int) -> bytes:
        parts = SecurityInformation(information)
        target = self.desktops.handle(user_object, int(rights_to_read(parts))).target
        return target.security.select(parts).to_bytes()

    @windows_call("SetUserObjectSecurity")
    def set_user_object_security(
        self, user_object: int, information: int, descriptor: bytes
    ) -> None:
        parts = SecurityInformation(information)
        target = self.desktops.handle(user_object, int(rights_to_write(parts))).target
        target.security = with_parts(target.security, read_descriptor(descriptor), parts)


def _desktop_name(name: str | None) -> str:
    if not name:
        raise RefusalError(ErrorCode.INVALID_HANDLE)
    if "\\" in name:
        raise RefusalError(ErrorCode.BAD_PATHNAME)
    return name


def _check_length(name: str) -> None:
    """Refuse a name that is too long for a new object."""
    if len(name.encode("utf-16-le", "surrogatepass")) // 2 >= _TOO_LONG:
        raise RefusalError(ErrorCode.FILENAME_EXCED_RANGE)


def _security(descriptor: bytes | None) -> SecurityDescriptor:
    return DEFAULT_SECURITY if descriptor is None else read_descriptor(descriptor)
