"""The open handles of the simulated system, of all kinds."""

from __future__ import annotations

from typing import Protocol, TypeVar

from winsvc.enums import ErrorCode
from winsvc.testing.refusal import Refusal

__all__ = ["HandleTable", "Place"]

Place = tuple[str | None, str | None]
"""The machine (None: the own one) and the service or other object that a call is for."""


class OpenHandle(Protocol):
    """What the table stores for a handle."""

    @property
    def place(self) -> Place:
        """The machine and the object of the handle."""


H = TypeVar("H", bound=OpenHandle)


class HandleTable:
    """Open handles by number. No number is used twice."""

    def __init__(self) -> None:
        self._last = 0x100
        self._open: dict[int, OpenHandle] = {}

    def __contains__(self, value: int) -> bool:
        return value in self._open

    def number(self) -> int:
        """Return a number that no handle has had."""
        self._last += 4
        return self._last

    def add(self, handle: OpenHandle) -> int:
        """Store a handle under a new number."""
        value = self.number()
        self._open[value] = handle
        return value

    def get(self, value: int, kind: type[H]) -> H:
        """Return a handle of this kind.

        Raises:
            Refusal: no such handle is open.
        """
        handle = self._open.get(value)
        if not isinstance(handle, kind):
            raise Refusal(ErrorCode.INVALID_HANDLE)
        return handle

    def remove(self, value: int, kind: type[H]) -> H:
        """Remove and return a handle of this kind.

        Raises:
            Refusal: no such handle is open.
        """
        handle = self.get(value, kind)
        del self._open[value]
        return handle

    def place(self, value: object) -> Place | None:
        """Return the place of an open handle of any kind."""
        handle = self._open.get(value) if isinstance(value, int) else None
        return None if handle is None else handle.place

    def of_kind(self, kind: type[H]) -> dict[int, H]:
        """Return the open handles of this kind."""
        return {value: one for value, one in self._open.items() if isinstance(one, kind)}
