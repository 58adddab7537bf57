"""The open handles of the simulated system, of all kinds."""

from __future__ import annotations

from typing import TypeVar

from winsvc.enums import ErrorCode
from winsvc.testing.refusal import RefusalError

__all__ = ["HandleTable", "Place"]

Place = tuple[str | None, str | None]
"""The machine (None: the own one) and the service or other object that a call is for."""


H = TypeVar("H")


class HandleTable:
    """Open handles by number. No number is used twice."""

    def __init__(self) -> None:
        self._last = 0x100
        self._open: dict[int, object] = {}
        self._places: dict[int, Place] = {}

    def __contains__(self, value: int) -> bool:
        return value in self._open

    def number(self) -> int:
        """Return a number that no handle has had."""
        self._last += 4
        return self._last

    def add(self, handle: object, place: Place = (None, None)) -> int:
        """Store a handle under a new number, with the place of the calls that it is for."""
        value = self.number()
        self._open[value] = handle
        self._places[value] = place
        return value

    def get(self, value: int, kind: type[H]) -> H:
        """Return a handle of this kind.

        Raises:
            RefusalError: no such handle is open.
        """
        handle = self._open.get(value)
        if not isinstance(handle, kind):
            raise RefusalError(ErrorCode.INVALID_HANDLE)
        return handle

    def remove(self, value: int, kind: type[H]) -> H:
        """Remove and return a handle of this kind.

        Raises:
            RefusalError: no such handle is open.
        """
        handle = self.get(value, kind)
        del self._open[value], self._places[value]
        return handle

    def place(self, value: object) -> Place | None:
        """Return the place of an open handle of any kind."""
        return self._places.get(value) if isinstance(value, int) else None

    def of_kind(self, kind: type[H]) -> dict[int, H]:
        """Return the open handles of this kind."""
        return {value: item for value, item in self._open.items() if isinstance(item, kind)}
