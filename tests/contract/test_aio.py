"""The object API as coroutines: the same tests on asyncio and on trio."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import anyio
import pytest
from support import Waits, simulated_only

from winsvc import (
    HandleClosedError,
    Service,
    ServiceAccess,
    ServiceCreated,
    ServiceDeleted,
    ServiceEvent,
    ServiceNotFoundError,
    ServiceStartError,
    ServiceStatus,
    State,
    StatusChanged,
    WaitTimeoutError,
    Win32Error,
)
from winsvc.aio import AsyncService, AsyncServiceManager
from winsvc.testing import SimulatedSCM

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
    """Return whether all threads of winsvc.aio end within a few seconds."""
    end = time.monotonic() + 5
    while any(thread.name.startswith("winsvc ") for thread in threading.enumerate()):
        if time.monotonic() > end:
            return False
        await anyio.sleep(0.005)
    return True


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(20):
        while not condition():
            await anyio.sleep(0.01)


async def test_async_service_lifecycle_reaches_each_state(
    asc: AsyncServiceManager, service: AsyncService
) -> None:
    await service.start("one", timeout=30)
    assert (await service.status()).state is State.RUNNING
    assert service.name in [info.name async for info in asc.services(state=State.RUNNING)]
    assert (await service.pause(timeout=30)).state is State.PAUSED
    assert (await service.resume(timeout=30)).state is State.RUNNING
    assert (await service.interrogate()).state is State.RUNNING
    await service.control(200)
    assert (await service.restart("two", timeout=30)).state is State.RUNNING
    assert (await service.stop(timeout=30)).state is State.STOPPED
    assert (await asc.info(service.name)).status.state is State.STOPPED


async def test_async_create_configure_and_delete_take_effect(
    asc: AsyncServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    async with asc.create(name, program, description="Ünicode") as service:
        assert await service.description() == "Ünicode"
        await service.configure(description="")
        assert await service.description() == ""
        assert (await service.config()).binary_path == program
        assert (await service.snapshot()).name == name
        await service.delete(wait=True, timeout=30)
    assert not await asc.exists(name)
    with pytest.raises(ServiceNotFoundError):
        async with asc.open(name):
            pytest.fail("it was opened")


async def test_async_awaited_service_as_context_manager_closes_on_exit(
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


async def test_async_manager_without_block_connects_on_first_use(backend: str) -> None:
    manager = AsyncServiceManager()
    assert not manager.closed
    assert [info async for info in manager.services()]
    await manager.close()
    await manager.close()
    with pytest.raises(HandleClosedError):
        await manager.info("RpcSs")
    assert manager.closed


@simulated_only
async def test_async_manager_connects_once_and_not_before_first_use(sim: SimulatedSCM) -> None:
    manager = AsyncServiceManager()
    assert (sim.open_handles, sim.calls) == (0, [])
    assert await manager.exists("RpcSs")
    assert await manager.exists("Eventlog")
    assert len(sim.called("OpenSCManagerW")) == 1
    await manager.close()
    assert sim.open_handles == 0


async def test_async_service_after_manager_close_still_works(
    installed: Service, backend: str
) -> None:
    async with AsyncServiceManager() as manager:
        service = await manager.open(installed.name)
    assert manager.closed
    async with service:
        await service.start(timeout=30)
        assert (await service.status()).state is State.RUNNING
        assert (await service.stop(timeout=30)).state is State.STOPPED


async def test_async_start_of_exiting_service_raises_start_error(service: AsyncService) -> None:
    with pytest.raises(ServiceStartError) as caught:
        await service.start("slow=300", "exit=5", timeout=30)
    assert caught.value.status is not None
    assert caught.value.status.exit_code == 5


async def test_async_wait_past_timeout_raises_timeout_error(service: AsyncService) -> None:
    await service.start(timeout=30)
    with pytest.raises(WaitTimeoutError):
        await service.wait(State.PAUSED, timeout=0.2)
    await service.stop(timeout=30)


async def test_async_progress_callback_runs_on_event_loop_thread(service: AsyncService) -> None:
    reported: list[tuple[ServiceStatus, int]] = []

    def note(status: ServiceStatus) -> None:
        reported.append((status, threading.get_ident()))

    await service.start("slow=300", timeout=30, progress=note)
    assert {thread for _, thread in reported} == {threading.get_ident()}
    assert reported[-1][0].state is State.RUNNING

    def refuse(status: ServiceStatus) -> None:
        raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await service.stop(timeout=30, progress=refuse)
    await service.wait(State.STOPPED, timeout=30)


async def cancelled(waits: Waits, waiting: Callable[[], Awaitable[object]]) -> None:
    """Cancel a wait that has begun; neither the task nor its thread waits any longer."""
    waits.clear()
    async with anyio.create_task_group() as group:
        with anyio.CancelScope() as scope:

            async def cancel() -> None:
                await until(lambda: len(waits) == 1)
                scope.cancel()

            group.start_soon(cancel)
            await waiting()
        assert scope.cancelled_caught
    assert await threads_end()


@pytest.mark.parametrize("timeout", [None, 1e9])
async def test_async_wait_when_cancelled_ends_its_thread(
    service: AsyncService, waits: Waits, backend: str, timeout: float | None
) -> None:
    if backend == "simulated" and timeout is not None:
        pytest.skip("a timeout passes at once in simulated time")
    await service.start(timeout=30)
    await cancelled(waits, lambda: service.wait(State.PAUSED, timeout))
    assert (await service.status()).state is State.RUNNING
    assert (await service.stop(timeout=30)).state is State.STOPPED


async def test_async_wait_in_64_tasks_returns_in_all(service: AsyncService, waits: Waits) -> None:
    await service.start(timeout=30)
    waits.clear()
    arrived: list[State] = []

    async def wait() -> None:
        arrived.append((await service.wait(State.PAUSED)).state)

    async with anyio.create_task_group() as group:
        for _ in range(64):
            group.start_soon(wait)
        await until(lambda: len(waits) == 64)
        assert arrived == []
        await service.pause()
    assert arrived == [State.PAUSED] * 64
    await service.stop(timeout=30)


async def test_async_watch_of_all_services_reports_each_event(
    asc: AsyncServiceManager,
    program: str,
    unique_name: Callable[[], str],
    waits: Waits,
) -> None:
    name = unique_name()
    reported: list[ServiceEvent] = []

    async with asc.watch(interval=0.2) as events, anyio.create_task_group() as group:

        async def collect() -> None:
            async for event in events:
                if event.name == name:
                    reported.append(event)
                    if isinstance(event, ServiceDeleted):
                        break

        def is_reported(state: State) -> bool:
            changes = [event for event in reported if isinstance(event, StatusChanged)]
            return any(event.new.state is state for event in changes)

        group.start_soon(collect)
        await until(lambda: len(waits) == 1)
        async with asc.create(name, program) as service:
            await until(lambda: bool(reported))
            await service.start(timeout=30)
            await until(lambda: is_reported(State.RUNNING))
            await service.stop(timeout=30)
            await until(lambda: is_reported(State.STOPPED))
            await service.delete()
        await until(lambda: isinstance(reported[-1], ServiceDeleted))
    assert events.closed
    assert isinstance(reported[0], ServiceCreated)


async def test_async_watch_after_cancelled_wait_keeps_later_events(
    service: AsyncService, waits: Waits
) -> None:
    async with service.watch() as events:
        await cancelled(waits, events.wait)
        await service.start(timeout=30)  # its event is not lost
        with anyio.fail_after(20):
            event = await events.wait()
        assert isinstance(event, StatusChanged)
    await service.stop(timeout=30)


async def test_async_watch_iteration_without_block_when_cancelled_closes_watch(
    service: AsyncService, waits: Waits
) -> None:
    events = service.watch()

    async def follow() -> None:
        async for event in events:
            assert event.name == service.name

    await cancelled(waits, follow)
    assert events.closed
    assert await events.wait() is None


async def test_async_open_when_cancelled_leaves_no_thread(
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


async def test_async_service_block_when_cancelled_closes_service(
    asc: AsyncServiceManager, installed: Service
) -> None:
    with anyio.CancelScope() as scope:
        async with asc.open(installed.name) as service:
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert service.closed
    assert await threads_end()


async def test_async_service_block_with_error_raises_that_error(
    asc: AsyncServiceManager, installed: Service
) -> None:
    with pytest.raises(Win32Error, match="1062"):
        async with asc.open(installed.name) as service:
            await service.stop()
