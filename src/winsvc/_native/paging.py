"""How large the buffer of an enumeration is made."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

from winsvc._values.rows import EnumRow

PAGE_LIMIT: Final = 256 * 1024
"""Windows transfers at most this much of an enumeration at once."""

_SMALLEST: Final = 8 * 1024


def with_room(needed: int) -> int:
    """What is left is an estimate, and services are added meanwhile: some room on top."""
    return needed + needed // 16 + 1024


class PageSize(threading.local):
    """What the last enumeration of a thread turned out to need.

    Wine moves the whole buffer, however little is in it, and asks for twice of what it fills. It
    takes larger buffers than Windows does, and has to: it gives all or nothing, never a page.
    """

    bytes = _SMALLEST
    whole = False
    """Whether the system was seen to give all or nothing."""

    def want(self, size: int) -> None:
        """Begin with so much the next time."""
        self.bytes = size if self.whole else min(size, PAGE_LIMIT)

    def learn(self, used: int) -> None:
        """Remember what a whole enumeration has taken."""
        self.want(max(with_room(used), _SMALLEST))


def bytes_used(rows: Sequence[EnumRow], entry_size: int) -> int:
    """What rows have taken up in a buffer, with their texts."""
    texts = sum(len(name) + len(shown or "") + 2 for name, shown, _ in rows)
    return len(rows) * entry_size + 2 * texts
