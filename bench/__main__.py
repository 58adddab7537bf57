"""``py -m bench program.exe [--quick]`` on Windows; in the lab it is ``make bench``."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.measure import Bench, BenchError, Plan
from bench.report import Machine, Report, write

WORKER = Path(__file__).with_name("worker.py")


def launch(command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="bench", description="Compare winsvc with C, pywin32 and psutil."
    )
    parser.add_argument("program", help="the compiled program.c")
    parser.add_argument("--quick", action="store_true", help="a short run; writes nothing")
    parser.add_argument("--output", type=Path, default=Path("docs"), help="default: docs")
    chosen = parser.parse_args()
    plan = Plan.quick() if chosen.quick else Plan.full()
    python = [sys.executable, str(WORKER)]
    service = f'"{os.environ["WINSVC_TEST_SERVICE"]}"'
    bench = Bench(launch, chosen.program, python, service, plan, print)
    try:
        bench.run()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    versions = subprocess.run([*python, "about"], capture_output=True, text=True, check=True).stdout
    machine = Machine(
        f"{platform.processor()}, {os.cpu_count()} cores",
        platform.platform(),
        versions.strip(),
        datetime.date.today().isoformat(),
        "",
    )
    report = Report(machine, bench, plan.waits)
    print(report.to_text())
    if not chosen.quick:
        write(report, chosen.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
