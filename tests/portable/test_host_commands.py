"""The commands of a service's program, and install() and remove(), on a simulated SCM."""

from __future__ import annotations

import argparse
import dataclasses
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from winsvc import (
    UNCHANGED,
    AccessDeniedError,
    FailureActions,
    SecurityInformation,
    ServiceExistsError,
    ServiceManager,
    ServiceType,
    StartType,
    State,
    ValidationError,
)
from winsvc._values.commandline import split
from winsvc._values.settings import Settings
from winsvc.backend import Capabilities
from winsvc.errors import win32_error
from winsvc.host import ServiceBase, run
from winsvc.host._bootstrap import Options
from winsvc.host.eventlog import source_problem
from winsvc.host.installing import install, remove
from winsvc.host.launch_command import launch_command, options_of
from winsvc.host.program import COMMANDS, Program, ProgramKind, default_log_file
from winsvc.security import SecurityDescriptor, Sid, service_sid
from winsvc.testing import ProgramBehavior, SimulatedSCM

PROGRAM = Program(kind=ProgramKind.SCRIPT, target="/app/beat.py", interpreter="/py/python.exe")
FROZEN = Program(kind=ProgramKind.FROZEN, target="/app/beat.exe", interpreter="/app/beat.exe")


class Beat(ServiceBase):
    name, display_name, description = "beat", "Heartbeat", "Beats."
    settings = Settings(failure_actions=FailureActions.restart(after=(5,)))


class Second(ServiceBase):
    name = "second"


