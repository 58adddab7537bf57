"""``make check`` and ``make test``: the commands, where they run, and their result."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.lab.layout import PROJECT, Lab, say
from tools.lab.machine import host_environment
from tools.lab.wine import Session, windows_path

# Where each tier must have run at least one test for `make test` to pass.
LINUX_TIERS = ("portable", "contract", "tools")
LAB_TIERS = ("contract", "real", "parity", "host", "bench")
OTHER_PYTHON_TIERS = ("contract", "real")


# pytest's exit code if options such as -k deselect all tests.
NOTHING_CHOSEN = 5


def check(lab: Lab) -> int:
    """Run ruff, the language checks, mypy, pyright and the generators' checks."""
    python = str(lab.host_python)
    commands = (
        (python, "-m", "ruff", "check", "."),
        (python, "-m", "ruff", "format", "--check", "."),
        (python, "tools/language.py"),
        (python, "-m", "codespell_lib"),
        (python, "-m", "mypy", "--platform", "linux"),
        # The lab runs on Linux only.
        (python, "-m", "mypy", "--platform", "win32", "--exclude", "/lab/|test_lab"),
        (python, "-m", "pyright", "--pythonpath", python),
        (python, "tools/stubgen.py", "--check"),
        (python, "tools/settingsgen.py", "--check"),
        (python, "tools/schemagen.py", "--check"),
        (python, "tools/aiogen.py", "--check"),
        (python, "tools/apigen.py", "--check"),
    )
    failed = 0
    for command in commands:
        say(" ".join(command[1:]).removeprefix("-m "))
        done = subprocess.run(command, cwd=PROJECT, env=host_environment(lab))
        failed += bool(done.returncode)
    return 1 if failed else 0


def test(lab: Lab, other: Lab, arguments: Sequence[str]) -> int:
    """Run all tiers on this machine and in the lab, and some on the lab's other Python."""
    with tempfile.TemporaryDirectory() as folder:
        return _test(lab, other, arguments, Path(folder))


def _test(lab: Lab, other: Lab, arguments: Sequence[str], reports: Path) -> int:
    codes = {"linux": _on_linux(lab, reports / "linux.json", arguments)}
    for used, tiers in ((lab, LAB_TIERS), (other, OTHER_PYTHON_TIERS)):
        name = f"lab-{used.python}"
        codes[name] = _in_lab(used, reports / f"{name}.json", tiers, arguments)
    summary = ", ".join(
        f"{tier} {count} ({report.stem})"
        for report in sorted(reports.glob("*.json"))
        for tier, count in json.loads(report.read_text()).items()
    )
    say(f"tests passed by tier: {summary}")
    # A crashed run has no report, and its code may be negative.
    good = (0, NOTHING_CHOSEN) if arguments else (0,)
    bad = [
        name
        for name, code in codes.items()
        if code not in good or not (reports / f"{name}.json").is_file()
    ]
    if bad:
        say(f"FAILED: {', '.join(bad)}")
    return 1 if bad else 0


def _optional(arguments: Sequence[str]) -> list[str]:
    """Allow tiers without a test if the user selects tests."""
    return ["--tiers-optional"] if arguments else []


def _on_linux(lab: Lab, report: Path, arguments: Sequence[str]) -> int:
    say("tests on this machine's Python")
    options = ["--hypothesis-profile=thorough", f"--tiers={','.join(LINUX_TIERS)}"]
    command = [str(lab.host_python), "-m", "pytest", *options, *_optional(arguments)]
    return subprocess.run(
        [*command, f"--tier-report={report}", *arguments],
        cwd=PROJECT,
        env=host_environment(lab),
    ).returncode


def _in_lab(lab: Lab, report: Path, tiers: Sequence[str], arguments: Sequence[str]) -> int:
    say(f"tests in the lab, Windows CPython {lab.python}")
    reported = f"--tier-report={windows_path(report)}"
    with Session(lab) as session:
        return in_session(lab, session, tiers, [reported, *_optional(arguments), *arguments])


def in_session(lab: Lab, session: Session, tiers: Sequence[str], options: Sequence[str]) -> int:
    """Run tiers of the tests with the Windows Python."""
    return session.python(
        *("-m", "pytest", "-p", "no:cacheprovider", f"--tiers={','.join(tiers)}", *options),
        WINSVC_TEST_SERVICE=windows_path(lab.test_service),
        WINSVC_BENCH_PROGRAM=windows_path(lab.bench_program),
    )
