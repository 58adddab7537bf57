"""winsvc.aio on a simulated machine: cancellation, leaks, errors and its optional dependency."""

from __future__ import annotations

import asyncio
import contextvars
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NoReturn

import anyio
import pytest

from winsvc import (
    AcceptedControls,
    CascadeError,
    HandleClosedError,
    MachineUnreachableError,
    State,
    StatusChanged,
    UnsupportedError,
    WaitTimeoutError,
)
from winsvc._values.rows import NotificationRow
from winsvc.aio import AsyncServiceManager
from winsvc.aio.threads import calling
from winsvc.testing import ProgramBehavior, SimulatedSCM

S = State


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        accepts = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
        sim.add("base", state=S.RUNNING, program=ProgramBehavior(accepts=accepts))
        sim.add("top", dependencies=["base"], state=S.RUNNING)
        yield sim


@pytest.fixture
async def scm(sim: SimulatedSCM) -> AsyncIterator[AsyncServiceManager]:
    async with AsyncServiceManager() as manager:
        yield manager
    await threads_end()
    assert not sim.open_handles


async def threads_end() -> None:
    """Wait for the threads of all calls."""
    while threads := [
        thread for thread in threading.enumerate() if thread.name.startswith("winsvc ")
    ]:
        for thread in threads:
            await in_thread(partial(thread.join, 10))
            assert not thread.is_alive(), thread


async def in_thread(function: Callable[[], object]) -> object:
    """Call a function that blocks."""
    return await anyio.to_thread.run_sync(function)


class Held:
    """A call that is held in its thread: events for its begin, its release and its return."""

    def __init__(self) -> None:
        self.reached, self.released, self.returned = (threading.Event() for _ in range(3))

    def hold(self) -> None:
        self.reached.set()
        self.released.wait(10)
        self.returned.set()


@contextmanager
def held(sim: SimulatedSCM, function: str) -> Iterator[Held]:
    """Hold the next call of a function until the block ends."""
    call = Held()
    sim.faults.before(function, call.hold)
    try:
        yield call
    finally:
        call.released.set()


