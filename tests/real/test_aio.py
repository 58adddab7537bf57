"""Coroutines that wait for a real service leave no handles and threads."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import anyio
import pytest
from puppets import counted
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
    """Count waiters, registrations and threads of the compiled module, and threads of calls.

    Wait up to 5 s until all are zero.
    """
    for _ in range(500):
        calls = sum(thread.name.startswith("winsvc ") for thread in threading.enumerate())
        found = (*counted(), calls)
        if not any(found):
            break
        await anyio.sleep(0.01)
    return found


async def test_async_waits_leave_no_handles_or_threads(service: AsyncService) -> None:
    """A third of the waits return, a third time out, and a third are cancelled."""

    async def some(count: int) -> None:
        for number in range(count):
            if number % 3 == 0:
                await service.wait(State.RUNNING, 30)
            elif number % 3 == 1:
                with pytest.raises(WaitTimeoutError):
                    await service.wait(State.PAUSED, 0.001)
            else:
                with anyio.move_on_after(0.005) as scope:
                    await service.wait(State.PAUSED)
                assert scope.cancelled_caught

    await some(30)
    assert await left() == (0, 0, 0, 0)
    before = open_handles()
    await some(300)
    assert await left() == (0, 0, 0, 0)
    # Each kind of wait ran 100 times; a lock creates its event when threads first contend for it.
    assert settled_handles(before + 3) <= before + 3


async def test_async_cancel_of_64_waits_ends_all_promptly(
    service: AsyncService, program: str, unique_name: Callable[[], str]
) -> None:
    async with AsyncServiceManager() as scm, AsyncExitStack() as closing:
        services = []
        for _ in range(COUNT):
            created = await closing.enter_async_context(scm.create(unique_name(), program))
            closing.push_async_callback(created.delete)
            services.append(created)
        async with anyio.create_task_group() as group:
            for waiting in services:
                group.start_soon(waiting.wait, State.RUNNING)
            while counted()[1] < COUNT:
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        assert await left() == (0, 0, 0, 0)
