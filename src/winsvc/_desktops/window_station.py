"""Window stations: what a process is on."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from winsvc._desktops.handles import BorrowedWindowStationHandle, WindowStationHandle
from winsvc._desktops.user_object import (
    UserObject,
    check_rights,
    closing_unless_held,
    descriptor_bytes,
    error_context,
)
from winsvc._public import publish
from winsvc._util.checks import check_bool
from winsvc._util.text import check_text
from winsvc.backend import DesktopBackend, resolve_backend
from winsvc.enums import (
    ErrorCode,
    WindowStationAccess,
    WindowStationCreation,
    WindowStationFlags,
)
from winsvc.errors import ObjectInUseError, Win32Error

if TYPE_CHECKING:
    from winsvc.security import SecurityDescriptor

__all__ = ["WindowStation"]

_READING = WindowStationAccess.ENUM_DESKTOPS | WindowStationAccess.READ_ATTRIBUTES
# What is made belongs to who makes it.
_EVERYTHING = WindowStationAccess.GENERIC_ALL
_NO_FLAGS = WindowStationCreation(0)

# The window stations that as_process_station() will go back to, the innermost last.
previous_stations: list[tuple[DesktopBackend, int]] = []


class WindowStation(UserObject[WindowStationAccess, WindowStationFlags]):
    """A window station: what a process is on, with its clipboard and desktops.

    ::

        for name in WindowStation.names():
            with WindowStation.open(name) as station:
                print(name, station.desktops())
    """

    _handle_types = (WindowStationHandle, BorrowedWindowStationHandle)
    _access_type = WindowStationAccess
    _flags_type = WindowStationFlags

    @classmethod
    def current(cls, *, backend: DesktopBackend | None = None) -> Self:
        """The window station that the process is on; borrowed.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows call: ``GetProcessWindowStation``.
        """
        backend = resolve_backend(backend)
        value = backend.get_process_window_station()
        what = "the process's own window station"
        return cls(BorrowedWindowStationHandle(value, what), backend)

    @classmethod
    def open(
        cls,
        name: str,
        access: WindowStationAccess = _READING,
        inherit: bool = False,
        *,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open a window station of this session.

        Args:
            name: its name; upper and lower case are alike. "" is the logon session's own.
            access: what the handle is to allow; the default is to read.
            inherit: whether the processes that this one starts inherit the handle.
            backend: what carries out the calls; None is the system's own.

        Raises:
            NotFoundError: there is none of that name.
            InvalidNameError: the name has a backslash.
            AccessDeniedError: one of the rights is not granted.

        Right: those of ``access``. Windows call: ``OpenWindowStationW``.
        """
        check_text(name, "name")
        rights = check_rights(access, WindowStationAccess, "access")
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights):
            value = backend.open_window_station(name, inherit, int(rights))
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    @classmethod
    def create(
        cls,
        name: str | None = None,
        flags: WindowStationCreation = _NO_FLAGS,
        access: WindowStationAccess = _EVERYTHING,
        security: SecurityDescriptor | str | bytes | None = None,
        *,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Make a window station, or open the one of that name.

        It has no desktops at first, is invisible, and goes with its last handle.

        Args:
            name: its name; None makes one of the logon session's id (``Service-0x0-3e7$``).
            flags: ``WindowStationCreation.CREATE_ONLY`` refuses to open an existing one.
            access: what the handle is to allow; the default is everything.
            security: who may do what with it, as for :meth:`set_security`; None is the default.
            inherit: whether the processes that this one starts inherit the handle.
            backend: what carries out the calls; None is the system's own.

        Raises:
            AlreadyExistsError: there is one of that name, and ``CREATE_ONLY`` is given.
            InvalidNameError: the name has a backslash, or is too long.
            InvalidSecurityError: the security descriptor is malformed.
            AccessDeniedError: an existing one does not grant one of the rights, or the process is
                not elevated: with a name of one's own that is needed.

        Right: those of ``access``. Windows call: ``CreateWindowStationW``.
        """
        if name is not None:
            check_text(name, "name")
        creation = check_rights(flags, WindowStationCreation, "flags")
        rights = check_rights(access, WindowStationAccess, "access")
        descriptor = descriptor_bytes(security)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights):
            value = backend.create_window_station(
                name, int(creation), int(rights), inherit, descriptor
            )
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    @classmethod
    def names(cls, *, backend: DesktopBackend | None = None) -> list[str]:
        """The names of the window stations of this session.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: those are listed that grant ``WindowStationAccess.ENUMERATE``.
        Windows call: ``EnumWindowStationsW``.
        """
        return resolve_backend(backend).enum_window_stations()

    def desktops(self) -> list[str]:
        """The names of the desktops of this window station.

        Raises:
            AccessDeniedError: the handle does not have the right below.

        Right: ``WindowStationAccess.ENUM_DESKTOPS``; those are listed that grant
        ``DesktopAccess.ENUMERATE``. Windows call: ``EnumDesktopsW``.
        """
        return self._call(WindowStationAccess.ENUM_DESKTOPS, self._backend.enum_desktops)

    def set_for_process(self) -> None:
        """Put the process on this window station; its threads stay on their desktops.

        Then it can't be closed until the process is put on another. What the process may do there
        (make desktops, say) is what this handle allows.

        Raises:
            HandleClosedError: it is closed.

        Right: any. Windows call: ``SetProcessWindowStation``.
        """
        self._call(None, self._backend.set_process_window_station)

    @contextmanager
    def as_process_station(self) -> Iterator[WindowStation]:
        """Put the process on this window station for a ``with`` block, and back afterwards.

        The whole process is moved, with all of its threads::

            with WindowStation.open("batch", access).as_process_station():
                desktop = Desktop.create("work")

        One that is opened for the block alone, as here, is closed at its end.

        Returns:
            The window station, borrowed, as the value of ``with``.

        Raises:
            HandleClosedError: it is closed.

        Right: any. Windows call: ``SetProcessWindowStation``.
        """
        backend = self._backend
        before = backend.get_process_window_station()
        self.set_for_process()
        handle, holder = self._handle, weakref.ref(self)
        del self  # so that holder tells whether anybody else has it
        previous_stations.append((backend, before))
        with closing_unless_held(handle, holder):
            try:
                yield WindowStation.current(backend=backend)
            finally:
                previous_stations.remove((backend, before))
                backend.set_process_window_station(before)


def _owned(value: int, backend: DesktopBackend, name: str | None) -> WindowStationHandle:
    def close(value: int) -> None:
        try:
            backend.close_window_station(value)
        except Win32Error as error:
            if backend.get_process_window_station() != value:
                raise
            # Which code Windows gives for this is not documented.
            raise ObjectInUseError(
                error.winerror or ErrorCode.BUSY,
                error.function,
                "the process is on this window station",
                hint="Put it on another first: set_for_process().",
            ) from error

    return WindowStationHandle(value, close, f"window station {name!r}" if name else "a station")


publish(__name__)
