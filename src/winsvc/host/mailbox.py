"""Handing things from one thread to another, with waits in the backend's time."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from winsvc.backend import HostBackend

__all__ = ["Mailbox"]

T = TypeVar("T")


class Mailbox(Generic[T]):
    """A queue that one thread reads and any thread may fill, even a control handler."""

    def __init__(self, backend: HostBackend) -> None:
        self._backend = backend
        self._lock = threading.Lock()
        self._items: deque[T] = deque()
        self._news = backend.new_event()
        self._reader: Callable[[T], None] | None = None

    def put(self, item: T) -> None:
        """Put something at the end; never waits."""
        with self._lock:
            if self._reader is not None:
                self._reader(item)
                return
            self._items.append(item)
            self._news.set()

    def forward(self, reader: Callable[[T], None]) -> None:
        """Hand what is there, and what is put from now on, to a function that never waits."""
        with self._lock:
            self._reader = reader
            while self._items:
                reader(self._items.popleft())

    def get(self) -> T:
        """Take the first; wait until there is one."""
        while True:
            with self._lock:
                if self._items:
                    return self._items.popleft()
                self._news = self._backend.new_event()
                news = self._news
            news.wait()
