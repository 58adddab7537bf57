"""Watch services from tasks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from winsvc._scm.waiting import CancelToken
from winsvc._scm.watching import ServiceEvent, Watch
from winsvc._util.durations import Duration
from winsvc.aio._base import AsyncClosable
from winsvc.aio.threads import calling, waiting, warn_unused

__all__ = ["AsyncWatch"]


class AsyncWatch(AsyncClosable):
    """The events of services, returned by :meth:`AsyncServiceManager.watch`.

    ::

        async with scm.watch() as events:
            async for event in events:
                print(event)

    The watch begins with the ``async with`` block, or else with the first wait. The iteration ends
    when the watch is closed. If a task is cancelled while it waits, no event is lost: the next wait
    returns it. Without an ``async with`` block, cancelling the iteration closes the watch. One task
    at a time iterates.
    """

    __slots__ = ("_closed", "_create", "_entered", "_events", "_lock", "_turn", "_watch")

    def __init__(self, create: Callable[[], Watch]) -> None:
        """Begin nothing yet; *create* begins the watch."""
        self._create = create
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._closed = self._entered = False
        self._turn = threading.Lock()  # held by the thread that waits
        self._events: deque[ServiceEvent] = deque()

    async def __aenter__(self) -> Self:
        self._entered = True
        await calling(self._begin, late=lambda watch: self._close())
        return self

    def __aiter__(self) -> AsyncIterator[ServiceEvent]:
        return self

    async def __anext__(self) -> ServiceEvent:
        ended = False
        try:
            event = await self.wait()
            ended = True
        finally:
            if not ended and not self._entered:
                await self.close()
        if event is None:
            raise StopAsyncIteration
        return event

    def __repr__(self) -> str:
        return f"<AsyncWatch: {'closed' if self._closed else 'open'}>"

    def __del__(self) -> None:
        if self._watch is None and not self._closed and not self._entered:
            warn_unused(self, 'watch() was never used: use "async with" or "async for"')

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._closed

    async def wait(self, timeout: Duration | None = None) -> ServiceEvent | None:
        """Return the next event; None after the timeout, or if the watch is closed.

        Args:
            timeout: seconds or a timedelta; None for no limit, 0 to return at once.

        Raises:
            MachineUnreachableError: the machine no longer answers. A later call connects again,
                and reports what has changed.
        """
        if not self._events:
            await waiting(lambda cancel: self._fetch(timeout, cancel))
        return self._events.popleft() if self._events else None

    def _fetch(self, timeout: Duration | None, cancel: CancelToken) -> None:
        # Not returned: the next wait returns an event that arrives after the cancellation.
        with self._turn:
            watch = None if self._events else self._begin()
            event = None if watch is None else watch.wait(timeout, cancel=cancel)
            if event is not None:
                self._events.append(event)

    async def close(self) -> None:
        """Stop watching, even while another task waits. A second call does nothing."""
        await calling(self._close)

    def _begin(self) -> Watch | None:
        with self._lock:
            if self._watch is None and not self._closed:
                self._watch = self._create()
            return self._watch

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            watch = self._watch
        if watch is not None:
            watch.close()
