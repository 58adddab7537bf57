"""Test the launcher: its options, its preparations, and its reports of failures."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import threading
import zipapp
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import winsvc
from winsvc.backend import EventLogBackend
from winsvc.errors import ValidationError, Win32Error, win32_error
from winsvc.host import ServiceBase, _bootstrap, program_check, report_startup_failures, run
from winsvc.host._bootstrap import Options, parse
from winsvc.host.failures import FailureReport
from winsvc.host.launcher import Launcher
from winsvc.host.process import HostProcess, get_current, set_current
from winsvc.testing import SimulatedSCM

words = st.text(min_size=1, max_size=8)
options = st.builds(
    Options,
    services=st.lists(words, min_size=1, max_size=3).map(tuple),
    module=words,
    log=st.none() | words,
    venv=st.none() | words,
    path=st.none() | words,
    arguments=st.lists(st.text(max_size=8)).map(tuple),
    check=st.booleans(),
)


@given(options)
def test_options_round_trip_through_arguments(given_options: Options) -> None:
    assert parse(given_options.to_arguments()) == given_options


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--service"],
        ["--service", "a"],
        ["--module", "m"],
        ["--service", "a", "--module", "m", "--script", "s"],
        ["--odd", "x", "--service", "a", "--module", "m"],
        ["--serv", "a", "--module", "m"],
        ["--service", "a", "--module", "m", "-h"],
        ["stray"],
    ],
)
def test_launcher_with_invalid_arguments_raises_or_exits_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse(arguments)
    assert _bootstrap.main(arguments) == 2
    assert "service control manager" in capsys.readouterr().err


def started(*arguments: str | Path, python: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run the launcher as the system does: in another folder, without Python's variables."""
    own = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    return subprocess.run(
        [sys.executable, *python, _bootstrap.__file__, *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        cwd="/",
        env=own,
    )


def test_launcher_check_reports_syntax_error_without_running_script(tmp_path: Path) -> None:
    script = tmp_path / os.fsdecode("bäat.py".encode())  # UTF-8 in whatever locale the tests run
    script.write_text("raise SystemExit('it ran')")
    arguments = ("--service", "beat", "--script", script, "--check")
    assert (done := started(*arguments)).returncode == 0, done.stderr
    script.write_text("if True\n")
    done = started(*arguments)
    assert done.returncode == 1
    assert "SyntaxError" in done.stderr
    assert "bäat.py" in done.stderr


def test_check_of_script_reports_missing_file_or_main(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(script: Path) -> tuple[int, str]:
        code = program_check.check(script=str(script))
        return code, capsys.readouterr().err

    assert "does not exist" in check(tmp_path / "beat.py")[1]
    app = tmp_path / "app"
    app.mkdir()
    assert "has no __main__.py" in check(app)[1]
    (app / "__main__.py").write_text("1 / 0")
    zipapp.create_archive(app, tmp_path / "app.pyz")
    assert check(app) == (0, "")
    assert check(tmp_path / "app.pyz") == (0, "")


def test_check_of_module_finds_it_without_importing_packages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = tmp_path / "winsvc_test_package"
    package.mkdir()
    (package / "__init__.py").write_text("1 / 0")
    (package / "__main__.py").write_text("1 / 0")
    (package / "inner.py").write_text("1 / 0")
    (tmp_path / "winsvc_test_alone.py").write_text("if True\n")
    before = list(sys.path)

    def check(module: str) -> tuple[int, str]:
        try:
            code = program_check.check(module=module, path=str(tmp_path))
        finally:
            sys.path[:] = before
        return code, capsys.readouterr().err

    assert check("winsvc_test_package") == (0, "")
    assert check("winsvc_test_package.inner") == (0, "")
    assert "module winsvc_test_package.other was not found" in check("winsvc_test_package.other")[1]
    assert "is not a package" in check("winsvc_test_package.inner.x")[1]
    assert "module winsvc_test_nothing was not found" in check("winsvc_test_nothing.x")[1]
    assert "SyntaxError" in check("winsvc_test_alone")[1]
    assert "winsvc_test_package" not in sys.modules


# ----------------------------------------------------------------------- the stage


def test_launcher_removes_own_folder_from_sys_path(monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path(_bootstrap.__file__).parent)
    monkeypatch.setattr(sys, "path", [here, "/x"])
    assert _bootstrap._leave_own_folder()
    assert sys.path == ["/x"]
    assert not _bootstrap._leave_own_folder()


def test_launcher_appends_package_root_to_sys_path_once(monkeypatch: pytest.MonkeyPatch) -> None:
    root = str(Path(winsvc.__file__).parent.parent)
    monkeypatch.setattr(sys, "path", ["/x"])
    _bootstrap._find_this_package()
    _bootstrap._find_this_package()
    assert sys.path == ["/x", root]


@pytest.mark.parametrize(("system", "base_packages"), [("false", "False"), ("true", "True")])
def test_launcher_with_venv_sets_its_prefix_and_packages(
    tmp_path: Path, system: str, base_packages: str
) -> None:
    """With this system's layout: the rest is the site module's."""
    venv = tmp_path / "venv"
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = venv / "lib" / version / "site-packages"
    packages.mkdir(parents=True)
    (venv / "bin").mkdir()
    home = Path(sys._base_executable).parent  # type: ignore[attr-defined]
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = {system}\n")
    code = f"""\
import sys, runpy
bootstrap = runpy.run_path({_bootstrap.__file__!r})
bootstrap["_enter_venv"]({str(venv)!r})
import site
print(sys.prefix, sys.exec_prefix, sys.executable, sep="\\n")
print({str(packages)!r} in sys.path, site.ENABLE_USER_SITE and True)
print(any(sys.base_prefix in one and one.endswith("-packages") for one in sys.path))
"""
    base = sys._base_executable  # type: ignore[attr-defined]
    done = subprocess.run(
        [base, "-S", "-s", "-c", code], capture_output=True, text=True, check=True, cwd="/"
    )
    prefix, exec_prefix, executable, *rest = done.stdout.splitlines()
    assert prefix == exec_prefix == str(venv)
    assert executable == str(venv / "bin" / "python")
    assert rest == ["True False", base_packages]


def test_launcher_with_missing_venv_logs_error(tmp_path: Path) -> None:
    log = tmp_path / "new" / "beat.log"
    arguments = ("--log", log, "--venv", tmp_path, "--service", "beat", "--module", "m")
    done = started(*arguments, python=["-S"])
    assert done.returncode == 1
    for text in (done.stderr, log.read_text()):
        assert "is not a virtual environment" in text
        assert "could not connect" in text
        assert "beat" in text


@pytest.mark.skipif(sys.platform == "win32", reason="there it can")
def test_launcher_without_service_manager_logs_unsupported(tmp_path: Path) -> None:
    log = tmp_path / "beat.log"
    done = started("--log", log, "--service", "beat", "--module", "m")
    assert done.returncode == 1
    assert "UnsupportedError" in log.read_text()


def test_launcher_opens_missing_standard_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    _bootstrap._open_streams()
    opened = (sys.stdin, sys.stdout, sys.stderr)
    try:
        assert [stream.name for stream in opened] == [os.devnull] * 3
        assert sys.stdin.read() == ""
        assert [stream.write("lost äöü") for stream in opened[1:]] == [8, 8]
    finally:
        for stream in opened:
            stream.close()


# ----------------------------------------------------------------------- the program


class Refuses(HostProcess):
    """A process that records its failures and that the system has not started."""

    failures: list[tuple[str, BaseException]]
    served: list[type[ServiceBase]]
    refusal: Win32Error | None

    def __init__(self) -> None:
        sim = SimulatedSCM()
        report = FailureReport(_as_event_log(sim))
        super().__init__(["beat"], _Silent(), report)  # type: ignore[arg-type]
        self.failures, self.served, self.refusal = [], [], None

    def connect(self) -> None:
        pass

    def serve(self, services: Sequence[type[ServiceBase]]) -> None:
        self.served += services
        if self.refusal is not None:
            raise self.refusal

    def fail(self, where: str, error: BaseException) -> None:
        self.failures.append((where, error))
        if self.refusal is not None:
            raise self.refusal


class _Silent:
    def new_event(self) -> object:
        return threading.Event()


def _as_event_log(sim: SimulatedSCM) -> EventLogBackend:
    return sim


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refuses]:
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield Refuses()
    set_current(None)


def launch_it(process: Refuses, given_options: Options, *, has_path: bool = True) -> int:
    report = FailureReport(_as_event_log(SimulatedSCM()))
    return Launcher(process, report).run(given_options, has_path=has_path)


GOOD = """\
import sys, winsvc.host, beside
class Beat(winsvc.host.ServiceBase):
    name = "beat"
    seen = (list(sys.argv), sys.path[0], __name__)
winsvc.host.run(Beat)
"""


def test_launcher_runs_script_with_its_argv_and_path(process: Refuses, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    script = tmp_path / "beat.py"
    script.write_text(GOOD)
    given_options = Options(("beat",), script=str(script), arguments=("install", "x"))
    try:
        assert launch_it(process, given_options) == 0
    finally:
        sys.modules.pop("beside", None)
    (kind,) = process.served
    argv, first, name = kind.seen  # type: ignore[attr-defined]
    assert argv == [str(script), "install", "x"]  # no command here: the service's own
    assert first == str(tmp_path)
    assert name == "__main__"
    assert not process.failures


def test_launcher_runs_zip_file_with_itself_on_sys_path(process: Refuses, tmp_path: Path) -> None:
    """It is itself on sys.path, and not the folder in which it lies."""
    app = tmp_path / "app"
    app.mkdir()
    (app / "__main__.py").write_text(GOOD.replace("sys.path[0]", "list(sys.path)"))
    (app / "beside.py").write_text("")
    archive = tmp_path / "app.pyz"
    zipapp.create_archive(app, archive)
    try:
        assert launch_it(process, Options(("beat",), script=str(archive))) == 0
    finally:
        sys.modules.pop("beside", None)
    (kind,) = process.served
    path = kind.seen[1]  # type: ignore[attr-defined]
    assert path[0] == str(archive)
    assert str(tmp_path) not in path


def test_launcher_runs_module_from_given_path(process: Refuses, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "winsvc_test_beat.py").write_text(GOOD)
    given_options = Options(("beat",), module="winsvc_test_beat", path=str(tmp_path))
    try:
        assert launch_it(process, given_options) == 0
    finally:
        sys.modules.pop("beside", None)
    (kind,) = process.served
    assert kind.seen[0] == [str(tmp_path / "winsvc_test_beat.py")]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("1 / 0", ZeroDivisionError),
        ("if True", SyntaxError),
        ("import winsvc_test_nothing", ModuleNotFoundError),
        ("raise SystemExit('x')", RuntimeError),
        ("pass", RuntimeError),
        (None, FileNotFoundError),
    ],
)
def test_launcher_with_failing_program_reports_load_error(
    process: Refuses, tmp_path: Path, program: str | None, expected: type[Exception]
) -> None:
    script = tmp_path / "beat.py"
    if program is not None:
        script.write_text(program)
    assert launch_it(process, Options(("beat",), script=str(script))) == 1
    ((where, error),) = process.failures
    assert where == f"loading {script}"
    assert type(error) is expected


