"""The handles of window stations and desktops."""

from __future__ import annotations

import warnings

from winsvc._util.handles import BorrowedHandle, Handle
from winsvc.errors import ObjectInUseError

__all__ = [
    "BorrowedDesktopHandle",
    "BorrowedWindowStationHandle",
    "DesktopHandle",
    "UserObjectHandle",
    "WindowStationHandle",
]


class UserObjectHandle(Handle):
    """An owned handle of a window station or desktop; a handle in use stays open."""

    __slots__ = ()

    def _release(self) -> None:
        try:
            super()._release()
        except ObjectInUseError:
            self._closing = False
            raise

    def __del__(self) -> None:
        if getattr(self, "_closing", True):  # True: __init__ did not get that far
            return
        leak = f"unclosed {self!r}"
        try:
            self.close()
        except ObjectInUseError:
            return  # not a leak: the process or one of its threads uses the object
        warnings.warn(leak, ResourceWarning, stacklevel=2, source=self)


class WindowStationHandle(UserObjectHandle):
    """An ``HWINSTA``."""

    __slots__ = ()


class DesktopHandle(UserObjectHandle):
    """An ``HDESK``."""

    __slots__ = ()


class BorrowedWindowStationHandle(BorrowedHandle):
    """The ``HWINSTA`` of the process."""

    __slots__ = ()


class BorrowedDesktopHandle(BorrowedHandle):
    """The ``HDESK`` of a thread."""

    __slots__ = ()
