"""The commands of a service's program, and install() and remove(), on a simulated SCM."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from winsvc import (
    AccessDeniedError,
    ArgumentError,
    FailureActions,
    ServiceExistsError,
    ServiceManager,
    ServiceType,
    StartType,
    State,
)
from winsvc.commandline import split
from winsvc.errors import service_error
from winsvc.host import Service, run
from winsvc.host.eventlog import source_problem
from winsvc.host.installing import install, remove
from winsvc.host.launch import Options
from winsvc.host.program import Program, ProgramKind, options_of
from winsvc.spec import Settings
from winsvc.testing import Behaviour, SimulatedSCM

PROGRAM = Program(kind=ProgramKind.SCRIPT, target="/app/beat.py", interpreter="/py/python.exe")
FROZEN = Program(kind=ProgramKind.FROZEN, target="/app/beat.exe", interpreter="/app/beat.exe")


class Beat(Service):
    name, display_name, description = "beat", "Heartbeat", "Beats."
    settings = Settings(failure_actions=FailureActions.restart(after=(5,)))


class Second(Service):
    name = "second"


@pytest.fixture(autouse=True)
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    is_run_by(monkeypatch, PROGRAM)
    with sim.installed():
        yield sim
    assert not sim.open_handles


def is_run_by(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    for module in ("program", "installing"):
        monkeypatch.setattr(f"winsvc.host.{module}.this_program", lambda: program)


def code(*arguments: str, services: Sequence[type[Service]] = (Beat,)) -> int:
    """The exit code of the program with these arguments."""
    try:
        run(*services, arguments=arguments)
    except SystemExit as ends:
        assert isinstance(ends.code, int)
        assert ends.code
        return ends.code
    return 0


def options(sim: SimulatedSCM, name: str) -> Options:
    found = options_of(split(sim[name].binary_path))
    assert found is not None
    return found[1]


# ----------------------------------------------------------------------- install and remove


def test_install(sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]) -> None:
    assert code("install", "--start", "auto", "--log", "/l/beat.log", "--", "--loud", "x") == 0
    config = sim["beat"]
    assert config.binary_path == PROGRAM.command_line(["beat"], "/l/beat.log", ["--loud", "x"])
    assert config.display_name == "Heartbeat"
    assert config.start_type == StartType.AUTOMATIC
    assert config.service_type == ServiceType.OWN_PROCESS
    with ServiceManager() as scm, scm.open("beat") as service:
        assert service.description == "Beats."
        assert service.failure_actions.actions
        assert service.failure_actions_on_error
    assert source_problem("beat") is None
    told = capsys.readouterr().out
    for text in ("beat: installed", config.binary_path, "LocalSystem", "/l/beat.log", "registered"):
        assert text in told
    assert "nothing found" in told
    assert code("remove") == 0
    assert "beat" not in sim
    assert source_problem("beat") is not None


def test_install_twice(sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]) -> None:
    assert code("install", "--start", "delayed") == 0
    capsys.readouterr()
    assert code("install") == 1
    assert "install --update" in capsys.readouterr().err
    assert code("install", "--update", "--start", "auto", "--", "new") == 0
    assert "beat: configured anew" in capsys.readouterr().out
    assert options(sim, "beat").arguments == ("new",)
    with ServiceManager() as scm, scm.open("beat") as service:
        assert not service.delayed_auto_start


def test_another_name(sim: SimulatedSCM) -> None:
    assert code("install", "--name", "beat2") == 0
    assert sim["beat2"].display_name == "Heartbeat (beat2)"
    assert options(sim, "beat2").services == ("beat2",)
    assert code("start", "--name", "beat2") == 0
    assert sim["beat2"].state is State.RUNNING
    assert code("remove", "--name", "beat2") == 0
    assert "beat2" not in sim


def test_account_and_password(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def getpass(prompt: str) -> str:
        asked.append(prompt)
        return "hush"

    sim.local.accounts = {r".\bob": "hush"}
    monkeypatch.setattr("getpass.getpass", getpass)
    assert code("install", "--account", "bob", "--password-prompt") == 0
    assert asked == ["Password of bob: "]
    assert sim["beat"].account == r".\bob"
    assert "hush" not in capsys.readouterr().out


def test_several(sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]) -> None:
    both = (Beat, Second)
    assert code("install", services=both) == 0
    assert options(sim, "beat") == options(sim, "second")
    assert options(sim, "beat").services == ("beat", "second")
    assert sim["second"].service_type == ServiceType.SHARE_PROCESS
    assert code("start", "SECOND", "--", "-x", services=both) == 0
    assert (sim["beat"].state, sim["second"].state) == (State.STOPPED, State.RUNNING)
    assert code("restart", services=both) == 0
    assert sim["beat"].state is State.RUNNING
    assert code("stop", services=both) == 0
    assert code("start", "third", services=both) == 1
    assert "it has beat, second" in capsys.readouterr().err
    assert code("remove", "beat", services=both) == 0
    assert code("remove", services=both) == 1
    assert "not installed: beat" in capsys.readouterr().err
    assert "second" not in sim


def test_nothing_is_left_of_a_half(sim: SimulatedSCM) -> None:
    sim.add("second")
    with pytest.raises(ServiceExistsError):
        install(Beat, Second, program=PROGRAM)
    assert "beat" not in sim
    assert source_problem("beat") is not None
    assert source_problem("second") is not None


def test_without_a_source_no_service(sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> bool:
        raise service_error(5, "RegCreateKeyExW")

    monkeypatch.setattr("winsvc.host.installing.register_source", refused)
    with pytest.raises(AccessDeniedError):
        install(Beat, program=PROGRAM)
    assert "beat" not in sim


def test_settings_instead_of_the_class_s(sim: SimulatedSCM) -> None:
    (done,) = install(
        Beat, program=PROGRAM, account="LocalService", display_name="Other", log_file="/l/x.log"
    )
    assert (done.account, done.log_file) == ("LocalService", str(Path("/l/x.log").absolute()))
    assert not done.updated
    assert sim["beat"].display_name == "Other"


def test_what_can_t_be_installed(sim: SimulatedSCM) -> None:
    class Nameless(Service):
        pass

    with pytest.raises(ArgumentError, match="no name"):
        install(Nameless, program=PROGRAM)
    with pytest.raises(ArgumentError, match="same name"):
        install(Beat, Beat, program=PROGRAM)
    with pytest.raises(ArgumentError, match="at least one"):
        install(program=PROGRAM)
    with pytest.raises(ArgumentError, match="has several"):
        install(Beat, Second, name="x", program=PROGRAM)
    sim.add_machine("other")
    with ServiceManager("other") as scm, pytest.raises(ArgumentError, match="not on other"):
        install(Beat, program=PROGRAM, scm=scm)


def test_remove_stops_first(sim: SimulatedSCM) -> None:
    install(Beat, program=PROGRAM)
    with ServiceManager() as scm:
        with scm.open("beat") as beat:
            beat.start(timeout=5)
        assert remove("beat", "never", scm=scm) == ["beat"]
        assert "beat" not in scm


def test_frozen(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    is_run_by(monkeypatch, FROZEN)
    assert code("install", "--log", "x") == 1
    assert "run(..., log_file=...)" in capsys.readouterr().err
    assert code("install", "--", "start") == 1
    assert code("install", "--", "--loud") == 0
    assert sim["beat"].binary_path == "/app/beat.exe --loud"


# ----------------------------------------------------------------------- the others


def test_a_life(sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*command: str) -> str:
        assert code(*command) == 0
        return capsys.readouterr().out

    told("install")
    assert told("start", "a", "--", "-b").startswith("beat: started, process ")
    (call,) = sim.called("StartServiceW")
    assert call.arguments["arguments"] == ("a", "-b")
    assert "is running already" in told("start")
    assert "beat: running, process" in told("status")
    assert "started" in told("restart")
    assert told("stop") == "beat: stopped\n"
    assert told("stop") == "beat: is not running\n"
    assert "stopped; start manual, as LocalSystem" in told("status")
    assert "started" in told("restart")
    assert told("remove") == "beat: removed\n"
    assert code("status") == 1
    assert capsys.readouterr().out == "beat: not installed\n"


def test_a_start_that_fails(
    sim: SimulatedSCM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "beat.log"
    log.write_text("what was before\n")

    def fails(_: object) -> Behaviour:
        with log.open("a") as file:
            file.write("ImportError: no DLL\n")
        return Behaviour(start_takes=1, ends_after=0, exit_code=1064)

    assert code("install", "--log", str(log)) == 0
    sim.local.programs[PROGRAM.interpreter] = fails
    assert code("start") == 1
    told = capsys.readouterr().err
    assert "1064" in told
    assert f"{log} says:\n\nImportError: no DLL" in told
    assert "before" not in told
    assert code("status") == 0
    assert "exit code 1064" in capsys.readouterr().out
    sim.local.programs[PROGRAM.interpreter] = Behaviour(exit_code=5, ends_after=0, start_takes=1)
    assert code("start") == 1
    assert f"Nothing new in {log}" in capsys.readouterr().err


def test_what_is_not_installed(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("start", "stop", "restart", "remove", "doctor"):
        assert code(command) == 1, command
    assert "not installed: beat" in capsys.readouterr().err


def test_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []

    def debug(services: Sequence[type[Service]], arguments: Sequence[str]) -> int:
        called.append((services, arguments))
        return 3

    monkeypatch.setattr("winsvc.host.console.debug", debug)
    assert code("debug", "a", "--", "-b") == 3
    assert code("debug", "second", "--", "c", services=(Beat, Second)) == 3
    assert called == [([Beat], ["a", "-b"]), ([Second], ["c"])]


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    def pressed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("winsvc.host.console.debug", pressed)
    assert code("debug") == 130


@pytest.mark.parametrize("arguments", [["install", "--start", "odd"], ["status", "x"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert code(*arguments) == 2
    assert "usage: beat.py" in capsys.readouterr().err


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("--help") == 0
    assert "install" in capsys.readouterr().out
    assert code("install", "--help") == 0
    assert "[-- ARG...]" in capsys.readouterr().out


def test_at_a_terminal_without_a_command(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> None:
        raise service_error(1063, "StartServiceCtrlDispatcherW")

    monkeypatch.setattr("winsvc.host.process.HostProcess.serve", refused)
    monkeypatch.setattr("winsvc.host.commands._process", lambda *_: _Refusing())
    for arguments in ((), ("odd",)):
        assert code(*arguments) == 2
        assert "usage: beat.py" in capsys.readouterr().err


class _Refusing:
    def serve(self, services: object) -> None:
        raise service_error(1063, "StartServiceCtrlDispatcherW")


def test_another_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        def serve(self, services: object) -> None:
            raise service_error(1056, "StartServiceCtrlDispatcherW")

    monkeypatch.setattr("winsvc.host.commands._process", lambda *_: Refusing())
    with pytest.raises(OSError, match="1056"):
        run(Beat, arguments=[])


def test_what_is_no_class() -> None:
    with pytest.raises(ArgumentError):
        run()
    with pytest.raises(TypeError):
        run(Beat())  # type: ignore[arg-type]
    with pytest.raises(ArgumentError):
        run(Service, arguments=["status"])


def test_arguments_are_the_program_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["beat.py", "status"])
    with pytest.raises(SystemExit):
        run(Beat)