def test_launcher_with_error_before_serving_reports_load_error(
    process: Refuses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise LookupError("in run()")

    monkeypatch.setattr("winsvc.host.entry_point._log_events", fails)
    (tmp_path / "beside.py").write_text("")
    script = tmp_path / "beat.py"
    script.write_text(GOOD)
    try:
        assert launch_it(process, Options(("beat",), script=str(script))) == 1
    finally:
        sys.modules.pop("beside", None)
    ((where, error),) = process.failures
    assert where == f"loading {script}"
    assert isinstance(error, LookupError)
    assert not process.served


def test_launcher_refused_by_system_reports_both_errors(process: Refuses, tmp_path: Path) -> None:
    """Record both errors: the failed start itself reports neither to the user."""
    process.refusal = win32_error(5, "StartServiceCtrlDispatcherW")
    script = tmp_path / "beat.py"
    script.write_text("1 / 0")
    given_options = Options(("beat",), script=str(script))
    sim = SimulatedSCM()
    report = FailureReport(_as_event_log(sim))
    assert Launcher(process, report).run(given_options, has_path=True) == 1
    texts = [entry.text for entry in sim.event_log]
    assert len(texts) == 2
    assert "connecting failed" in texts[0]
    assert "ZeroDivisionError" in texts[1]


def test_launcher_with_error_after_serving_raises_it(process: Refuses, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    script = tmp_path / "beat.py"
    script.write_text(GOOD + "1 / 0\n")
    try:
        with pytest.raises(ZeroDivisionError):
            launch_it(process, Options(("beat",), script=str(script)))
    finally:
        sys.modules.pop("beside", None)
    assert not process.failures


def test_launcher_started_by_hand_prints_error_and_usage(
    process: Refuses, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process.refusal = win32_error(1063, "StartServiceCtrlDispatcherW")
    script = tmp_path / "beat.py"
    script.write_text("1 / 0")
    assert launch_it(process, Options(("beat",), script=str(script))) == 1
    printed = capsys.readouterr().err
    assert "ZeroDivisionError" in printed
    assert "1063" in printed
    (tmp_path / "beside.py").write_text("")
    script.write_text(GOOD)
    try:
        with pytest.raises(SystemExit) as ends:
            launch_it(process, Options(("beat",), script=str(script)))
    finally:
        sys.modules.pop("beside", None)
    assert ends.value.code == 2
    assert "debug" in capsys.readouterr().err


# ----------------------------------------------------------------------- frozen programs


@pytest.fixture
def explained(monkeypatch: pytest.MonkeyPatch, process: Refuses) -> list[Callable[[], object]]:
    """A process for which report_startup_failures() was called; what runs at its exit."""
    at_exit: list[Callable[[], object]] = []
    monkeypatch.setattr("atexit.register", lambda *call: at_exit.append(partial(*call)))
    monkeypatch.setattr("winsvc.host.frozen.HostProcess", lambda *_: process)
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["beat.exe"])
    with SimulatedSCM().installed():
        report_startup_failures("beat")
    return at_exit


def test_frozen_program_with_load_error_reports_it_once(
    process: Refuses, explained: list[Callable[[], object]]
) -> None:
    error = ImportError("no DLL")
    sys.excepthook(ImportError, error, None)
    assert process.failures == [("loading the program", error)]
    (at_exit,) = explained
    at_exit()  # only once
    assert len(process.failures) == 1


def test_frozen_program_without_run_call_reports_it_at_exit(
    process: Refuses, explained: list[Callable[[], object]]
) -> None:
    (at_exit,) = explained
    at_exit()
    assert "without calling winsvc.host.run()" in str(process.failures[0][1])


def test_frozen_program_that_serves_reports_no_failure(
    process: Refuses, explained: list[Callable[[], object]]
) -> None:
    class Beat(ServiceBase):
        name = "beat"

    run(Beat, arguments=[])
    assert process.served == [Beat]
    (at_exit,) = explained
    at_exit()
    assert not process.failures


def test_frozen_program_with_failing_run_reports_error(
    process: Refuses, explained: list[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Nameless(ServiceBase):
        pass

    with pytest.raises(ValidationError) as caught:
        run(Nameless, arguments=[])
    sys.excepthook(ValidationError, caught.value, None)
    assert process.failures == [("loading the program", caught.value)]


@pytest.mark.parametrize("how", ["exit", "exception"])
def test_frozen_program_at_terminal_writes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    """``beat.exe --version``, or a child of multiprocessing's: nothing is written down."""
    at_exit: list[Callable[[], object]] = []
    monkeypatch.setattr("atexit.register", lambda *call: at_exit.append(partial(*call)))
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["beat.exe", "--version"])
    log = tmp_path / "beat.log"
    sim = SimulatedSCM()
    monkeypatch.setattr(sim, "start_service_ctrl_dispatcher", _refuse_1063)
    monkeypatch.setattr(sim, "start_thread", _start_thread)
    monkeypatch.setattr(sim, "new_event", threading.Event)
    try:
        with sim.installed():
            report_startup_failures("beat", log_file=log)
            if how == "exception":
                sys.excepthook(ImportError, ImportError("no DLL"), None)
            at_exit[0]()
    finally:
        set_current(None)
    assert not sim.event_log
    assert not log.exists()


def _refuse_1063(table: object) -> None:
    raise win32_error(1063, "StartServiceCtrlDispatcherW")


def _start_thread(target: Callable[[], None], name: str) -> None:
    threading.Thread(target=target, name=name, daemon=True).start()


def test_frozen_program_refused_by_system_reports_both_errors(
    process: Refuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    process.refusal = win32_error(5, "StartServiceCtrlDispatcherW")
    at_exit: list[Callable[[], object]] = []
    monkeypatch.setattr("atexit.register", lambda *call: at_exit.append(partial(*call)))
    monkeypatch.setattr("winsvc.host.frozen.HostProcess", lambda *_: process)
    monkeypatch.setattr(sys, "argv", ["beat.exe"])
    sim = SimulatedSCM()
    with sim.installed():
        report_startup_failures("beat", log_file="/dev/null/none")
        at_exit[0]()
    assert [("without calling winsvc.host.run()" in entry.text) for entry in sim.event_log] == [
        False,
        True,
    ]


def test_explain_failures_under_launcher_changes_nothing(
    process: Refuses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that calls it, too, for when it is frozen."""
    set_current(process)
    monkeypatch.setattr(sys, "argv", ["beat.py"])
    hook = sys.excepthook
    with SimulatedSCM().installed():
        report_startup_failures("beat")
    assert get_current() is process
    assert sys.excepthook is hook


def test_explain_failures_with_command_argument_does_not_connect(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", ["beat.exe", "install"])
    with SimulatedSCM().installed():
        report_startup_failures("beat")
    assert get_current() is None


def test_launch_script_loaded_by_path_runs_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing happens where it is imported, and all where it is run."""
    monkeypatch.setattr(sys, "argv", ["_bootstrap.py"])
    before = (list(sys.path), sys.stdin, sys.stdout, sys.stderr)
    assert callable(runpy.run_path(_bootstrap.__file__)["parse"])
    assert (sys.path, sys.stdin, sys.stdout, sys.stderr) == before
    assert capsys.readouterr() == ("", "")


def test_launch_script_run_as_main_exits_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["_bootstrap.py"])
    with pytest.raises(SystemExit) as ends:
        runpy.run_path(_bootstrap.__file__, run_name="__main__")
    assert ends.value.code == 2
    assert "service control manager" in capsys.readouterr().err
