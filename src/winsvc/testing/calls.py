"""The common base of all simulated calls: the log, the duration and simulated failures."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, TypeVar

from winsvc._util.text import check_text, pack_multi_string, same_name
from winsvc._values.account import Secret
from winsvc._values.rows import FailureActionsRow
from winsvc._values.status import ServiceStatus
from winsvc.enums import ErrorCode, ServiceAccess
from winsvc.errors import (
    ControlRefusedError,
    ServiceNotActiveError,
    ValidationError,
    Win32Error,
    win32_error,
)
from winsvc.testing.access import CallerIdentity, granted
from winsvc.testing.clock import SimulatedClock
from winsvc.testing.faults import Faults
from winsvc.testing.handles import HandleTable, Place
from winsvc.testing.hosted.scheduler import CooperativeScheduler
from winsvc.testing.refusal import RefusalError
from winsvc.testing.threads import ConcurrentWaits, EndlessWaitError, OtherThreads

if TYPE_CHECKING:
    from winsvc.backend import HostBackend
    from winsvc.security import SecurityDescriptor
    from winsvc.security.accesscheck import GenericMapping

__all__ = ["Call", "Simulation", "plain_name", "windows_call"]

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Simulation")

# Arguments that are handles whose place is that of the call.
_HANDLES: Final = ("service", "manager", "handle", "station", "desktop", "user_object")
_LOCAL: Final = ("localhost", "127.0.0.1", "::1", ".")
_FOREVER: Final = 1e12  # seconds
_LOOKS: Final = 10  # in which no thread is found that can end a wait, until it is endless
_GLANCE: Final = 0.01  # real seconds between two looks at what other threads have done
# Arguments that are lists in which an empty text would be the end, and how an error calls them.
_MULTI_STRINGS: Final = {"dependencies": "dependencies", "privileges": "required_privileges"}


@dataclass(slots=True)
class Call:
    """A recorded call, as :attr:`winsvc.testing.SimulatedSCM.calls` keeps it.

    Attributes:
        function: the Windows function, such as ``"OpenServiceW"``.
        at: the simulated time, in seconds.
        machine: the machine that was called; None for the own one.
        service: the service's key name, or the object's name; None where there is none.
        arguments: what was given, by name; a password is a :class:`winsvc.Secret`.
        error: the Windows error code; None where it succeeded.
    """

    function: str
    at: float
    machine: str | None
    service: str | None
    arguments: dict[str, object] = field(repr=False)
    error: int | None = None


class Simulation:
    """A clock, handles, a log of calls, and faults: what the parts of the simulated system share.

    Attributes:
        clock: the simulated time.
        scheduler: gives the threads of services in Python their turns.
        calls: every call, in order.
        faults: what is to go wrong.
        caller: the account that programs run as.
        handles: the open handles.
        latency: how long every call takes, in simulated seconds.
        other_threads: the threads that can end a wait of the calling one.
    """

    def __init__(self) -> None:
        self._later: list[Callable[[], None]] = []
        self.clock = SimulatedClock(self.transaction, lambda: bool(self._later))
        self.scheduler = self.clock.turns = CooperativeScheduler(self.clock)
        self.other_threads = OtherThreads(self.scheduler.is_hosted)
        self._waits = ConcurrentWaits(lambda: self.clock.now, self.other_threads)
        self.calls: list[Call] = []
        self.faults = Faults()
        self.caller = CallerIdentity.administrator()
        self.handles = HandleTable()
        self.latency = 0.001

    def as_host(self) -> HostBackend:
        """Return the simulation, as the processes of services use it."""
        raise NotImplementedError

    def _own_name(self) -> str:
        """Return the name of the machine that programs run on."""
        raise NotImplementedError

    def is_own_name(self, name: str) -> bool:
        """Return whether a name means the machine that programs run on."""
        plain = plain_name(name)
        return not plain or any(same_name(plain, own) for own in (*_LOCAL, self._own_name()))

    def _place(self, arguments: dict[str, object]) -> Place:
        """Return the machine and the service (or object) that a call's arguments mean."""
        places = (self.handles.place(arguments.get(name)) for name in _HANDLES)
        machine, found = next((place for place in places if place is not None), (None, None))
        called = arguments.get("machine")
        if isinstance(called, str) and not self.is_own_name(called):
            machine = plain_name(called)
        name = arguments.get("name", arguments.get("source"))
        return machine, name if isinstance(name, str) else found

    def grant(
        self,
        descriptor: SecurityDescriptor,
        access: int,
        mapping: GenericMapping,
        name: str | None = None,
    ) -> int:
        """Return the rights of a handle that the caller opens, but for those that faults deny."""
        rights = granted(descriptor, self.caller, access, mapping)
        denied = self.faults.denied(mapping, name)
        if access & ServiceAccess.MAXIMUM_ALLOWED:
            return rights & ~denied
        if rights & denied:
            raise RefusalError(ErrorCode.ACCESS_DENIED)
        return rights

    def check_administrator(self) -> None:
        """Refuse what only administrators and the system may do."""
        if not (self.caller.is_member("BA") or self.caller.is_member("SY")):
            raise RefusalError(ErrorCode.ACCESS_DENIED)

    def later(self, action: Callable[[], None]) -> None:
        """Schedule an action for the end of the running call."""
        with self.clock.lock:
            self._later.append(action)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the ``with`` block as one event; deliver its notifications at the end."""
        try:
            with self.clock.lock:
                scheduler = self.scheduler
                outer, scheduler.inside = scheduler.inside, threading.get_ident()
                try:
                    yield
                finally:
                    scheduler.inside = outer
        finally:
            self._deliver()

    def _deliver(self) -> None:
        """Deliver pending notifications, without holding the lock."""
        while self.scheduler.inside != threading.get_ident():  # else at the end of the outer call
            with self.clock.lock:
                if not self._later:
                    return
                action = self._later.pop(0)
            action()
            self.scheduler.wake_watchers_later()

    def wait_until(
        self,
        is_over: Callable[[], bool],
        changed: threading.Event,
        timeout: float | None,
        drives: bool = True,
    ) -> bool:
        """Let time pass from event to event until a wait is over.

        Where nothing is scheduled, and there is no timeout, it waits for other threads; see
        :class:`OtherThreads` for those that count.

        Args:
            is_over: whether it is.
            changed: set by other threads when that may have changed.
            timeout: how many simulated seconds to wait; None for no limit.
            drives: whether the thread lets time pass, rather than wait for others to do so.

        Returns:
            Whether anything happened.

        Raises:
            EndlessWaitError: there is no other thread that can end the wait.
        """
        self.other_threads.register()
        end = _FOREVER if timeout is None else self.clock.later(timeout)
        # A wait of 0 seconds lets no time pass, so that it does not take turns with other waits.
        if not drives or timeout == 0 or self.scheduler.is_hosted():
            return self._pass_time(is_over, changed, end, drives, self._run_until)
        with self._waits.register(is_over, end):
            return self._pass_time(is_over, changed, end, drives, self._run_in_turn)

    def _run_until(self, end: float) -> bool:
        """Let time pass until the next event, or until the end; return whether there was one."""
        with self.transaction():
            return (self.clock.step if end < _FOREVER else self.clock.run_next)(end)

    def _run_in_turn(self, end: float) -> bool:
        """Let time pass up to the limit that the waits of other threads set."""
        self._waits.let_others_run()
        return self._run_until(min(end, self._waits.limit(end)))

    def _pass_time(
        self,
        is_over: Callable[[], bool],
        changed: threading.Event,
        end: float,
        drives: bool,
        run: Callable[[float], bool],
    ) -> bool:
        any_event, looks = False, 0
        while not is_over():
            due = drives and run(end)
            if due:
                any_event, looks = True, 0
                continue
            if self.clock.now >= end:
                break
            looks = 0 if self.other_threads.can_act() else looks + 1
            if looks > _LOOKS:  # not at once: a thread may be about to begin or to end
                raise EndlessWaitError
            with self.other_threads.waiting(lambda: is_over() or self.clock.now >= end):
                changed.wait(_GLANCE / 10 if self._waits.several else _GLANCE)
        return any_event


def plain_name(machine: str) -> str:
    r"""Return a machine's name without the backslashes of ``\\name``."""
    return machine.removeprefix("\\\\")


