"""Waiting for notifications, in simulated time."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from winsvc._values.rows import NotificationRow
from winsvc.enums import ErrorCode, ManagerAccess, ServiceAccess
from winsvc.testing.calls import windows_call
from winsvc.testing.refusal import RefusalError
from winsvc.testing.service_calls import ServiceCalls
from winsvc.testing.threads import EndlessWaitError

__all__ = ["Waiter", "WaiterCalls"]

MOST_POLLS: Final = 100_000  # of one waiter, in succession, with nothing scheduled


@dataclass(slots=True, eq=False)
class Waiter:
    """A set of registrations, and the notifications that were not taken yet."""

    news: list[tuple[int, NotificationRow]] = field(default_factory=list)
    changed: threading.Event = field(default_factory=threading.Event)
    woken: bool = False
    polls: int = 0  # in succession, with nothing scheduled

    def is_over(self) -> bool:
        """Return whether a wait is to return."""
        return self.woken or bool(self.news)

    def add(self, handle: int, row: NotificationRow) -> None:
        """Add a notification."""
        self.news.append((handle, row))
        self.changed.set()

    def take(self) -> list[tuple[int, NotificationRow]]:
        """Return the notifications, and remove them."""
        self.changed.clear()
        self.woken = False
        # In place, and one by one: others add to it.
        return [self.news.pop(0) for _ in range(len(self.news))]

    def drop(self, handle: int) -> None:
        """Remove the notifications of a handle."""
        self.changed.clear()
        self.news[:] = [entry for entry in self.news if entry[0] != handle]
        if self.is_over():
            self.changed.set()


class WaiterCalls(ServiceCalls):
    """The calls of :class:`winsvc.backend.NotificationBackend`."""

    def open_waiter(self) -> int:
        with self.clock.lock:
            return self.handles.add(Waiter())

    def close_waiter(self, waiter: int) -> None:
        self.handles.remove(waiter, Waiter)

    @windows_call("NotifyServiceStatusChangeW")
    def arm(self, waiter: int, handle: int, mask: int) -> None:
        state = self.handles.get(waiter, Waiter)
        known = self._handle(handle)
        if known.service is None:
            self._manager(handle, ManagerAccess.ENUMERATE_SERVICE)
        else:
            self._service(handle, ServiceAccess.QUERY_STATUS)
        known.machine.notifications.register(
            handle, known.service, mask, partial(state.add, handle)
        )

    @windows_call("SubscribeServiceChangeNotifications")
    def subscribe(self, waiter: int, handle: int) -> None:
        state = self.handles.get(waiter, Waiter)
        service = self._service(handle, ServiceAccess.QUERY_STATUS)
        if service.is_driver:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)

        def deliver(row: NotificationRow) -> None:
            if (handle, row) not in state.news:  # not taken yet
                state.add(handle, row)

        self._of(handle).notifications.subscribe(handle, service, deliver)

    def disarm(self, waiter: int, handle: int) -> None:
        state = self.handles.get(waiter, Waiter)
        self.close_service_handle(handle)
        state.drop(handle)

    def wait_notified(
        self, waiter: int, timeout: float | None
    ) -> list[tuple[int, NotificationRow]]:
        """Return the notifications; time passes until there are some, or until the timeout.

        Raises:
            EndlessWaitError: nothing can end the wait; see :meth:`Simulation.wait_until`. Also if
                the waiter has polled, with timeouts, very often while nothing was scheduled.
        """
        state = self.handles.get(waiter, Waiter)
        any_event = self.wait_until(state.is_over, state.changed, timeout)
        polled_in_vain = not (any_event or state.is_over() or self.clock.is_anything_due())
        state.polls = state.polls + 1 if polled_in_vain else 0
        if state.polls >= MOST_POLLS and not self.other_threads.can_act():
            raise EndlessWaitError
        return state.take()

    def wake(self, waiter: int) -> None:
        state = self.handles.get(waiter, Waiter)
        state.woken = True
        state.changed.set()
        self.scheduler.wake_watchers_later()
