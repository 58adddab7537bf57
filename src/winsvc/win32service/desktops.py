"""The functions of window stations and desktops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, SupportsIndex, overload

from winsvc._values.rows import UserObjectFlagsRow
from winsvc.win32service import conversions as c
from winsvc.win32service.calls import call
from winsvc.win32service.constants import UOI_FLAGS
from winsvc.win32service.descriptors import PySID, attributes_of, sid_of
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import PyHDESK, PyHWINSTA, UserObjectCall
from winsvc.win32service.shapes import (
    USEROBJECTFLAGS,
    HandleArgument,
    SecurityAttributesLike,
    UserObjectFlagsToSet,
)

if TYPE_CHECKING:
    from winsvc.security import Sid

# ----------------------------------------------------------------------------------- stations


def EnumWindowStations() -> list[str]:
    """List the names of the window stations of this session.

    Raises:
        error: The system refused the call.

    Windows call: ``EnumWindowStationsW``.
    """
    with call("EnumWindowStations") as backend:
        return backend.enum_window_stations()


def OpenWindowStation(
    szWinSta: str, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHWINSTA:
    """Open a window station.

    Args:
        szWinSta: The name.
        Inherit: True if child processes inherit the handle.
        DesiredAccess: The ``WINSTA_*`` rights of the handle.

    Raises:
        error: 2: The window station does not exist. 5: Access is denied.

    Right: The rights in *DesiredAccess*. Windows call: ``OpenWindowStationW``.
    """
    name, inherit, access = c.text(szWinSta), bool(c.dword(Inherit)), c.dword(DesiredAccess)
    with call("OpenWindowStation") as backend:
        return PyHWINSTA._of(backend, backend.open_window_station(name, inherit, access))


def CreateWindowStation(
    WindowStation: str | None,
    Flags: SupportsIndex,
    DesiredAccess: SupportsIndex,
    SecurityAttributes: SecurityAttributesLike | None,
) -> PyHWINSTA:
    """Create a window station, or open it if it exists.

    Args:
        WindowStation: The name; None or "" for a name derived from the logon id.
        Flags: ``CWF_CREATE_ONLY`` to refuse an existing window station.
        DesiredAccess: The ``WINSTA_*`` rights of the handle.
        SecurityAttributes: pywin32's ``PySECURITY_ATTRIBUTES``; None for the default.

    Raises:
        error: 183: The window station exists. 3: The name is invalid. 5: Access is denied.

    Windows call: ``CreateWindowStationW``.
    """
    name, flags, access = c.text_or_null(WindowStation), c.dword(Flags), c.dword(DesiredAccess)
    inherit, descriptor = attributes_of(SecurityAttributes)
    with call("CreateWindowStation") as backend:
        handle = backend.create_window_station(name, flags, access, inherit, descriptor)
        return PyHWINSTA._of(backend, handle)


def GetProcessWindowStation() -> PyHWINSTA:
    """Return the window station of the process. The handle is borrowed and never closed.

    Raises:
        error: The system refused the call.

    Windows call: ``GetProcessWindowStation``.
    """
    with call("GetProcessWindowStation") as backend:
        return PyHWINSTA._of(backend, backend.get_process_window_station(), owned=False)


# ----------------------------------------------------------------------------------- desktops


def GetThreadDesktop(ThreadId: SupportsIndex) -> PyHDESK:
    """Return the desktop of a thread. The handle is borrowed and never closed.

    Args:
        ThreadId: The id of the thread.

    Raises:
        error: 87: The thread does not exist.

    Windows call: ``GetThreadDesktop``.
    """
    thread = c.dword(ThreadId)
    with call("GetThreadDesktop") as backend:
        return PyHDESK._of(backend, backend.get_thread_desktop(thread), owned=False)


def OpenInputDesktop(
    Flags: SupportsIndex, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHDESK:
    """Open the desktop that receives user input.

    Args:
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        Inherit: True if child processes inherit the handle.
        DesiredAccess: The ``DESKTOP_*`` rights of the handle.

    Raises:
        error: 5: Access is denied. 1: The process is not in the interactive window station.

    Right: The rights in *DesiredAccess*. Windows call: ``OpenInputDesktop``.
    """
    flags, inherit, access = c.dword(Flags), bool(c.dword(Inherit)), c.dword(DesiredAccess)
    with call("OpenInputDesktop") as backend:
        return PyHDESK._of(backend, backend.open_input_desktop(flags, inherit, access))


def OpenDesktop(
    szDesktop: str, Flags: SupportsIndex, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHDESK:
    """Open a desktop of the process's window station.

    Args:
        szDesktop: The name.
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        Inherit: True if child processes inherit the handle.
        DesiredAccess: The ``DESKTOP_*`` rights of the handle.

    Raises:
        error: 2: The desktop does not exist. 5: Access is denied.

    Right: The rights in *DesiredAccess*. Windows call: ``OpenDesktopW``.
    """
    name, flags = c.text(szDesktop), c.dword(Flags)
    inherit, access = bool(c.dword(Inherit)), c.dword(DesiredAccess)
    with call("OpenDesktop") as backend:
        return PyHDESK._of(backend, backend.open_desktop(name, flags, inherit, access))


def CreateDesktop(
    Desktop: str,
    Flags: SupportsIndex,
    DesiredAccess: SupportsIndex,
    SecurityAttributes: SecurityAttributesLike | None,
) -> PyHDESK:
    """Create a desktop in the process's window station, or open it if it exists.

    Args:
        Desktop: The name.
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        DesiredAccess: The ``DESKTOP_*`` rights of the handle.
        SecurityAttributes: pywin32's ``PySECURITY_ATTRIBUTES``; None for the default.

    Raises:
        error: 5: Access is denied. 8: The desktop heap is full.

    Right: ``WINSTA_CREATEDESKTOP``. Windows call: ``CreateDesktopW``.
    """
    name, flags, access = c.text(Desktop), c.dword(Flags), c.dword(DesiredAccess)
    inherit, descriptor = attributes_of(SecurityAttributes)
    with call("CreateDesktop") as backend:
        handle = backend.create_desktop(name, flags, access, inherit, descriptor)
        return PyHDESK._of(backend, handle)


# ----------------------------------------------------------------------------------- user objects


@overload
def GetUserObjectInformation(Handle: HandleArgument, type: Literal[1]) -> USEROBJECTFLAGS: ...
@overload
def GetUserObjectInformation(Handle: HandleArgument, type: Literal[2, 3]) -> str: ...
@overload
def GetUserObjectInformation(Handle: HandleArgument, type: Literal[4]) -> PySID | Sid | None: ...
@overload
def GetUserObjectInformation(Handle: HandleArgument, type: Literal[5, 6]) -> int: ...
@overload
def GetUserObjectInformation(
    Handle: HandleArgument, type: SupportsIndex
) -> USEROBJECTFLAGS | str | int | PySID | Sid | None: ...
def GetUserObjectInformation(
    Handle: HandleArgument, type: SupportsIndex
) -> USEROBJECTFLAGS | str | int | PySID | Sid | None:
    """Query one item of information about a window station or desktop.

    Args:
        Handle: The window station or desktop.
        type: The item: ``UOI_FLAGS``, ``UOI_NAME``, ``UOI_TYPE``, ``UOI_USER_SID``,
            ``UOI_HEAPSIZE`` or ``UOI_IO``.

    Returns:
        A dict with ``Inherit``, ``Reserved`` and ``Flags``; a text; pywin32's ``PySID`` (without
        pywin32 a :class:`winsvc.Sid`), None without a user; a number.

    Raises:
        error: 87: The item is unknown. 6: The handle is invalid.

    Windows call: ``GetUserObjectInformationW``.
    """
    index = c.dword(type)
    with UserObjectCall("GetUserObjectInformation", Handle) as (backend, user_object):
        if index == 1:
            row = backend.query_user_object_flags(user_object)
            return {
                "Inherit": bool(row.inherit),
                "Reserved": bool(row.reserved),
                "Flags": signed(row.flags),
            }
        if index in (2, 3):
            return backend.query_user_object_text(user_object, index)
        if index == 4:
            sid = backend.query_user_object_sid(user_object)
            return None if sid is None else sid_of(sid)
        return backend.query_user_object_number(user_object, signed(index))


_FLAGS_REFUSAL = (
    "Object must be a dictionary containing {'Inherit':bool, 'Reserved':bool, 'Flags':int}"
)


def SetUserObjectInformation(
    Handle: HandleArgument, info: UserObjectFlagsToSet, type: SupportsIndex = UOI_FLAGS
) -> None:
    """Change the flags of a window station or desktop, or the inheritance of its handle.

    Args:
        Handle: The window station or desktop.
        info: A dict with ``Inherit``, ``Reserved`` (0) and ``Flags``.
        type: ``UOI_FLAGS``.

    Raises:
        TypeError: *type* has another value, or *info* is not such a dict.
        error: The system refused the call.

    Windows call: ``SetUserObjectInformationW``.
    """
    if c.dword(type) != UOI_FLAGS:
        raise TypeError("Only UOI_FLAGS currently supported")
    values = c.fields(info, ("Inherit", "Reserved", "Flags"), _FLAGS_REFUSAL)
    try:
        row = UserObjectFlagsRow(*map(c.dword, values))
    except (TypeError, OverflowError):
        raise TypeError(_FLAGS_REFUSAL) from None
    with UserObjectCall("SetUserObjectInformation", Handle) as (backend, user_object):
        backend.set_user_object_flags(user_object, row)
