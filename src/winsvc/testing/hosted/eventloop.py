"""An asyncio event loop whose timers are in simulated time."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

from winsvc.backend import ProcessEnded
from winsvc.testing.hosted.scheduler import SHORTEST, CooperativeScheduler, Pause

if TYPE_CHECKING:
    from winsvc.backend import HostBackend, HostEvent

    Ts = TypeVarTuple("Ts")

__all__ = ["run_coroutine"]

T = TypeVar("T")
A = TypeVar("A")

_POLLS: Final = 100  # a loop that never waits lets a little time pass, too
_GLANCE: Final = 1.0  # simulated seconds after which it looks at what is real
_LAST_JOBS: Final = 300.0  # simulated seconds that threads have at the end
_LAST_ROUNDS: Final = 1000  # that tasks have to end when their process has


class _Selector(selectors.DefaultSelector):
    """Waits in simulated time; at what is real it looks every second of that."""

    def __init__(self, scheduler: CooperativeScheduler) -> None:
        super().__init__()
        self._scheduler = scheduler
        self._pause: Pause | None = None
        self._woken = False
        self._polls = 0
        self.rounds_left: int | None = None  # once the process has ended

    def wake(self) -> None:
        """End the current wait, or else the next, when time next passes."""
        with self._scheduler.lock:
            self._woken = True
            if self._pause is not None:
                self._scheduler.clock.after(0, self._pause.resume)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.rounds_left is not None:
            self.rounds_left -= 1
            if self.rounds_left < 0:
                raise ProcessEnded
            return super().select(0)
        ready = super().select(0)
        self._polls += 1
        polls = timeout is not None and timeout <= 0
        if ready or (polls and self._polls % _POLLS):
            return ready
        self._wait(timeout)
        return super().select(0)

    def _wait(self, timeout: float | None) -> None:
        with self._scheduler.lock:
            woken, self._woken = self._woken, False
            if woken:
                return
            if len(self.get_map()) > 1:  # more than what wakes the loop
                timeout = _GLANCE if timeout is None else min(timeout, _GLANCE)
            if timeout is not None:
                # Round up: after an early return the loop would poll repeatedly.
                timeout = max(math.ceil(round(timeout * 1e6, 3)) / 1e6, SHORTEST)
            self._pause = self._scheduler.pause()
            try:
                self._scheduler.wait(self._pause, timeout)
            finally:
                self._pause = None
                self._woken = False


class _Loop(asyncio.SelectorEventLoop):
    """The loop: its time is the simulation's."""

    def __init__(self, host: HostBackend, selector: _Selector) -> None:
        self._host = host
        self._simulated = selector
        self._jobs: list[HostEvent] = []  # that run in threads; set at their ends
        super().__init__(selector)

    def time(self) -> float:
        """Return the simulated time, in seconds."""
        return self._host.monotonic()

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """From any thread: have a function called in the loop's, when time next passes."""
        handle = super().call_soon_threadsafe(callback, *args, context=context)
        self._simulated.wake()
        return handle

    def run_in_executor(
        self,
        executor: Executor | None,
        func: Callable[[*Ts], T],
        *args: *Ts,
    ) -> asyncio.Future[T]:
        """Call a function in a thread; without an executor, in a scheduled thread."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[T] = self.create_future()
        over = self._host.new_event()

        def job() -> None:
            try:
                result = func(*args)
            except Exception as error:
                self._settle(future, future.set_exception, error)
            else:
                self._settle(future, future.set_result, result)
            finally:
                self._jobs.remove(over)
                over.set()

        self._jobs.append(over)
        self._host.start_thread(job, f"{getattr(func, '__qualname__', 'a function')} in a thread")
        return future

    def _settle(self, future: asyncio.Future[T], settle: Callable[[A], None], outcome: A) -> None:
        def settle_once() -> None:
            if not future.done():
                settle(outcome)

        if not self.is_closed():
            self.call_soon_threadsafe(settle_once)

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """Wait for the threads."""
        for over in list(self._jobs):
            over.wait(_LAST_JOBS)


def run_coroutine(
    host: HostBackend, scheduler: CooperativeScheduler, coroutine: Coroutine[object, object, T]
) -> T:
    """:func:`asyncio.run`, in a hosted thread."""
    selector = _Selector(scheduler)
    loop = _Loop(host, selector)
    loop.set_exception_handler(_handle_exception)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(coroutine)
        finally:
            thread = scheduler.current()
            if thread is not None and thread.over:
                selector.rounds_left = _LAST_ROUNDS


def _handle_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), ProcessEnded):
        loop.default_exception_handler(context)
