"""The benchmark: the worker's line protocol, the ratios, the page and the chart."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import pure
from bench.measure import ALL, Bench, BenchError, Plan, Result, Worker
from bench.report import Machine, Report, write
from bench.worker import answers

# Performs every job immediately, and logs the services to create.
PRETENDER = """\
import sys
left = 0
if sys.argv[2:] == ["import"]:
    print("ok\\t2000\\t5000")
    sys.exit()
for line in sys.stdin:
    job, name, *words = line.rstrip("\\n").split("\\t")
    if job == "create":
        open(sys.argv[1], "a").write(line)
    if job == "delete":
        open(sys.argv[1], "a").write("delete\\n")
        left = 0
    if job == "status" and sys.argv[2] == "FAULT":
        print("error\\t5\\tQueryServiceStatusEx", flush=True)
        continue
    items = {"list": 16, "delete": left, "waits": words[0] if words else 0}.get(job, 1)
    none = job == "levels" and sys.argv[2] == "psutil"
    print("none" if none else f"ok\\t1000\\t{items}", flush=True)
"""


def launch(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PRETENDER, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def bench_of(log: Path, program: str = "c") -> Bench:
    plan = Plan((16, 40), rounds=2, long_rounds=2, most=16, slowly=4, waits=3)
    return Bench(
        lambda command: (
            launch([str(log), command[0] if len(command) == 1 else command[1]])
            if command[-1] != "import"
            else launch([str(log), "import"])
        ),
        program,
        ["python"],
        "service.exe",
        plan,
        lambda _: None,
    )


def test_bench_run_writes_page_json_and_chart(tmp_path: Path) -> None:
    bench = bench_of(tmp_path / "log")
    bench.run()
    jobs = [(result.job, result.size) for result in bench.results]
    assert ("list", 16) in jobs
    assert {job for job, _ in jobs} >= {"config", "status", "open", "start", "stop", "waits"}
    (levels,) = (result for result in bench.results if result.job == "levels")
    assert set(levels.samples) == set(ALL) - {"psutil"}
    assert all(len(samples) == 2 for samples in levels.samples.values())
    assert (tmp_path / "log").read_text().splitlines()[-1] == "delete"

    machine = Machine("a processor", "a system", "versions", "2026-01-01", "")
    report = Report(machine, bench, 3, [{"job": "pure", "ratio": 0.5, "limit": 1.0}])
    write(report, tmp_path)
    page = (tmp_path / "performance.md").read_text()
    assert "a processor; a system; versions; 2026-01-01." in page
    assert "| status, open handle" in page
    assert json.loads((tmp_path / "performance.json").read_text())["results"]
    chart = ElementTree.parse(tmp_path / "performance.svg").getroot()
    assert "winsvc" in "".join(chart.itertext())


def test_bench_run_that_fails_removes_services(tmp_path: Path) -> None:
    bench = bench_of(tmp_path / "log", program="FAULT")
    with pytest.raises(BenchError, match="QueryServiceStatusEx"):
        bench.run()
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[0] == lines[-1] == "delete"
    assert any(line.startswith("create") for line in lines)


def test_worker_after_process_end_raises_bench_error() -> None:
    processes: list[subprocess.Popen[str]] = []

    def launch_once(command: Sequence[str]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", "input(); print('ok\\t2000\\t5000')"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    worker = Worker("c", [], launch_once)
    assert worker.request("list") == (2000, 5000)  # then the process ends
    assert processes[0].wait(30) == 0
    with pytest.raises(BenchError, match=r"^c has ended before list: "):
        worker.request("list")
    worker.close()


def test_result_ratio_returns_median_and_quartiles_of_rounds() -> None:
    result = Result("list", 16, {"c": [1.0, 2.0, 4.0], "winsvc": [2.0, 4.0, 4.0]})
    assert result.ratio("winsvc", "c") == (2.0, 1.5, 2.0)
    assert result.ratio("psutil", "c") is None


class Library:
    """A library for a few of the jobs."""

    def __init__(self) -> None:
        self.calls: list[object] = []

    def list(self) -> list[object]:
        self.calls.append("list")
        return ["a", "b"]

    def open(self, name: str) -> None:
        if name == "no":
            raise LookupError("no\nservice")


def test_worker_answers_each_line_with_result_or_error() -> None:
    library = Library()
    lines = ["list\t\t3\n", "status\tx\t1\r\n", "open\tno\t1\n", "levels\n", "memory\n"]
    results = [answer.split("\t") for answer in answers(library, lines)]
    assert results[0][0] == "ok"
    assert results[0][2] == "2"
    assert library.calls[:4] == ["list"] * 4
    assert results[1] == ["none"]
    assert results[2] == ["error", "LookupError: no service"]
    assert results[3] == ["none"]
    assert results[4][::2] == ["ok", "2"]


def test_every_benchmark_job_has_a_limit() -> None:
    assert set(pure.jobs()) == set(pure.LIMITS)


def test_took_returns_non_negative_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    """The release of the result is not measured."""
    now = 0

    class Result:
        def __del__(self) -> None:
            nonlocal now
            now += 100

    def work() -> Result:
        nonlocal now
        now += 7
        return Result()

    monkeypatch.setattr("time.perf_counter_ns", lambda: now)
    assert pure.took(work) == 7
    assert now == 107
