"""The exception ``error``, and the conversion of typed errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from winsvc.errors import Win32Error

if TYPE_CHECKING:
    from winsvc.backend import Backend

__all__ = ["error", "pywin32_error", "signed"]

_NO_MESSAGE: Final = "No error message is available"


class _Error(Exception):
    """A Windows call failed. ``args`` contains the three attributes.

    Attributes:
        winerror: The Windows error code, such as 1060, as a signed number.
        funcname: The function that failed, such as ``"OpenService"``.
        strerror: The system's message for the code.
    """

    winerror: int
    funcname: str
    strerror: str

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        names = ("winerror", "funcname", "strerror")
        # As in pywin32, missing arguments are None.
        vars(self).update(zip(names, (*args, None, None, None), strict=False))


if TYPE_CHECKING:

    class error(_Error):
        """``pywintypes.error`` where pywin32 is installed, else a class with its attributes."""
else:
    try:
        from pywintypes import error  # programs that catch pywin32's error catch this one as well
    except ImportError:
        error = _Error
        error.__name__ = error.__qualname__ = "error"


def signed(number: int) -> int:
    """Convert a DWORD to a signed C ``long``, which pywin32 returns."""
    return number - 0x1_0000_0000 if number > 0x7FFF_FFFF else number


def pywin32_error(failed: Win32Error, function: str, backend: Backend | None) -> error:
    """Convert an error of a call of *backend* to pywin32's error."""
    message = failed.strerror if backend is None else backend.format_message(failed.winerror)
    return error(signed(int(failed.winerror)), function, message or _NO_MESSAGE)
