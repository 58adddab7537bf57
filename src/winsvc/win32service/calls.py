"""Handles in general, and calls with them: what is used stays open, and what fails is ``error``."""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, NoReturn, Self

from winsvc._util.handles import UseCount
from winsvc.backend import Backend, default_backend
from winsvc.errors import Win32Error
from winsvc.win32service.errors import error_of
from winsvc.win32service.shapes import HandleArgument

__all__ = [
    "OnHandle",
    "SystemHandle",
    "WindowHandle",
    "call",
    "number_of",
    "pywin32_kind",
    "signed_handle",
]

_NO_HANDLE: Final = "The object is not a PyHANDLE object"
# The types of handles that pywin32 and the standard library have.
_KINDS: Final = frozenset({"PyHANDLE", "PyHDESK", "PyHWINSTA", "PyHKEY"})


def signed_handle(number: int) -> int:
    """Return the value of a handle as pywin32 does, with a sign."""
    return number - (1 << 64) if number >> 63 else number


class SystemHandle:
    """A handle of the system that this module has given.

    Calls that run keep it open: closed meanwhile, by any thread, it is used no more, and the last
    of them closes the system's. It belongs to the backend that it came from.
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
        """The value, which stays good until it is given back."""
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
        """Drop the value and return it; None if the last call that uses it has to close it."""
        with self._uses.lock:
            value, self._value = self._value, 0
            return value if not self._owned or self._uses.retire(value) else None

    @property
    def handle(self) -> int:
        """The number of the handle; 0 when it is closed."""
        return signed_handle(self._value)

    def __int__(self) -> int:
        return signed_handle(self._value)

    def __bool__(self) -> bool:
        return self._value != 0

    def Detach(self) -> int:
        """Give up the handle without closing it: its number, and from now on 0."""
        with self._uses.lock:
            value, self._value = self._value, 0
            return signed_handle(value)

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"cannot copy or pickle '{type(self).__name__}' object")

    def __enter__(self) -> Self:
        return self

    def Close(self) -> None:
        """Close the handle, if it is ours to close. A second call does nothing.

        Raises:
            error: the system refused.
        """
        raise NotImplementedError

    def close(self) -> None:
        """The same as :meth:`Close`."""
        self.Close()

    def __exit__(self, *error: object) -> None:
        self.Close()

    def __del__(self) -> None:
        value: int = getattr(self, "_value", 0)  # 0: __init__ did not get that far
        if value and self._owned:
            try:
                self._free(value)
            except Exception:  # in use, or at the interpreter's end
                pass


class WindowHandle(int):
    """The number of a window: as every window, it is not closed by who has found it."""

    @property
    def handle(self) -> int:
        """The number."""
        return int(self)

    def Detach(self) -> int:
        """The number."""
        return int(self)

    def Close(self) -> None:
        """Nothing: there is nothing of ours to close."""

    close = Close

    def __repr__(self) -> str:
        return f"<PyHANDLE:{int(self)}>"

    __str__ = __repr__


# ----------------------------------------------------------------------------------- calls


def pywin32_kind(value: object) -> str:
    """Which of pywin32's handles this is, such as ``"PySC_HANDLE"``; "" for what is none."""
    kind = type(value)
    if issubclass(kind, SystemHandle) or kind.__name__ not in _KINDS:
        return ""
    # All but two kinds are one type, and only the repr tells which it is.
    return repr(value)[1:].partition(":")[0] if kind.__name__ == "PyHANDLE" else kind.__name__


def number_of(value: HandleArgument, accepted: Collection[str]) -> int:
    """The value of a handle that is not of this module.

    Raises:
        TypeError: it is none, or one of pywin32's, but not of these kinds.
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
    """Make calls of a backend, or of the one in use, that fail with pywin32's error."""
    backend = _in_use(function) if backend is None else backend
    try:
        yield backend
    except Win32Error as failed:
        raise error_of(failed, function, backend) from None


def _in_use(function: str) -> Backend:
    try:
        return default_backend()
    except Win32Error as failed:  # no Windows
        raise error_of(failed, function, None) from None


class OnHandle:
    """A call with a handle: the backend and the value, which stays good meanwhile."""

    __slots__ = ("_backend", "_function", "_handle", "_value")

    def __init__(
        self,
        function: str,
        handle: HandleArgument,
        kind: type[SystemHandle] | tuple[type[SystemHandle], ...],
        accepted: Collection[str],
    ) -> None:
        """Take a handle of this kind, or one of pywin32's that is accepted.

        Raises:
            TypeError: it is no handle, or one of another kind.
        """
        self._function = function
        if isinstance(handle, kind):
            self._handle: SystemHandle | None = handle
            self._backend = handle._backend
        elif isinstance(handle, SystemHandle):
            raise TypeError(_NO_HANDLE)
        else:
            self._handle = None
            self._value = number_of(handle, accepted)
            self._backend = _in_use(function)

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
            raise error_of(failed, self._function, self._backend) from None
