"""The functions about window stations and desktops."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, SupportsIndex, overload

from winsvc._values.rows import UserObjectFlagsRow
from winsvc.win32service import conversions as c
from winsvc.win32service.calls import call
from winsvc.win32service.constants import UOI_FLAGS
from winsvc.win32service.descriptors import PySID, attributes_of, sid_of
from winsvc.win32service.errors import signed
from winsvc.win32service.handles import OnUserObject, PyHDESK, PyHWINSTA
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
    """The names of the window stations of this session.

    Raises:
        error: the system refused.

    Windows call: ``EnumWindowStationsW``.
    """
    with call("EnumWindowStations") as backend:
        return backend.enum_window_stations()


def OpenWindowStation(
    szWinSta: str, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHWINSTA:
    """Open a window station.

    Args:
        szWinSta: its name.
        Inherit: whether processes that are started inherit the handle.
        DesiredAccess: the ``WINSTA_*`` rights that the handle is to have.

    Raises:
        error: 2: there is none of this name. 5: refused.

    Right: those asked for. Windows call: ``OpenWindowStationW``.
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
    """Make a window station, or open the one that has the name.

    Args:
        WindowStation: its name; None and "" for one that is made of the logon id.
        Flags: ``CWF_CREATE_ONLY`` to refuse one that exists.
        DesiredAccess: the ``WINSTA_*`` rights that the handle is to have.
        SecurityAttributes: pywin32's ``PySECURITY_ATTRIBUTES``; None for the default.

    Raises:
        error: 183: it exists. 3: no window station can have this name. 5: refused.

    Windows call: ``CreateWindowStationW``.
    """
    name, flags, access = c.text_or_null(WindowStation), c.dword(Flags), c.dword(DesiredAccess)
    inherit, descriptor = attributes_of(SecurityAttributes)
    with call("CreateWindowStation") as backend:
        handle = backend.create_window_station(name, flags, access, inherit, descriptor)
        return PyHWINSTA._of(backend, handle)


def GetProcessWindowStation() -> PyHWINSTA:
    """The window station that the process is in. Its handle is not ours, and is never closed.

    Raises:
        error: the system refused.

    Windows call: ``GetProcessWindowStation``.
    """
    with call("GetProcessWindowStation") as backend:
        return PyHWINSTA._of(backend, backend.get_process_window_station(), owned=False)


# ----------------------------------------------------------------------------------- desktops


def GetThreadDesktop(ThreadId: SupportsIndex) -> PyHDESK:
    """The desktop that a thread is on. Its handle is not ours, and is never closed.

    Args:
        ThreadId: the thread.

    Raises:
        error: 87: there is no such thread.

    Windows call: ``GetThreadDesktop``.
    """
    thread = c.dword(ThreadId)
    with call("GetThreadDesktop") as backend:
        return PyHDESK._of(backend, backend.get_thread_desktop(thread), owned=False)


def OpenInputDesktop(
    Flags: SupportsIndex, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHDESK:
    """Open the desktop that the user sees.

    Args:
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        Inherit: whether processes that are started inherit the handle.
        DesiredAccess: the ``DESKTOP_*`` rights that the handle is to have.

    Raises:
        error: 5: refused. 1: the process is not in the user's window station.

    Right: those asked for. Windows call: ``OpenInputDesktop``.
    """
    flags, inherit, access = c.dword(Flags), bool(c.dword(Inherit)), c.dword(DesiredAccess)
    with call("OpenInputDesktop") as backend:
        return PyHDESK._of(backend, backend.open_input_desktop(flags, inherit, access))


def OpenDesktop(
    szDesktop: str, Flags: SupportsIndex, Inherit: SupportsIndex, DesiredAccess: SupportsIndex
) -> PyHDESK:
    """Open a desktop of the process's window station.

    Args:
        szDesktop: its name.
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        Inherit: whether processes that are started inherit the handle.
        DesiredAccess: the ``DESKTOP_*`` rights that the handle is to have.

    Raises:
        error: 2: there is none of this name. 5: refused.

    Right: those asked for. Windows call: ``OpenDesktopW``.
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
    """Make a desktop in the process's window station, or open the one that has the name.

    Args:
        Desktop: its name.
        Flags: ``DF_ALLOWOTHERACCOUNTHOOK`` or 0.
        DesiredAccess: the ``DESKTOP_*`` rights that the handle is to have.
        SecurityAttributes: pywin32's ``PySECURITY_ATTRIBUTES``; None for the default.

    Raises:
        error: 5: refused. 8: there is no room for one more.

    Right: ``WINSTA_CREATEDESKTOP``. Windows call: ``CreateDesktopW``.
    """
    name, flags, access = c.text(Desktop), c.dword(Flags), c.dword(DesiredAccess)
    inherit, descriptor = attributes_of(SecurityAttributes)
    with call("CreateDesktop") as backend:
        handle = backend.create_desktop(name, flags, access, inherit, descriptor)
        return PyHDESK._of(backend, handle)


# ----------------------------------------------------------------------------------- both


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
    """What the system knows of a window station or desktop.

    Args:
        Handle: the window station or desktop.
        type: what to ask: ``UOI_FLAGS``, ``UOI_NAME``, ``UOI_TYPE``, ``UOI_USER_SID``,
            ``UOI_HEAPSIZE`` or ``UOI_IO``.

    Returns:
        A dict with ``Inherit``, ``Reserved`` and ``Flags``; a text; pywin32's ``PySID`` (without
        pywin32 a :class:`winsvc.Sid`), None for nobody; a number.

    Raises:
        error: 87: there is no such information. 6: there is no such handle.

    Windows call: ``GetUserObjectInformationW``.
    """
    index = c.dword(type)
    with OnUserObject("GetUserObjectInformation", Handle) as (backend, user_object):
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
    """Change the flags of a window station or desktop, or whether its handle is inherited.

    Args:
        Handle: the window station or desktop.
        info: a dict with ``Inherit``, ``Reserved`` (0) and ``Flags``.
        type: ``UOI_FLAGS``.

    Raises:
        TypeError: it is another type, or no such dict.
        error: the system refused.

    Windows call: ``SetUserObjectInformationW``.
    """
    if c.dword(type) != UOI_FLAGS:
        raise TypeError("Only UOI_FLAGS currently supported")
    values = c.fields(info, ("Inherit", "Reserved", "Flags"), _FLAGS_REFUSAL)
    try:
        row = UserObjectFlagsRow(*map(c.dword, values))
    except (TypeError, OverflowError):
        raise TypeError(_FLAGS_REFUSAL) from None
    with OnUserObject("SetUserObjectInformation", Handle) as (backend, user_object):
        backend.set_user_object_flags(user_object, row)
