"""The three types of handles, and calls with one of them."""

from __future__ import annotations

from typing import final

from winsvc.win32service.calls import HandleCall, SystemHandle, WindowHandle, call, pywin32_kind
from winsvc.win32service.shapes import HandleArgument

__all__ = ["ServiceCall", "UserObjectCall", "PyHDESK", "PyHWINSTA", "PySC_HANDLE"]


@final
class PySC_HANDLE(SystemHandle):
    """A handle of the service control manager or of a service; closed when it is garbage-collected.

    A handle equals handles and numbers of the same value.
    """

    __slots__ = ()

    def _free(self, value: int) -> None:
        self._backend.close_service_handle(value)

    def Close(self) -> None:
        """Close the handle, even if the system refuses it. A second call does nothing.

        Raises:
            error: The system refused the call.

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
        return self._hash  # the hash of the value, also after close


class UserObjectHandle(SystemHandle):
    """A handle of a window station or desktop. Borrowed handles are not closed."""

    __slots__ = ()

    def __init__(self, handle: HandleArgument) -> None:
        """Take over an open handle, which this object closes.

        Args:
            handle: The value of the handle; or an object of this class, which borrows the handle
                afterwards; or an object of pywin32, which closes the handle, so that this object
                borrows it.

        Raises:
            TypeError: The value is not a handle of this kind.
        """
        with UserObjectCall(type(self).__name__, handle, type(self)) as (backend, value):
            owned = not pywin32_kind(handle)
            if isinstance(handle, SystemHandle):
                with handle._uses.lock:
                    owned, handle._owned = handle._owned, False
            self._set(backend, value, owned)

    def Close(self) -> None:
        """Close the handle, if this object owns it. A second call does nothing.

        Raises:
            error: The object is in use, and the handle stays open.
        """
        if not self._owned:
            self.Detach()
        elif self._value:
            self._close(f"Close{self._KIND}")

    _KIND: str

    def _close(self, function: str) -> None:
        """Close the handle even if it is borrowed; keep it if the call fails."""
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
        """Assign this desktop to the calling thread.

        Raises:
            error: 170: The thread has windows or hooks.

        Windows call: ``SetThreadDesktop``.
        """
        with UserObjectCall("SetThreadDesktop", self, PyHDESK) as (backend, value):
            backend.set_thread_desktop(value)

    def EnumDesktopWindows(self) -> list[WindowHandle]:
        """List the top-level windows of the desktop.

        Raises:
            error: 5: The handle lacks the right.

        Right: ``DESKTOP_READOBJECTS``. Windows call: ``EnumDesktopWindows``.
        """
        with UserObjectCall("EnumDesktopWindows", self, PyHDESK) as (backend, value):
            return [WindowHandle(window) for window in backend.enum_desktop_windows(value)]

    def SwitchDesktop(self) -> None:
        """Make this desktop visible, with keyboard and mouse input.

        Raises:
            error: 5: The handle lacks the right, or the desktop is in an invisible window station.

        Right: ``DESKTOP_SWITCHDESKTOP``. Windows call: ``SwitchDesktop``.
        """
        with UserObjectCall("SwitchDesktop", self, PyHDESK) as (backend, value):
            backend.switch_desktop(value)

    def CloseDesktop(self) -> None:
        """Close the handle.

        Raises:
            error: 170: A thread uses the desktop; the handle stays open. 6: The handle is closed.

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
        """List the names of the desktops of the window station.

        Raises:
            error: 5: The handle lacks the right.

        Right: ``WINSTA_ENUMDESKTOPS``. Windows call: ``EnumDesktopsW``.
        """
        with UserObjectCall("EnumDesktops", self, PyHWINSTA) as (backend, value):
            return backend.enum_desktops(value)

    def SetProcessWindowStation(self) -> None:
        """Assign this window station to the process.

        Raises:
            error: The system refused the call.

        Windows call: ``SetProcessWindowStation``.
        """
        with UserObjectCall("SetProcessWindowStation", self, PyHWINSTA) as (backend, value):
            backend.set_process_window_station(value)

    def CloseWindowStation(self) -> None:
        """Close the handle.

        Raises:
            error: The process uses the window station; the handle stays open. 6: The handle is
                closed.

        Windows call: ``CloseWindowStation``.
        """
        self._close("CloseWindowStation")


# ----------------------------------------------------------------------------------- calls


class ServiceCall(HandleCall):
    """A call with a handle of the service control manager or of a service."""

    __slots__ = ()

    def __init__(self, function: str, handle: HandleArgument) -> None:
        # The SCM's client would crash on another kind of handle.
        super().__init__(function, handle, PySC_HANDLE, ("PySC_HANDLE",))


class UserObjectCall(HandleCall):
    """A call with a handle of a window station or desktop."""

    __slots__ = ()

    def __init__(
        self,
        function: str,
        handle: HandleArgument,
        kind: type[UserObjectHandle] | None = None,
    ) -> None:
        """Accept handles of *kind* only, or of both kinds for None."""
        kinds = (PyHDESK, PyHWINSTA) if kind is None else (kind,)
        names = [accepted.__name__ for accepted in kinds]
        super().__init__(function, handle, kinds, ["PyHANDLE", *names])
