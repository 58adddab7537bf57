"""Times in which waits return and are cancelled, and their cost."""

from __future__ import annotations

import signal
import statistics
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeAlias

import anyio
import pytest
from puppets import CYCLE, Puppet, backend, counted, on_wine, puppets, until_armed
from support import Effort

from winsvc import Service, ServiceManager, ServiceStartError, State, WaitTimeoutError, Win32Error
from winsvc.aio import AsyncServiceManager

Keeps: TypeAlias = Callable[[str, list[float], float], None]
"""Shows the times that were measured, and compares their median with a limit, in seconds."""


@pytest.fixture
def puppet(scm: ServiceManager, program: str, unique_name: Callable[[], str]) -> Iterator[Puppet]:
    with puppets(scm, program, [unique_name()]) as (puppet,):
        yield puppet


@pytest.fixture
def keeps(effort: Effort, capsys: pytest.CaptureFixture[str]) -> Keeps:
    def check(what: str, times: list[float], limit: float) -> None:
        median = statistics.median(times)
        with capsys.disabled():
            print(f"\n    {what}: median {median * 1000:.2f}, worst {max(times) * 1000:.2f} ms")
        assert median < effort.limit(limit)

    return check


# ------------------------------------------------------------------- how soon a wait returns


@on_wine
def test_reported_state_ends_wait_in_time(
    scm: ServiceManager, puppet: Puppet, effort: Effort, keeps: Keeps
) -> None:
    returned: SimpleQueue[float] = SimpleQueue()
    wanted: SimpleQueue[State | None] = SimpleQueue()
    times: list[float] = []

    def waits() -> None:
        with scm.open(puppet.name) as service:
            while (state := wanted.get()) is not None:
                service.wait(state, timeout=30)
                returned.put(time.perf_counter())

    thread = threading.Thread(target=waits)
    thread.start()
    try:
        for number in range(effort.count(10, 200)):
            state = CYCLE[number % len(CYCLE)]
            wanted.put(state)
            until_armed()
            reported = puppet.report(state)
            times.append(returned.get(timeout=30) - reported)
    finally:
        wanted.put(None)
        thread.join(30)
    keeps("report -> return", times, 0.010)


def test_process_end_ends_wait_in_time(
    installed: Service, effort: Effort, keeps: Keeps, tmp_path: Path
) -> None:
    times: list[float] = []
    for turn in range(effort.count(1, 5)):
        log = tmp_path / f"log{turn}"
        with pytest.raises(ServiceStartError):
            installed.start("slow=300", "exit=1234", f"log={log}", timeout=30)
        # It notes its arguments and then sleeps three times 100 ms.
        times.append(time.time() - log.stat().st_mtime - 0.3)
    keeps("end of the process -> return", times, 0.1)


@on_wine
def test_failed_start_ends_wait_in_time(
    scm: ServiceManager, puppet: Puppet, effort: Effort, keeps: Keeps
) -> None:
    ended: SimpleQueue[float] = SimpleQueue()

    def waits() -> None:
        with scm.open(puppet.name) as service, pytest.raises(Win32Error):
            service.wait(State.RUNNING, timeout=30)
        ended.put(time.perf_counter())

    times: list[float] = []
    for _ in range(effort.count(3, 20)):
        puppet.report(State.START_PENDING, check_point=7)
        thread = threading.Thread(target=waits)
        thread.start()
        until_armed()
        stopped = puppet.report(State.STOPPED, exit_code=1234)
        times.append(ended.get(timeout=30) - stopped)
        thread.join(30)
    keeps("STOPPED instead of RUNNING -> return", times, 0.1)


def test_timeout_ends_wait_in_time(effort: Effort, keeps: Keeps) -> None:
    waiter = backend.open_waiter()
    times: list[float] = []
    for _ in range(effort.count(3, 10)):
        began = time.perf_counter()
        assert backend.wait_notified(waiter, 0.12) == []
        times.append(time.perf_counter() - began - 0.12)
    backend.close_waiter(waiter)
    assert min(times) > -0.02
    keeps("timeout -> return", times, 0.1)


