"""The asynchronous objects: listings in batches, warnings, attributes and documented examples."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
import re
import textwrap
import threading
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import Any, assert_never

import anyio
import pytest

import winsvc
import winsvc.aio
from winsvc import (
    ConfigChanged,
    ServiceCreated,
    ServiceDeleted,
    ServiceEvent,
    ServiceManager,
    State,
    StatusChanged,
    WaitCancelledError,
)
from winsvc._scm.waiting import CancelToken
from winsvc.aio import AsyncService, AsyncServiceManager, AsyncWatch
from winsvc.testing import SimulatedSCM

COUNT = 60


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        for number in range(COUNT):
            sim.add(f"s{number:02}")
        yield sim
        assert not sim.open_handles


@pytest.fixture
async def scm(sim: SimulatedSCM) -> AsyncIterator[AsyncServiceManager]:
    async with AsyncServiceManager() as manager:
        yield manager
    await threads_end()


async def threads_end() -> None:
    """Wait for the threads of all calls and of bulk queries."""
    with anyio.fail_after(10):
        while any(thread.name.startswith("winsvc") for thread in threading.enumerate()):
            await anyio.sleep(0.005)


class Gate:
    """Holds the query of one service, and counts the queries of all services."""

    def __init__(self, sim: SimulatedSCM, name: str) -> None:
        self._open_service = sim.open_service
        self._name = name
        self.names: list[str] = []
        self.reached, self.released = threading.Event(), threading.Event()
        sim.open_service = self._open  # type: ignore[method-assign]

    def _open(self, manager: int, name: str, access: int) -> int:
        self.names.append(name)
        if name == self._name:
            self.reached.set()
            assert self.released.wait(10)
        return self._open_service(manager, name, access)


def read_name(item: Any) -> str:
    name: str = item.name if hasattr(item, "name") else item[0].name
    return name


LISTINGS: dict[str, Callable[[AsyncServiceManager], Any]] = {
    "services": lambda scm: scm.services(),
    "configs": lambda scm: scm.configs(concurrency=2),
    "snapshots": lambda scm: scm.snapshots(concurrency=2),
}


# ------------------------------------------------------------------- listings


@pytest.mark.anyio
@pytest.mark.parametrize("kind", LISTINGS)
async def test_async_listing_yields_all_services_in_order(
    scm: AsyncServiceManager, kind: str
) -> None:
    names = [read_name(item) async for item in LISTINGS[kind](scm)]
    assert names == [f"s{number:02}" for number in range(COUNT)]


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["configs", "snapshots"])
async def test_async_listing_yields_first_item_before_last_service_is_queried(
    sim: SimulatedSCM, scm: AsyncServiceManager, kind: str
) -> None:
    gate = Gate(sim, f"s{COUNT - 1:02}")
    async with aclosing(LISTINGS[kind](scm)) as items:
        assert read_name(await anext(items)) == "s00"
        assert len(set(gate.names)) < COUNT
        assert not gate.reached.is_set()
        gate.released.set()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["configs", "snapshots"])
async def test_async_listing_that_is_left_early_queries_no_further_services(
    sim: SimulatedSCM, scm: AsyncServiceManager, kind: str
) -> None:
    gate = Gate(sim, "")
    async with aclosing(LISTINGS[kind](scm)) as items:
        await anext(items)
    await threads_end()
    assert len(set(gate.names)) < COUNT
    assert sim.open_handles == 1  # the manager's


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["configs", "snapshots"])
async def test_cancelled_task_ends_listing_after_query_in_progress(
    sim: SimulatedSCM, scm: AsyncServiceManager, kind: str
) -> None:
    gate = Gate(sim, "s05")
    scope = anyio.CancelScope()

    async def consume() -> None:
        with scope:
            async for _ in LISTINGS[kind](scm):
                pass
            pytest.fail("the listing was not cancelled")

    async with anyio.create_task_group() as group:
        group.start_soon(consume)
        assert await anyio.to_thread.run_sync(gate.reached.wait, 10)
        with anyio.fail_after(5):  # the task ends although the query has not returned
            scope.cancel()
            while not scope.cancelled_caught:
                await anyio.sleep(0.005)
        assert not gate.released.is_set()
        queried = len(set(gate.names))
        gate.released.set()
    await threads_end()
    assert len(set(gate.names)) <= queried + 2
    assert queried < COUNT


@pytest.mark.anyio
async def test_cancelled_task_ends_graph(sim: SimulatedSCM, scm: AsyncServiceManager) -> None:
    gate = Gate(sim, "s00")
    async with anyio.create_task_group() as group:
        group.start_soon(scm.graph)
        assert await anyio.to_thread.run_sync(gate.reached.wait, 10)
        group.cancel_scope.cancel()
    gate.released.set()
    await threads_end()
    assert len(set(gate.names)) < COUNT


@pytest.mark.parametrize("kind", ["services", "configs", "snapshots", "graph"])
def test_sync_listing_with_cancelled_token_raises_cancelled_error(
    sim: SimulatedSCM, kind: str
) -> None:
    token = CancelToken()
    with ServiceManager() as scm:
        token.cancel()
        with pytest.raises(WaitCancelledError, match="the listing was cancelled"):
            list(getattr(scm, kind)(cancel=token))
        with pytest.raises(TypeError, match="cancel"):
            getattr(scm, kind)(cancel="token")


@pytest.mark.anyio
async def test_async_listing_error_is_raised_at_first_item(scm: AsyncServiceManager) -> None:
    with pytest.raises(winsvc.GroupNotFoundError):
        await anext(scm.services(group="missing"))


# ------------------------------------------------------------------- warnings


def test_operation_that_is_not_awaited_issues_warning(sim: SimulatedSCM) -> None:
    async def forget() -> None:
        async with AsyncServiceManager() as scm:
            scm.create("b", "b.exe")
            scm.open("s00")
            scm.start("s00")  # type: ignore[unused-coroutine]
            scm.watch()
            async with scm.open("s00") as service:
                service.stopped()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        asyncio.run(forget())
        gc.collect()
    messages = sorted(str(item.message) for item in caught)
    assert messages == [
        'AsyncService.stopped() was never entered: use "async with"',
        "coroutine 'AsyncServiceManager.create' was never awaited",
        "coroutine 'AsyncServiceManager.open' was never awaited",
        "coroutine 'AsyncServiceManager.start' was never awaited",
        'watch() was never used: use "async with" or "async for"',
    ]
    assert {item.category for item in caught} == {RuntimeWarning}
    assert "b" not in sim


def test_open_is_accepted_where_coroutine_is_expected(sim: SimulatedSCM) -> None:
    async def main() -> None:
        async with AsyncServiceManager() as scm:
            opening = scm.open("s00")
            assert asyncio.iscoroutine(opening)
            async with await asyncio.create_task(opening) as service:
                assert service.name == "s00"
            scm.open("s01").close()  # a coroutine that is closed does not warn

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(main())
        gc.collect()


def test_open_awaited_twice_raises(sim: SimulatedSCM) -> None:
    async def main() -> None:
        async with AsyncServiceManager() as scm:
            opening = scm.open("s00")
            async with await opening:
                with pytest.raises(RuntimeError, match="already awaited"):
                    await opening

    asyncio.run(main())


# ------------------------------------------------------------------- attributes


def test_assignment_to_unknown_attribute_is_refused(sim: SimulatedSCM) -> None:
    async def main() -> None:
        async with AsyncServiceManager() as scm, scm.open("s00") as service, scm.watch() as events:
            for target in (scm, service, events):
                for name in ("failure_action", "closed", "wait"):
                    with pytest.raises(AttributeError):
                        setattr(target, name, 1)
            with pytest.raises(AttributeError):
                service.name = "other"  # type: ignore[misc]

    asyncio.run(main())


def test_async_watch_has_public_names_of_watch() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(AsyncWatch) == public(winsvc.Watch)
    assert public(AsyncService) - public(winsvc.Service) == {"sync"}
    assert public(AsyncServiceManager) == public(ServiceManager)
    assert public(winsvc.Service) <= public(AsyncService)


def describe(event: ServiceEvent) -> str:
    """Match every event; type checkers accept assert_never only if none is missing."""
    match event:
        case ServiceCreated(name, status):
            return f"{name} created, {status}"
        case ServiceDeleted(name):
            return f"{name} deleted"
        case StatusChanged(name, _, new):
            return f"{name} {new.state.name}"
        case ConfigChanged(name):
            return f"{name} configured"
        case _:
            assert_never(event)


def test_events_are_a_union_of_four_classes() -> None:
    assert ServiceEvent == ServiceCreated | ServiceDeleted | StatusChanged | ConfigChanged
    assert describe(ServiceDeleted("x")) == "x deleted"
    assert isinstance(ConfigChanged("x"), ServiceEvent)


# ------------------------------------------------------------------- examples


def docstrings() -> Iterator[tuple[str, str]]:
    yield "winsvc.aio", winsvc.aio.__doc__ or ""
    for kind in (AsyncService, AsyncServiceManager, AsyncWatch):
        yield kind.__name__, kind.__doc__ or ""
        for name, member in inspect.getmembers(kind):
            if not name.startswith("_") and (doc := inspect.getdoc(member)):
                yield f"{kind.__name__}.{name}", doc


def code_blocks() -> Iterator[Any]:
    for name, doc in docstrings():
        for found in re.finditer(r"::\n\n((?:    .*\n|\n)+)", inspect.cleandoc(doc) + "\n"):
            yield pytest.param(textwrap.dedent(found[1]), id=name)


BLOCKS = list(code_blocks())


def test_docstrings_have_examples() -> None:
    assert len(BLOCKS) >= 6


@pytest.mark.parametrize("block", BLOCKS)
def test_docstring_example_runs(block: str) -> None:
    """Run an example on a simulated machine; cancel an example that watches or waits."""
    code = compile(block, "<example>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    with SimulatedSCM().installed() as sim:
        for name in ("Spooler", "web", "worker", "x"):
            sim.add(name, state=State.RUNNING)

        async def main() -> None:
            async with AsyncServiceManager() as scm, scm.open("x") as service:
                names = {**vars(winsvc), **vars(winsvc.aio), "scm": scm, "service": service}
                names |= {name: getattr(winsvc, name) for name in winsvc.__all__}  # type: ignore[attr-defined]
                result = eval(code, names)
                if inspect.iscoroutine(result):
                    try:
                        await asyncio.wait_for(result, 0.3)
                    except TimeoutError:
                        assert "watch" in block or "events" in block

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            asyncio.run(main())
            gc.collect()
