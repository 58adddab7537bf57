"""Buffer sizes for enumerations."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from winsvc._values.rows import EnumRow

PAGE_LIMIT: Final = 256 * 1024
"""Windows transfers at most this many bytes of an enumeration at once."""

_SMALLEST: Final = 8 * 1024


def add_margin(needed: int) -> int:
    """Add a margin to an estimated size: services may be added between calls."""
    return needed + needed // 16 + 1024


class PageSize(threading.local):
    """The size that the last enumeration of a thread needed.

    Wine transfers the whole buffer, used or not, and requests twice the size that it fills. It
    accepts larger buffers than Windows, and needs them: it returns the whole list or nothing.
    """

    bytes = _SMALLEST
    all_or_nothing = False
    """True if the system was observed to return the whole list or nothing."""

    def set_size(self, size: int) -> None:
        """Set the size with which the next enumeration begins."""
        self.bytes = size if self.all_or_nothing else min(size, PAGE_LIMIT)

    def learn(self, used: int) -> None:
        """Set the size from the number of bytes that a whole enumeration used."""
        self.set_size(max(add_margin(used), _SMALLEST))


def bytes_used(rows: Sequence[EnumRow], entry_size: int) -> int:
    """Compute the bytes that rows and their texts occupy in a buffer."""
    texts = sum(len(name) + len(shown or "") + 2 for name, shown, _ in rows)
    return len(rows) * entry_size + 2 * texts
