"""Following what happens to services: one, several, or all of a machine."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from winsvc._scm.waiting import EVERY_STATE, CancelToken, Waiter
from winsvc._util.durations import Duration, to_timedelta
from winsvc._util.handles import Closing, Handle
from winsvc._util.text import name_key
from winsvc._values.rows import NotificationRow
from winsvc._values.status import ServiceStatus
from winsvc.backend import Backend
from winsvc.enums import ErrorCode, ManagerAccess, Notify, ServiceAccess, ServiceType
from winsvc.errors import (
    ArgumentError,
    HandleClosedError,
    MachineUnreachableError,
    ServiceError,
    ServiceNotFoundError,
)

if TYPE_CHECKING:
    from winsvc._scm.handle_pool import Grants
    from winsvc._scm.manager import ServiceManager

__all__ = [
    "ConfigChanged",
    "Connection",
    "ServiceCreated",
    "ServiceDeleted",
    "ServiceEvent",
    "StatusChanged",
    "Watch",
]

# A state that was seen and not told: how long until that counts.
_DOUBT: Final = 1.0


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """Something that has happened to a service.

    Attributes:
        name: the service's key name.
    """

    name: str


@dataclass(frozen=True, slots=True)
class ServiceCreated(ServiceEvent):
    """A service was installed.

    Attributes:
        status: where it stands; None where it is gone again.
    """

    status: ServiceStatus | None


@dataclass(frozen=True, slots=True)
class ServiceDeleted(ServiceEvent):
    """A service is gone; while it is only marked for deletion, it is still there."""


@dataclass(frozen=True, slots=True)
class StatusChanged(ServiceEvent):
    """A service is in another state, or in another process.

    States that it was in for an instant may be left out.

    Attributes:
        old: where it stood when it was last told.
        new: where it stands now.
    """

    old: ServiceStatus
    new: ServiceStatus


@dataclass(frozen=True, slots=True)
class ConfigChanged(ServiceEvent):
    """A service is set up differently, or was written as it is; Windows does not tell what."""


@dataclass(frozen=True, slots=True)
class Connection:
    """What a :class:`Watch` needs of a manager that is its own."""

    scm: ServiceManager
    grants: Grants[ManagerAccess]
    open_service: Callable[[str, ServiceAccess], Handle]


@dataclass(slots=True, eq=False)
class _Watched:
    """A service that is there."""

    name: str
    status: ServiceStatus
    handle: Handle | None = None  # through which it tells; None: it is looked at
    number: int = 0  # the handle's
    refused: bool = False  # it can't tell
    doubted: float | None = None  # when to ask whether it tells everything


class Watch(Closing):
    """The events of services, as they come; made by :meth:`winsvc.ServiceManager.watch`.

    ::

        with scm.watch() as events:
            for event in events:
                print(event)

    The iteration ends when the watch is closed, by :meth:`close` from any thread or by the end of
    the ``with`` block. One thread at a time iterates.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        backend: Backend,
        names: tuple[str, ...],
        kind: ServiceType,
        interval: Duration,
    ) -> None:
        self._connect, self._backend, self._kind = connect, backend, kind
        self._names = {name_key(name): name for name in names}
        self._interval = to_timedelta(interval, "interval").total_seconds()
        if not self._interval:
            raise ArgumentError("interval", "must be longer than nothing")
        self._lock = threading.RLock()  # re-entrant: a signal handler may close
        self._inside = self._closing = self._lost = False
        self._events: deque[ServiceEvent] = deque()
        self._watched: dict[str, _Watched] = {}
        self._by_number: dict[int, _Watched] = {}
        self._ghosts: set[str] = set()  # that were gone again when they were told as made
        self._next_look: float | None = None  # None: everything is told
        self._manager: Handle | None = None  # which tells of services made and gone
        self._manager_number = 0
        self._connection: Connection | None = None
        self._waiter = Waiter(backend)
        try:
            self._begin()
            self._look(quiet=True)
        except BaseException:
            self.close()
            raise

    # ------------------------------------------------------------------- for its users

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
        """Whether :meth:`close` was called."""
        return self._closing

    def wait(
        self, timeout: Duration | None = None, *, cancel: CancelToken | None = None
    ) -> ServiceEvent | None:
        """The next event; None where there is none within the timeout, or the watch is closed.

        Args:
            timeout: how long to wait for one; None for as long as it takes, 0 not at all.
            cancel: ends this wait, with None, from another thread; the watch goes on.

        Raises:
            MachineUnreachableError: the machine no longer answers. A later call tries again, and
                tells what has changed meanwhile.
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
        """Stop watching, also while another thread waits. A second call does nothing."""
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
            self._begin_again()
        while not self._events:
            if cancel is not None and cancel.cancelled:
                return None
            ends = [one.doubted for one in self._watched.values() if one.doubted is not None]
            ends += [end for end in (self._next_look, deadline) if end is not None]
            seconds = max(min(ends) - now, 0.0) if ends else None
            told = self._waiter.wait(seconds)
            for number, row in told:
                self._told(number, row)
            if self._closing:
                return None
            now = self._backend.monotonic()
            due = now + 1e-6  # a wait may end a trifle early
            self._settle_doubts(due)
            if self._next_look is not None and due >= self._next_look:
                self._look_again()
            # What was told may have more behind it, which is told once that is armed again.
            if not told and deadline is not None and due >= deadline:
                break
        return self._events.popleft() if self._events else None

    def _release(self) -> None:
        for one in self._watched.values():
            self._deafen(one)
            one.refused = False
        _close(self._manager)
        self._manager = None
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection.scm)
        if self._closing:
            self._waiter.close()

    # ------------------------------------------------------------------- beginning

    def _begin(self) -> None:
        """Connect, and have it told what is made and what goes; then look at what is there."""
        self._connection = self._connect()
        self._listen_to_manager()

    def _begin_again(self) -> None:
        """After a connection that was lost; what has changed meanwhile shows."""
        self._lost = True
        self._release()
        self._begin()
        self._look()
        self._lost = False

    def _look_again(self) -> None:
        try:
            self._look()
        except (HandleClosedError, MachineUnreachableError):
            self._begin_again()

    @property
    def _own(self) -> Connection:
        assert self._connection is not None
        return self._connection

    # ------------------------------------------------------------------- services made and gone

    def _listen_to_manager(self) -> None:
        if self._own.scm.machine is not None:
            return  # one call that hangs would have everybody in this process hang
        handle: Handle | None = None
        try:
            handle = self._waiter.bind(self._own.grants.another(ManagerAccess.ENUMERATE_SERVICE))
            self._waiter.arm(handle, _MADE_AND_GONE)
            with handle as self._manager_number:
                self._manager = handle
        except ServiceError:
            _close(handle)  # listings are compared

    def _manager_told(self, manager: Handle, row: NotificationRow) -> None:
        for name in row.service_names or ():
            if name.startswith("/"):
                self._made(name[1:])
            else:
                self._gone(name)
        try:
            if row.notification_status == 0:
                self._waiter.arm(manager, _MADE_AND_GONE)
                return
        except ServiceError:
            pass
        # It lags, or the connection is lost: with a new handle, and a look at what was missed.
        self._manager = None
        _close(manager)
        self._listen_to_manager()
        self._look_within(0)

    def _made(self, name: str) -> None:
        if name_key(name) in self._watched or not self._wants(name):
            return
        try:
            handle, status = self._open(name)
        except ServiceNotFoundError:
            self._ghosts.add(name_key(name))
            self._events.append(ServiceCreated(name, None))
            return
        except ServiceError:
            self._look_within(0)  # the listing tells more
            return
        if self._names or status.service_type & self._kind:
            self._events.append(ServiceCreated(name, status))
            one = self._watched[name_key(name)] = _Watched(name, status)
            self._follow(one, handle)
        else:
            _close(handle)

    def _gone(self, name: str) -> None:
        one = self._watched.pop(name_key(name), None)
        if one is not None:
            self._deafen(one)
            self._events.append(ServiceDeleted(one.name))
        elif name_key(name) in self._ghosts:
            self._ghosts.remove(name_key(name))
            self._events.append(ServiceDeleted(name))

    def _wants(self, name: str) -> bool:
        return not self._names or name_key(name) in self._names

    # ------------------------------------------------------------------- one service

    def _open(self, name: str) -> tuple[Handle, ServiceStatus]:
        handle: Handle | None = None
        try:
            handle = self._own.open_service(name, ServiceAccess.QUERY_STATUS)
            return handle, self._ask(handle)
        except ServiceError as error:
            _close(handle)
            error.locate(service=name, machine=self._own.scm.machine)
            raise

    def _ask(self, handle: Handle) -> ServiceStatus:
        with handle as value:
            return ServiceStatus.from_row(self._backend.query_service_status_ex(value))

    def _follow(self, one: _Watched, handle: Handle, *, again: bool = True) -> None:
        """Have a service tell through its handle, or close that."""
        # A handle keeps a service that is deleted: it is held where that would be told, and for
        # those that were named, whose handles are closed with every look.
        if self._own.scm.machine is not None or not (self._manager or self._names):
            _close(handle)
            return
        one.handle = self._waiter.bind(handle)
        with handle as one.number:
            self._by_number[one.number] = one
        self._arm(one, again=again)
        if one.handle is not None:
            try:
                self._waiter.subscribe(one.handle)
            except ServiceError:
                pass  # an old system

    def _arm(self, one: _Watched, *, again: bool = True) -> None:
        handle = one.handle
        assert handle is not None
        try:
            self._waiter.arm(handle, EVERY_STATE | Notify.DELETE_PENDING)
            if _differ(one.status, self._ask(handle)):
                # It should be told of: if it is not, that shows when it is asked again.
                one.doubted = self._backend.monotonic() + _DOUBT
        except ServiceError as error:
            self._deafen(one)
            lags = error.winerror == ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
            one.refused = not (lags and again)
            if not one.refused:
                self._reopen(one, again=False)

    def _reopen(self, one: _Watched, *, again: bool = True) -> None:
        """Have a service tell through a new handle; what was missed shows in its status."""
        try:
            handle, status = self._open(one.name)
        except ServiceError:
            one.refused = True  # then it is looked at
            return
        self._changed(one, status)
        self._follow(one, handle, again=again)

    def _deafen(self, one: _Watched) -> None:
        handle, one.handle, one.doubted = one.handle, None, None
        if handle is not None:
            self._by_number.pop(one.number, None)
            _close(handle)

    def _told(self, number: int, row: NotificationRow) -> None:
        if self._manager is not None and number == self._manager_number:
            self._manager_told(self._manager, row)
            return
        one = self._by_number.get(number)
        if one is None:
            return  # closed meanwhile
        one.doubted = None
        if row.notification_status != 0:
            self._deafen(one)  # the handle of one that is to go would keep it there
            one.refused = row.notification_status != ErrorCode.SERVICE_NOTIFY_CLIENT_LAGGING
            if not one.refused:
                self._reopen(one)
            self._look_within(self._interval)
        elif row.triggered:
            self._changed(one, ServiceStatus.from_row(row.status))
            self._arm(one)
        else:
            self._events.append(ConfigChanged(one.name))

    def _changed(self, one: _Watched, status: ServiceStatus) -> None:
        old, one.status = one.status, status
        if _differ(old, status):
            self._events.append(StatusChanged(one.name, old, status))

    def _settle_doubts(self, now: float) -> None:
        for one in list(self._watched.values()):
            if one.doubted is not None and one.handle is not None and one.doubted <= now:
                one.doubted = None
                try:
                    self._changed(one, self._ask(one.handle))
                except ServiceError:
                    self._deafen(one)
                    self._look_within(0)  # what became of it

    # ------------------------------------------------------------------- looking

    def _look(self, *, quiet: bool = False) -> None:
        """Compare what is there with what is known; ``quiet``: for the first time."""
        if self._manager is None:
            for one in self._watched.values():
                self._deafen(one)
        there = self._look_at_named() if self._names else self._list()
        for key in self._watched.keys() - there.keys():
            self._gone(self._watched[key].name)
        for key, (name, status, handle) in there.items():
            known = self._watched.get(key)
            one = self._watched.setdefault(key, _Watched(name, status))
            if known is None:
                if not quiet:
                    self._events.append(ServiceCreated(name, status))
            elif one.handle is None:
                self._changed(one, status)
            elif _differ(one.status, status) and one.doubted is None:
                one.doubted = self._backend.monotonic() + _DOUBT
            if handle is not None:
                self._follow(one, handle)
            elif one.handle is None and not one.refused and self._manager is not None:
                self._reopen(one)
        self._next_look = None
        if self._manager is None or not all(one.handle for one in self._watched.values()):
            self._look_within(self._interval)

    def _look_within(self, seconds: float) -> None:
        end = self._backend.monotonic() + seconds
        self._next_look = end if self._next_look is None else min(self._next_look, end)

    def _list(self) -> dict[str, tuple[str, ServiceStatus, Handle | None]]:
        listed = self._own.scm.services(type=self._kind)
        return {name_key(info.name): (info.name, info.status, None) for info in listed}

    def _look_at_named(self) -> dict[str, tuple[str, ServiceStatus, Handle | None]]:
        """The services that were named, with handles to those that have none."""
        there: dict[str, tuple[str, ServiceStatus, Handle | None]] = {}
        try:
            for key, name in self._names.items():
                one = self._watched.get(key)
                if one is not None and one.handle is not None:
                    there[key] = one.name, self._ask(one.handle), None
                    continue
                try:
                    handle, status = self._open(name)
                except ServiceNotFoundError:
                    continue
                there[key] = name, status, handle
        except BaseException:
            for _, _, opened in there.values():
                _close(opened)
            raise
        return there


_MADE_AND_GONE: Final = Notify.CREATED | Notify.DELETED


def _differ(old: ServiceStatus, new: ServiceStatus) -> bool:
    restarted = old.pid is not None and new.pid is not None and old.pid != new.pid
    return old.state != new.state or restarted


def _close(thing: Handle | ServiceManager | None) -> None:
    if thing is not None:
        try:
            thing.close()
        except ServiceError:
            pass  # its connection is lost; it is closed all the same
