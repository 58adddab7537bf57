"""Handles: owned ones are closed once, never under a call that uses them, and not silently leaked;
borrowed ones are never closed.
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
    """The calls that use a handle now, and the value that the last of them has to close.

    Thread-safe. Hold :attr:`lock` to change what belongs together with the count.
    """

    __slots__ = ("_pending", "_users", "lock")

    def __init__(self) -> None:
        """Begin with no calls."""
        self.lock = threading.RLock()  # re-entrant: a signal handler may use it too
        self._users = 0
        self._pending = 0

    def begin(self) -> None:
        """Count a call that begins."""
        with self.lock:
            self._users += 1

    def end(self) -> int:
        """Count a call that ends; return the value that it has to close, or 0."""
        with self.lock:
            self._users -= 1
            if self._users:
                return 0
            value, self._pending = self._pending, 0
            return value

    def retire(self, value: int) -> bool:
        """Return whether the caller has to close a value now.

        If calls run, the last of them has to close it instead (0 adds nothing to close).
        """
        with self.lock:
            if self._users:
                self._pending = value or self._pending
                return False
            return True


class Handle:
    """One handle of the system that belongs to us.

    A call borrows the value for as long as it runs::

        with handle as value:
            backend.query_service_status_ex(value)

    :meth:`close` may come from any thread: it forbids new borrowing at once, and the system's
    handle is closed when the last borrower is done.
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
        """Whether :meth:`close` was called."""
        return self._closing

    def closed_by(self, free: Callable[[int], None]) -> Self:
        """Have it closed by another function than was said at first."""
        self._free = free
        return self

    def close(self) -> None:
        """Close the handle. A second call does nothing.

        Raises:
            Win32Error: the system refused to close it.
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
        if not getattr(self, "_closing", True):  # True: __init__ did not get that far
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
            self.close()


class BorrowedHandle:
    """A handle that belongs to the process or to a thread: lent on, and never closed."""

    __slots__ = ("_value", "what")

    def __init__(self, value: int, what: str) -> None:
        """``what`` names it in messages."""
        self._value = value
        self.what = what

    @property
    def closed(self) -> bool:
        """False: it is not ours to close."""
        return False

    def close(self) -> None:
        """Refuse.

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
