"""The three types of handles, and calls with one of them."""

from __future__ import annotations

from typing import final

from winsvc.win32service.calls import OnHandle, SystemHandle, WindowHandle, call, pywin32_kind
from winsvc.win32service.shapes import HandleArgument

__all__ = ["OnService", "OnUserObject", "PyHDESK", "PyHWINSTA", "PySC_HANDLE"]


@final
class PySC_HANDLE(SystemHandle):
    """A handle of the service control manager or of a service; closed with its last reference.

    It equals handles and numbers of the same value.
    """

    __slots__ = ()

    def _free(self, value: int) -> None:
        self._backend.close_service_handle(value)

    def Close(self) -> None:
        """Close the handle. A second call does nothing; after a failure it is closed, too.

        Raises:
            error: the system refused.

        Windows call: ``CloseServiceHandle``.
        """
        if value := self._release():
            with call("CloseServiceHandle", self._backend):
                self._free(value)

    def __repr__(self) -> str:
        return f"<PySC_HANDLE:{self.handle}>"

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (PySC_HANDLE, int)) or type(other).__name__ == "PyHANDLE":
            return self.handle == int(other)  # type: ignore[call-overload,no-any-return]
        return NotImplemented

    def __hash__(self) -> int:
        return self._hash  # the number's, also when it is closed


class UserObjectHandle(SystemHandle):
    """A handle of a window station or desktop. Borrowed ones are closed by nobody."""

    __slots__ = ()

    def __init__(self, handle: HandleArgument) -> None:
        """Take over a handle that is open: from now on this object closes it.

        Args:
            handle: its number; or an object of this class, which then only borrows it. One of
                pywin32's closes itself, and so is only borrowed here.

        Raises:
            TypeError: it is no handle of this kind.
        """
        with OnUserObject(type(self).__name__, handle, type(self)) as (backend, value):
            owned = not pywin32_kind(handle)
            if isinstance(handle, SystemHandle):
                with handle._uses.lock:
                    owned, handle._owned = handle._owned, False
            self._set(backend, value, owned)

    def Close(self) -> None:
        """Close the handle, if it is ours to close. A second call does nothing.

        Raises:
            error: it is in use, and stays open.
        """
        if not self._owned:
            self.Detach()
        elif self._value:
            self._close(f"Close{self._KIND}")

    _KIND: str

    def _close(self, function: str) -> None:
        """Close it in any case; a handle that can't be closed is kept."""
        value = self._release()
        if value is None:
            return
        try:
            with call(function, self._backend):
                self._free(value)
        except BaseException:
            self._value = value
            raise


@final
class PyHDESK(UserObjectHandle):
    """A handle of a desktop."""

    __slots__ = ()
    _KIND = "Desktop"

    def _free(self, value: int) -> None:
        self._backend.close_desktop(value)

    def SetThreadDesktop(self) -> None:
        """Put the thread that calls on this desktop.

        Raises:
            error: 170: the thread has windows or hooks.

        Windows call: ``SetThreadDesktop``.
        """
        with OnUserObject("SetThreadDesktop", self, PyHDESK) as (backend, value):
            backend.set_thread_desktop(value)

    def EnumDesktopWindows(self) -> list[WindowHandle]:
        """The top-level windows of the desktop.

        Raises:
            error: 5: the handle lacks the right.

        Right: ``DESKTOP_READOBJECTS``. Windows call: ``EnumDesktopWindows``.
        """
        with OnUserObject("EnumDesktopWindows", self, PyHDESK) as (backend, value):
            return [WindowHandle(window) for window in backend.enum_desktop_windows(value)]

    def SwitchDesktop(self) -> None:
        """Show this desktop, and let it have the keyboard and the mouse.

        Raises:
            error: 5: the handle lacks the right, or the desktop is not one to be seen.

        Right: ``DESKTOP_SWITCHDESKTOP``. Windows call: ``SwitchDesktop``.
        """
        with OnUserObject("SwitchDesktop", self, PyHDESK) as (backend, value):
            backend.switch_desktop(value)

    def CloseDesktop(self) -> None:
        """Close the handle.

        Raises:
            error: 170: a thread is on it; the handle stays open. 6: it is closed.

        Windows call: ``CloseDesktop``.
        """
        self._close("CloseDesktop")


@final
class PyHWINSTA(UserObjectHandle):
    """A handle of a window station."""

    __slots__ = ()
    _KIND = "WindowStation"

    def _free(self, value: int) -> None:
        self._backend.close_window_station(value)

    def EnumDesktops(self) -> list[str]:
        """The names of the window station's desktops.

        Raises:
            error: 5: the handle lacks the right.

        Right: ``WINSTA_ENUMDESKTOPS``. Windows call: ``EnumDesktopsW``.
        """
        with OnUserObject("EnumDesktops", self, PyHWINSTA) as (backend, value):
            return backend.enum_desktops(value)

    def SetProcessWindowStation(self) -> None:
        """Have the process be in this window station.

        Raises:
            error: the system refused.

        Windows call: ``SetProcessWindowStation``.
        """
        with OnUserObject("SetProcessWindowStation", self, PyHWINSTA) as (backend, value):
            backend.set_process_window_station(value)

    def CloseWindowStation(self) -> None:
        """Close the handle.

        Raises:
            error: the process is in it; the handle stays open. 6: it is closed.

        Windows call: ``CloseWindowStation``.
        """
        self._close("CloseWindowStation")


# ----------------------------------------------------------------------------------- calls


class OnService(OnHandle):
    """A call with a handle of the service control manager or of a service."""

    __slots__ = ()

    def __init__(self, function: str, handle: HandleArgument) -> None:
        # Any other handle of pywin32's would be followed to nowhere.
        super().__init__(function, handle, PySC_HANDLE, ("PySC_HANDLE",))


class OnUserObject(OnHandle):
    """A call with a handle of a window station or desktop."""

    __slots__ = ()

    def __init__(
        self,
        function: str,
        handle: HandleArgument,
        kind: type[UserObjectHandle] | None = None,
    ) -> None:
        """``kind`` is the one that it must be; None: either will do."""
        kinds = (PyHDESK, PyHWINSTA) if kind is None else (kind,)
        names = [one.__name__ for one in kinds]
        super().__init__(function, handle, kinds, ["PyHANDLE", *names])
