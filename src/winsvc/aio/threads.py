"""Run blocking calls in threads, for tasks of asyncio and, with anyio, of trio.

Each call has its own thread, not a thread of the event loop's pool, because many calls may
wait at a time, and each for long.
"""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable, Iterator
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import copy_context
from functools import partial
from itertools import islice
from time import monotonic
from types import CoroutineType, TracebackType
from typing import Any, Final, Generic, ParamSpec, TypeVar

from winsvc._scm.waiting import CancelToken

__all__ = ["Opening", "Within", "calling", "in_loop", "listing", "waiting"]

T = TypeVar("T")
P = ParamSpec("P")
C = TypeVar("C", bound=AbstractAsyncContextManager[Any])

_GRACE: Final = 0.05
"""For how many seconds a cancelled task waits for the end of its call."""

_MAX_BATCH: Final = 256
_SLOW_BATCH: Final = 0.02
"""Batches of a listing grow until one takes this many seconds."""


class _Call(Generic[T]):
    """A call in a thread. It begins at once, and ends even if its task is cancelled."""

    def __init__(self, function: Callable[[], T], late: Callable[[T], object] | None) -> None:
        self._function, self._late = function, late
        self._result: Future[T] = Future()  # cancelled if the result is not needed

    def start(self, done: Callable[[], object]) -> None:
        """Start the call; call *done* in its thread at the end."""
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
                self._discard(result)
        try:
            done()
        except RuntimeError:
            pass  # the event loop is closed

    def result(self) -> T:
        return self._result.result(timeout=0)

    def abandon(self) -> None:
        """Discard the result, now or when the call ends."""
        if not self._result.cancel() and self._result.exception() is None:
            result = self._result.result()
            threading.Thread(target=self._discard, args=(result,), daemon=True).start()

    def _discard(self, result: T) -> None:
        if self._late is not None:
            try:
                self._late(result)
            except OSError:
                pass  # a handle of a lost connection


