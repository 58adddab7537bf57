"""The bench as it is run in the lab, with as little as possible of everything."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bench.__main__ import launch
from bench.measure import ALL, PREFIX, Bench, BenchError, Plan
from winsvc import ServiceManager

PROGRAM = os.environ.get("WINSVC_BENCH_PROGRAM")
WORKER = Path(__file__).parent.parent.parent / "bench" / "worker.py"


def left() -> list[str]:
    with ServiceManager() as scm:
        return [info.name for info in scm.services() if info.name.startswith(PREFIX)]


def bench_of(service: str, sizes: tuple[int, ...]) -> Bench:
    assert PROGRAM, "WINSVC_BENCH_PROGRAM must be the path of the compiled bench/program.c"
    plan = Plan(sizes, rounds=2, long_rounds=2, most=30, slowly=3, waits=3)
    return Bench(launch, PROGRAM, [sys.executable, str(WORKER)], service, plan, print)


def test_bench_run_measures_every_job_with_every_library(real_program: str) -> None:
    bench = bench_of(real_program, (16, 30))
    bench.run()
    sizes: dict[str, list[int]] = {}
    for result in bench.results:
        sizes.setdefault(result.job, []).append(result.size)
    first, last = sizes["list"]
    assert 16 <= first < last
    assert last >= 30
    once, twice = [first], [first, last]
    assert sizes == {
        **dict.fromkeys(("list", "config", "levels"), twice),
        **dict.fromkeys(("open", "status", "start", "stop", "waits"), once),
        **{job: [0] for job in ("import", "connect")},
    }
    for result in bench.results:
        # psutil cannot start services or read levels; there is no import of C.
        few = {"levels": {"psutil"}, "start": {"psutil"}, "stop": {"psutil"}, "waits": {"psutil"}}
        missing = {"c"} if result.job in ("import", "connect") else few.get(result.job, set())
        assert set(result.samples) == set(ALL) - missing, result.job
        assert {len(samples) for samples in result.samples.values()} == {2}, result.job
        assert all(sample > 0 for samples in result.samples.values() for sample in samples)
    assert set(bench.memory) == set(ALL)
    assert left() == []


def test_bench_run_that_fails_removes_services(real_program: str) -> None:
    # Its service is none that could be started.
    bench = bench_of("C:\\there\\is\\none.exe", (16,))
    with pytest.raises(BenchError, match="start"):
        bench.run()
    assert left() == []
