"""Simulated window stations, desktops and windows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Final, TypeAlias

from winsvc._util.text import same_name
from winsvc.enums import (
    DesktopAccess,
    DesktopFlags,
    OpenFlag,
    WindowStationAccess,
    WindowStationFlags,
)
from winsvc.security import SecurityDescriptor, Sid
from winsvc.security.accesscheck import DESKTOP, WINDOW_STATION, GenericMapping
from winsvc.testing.access import CallerIdentity, granted
from winsvc.testing.refusal import RefusalError

__all__ = [
    "DEFAULT_SECURITY",
    "SERVICE_STATION",
    "SimulatedDesktop",
    "SimulatedWindow",
    "SimulatedWindowStation",
    "UserObject",
    "interactive_station",
    "may_list",
    "service_station",
]

INTERACTIVE_STATION: Final = "WinSta0"
SERVICE_STATION: Final = "Service-0x0-3e7$"
"""The window station of services of LocalSystem; its name contains the id of the logon session."""

# The default of Windows: all rights for the system, administrators and the user.
DEFAULT_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:BAG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;IU)"
)
_SYSTEM_SECURITY: Final = SecurityDescriptor.from_sddl("O:SYG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)")
# For the logon desktop, which administrators can list.
_SECURE_SECURITY: Final = SecurityDescriptor.from_sddl(
    f"O:SYG:SYD:(A;;GA;;;SY)(A;;{DesktopAccess.ENUMERATE | DesktopAccess.READ_CONTROL:#x};;;BA)"
)
_INVISIBLE: Final = WindowStationFlags(0)
_NO_DESKTOP_FLAGS: Final = DesktopFlags(0)
_LOGON_SID: Final = Sid.parse("S-1-5-5-0-113231")


@dataclass(slots=True, eq=False)
class SimulatedWindow:
    """A top-level window.

    Attributes:
        handle: the ``HWND``.
        title: the text of the title bar; None if it cannot be read.
        class_name: the name of the window class; None if it cannot be read.
        thread: the id of the thread that owns the window; None for one of another process.
    """

    handle: int
    title: str | None
    class_name: str | None
    thread: int | None


@dataclass(slots=True, eq=False)
class SimulatedDesktop:
    """A desktop of a simulated window station.

    Attributes:
        name: the name.
        station: the window station of the desktop.
        windows: the top-level windows, the uppermost first.
        security: the security descriptor.
        permanent: whether another process has the desktop open, so that it is never deleted.
        heap_size: the size of the desktop heap, in KiB.
        user: the SID of the user; None if there is none.
        flags: whether processes of other accounts can set hooks.
        handles: the number of open handles.
    """

    mapping: ClassVar[GenericMapping] = DESKTOP
    list_right: ClassVar[OpenFlag] = DesktopAccess.ENUMERATE

    name: str
    station: SimulatedWindowStation
    security: SecurityDescriptor = DEFAULT_SECURITY
    permanent: bool = False
    heap_size: int = 768
    user: Sid | None = None
    flags: DesktopFlags = _NO_DESKTOP_FLAGS
    windows: list[SimulatedWindow] = field(default_factory=list)
    handles: int = 0

    @property
    def exists(self) -> bool:
        """True for a permanent object and for an object with an open handle."""
        return self.permanent or self.handles > 0


@dataclass(slots=True, eq=False)
class SimulatedWindowStation:
    """A simulated window station.

    Attributes:
        name: the name.
        desktops: the desktops, in the order of their creation.
        flags: whether the window station is visible.
        input: the desktop that receives input; None if the window station is invisible.
        security: the security descriptor.
        permanent: whether another process has it open, so that it is never deleted.
        user: the SID of the user; None if there is none.
        handles: the number of open handles.
    """

    mapping: ClassVar[GenericMapping] = WINDOW_STATION
    list_right: ClassVar[OpenFlag] = WindowStationAccess.ENUMERATE

    name: str
    security: SecurityDescriptor = DEFAULT_SECURITY
    permanent: bool = False
    user: Sid | None = None
    flags: WindowStationFlags = _INVISIBLE
    desktops: list[SimulatedDesktop] = field(default_factory=list)
    input: SimulatedDesktop | None = None
    handles: int = 0

    @property
    def exists(self) -> bool:
        """True for a permanent object and for an object with an open handle."""
        return self.permanent or self.handles > 0

    @property
    def visible(self) -> bool:
        """True if the window station is visible to the user."""
        return bool(self.flags & WindowStationFlags.VISIBLE)

    def find(self, name: str) -> SimulatedDesktop | None:
        """Return the desktop with this name; None if it does not exist."""
        found = (
            desktop for desktop in self.desktops if desktop.exists and same_name(desktop.name, name)
        )
        return next(found, None)


UserObject: TypeAlias = SimulatedWindowStation | SimulatedDesktop


def interactive_station() -> SimulatedWindowStation:
    """Return the window station of the interactive user."""
    station = SimulatedWindowStation(
        INTERACTIVE_STATION,
        permanent=True,
        user=_LOGON_SID,
        flags=WindowStationFlags.VISIBLE,
    )
    default = SimulatedDesktop("Default", station, permanent=True, heap_size=20480, user=_LOGON_SID)
    secure = SimulatedDesktop("Winlogon", station, _SECURE_SECURITY, permanent=True, heap_size=192)
    disconnected = SimulatedDesktop(
        "Disconnect", station, _SECURE_SECURITY, permanent=True, heap_size=96
    )
    station.desktops = [default, disconnected, secure]
    station.input = default
    return station


def service_station() -> SimulatedWindowStation:
    """Return the window station of services of LocalSystem."""
    station = SimulatedWindowStation(SERVICE_STATION, _SYSTEM_SECURITY, permanent=True)
    station.desktops = [SimulatedDesktop("Default", station, _SYSTEM_SECURITY, permanent=True)]
    return station


def may_list(listed: UserObject, caller: CallerIdentity) -> bool:
    """Return whether an enumeration shows the object to the caller."""
    try:
        granted(listed.security, caller, int(listed.list_right), listed.mapping)
    except RefusalError:
        return False
    return True