@pytest.mark.usefixtures("interruptible")
def test_ctrl_c_ends_the_wait(installed: Service, effort: Effort, keeps: Keeps) -> None:
    times: list[float] = []
    for _ in range(effort.count(2, 5)):
        pressed: list[float] = []

        def press(pressed: list[float] = pressed) -> None:
            until_armed()
            pressed.append(time.perf_counter())
            signal.raise_signal(signal.SIGINT)

        thread = threading.Thread(target=press)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            installed.wait(State.RUNNING)
        times.append(time.perf_counter() - pressed[0])
        thread.join()
    keeps("Ctrl-C -> KeyboardInterrupt", times, 0.1)


# ------------------------------------------------------------------- what a wait costs


def processor_share(seconds: float, work: Callable[[], object]) -> float:
    """Measure the share of one processor that this process takes."""
    spent = time.process_time()
    work()
    return (time.process_time() - spent) / seconds


def test_wait_uses_almost_no_processor_time(installed: Service, effort: Effort) -> None:
    def wait(seconds: float) -> None:
        with pytest.raises(WaitTimeoutError):
            installed.wait(State.RUNNING, timeout=seconds)

    wait(0.1)  # loads what is loaded once
    seconds = effort.count(1, 4)
    assert processor_share(seconds, lambda: wait(seconds)) < effort.limit(0.02)


@on_wine
def test_many_waits_take_no_processor_and_end_soon(
    scm: ServiceManager,
    program: str,
    unique_name: Callable[[], str],
    effort: Effort,
    keeps: Keeps,
) -> None:
    count = effort.count(16, 64)
    names = [unique_name() for _ in range(count)]
    arrived: SimpleQueue[float] = SimpleQueue()

    def waits(name: str) -> None:
        with scm.open(name) as service:
            service.wait(State.RUNNING, timeout=60)
        arrived.put(time.perf_counter())

    with puppets(scm, program, names) as waited:
        threads = [threading.Thread(target=waits, args=[name]) for name in names]
        for thread in threads:
            thread.start()
        until_armed(count)
        assert processor_share(1, lambda: time.sleep(1)) < effort.limit(0.02)
        times: list[float] = []
        for puppet in waited:
            reported = puppet.report(State.RUNNING)
            times.append(arrived.get(timeout=20) - reported)
        for thread in threads:
            thread.join(30)
    keeps(f"{count} waits, report -> return", times, 0.010)


# ------------------------------------------------------------------- how soon it is cancelled


async def cancelled(waiting: Callable[[], Coroutine[Any, Any, object]]) -> float:
    """Cancel a wait that has begun; return the seconds until it has ended."""
    async with anyio.create_task_group() as group:
        group.start_soon(waiting)
        while not counted()[1]:
            await anyio.sleep(0.01)
        began = time.perf_counter()
        group.cancel_scope.cancel()
    return time.perf_counter() - began


@pytest.mark.anyio
async def test_cancelled_coroutine_ends_its_wait_in_time(
    installed: Service, effort: Effort, keeps: Keeps
) -> None:
    async with AsyncServiceManager() as scm, scm.open(installed.name) as service:
        events = scm.watch(installed.name)
        rounds = effort.count(3, 30)
        keeps(
            "wait",
            [await cancelled(lambda: service.wait(State.PAUSED)) for _ in range(rounds)],
            0.1,
        )
        keeps("watch", [await cancelled(events.wait) for _ in range(rounds)], 0.1)
        await events.close()


@pytest.mark.anyio
async def test_many_coroutines_are_cancelled_at_once(
    scm: ServiceManager,
    program: str,
    unique_name: Callable[[], str],
    anyio_backend_name: str,
    effort: Effort,
    keeps: Keeps,
) -> None:
    count = effort.count(16, 64)
    times: list[float] = []
    async with AsyncServiceManager() as asc, AsyncExitStack() as closing:
        services = []
        for _ in range(count):
            service = await closing.enter_async_context(asc.create(unique_name(), program))
            closing.push_async_callback(service.delete)
            services.append(service)
        for _ in range(effort.count(1, 3)):
            async with anyio.create_task_group() as group:
                for service in services:
                    group.start_soon(service.wait, State.RUNNING)
                while counted()[1] < count:
                    await anyio.sleep(0.01)
                began = time.perf_counter()
                group.cancel_scope.cancel()
            times.append(time.perf_counter() - began)
            with anyio.fail_after(10):
                while counted()[1]:
                    await anyio.sleep(0.01)
    # trio's event loop wakes up slowly under Wine, where each wake-up is a poll of a socket.
    limit = 0.1 if anyio_backend_name == "asyncio" else 1
    keeps(f"{count} waits", times, limit)
