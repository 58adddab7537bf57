"""A scheduler for the threads of simulated processes: one thread runs at a time.

The threads are real ones. A thread keeps its turn until it waits in simulated time or ends; then
the thread that let time pass continues. Therefore every run of a test takes the same course.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from winsvc.backend import ProcessEnded
from winsvc.testing.clock import SimulatedClock

__all__ = ["SHORTEST", "CooperativeScheduler", "HostedThread", "Owner", "Pause"]

SHORTEST: Final = 0.001
"""The minimum simulated seconds of a wait: a thread that polls must let time pass."""

_real_monotonic = time.monotonic  # also while the clock replaces the functions of the time module


class Owner(Protocol):
    """The owner of hosted threads: a simulated process."""

    ended: bool

    def __str__(self) -> str:
        """Return the description for an error message."""


class Pause:
    """One wait of a hosted thread; the first to resume it ends it."""

    __slots__ = ("_scheduler", "thread", "timed_out")

    def __init__(self, scheduler: CooperativeScheduler, thread: HostedThread) -> None:
        self._scheduler = scheduler
        self.thread = thread
        self.timed_out = False

    def resume(self) -> None:
        """Resume the thread, as soon as it can have its turn."""
        self._scheduler.make_ready(self)

    def time_out(self) -> None:
        """Resume the thread at the timeout of its wait."""
        if self.thread.pause is self:
            self.timed_out = True
            self.resume()


class HostedThread:
    """A thread of a simulated process; it begins with its first turn."""

    def __init__(
        self, scheduler: CooperativeScheduler, target: Callable[[], None], name: str, owner: Owner
    ) -> None:
        self._scheduler = scheduler
        self._target = target
        self.owner = owner
        self.turn = threading.Condition(scheduler.lock)
        self.has_turn = False
        self.finished = False
        self.given_up = False  # it did not yield in time
        self.pause: Pause | None = Pause(scheduler, self)
        self.thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def started(self) -> bool:
        """True after the thread has had a turn."""
        return self.thread.ident is not None

    @property
    def over(self) -> bool:
        """True after the thread was given up, or its process has ended."""
        return self.given_up or self.owner.ended

    def _run(self) -> None:
        self._scheduler.on_start(self)
        try:
            self._target()
        except ProcessEnded:
            pass
        finally:
            self._scheduler.on_exit(self)


class CooperativeScheduler:
    """Schedules hosted threads: one of them runs at a time.

    A "driver" is any other thread that lets time pass, such as a test's. It holds the lock, and
    releases it while a hosted thread has its turn.

    Attributes:
        clock: the clock by which the threads wait.
        lock: the lock of the clock.
        inside: the thread that is in a transaction; see ``Simulation.transaction``.
        patience: how many real seconds a hosted thread may run without waiting.
    """

    def __init__(self, clock: SimulatedClock) -> None:
        self.clock = clock
        self.lock = lock = clock.lock
        self.inside: int | None = None
        self.patience = 30.0
        self._back = threading.Condition(lock)
        self._threads: dict[int, HostedThread] = {}  # that have begun, by their idents
        self._alive: list[HostedThread] = []  # and those that have not
        self._running: HostedThread | None = None
        self._ready: deque[Pause] = deque()
        self._watching: list[Pause] = []  # for whatever happens

    # ------------------------------------------------------------------- for all threads

    def current(self) -> HostedThread | None:
        """Return the calling hosted thread; None in any other thread."""
        return self._threads.get(threading.get_ident())

    def is_hosted(self, ident: int | None = None) -> bool:
        """Return whether a thread, by default the calling one, is a hosted one."""
        return (threading.get_ident() if ident is None else ident) in self._threads

    def owner(self) -> Owner | None:
        """Return the process that the calling thread belongs to."""
        thread = self.current()
        return None if thread is None else thread.owner

    def check(self) -> None:
        """Check that the process of the calling thread has not ended.

        Raises:
            ProcessEnded: it has.
        """
        thread = self.current()
        if thread is not None and thread.over:
            raise ProcessEnded

    def new_thread(self, target: Callable[[], None], name: str, owner: Owner) -> HostedThread:
        """Create a thread that begins when time next passes."""
        thread = HostedThread(self, target, name, owner)
        assert thread.pause is not None
        with self.lock:
            self._alive.append(thread)
            self.clock.after(0, thread.pause.resume)
        return thread

    def make_ready(self, pause: Pause) -> None:
        """Add a thread to those that are ready."""
        with self.lock:
            self._ready.append(pause)

    def wake_watchers(self) -> None:
        """Make the threads that watch for any event ready."""
        with self.lock:
            self._ready.extend(self._watching)
            self._watching.clear()

    def wake_watchers_later(self) -> None:
        """Make the threads that watch for any event ready when time next passes."""
        if self._watching or self._running is not None:  # which may be about to watch
            self.clock.after(0, lambda: None)

    def end(self, owner: Owner) -> None:
        """End the threads of a process that has ended.

        Raises:
            RuntimeError: a thread does not end.
        """
        with self.lock:
            for thread in self._alive:
                if thread.owner is owner and thread.pause is not None:
                    self._ready.append(thread.pause)
            self.run_ready()

    # ------------------------------------------------------------------- for hosted threads

    def pause(self) -> Pause:
        """Begin a wait: from now on the thread can be resumed. Under the lock, until it waits.

        Raises:
            ProcessEnded: the process has ended.
        """
        self.check()
        thread = self.current()
        if thread is None:
            raise RuntimeError("only a thread of a hosted service can wait for its turn")
        thread.pause = Pause(self, thread)
        return thread.pause

    def wait(self, pause: Pause, seconds: float | None = None) -> None:
        """Give the turn back, and wait for the next one, at most so many simulated seconds.

        Raises:
            ProcessEnded: the process has ended.
        """
        thread = pause.thread
        with self.lock, self._outside():
            timer = None if seconds is None else self.clock.after(seconds, pause.time_out)
            thread.has_turn = False
            self._running = None
            self._back.notify_all()
            while not thread.has_turn:
                thread.turn.wait()
            if timer is not None:
                timer.cancel()
        if thread.over:
            raise ProcessEnded

    def sleep(self, seconds: float) -> None:
        """Wait for so many simulated seconds."""
        with self.lock:
            self.wait(self.pause(), max(seconds, SHORTEST))

    def watch(self, end: float) -> bool:
        """Wait until something happens, whatever it is, or until a time; whether it did."""
        with self.lock:
            pause = self.pause()
            self._watching.append(pause)
            try:
                self.wait(pause, max(end - self.clock.now, 0.0) if end < _NEVER else None)
            finally:
                if pause in self._watching:
                    self._watching.remove(pause)
            return not pause.timed_out

    def on_start(self, thread: HostedThread) -> None:
        """Register the calling thread, which has its first turn."""
        with self.lock:
            self._threads[threading.get_ident()] = thread

    def on_exit(self, thread: HostedThread) -> None:
        """Remove the calling thread, which ends."""
        with self.lock:
            del self._threads[threading.get_ident()]
            thread.finished = True
            if thread in self._alive:
                self._alive.remove(thread)
            if self._running is thread:
                self._running = None
            self._back.notify_all()

    # ------------------------------------------------------------------- for drivers

    def drain(self) -> None:
        """Run the threads that are ready, and those that watch for any event."""
        self.run_ready()
        self.wake_watchers()
        self.run_ready()

    def run_ready(self) -> bool:
        """Resume the ready threads, one after the other; return whether there were any.

        Raises:
            RuntimeError: a thread did not return control.
        """
        if self.is_hosted():
            return False  # the driver does that, once this thread waits
        self._until_back()
        any_ready = False
        while self._ready:
            any_ready = self._hand_over(self._ready.popleft()) or any_ready
        return any_ready

    def _hand_over(self, pause: Pause) -> bool:
        thread = pause.thread
        if thread.pause is not pause:
            return False  # resumed before, for another reason
        thread.pause = None
        if not thread.started and thread.owner.ended:
            self._alive.remove(thread)
            return False
        self._running = thread
        thread.has_turn = True
        if thread.started:
            thread.turn.notify()
        else:
            thread.thread.start()
        self._until_back()
        if thread.finished:
            thread.thread.join(1)
        return True

    def _until_back(self) -> None:
        """Wait until no hosted thread has its turn."""
        if self._running is None:
            return
        with self._outside():
            thread, end = self._running, math.inf
            while self._running is not None:
                if thread is not self._running or end == math.inf:
                    thread, end = self._running, _real_monotonic() + self.patience
                left = end - _real_monotonic()
                if left <= 0:
                    raise self._lost(thread)
                self._back.wait(left)

    def _lost(self, thread: HostedThread) -> RuntimeError:
        """Abandon a thread that did not yield within ``patience`` seconds."""
        thread.given_up = True
        self._alive.remove(thread)
        self._running = None
        frame = sys._current_frames().get(thread.thread.ident or 0)
        where = (
            "".join(traceback.format_stack(frame))
            if frame is not None
            else "(the thread has ended)"
        )
        return RuntimeError(
            f"{thread.owner}: thread {thread.thread.name!r} has not waited in simulated time for "
            f"{self.patience:g} s of real time. It either computes for so long or waits for "
            "something real: a lock, a queue, a thread, a socket, or time.sleep() without "
            f"replacing_time(). Its stack:\n{where}"
        )

    @contextmanager
    def _outside(self) -> Iterator[None]:
        """Leave the transaction of this thread while the lock is released."""
        inside, self.inside = self.inside, None
        try:
            yield
        finally:
            self.inside = inside


_NEVER: Final = 1e11  # seconds
