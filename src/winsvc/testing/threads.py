"""The search for threads that can end a wait for which no event is scheduled."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple
from weakref import WeakSet

__all__ = ["ConcurrentWaits", "EndlessWaitError", "OtherThreads"]

_WATCHDOG: Final = "pytest_timeout"

_ACTIVE_FOR: Final = 0.05  # real seconds after a call in which a thread is expected to continue
_PATIENCE: Final = 0.2  # real seconds for a thread whose wait is over to return from it

# SimulatedClock.replacing_time() replaces these functions.
_real_monotonic, _real_sleep = time.monotonic, time.sleep


class EndlessWaitError(RuntimeError):
    """A wait in simulated time that nothing can end.

    Nothing is scheduled in simulated time, and no other thread runs that could change something:
    on real threads the wait would hang.
    """

    def __init__(self) -> None:
        super().__init__(
            "nothing can end this wait: no event is scheduled in simulated time, and no other "
            "thread is running that could cause one. Specify a timeout, or schedule the awaited "
            "event: with a ProgramBehavior, sim.clock.after(), or a thread."
        )


class OtherThreads:
    """The threads beside the waiting one.

    All count that are alive, except:

    - daemon threads that are older than the simulation and have never called it, such as those of
      debuggers, notebooks and earlier tests;
    - threads that wait in this simulation themselves, but for the main thread: where all wait, it
      gets the error, and the others continue to wait for it;
    - hosted threads, which wait for their turn;
    - idle workers of a :class:`concurrent.futures.ThreadPoolExecutor`;
    - the timer of pytest-timeout.

    On the main thread an interval timer whose signal has a handler counts, too.
    """

    def __init__(self, is_hosted: Callable[[int], bool]) -> None:
        own = threading.current_thread()
        older = (thread for thread in threading.enumerate() if thread.daemon and thread is not own)
        self._outsiders = WeakSet(older)
        self._is_hosted = is_hosted
        self._waiting: dict[int, Callable[[], bool]] = {}  # by thread: whether its wait is over
        self._calls: dict[int, float] = {}  # by thread: the real time of its last call

    def register(self) -> None:
        """Note that the calling thread uses the simulation now."""
        self._calls[threading.get_ident()] = _real_monotonic()
        if self._outsiders:
            self._outsiders.discard(threading.current_thread())

    def is_any_active(self, waiting: Callable[[int], bool]) -> bool:
        """Return whether another thread has just called the simulation, and runs on."""
        own, since = threading.get_ident(), _real_monotonic() - _ACTIVE_FOR
        recent = [ident for ident, at in list(self._calls.items()) if ident != own and at > since]
        if not recent:
            return False
        threads = {thread.ident: thread for thread in threading.enumerate()}
        return any(
            ident in threads and not waiting(ident) and self._counts(threads[ident])
            for ident in recent
        )

    @contextmanager
    def waiting(self, is_over: Callable[[], bool]) -> Iterator[None]:
        """Let the calling thread not count in the ``with`` block, until its wait is over."""
        self._waiting[threading.get_ident()] = is_over
        try:
            yield
        finally:
            self._waiting.pop(threading.get_ident(), None)  # a signal handler may have waited, too

    def can_act(self) -> bool:
        """Return whether another thread, or a signal handler, may still do something."""
        own = threading.current_thread()
        others = (thread for thread in threading.enumerate() if thread is not own)
        return any(self._counts(thread) for thread in others) or _is_signal_due()

    def _counts(self, thread: threading.Thread) -> bool:
        ident = thread.ident or 0
        is_over = self._waiting.get(ident)
        if is_over is not None:
            return is_over() or thread is threading.main_thread()
        if thread in self._outsiders or self._is_hosted(ident):
            return False
        action = getattr(thread, "function", None)  # of a threading.Timer
        return getattr(action, "__module__", None) != _WATCHDOG and not _is_idle_worker(ident)


class _Wait(NamedTuple):
    """A wait in simulated time: whether it is over, and the time at which it ends."""

    is_over: Callable[[], bool]
    end: float


class ConcurrentWaits:
    """The waits of several threads, which share one clock.

    A thread lets time pass only up to the earliest end of all waits, and only after every thread
    whose wait is over has returned from it. Otherwise one thread would let minutes pass before
    another thread, which has to poll, notices the first second.
    """

    def __init__(self, now: Callable[[], float], threads: OtherThreads) -> None:
        self._now = now
        self._threads = threads
        self._waits: dict[int, _Wait] = {}  # by thread

    @contextmanager
    def register(self, is_over: Callable[[], bool], end: float) -> Iterator[None]:
        """Register the wait of the calling thread in the ``with`` block."""
        ident = threading.get_ident()
        outer = self._waits.get(ident)  # of a signal handler, or of a callback in a wait
        self._waits[ident] = _Wait(is_over, end)
        try:
            yield
        finally:
            self._threads.register()  # first, so that the thread counts as active or as waiting
            if outer is None:
                del self._waits[ident]
            else:
                self._waits[ident] = outer

    @property
    def several(self) -> bool:
        """True while more than one thread waits."""
        return len(self._waits) > 1

    def limit(self, end: float) -> float:
        """Return the time up to which the calling thread may let time pass."""
        return min((wait.end for wait in self._others()), default=end)

    def let_others_run(self) -> None:
        """Wait, in real time, for the threads that continue before time passes."""
        give_up = _real_monotonic() + _PATIENCE
        while self._is_any_due() and _real_monotonic() < give_up:
            _real_sleep(0.0005)

    def _is_any_due(self) -> bool:
        now = self._now()
        if any(now >= wait.end or wait.is_over() for wait in self._others()):
            return True
        return self._threads.is_any_active(self._waits.__contains__)

    def _others(self) -> list[_Wait]:
        own = threading.get_ident()
        return [wait for ident, wait in list(self._waits.items()) if ident != own]


def _is_idle_worker(ident: int) -> bool:
    """Return whether a thread is a worker of a thread pool that waits for work."""
    pool = sys.modules.get("concurrent.futures.thread")
    frame = sys._current_frames().get(ident)
    # While it waits in C for its queue, the worker function is the innermost one.
    return pool is not None and frame is not None and frame.f_code is pool._worker.__code__


def _is_signal_due() -> bool:
    """Return whether a signal handler will run in the calling thread."""
    if sys.platform != "win32" and threading.current_thread() is threading.main_thread():
        handler = signal.getsignal(signal.SIGALRM)
        is_set = signal.getitimer(signal.ITIMER_REAL)[0] > 0
        return is_set and callable(handler) and getattr(handler, "__module__", None) != _WATCHDOG
    return False
