"""Simulated time: timers run in order when a wait or a test lets time pass."""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final, Protocol

from winsvc._util.durations import Duration, to_timedelta

__all__ = ["SimulatedClock", "Timer", "Turns"]

_SECOND: Final = 1_000_000


class Timer:
    """A scheduled action, which :meth:`cancel` removes."""

    __slots__ = ("action", "at")

    def __init__(self, at: int, action: Callable[[], None]) -> None:
        self.at = at
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Remove the action from the schedule."""
        self.action = None


class Turns(Protocol):
    """Threads of which one runs at a time, and whose waits are events of the clock.

    See :mod:`winsvc.testing.hosted`. All other threads, such as a test's, let time pass themselves.
    """

    def is_hosted(self) -> bool:
        """Return whether the calling thread is such a thread."""

    def sleep(self, seconds: float) -> None:
        """Suspend the calling thread for so many seconds."""

    def watch(self, end: float) -> bool:
        """Suspend the calling thread until an event or a time; return whether there was one."""

    def run_ready(self) -> bool:
        """Run the threads that can continue; return whether there were any."""

    def drain(self) -> None:
        """Run the threads that can continue after an event."""


class SimulatedClock:
    """A clock that advances only when a thread waits or a test calls :meth:`advance`.

    Times are seconds since the creation of the clock, so each run of a test has the same times.

    Attributes:
        lock: held during each event.
        turns: the threads that take turns, if there are any.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[None]] = nullcontext,
        somebody_waits: Callable[[], bool] = lambda: False,
    ) -> None:
        """Create a clock at 0.

        Time passes within ``transaction``, which is left when ``somebody_waits``, so that pending
        notifications are delivered.
        """
        self._now = 0  # microseconds: they add up exactly
        self._order = itertools.count()
        self._due: list[tuple[int, int, Timer]] = []
        self.lock = threading.RLock()  # re-entrant: what happens may let time pass
        self.turns: Turns | None = None
        self._transaction = transaction
        self._somebody_waits = somebody_waits

    @property
    def now(self) -> float:
        """The time, in seconds."""
        return self._now / _SECOND

    def after(self, seconds: float, action: Callable[[], None]) -> Timer:
        """Schedule an action; without a delay, it runs during the next wait."""
        with self.lock:
            timer = Timer(self._now + round(seconds * _SECOND), action)
            heapq.heappush(self._due, (timer.at, next(self._order), timer))
        return timer

    def advance(self, duration: Duration) -> None:
        """Let time pass; actions that are due run in order, each at its own time.

        Waiting threads are notified of each event and may act on it.

        Raises:
            ValidationError: the duration is negative.
        """
        seconds = to_timedelta(duration, "duration").total_seconds()
        if (turns := self._own_turns()) is not None:
            turns.sleep(seconds)
            return
        end: int | None = None
        while True:
            with self._transaction():
                if end is None:  # not before: others may be letting time pass, too
                    end = self._now + round(seconds * _SECOND)
                while self._run_next(end):
                    if self._somebody_waits():
                        break
                else:
                    self._now = max(self._now, end)
                    return

    def elapse(self, seconds: float) -> None:
        """Let time pass within a call; waiting threads are notified when the call ends.

        In a hosted thread, which may hold locks, no action runs during the call.
        """
        with self.lock:
            end = self._now + round(seconds * _SECOND)
            while self._own_turns() is None and self._run_next(end):
                pass
            self._now = max(self._now, end)

    def run_next(self, end: float) -> bool:
        """Run the next action that is due until a time; return whether there was one.

        A hosted thread waits for the action.
        """
        if (turns := self._own_turns()) is not None:
            return turns.watch(end)
        return self._run_next(round(end * _SECOND))

    def step(self, end: float) -> bool:
        """Run the next action until a time, or advance to it; return whether there was one."""
        due = self.run_next(end)
        if not due:
            self.elapse(end - self.now)
        return due

    def later(self, seconds: float) -> float:
        """Return the time after a number of seconds, rounded as the clock shows it."""
        return round(self.now + seconds, 6)

    def _own_turns(self) -> Turns | None:
        """Return the scheduler if the calling thread is hosted."""
        return self.turns if self.turns is not None and self.turns.is_hosted() else None

    def _run_next(self, end: int) -> bool:
        with self.lock:
            if self.turns is not None and self.turns.run_ready():
                return True
            while self._due and self._due[0][0] <= end:
                at, _, timer = heapq.heappop(self._due)
                if timer.action is not None:
                    self._now = max(self._now, at)
                    timer.action()
                    if self.turns is not None:
                        self.turns.drain()
                    return True
        return False

    def is_anything_due(self) -> bool:
        """Return whether anything is scheduled."""
        with self.lock:
            return any(timer.action is not None for _, _, timer in self._due)

    @contextmanager
    def replacing_time(self) -> Iterator[None]:
        """Replace ``time.sleep`` and the clocks of :mod:`time` by this clock in the ``with`` block.

        Use it for programs that wait with :mod:`time`. It replaces ``time.sleep()``,
        ``time.monotonic()``, ``time.perf_counter()``, ``time.time()`` and the variants in
        nanoseconds, in every thread. It does not affect ``from time import sleep``, and the timers
        of asyncio do not run.
        """
        from unittest import mock  # slow to import

        began = time.time_ns()

        def nanoseconds() -> int:
            return self._now * 1000

        with mock.patch.multiple(
            time,
            sleep=self.advance,
            monotonic=lambda: self.now,
            perf_counter=lambda: self.now,
            time=lambda: (began + nanoseconds()) / 1e9,
            monotonic_ns=nanoseconds,
            perf_counter_ns=nanoseconds,
            time_ns=lambda: began + nanoseconds(),
        ):
            yield
