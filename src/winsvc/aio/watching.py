"""Following what happens to services, for tasks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from winsvc._scm.waiting import CancelToken
from winsvc._scm.watching import ServiceEvent, Watch
from winsvc._util.durations import Duration
from winsvc.aio._base import AsyncClosable
from winsvc.aio.threads import calling, waiting

__all__ = ["AsyncWatch"]


class AsyncWatch(AsyncClosable):
    """The events of services, as they come; made by :meth:`AsyncServiceManager.watch`.

    ::

        async with scm.watch() as events:
            async for event in events:
                print(event)

    It begins with the ``async with`` block, or with the first event that is asked for. The
    iteration ends when the watch is closed. When the task is cancelled while it waits, no event is
    lost: the next wait gets it. Without an ``async with`` block, a watch whose iteration is
    cancelled is closed. One task at a time iterates.
    """

    def __init__(self, begin: Callable[[], Watch]) -> None:
        self._begin = begin
        self._lock = threading.Lock()
        self._watch: Watch | None = None
        self._closed = self._entered = False
        self._turn = threading.Lock()  # held by the thread that waits
        self._events: deque[ServiceEvent] = deque()

    async def __aenter__(self) -> Self:
        self._entered = True
        await calling(self._begun, late=lambda watch: self._close())
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

    @property
    def closed(self) -> bool:
        """Whether :meth:`close` was called."""
        return self._closed

    async def wait(self, timeout: Duration | None = None) -> ServiceEvent | None:
        """The next event; None where there is none within the timeout, or the watch is closed.

        Args:
            timeout: how long to wait for one; None for as long as it takes, 0 not at all.

        Raises:
            MachineUnreachableError: the machine no longer answers. A later call tries again, and
                tells what has changed meanwhile.
        """
        if not self._events:
            await waiting(lambda cancel: self._fetch(timeout, cancel))
        return self._events.popleft() if self._events else None

    def _fetch(self, timeout: Duration | None, cancel: CancelToken) -> None:
        # Not returned: an event that comes when the task has been cancelled is for the next wait.
        with self._turn:
            watch = None if self._events else self._begun()
            event = None if watch is None else watch.wait(timeout, cancel=cancel)
            if event is not None:
                self._events.append(event)

    async def close(self) -> None:
        """Stop watching, also while another task waits. A second call does nothing."""
        await calling(self._close)

    def _begun(self) -> Watch | None:
        with self._lock:
            if self._watch is None and not self._closed:
                self._watch = self._begin()
            return self._watch

    def _close(self) -> None:
        with self._lock:
            self._closed = True
            watch = self._watch
        if watch is not None:
            watch.close()
