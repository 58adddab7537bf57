"""Measure the parts in plain Python, relative to a loop of plain Python.

A faster machine runs both faster, so that tests can check the ratio. ``python -m bench.pure``
prints the results as JSON, with the gain of concurrent queries if each call takes 20 ms of real
time (simulated time does not have concurrent calls).
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any, cast

from winsvc import DependencyGraph, ServiceConfig, ServiceInfo, ServiceManager, ServiceNode
from winsvc._values.dependency import ServiceDependency
from winsvc._values.rows import ConfigRow, EnumPage, StatusRow
from winsvc.backend import Backend
from winsvc.testing import SimulatedSCM

Work = Callable[[], object]

ROUNDS = 7

# The largest accepted ratio, two to three times the ratio at the time of writing.
LIMITS = {
    "decode 5,000 rows of a listing": 0.8,
    "decode 5,000 rows with different statuses": 12.0,
    "decode 1,000 configurations": 6.0,
    "graph of 5,000 services": 12.0,
    "order of 5,000 services": 12.0,
    "cycles of 5,000 services": 12.0,
    "drawing of 5,000 services": 20.0,
}


def calibration() -> int:
    """Run calls, tuples and dicts, the most frequent operations of the parts below."""
    known: dict[tuple[int, str], int] = {}
    for number in range(10_000):
        key = (number & 255, str(number & 63))
        known[key] = known.get(key, 0) + len(key)
    return len(known)


def page(count: int, different: int) -> EnumPage:
    """Create a listing as the compiled module returns it."""
    statuses = [StatusRow(0x10, 4, 5, 0, 0, 0, 0, 100 + index, 0) for index in range(different)]
    names = [f"service-{index:05}" for index in range(count)]
    shown = [f"Service {index} of many" for index in range(count)]
    return EnumPage(names, shown, statuses, [index % different for index in range(count)], [])


def configs(count: int) -> list[ConfigRow]:
    return [
        ConfigRow(0x10, 3, 1, r"C:\beat.exe", "", 0, ("RpcSs", "+Base"), "LocalSystem", f"S{index}")
        for index in range(count)
    ]


def nodes(count: int) -> tuple[ServiceNode, ...]:
    """Create nodes, each of which depends on three earlier nodes."""
    return tuple(
        ServiceNode(
            f"service-{index}",
            tuple(ServiceDependency(f"service-{index // way}") for way in (2, 3, 5) if index > way),
        )
        for index in range(count)
    )


def jobs() -> dict[str, Work]:
    """Return the parts to measure."""
    alike, unlike, many = page(5000, 4), page(5000, 5000), configs(1000)
    services = nodes(5000)
    graph = DependencyGraph(services)
    every = [node.name for node in services]
    return {
        "decode 5,000 rows of a listing": lambda: list(ServiceInfo.from_rows(alike)),
        "decode 5,000 rows with different statuses": lambda: list(ServiceInfo.from_rows(unlike)),
        "decode 1,000 configurations": lambda: [
            ServiceConfig.from_row(row, "name") for row in many
        ],
        "graph of 5,000 services": lambda: DependencyGraph(services).dependents_of("service-1"),
        "order of 5,000 services": lambda: graph.start_order(every),
        "cycles of 5,000 services": lambda: DependencyGraph(services).cycles(),
        "drawing of 5,000 services": graph.to_dot,
    }


def took(work: Work) -> int:
    begun = time.perf_counter_ns()
    result = work()
    after = time.perf_counter_ns()
    del result
    return after - begun


def ratio(work: Work, to: Work = calibration, rounds: int = ROUNDS) -> float:
    """Return the median of the ratios of alternating rounds."""
    work(), to()
    return statistics.median(took(work) / took(to) for _ in range(rounds))


class Distant:
    """A backend with a delay of real seconds for each call."""

    def __init__(self, backend: Backend, seconds: float) -> None:
        self._backend = backend
        self._seconds = seconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._backend, name)

        def call(*arguments: object, **keywords: object) -> object:
            time.sleep(self._seconds)
            return method(*arguments, **keywords)

        return call


def distant(services: int, seconds: float) -> ServiceManager:
    """Create a manager of a simulated machine with a number of services."""
    simulated = SimulatedSCM()
    for index in range(services):
        simulated.add(f"service-{index}")
    simulated.latency = 0
    return ServiceManager(backend=cast(Backend, Distant(simulated, seconds)))


def gain(services: int, seconds: float, concurrency: int) -> tuple[float, float]:
    """Measure the queries of the configurations in sequence and concurrently, in seconds."""
    with distant(services, seconds) as scm:
        times = [
            took(lambda number=number: list(scm.configs(concurrency=number))) / 1e9  # type: ignore[misc]
            for number in (1, concurrency)
        ]
    return times[0], times[1]


def main() -> None:
    results: list[dict[str, object]] = [
        {"job": name, "ratio": ratio(work), "limit": LIMITS[name]} for name, work in jobs().items()
    ]
    services = 40
    gains = [gain(services, 0.020, 16) for _ in range(3)]
    slow, fast = (statistics.median(values) for values in zip(*gains, strict=True))
    results.append(
        {
            "job": f"configurations of {services} services, 20 ms a call (simulated): 16 at a time"
            f" {fast:.2f} s, in sequence {slow:.2f} s",
            "ratio": fast / slow,
            "limit": None,
        }
    )
    print(json.dumps(results))


if __name__ == "__main__":
    main()