@pytest.fixture(autouse=True)
def sim(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    is_run_by(monkeypatch, PROGRAM)
    with sim.installed():
        yield sim
    assert not sim.open_handles


def is_run_by(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    for module in ("program", "installing", "commands"):
        monkeypatch.setattr(f"winsvc.host.{module}.this_program", lambda: program)


def code(*arguments: str, services: Sequence[type[ServiceBase]] = (Beat,)) -> int:
    """Run the program with these arguments and return its exit code."""
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


def test_install_configures_service_and_remove_deletes_it(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code("install", "--start", "auto", "--log", "/l/beat.log", "--", "--loud", "x") == 0
    config = sim["beat"]
    assert config.binary_path == launch_command(PROGRAM, ["beat"], "/l/beat.log", ["--loud", "x"])
    assert config.display_name == "Heartbeat"
    assert config.start_type == StartType.AUTOMATIC
    assert config.service_type == ServiceType.OWN_PROCESS
    with ServiceManager() as scm, scm.open("beat") as service:
        assert service.description() == "Beats."
        assert service.failure_actions().actions
        assert service.failure_actions_on_error()
    assert source_problem("beat") is None
    output = capsys.readouterr().out
    for text in ("beat: installed", config.binary_path, "LocalSystem", "/l/beat.log", "registered"):
        assert text in output
    assert "no problem found" in output
    assert code("remove") == 0
    assert "beat" not in sim
    assert source_problem("beat") is not None


def test_install_of_existing_service_requires_update_option(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code("install", "--start", "delayed") == 0
    capsys.readouterr()
    assert code("install") == 1
    assert "install --update" in capsys.readouterr().err
    assert code("install", "--update", "--start", "auto", "--", "new") == 0
    assert "beat: reconfigured" in capsys.readouterr().out
    assert options(sim, "beat").arguments == ("new",)
    with ServiceManager() as scm, scm.open("beat") as service:
        assert not service.delayed_auto_start()


def test_commands_with_name_option_use_that_name(sim: SimulatedSCM) -> None:
    assert code("install", "--name", "beat2") == 0
    assert sim["beat2"].display_name == "Heartbeat (beat2)"
    assert options(sim, "beat2").services == ("beat2",)
    assert code("start", "--name", "beat2") == 0
    assert sim["beat2"].state is State.RUNNING
    assert code("remove", "--name", "beat2") == 0
    assert "beat2" not in sim


def test_install_with_password_prompt_hides_password(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts: list[str] = []

    def getpass(prompt: str) -> str:
        prompts.append(prompt)
        return "hush"

    sim.local.accounts = {r".\bob": "hush"}
    monkeypatch.setattr("getpass.getpass", getpass)
    assert code("install", "--account", "bob", "--password-prompt") == 0
    assert prompts == ["Password of bob: "]
    assert sim["beat"].account == r".\bob"
    assert "hush" not in capsys.readouterr().out


def test_commands_with_two_services_act_on_all_or_named_services(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
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
    assert "this program contains beat, second" in capsys.readouterr().err
    assert code("remove", "beat", services=both) == 0
    assert code("remove", services=both) == 1
    assert "not installed: beat" in capsys.readouterr().err
    assert "second" not in sim


def test_commands_with_two_services_stop_in_reverse_order(sim: SimulatedSCM) -> None:
    both = (Beat, Second)

    def called(*command: str) -> list[tuple[str, str | None]]:
        sim.calls.clear()
        assert code(*command, services=both) == 0
        return [
            (call.function, call.service)
            for call in sim.calls
            if call.function in ("ControlService", "StartServiceW")
        ]

    starts = [("StartServiceW", "beat"), ("StartServiceW", "second")]
    stops = [("ControlService", "second"), ("ControlService", "beat")]
    called("install")
    assert called("start") == starts
    assert called("restart", "--", "-y") == stops + starts
    assert [call.arguments["arguments"] for call in sim.called("StartServiceW")] == [("-y",)] * 2
    assert called("stop", "beat", "second") == stops


def test_install_that_fails_midway_removes_created_services(sim: SimulatedSCM) -> None:
    sim.add("second")
    with pytest.raises(ServiceExistsError):
        install(Beat, Second, program=PROGRAM)
    assert "beat" not in sim
    assert source_problem("beat") is not None
    assert source_problem("second") is not None


def test_install_without_event_source_creates_no_service(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> bool:
        raise win32_error(5, "RegCreateKeyExW")

    monkeypatch.setattr("winsvc.host.installing.register_source", refused)
    with pytest.raises(AccessDeniedError):
        install(Beat, program=PROGRAM)
    assert "beat" not in sim


def test_install_arguments_override_class_settings(sim: SimulatedSCM) -> None:
    (done,) = install(
        Beat, program=PROGRAM, account="LocalService", display_name="Other", log_file="/l/x.log"
    )
    account = r"NT AUTHORITY\LocalService"
    assert (done.account, done.log_file) == (account, str(Path("/l/x.log").absolute()))
    assert not done.updated
    assert sim["beat"].display_name == "Other"


def test_install_with_invalid_services_raises_argument_error(sim: SimulatedSCM) -> None:
    class Nameless(ServiceBase):
        pass

    with pytest.raises(ValidationError, match="no name"):
        install(Nameless, program=PROGRAM)
    with pytest.raises(ValidationError, match="same name"):
        install(Beat, Beat, program=PROGRAM)
    with pytest.raises(ValidationError, match="at least one"):
        install(program=PROGRAM)
    with pytest.raises(ValidationError, match="several services"):
        install(Beat, Second, name="x", program=PROGRAM)
    sim.add_machine("other")
    with ServiceManager("other") as scm, pytest.raises(ValidationError, match="not on other"):
        install(Beat, program=PROGRAM, scm=scm)


def test_install_update_switches_between_own_and_shared_process(sim: SimulatedSCM) -> None:
    def types() -> list[int]:
        return [sim[name].service_type for name in ("beat", "second")]

    own, shared = ServiceType.OWN_PROCESS, ServiceType.SHARE_PROCESS
    install(Beat, Second, program=PROGRAM)
    assert types() == [shared, shared]
    install(Beat, program=PROGRAM, update=True)
    assert types() == [own, shared]
    install(Beat, Second, program=PROGRAM, update=True)
    assert types() == [shared, shared]


def test_install_keeps_service_type_of_class_settings(sim: SimulatedSCM) -> None:
    class Shared(ServiceBase):
        name = "shared"
        settings = Settings(service_type=ServiceType.SHARE_PROCESS)

    install(Shared, program=PROGRAM)
    assert sim["shared"].service_type == ServiceType.SHARE_PROCESS
    install(Shared, program=PROGRAM, update=True)
    assert sim["shared"].service_type == ServiceType.SHARE_PROCESS


def test_install_update_returns_current_account(sim: SimulatedSCM) -> None:
    install(Beat, program=PROGRAM, account="LocalService")
    (done,) = install(Beat, program=PROGRAM, update=True)  # which says no account
    assert done.updated
    assert done.account == r"NT AUTHORITY\LocalService"
    (done,) = install(Second, program=PROGRAM)
    assert done.account == "LocalSystem"


def test_install_with_invalid_source_name_creates_no_service(sim: SimulatedSCM) -> None:
    long = type("Long", (ServiceBase,), {"name": "n" * 256})
    for kind in (long, type("Log", (ServiceBase,), {"name": "System"})):
        with pytest.raises(ValidationError, match="source"):
            install(Beat, kind, program=PROGRAM)
    assert not sim.called("CreateServiceW")


def test_install_with_failing_rollback_step_undoes_the_rest(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(source: str, **_: object) -> bool:
        if source == "second":
            raise ValidationError("source", "is odd")
        return True

    sim.add("third")
    monkeypatch.setattr("winsvc.host.installing.remove_source", odd)
    third = type("Third", (ServiceBase,), {"name": "third"})
    with pytest.raises(ServiceExistsError, match="is odd"):
        install(Beat, Second, third, program=PROGRAM)
    assert "beat" not in sim
    assert "second" not in sim


def test_remove_of_running_service_stops_it_first(sim: SimulatedSCM) -> None:
    install(Beat, program=PROGRAM)
    with ServiceManager() as scm:
        with scm.open("beat") as beat:
            beat.start(timeout=5)
        assert remove("beat", "never", scm=scm) == ["beat"]
        assert not scm.exists("beat")


def test_install_of_frozen_program_refuses_log_option_and_stores_arguments(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    is_run_by(monkeypatch, FROZEN)
    assert code("install", "--log", "x") == 1
    assert "run(..., log_file=...)" in capsys.readouterr().err
    assert code("install", "--", "start") == 1
    assert code("install", "--", "--loud") == 0
    assert sim["beat"].binary_path == "/app/beat.exe --loud"


def test_frozen_program_under_other_name_uses_log_file_of_class(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It knows only the names of its classes: by them it finds the file when it is started."""
    is_run_by(monkeypatch, FROZEN)
    log = default_log_file("beat")
    (done,) = install(Beat, name="other", program=FROZEN)
    assert done.log_file == log
    remove("other")
    assert code("install", "--name", "other") == 0
    assert f"log file:     {log} " in capsys.readouterr().out
    sim.local.other_programs = ProgramBehavior(ends_after=0, exit_code=5, start_takes=1)
    assert code("start", "--name", "other") == 1
    assert f"Nothing new in {log}." in capsys.readouterr().err
    assert code("install", "second", services=(Beat, Second)) == 0
    assert f"log file:     {log} " in capsys.readouterr().out


# ----------------------------------------------------------------------- the file for failures


class MachineWithFiles(SimulatedSCM):
    """A simulated SCM on this machine's files, with its own security descriptors."""

    descriptors: dict[str, SecurityDescriptor]
    keeps_owners = True

    def capabilities(self, machine: str | None) -> Capabilities:
        return super().capabilities(machine)._replace(files=None if machine else self)

    def is_remote_drive(self, root: str) -> bool:
        return False

    def get_file_security(self, path: str, information: int) -> bytes:
        found = self.descriptors.get(path) or SecurityDescriptor.from_sddl("O:BAD:")
        if not self.keeps_owners:
            found = dataclasses.replace(found, owner=Sid.parse(USER))
        return found.select(SecurityInformation(information)).to_bytes()

    def set_file_security(self, path: str, information: int, descriptor: bytes) -> None:
        assert information == SecurityInformation.DACL | SecurityInformation.PROTECTED_DACL
        before = self.descriptors.get(path) or SecurityDescriptor.from_sddl("O:BAD:")
        new = SecurityDescriptor.from_bytes(descriptor)
        self.descriptors[path] = dataclasses.replace(before, dacl=new.dacl, control=new.control)

    def create_directory(self, path: str, descriptor: bytes) -> None:
        if os.path.lexists(path):
            raise win32_error(183, "CreateDirectoryW")
        os.mkdir(path)
        self.descriptors[path] = SecurityDescriptor.from_bytes(descriptor)


USER = "S-1-5-21-1-2-3-1000"
FOLDER = "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
FILE = "D:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;BU)"
DACL = SecurityInformation.DACL
MINE = SecurityInformation.OWNER | SecurityInformation.DACL


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[MachineWithFiles]:
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    machine = MachineWithFiles()
    machine.descriptors = {}
    machine.add_account(r"SIMULATED\bob", USER)
    machine.local.accounts = {r".\bob": "hush", r"D\eve": "hush"}
    with machine.installed():
        yield machine


@pytest.mark.parametrize(
    ("account", "granted"),
    [
        ("LocalSystem", None),
        ("LocalService", "LS"),
        ("NetworkService", "NS"),
        (r"NT SERVICE\beat", str(service_sid("beat"))),
        ("bob", USER),
        (r"D\eve", None),  # an account without a known SID
    ],
)
def test_install_creates_log_file_with_rights_for_account(
    machine: MachineWithFiles, tmp_path: Path, account: str, granted: str | None
) -> None:
    password = "hush" if account in ("bob", r"D\eve") else UNCHANGED
    (done,) = install(Beat, program=PROGRAM, account=account, password=password)
    assert done.log_file == str(tmp_path / "winsvc" / "beat.log")
    assert Path(done.log_file).read_bytes() == b""
    assert machine.descriptors[str(tmp_path / "winsvc")].select(MINE).to_sddl() == FOLDER
    rights = f"(A;;0x12019f;;;{granted})" if granted else ""
    assert machine.descriptors[done.log_file].select(DACL).to_sddl() == FILE + rights
    Path(done.log_file).write_text("what was before")
    install(Beat, program=PROGRAM, update=True)  # which leaves the account as it is
    assert machine.descriptors[done.log_file].select(DACL).to_sddl() == FILE + rights
    assert Path(done.log_file).read_text() == "what was before"


@pytest.mark.parametrize("sddl", ["D:(A;;FA;;;SY)(A;;0x4;;;BU)", "D:NO_ACCESS_CONTROL"])
def test_install_resets_rights_of_log_folder_writable_by_users(
    machine: MachineWithFiles, tmp_path: Path, sddl: str
) -> None:
    folder = tmp_path / "winsvc"
    folder.mkdir()
    machine.descriptors[str(folder)] = SecurityDescriptor.from_sddl(f"O:SY{sddl}")
    install(Beat, program=PROGRAM)
    assert machine.descriptors[str(folder)].to_sddl() == FOLDER.replace("O:BA", "O:SY")


def test_install_refuses_log_path_owned_by_other_user_or_linked(
    machine: MachineWithFiles, tmp_path: Path
) -> None:
    folder, log = tmp_path / "winsvc", tmp_path / "winsvc" / "beat.log"
    folder.mkdir()
    machine.descriptors[str(folder)] = SecurityDescriptor.from_sddl(f"O:{USER}D:P(A;;FA;;;SY)")

    def refused(text: str) -> None:
        with pytest.raises(ValidationError, match=text):
            install(Beat, program=PROGRAM)
        assert "beat" not in machine
        assert source_problem("beat") is not None
        assert {path.name for path in tmp_path.iterdir()} <= {"winsvc", "elsewhere"}

    refused(f"is owned by {USER}")
    machine.descriptors[str(folder)] = SecurityDescriptor.from_sddl(FOLDER)
    log.write_text("")
    machine.descriptors[str(log)] = SecurityDescriptor.from_sddl(f"O:{USER}D:")
    refused(f"is owned by {USER}")
    log.unlink()
    (tmp_path / "elsewhere").write_text("")
    log.symlink_to(tmp_path / "elsewhere")
    refused("is a link")
    log.unlink()
    log.hardlink_to(tmp_path / "elsewhere")
    refused("is a link")
    log.unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path)
    refused("is a link")


def test_install_without_file_owners_accepts_log_folder(
    machine: MachineWithFiles, tmp_path: Path
) -> None:
    machine.keeps_owners = False
    for _ in range(2):
        install(Beat, program=PROGRAM, update=True)
    assert [path.name for path in tmp_path.iterdir()] == ["winsvc"]


@pytest.mark.parametrize(("account", "created"), [("LocalSystem", True), ("LocalService", False)])
def test_install_with_custom_log_file_creates_folder_without_security(
    machine: MachineWithFiles, tmp_path: Path, account: str, created: bool
) -> None:
    log = tmp_path / "other" / "x.log"
    install(Beat, program=PROGRAM, log_file=log, account=account)
    assert log.parent.is_dir()
    assert log.exists() == created
    assert not machine.descriptors


# ----------------------------------------------------------------------- the others


def test_commands_control_service_from_install_to_remove(
    sim: SimulatedSCM, capsys: pytest.CaptureFixture[str]
) -> None:
    def output_of(*command: str) -> str:
        assert code(*command) == 0
        return capsys.readouterr().out

    output_of("install")
    assert output_of("start", "a", "--", "-b").startswith("beat: started, process ")
    (call,) = sim.called("StartServiceW")
    assert call.arguments["arguments"] == ("a", "-b")
    assert "is already running" in output_of("start")
    assert "beat: running, process" in output_of("status")
    assert "started" in output_of("restart", "c", "--", "-d")
    assert sim.called("StartServiceW")[-1].arguments["arguments"] == ("c", "-d")
    assert output_of("stop") == "beat: stopped\n"
    assert output_of("stop") == "beat: is not running\n"
    assert "stopped; start type manual, account LocalSystem" in output_of("status")
    assert "started" in output_of("restart")
    assert output_of("remove") == "beat: removed\n"
    assert code("status") == 1
    assert capsys.readouterr().out == "beat: not installed\n"


def test_start_command_on_failure_prints_exit_code_and_new_log_lines(
    sim: SimulatedSCM, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "beat.log"
    log.write_text("what was before\n")

    def fails(_: object) -> ProgramBehavior:
        with log.open("a") as file:
            file.write("ImportError: no DLL\n")
        return ProgramBehavior(start_takes=1, ends_after=0, exit_code=1064)

    assert code("install", "--log", str(log)) == 0
    sim.local.programs[PROGRAM.interpreter] = fails
    assert code("start") == 1
    output = capsys.readouterr().err
    assert "1064" in output
    assert f"New in {log}:\n\nImportError: no DLL" in output
    assert "before" not in output
    assert code("status") == 0
    assert "exit code 1064" in capsys.readouterr().out
    sim.local.programs[PROGRAM.interpreter] = ProgramBehavior(
        exit_code=5, ends_after=0, start_takes=1
    )
    assert code("start") == 1
    assert f"Nothing new in {log}" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["start", "stop", "restart"])
def test_start_stop_restart_of_missing_service_exit_with_1(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(command) == 1
    output, problem = capsys.readouterr()
    assert not output
    assert problem.startswith("beat.py: OpenServiceW failed for 'beat' on this machine: ")
    assert "(error 1060)" in problem


def test_remove_of_missing_service_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("remove") == 1
    assert capsys.readouterr() == ("", "beat.py: not installed: beat\n")


def test_doctor_of_missing_service_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("doctor") == 1
    output, problem = capsys.readouterr()
    assert "  error    service: OpenServiceW failed for 'beat' on this machine: " in output
    assert "(error 1060)" in output
    assert not problem


def test_debug_command_runs_chosen_services_with_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[object] = []

    def debug(services: Sequence[type[ServiceBase]], arguments: Sequence[str]) -> int:
        called.append((services, arguments))
        return 3

    monkeypatch.setattr("winsvc.host.console.debug", debug)
    assert code("debug", "a", "--", "-b") == 3
    assert code("debug", "second", "--", "c", services=(Beat, Second)) == 3
    assert called == [([Beat], ["a", "-b"]), ([Second], ["c"])]


def test_debug_command_on_keyboard_interrupt_exits_with_130(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def pressed(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("winsvc.host.console.debug", pressed)
    assert code("debug") == 130


@pytest.mark.parametrize("arguments", [["install", "--start", "odd"], ["status", "x"]])
def test_command_with_invalid_arguments_exits_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert code(*arguments) == 2
    assert "usage: beat.py" in capsys.readouterr().err


def test_help_option_prints_help_of_program_and_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert code("--help") == 0
    assert "install" in capsys.readouterr().out
    assert code("install", "--help") == 0
    assert 'Arguments after "--"' in capsys.readouterr().out


@pytest.mark.parametrize("target", ["/a/100% beat.py", "/a/%(prog)s %s %.py"])
def test_help_with_percent_sign_in_program_name_prints_usage(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], target: str
) -> None:
    is_run_by(
        monkeypatch, Program(kind=ProgramKind.SCRIPT, target=target, interpreter="/py/python.exe")
    )
    for command in COMMANDS:
        assert code(command, "--help") == 0
        output = capsys.readouterr().out
        assert f"usage: {Path(target).name} {command}" in output.replace("\n", " ")
    assert code("--help") == 0


def test_help_with_colored_usage_prints_no_escape_codes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Replace the usage text of argparse, which must not appear in the help."""

    def colored(self: argparse.ArgumentParser) -> str:
        return f"\x1b[1musage: \x1b[0m{self.prog} %(odd)s\n"

    monkeypatch.setattr(argparse.ArgumentParser, "format_usage", colored)
    assert code("install", "--help") == 0
    assert "\x1b" not in capsys.readouterr().out


def test_run_at_terminal_without_valid_command_prints_usage(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("winsvc.host.entry_point._process", lambda *_: _Refusing())
    for arguments in ((), ("--odd",)):
        assert code(*arguments) == 2
        output = capsys.readouterr().err
        assert "usage: beat.py" in output
        assert "unknown command" not in output
    assert code("instal", "x") == 2
    output = capsys.readouterr().err
    assert "usage: beat.py" in output
    assert "beat.py: unknown command 'instal'. Did you mean 'install'?" in output
    assert code("odd") == 2
    assert "Did you mean" not in capsys.readouterr().err


class _Refusing:
    names = ("beat",)

    def serve(self, services: object) -> None:
        raise win32_error(1063, "StartServiceCtrlDispatcherW")


def test_run_with_other_dispatcher_error_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refusing:
        names = ("beat",)

        def serve(self, services: object) -> None:
            raise win32_error(1056, "StartServiceCtrlDispatcherW")

    monkeypatch.setattr("winsvc.host.entry_point._process", lambda *_: Refusing())
    with pytest.raises(OSError, match="1056"):
        run(Beat, arguments=[])


def test_run_with_invalid_services_raises() -> None:
    with pytest.raises(ValidationError, match="services: at least one service class is required"):
        run()
    with pytest.raises(
        TypeError, match=r"services: expected subclasses of winsvc\.host\.ServiceBase"
    ):
        run(Beat())  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="services: ServiceBase has no name"):
        run(ServiceBase, arguments=["status"])
    with pytest.raises(ValidationError, match="same name"):
        run(Beat, Beat, arguments=["status"])


# ----------------------------------------------------------------------- logging


@contextmanager
def bare_root() -> Iterator[logging.Logger]:
    """Yield the root logger without handlers, as before a program sets up logging."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    root.handlers.clear()
    try:
        yield root
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)


class Served:
    """A process that logs when it is served."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.served = False

    def serve(self, services: object) -> None:
        self.served = True
        logging.getLogger("own").info("served")
        logging.getLogger("own").debug("quiet")


def run_as(monkeypatch: pytest.MonkeyPatch, process: Served, *services: type[ServiceBase]) -> None:
    monkeypatch.setattr("winsvc.host.entry_point._process", lambda *_: process)
    run(*services, arguments=[])


def test_run_without_log_handlers_logs_to_event_log(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Loud(Second):
        log_level = logging.DEBUG

    with bare_root() as root:
        run_as(monkeypatch, Served("beat-2"), Beat)
        ((source, text),) = [(record.source, record.text) for record in sim.event_log]
        assert source == "beat-2"  # the name that it is installed under
        assert text.endswith("\n\nserved")
        run_as(monkeypatch, Served("beat"), Beat)  # nothing is added where there is a handler
        assert len(root.handlers) == 1
        assert root.level == logging.INFO
    with bare_root() as root:
        run_as(monkeypatch, Served("beat", "loud"), Beat, Loud)
        assert root.level == logging.DEBUG


def test_run_with_existing_log_handler_adds_no_event_log_handler(
    sim: SimulatedSCM, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bare_root() as root:
        root.addHandler(logging.NullHandler())
        run_as(monkeypatch, Served("beat"), Beat)
        assert len(root.handlers) == 1
    assert not sim.event_log


def test_run_with_name_too_long_for_source_serves_without_event_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = Served("n" * 256)
    with bare_root() as root:
        run_as(monkeypatch, process, type("Long", (ServiceBase,), {"name": "n" * 256}))
        assert process.served
        assert not root.handlers


@pytest.mark.skipif(sys.platform == "win32", reason="there is one")
def test_commands_without_service_manager_point_to_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("winsvc.backend._in_use", [])
        for command in ("install", "start", "stop", "status", "doctor"):
            assert code(command) == 1
            output = capsys.readouterr().err
            assert "beat.py debug" in output
            assert "SimulatedSCM" in output
            assert "make shell" not in output
        assert code("instal") == 2
    assert "unknown command 'instal'" in capsys.readouterr().err


def test_run_without_arguments_uses_sys_argv(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["beat.py", "status"])
    with pytest.raises(SystemExit) as ends:
        run(Beat)
    assert ends.value.code == 1
    assert capsys.readouterr().out == "beat: not installed\n"
