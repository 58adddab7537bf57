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
from winsvc.errors import HandleClosedError, ObjectInUseError

__all__ = ["BorrowedHandle", "Handle"]


class Handle:
    """One handle of the system that belongs to us.

    A call borrows the value for as long as it runs::

        with handle as value:
            backend.query_service_status_ex(value)

    :meth:`close` may come from any thread: it forbids new borrowing at once, and the system's
    handle is closed when the last borrower is done.
    """

    __slots__ = ("__weakref__", "_closing", "_free", "_lock", "_users", "_value", "what")

    def __init__(self, value: int, free: Callable[[int], None], what: str) -> None:
        """Take ownership of ``value``; ``free`` closes it, ``what`` names it in messages."""
        self._value = value
        self._free = free
        self._lock = threading.RLock()  # re-entrant: a signal handler may use it too
        self._users = 0
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
            ServiceError: the system refused to close it.
        """
        with self._lock:
            if self._closing:
                return
            self._closing = True
            idle = self._users == 0
        if idle:
            self._release()

    def _release(self) -> None:
        self._free(self._value)

    def __enter__(self) -> int:
        with self._lock:
            if self._closing:
                raise HandleClosedError(
                    ErrorCode.INVALID_HANDLE, "", f"the handle of {self.what} is closed"
                )
            self._users += 1
        return self._value

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._users -= 1
            last = self._closing and self._users == 0
        if last:
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
            f"{self.what} is borrowed, and not to be closed",
            hint="Only what was opened or created is.",
        )

    def __enter__(self) -> int:
        return self._value

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self.what}: {self._value:#x}>"
