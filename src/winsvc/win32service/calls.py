"""The base class of handles, and calls that keep a handle open and raise ``error``."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, NoReturn, Self

from winsvc._util.handles import UseCount
from winsvc.backend import Backend, default_backend
from winsvc.errors import Win32Error
from winsvc.win32service.errors import pywin32_error
from winsvc.win32service.shapes import HandleArgument

__all__ = [
    "HandleCall",
    "SystemHandle",
    "WindowHandle",
    "call",
    "handle_number",
    "pywin32_kind",
    "signed_handle",
]

_NO_HANDLE: Final = "The object is not a PyHANDLE object"
# The handle types of pywin32 and the standard library.
_KINDS: Final = frozenset({"PyHANDLE", "PyHDESK", "PyHWINSTA", "PyHKEY"})


def signed_handle(number: int) -> int:
    """Return the value of a handle as pywin32 does, with a sign."""
    return number - (1 << 64) if number >> 63 else number


class SystemHandle:
    """A system handle that this module returned.

    A running call keeps the handle open: if a thread closes the handle during calls, no further
    call uses it, and the last of the calls closes the system's handle. A handle belongs to the
    backend that created it.
    """

    __slots__ = ("__weakref__", "_backend", "_hash", "_owned", "_uses", "_value")

    _backend: Backend
    _value: int  # 0: closed or detached
    _owned: bool
    _uses: UseCount

    def __init__(self) -> None:
        raise TypeError(f"cannot create '{type(self).__name__}' instances")

    @classmethod
    def _of(cls, backend: Backend, value: int, *, owned: bool = True) -> Self:
        self = cls.__new__(cls)
        self._set(backend, value, owned)
        return self

    def _set(self, backend: Backend, value: int, owned: bool) -> None:
        self._backend = backend
        self._value = value
        self._hash = hash(signed_handle(value))
        self._owned = owned
        self._uses = UseCount()

    def _free(self, value: int) -> None:
        """Close the system's handle."""
        raise NotImplementedError

    def _borrow(self) -> int:
        """Return the value, which stays valid until :meth:`_give_back`."""
        with self._uses.lock:
            self._uses.begin()
            return self._value

    def _give_back(self) -> None:
        if value := self._uses.end():
            try:
                self._free(value)
            except Win32Error:
                pass  # no caller is left to report it to

    def _release(self) -> int | None:
        """Remove the value and return it; None if the last running call must close it."""
        with self._uses.lock:
            value, self._value = self._value, 0
            return value if not self._owned or self._uses.retire(value) else None

    @property
    def handle(self) -> int:
        """The value of the handle; 0 when the handle is closed."""
        return signed_handle(self._value)

    def __int__(self) -> int:
        return signed_handle(self._value)

    def __bool__(self) -> bool:
        return self._value != 0

    def Detach(self) -> int:
        """Give up the handle without closing it: return its value, which is 0 afterwards."""
        with self._uses.lock:
            value, self._value = self._value, 0
            return signed_handle(value)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot copy or pickle '{type(self).__name__}' object")

    def __enter__(self) -> Self:
        return self

    def Close(self) -> None:
        """Close the handle, if this object owns it. A second call does nothing.

        Raises:
            error: The system refused the call.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Close the handle; the same as :meth:`Close`."""
        self.Close()

    def __exit__(self, *error: object) -> None:
        self.Close()

    def __del__(self) -> None:
        value: int = getattr(self, "_value", 0)  # 0 if __init__ failed
        if value and self._owned:
            try:
                self._free(value)
            except Exception:  # in use, or the interpreter is shutting down
                pass


class WindowHandle(int):
    """The handle of a window, which its finder does not own and does not close."""

    @property
    def handle(self) -> int:
        """The value of the handle."""
        return int(self)

    def Detach(self) -> int:
        """Return the value of the handle."""
        return int(self)

    def Close(self) -> None:
        """Do nothing: the handle is not owned."""

    close = Close

    def __repr__(self) -> str:
        return f"<PyHANDLE:{int(self)}>"

    __str__ = __repr__


# ----------------------------------------------------------------------------------- calls


def pywin32_kind(value: object) -> str:
    """Return the kind of a handle of pywin32, such as ``"PySC_HANDLE"``; "" for other values."""
    kind = type(value)
    if issubclass(kind, SystemHandle) or kind.__name__ not in _KINDS:
        return ""
    # Most kinds share the type PyHANDLE, and only the repr contains the kind.
    return repr(value)[1:].partition(":")[0] if kind.__name__ == "PyHANDLE" else kind.__name__


def handle_number(value: HandleArgument, accepted: Collection[str]) -> int:
    """Return the value of a handle of another module.

    Raises:
        TypeError: The value is not a handle, or is a pywin32 handle of a kind that is not accepted.
    """
    if value is None:
        return 0
    if isinstance(value, (str, bytes, bytearray, float, WindowHandle)):
        raise TypeError(_NO_HANDLE)
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise TypeError(_NO_HANDLE) from None
    if not -(1 << 63) <= number < 1 << 64:
        raise TypeError(_NO_HANDLE)
    if number and (kind := pywin32_kind(value)) and kind not in accepted:
        raise TypeError(_NO_HANDLE)
    return number & (1 << 64) - 1


@contextmanager
def call(function: str, backend: Backend | None = None) -> Iterator[Backend]:
    """Run calls of a backend, by default the one in use, with pywin32's error for failures."""
    backend = _backend_in_use(function) if backend is None else backend
    try:
        yield backend
    except Win32Error as failed:
        raise pywin32_error(failed, function, backend) from None


def _backend_in_use(function: str) -> Backend:
    try:
        return default_backend()
    except Win32Error as failed:  # not on Windows
        raise pywin32_error(failed, function, None) from None


class HandleCall:
    """A call with a handle: provides the backend, and the value, valid during the call."""

    __slots__ = ("_backend", "_function", "_handle", "_value")

    def __init__(
        self,
        function: str,
        handle: HandleArgument,
        kind: type[SystemHandle] | tuple[type[SystemHandle], ...],
        accepted: Collection[str],
    ) -> None:
        """Accept a handle of this kind, or a pywin32 handle of an accepted kind.

        Raises:
            TypeError: The value is not a handle, or is a handle of another kind.
        """
        self._function = function
        if isinstance(handle, kind):
            self._handle: SystemHandle | None = handle
            self._backend = handle._backend
        elif isinstance(handle, SystemHandle):
            raise TypeError(_NO_HANDLE)
        else:
            self._handle = None
            self._value = handle_number(handle, accepted)
            self._backend = _backend_in_use(function)

    def __enter__(self) -> tuple[Backend, int]:
        if self._handle is not None:
            self._value = self._handle._borrow()
        return self._backend, self._value

    def __exit__(
        self,
        kind: type[BaseException] | None,
        failed: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            self._handle._give_back()
        if isinstance(failed, Win32Error):
            raise pywin32_error(failed, self._function, self._backend) from None
