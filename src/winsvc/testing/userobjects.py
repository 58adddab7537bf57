"""Simulated window stations, desktops and windows, and who may open them."""

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
from winsvc.testing.refusal import Refusal

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
"""Where the services of LocalSystem are: named for its logon session."""

# What Windows gives to something new: all rights to the system, administrators and the user.
DEFAULT_SECURITY: Final = SecurityDescriptor.from_sddl(
    "O:BAG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;IU)"
)
_SYSTEM_SECURITY: Final = SecurityDescriptor.from_sddl("O:SYG:SYD:(A;;GA;;;SY)(A;;GA;;;BA)")
# Where users log on. Administrators see that it is there.
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
        handle: its ``HWND``.
        title: the text of its title bar; None for one that can't be read.
        class_name: the name of its class; None for one that can't be read.
        thread: the id of the thread that owns it; None for one of another process.
    """

    handle: int
    title: str | None
    class_name: str | None
    thread: int | None


@dataclass(slots=True, eq=False)
class SimulatedDesktop:
    """A desktop of a simulated window station.

    Attributes:
        name: its name.
        station: the window station that it belongs to.
        windows: its top-level windows, the uppermost first.
        security: who may do what with it.
        permanent: whether another process keeps it; it stays when nobody here has it open.
        heap_size: the size of its heap, in KiB.
        user: the SID of its user; None for nobody.
        flags: whether other accounts may set hooks.
        handles: how many handles to it are open.
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
        """Whether it can be found by its name."""
        return self.permanent or self.handles > 0


@dataclass(slots=True, eq=False)
class SimulatedWindowStation:
    """A simulated window station.

    Attributes:
        name: its name.
        desktops: its desktops, in the order in which they were made.
        flags: whether its user sees it.
        input: the desktop that receives input, if it is visible.
        security: who may do what with it.
        permanent: whether another process keeps it; it stays when nobody here has it open.
        user: the SID of its user; None for nobody.
        handles: how many handles to it are open.
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
        """Whether it can be found by its name."""
        return self.permanent or self.handles > 0

    @property
    def visible(self) -> bool:
        """Whether its user sees it."""
        return bool(self.flags & WindowStationFlags.VISIBLE)

    def find(self, name: str) -> SimulatedDesktop | None:
        """The desktop of that name, if there is one."""
        found = (one for one in self.desktops if one.exists and same_name(one.name, name))
        return next(found, None)


UserObject: TypeAlias = SimulatedWindowStation | SimulatedDesktop


def interactive_station() -> SimulatedWindowStation:
    """The one that the user sees."""
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
    """The one of LocalSystem's services."""
    station = SimulatedWindowStation(SERVICE_STATION, _SYSTEM_SECURITY, permanent=True)
    station.desktops = [SimulatedDesktop("Default", station, _SYSTEM_SECURITY, permanent=True)]
    return station


def may_list(one: UserObject, caller: CallerIdentity) -> bool:
    """Return whether an enumeration shows the object to the caller."""
    try:
        granted(one.security, caller, int(one.list_right), one.mapping)
    except Refusal:
        return False
    return True
