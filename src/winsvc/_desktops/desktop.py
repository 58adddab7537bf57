"""Desktops: each thread is assigned to one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from winsvc._desktops.handles import BorrowedDesktopHandle, DesktopHandle
from winsvc._desktops.user_object import (
    UserObject,
    check_rights,
    check_setting,
    descriptor_bytes,
    error_context,
)
from winsvc._desktops.window_station import WindowStation, previous_stations
from winsvc._public import publish
from winsvc._util.checks import check_bool, check_dword
from winsvc._util.text import check_text
from winsvc._values.config import UNCHANGED, Unchanged
from winsvc.backend import DesktopBackend, resolve_backend
from winsvc.enums import DesktopAccess, DesktopFlags, ErrorCode, UserObjectInformation
from winsvc.errors import AccessDeniedError, ObjectInUseError, Win32Error

if TYPE_CHECKING:
    from winsvc.security import SecurityDescriptor

__all__ = ["Desktop", "Window", "WindowStation"]

_READ = DesktopAccess.ENUMERATE | DesktopAccess.READ_OBJECTS
_ALL = DesktopAccess.GENERIC_ALL
_ALLOW_HOOKS = int(DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK)


@dataclass(frozen=True, slots=True)
class Window:
    """A top-level window of a desktop.

    Attributes:
        handle: the ``HWND``.
        title: the text of the title bar, "" if there is none; None if it could not be read.
        class_name: the name of the window class; None if it could not be read.
    """

    handle: int
    title: str | None
    class_name: str | None


class Desktop(UserObject[DesktopAccess]):
    """A desktop: a set of windows.

    Desktops are opened and created in the window station of the process; for another one see
    :meth:`WindowStation.process_window_station`.
    """

    _handle_types = (DesktopHandle, BorrowedDesktopHandle)
    _access_type = DesktopAccess

    @classmethod
    def current(cls, *, backend: DesktopBackend | None = None) -> Self:
        """Return the desktop of the calling thread, with a borrowed handle.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows calls: ``GetCurrentThreadId``, ``GetThreadDesktop``.
        """
        backend = resolve_backend(backend)
        return cls.of_thread(backend.get_current_thread_id(), backend=backend)

    @classmethod
    def of_thread(cls, thread_id: int, *, backend: DesktopBackend | None = None) -> Self:
        """Return the desktop of a thread, with a borrowed handle.

        Args:
            thread_id: the id of the thread, as from :func:`threading.get_native_id`.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            InvalidParameterError: the thread does not exist.

        Right: none. Windows call: ``GetThreadDesktop``.
        """
        number = check_dword(thread_id, "thread_id")
        backend = resolve_backend(backend)
        value = backend.get_thread_desktop(number)
        return cls(BorrowedDesktopHandle(value, f"the desktop of thread {number}"), backend)

    @classmethod
    def open_input(
        cls,
        access: DesktopAccess = _READ,
        *,
        allow_account_hooks: bool = False,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open the desktop that receives the input of the user.

        Args:
            access: the rights of the handle; the default is to read.
            allow_account_hooks: whether processes of other accounts can set hooks in this process.
            inherit: whether child processes inherit the handle.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            AccessDeniedError: a right is not granted; a locked or secure desktop is reserved for
                Windows.
            Win32Error: the window station of the process is invisible (error 1).

        Right: those of ``access``. Windows call: ``OpenInputDesktop``.
        """
        rights = check_rights(access, DesktopAccess, "access")
        flags = _flags(allow_account_hooks)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        try:
            with error_context(None, rights):
                value = backend.open_input_desktop(flags, inherit, int(rights))
        except Win32Error as error:
            if error.winerror == ErrorCode.INVALID_FUNCTION:
                error.add_context(hint="The window station of the process receives no input.")
            raise
        return cls(_owned(value, backend, None), backend, access=rights)

    @classmethod
    def open(
        cls,
        name: str,
        access: DesktopAccess = _READ,
        *,
        allow_account_hooks: bool = False,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open a desktop of the window station of the process.

        Args:
            name: the name, in any case.
            access: the rights of the handle; the default is to read.
            allow_account_hooks: whether processes of other accounts can set hooks in this process.
            inherit: whether child processes inherit the handle.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            NotFoundError: the desktop does not exist.
            InvalidNameError: the name contains a backslash or is empty.
            AccessDeniedError: a right is not granted.

        Right: those of ``access``. Windows call: ``OpenDesktopW``.
        """
        check_text(name, "name")
        rights = check_rights(access, DesktopAccess, "access")
        flags = _flags(allow_account_hooks)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights, empty=False):
            value = backend.open_desktop(name, flags, inherit, int(rights))
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    @classmethod
    def create(
        cls,
        name: str,
        access: DesktopAccess = _ALL,
        security: SecurityDescriptor | str | bytes | None = None,
        *,
        allow_account_hooks: bool = False,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Create a desktop in the window station of the process, or open the existing one.

        The system deletes the desktop when its last handle is closed.

        Args:
            name: the name.
            access: the rights of the handle, with ``CREATE_WINDOW``, which Windows requires for a
                new desktop; the default is all.
            security: the security descriptor, as for :meth:`set_security`; None for the default.
            allow_account_hooks: whether processes of other accounts can set hooks in this process.
            inherit: whether child processes inherit the handle.
            backend: the backend for all calls; None for :func:`winsvc.backend.default_backend`.

        Raises:
            InvalidNameError: the name contains a backslash, is empty, or is too long.
            InvalidSecurityError: the security descriptor is malformed.
            AccessDeniedError: the process's handle of its window station does not have the right
                below, or an existing desktop does not grant a right of ``access``.

        Right: ``WindowStationAccess.CREATE_DESKTOP``. Windows call: ``CreateDesktopW``.
        """
        check_text(name, "name")
        rights = check_rights(access, DesktopAccess, "access")
        descriptor = descriptor_bytes(security)
        flags = _flags(allow_account_hooks)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights, empty=False):
            value = backend.create_desktop(name, flags, int(rights), inherit, descriptor)
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    def allows_account_hooks(self) -> bool:
        """Return whether processes of other accounts can set hooks in processes on the desktop.

        To change it, call :meth:`configure`.

        Raises:
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        return bool(self._query_flags().flags & _ALLOW_HOOKS)

    def heap_size(self) -> int:
        """Query the size of the desktop heap, in KiB.

        Raises:
            UnsupportedError: this system does not support the query.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.HEAP_SIZE)
        return self._query_optional("heap size", self._backend.query_user_object_number, index)

    def receives_input(self) -> bool:
        """Return whether the desktop receives the input of the user.

        Raises:
            UnsupportedError: this system does not support the query.

        Right: any. Windows call: ``GetUserObjectInformationW``.
        """
        index = int(UserObjectInformation.IO)
        number = self._query_optional("input state", self._backend.query_user_object_number, index)
        return bool(number)

    def configure(
        self,
        *,
        allows_account_hooks: bool | Unchanged = UNCHANGED,
        handle_inherited: bool | Unchanged = UNCHANGED,
    ) -> None:
        """Change the settings that are given; others are unchanged.

        Args:
            allows_account_hooks: whether processes of other accounts can set hooks in processes on
                the desktop.
            handle_inherited: whether child processes inherit the handle.

        Raises:
            HandleClosedError: the handle is closed.
            AccessDeniedError: Windows refused the change.

        Right: Windows documents none. Windows calls: ``GetUserObjectInformationW``,
        ``SetUserObjectInformationW``.
        """
        check_setting(allows_account_hooks, "allows_account_hooks")
        check_setting(handle_inherited, "handle_inherited")
        self._configure(_ALLOW_HOOKS, allows_account_hooks, handle_inherited)

    def switch_to(self) -> None:
        """Show this desktop to the user and direct the input to it.

        Raises:
            AccessDeniedError: the handle does not have the right below, the window station is
                invisible, or a secure desktop is shown.

        Right: ``DesktopAccess.SWITCH_DESKTOP``. Windows call: ``SwitchDesktop``.
        """
        try:
            self._call(DesktopAccess.SWITCH_DESKTOP, self._backend.switch_desktop)
        except AccessDeniedError as error:
            error.add_context(hint=_NOT_VISIBLE)
            raise

    def set_thread_desktop(self) -> None:
        """Assign the calling thread to this desktop, on which it then creates its windows.

        The handle cannot be closed until the thread is assigned to another desktop. Its rights
        determine what the thread can do on the desktop.

        Raises:
            ObjectInUseError: the thread owns windows or hooks on its current desktop.
            HandleClosedError: the handle is closed.

        Right: any. Windows call: ``SetThreadDesktop``.
        """
        try:
            self._call(None, self._backend.set_thread_desktop)
        except ObjectInUseError as error:
            error.add_context(hint=_OWNS_WINDOWS)
            raise

    @contextmanager
    def thread_desktop(self) -> Iterator[None]:
        """Assign the calling thread to this desktop for a ``with`` block.

        The end of the block restores the previous desktop. Destroy the windows that the block
        creates before it ends, because they bind the thread to the desktop::

            with Desktop.create("work") as desktop, desktop.thread_desktop():
                print(desktop.windows())

        Raises:
            ObjectInUseError: the thread owns windows or hooks on its current desktop, or, at the
                end of the block, on this one.
            HandleClosedError: the handle is closed.
            RuntimeError: the block ends on another thread.

        Right: any. Windows call: ``SetThreadDesktop``.
        """
        backend = self._backend
        thread = backend.get_current_thread_id()
        previous = backend.get_thread_desktop(thread)
        self.set_thread_desktop()
        try:
            yield
        finally:
            _restore_desktop(backend, thread, previous)

    def windows(self) -> list[Window]:
        """List the top-level windows of this desktop, including hidden windows.

        Raises:
            AccessDeniedError: the handle does not have the right below.

        Right: ``DesktopAccess.READ_OBJECTS``. Windows calls: ``EnumDesktopWindows``,
        ``InternalGetWindowText``, ``GetClassNameW``.
        """
        backend = self._backend
        handles = self._call(DesktopAccess.READ_OBJECTS, backend.enum_desktop_windows)
        return [
            Window(
                handle,
                _if_readable(backend.get_window_text, handle),
                _if_readable(backend.get_class_name, handle),
            )
            for handle in handles
        ]


