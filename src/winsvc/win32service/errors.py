"""``error``, and how a call's typed error becomes one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from winsvc.errors import Win32Error

if TYPE_CHECKING:
    from winsvc.backend import Backend

__all__ = ["error", "error_of", "signed"]

_NO_MESSAGE: Final = "No error message is available"


class _Error(Exception):
    """A call of Windows failed. ``args`` are the three attributes.

    Attributes:
        winerror: the Windows error code, such as 1060, as a signed number.
        funcname: the function that failed, such as ``"OpenService"``.
        strerror: what the system says about the code.
    """

    winerror: int
    funcname: str
    strerror: str

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        names = ("winerror", "funcname", "strerror")
        # As pywin32's: what is not given is None.
        vars(self).update(zip(names, (*args, None, None, None), strict=False))


if TYPE_CHECKING:

    class error(_Error):
        """``pywintypes.error`` where pywin32 is installed, else a class with its attributes."""
else:
    try:
        from pywintypes import error  # so that programs which catch that one catch ours
    except ImportError:
        error = _Error
        error.__name__ = error.__qualname__ = "error"


def signed(number: int) -> int:
    """A DWORD as C's ``long``, which pywin32 gives."""
    return number - 0x1_0000_0000 if number > 0x7FFF_FFFF else number


def error_of(failed: Win32Error, function: str, backend: Backend | None) -> error:
    """What pywin32 raises for an error; ``backend`` is whose call has failed."""
    message = failed.strerror if backend is None else backend.format_message(failed.winerror)
    return error(signed(int(failed.winerror)), function, message or _NO_MESSAGE)