def windows_call(
    function: str, *, instant: bool = False
) -> Callable[[Callable[Concatenate[S, P], R]], Callable[Concatenate[S, P], R]]:
    """Return a decorator for a method that simulates this Windows function.

    An instant call takes no simulated time, so that no other thread gets its turn. It is for calls
    under locks that other threads may wait for.
    """
    Faults.FUNCTIONS.add(function)

    def decorate(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
        names = list(inspect.signature(method).parameters)[1:]

        @functools.wraps(method)
        def call(self: S, /, *args: P.args, **keywords: P.kwargs) -> R:
            arguments = {**dict(zip(names, args, strict=False)), **keywords}
            _check_texts(arguments)
            self.other_threads.register()
            # A process that has ended has closed all.
            if not function.startswith(("Close", "DeregisterEventSource")):
                self.scheduler.check()
            with self.transaction():
                machine, service = self._place(arguments)
                entry = Call(function, self.clock.now, machine, service, arguments)
                self.calls.append(entry)
                try:
                    if not instant:
                        self.clock.elapse(self.latency + self.faults.delay(function))
                    self.faults.trigger(function, machine or self._own_name(), service)
                    return method(self, *args, **keywords)
                except RefusalError as refusal:
                    entry.error = int(refusal.code)
                    raise _error(refusal, function) from None
                except Win32Error as error:
                    entry.error = error.winerror
                    raise

        return call

    return decorate


def _check_texts(arguments: Mapping[str, object]) -> None:
    """Refuse, before the call, values that cannot be passed to Windows as a text."""
    for name, value in arguments.items():
        if name in _MULTI_STRINGS and value is not None:
            assert isinstance(value, Iterable)
            pack_multi_string(value, _MULTI_STRINGS[name])
        elif name in ("arguments", "strings"):
            assert isinstance(value, Iterable)
            for index, text in enumerate(value):
                check_text(text, f"{name}[{index}]")
        elif isinstance(value, str):
            check_text(value, name)
        elif isinstance(value, Secret) and "\0" in value.reveal():
            raise ValidationError(name, "must not contain a NUL character")
        elif isinstance(value, FailureActionsRow):
            _check_texts({"reboot_message": value.reboot_message, "command": value.command})


def _error(refusal: RefusalError, function: str) -> Win32Error:
    error = win32_error(refusal.code, function)
    if refusal.status is not None and isinstance(
        error, (ControlRefusedError, ServiceNotActiveError)
    ):
        error.status = ServiceStatus.from_row(refusal.status)
    return error
