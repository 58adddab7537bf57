"""Which threads can still end a wait in simulated time for which nothing is scheduled."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final
from weakref import WeakSet

__all__ = ["EndlessWaitError", "OtherThreads"]

_WATCHDOG: Final = "pytest_timeout"


class EndlessWaitError(RuntimeError):
    """A wait in simulated time that nothing can end.

    Nothing is scheduled in simulated time, and no other thread runs that could change something:
    on real threads the wait would hang.
    """

    def __init__(self) -> None:
        super().__init__(
            "nothing can end this wait: no event is scheduled in simulated time, and no other "
            "thread is running that could cause one. Specify a timeout, or schedule what the wait "
            "is for: with a ProgramBehavior of the service's program, sim.clock.after(), or a thread."
        )


class OtherThreads:
    """The threads beside the waiting one.

    All count that are alive, except:

    - daemon threads that are older than the simulation and have never called it, such as those of
      debuggers, notebooks and earlier tests;
    - threads that wait in this simulation themselves, but for the main thread: where all wait, it
      gets the error, and the others go on waiting for it;
    - hosted threads, which wait for their turn;
    - idle workers of a :class:`concurrent.futures.ThreadPoolExecutor`;
    - the timer of pytest-timeout.

    On the main thread an interval timer whose signal has a handler counts, too.
    """

    def __init__(self, is_hosted: Callable[[int], bool]) -> None:
        own = threading.current_thread()
        older = (one for one in threading.enumerate() if one.daemon and one is not own)
        self._outsiders = WeakSet(older)
        self._is_hosted = is_hosted
        self._waiting: dict[int, Callable[[], bool]] = {}  # by thread: whether its wait is over

    def register(self) -> None:
        """Have the calling thread count: it uses the simulation."""
        if self._outsiders:
            self._outsiders.discard(threading.current_thread())

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
        others = (one for one in threading.enumerate() if one is not own)
        return any(self._counts(one) for one in others) or _is_signal_due()

    def _counts(self, thread: threading.Thread) -> bool:
        ident = thread.ident or 0
        is_over = self._waiting.get(ident)
        if is_over is not None:
            return is_over() or thread is threading.main_thread()
        if thread in self._outsiders or self._is_hosted(ident):
            return False
        action = getattr(thread, "function", None)  # of a threading.Timer
        return getattr(action, "__module__", None) != _WATCHDOG and not _is_idle_worker(ident)


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
