"""The tiers, and what the tests of several tiers share.

Each test belongs to the tier that its folder is named for. ``--tiers=portable,contract`` runs those
alone, and fails the run when one of them ran no test. Without it every tier that can run here
does. One line at the end says how many tests passed on which tier.
"""

from __future__ import annotations

import itertools
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from winsvc import Service, ServiceManager

# Few examples by default; "make test" runs more (--hypothesis-profile=thorough). No database: runs
# do not depend on what an earlier one left in the checkout, which may be read-only.
shared = settings(database=None, print_blob=True)
settings.register_profile("default", shared, max_examples=15)
settings.register_profile("thorough", shared, max_examples=200)
settings.load_profile("default")

TIERS = ("portable", "contract", "tools", "real", "parity", "host", "bench")
HERE = TIERS[:3] if sys.platform != "win32" else ("portable", "contract", *TIERS[3:-1])
TESTS = Path(__file__).parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("winsvc")
    group.addoption("--tiers", default=None, help=f"which of {', '.join(TIERS)} must run")
    group.addoption(
        "--tiers-optional", action="store_true", help="the tiers may be left without a test"
    )
    group.addoption(
        "--bench-full", action="store_true", help="measure as long, and as strictly, as make bench"
    )
    group.addoption("--tier-report", default=None, help="write the tests passed by tier as JSON")


def pytest_configure(config: pytest.Config) -> None:
    chosen = config.getoption("--tiers")
    required = tuple(chosen.split(",")) if chosen else ()
    if unknown := set(required) - set(TIERS):
        raise pytest.UsageError(f"unknown tier: {', '.join(sorted(unknown))}")
    wanted = required or HERE
    if config.getoption("--tiers-optional"):
        required = ()
    config.pluginmanager.register(TierCount(wanted, required), "winsvc-tiers")


def tier_of(path: Path) -> str | None:
    """Return the tier of a file below the tests."""
    first = path.relative_to(TESTS).parts[0] if path.is_relative_to(TESTS) else None
    return first if first in TIERS else None


class TierCount:
    """Selects the tiers of a run and counts what ran on each."""

    def __init__(self, wanted: tuple[str, ...], required: tuple[str, ...]) -> None:
        self.wanted = wanted
        self.required = required
        self.passed: Counter[str] = Counter()

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        if collection_path == TESTS or not collection_path.is_relative_to(TESTS):
            return None
        tier = tier_of(collection_path)
        # Not even imported: a tier may need modules that only its machine has.
        return True if tier is not None and tier not in self.wanted else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            tier = tier_of(item.path)
            assert tier, f"{item.path} is in no tier's folder"
            item.add_marker(tier)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            (tier,) = set(TIERS) & set(report.keywords)
            self.passed[tier] += 1

    def missing(self) -> list[str]:
        return [tier for tier in self.required if not self.passed[tier]]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if session.config.option.collectonly:
            return
        if self.missing() and session.exitstatus in (0, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        report = session.config.getoption("--tier-report")
        if report:
            Path(report).write_text(json.dumps(self.passed))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        where = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}"
        ran = ", ".join(f"{tier} {self.passed[tier]}" for tier in TIERS if tier in self.wanted)
        line = f"tests passed by tier ({where}): {ran}"
        if rest := [tier for tier in TIERS if tier not in self.wanted]:
            line += f"; not for this run: {', '.join(rest)}"
        if self.missing():
            line += f"; FAILED, no test ran on: {', '.join(self.missing())}"
        terminalreporter.write_line(line, red=bool(self.missing()))


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Raise KeyboardInterrupt on SIGINT, which a shell script ignores for background commands."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


# --------------------------------------------------------------------------- event loops


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked ``anyio`` on both loops; without the thorough profile only on asyncio."""
    if "anyio_backend" in metafunc.fixturenames:
        thorough = metafunc.config.getoption("--hypothesis-profile") == "thorough"
        loops = ["asyncio", "trio"] if thorough or sys.platform == "win32" else ["asyncio"]
        metafunc.parametrize("anyio_backend", loops, indirect=True)


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The event loop of a test that is marked ``anyio``."""
    from differences import WINE_DIFFERENCES, on_wine

    name: str = request.param
    if name == "trio" and on_wine():
        assert "socket-base" in WINE_DIFFERENCES
        from trio._core import _io_windows, _windows_cffi

        def own_handle(sock: Any, **which: object) -> object:
            number = sock.fileno() if hasattr(sock, "fileno") else int(sock)
            return _windows_cffi._handle(number)

        monkeypatch.setattr(_io_windows, "_get_underlying_socket", own_handle)
    return name


# --------------------------------------------------------------------------- services to test with

_numbers = itertools.count(1)


@pytest.fixture
def unique_name() -> Iterator[Callable[[], str]]:
    """Makes service names that no other test and no other run uses.

    Real services with these names have disappeared, with their processes, before the next test.
    """
    names: set[str] = set()

    def new() -> str:
        name = f"winsvc-test-{os.getpid()}-{next(_numbers)}"
        names.add(name)
        return name

    yield new
    if sys.platform == "win32" and names:
        from winsvc import ServiceManager
        from winsvc._native import NativeBackend

        deadline = time.monotonic() + 20
        with ServiceManager(backend=NativeBackend()) as scm:
            while left := names & {info.name for info in scm.services()}:
                assert time.monotonic() < deadline, f"still installed: {', '.join(sorted(left))}"


@pytest.fixture
def scm() -> Iterator[ServiceManager]:
    """The service control manager of this machine."""
    from winsvc import ServiceManager

    with ServiceManager() as manager:
        yield manager


@pytest.fixture
def real_program() -> str:
    """The command line of the test service that was compiled."""
    path = os.environ.get("WINSVC_TEST_SERVICE")
    if not path:
        pytest.fail("WINSVC_TEST_SERVICE must be the path of the compiled tests/service")
    return f'"{path}"'


@pytest.fixture
def program(real_program: str) -> str:
    """The command line of the test service."""
    return real_program


@pytest.fixture
def installed(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> Iterator[Service]:
    """A service of this test's own, stopped; stopped and deleted afterwards."""
    from winsvc import MarkedForDeleteError, Win32Error

    with scm.create(unique_name(), program, display_name=f"Test {unique_name()}") as service:
        yield service
        try:
            service.stop(timeout=20)
        except Win32Error:
            pass  # not running
        try:
            service.delete()
        except MarkedForDeleteError:
            pass
