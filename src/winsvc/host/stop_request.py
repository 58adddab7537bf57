"""The stop request, waitable from threads and tasks."""

from __future__ import annotations

import asyncio
import threading

from winsvc.backend import HostBackend
from winsvc.enums import Control

__all__ = ["StopRequest"]


class StopRequest:
    """Set when the service is to stop: ``while not self.stop_requested.wait(5): ...``.

    Once the control is received, waits return at once. On a simulated SCM they take simulated time.
    """

    def __init__(self, backend: HostBackend) -> None:
        self._event = backend.new_event()
        self._lock = threading.Lock()
        self._waiters: set[asyncio.Future[None]] = set()
        self._control: Control | None = None

    def __bool__(self) -> bool:
        raise TypeError("use stop_requested.is_set()")

    @property
    def control(self) -> Control | None:
        """The control that was received: ``STOP``, ``SHUTDOWN`` or ``PRESHUTDOWN``; otherwise None.

        A service stops without a control after an exception in a handler.
        """
        return self._control

    def is_set(self) -> bool:
        """Return whether the service is to stop."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the stop request, at most ``timeout`` seconds; return whether it is set."""
        return self._event.wait(timeout)

    async def wait_async(self, timeout: float | None = None) -> bool:
        """:meth:`wait`, for a task."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self._event.is_set():
                return True
            self._waiters.add(waiter)
        try:
            await asyncio.wait([waiter], timeout=timeout)
        finally:
            with self._lock:
                self._waiters.discard(waiter)
            waiter.cancel()
        return self._event.is_set()

    def _set(self, control: Control | None) -> None:
        with self._lock:
            if self._event.is_set():
                return
            self._control = control
            self._event.set()
            for waiter in self._waiters:
                waiter.get_loop().call_soon_threadsafe(_wake, waiter)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