_NOT_VISIBLE = "The window station is invisible, or a secure desktop is shown."
_OWNS_WINDOWS = (
    "The thread owns windows or hooks, which bind it to its desktop. Destroy them first, or use "
    "a thread that owns none."
)


def _flags(allow_account_hooks: bool) -> int:
    check_bool(allow_account_hooks, "allow_account_hooks")
    return _ALLOW_HOOKS if allow_account_hooks else 0


def _owned(value: int, backend: DesktopBackend, name: str | None) -> DesktopHandle:
    def close(value: int) -> None:
        try:
            backend.close_desktop(value)
        except ObjectInUseError as error:
            error.add_context(
                hint=(
                    "A thread of this process uses the desktop. Assign it to another desktop "
                    "first, with set_thread_desktop()."
                )
            )
            raise

    return DesktopHandle(value, close, f"desktop {name!r}" if name else "the input desktop")


def _restore_desktop(backend: DesktopBackend, thread: int, desktop: int) -> None:
    if backend.get_current_thread_id() != thread:
        raise RuntimeError(
            f"the block of thread_desktop() began on thread {thread} and ended on another thread"
        )
    try:
        backend.set_thread_desktop(desktop)
    except ObjectInUseError as error:
        error.add_context(hint=f"{_OWNS_WINDOWS} It stays on the desktop of the with block.")
        raise
    except AccessDeniedError:
        if not _restore_from_previous_station(backend, desktop):
            raise


def _restore_from_previous_station(backend: DesktopBackend, desktop: int) -> bool:
    """Restore the desktop while the process is on the window station of the desktop.

    Wine assigns threads only to desktops of the window station of the process.
    """
    current = backend.get_process_window_station()
    for owner, station in previous_stations[::-1]:
        if owner is not backend:
            continue
        try:
            backend.set_process_window_station(station)
            backend.set_thread_desktop(desktop)
        except Win32Error:
            continue
        finally:
            backend.set_process_window_station(current)
        return True
    return False


def _if_readable(read: Callable[[int], str], window: int) -> str | None:
    try:
        return read(window)
    except Win32Error:
        return None  # the window may have been destroyed


publish(__name__)
