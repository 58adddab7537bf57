"""An asyncio event loop whose timers are in simulated time."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from contextvars import Context
from typing import TYPE_CHECKING, Any, Final, TypeVar, TypeVarTuple

from winsvc.backend import ProcessEnded
from winsvc.testing.hosted.baton import SHORTEST, Baton, Pause

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

    from winsvc.backend import HostBackend, HostEvent

    Ts = TypeVarTuple("Ts")

__all__ = ["run_coroutine"]

T = TypeVar("T")
A = TypeVar("A")

_POLLS: Final = 100  # a loop that never waits lets a little time pass, too
_GLANCE: Final = 1.0  # simulated seconds after which it looks at what is real
_LAST_JOBS: Final = 300.0  # simulated seconds that threads have at the end
_LAST_ROUNDS: Final = 1000  # that tasks have to end when their process has


class _Selector(selectors.BaseSelector):
    """Waits in simulated time; at what is real it looks every second of that."""

    def __init__(self, baton: Baton) -> None:
        self._baton = baton
        self._real = selectors.DefaultSelector()
        self._pause: Pause | None = None
        self._woken = False
        self._polls = 0
        self.rounds_left: int | None = None  # once the process has ended

    def register(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(
        self, fileobj: FileDescriptorLike, events: int, data: Any = None
    ) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()

    def wake(self) -> None:
        """Have the wait that is on, or else the next one, end when time next passes."""
        with self._baton.lock:
            self._woken = True
            if self._pause is not None:
                self._baton.clock.after(0, self._pause.resume)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.rounds_left is not None:
            self.rounds_left -= 1
            if self.rounds_left < 0:
                raise ProcessEnded
            return self._real.select(0)
        ready = self._real.select(0)
        self._polls += 1
        polls = timeout is not None and timeout <= 0
        if ready or (polls and self._polls % _POLLS):
            return ready
        self._wait(timeout)
        return self._real.select(0)

    def _wait(self, timeout: float | None) -> None:
        with self._baton.lock:
            woken, self._woken = self._woken, False
            if woken:
                return
            if len(self._real.get_map()) > 1:  # more than what wakes the loop
                timeout = _GLANCE if timeout is None else min(timeout, _GLANCE)
            if timeout is not None:
                # Never a trifle early: the loop would ask again and again.
                timeout = max(math.ceil(round(timeout * 1e6, 3)) / 1e6, SHORTEST)
            self._pause = self._baton.pause()
            try:
                self._baton.wait(self._pause, timeout)
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
        """The simulated time, in seconds."""
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
        """Call a function in a thread: without an executor in one that takes its turns."""
        if executor is not None:
            return super().run_in_executor(executor, func, *args)
        future: asyncio.Future[T] = self.create_future()
        over = self._host.new_event()

        def job() -> None:
            try:
                result = func(*args)
            except Exception as error:
                self._tell(_fail, future, error)
            else:
                self._tell(_succeed, future, result)
            finally:
                self._jobs.remove(over)
                over.set()

        self._jobs.append(over)
        self._host.start_thread(job, f"{getattr(func, '__qualname__', 'a function')} in a thread")
        return future

    def _tell(self, told: Callable[[asyncio.Future[T], A], None], *args: Any) -> None:
        if not self.is_closed():
            self.call_soon_threadsafe(told, *args)

    def wait_for_jobs(self) -> None:
        """Wait for the threads, as :func:`asyncio.run` does at its end."""
        for over in list(self._jobs):
            over.wait(_LAST_JOBS)


def _succeed(future: asyncio.Future[T], result: T) -> None:
    if not future.done():
        future.set_result(result)


def _fail(future: asyncio.Future[T], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def run_coroutine(host: HostBackend, baton: Baton, coroutine: Coroutine[object, object, T]) -> T:
    """:func:`asyncio.run`, in a hosted thread."""
    selector = _Selector(baton)
    loop = _Loop(host, selector)
    loop.set_exception_handler(_handle_exception)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        try:
            thread = baton.current()
            if thread is not None and thread.over:
                selector.rounds_left = _LAST_ROUNDS
            _cancel_all(loop)
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.wait_for_jobs()
        finally:
            loop.close()


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            loop.call_exception_handler(
                {
                    "message": "an exception in a task, while the loop was closed",
                    "exception": task.exception(),
                    "task": task,
                }
            )


def _handle_exception(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if not isinstance(context.get("exception"), ProcessEnded):
        loop.default_exception_handler(context)
