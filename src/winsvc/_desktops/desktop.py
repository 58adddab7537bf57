"""Window stations and desktops.

A *window station* has a clipboard and desktops; a process is on one of them. A *desktop* has
windows; each thread is on one of them. ``WinSta0`` is the one that its user sees; services are on
invisible ones.

Where a handle comes from decides whether it is closed: what is opened or made is ours, and closed;
what the process or a thread is on is borrowed, and never closed.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from winsvc._desktops.handles import BorrowedDesktopHandle, DesktopHandle
from winsvc._desktops.user_object import (
    UserObject,
    check_rights,
    closing_unless_held,
    descriptor_bytes,
    error_context,
)
from winsvc._desktops.window_station import WindowStation, previous_stations
from winsvc._public import publish
from winsvc._util.checks import check_bool, check_dword
from winsvc._util.text import check_text
from winsvc.backend import DesktopBackend, resolve_backend
from winsvc.enums import DesktopAccess, DesktopFlags, ErrorCode
from winsvc.errors import AccessDeniedError, ObjectInUseError, Win32Error

if TYPE_CHECKING:
    from winsvc.security import SecurityDescriptor

__all__ = ["Desktop", "Window", "WindowStation"]

_READING = DesktopAccess.ENUMERATE | DesktopAccess.READ_OBJECTS
# What is made belongs to who makes it.
_EVERYTHING = DesktopAccess.GENERIC_ALL
_NO_FLAGS = DesktopFlags(0)


@dataclass(frozen=True, slots=True)
class Window:
    """A top-level window of a desktop.

    Attributes:
        handle: its ``HWND``.
        title: the text of its title bar, "" for none; None where it can't be read.
        class_name: the name of its class; None where it can't be read.
    """

    handle: int
    title: str | None
    class_name: str | None


class Desktop(UserObject[DesktopAccess, DesktopFlags]):
    """A desktop: what a thread is on, with its windows.

    A desktop is opened and made in the window station that the process is on; for another one see
    :meth:`WindowStation.as_process_station`.
    """

    _handle_types = (DesktopHandle, BorrowedDesktopHandle)
    _access_type = DesktopAccess
    _flags_type = DesktopFlags

    @classmethod
    def current(cls, *, backend: DesktopBackend | None = None) -> Self:
        """The desktop that this thread is on; borrowed.

        Raises:
            UnsupportedError: this is not Windows, and no backend was given.

        Right: none. Windows calls: ``GetCurrentThreadId``, ``GetThreadDesktop``.
        """
        backend = resolve_backend(backend)
        return cls.of_thread(backend.get_current_thread_id(), backend=backend)

    @classmethod
    def of_thread(cls, thread_id: int, *, backend: DesktopBackend | None = None) -> Self:
        """The desktop that a thread is on; borrowed.

        Args:
            thread_id: the thread, by :func:`threading.get_native_id`.
            backend: what carries out the calls; None is the system's own.

        Raises:
            InvalidParameterError: there is no such thread.

        Right: none. Windows call: ``GetThreadDesktop``.
        """
        number = check_dword(thread_id, "thread_id")
        backend = resolve_backend(backend)
        value = backend.get_thread_desktop(number)
        return cls(BorrowedDesktopHandle(value, f"the desktop of thread {number}"), backend)

    @classmethod
    def input(
        cls,
        access: DesktopAccess = _READING,
        flags: DesktopFlags = _NO_FLAGS,
        inherit: bool = False,
        *,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open the desktop that the user's keyboard and mouse speak to.

        Args:
            access: what the handle is to allow; the default is to read.
            flags: whether processes of other accounts may set hooks in this one.
            inherit: whether the processes that this one starts inherit the handle.
            backend: what carries out the calls; None is the system's own.

        Raises:
            AccessDeniedError: one of the rights is not granted: a locked or secure desktop is
                Windows' own.
            Win32Error: the process is on an invisible window station (error 1).

        Right: those of ``access``. Windows call: ``OpenInputDesktop``.
        """
        rights = check_rights(access, DesktopAccess, "access")
        number = check_rights(flags, DesktopFlags, "flags")
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        try:
            with error_context(None, rights):
                value = backend.open_input_desktop(int(number), inherit, int(rights))
        except Win32Error as error:
            if error.winerror == ErrorCode.INVALID_FUNCTION:
                error.add_context(hint="The process is not on a window station that its user sees.")
            raise
        return cls(_owned(value, backend, None), backend, access=rights)

    @classmethod
    def open(
        cls,
        name: str,
        access: DesktopAccess = _READING,
        flags: DesktopFlags = _NO_FLAGS,
        inherit: bool = False,
        *,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Open a desktop of the window station that the process is on.

        Args:
            name: its name; upper and lower case are alike.
            access: what the handle is to allow; the default is to read.
            flags: whether processes of other accounts may set hooks in this one.
            inherit: whether the processes that this one starts inherit the handle.
            backend: what carries out the calls; None is the system's own.

        Raises:
            NotFoundError: there is none of that name.
            InvalidNameError: the name has a backslash, or is empty.
            AccessDeniedError: one of the rights is not granted.

        Right: those of ``access``. Windows call: ``OpenDesktopW``.
        """
        check_text(name, "name")
        rights = check_rights(access, DesktopAccess, "access")
        number = check_rights(flags, DesktopFlags, "flags")
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights, empty=False):
            value = backend.open_desktop(name, int(number), inherit, int(rights))
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    @classmethod
    def create(
        cls,
        name: str,
        flags: DesktopFlags = _NO_FLAGS,
        access: DesktopAccess = _EVERYTHING,
        security: SecurityDescriptor | str | bytes | None = None,
        *,
        inherit: bool = False,
        backend: DesktopBackend | None = None,
    ) -> Self:
        """Make a desktop in the process's window station, or open the one of that name.

        It goes with its last handle.

        Args:
            name: its name.
            flags: whether processes of other accounts may set hooks in this one.
            access: what the handle is to allow, with ``CREATE_WINDOW``, which Windows needs for a
                new one; the default is everything.
            security: who may do what with it, as for :meth:`set_security`; None is the default.
            inherit: whether the processes that this one starts inherit the handle.
            backend: what carries out the calls; None is the system's own.

        Raises:
            InvalidNameError: the name has a backslash, is empty, or is too long.
            InvalidSecurityError: the security descriptor is malformed.
            AccessDeniedError: the process's window station does not grant the right below, or an
                existing desktop not one of those asked for.

        Right: ``WindowStationAccess.CREATE_DESKTOP`` of the process's own handle.
        Windows call: ``CreateDesktopW``.
        """
        check_text(name, "name")
        number = check_rights(flags, DesktopFlags, "flags")
        rights = check_rights(access, DesktopAccess, "access")
        descriptor = descriptor_bytes(security)
        check_bool(inherit, "inherit")
        backend = resolve_backend(backend)
        with error_context(name, rights, empty=False):
            value = backend.create_desktop(name, int(number), int(rights), inherit, descriptor)
        return cls(_owned(value, backend, name), backend, label=name, access=rights)

    def switch_to(self) -> None:
        """Show this desktop to the user, and have it receive input.

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

    def set_for_thread(self) -> None:
        """Put this thread on the desktop: the windows that it makes from now on are there.

        Then the desktop can't be closed until the thread is put on another.

        Raises:
            ObjectInUseError: the thread owns windows or hooks on the desktop that it is on.
            HandleClosedError: it is closed.

        Right: any; what the thread may do there is what this handle allows.
        Windows call: ``SetThreadDesktop``.
        """
        try:
            self._call(None, self._backend.set_thread_desktop)
        except ObjectInUseError as error:
            error.add_context(hint=_OWNS_WINDOWS)
            raise

    @contextmanager
    def as_thread_desktop(self) -> Iterator[Desktop]:
        """Put this thread on the desktop for a ``with`` block, and back afterwards.

        A desktop that is opened for the block alone is closed at its end. Destroy windows that
        are made in the block before it ends: they keep the thread there.

        Returns:
            The desktop, borrowed, as the value of ``with``.

        Raises:
            ObjectInUseError: the thread owns windows or hooks; at the end: some from the block.
            HandleClosedError: it is closed.
            RuntimeError: at the end: this is another thread than at the beginning.

        Right: any. Windows call: ``SetThreadDesktop``.
        """
        backend = self._backend
        thread = backend.get_current_thread_id()
        before = backend.get_thread_desktop(thread)
        self.set_for_thread()
        handle, holder = self._handle, weakref.ref(self)
        del self  # so that holder tells whether anybody else has it
        with closing_unless_held(handle, holder):
            try:
                yield Desktop.of_thread(thread, backend=backend)
            finally:
                _restore_desktop(backend, thread, before)

    def windows(self) -> list[Window]:
        """The top-level windows of this desktop, hidden ones included.

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


_NOT_VISIBLE = "Its window station is invisible, or a secure desktop is shown."
_OWNS_WINDOWS = (
    "This thread owns windows or hooks, which bind it to its desktop: destroy them first, or use "
    "a thread that has none."
)


def _owned(value: int, backend: DesktopBackend, name: str | None) -> DesktopHandle:
    def close(value: int) -> None:
        try:
            backend.close_desktop(value)
        except ObjectInUseError as error:
            error.add_context(
                hint="A thread of this process is on it: put that on another, by set_for_thread()."
            )
            raise

    return DesktopHandle(value, close, f"desktop {name!r}" if name else "the input desktop")


def _restore_desktop(backend: DesktopBackend, thread: int, desktop: int) -> None:
    if backend.get_current_thread_id() != thread:
        raise RuntimeError(f"as_thread_desktop() began on thread {thread}, which is not this one")
    try:
        backend.set_thread_desktop(desktop)
    except ObjectInUseError as error:
        error.add_context(hint=f"{_OWNS_WINDOWS} It stays on the desktop of the with block.")
        raise
    except AccessDeniedError:
        if not _restore_from_previous_station(backend, desktop):
            raise


def _restore_from_previous_station(backend: DesktopBackend, desktop: int) -> bool:
    """Wine lets a thread go to desktops of the process's own window station alone."""
    here = backend.get_process_window_station()
    for owner, station in previous_stations[::-1]:
        if owner is not backend:
            continue
        try:
            backend.set_process_window_station(station)
            backend.set_thread_desktop(desktop)
        except Win32Error:
            continue
        finally:
            backend.set_process_window_station(here)
        return True
    return False


def _if_readable(read: Callable[[int], str], window: int) -> str | None:
    try:
        return read(window)
    except Win32Error:
        return None  # it may be gone by now


publish(__name__)
