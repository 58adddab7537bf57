"""``make bench``: compare winsvc with C, pywin32 and psutil in the lab."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Bench, BenchError, Plan
from bench.report import Machine, Report, write
from tools.lab import checks
from tools.lab.layout import PROJECT, Lab, LabError, say
from tools.lab.machine import capture, host_environment
from tools.lab.wine import Session, environment, windows_path

WORKER = PROJECT / "bench" / "worker.py"
DOCS = PROJECT / "docs"


def bench(lab: Lab, arguments: Sequence[str]) -> int:
    """Run the benchmark; write docs/performance.*, except with --quick."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--quick", action="store_true", help="a glance; writes nothing into docs")
    parser.add_argument("--output", type=Path, default=None, help="another folder than docs")
    chosen = parser.parse_args(arguments)
    plan = Plan.quick() if chosen.quick else Plan.full()
    pure = _pure(lab)
    with Session(lab) as session:

        def launch(command: Sequence[str]) -> subprocess.Popen[str]:
            return subprocess.Popen(
                ["wine", *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment(session.prefix),
                start_new_session=True,  # Ctrl-C must reach only the benchmark, which cleans up
            )

        python = [str(lab.windows_python), windows_path(WORKER)]
        service = f'"{windows_path(lab.test_service)}"'
        run = Bench(launch, str(lab.bench_program), python, service, plan, say)
        try:
            run.run()
        except BenchError as error:
            raise LabError(str(error)) from error
        versions, _ = launch([*python, "about"]).communicate(timeout=60)
        say("the timed tests")
        strict = [] if chosen.quick else ["--bench-full"]
        code = checks.in_session(lab, session, ("bench",), strict)
    report = Report(_machine(versions.strip()), run, plan.waits, pure)
    print(report.to_text())
    folder = chosen.output or (lab.root / "bench" if chosen.quick else DOCS)
    write(report, folder)
    say(f"written: performance.md, .svg and .json in {folder}")
    return code


def _pure(lab: Lab) -> list[dict[str, object]]:
    """Measure the parts in plain Python, on this machine's Python."""
    say("measuring the parts in plain Python")
    command = [str(lab.host_python), "-m", "bench.pure"]
    done = subprocess.run(
        command, cwd=PROJECT, env=host_environment(lab), capture_output=True, text=True
    )
    if done.returncode:
        raise LabError(f"bench.pure failed:\n{done.stderr}")
    results: list[dict[str, object]] = json.loads(done.stdout)
    return results


def _machine(versions: str) -> Machine:
    """Describe the machine, without its name and paths."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in capture("cat", "/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    release = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    wine = capture("wine", "--version").strip()
    load = f"{os.getloadavg()[2]:.1f}"
    return Machine(
        f"{model}, {os.cpu_count()} cores",
        f"{release}, {wine}",
        versions,
        datetime.date.today().isoformat(),
        f"load {load} in the last 15 minutes, including the benchmark",
    )
