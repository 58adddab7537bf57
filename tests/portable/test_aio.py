"""The coroutines on a simulated machine: cancellation, leaks, and what they need to be there."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

import anyio
import pytest

from winsvc import (
    AcceptedControls,
    CascadeError,
    HandleClosedError,
    MachineUnreachableError,
    ServiceError,
    State,
    UnsupportedError,
    WaitTimeoutError,
)
from winsvc._scm.watching import StatusChanged
from winsvc.aio import AsyncServiceManager
from winsvc.aio.threads import calling
from winsvc.testing import Behaviour, SimulatedSCM

S = State


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        accepts = AcceptedControls.STOP | AcceptedControls.PAUSE_CONTINUE
        sim.add("base", state=S.RUNNING, program=Behaviour(accepts=accepts))
        sim.add("top", dependencies=["base"], state=S.RUNNING)
        yield sim


@pytest.fixture
async def scm(sim: SimulatedSCM) -> AsyncIterator[AsyncServiceManager]:
    async with AsyncServiceManager() as manager:
        yield manager
    await threads_end()
    assert not sim.open_handles


async def threads_end() -> None:
    with anyio.fail_after(5):
        while any(one.name.startswith("winsvc ") for one in threading.enumerate()):
            await anyio.sleep(0.002)


@contextmanager
def held(sim: SimulatedSCM, function: str) -> Iterator[threading.Event]:
    """Hold the next call of a function until the block ends; the event is set when it goes on."""
    go_on, gone_on = threading.Event(), threading.Event()

    def hold() -> None:
        go_on.wait()
        gone_on.set()

    sim.faults.before(function, hold)
    try:
        yield gone_on
    finally:
        go_on.set()


# ------------------------------------------------------------------- cancellation


@pytest.mark.anyio
async def test_what_is_opened_too_late_is_closed(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    with held(sim, "OpenServiceW") as returned:
        with anyio.move_on_after(0.05) as scope:
            async with scm.open("base"):
                pytest.fail("it was opened in time")
        assert scope.cancelled_caught
        assert not returned.is_set()
    await threads_end()
    assert sim.open_handles == 1  # the manager's


@pytest.mark.anyio
async def test_a_connection_that_comes_too_late_is_closed(sim: SimulatedSCM) -> None:
    manager = AsyncServiceManager()
    with held(sim, "OpenSCManagerW"), anyio.move_on_after(0.05):
        async with manager:
            pytest.fail("it was connected in time")
    await threads_end()
    assert not sim.open_handles
    assert manager.closed
    assert "closed" in repr(manager)


@pytest.mark.anyio
async def test_a_call_that_goes_on_is_left_alone(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    async with scm.open("top") as top:
        with held(sim, "ControlService"), anyio.move_on_after(0.05):
            await top.stop(timeout=30)
        await threads_end()
        assert sim["top"].state is S.STOPPED  # it can't be taken back


@pytest.mark.anyio
async def test_a_cascade_that_is_cancelled(sim: SimulatedSCM, scm: AsyncServiceManager) -> None:
    sim["top"].behaviour = Behaviour(ignores=[1])
    async with scm.open("base") as base:
        with anyio.move_on_after(0.1) as scope:
            await base.restart(timeout=1e9)
        assert scope.cancelled_caught
        await threads_end()
    assert sim["base"].state is S.RUNNING
    assert not sim.called("StartServiceW")


@pytest.mark.anyio
async def test_many_waits_leave_nothing(sim: SimulatedSCM, scm: AsyncServiceManager) -> None:
    sim.latency = 0
    before = sim.open_handles
    async with scm.open("base") as base:
        for number in range(90):
            if number % 3 == 0:
                await base.wait(S.RUNNING, 10)
            elif number % 3 == 1:
                with pytest.raises(WaitTimeoutError):
                    await base.wait(S.PAUSED, 1)
            else:
                with anyio.move_on_after(0.002):
                    await base.wait(S.PAUSED)
    await threads_end()
    assert sim.open_handles == before


@pytest.mark.anyio
async def test_no_event_of_a_cancelled_wait_is_lost(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    async with scm.watch("base") as events, scm.open("base") as base:
        seen: list[State] = []

        async def once() -> None:
            with anyio.move_on_after(0.001):
                event = await events.wait()
                assert isinstance(event, StatusChanged)
                seen.append(event.new.state)

        for number in range(40):
            async with anyio.create_task_group() as group:
                group.start_soon(once)
                await (base.pause() if number % 2 == 0 else base.resume())
        while (event := await events.wait(timeout=1)) is not None:
            assert isinstance(event, StatusChanged)
            seen.append(event.new.state)
        assert seen[-1] is S.RUNNING
        assert all(one is not other for one, other in itertools.pairwise(seen))


@pytest.mark.anyio
async def test_closing_ends_a_wait_of_another_task(
    sim: SimulatedSCM, scm: AsyncServiceManager
) -> None:
    events = scm.watch("base")
    ended = False

    async def follow() -> None:
        nonlocal ended
        async for event in events:
            pytest.fail(f"{event}")
        ended = True

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(follow)
            await anyio.sleep(0.05)
            await events.close()
    assert ended


# ------------------------------------------------------------------- errors


@pytest.mark.anyio
async def test_errors_come_through(sim: SimulatedSCM, scm: AsyncServiceManager) -> None:
    sim.faults.fail("ControlService", 5, service="top")
    async with scm.open("base") as base:
        with pytest.raises(CascadeError, match="Not done: stop base"):
            await base.stop(dependents=True)
    with pytest.raises(MachineUnreachableError):
        async with AsyncServiceManager("nowhere"):
            pass
    for bad in (None, 5):
        with pytest.raises(TypeError):
            await scm.get(bad)  # type: ignore[arg-type]


@pytest.mark.anyio
async def test_an_error_while_closing(sim: SimulatedSCM) -> None:
    sim.faults.fail("CloseServiceHandle", 6, times=1)
    with pytest.raises(HandleClosedError):
        async with AsyncServiceManager():
            pass
    sim.faults.fail("CloseServiceHandle", 6, times=1)
    with pytest.raises(ValueError, match="mine"):
        async with AsyncServiceManager():
            raise ValueError("mine")


@pytest.mark.anyio
async def test_context_variables_are_there() -> None:
    variable = contextvars.ContextVar("variable", default="")
    variable.set("value")
    assert await calling(variable.get) == "value"


@pytest.mark.anyio
async def test_an_end_of_the_thread_is_an_error_of_the_task() -> None:
    def end() -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await calling(end)


def test_off_windows_it_says_what_to_do() -> None:
    if sys.platform != "win32":
        with pytest.raises(UnsupportedError, match="make shell"):
            AsyncServiceManager()


# ------------------------------------------------------------------- asyncio by itself


def test_a_task_is_cancelled(sim: SimulatedSCM) -> None:
    async def main() -> None:
        async with AsyncServiceManager() as scm, scm.open("base") as base:
            task = asyncio.create_task(base.wait(S.PAUSED))
            await asyncio.sleep(0.05)
            task.cancel("why")
            with suppress(asyncio.CancelledError):
                await task
            assert task.cancelled()
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(base.wait(S.PAUSED), 0.05)
            waits = [asyncio.create_task(base.wait(S.STOPPED)) for _ in range(8)]
            await asyncio.sleep(0.02)
            await base.stop(dependents=True)
            assert {status.state for status in await asyncio.gather(*waits)} == {S.STOPPED}
        await threads_end()

    asyncio.run(main())
    assert not sim.open_handles


def test_a_loop_that_is_closed_meanwhile(sim: SimulatedSCM) -> None:
    async def main() -> None:
        async with AsyncServiceManager() as scm:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(anext(aiter(scm.services())), 0.02)

    with held(sim, "EnumServicesStatusExW") as returned:
        asyncio.run(main())
        assert not returned.is_set()
    asyncio.run(threads_end())
    assert not sim.open_handles


LIFE = """
import sys
sys.modules["anyio"] = None  # it is not there
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


def test_asyncio_needs_nothing_else() -> None:
    code = LIFE.format(library="asyncio", main="main()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("RUNNING\n", "")


def test_trio_without_anyio() -> None:
    pytest.importorskip("trio")
    code = LIFE.format(library="trio", main="main")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "pip install winsvc-cffi[aio]" in done.stderr


@pytest.mark.anyio
async def test_a_pause_of_one_that_is_gone(sim: SimulatedSCM, scm: AsyncServiceManager) -> None:
    async with scm.open("top") as top:
        sim.local.remove("top")
        with pytest.raises(ServiceError):
            await top.status()
