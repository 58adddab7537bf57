"""Window stations: each process is assigned to one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from winsvc._desktops.handles import BorrowedWindowStationHandle, WindowStationHandle
from winsvc._desktops.user_object import (
    UserObject,
    check_rights,
    check_setting,
    descriptor_bytes,
    error_context,
)
from winsvc._public import publish
from winsvc._util.checks import check_bool
from winsvc._util.text import check_text
from winsvc._values.config import UNCHANGED, Unchanged
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

_READ = WindowStationAccess.ENUM_DESKTOPS | WindowStationAccess.READ_ATTRIBUTES
_ALL = WindowStationAccess.GENERIC_ALL

# The window stations that the blocks of process_window_station() restore, the innermost last.
previous_stations: list[tuple[DesktopBackend, int]] = []


class WindowStation(UserObject[WindowStationAccess]):
    """A window station: a clipboard and a set of desktops.

    ``WinSta0`` is the window station of the interactive user; services run on invisible ones::

        for name in WindowStation.names():
            with WindowStation.open(name) as station:
                print(name, station.visible(), station.desktop_names())
    """

    _handle_types = (WindowStationHandle, BorrowedWindowStationHandle)
    _access_type = WindowStationAccess

    @classmethod
    def current(cls, *, backend: DesktopBackend | None = None) -> Self:
        """Return the window station of the process, with a borrowed handle.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows call: ``GetProcessWindowStation``.
        """
        backend = resolve_backend(backend)
        value = backend.get_process_window_station()
        return cls(BorrowedWindowStationHandle(value, "the process's window station"), backend)

    @classmethod
    def open(
        cls,
        name: str,
        access: WindowStationAccess = _READ,
        *,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open a window station of this session.

        Args:
            name: the name, in any case; "" is the window station of the logon session.
            access: the rights of the handle; the default is to read.
            inherit: whether child processes inherit the handle.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            NotFoundError: the window station does not exist.
            InvalidNameError: the name contains a backslash.
            AccessDeniedError: a right is not granted.

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
        access: WindowStationAccess = _ALL,
        security: SecurityDescriptor | str | bytes | None = None,
        *,
        create_only: bool = False,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Create a window station, or open the existing one with this name.

        A new window station is invisible and has no desktops. The system deletes it when its last
        handle is closed.

        Args:
            name: the name; None uses the id of the logon session (``Service-0x0-3e7$``).
            access: the rights of the handle; the default is all.
            security: the security descriptor, as for :meth:`set_security`; None for the default.
            create_only: whether to fail if the window station exists.
            inherit: whether child processes inherit the handle.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            AlreadyExistsError: the window station exists, and *create_only* is set.
            InvalidNameError: the name contains a backslash or is too long.
            InvalidSecurityError: the security descriptor is malformed.
            AccessDeniedError: an existing window station does not grant a right, or the process
                is not elevated, which a given name requires.

        Right: those of ``access``. Windows call: ``CreateWindowStationW``.
        """
        if name is not None:
            check_text(name, "name")
        check_bool(create_only, "create_only")
        flags = int(WindowStationCreation.CREATE_ONLY) if create_only else 0
        rights = check_rights(access, WindowStationAccess, "access")
        descriptor = descriptor_bytes(security)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights):
            value = backend.create_window_station(name, flags, int(rights), inherit, descriptor)
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    @classmethod
    def names(cls, *, backend: DesktopBackend | None = None) -> list[str]:
        """List the names of the window stations of this session.

        Only window stations that grant ``WindowStationAccess.ENUMERATE`` are listed.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows call: ``EnumWindowStationsW``.
        """
        return resolve_backend(backend).enum_window_stations()

    def desktop_names(self) -> list[str]:
        """List the names of the desktops of this window station.

        Only desktops that grant ``DesktopAccess.ENUMERATE`` are listed.

        Raises:
            AccessDeniedError: the handle does not have the right below.

        Right: ``WindowStationAccess.ENUM_DESKTOPS``. Windows call: ``EnumDesktopsW``.
        """
        return self._call(WindowStationAccess.ENUM_DESKTOPS, self._backend.enum_desktops)

    def visible(self) -> bool:
        """Return whether the window station is visible to the user.

        To change it, call :meth:`configure`.

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        return bool(self._query_flags().flags & WindowStationFlags.VISIBLE)

    def configure(
        self,
        *,
        visible: bool | Unchanged = UNCHANGED,
        handle_inherited: bool | Unchanged = UNCHANGED,
    ) -> None:
        """Change the settings that are given; others are unchanged.

        Args:
            visible: whether the window station is visible to the user.
            handle_inherited: whether child processes inherit the handle.

        Raises:
            HandleClosedError: the handle is closed.
            AccessDeniedError: Windows refused the change.

        Right: Windows documents none. Windows calls: ``GetUserObjectInformationW``,
        ``SetUserObjectInformationW``.
        """
        check_setting(visible, "visible")
        check_setting(handle_inherited, "handle_inherited")
        self._configure(int(WindowStationFlags.VISIBLE), visible, handle_inherited)

    def set_process_window_station(self) -> None:
        """Assign the process to this window station; its threads keep their desktops.

        The handle cannot be closed until the process is assigned to another window station. Its
        rights determine what the process can do there, such as creating desktops.

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``SetProcessWindowStation``.
        """
        self._call(None, self._backend.set_process_window_station)

    @contextmanager
    def process_window_station(self) -> Iterator[None]:
        """Assign the process to this window station for a ``with`` block.

        The end of the block restores the previous window station. The assignment affects all
        threads of the process::

            with WindowStation.open("batch", access) as station, station.process_window_station():
                desktop = Desktop.create("work")

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``SetProcessWindowStation``.
        """
        backend = self._backend
        previous = backend.get_process_window_station()
        self.set_process_window_station()
        previous_stations.append((backend, previous))
        try:
            yield
        finally:
            previous_stations.remove((backend, previous))
            backend.set_process_window_station(previous)


def _owned(value: int, backend: DesktopBackend, name: str | None) -> WindowStationHandle:
    def close(value: int) -> None:
        try:
            backend.close_window_station(value)
        except Win32Error as error:
            if backend.get_process_window_station() != value:
                raise
            # Windows does not document the code for this case.
            raise ObjectInUseError(
                error.winerror or ErrorCode.BUSY,
                error.function,
                "the process uses this window station",
                hint=(
                    "Assign the process to another window station first, with "
                    "set_process_window_station()."
                ),
            ) from error

    return WindowStationHandle(value, close, f"window station {name!r}" if name else "a station")


publish(__name__)
