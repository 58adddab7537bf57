"""Report the events of one service, of several services or of all services of a machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

from winsvc._public import publish
from winsvc._scm.call_log import logged
from winsvc._scm.connection import Connection
from winsvc._scm.waiting import EVERY_STATE, CancelToken, Waiter
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.handles import Closing, Handle
from winsvc._util.text import name_key
from winsvc._values.rows import NotificationRow
from winsvc._values.status import ServiceStatus
from winsvc.enums import ErrorCode, ManagerAccess, Notify, ServiceAccess, ServiceType
from winsvc.errors import (
    HandleClosedError,
    MachineUnreachableError,
    ServiceNotFoundError,
    ValidationError,
    Win32Error,
)

__all__ = [
    "ConfigChanged",
    "ServiceCreated",
    "ServiceDeleted",
    "ServiceEvent",
    "StatusChanged",
    "Watch",
]

# Seconds until a state that was queried but not notified is queried again.
_RECHECK_DELAY: Final = 1.0


@dataclass(frozen=True, slots=True)
class _NamedEvent:
    name: str


@dataclass(frozen=True, slots=True)
class ServiceCreated(_NamedEvent):
    """A service was created.

    Attributes:
        name: the service's key name.
        status: its first status; None if it was deleted before it could be queried.
    """

    status: ServiceStatus | None


@dataclass(frozen=True, slots=True)
class ServiceDeleted(_NamedEvent):
    """A service was removed. Not reported while it is only marked for deletion.

    Attributes:
        name: the service's key name.
    """


@dataclass(frozen=True, slots=True)
class StatusChanged(_NamedEvent):
    """The state of a service has changed, or it runs in another process.

    Short states may be left out.

    Attributes:
        name: the service's key name.
        old: the status of the previous event.
        new: the new status.
    """

    old: ServiceStatus
    new: ServiceStatus


@dataclass(frozen=True, slots=True)
class ConfigChanged(_NamedEvent):
    """The configuration of a service was written.

    Windows does not report which setting was written, or whether its value has changed.

    Attributes:
        name: the service's key name.
    """


ServiceEvent: TypeAlias = ServiceCreated | ServiceDeleted | StatusChanged | ConfigChanged
"""An event of a watch; a ``match`` statement over the four classes is exhaustive."""


@dataclass(slots=True, eq=False)
class _WatchedService:
    """An existing service.

    Attributes:
        name: the key name.
        status: the last status that was reported.
        handle: the registration for notifications; None if the service is polled.
        number: the value of the handle.
        refused: whether the service cannot notify.
        recheck_at: when to query a status that should have been notified.
    """

    name: str
    status: ServiceStatus
    handle: Handle | None = None
    number: int = 0
    refused: bool = False
    recheck_at: float | None = None


class Watch(Closing):
    """The events of services, returned by :meth:`winsvc.ServiceManager.watch`.

    ::

        with scm.watch() as events:
            for event in events:
                print(event)

    The iteration ends when the watch is closed, by :meth:`close` from any thread or at the end of
    the ``with`` block. One thread at a time iterates. While a watch is not read it keeps handles
    open; a deleted service stays marked for deletion until the watch is read or closed.
    """

    def __init__(
        self,
        connection: Connection,
        names: tuple[str, ...] = (),
        service_type: ServiceType = ServiceType.WIN32,
        interval: Duration = 1,
    ) -> None:
        """Watch the named services, or all services of a type, on a new connection.

        Args:
            connection: a connection to the machine.
            names: the key names; () for all services.
            service_type: without names, the kinds of services.
            interval: how often to poll services that do not notify.
        """
        self._shared, self._backend = connection, connection.backend
        self._service_type = service_type
        self._names = {name_key(name): name for name in names}
        self._interval = to_timedelta(interval, "interval").total_seconds()
        if not self._interval:
            raise ValidationError("interval", "must be longer than 0 seconds")
        self._lock = threading.RLock()  # re-entrant: a signal handler may close the watch
        self._inside = self._closing = self._lost = False
        self._events: deque[ServiceEvent] = deque()
        self._watched: dict[str, _WatchedService] = {}
        self._by_number: dict[int, _WatchedService] = {}
        self._created_then_deleted: set[str] = set()  # deleted before they could be opened
        self._next_poll: float | None = None  # None: every service notifies
        self._manager: Handle | None = None  # the registration for created and deleted services
        self._manager_number = 0
        self._connection: Connection | None = None
        self._waiter = Waiter(self._backend)
        try:
            self._connect()
            self._poll(initial=True)
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------- public methods

    def __iter__(self) -> Iterator[ServiceEvent]:
        return self

    def __next__(self) -> ServiceEvent:
        event = self.wait()
        if event is None:
            raise StopIteration
        return event

    def __repr__(self) -> str:
        what = ", ".join(self._names.values()) or "every service"
        return f"<Watch of {what}: {'closed' if self._closing else 'open'}>"

    @property
    def closed(self) -> bool:
        """Return whether :meth:`close` was called."""
        return self._closing

    def wait(
        self, timeout: Duration | None = None, *, cancel: CancelToken | None = None
    ) -> ServiceEvent | None:
        """Return the next event; None after the timeout, or if the watch is closed.

        Args:
            timeout: seconds or a timedelta; None for no limit, 0 to return at once.
            cancel: ends this wait, which then returns None; the watch continues.

        Raises:
            MachineUnreachableError: the machine no longer answers. A later call connects again,
                and reports what has changed.
        """
        limit = None if timeout is None else to_timedelta(timeout, "timeout").total_seconds()
        with self._lock:
            self._inside = True
            try:
                if self._closing:
                    return None
                if cancel is None:
                    return self._next(limit, None)
                with cancel.waking(self._waiter.wake):
                    return self._next(limit, cancel)
            finally:
                self._inside = False
                if self._closing:
                    self._release()

    def close(self) -> None:
        """Stop watching, even while another thread waits. A second call does nothing."""
        self._closing = True
        self._waiter.wake()
        with self._lock:
            if not self._inside:
                self._release()

    # ------------------------------------------------------------------- the next event

    def _next(self, limit: float | None, cancel: CancelToken | None) -> ServiceEvent | None:
        now = self._backend.monotonic()
        deadline = None if limit is None else now + limit
        if self._lost:
            self._reconnect()
        while not self._events:
            if cancel is not None and cancel.cancelled:
                return None
            rechecks = [item.recheck_at for item in self._watched.values()]
            ends = [e for e in (*rechecks, self._next_poll, deadline) if e is not None]
            seconds = max(min(ends) - now, 0.0) if ends else None
            notifications = self._waiter.wait(seconds)
            for number, row in notifications:
                self._on_notification(number, row)
            if self._closing:
                return None
            now = self._backend.monotonic()
            due = now + 1e-6  # a wait may end slightly early
            self._recheck_unconfirmed(due)
            if self._next_poll is not None and due >= self._next_poll:
                self._poll_again()
            # Further events may follow a notification, and are notified once it is armed again.
            if not notifications and deadline is not None and due >= deadline:
                break
        return self._events.popleft() if self._events else None

    def _release(self) -> None:
        for item in self._watched.values():
            self._close_registration(item)
            item.refused = False
        _close(self._manager)
        self._manager = None
        connection, self._connection = self._connection, None
        _close(connection)
        if self._closing:
            self._waiter.close()

    # ------------------------------------------------------------------- the connection

    def _connect(self) -> None:
        """Connect, and register for created and deleted services; a poll follows."""
        self._connection = self._shared.reconnect()
        self._register_manager()

    def _reconnect(self) -> None:
        """Connect again after the connection was lost, and report what has changed."""
        self._lost = True
        self._release()
        self._connect()
        self._poll()
        self._lost = False

    def _poll_again(self) -> None:
        try:
            self._poll()
        except (HandleClosedError, MachineUnreachableError):
            self._reconnect()

    @property
    def _own(self) -> Connection:
        assert self._connection is not None
        return self._connection

    @property
    def _notifies(self) -> bool:
        return self._shared.capabilities.notifies

    # ------------------------------------------------------------------- the manager

    def _register_manager(self) -> None:
        if not self._notifies:
            return
        handle: Handle | None = None
        try:
            handle = self._waiter.bind(self._own.open_handle(ManagerAccess.ENUMERATE_SERVICE))
            self._waiter.arm(handle, _CREATED_OR_DELETED)
            with handle as self._manager_number:
                self._manager = handle
        except Win32Error:
            _close(handle)  # listings are compared instead

    def _on_manager_notification(self, manager: Handle, row: NotificationRow) -> None:
        for name in row.service_names or ():
            if name.startswith("/"):
                self._on_created(name[1:])
            else:
                self._on_deleted(name)
        try:
            if row.notification_status == 0:
                self._waiter.arm(manager, _CREATED_OR_DELETED)
                return
        except Win32Error:
            pass
        # The client lags, or the connection is lost: register a new handle, and poll.
        self._manager = None
        _close(manager)
        self._register_manager()
        self._poll_within(0)

    def _on_created(self, name: str) -> None:
        if name_key(name) in self._watched or not self._is_selected(name):
            return
        try:
            handle, status = self._open(name)
        except ServiceNotFoundError:
            self._created_then_deleted.add(name_key(name))
            self._events.append(ServiceCreated(name, None))
            return
        except Win32Error:
            self._poll_within(0)  # the listing has its status
            return
        if self._names or status.service_type & self._service_type:
            self._events.append(ServiceCreated(name, status))
            item = self._watched[name_key(name)] = _WatchedService(name, status)
            self._register(item, handle)
        else:
            _close(handle)

    def _on_deleted(self, name: str) -> None:
        item = self._watched.pop(name_key(name), None)
        if item is not None:
            self._close_registration(item)
            self._events.append(ServiceDeleted(item.name))
        elif name_key(name) in self._created_then_deleted:
            self._created_then_deleted.remove(name_key(name))
            self._events.append(ServiceDeleted(name))

    def _is_selected(self, name: str) -> bool:
        return not self._names or name_key(name) in self._names

    # ------------------------------------------------------------------- one service

    def _open(self, name: str) -> tuple[Handle, ServiceStatus]:
        handle: Handle | None = None
        try:
            handle = self._own.open_service_handle(name, ServiceAccess.QUERY_STATUS)
            return handle, self._query(name, handle)
        except Win32Error as error:
            _close(handle)
            error.add_context(object_name=name, machine=self._own.machine)
            raise

    def _query(self, name: str, handle: Handle) -> ServiceStatus:
        with handle as value:
            method = self._backend.query_service_status_ex
            return ServiceStatus.from_row(logged((name, self._shared.machine), method, value))

    def _register(self, item: _WatchedService, handle: Handle, *, again: bool = True) -> None:
        """Register a service for notifications through the handle, or close the handle."""
        # An open handle keeps a deleted service. So it is kept open only where the deletion is
        # notified, and for named services, whose handles are closed with each poll.
        if not self._notifies or not (self._manager or self._names):
            _close(handle)
            return
        item.handle = self._waiter.bind(handle)
        with handle as item.number:
            self._by_number[item.number] = item
        self._arm(item, again=again)
        if item.handle is not None:
            try:
                self._waiter.subscribe(item.handle)
            except Win32Error:
                pass  # Windows 7

    def _arm(self, item: _WatchedService, *, again: bool = True) -> None:
        handle = item.handle
        assert handle is not None
        try:
            self._waiter.arm(handle, EVERY_STATE | Notify.DELETE_PENDING)
            if _differ(item.status, self._query(item.name, handle)):
                # The change should be notified; if it is not, a later query reports it.
                item.recheck_at = self._backend.monotonic() + _RECHECK_DELAY
        except Win32Error as error:
            self._close_registration(item)
            lags = error.winerror == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
            item.refused = not (lags and again)
            if item.refused:
                self._poll_within(self._interval)
            else:
                self._reopen(item, again=False)

    def _reopen(self, item: _WatchedService, *, again: bool = True) -> None:
        """Register a service through a new handle; its status shows the missed changes."""
        try:
            handle, status = self._open(item.name)
        except Win32Error:
            item.refused = True
            self._poll_within(self._interval)
            return
        self._on_status(item, status)
        self._register(item, handle, again=again)

    def _close_registration(self, item: _WatchedService) -> None:
        handle, item.handle, item.recheck_at = item.handle, None, None
        if handle is not None:
            self._by_number.pop(item.number, None)
            _close(handle)

    def _on_notification(self, number: int, row: NotificationRow) -> None:
        if self._manager is not None and number == self._manager_number:
            self._on_manager_notification(self._manager, row)
            return
        item = self._by_number.get(number)
        if item is None:
            return  # the registration was closed
        item.recheck_at = None
        if row.notification_status != 0:
            self._close_registration(item)  # an open handle would keep a deleted service
            item.refused = row.notification_status != ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
            if not item.refused:
                self._reopen(item)
            self._poll_within(self._interval)
        elif row.triggered:
            self._on_status(item, ServiceStatus.from_row(row.status))
            self._arm(item)
        else:
            self._events.append(ConfigChanged(item.name))

    def _on_status(self, item: _WatchedService, status: ServiceStatus) -> None:
        old, item.status = item.status, status
        if _differ(old, status):
            self._events.append(StatusChanged(item.name, old, status))

    def _recheck_unconfirmed(self, now: float) -> None:
        """Query the services whose changed status was not notified in time."""
        for item in list(self._watched.values()):
            if item.recheck_at is not None and item.handle is not None and item.recheck_at <= now:
                item.recheck_at = None
                try:
                    self._on_status(item, self._query(item.name, item.handle))
                except Win32Error:
                    self._close_registration(item)
                    self._poll_within(0)

    # ------------------------------------------------------------------- polling

    def _poll(self, *, initial: bool = False) -> None:
        """Compare the existing services with the known ones; the ``initial`` poll has no events."""
        if self._manager is None:
            for item in self._watched.values():
                self._close_registration(item)
        existing = self._poll_named() if self._names else self._list()
        for key in self._watched.keys() - existing.keys():
            self._on_deleted(self._watched[key].name)
        for key, (name, status, handle) in existing.items():
            known = self._watched.get(key)
            item = self._watched.setdefault(key, _WatchedService(name, status))
            if known is None:
                if not initial:
                    self._events.append(ServiceCreated(name, status))
            elif item.handle is None:
                self._on_status(item, status)
            elif _differ(item.status, status) and item.recheck_at is None:
                item.recheck_at = self._backend.monotonic() + _RECHECK_DELAY
            if handle is not None:
                self._register(item, handle)
            elif item.handle is None and not item.refused and self._manager is not None:
                self._reopen(item)
        self._next_poll = None
        if self._manager is None or not all(item.handle for item in self._watched.values()):
            self._poll_within(self._interval)

    def _poll_within(self, seconds: float) -> None:
        end = self._backend.monotonic() + seconds
        self._next_poll = end if self._next_poll is None else min(self._next_poll, end)

    def _list(self) -> dict[str, tuple[str, ServiceStatus, Handle | None]]:
        infos = chain.from_iterable(self._own.pages(self._service_type))
        return {name_key(info.name): (info.name, info.status, None) for info in infos}

    def _poll_named(self) -> dict[str, tuple[str, ServiceStatus, Handle | None]]:
        """Query the named services; return new handles to those without a registration."""
        existing: dict[str, tuple[str, ServiceStatus, Handle | None]] = {}
        try:
            for key, name in self._names.items():
                item = self._watched.get(key)
                if item is not None and item.handle is not None:
                    existing[key] = item.name, self._query(name, item.handle), None
                    continue
                try:
                    handle, status = self._open(name)
                except ServiceNotFoundError:
                    continue
                existing[key] = name, status, handle
        except BaseException:
            for _, _, opened in existing.values():
                _close(opened)
            raise
        return existing


_CREATED_OR_DELETED: Final = Notify.CREATED | Notify.DELETED


def _differ(old: ServiceStatus, new: ServiceStatus) -> bool:
    restarted = old.pid is not None and new.pid is not None and old.pid != new.pid
    return old.state != new.state or restarted


def _close(closable: Handle | Connection | None) -> None:
    if closable is not None:
        try:
            closable.close()
        except Win32Error:
            pass  # the connection is lost, and the handle is closed in any case


publish(__name__)
