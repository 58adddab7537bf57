"""The object API as coroutines: the same tests on asyncio and on trio."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from winsvc import (
    HandleClosedError,
    Service,
    ServiceAccess,
    ServiceError,
    ServiceNotFoundError,
    ServiceStartError,
    ServiceStatus,
    State,
    WaitTimeoutError,
)
from winsvc._scm.watching import ServiceCreated, ServiceDeleted, ServiceEvent, StatusChanged
from winsvc.aio import AsyncService, AsyncServiceManager

pytestmark = pytest.mark.anyio


@pytest.fixture
async def asc(backend: str) -> AsyncIterator[AsyncServiceManager]:
    async with AsyncServiceManager() as manager:
        yield manager
    assert await threads_end()


@pytest.fixture
async def service(asc: AsyncServiceManager, installed: Service) -> AsyncIterator[AsyncService]:
    async with asc.open(installed.name) as opened:
        yield opened


async def threads_end() -> bool:
    """Whether no thread of ours is left, after a moment."""
    end = time.monotonic() + 5
    while any(one.name.startswith("winsvc ") for one in threading.enumerate()):
        if time.monotonic() > end:
            return False
        await anyio.sleep(0.005)
    return True


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():
            await anyio.sleep(0.01)


async def test_a_life(asc: AsyncServiceManager, service: AsyncService) -> None:
    await service.start("one", timeout=30)
    assert (await service.status()).state is State.RUNNING
    assert service.name in [info.name async for info in asc.services(state=State.RUNNING)]
    assert (await service.pause(timeout=30)).state is State.PAUSED
    assert (await service.resume(timeout=30)).state is State.RUNNING
    assert (await service.interrogate()).state is State.RUNNING
    await service.control(200)
    assert (await service.restart("two", timeout=30)).state is State.RUNNING
    assert (await service.stop(timeout=30)).state is State.STOPPED
    assert (await asc.get(service.name)).status.state is State.STOPPED


async def test_making_and_unmaking(
    asc: AsyncServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    async with asc.create(name, program, description="Ünicode") as service:
        assert await service.description() == "Ünicode"
        await service.configure(description="")
        assert await service.description() == ""
        assert (await service.config()).binary_path == program
        assert (await service.snapshot()).name == name
        await service.delete(timeout=30)
    assert not await asc.exists(name)
    with pytest.raises(ServiceNotFoundError):
        async with asc.open(name):
            pytest.fail("it was opened")


async def test_what_can_be_awaited_can_be_entered(
    asc: AsyncServiceManager, installed: Service
) -> None:
    service = await asc.open(installed.name, access=ServiceAccess.QUERY_STATUS)
    async with service as same:
        assert same is service
        assert (await service.status()).state is State.STOPPED
    assert service.closed
    with pytest.raises(HandleClosedError):
        await service.status()
    assert "closed" in repr(service)


async def test_a_manager_connects_when_it_is_used(backend: str) -> None:
    manager = AsyncServiceManager()
    assert [info async for info in manager.services()]
    await manager.close()
    await manager.close()
    with pytest.raises(HandleClosedError):
        await manager.get("RpcSs")
    assert manager.closed


async def test_a_service_outlives_its_manager(installed: Service, backend: str) -> None:
    async with AsyncServiceManager() as manager:
        service = await manager.open(installed.name)
    async with service:
        await service.start(timeout=30)
        await service.stop(timeout=30)


async def test_the_lock(asc: AsyncServiceManager) -> None:
    async with asc.lock():
        pass
    with pytest.raises(ValueError, match="mine"):
        async with asc.lock():
            raise ValueError("mine")


async def test_an_end_while_starting(service: AsyncService) -> None:
    with pytest.raises(ServiceStartError) as caught:
        await service.start("slow=300", "exit=5", timeout=30)
    assert caught.value.status is not None
    assert caught.value.status.exit_code == 5


async def test_a_timeout(service: AsyncService) -> None:
    await service.start(timeout=30)
    with pytest.raises(WaitTimeoutError):
        await service.wait(State.PAUSED, timeout=0.2)
    await service.stop(timeout=30)


async def test_progress_is_told_in_the_loop(service: AsyncService) -> None:
    told: list[tuple[ServiceStatus, int]] = []
    await service.start(
        "slow=300", timeout=30, progress=lambda status: told.append((status, threading.get_ident()))
    )
    assert {thread for _, thread in told} == {threading.get_ident()}
    assert told[-1][0].state is State.RUNNING

    def refuse(status: ServiceStatus) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await service.stop(timeout=30, progress=refuse)
    await service.wait(State.STOPPED, timeout=30)


async def cancelled(waiting: Callable[[], Awaitable[object]]) -> None:
    """Begin to wait for what does not happen, and cancel that."""
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:

            async def cancel() -> None:
                await anyio.sleep(0.2)
                scope.cancel()

            group.start_soon(cancel)
            await waiting()
        assert scope.cancelled_caught


async def test_a_wait_that_is_cancelled(service: AsyncService) -> None:
    await service.start(timeout=30)
    await cancelled(lambda: service.wait(State.PAUSED))
    assert await threads_end()
    await cancelled(lambda: service.wait(State.PAUSED, 1e9))
    assert await threads_end()
    await service.stop(timeout=30)


async def test_many_wait_at_a_time(service: AsyncService) -> None:
    await service.start(timeout=30)
    arrived = 0

    async def wait() -> None:
        nonlocal arrived
        await service.wait(State.PAUSED)
        arrived += 1

    async with anyio.create_task_group() as group:
        for _ in range(64):
            group.start_soon(wait)
        await anyio.sleep(0.05)
        await service.pause()
    assert arrived == 64
    await service.stop(timeout=30)


async def test_a_watch_tells_what_happens(
    asc: AsyncServiceManager,
    program: str,
    unique_name: Callable[[], str],
) -> None:
    name = unique_name()
    told: list[ServiceEvent] = []

    async with asc.watch(interval=0.2) as events, anyio.create_task_group() as group:

        async def collect() -> None:
            async for event in events:
                if event.name == name:
                    told.append(event)
                    if isinstance(event, ServiceDeleted):
                        break

        def is_told(state: State) -> bool:
            return any(isinstance(one, StatusChanged) and one.new.state is state for one in told)

        group.start_soon(collect)
        await anyio.sleep(0.1)
        async with asc.create(name, program) as service:
            await until(lambda: bool(told))
            await service.start(timeout=30)
            await until(lambda: is_told(State.RUNNING))
            await service.stop(timeout=30)
            await until(lambda: is_told(State.STOPPED))
            await service.delete()
        await until(lambda: isinstance(told[-1], ServiceDeleted))
    assert events.closed
    assert isinstance(told[0], ServiceCreated)


async def test_a_watch_that_is_cancelled(service: AsyncService) -> None:
    async with service.watch() as events:
        await cancelled(events.wait)
        await service.start(timeout=30)  # what happens meanwhile is not lost
        with anyio.fail_after(20):
            event = await events.wait()
        assert isinstance(event, StatusChanged)
    await service.stop(timeout=30)


async def test_a_watch_without_a_block_that_is_cancelled(service: AsyncService) -> None:
    events = service.watch()

    async def follow() -> None:
        async for event in events:
            assert event.name == service.name

    await cancelled(follow)
    assert events.closed
    assert await events.wait() is None


async def test_opening_that_is_cancelled_leaves_nothing(
    asc: AsyncServiceManager, installed: Service
) -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with asc.open(installed.name):
            pytest.fail("it was opened")
    with anyio.CancelScope() as scope:
        scope.cancel()
        async with AsyncServiceManager():
            pytest.fail("it was connected")
    assert await threads_end()


async def test_a_block_that_is_cancelled_closes(
    asc: AsyncServiceManager, installed: Service
) -> None:
    with anyio.CancelScope() as scope:
        async with asc.open(installed.name) as service:
            scope.cancel()
            await anyio.sleep(1)
    assert service.closed
    assert await threads_end()


async def test_an_error_of_the_block_is_what_counts(
    asc: AsyncServiceManager, installed: Service, tmp_path: Path
) -> None:
    with pytest.raises(ServiceError, match="1062"):
        async with asc.open(installed.name) as service:
            await service.stop()
