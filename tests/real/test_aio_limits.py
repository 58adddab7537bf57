"""Coroutines that wait: how fast they are cancelled, and that they leave nothing behind."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import anyio
import pytest
from _winsvc_cffi import ffi, lib
from real.process_handles import open_handles, settled_handles

from winsvc import Service, State, WaitTimeoutError
from winsvc.aio import AsyncService, AsyncServiceManager

pytestmark = pytest.mark.anyio

COUNT = 64


@pytest.fixture
async def service(installed: Service) -> AsyncIterator[AsyncService]:
    async with AsyncServiceManager() as scm, scm.open(installed.name) as opened:
        await opened.start(timeout=30)
        yield opened
        await opened.stop(timeout=30)


async def left() -> tuple[int, ...]:
    """Waiters, registrations and threads of the compiled module, and threads of calls; none yet?"""
    numbers = [ffi.new("DWORD *") for _ in range(3)]
    for _ in range(500):
        lib.winsvc_count(*numbers)
        calls = sum(one.name.startswith("winsvc ") for one in threading.enumerate())
        found = (*(int(number[0]) for number in numbers), calls)
        if not any(found):
            break
        await anyio.sleep(0.01)
    return found


async def test_waits_leave_nothing(
    service: AsyncService, capsys: pytest.CaptureFixture[str]
) -> None:
    """A third arrive, a third time out, a third are cancelled."""

    async def some(count: int) -> list[float]:
        times: list[float] = []
        for number in range(count):
            if number % 3 == 0:
                await service.wait(State.RUNNING, 30)
            elif number % 3 == 1:
                with pytest.raises(WaitTimeoutError):
                    await service.wait(State.PAUSED, 0.001)
            else:
                due = 0.0
                with anyio.move_on_after(0.005) as scope:
                    due = time.perf_counter() + 0.005
                    await service.wait(State.PAUSED)
                assert scope.cancelled_caught
                times.append(time.perf_counter() - due)
        return times

    await some(30)
    assert await left() == (0, 0, 0, 0)
    before = open_handles()
    times = await some(300)
    assert await left() == (0, 0, 0, 0)
    # Each kind of wait ran 100 times; a lock gets its event when threads first contend for it.
    assert settled_handles(before + 3) <= before + 3
    with capsys.disabled():
        print(f"\n    cancelled after {max(times) * 1000:.1f} ms at worst of {len(times)}")
    assert sorted(times)[len(times) // 2] < 0.1


async def test_many_are_cancelled_at_once(
    service: AsyncService,
    program: str,
    unique_name: Callable[[], str],
    anyio_backend_name: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # trio's event loop is slow to wake up under Wine, where each is a poll of a socket.
    limit = 0.1 if anyio_backend_name == "asyncio" else 1
    async with AsyncServiceManager() as scm, AsyncExitStack() as closing:
        services = []
        for _ in range(COUNT):
            made = await closing.enter_async_context(scm.create(unique_name(), program))
            closing.push_async_callback(made.delete)
            services.append(made)
        # Of all together; on a machine that is busy with other things, once in three times.
        for _ in range(3):
            async with anyio.create_task_group() as group:
                for one in services:
                    group.start_soon(one.wait, State.RUNNING)
                await anyio.sleep(1)
                began = time.perf_counter()
                group.cancel_scope.cancel()
            took = time.perf_counter() - began
            assert await left() == (0, 0, 0, 0)
            with capsys.disabled():
                print(f"\n    {COUNT} waits were cancelled in {took * 1000:.1f} ms")
            if took < limit:
                return
    assert took < limit
