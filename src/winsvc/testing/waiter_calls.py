"""Waiting for notifications, in simulated time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Final

from winsvc._values.rows import NotificationRow
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess
from winsvc.testing.calls import windows_call
from winsvc.testing.refusal import Refusal
from winsvc.testing.service_calls import SimulatedServices

__all__ = ["WaiterCalls"]

_FOREVER: Final = 1e12  # seconds
_GLANCE: Final = 0.01  # real seconds: where nothing is due, another thread has to do something


@dataclass(slots=True, eq=False)
class _Waiter:
    """Who waits, and what he was told since he looked last."""

    news: list[tuple[int, NotificationRow]] = field(default_factory=list)
    something: threading.Event = field(default_factory=threading.Event)
    woken: bool = False

    def take(self) -> list[tuple[int, NotificationRow]]:
        self.something.clear()
        self.woken = False
        # In place, and one by one: others add to it.
        return [self.news.pop(0) for _ in range(len(self.news))]


class WaiterCalls(SimulatedServices):
    """What :class:`winsvc.backend.NotificationBackend` has."""

    def __init__(self) -> None:
        super().__init__()
        self._waiters: dict[int, _Waiter] = {}

    def open_waiter(self) -> int:
        """A new waiter."""
        with self._lock:
            number = self._next_handle()
            self._waiters[number] = _Waiter()
            return number

    def close_waiter(self, waiter: int) -> None:
        """The waiter is needed no more."""
        del self._waiters[waiter]

    @windows_call("NotifyServiceStatusChangeW")
    def arm(self, waiter: int, handle: int, mask: int) -> None:
        """``NotifyServiceStatusChangeW``: have the next event of the mask told, once.

        At once, where the service has been in a state of the mask since its last change, and this
        handle has not told so. Never after the handle is closed.
        """
        one = self._waiters[waiter]
        known = self._handle(handle)
        if known.service is None:
            self._manager(handle, ManagerAccess.ENUMERATE_SERVICE)
        else:
            self._service(handle, ServiceAccess.QUERY_STATUS)

        def deliver(row: NotificationRow) -> None:
            one.news.append((handle, row))
            one.something.set()

        known.machine.notifications.register(handle, known.service, mask, deliver)

    @windows_call("SubscribeServiceChangeNotifications")
    def subscribe(self, waiter: int, handle: int) -> None:
        """``SubscribeServiceChangeNotifications``: have changes of the configuration told."""
        one = self._waiters[waiter]
        service = self._service(handle, ServiceAccess.QUERY_STATUS)
        if service.is_driver:
            raise Refusal(ErrorCode.INVALID_PARAMETER)

        def deliver(row: NotificationRow) -> None:
            if (handle, row) not in one.news:  # not taken yet
                one.news.append((handle, row))
            one.something.set()

        self._of(handle).notifications.subscribe(handle, service, deliver)

    def disarm(self, waiter: int, handle: int) -> None:
        """``CloseServiceHandle``, which ends what was armed."""
        one = self._waiters[waiter]
        self.close_service_handle(handle)
        one.news[:] = [entry for entry in one.news if entry[0] != handle]

    def wait_notified(
        self, waiter: int, timeout: float | None
    ) -> list[tuple[int, NotificationRow]]:
        """What was told; time passes until there is something, or until the timeout.

        Where nothing is due, and there is no timeout, it waits for other threads.
        """
        one = self._waiters[waiter]
        end = _FOREVER if timeout is None else round(self.clock.now + timeout, 6)
        while not one.news and not one.woken:
            with self.happening():
                due = self.clock.run_next(end)
                if not due and timeout is not None:
                    self.clock.elapse(end - self.clock.now)
            if not due and timeout is not None:
                break
            if not due:
                one.something.wait(_GLANCE)
        return one.take()

    def wake(self, waiter: int) -> None:
        """Have the wait that is on, or else the next one, return."""
        one = self._waiters[waiter]
        one.woken = True
        one.something.set()
        self.stir()
