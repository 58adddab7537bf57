"""The registrations for changes, and their notifications (``NotifyServiceStatusChangeW``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeAlias

from winsvc._values.rows import NotificationRow, StatusRow
from winsvc.enums import ErrorCode, Notify, State
from winsvc.testing.calls import Simulation
from winsvc.testing.refusal import RefusalError
from winsvc.testing.services import SimulatedService

__all__ = ["Deliver", "Notifications"]

Deliver: TypeAlias = Callable[[NotificationRow], None]

NO_STATUS: Final = StatusRow(0, 0, 0, 0, 0, 0, 0, 0, 0)
_BITS: Final = {state: Notify(1 << (state - 1)) for state in State}


@dataclass(slots=True, eq=False)
class _Watch:
    """The state of a registered handle; each registration gets a single notification."""

    service: SimulatedService | None  # None: the manager's, for created and deleted services
    mask: int = 0
    deliver: Deliver | None = None  # None: notified, and not registered again
    reported: int | None = None  # the last reported change of state
    missed: list[tuple[Notify, str]] = field(default_factory=list)  # between two registrations
    closed: bool = False


class Notifications:
    """The registrations of one machine."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._watches: dict[int, _Watch] = {}  # by handle
        self._subscriptions: dict[int, tuple[SimulatedService, Deliver]] = {}  # by handle

    def register(
        self, handle: int, service: SimulatedService | None, mask: int, deliver: Deliver
    ) -> None:
        """Report the next event of the mask; at once, if it has been missed."""
        if service is not None and service.marked_for_deletion:
            raise RefusalError(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        if service is not None and service.is_driver:
            raise RefusalError(ErrorCode.INVALID_PARAMETER)
        watch = self._watches.setdefault(handle, _Watch(service))
        # Since Windows 8 a second registration takes the place of the first.
        watch.mask, watch.deliver = mask, deliver
        if service is None:
            self._report_missed(watch)
        elif watch.reported != service.changes:
            self._report_state(watch, service)

    def subscribe(self, handle: int, service: SimulatedService, deliver: Deliver) -> None:
        """Report every change of a service's configuration."""
        self._subscriptions[handle] = service, deliver

    def cancel(self, handle: int) -> None:
        """Forget a handle: it was closed."""
        self._subscriptions.pop(handle, None)
        watch = self._watches.pop(handle, None)
        if watch is not None:
            watch.closed = True

    def cancel_all(self) -> None:
        """Forget all handles: the connection was lost."""
        for handle in (*self._watches, *self._subscriptions):
            self.cancel(handle)

    def state_changed(self, service: SimulatedService) -> None:
        """Report a service's new state, or a new check point in it."""
        for watch in list(self._watches.values()):
            if watch.service is service:
                self._report_state(watch, service)

    def marked(self, service: SimulatedService) -> None:
        """Report to the waiters for a service that it is marked for deletion."""
        code = int(ErrorCode.SERVICE_MARKED_FOR_DELETE)
        for watch in list(self._watches.values()):
            if watch.service is service:
                pending = int(Notify.DELETE_PENDING)
                self._report(watch, NotificationRow(code, service.status_row(), pending, None))

    def configured(self, service: SimulatedService) -> None:
        """Report a change of a service's configuration."""
        row = NotificationRow(0, service.status_row(), 0, None)
        for handle, (subscribed, deliver) in self._subscriptions.items():
            if subscribed is service:
                self._simulation.later(partial(self._report_change, handle, deliver, row))

    def _report_change(self, handle: int, deliver: Deliver, row: NotificationRow) -> None:
        if handle in self._subscriptions:  # still
            deliver(row)

    def listed(self, event: Notify, name: str) -> None:
        """Notify of a service that was created ("/" and its name) or deleted."""
        for watch in list(self._watches.values()):
            if watch.service is None:
                watch.missed.append((event, name))
                self._report_missed(watch)

    def _report_missed(self, watch: _Watch) -> None:
        wanted = [(event, name) for event, name in watch.missed if event & watch.mask]
        if wanted and watch.deliver is not None:
            watch.missed = [entry for entry in watch.missed if entry not in wanted]
            triggered = Notify(0)
            for event, _ in wanted:
                triggered |= event
            names = tuple(name for _, name in wanted)
            self._report(watch, NotificationRow(0, NO_STATUS, int(triggered), names))

    def _report_state(self, watch: _Watch, service: SimulatedService) -> None:
        event = _BITS.get(service.state, Notify(0))
        if watch.deliver is not None and event & watch.mask:
            watch.reported = service.changes
            self._report(watch, NotificationRow(0, service.status_row(), int(event), None))

    def _report(self, watch: _Watch, row: NotificationRow) -> None:
        deliver, watch.deliver = watch.deliver, None
        if deliver is None:
            return
        simulation = self._simulation

        def report() -> None:
            if not watch.closed:  # in the meantime
                deliver(row)

        if simulation.faults.lag:
            simulation.clock.after(simulation.faults.lag, lambda: simulation.later(report))
        else:
            simulation.later(report)
