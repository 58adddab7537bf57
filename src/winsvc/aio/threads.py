"""Calls in threads of their own, for tasks of asyncio and, by anyio, of trio.

Not in the event loop's pool of threads: many may wait at a time, and each for long.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    ExitStack,
    asynccontextmanager,
)
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Final, Generic, ParamSpec, TypeVar

from winsvc._scm.waiting import CancelToken

__all__ = ["Opening", "calling", "in_loop", "within", "waiting"]

T = TypeVar("T")
P = ParamSpec("P")
C = TypeVar("C", bound=AbstractAsyncContextManager[Any])

GRACE: Final = 0.05
"""How many seconds a call that was cancelled has to come to its end."""


class _Call(Generic[T]):
    """A call in a thread. It begins at once, whatever happens to the task that waits for it."""

    def __init__(self, function: Callable[[], T], late: Callable[[T], object] | None) -> None:
        self._function, self._late = function, late
        self._result: Future[T] = Future()  # cancelled when nobody wants it

    def start(self, done: Callable[[], object]) -> None:
        """Start the call; ``done`` is called in its thread, at the end."""
        run = partial(copy_context().run, self._run, done)
        name = f"winsvc {getattr(self._function, '__qualname__', 'call')}"
        threading.Thread(target=run, name=name, daemon=True).start()

    def _run(self, done: Callable[[], object]) -> None:
        try:
            result = self._function()
        except BaseException as error:
            if self._result.set_running_or_notify_cancel():
                self._result.set_exception(error)
        else:
            if self._result.set_running_or_notify_cancel():
                self._result.set_result(result)
            else:
                self._too_late(result)
        try:
            done()
        except RuntimeError:
            pass  # the event loop is closed

    def result(self) -> T:
        return self._result.result(timeout=0)

    def abandon(self) -> None:
        """Nobody wants the result any more."""
        if not self._result.cancel() and self._result.exception() is None:
            result = self._result.result()
            threading.Thread(target=self._too_late, args=(result,), daemon=True).start()

    def _too_late(self, result: T) -> None:
        if self._late is not None:
            try:
                self._late(result)
            except OSError:
                pass  # a handle of a connection that is lost


class _Asyncio:
    """asyncio's event loop, with nothing but the standard library."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def run(self, call: _Call[Any], cancel: Callable[[], object] | None) -> None:
        """Start a call and wait for its end; cancel it when this is cancelled."""
        done = self._loop.create_future()
        call.start(lambda: self._loop.call_soon_threadsafe(_set, done))
        try:
            await done
        except asyncio.CancelledError:
            call.abandon()
            if cancel is not None:
                cancel()
            end = self._loop.time() + GRACE
            while not done.done() and (left := end - self._loop.time()) > 0:
                try:
                    await asyncio.wait([done], timeout=left)
                except asyncio.CancelledError:
                    pass  # once more: the first one is passed on anyhow
            raise

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> object:
        """From another thread, call a function in the loop's thread and return its result."""
        result: Future[object] = Future()

        def run() -> None:
            try:
                result.set_result(function(*args, **kwargs))
            except BaseException as error:
                result.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return result.result()


def _set(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)


class _Anyio:
    """Whatever event loop anyio knows."""

    def __init__(self) -> None:
        try:
            import anyio
            import anyio.from_thread
            import anyio.lowlevel
        except ImportError as error:
            raise RuntimeError(
                "outside of asyncio this needs anyio 4.11 or later: pip install winsvc-cffi[aio]"
            ) from error
        self._anyio = anyio
        self._token = anyio.lowlevel.current_token()

    async def run(self, call: _Call[Any], cancel: Callable[[], object] | None) -> None:
        done = self._anyio.Event()
        call.start(lambda: self._anyio.from_thread.run_sync(done.set, token=self._token))
        try:
            await done.wait()
        except self._anyio.get_cancelled_exc_class():
            call.abandon()
            if cancel is not None:
                cancel()
            with self._anyio.move_on_after(GRACE, shield=True):
                await done.wait()
            raise

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> object:
        call = partial(function, *args, **kwargs)
        return self._anyio.from_thread.run_sync(call, token=self._token)


def _current() -> _Asyncio | _Anyio:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    return _Anyio() if task is None else _Asyncio()


async def calling(function: Callable[[], T], late: Callable[[T], object] | None = None) -> T:
    """Call a function in a thread.

    Args:
        function: what to call; it goes on when the task is cancelled.
        late: what to do with the result then.
    """
    call = _Call(function, late)
    await _current().run(call, None)
    return call.result()


async def waiting(
    function: Callable[[CancelToken], T], late: Callable[[T], object] | None = None
) -> T:
    """Call a function that waits in a thread; it ends when the task is cancelled."""
    token = CancelToken()
    call = _Call(lambda: function(token), late)
    await _current().run(call, token.cancel)
    return call.result()


def in_loop(function: Callable[P, object] | None) -> Callable[P, object] | None:
    """Return a function that calls this one in the event loop's thread, from any other."""
    if function is None:
        return None
    loop, wanted = _current(), function

    def call(*args: P.args, **kwargs: P.kwargs) -> object:
        return loop.call(wanted, *args, **kwargs)

    return call


@asynccontextmanager
async def within(
    create: Callable[[], AbstractContextManager[object]], value: T
) -> AsyncIterator[T]:
    """Enter and leave a context manager in threads; the block gets the value."""
    stack = ExitStack()
    await calling(lambda: stack.enter_context(create()), late=lambda entered: stack.close())
    try:
        yield value
    except BaseException as error:
        traceback = error.__traceback__
        await calling(lambda: stack.__exit__(type(error), error, traceback))
        raise
    await calling(stack.close)


class Opening(Generic[C]):
    """Something that is being opened: ``async with`` it, which closes it, or ``await`` it."""

    def __init__(self, opening: Callable[[], Coroutine[Any, Any, C]]) -> None:
        self._opening = opening
        self._opened: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._opening().__await__()

    async def __aenter__(self) -> C:
        self._opened = await self._opening()
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._opened is not None
        await self._opened.__aexit__(kind, error, trace)