class _Asyncio:
    """The event loop of asyncio, without a package besides the standard library."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def run(self, call: _Call[Any], cancel: Callable[[], object] | None) -> None:
        """Start a call and wait for its end; if the task is cancelled, call *cancel*."""
        done = self._loop.create_future()
        call.start(lambda: self._loop.call_soon_threadsafe(_set, done))
        try:
            await done
        except asyncio.CancelledError:
            call.abandon()
            if cancel is not None:
                cancel()
            end = self._loop.time() + _GRACE
            while not done.done() and (left := end - self._loop.time()) > 0:
                try:
                    await asyncio.wait([done], timeout=left)
                except asyncio.CancelledError:
                    pass  # a second cancellation; the first one is raised below
            raise

    def call(self, function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> object:
        """Call a function in the loop's thread from another thread, and return its result."""
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
    """An event loop that anyio supports."""

    def __init__(self) -> None:
        try:
            import anyio
            import anyio.from_thread
            import anyio.lowlevel
        except ImportError as error:
            raise RuntimeError(
                "winsvc.aio needs anyio 4.11 or later outside asyncio: pip install winsvc-cffi[aio]"
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
            with self._anyio.move_on_after(_GRACE, shield=True):
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
    """Call a function in a thread, and return its result.

    Args:
        function: the function; it continues if the task is cancelled.
        late: called with the result in this case.
    """
    call = _Call(function, late)
    await _current().run(call, None)
    return call.result()


async def waiting(
    function: Callable[[CancelToken], T],
    late: Callable[[T], object] | None = None,
    token: CancelToken | None = None,
) -> T:
    """Call a function in a thread, and return its result; it ends if the task is cancelled.

    Args:
        function: the function, which is called with a token that the cancellation cancels.
        late: called with the result if the function returns one after the cancellation.
        token: the token; None for a new one.
    """
    cancel = CancelToken() if token is None else token
    call = _Call(lambda: function(cancel), late)
    await _current().run(call, cancel.cancel)
    return call.result()


async def listing(create: Callable[[CancelToken], Iterable[T]]) -> AsyncGenerator[T, None]:
    """Yield the items of a listing, which threads read in batches.

    The first batch is one item, so that it is available early; the size doubles while batches are
    read quickly. If the task is cancelled or the iteration ends early, the listing is cancelled
    and closed.
    """
    token = CancelToken()
    listed = _Listing(create)
    size = 1
    try:
        while True:
            began = monotonic()
            batch = await waiting(partial(listed.read, size), token=token)
            for item in batch:
                yield item
            if len(batch) < size:
                return
            if monotonic() - began < _SLOW_BATCH:
                size = min(2 * size, _MAX_BATCH)
    except GeneratorExit:  # the iteration has ended early; no read is in progress
        token.cancel()
        await calling(listed.close)
        raise
    except BaseException:
        token.cancel()
        _Call(listed.close, None).start(lambda: None)  # waits for the read that is in progress
        raise


class _Listing(Generic[T]):
    """An iterator of a listing that one thread at a time uses."""

    def __init__(self, create: Callable[[CancelToken], Iterable[T]]) -> None:
        self._create = create
        self._turn = threading.Lock()
        self._items: Iterator[T] | None = None

    def read(self, count: int, cancel: CancelToken) -> list[T]:
        """Return the next items; fewer than *count* at the end."""
        with self._turn:
            if self._items is None:
                self._items = iter(self._create(cancel))
            batch: list[T] = []
            for item in islice(self._items, count):
                batch.append(item)
                if cancel.cancelled:
                    break
            return batch

    def close(self) -> None:
        """Close the iterator, after the read that is in progress."""
        with self._turn:
            close = getattr(self._items, "close", None)
            if close is not None:
                close()


class Within(AbstractAsyncContextManager[T]):
    """A context manager that is entered and left in threads; its block gets the value."""

    __slots__ = ("_context", "_create", "_name", "_value")

    def __init__(
        self, create: Callable[[], AbstractContextManager[object]], value: T, name: str
    ) -> None:
        """Enter nothing yet.

        Args:
            create: returns the context manager.
            value: the value for the block.
            name: the name of the method, for the warning if there is no block.
        """
        self._create, self._value, self._name = create, value, name
        self._context: AbstractContextManager[object] | None = None

    async def __aenter__(self) -> T:
        context = self._context = self._create()
        await calling(context.__enter__, late=lambda entered: context.__exit__(None, None, None))
        return self._value

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context = self._context
        assert context is not None
        await calling(lambda: context.__exit__(kind, error, trace))

    def __del__(self) -> None:
        if self._context is None:
            warn_unused(self, f'{self._name}() was never entered: use "async with"')


class Opening(Coroutine[Any, Any, C]):
    """A coroutine that opens an object: ``await`` it, or ``async with`` it, which also closes it.

    If neither is done, Python warns that the coroutine was never awaited.
    """

    __slots__ = ("_coroutine", "_opened")

    def __init__(self, coroutine: Coroutine[Any, Any, C], name: str) -> None:
        """Run nothing yet.

        Args:
            coroutine: opens the object.
            name: the name of the method, for warnings.
        """
        if isinstance(coroutine, CoroutineType):
            coroutine.__qualname__ = name
        self._coroutine = coroutine
        self._opened: C | None = None

    def __await__(self) -> Generator[Any, None, C]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        """See :meth:`collections.abc.Coroutine.send`."""
        return self._coroutine.send(value)

    def throw(self, typ: Any, val: Any = None, tb: Any = None) -> Any:
        """See :meth:`collections.abc.Coroutine.throw`."""
        if val is None and tb is None:
            return self._coroutine.throw(typ)
        return self._coroutine.throw(typ, val, tb)

    def close(self) -> None:
        """See :meth:`collections.abc.Coroutine.close`."""
        self._coroutine.close()

    async def __aenter__(self) -> C:
        self._opened = await self._coroutine
        return self._opened

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._opened is not None
        await self._opened.__aexit__(kind, error, trace)


def warn_unused(source: object, text: str) -> None:
    """Warn that an operation was requested but never run, as Python does for coroutines."""
    warnings.warn(text, RuntimeWarning, stacklevel=3, source=source)


def in_loop(function: Callable[P, object] | None) -> Callable[P, object] | None:
    """Return a function that calls another one in the event loop's thread, from any thread."""
    if function is None:
        return None
    loop, wanted = _current(), function

    def call(*args: P.args, **kwargs: P.kwargs) -> object:
        return loop.call(wanted, *args, **kwargs)

    return call