class Waits:
    """Counts the waits for notifications that have begun."""

    def __init__(self, sim: SimulatedSCM) -> None:
        self._wait_notified = sim.wait_notified
        self._changed = threading.Condition()
        self._waiters: set[int] = set()
        sim.wait_notified = self._begin  # type: ignore[method-assign]

    def _begin(self, waiter: int, timeout: float | None) -> list[tuple[int, NotificationRow]]:
        with self._changed:
            self._waiters.add(waiter)
            self._changed.notify_all()
        return self._wait_notified(waiter, timeout)

    def reach(self, count: int) -> bool:
        """Wait until so many waits have begun."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiters) >= count, 10)


async def cancel_when(begun: Callable[[], bool], call: Callable[[], Awaitable[object]]) -> None:
    """Cancel a call once it has begun, and assert that it ends as cancelled."""
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await call()

    async with anyio.create_task_group() as group:
        group.start_soon(run)
        assert await in_thread(begun)
        scope.cancel()
    assert scope.cancelled_caught


def is_set(event: threading.Event) -> Callable[[], bool]:
    """Return a function that waits for the event."""
    return lambda: event.wait(10)


# ------------------------------------------------------------------- cancellation


@pytest.mark.anyio
async def test_open_finishing_after_cancellation_closes_handle(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    async def open_base() -> None:
        async with scm.open("base"):
            pytest.fail("the service was opened")

    with held(sim, "OpenServiceW") as call:
        await cancel_when(is_set(call.reached), open_base)
        assert not call.returned.is_set()
    await threads_end()
    assert sim.open_handles == 1  # the manager's


@pytest.mark.anyio
async def test_connect_finishing_after_cancellation_closes_manager(sim: SimulatedSCM) -> None:
    manager = AsyncServiceManager()

    async def connect() -> None:
        async with manager:
            pytest.fail("the manager was connected")

    with held(sim, "OpenSCManagerW") as call:
        await cancel_when(is_set(call.reached), connect)
        assert not call.returned.is_set()
    await threads_end()
    assert not sim.open_handles
    assert manager.closed
    assert "closed" in repr(manager)


@pytest.mark.anyio
async def test_stop_cancelled_during_control_call_still_stops_service(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    async with scm.open("top") as top:
        with held(sim, "ControlService") as call:
            await cancel_when(is_set(call.reached), lambda: top.stop(timeout=30))
            assert not call.returned.is_set()
        await threads_end()
        assert sim["top"].state is S.STOPPED  # a call that has begun is not undone


@pytest.mark.anyio
async def test_cancelled_restart_ends_early_and_starts_nothing(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    sim["top"].behavior = ProgramBehavior(ignores=[1])
    call = Held()

    def hold_wait(waiter: int, timeout: float | None) -> list[tuple[int, NotificationRow]]:
        call.hold()
        return []

    sim.wait_notified = hold_wait  # type: ignore[method-assign]
    async with scm.open("base") as base:
        await cancel_when(is_set(call.reached), base.restart)
        call.released.set()
        await threads_end()
    assert len(sim.called("ControlService", "top")) == 1
    assert sim["base"].state is S.RUNNING
    assert not sim.called("StartServiceW")


@pytest.mark.anyio
async def test_many_waits_leave_no_open_handles(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    sim.latency = 0
    before = sim.open_handles
    waits = Waits(sim)
    async with scm.open("base") as base:
        for number in range(30):
            await base.wait(S.RUNNING, 10)
            with pytest.raises(WaitTimeoutError):
                await base.wait(S.PAUSED, 1)
            begun = 2 * number + 2  # the first wait does not have to wait
            await cancel_when(lambda: waits.reach(begun), lambda: base.wait(S.PAUSED))  # noqa: B023
    await threads_end()
    assert sim.open_handles == before


@pytest.mark.anyio
async def test_cancelled_event_wait_loses_no_event(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    """Deliver events that arrive before and after the cancellation."""
    wait_notified = sim.wait_notified
    begun, received, released = (threading.Event() for _ in range(3))

    def wait_slowly(waiter: int, timeout: float | None) -> list[tuple[int, NotificationRow]]:
        begun.set()
        notifications = wait_notified(waiter, timeout)
        received.set()
        released.wait(10)
        return notifications

    async with scm.watch("base") as events, scm.open("base") as base:

        async def next_state(timeout: float | None = None) -> State:
            event = await events.wait(timeout)
            assert isinstance(event, StatusChanged)
            return event.new.state

        async def cancel_wait(begun: threading.Event) -> None:
            sim.wait_notified = wait_slowly  # type: ignore[method-assign]
            await cancel_when(is_set(begun), events.wait)
            sim.wait_notified = wait_notified  # type: ignore[method-assign]

        for _ in range(5):
            for event in (begun, received, released):
                event.clear()
            # The event comes, and then the task is cancelled before its thread returns.
            async with anyio.create_task_group() as group:
                group.start_soon(cancel_wait, received)
                assert await in_thread(is_set(begun))
                await base.pause()
            released.set()
            assert await next_state(10) is S.PAUSED
            # The task is cancelled, and then the event comes.
            begun.clear()
            await cancel_wait(begun)
            await base.resume()
            assert await next_state(10) is S.RUNNING
        assert await events.wait(1) is None


@pytest.mark.anyio
async def test_watch_close_ends_iteration_in_another_task(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    events = scm.watch("base")
    waits = Waits(sim)
    ended = False

    async def follow() -> None:
        nonlocal ended
        async for event in events:
            pytest.fail(f"{event}")
        ended = True

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            assert await in_thread(lambda: waits.reach(1))
            await events.close()
    assert ended


# ------------------------------------------------------------------- errors


@pytest.mark.anyio
async def test_async_methods_propagate_errors_of_calls(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    sim.faults.fail("ControlService", 5, service="top")
    async with scm.open("base") as base:
        with pytest.raises(CascadeError, match="Not done: stop base"):
            await base.stop_with_dependents()
    with pytest.raises(MachineUnreachableError):
        async with AsyncServiceManager("nowhere"):
            pass
    for bad in (None, 5):
        with pytest.raises(TypeError):
            await scm.info(bad)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_async_manager_exit_raises_close_error_unless_body_failed(sim: SimulatedSCM) -> None:
    sim.faults.fail("CloseServiceHandle", 6, times=1)
    with pytest.raises(HandleClosedError):
        async with AsyncServiceManager():
            pass
    sim.faults.fail("CloseServiceHandle", 6, times=1)
    with pytest.raises(ValueError, match="mine"):
        async with AsyncServiceManager():
            raise ValueError("mine")


@pytest.mark.anyio
async def test_calling_copies_context_variables_to_thread() -> None:
    variable = contextvars.ContextVar("variable", default="")
    variable.set("value")
    assert await calling(variable.get) == "value"


@pytest.mark.anyio
async def test_calling_reraises_keyboard_interrupt_of_thread() -> None:
    def end() -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await calling(end)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has a service control manager")
def test_async_manager_off_windows_raises_unsupported_with_hint() -> None:
    with pytest.raises(UnsupportedError, match="make shell"):
        AsyncServiceManager()


# ------------------------------------------------------------------- asyncio without anyio


def test_asyncio_waits_honour_cancel_timeout_and_gather(sim: SimulatedSCM) -> None:
    waits = Waits(sim)

    async def main() -> None:
        async with AsyncServiceManager() as scm, scm.open("base") as base:
            task = asyncio.create_task(base.wait(S.PAUSED))
            assert await asyncio.to_thread(waits.reach, 1)
            task.cancel("why")
            with pytest.raises(asyncio.CancelledError, match="why"):
                await task
            assert task.cancelled()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(base.wait(S.PAUSED), 0.05)
            tasks = [asyncio.create_task(base.wait(S.STOPPED)) for _ in range(8)]
            assert await asyncio.to_thread(waits.reach, 10)
            await base.stop_with_dependents()
            assert [status.state for status in await asyncio.gather(*tasks)] == [S.STOPPED] * 8
        await threads_end()

    asyncio.run(main())
    assert not sim.open_handles


def test_call_outliving_event_loop_leaks_no_handle(sim: SimulatedSCM) -> None:
    async def main(call: Held) -> None:
        async with AsyncServiceManager() as scm:
            task = asyncio.create_task(listing(scm))
            assert await asyncio.to_thread(call.reached.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def listing(scm: AsyncServiceManager) -> None:
        await anext(aiter(scm.services()))
        pytest.fail("the services were listed")

    with held(sim, "EnumServicesStatusExW") as call:
        asyncio.run(main(call))
        assert not call.returned.is_set()
    asyncio.run(threads_end())
    assert call.returned.is_set()
    assert not sim.open_handles


LIFE = """
import sys
sys.modules["anyio"] = None  # not installed
import {library} as library
from winsvc import State
from winsvc.aio import AsyncServiceManager
from winsvc.testing import SimulatedSCM

async def main():
    sim = SimulatedSCM()
    sim.add("beat")
    async with AsyncServiceManager(backend=sim) as scm, scm.open("beat") as beat:
        await beat.start(timeout=30)
        print((await beat.status()).state.name)

library.run({main})
"""


def test_async_manager_on_asyncio_runs_without_anyio() -> None:
    code = LIFE.format(library="asyncio", main="main()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("RUNNING\n", "")


def test_async_manager_on_trio_without_anyio_fails_with_install_hint() -> None:
    pytest.importorskip("trio")
    code = LIFE.format(library="trio", main="main")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install winsvc-cffi[aio]" in done.stderr


@pytest.mark.anyio
async def test_status_of_removed_service_raises_handle_closed(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    async with scm.open("top") as top:
        sim.local.remove("top")
        with pytest.raises(HandleClosedError):
            await top.status()
