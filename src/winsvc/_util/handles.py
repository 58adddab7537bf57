"""Owned and borrowed handles.

An owned handle is closed exactly once, after the calls in progress have finished, and issues a
``ResourceWarning`` when it is leaked. A borrowed handle is not closed.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Self

from winsvc.enums import ErrorCode
from winsvc.errors import HandleClosedError, ObjectInUseError, Win32Error

__all__ = ["BorrowedHandle", "Closing", "Handle", "UseCount"]


class Closing:
    """A context manager that closes the object when its block ends.

    If the block raises, that error is raised, and an error of :meth:`close` is dropped.
    """

    def close(self) -> None:
        """Close the object."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.close()
        except Win32Error:
            if error is None:
                raise


class UseCount:
    """The number of calls that use a handle, and the value that the last call must close.

    Thread-safe. Hold :attr:`lock` for changes that depend on the count.
    """

    __slots__ = ("_pending", "_users", "lock")

    def __init__(self) -> None:
        """Create a counter without calls."""
        self.lock = threading.RLock()  # re-entrant: a signal handler may use it too
        self._users = 0
        self._pending = 0

    def begin(self) -> None:
        """Count the begin of a call."""
        with self.lock:
            self._users += 1

    def end(self) -> int:
        """Count the end of a call; return the value that the caller must close, or 0."""
        with self.lock:
            self._users -= 1
            if self._users:
                return 0
            value, self._pending = self._pending, 0
            return value

    def retire(self, value: int) -> bool:
        """Return whether the caller must close a value now.

        If calls are in progress, the last of them must close the value (0: no value).
        """
        with self.lock:
            if self._users:
                self._pending = value or self._pending
                return False
            return True


class Handle:
    """A system handle that this object owns.

    A call uses the value in a ``with`` block::

        with handle as value:
            backend.query_service_status_ex(value)

    :meth:`close` may be called from any thread: further uses are refused immediately, and the
    system handle is closed when the last block ends.
    """

    __slots__ = ("__weakref__", "_closing", "_free", "_uses", "_value", "what")

    def __init__(self, value: int, free: Callable[[int], None], what: str) -> None:
        """Take ownership of ``value``; ``free`` closes it, ``what`` names it in messages."""
        self._value = value
        self._free = free
        self._uses = UseCount()
        self._closing = False
        self.what = what

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._closing

    def closed_by(self, free: Callable[[int], None]) -> Self:
        """Replace the function that closes the handle, and return the handle."""
        self._free = free
        return self

    def close(self) -> None:
        """Close the handle. A second call does nothing.

        Raises:
            Win32Error: the system refused to close the handle.
        """
        with self._uses.lock:
            if self._closing:
                return
            self._closing = True
            idle = self._uses.retire(self._value)
        if idle:
            self._release()

    def _release(self) -> None:
        self._free(self._value)

    def __enter__(self) -> int:
        with self._uses.lock:
            if self._closing:
                raise HandleClosedError(
                    ErrorCode.INVALID_HANDLE, "", f"the handle of {self.what} is closed"
                )
            self._uses.begin()
        return self._value

    def __exit__(self, *error: object) -> None:
        if self._uses.end():
            self._release()

    def __repr__(self) -> str:
        state = "closed" if self._closing else f"{self._value:#x}"
        return f"<{type(self).__name__} of {self.what}: {state}>"

    def __del__(self) -> None:
        if not getattr(self, "_closing", True):  # True: __init__ did not finish
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()


class BorrowedHandle:
    """A handle that belongs to the process or to a thread, and is not closed."""

    __slots__ = ("_value", "what")

    def __init__(self, value: int, what: str) -> None:
        """Store the value, and the name of the handle for messages."""
        self._value = value
        self.what = what

    @property
    def closed(self) -> bool:
        """Return False, because this object does not own the handle."""
        return False

    def close(self) -> None:
        """Refuse to close the handle.

        Raises:
            ObjectInUseError: always.
        """
        raise ObjectInUseError(
            ErrorCode.BUSY,
            "",
            f"{self.what} cannot be closed: the handle is borrowed",
            hint="Close only objects that were opened or created.",
        )

    def __enter__(self) -> int:
        return self._value

    def __exit__(self, *error: object) -> None:
        pass

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.what}: {self._value:#x}>"
