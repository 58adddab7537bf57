"""Test the findings of doctor for an installed service."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from winsvc import ServiceManager, ServiceType, SidType, StartType, State, cli
from winsvc._values.commandline import command_line
from winsvc.backend import Capabilities
from winsvc.errors import win32_error
from winsvc.host import _bootstrap
from winsvc.host.doctor import Finding, Severity, describe, examine
from winsvc.host.eventlog import register_source
from winsvc.host.launch_command import launch_command
from winsvc.host.program import Program, ProgramKind
from winsvc.security import SecurityDescriptor
from winsvc.testing import ProgramBehavior, SimulatedSCM

READABLE = "D:(A;;0x1200a9;;;BU)(A;;FA;;;SY)(A;;FA;;;BA)"


class MachineWithFiles(SimulatedSCM):
    """A simulated SCM on the files of this machine."""

    sddl = READABLE
    sddl_of: dict[str, str]
    remote = False

    def capabilities(self, machine: str | None) -> Capabilities:
        return super().capabilities(machine)._replace(files=None if machine else self)

    def is_remote_drive(self, root: str) -> bool:
        return self.remote

    def get_file_security(self, path: str, information: int) -> bytes:
        sddl = self.sddl_of.get(path, self.sddl)
        if not sddl:
            raise win32_error(5, "GetFileSecurityW")
        return SecurityDescriptor.from_sddl(sddl).to_bytes()

    def set_file_security(self, path: str, information: int, descriptor: bytes) -> None:
        raise NotImplementedError

    def create_directory(self, path: str, descriptor: bytes) -> None:
        raise NotImplementedError


@pytest.fixture
def sim() -> Iterator[MachineWithFiles]:
    sim = MachineWithFiles()
    sim.sddl_of = {}
    with sim.installed():
        yield sim
    assert not sim.open_handles


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Starting the interpreter takes its time: where it is not what is looked at, it is well."""
    if not request.node.get_closest_marker("usefixtures"):
        found = Finding(Severity.OK, "interpreter", "")
        monkeypatch.setattr("winsvc.host.doctor.program_checks._run_check", lambda *_: found)


@pytest.fixture
def really() -> None:
    """The interpreter is really started."""


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """A healthy one."""
    python = tmp_path / "python.exe"
    python.symlink_to(sys.executable)
    script = tmp_path / "beat.py"
    script.write_text("1 / 0\n")
    return Program(kind=ProgramKind.SCRIPT, target=str(script), interpreter=str(python))


def install(sim: SimulatedSCM, program: Program, tmp_path: Path, **settings: object) -> None:
    line = launch_command(program, ["beat"], tmp_path / "log" / "beat.log")
    sim.add("beat", **{"binary_path": line, **settings})  # type: ignore[arg-type]
    register_source("beat")


def found(name: str = "beat", *, machine: str | None = None) -> list[Finding]:
    with ServiceManager(machine) as scm:
        return examine(scm, name)


def bad(severity: Severity = Severity.ERROR) -> list[tuple[str, str]]:
    return [(finding.topic, finding.text) for finding in found() if finding.severity is severity]


def one_bad(severity: Severity = Severity.ERROR) -> tuple[str, str]:
    (only,) = bad(severity)
    return only


@pytest.mark.usefixtures("really")
def test_doctor_of_healthy_service_finds_nothing(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    assert {finding.severity for finding in found()} == {Severity.OK}
    assert "interpreter" in describe("beat", found())
    assert describe("beat", found()).startswith("beat: no problem found")


def test_doctor_of_unknown_service_reports_error(sim: MachineWithFiles) -> None:
    (only,) = found("none")
    assert only.severity is Severity.ERROR
    assert describe("none", [only]).startswith("none: the service cannot start")


def test_doctor_without_query_config_right_reports_unknown(sim: MachineWithFiles) -> None:
    sim.add("beat", security="D:(A;;LC;;;BA)")
    (only,) = found()
    assert only.severity is Severity.UNKNOWN


def test_doctor_reports_disabled_start_type(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path, start_type=StartType.DISABLED)
    assert one_bad() == ("start type", "the service is disabled; change its start type to start it")


def test_doctor_reports_driver_type_as_error(sim: MachineWithFiles) -> None:
    driver = ServiceType.KERNEL_DRIVER
    sim.add("beat", service_type=driver, binary_path=r"\SystemRoot\beat.sys")
    assert bad()[0][0] == "type"


def test_doctor_warns_about_exit_code_of_last_run(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    sim.local.other_programs = ProgramBehavior(ends_after=0, exit_code=1066, service_exit_code=7)
    with ServiceManager() as scm, scm.open("beat") as beat:
        beat.start(wait=False)
        sim.clock.advance(5)
        assert beat.status().state is State.STOPPED
    topic, text = one_bad(Severity.WARNING)
    assert topic == "last run"
    assert "1066 (service-specific: 7)" in text


def test_doctor_reports_unquoted_path_with_spaces(sim: MachineWithFiles) -> None:
    sim.add("beat", binary_path=r"C:\Program Files\x\x.exe")
    assert "is not quoted" in bad()[0][1]


def test_doctor_warns_about_percent_signs_in_command_line(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    line = launch_command(program, ["beat"], tmp_path / "beat.log", ["%x%"])
    install(sim, program, tmp_path, binary_path=line)
    assert one_bad(Severity.WARNING)[0] == "command line"


def test_doctor_reports_missing_interpreter(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    Path(program.interpreter).unlink()
    assert one_bad() == ("program", f"{program.interpreter} does not exist")


def test_doctor_reports_program_that_is_no_exe(sim: MachineWithFiles, program: Program) -> None:
    sim.add("beat", binary_path=program.target)
    assert "is not an .exe" in one_bad()[1]


def test_doctor_warns_about_relative_program_path(sim: MachineWithFiles) -> None:
    sim.add("beat", binary_path="x.exe")
    assert one_bad(Severity.WARNING)[0] == "program"


def test_doctor_reports_missing_script(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    Path(program.target).unlink()
    assert one_bad() == ("script", f"{program.target} does not exist")


@pytest.mark.usefixtures("really")
def test_doctor_reports_syntax_error_and_broken_interpreter(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    Path(program.target).write_text("if True\n")
    topic, text = one_bad()
    assert topic == "interpreter"
    assert "SyntaxError" in text
    Path(program.interpreter).unlink()
    Path(program.interpreter).write_text("no program")
    assert "does not start" in one_bad()[1]


@pytest.mark.usefixtures("really")
def test_doctor_warns_about_hanging_interpreter(
    sim: MachineWithFiles, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], *, timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", run)
    install(sim, program, tmp_path)
    topic, text = one_bad(Severity.WARNING)
    assert topic == "interpreter"
    assert text.startswith(f"{program.interpreter} did not find {program.target} within 60 s")


@pytest.mark.usefixtures("really")
def test_doctor_reports_missing_module(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    module = Program(
        kind=ProgramKind.MODULE,
        target="winsvc_test_nothing",
        interpreter=program.interpreter,
        path=str(tmp_path),
    )
    install(sim, module, tmp_path)
    assert "winsvc_test_nothing" in one_bad()[1]


def test_doctor_reports_broken_virtual_environment(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    inside = Program(
        kind=ProgramKind.SCRIPT,
        target=program.target,
        interpreter=program.interpreter,
        venv=str(venv),
    )
    install(sim, inside, tmp_path)
    assert one_bad() == ("virtual environment", f"{venv / 'pyvenv.cfg'} does not exist")
    venv.mkdir()
    settings = venv / "pyvenv.cfg"
    settings.write_text(f"home = {tmp_path}\n")
    assert not bad()
    assert not bad(Severity.WARNING)
    settings.write_text("home = /usr\n")
    assert "created from the Python in /usr" in one_bad(Severity.WARNING)[1]
    settings.write_text(f"home = {tmp_path / 'gone'}\n")
    assert "was deleted" in one_bad()[1]
    settings.write_text("")
    assert "contains no home" in one_bad()[1]


def test_doctor_warns_about_missing_event_source(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path)
    sim.delete_event_source("beat")
    assert one_bad(Severity.WARNING)[0] == "event source"


def test_doctor_reports_wrong_type_and_names_of_shared_process(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    line = launch_command(program, ["a", "b"], tmp_path / "beat.log")
    install(sim, program, tmp_path, binary_path=line)
    assert {topic for topic, _ in bad()} == {"type", "command line"}


def test_doctor_reports_type_that_does_not_fit_service_names(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    def topics(service_type: ServiceType, *names: str) -> list[str]:
        line = launch_command(program, names, tmp_path / "beat.log")
        with ServiceManager() as scm, scm.open("beat") as beat:
            beat.configure(service_type=service_type, binary_path=line)
        return [topic for topic, _ in bad()]

    install(sim, program, tmp_path)
    own, shared = ServiceType.OWN_PROCESS, ServiceType.SHARE_PROCESS
    assert topics(own, "BEAT") == topics(shared, "BEAT") == topics(shared, "Beat", "b") == []
    assert topics(own, "a") == []  # any name
    assert topics(shared, "a") == ["command line"]
    assert topics(shared, "a", "b") == ["command line"]
    assert topics(own, "beat", "b") == ["type"]


# ----------------------------------------------------------------------- whose files


@pytest.mark.parametrize(
    ("account", "sddl", "may"),
    [
        ("LocalSystem", "D:(A;;FA;;;SY)", True),
        ("LocalSystem", "D:(A;;FA;;;BA)", True),
        ("LocalService", "D:(A;;FA;;;SY)(A;;FA;;;BA)", False),
        ("LocalService", "D:(A;;FR;;;BU)", True),
        ("LocalService", "D:(A;;FX;;;BU)", False),
        ("LocalService", "D:(A;;GRGX;;;BU)", True),
        ("LocalService", "D:(A;;GA;;;LS)", True),
        ("LocalService", "D:(D;;FR;;;SU)(A;;FA;;;WD)", False),
        ("LocalService", "D:(A;;FA;;;WD)(D;;FR;;;SU)", True),
        ("LocalService", "D:(A;IO;FA;;;WD)", False),
        ("LocalService", "D:NO_ACCESS_CONTROL", True),
        ("NetworkService", "D:(A;;FA;;;NS)", True),
        ("NetworkService", "D:(A;;FA;;;LS)", False),
        (r"NT SERVICE\beat", "D:(A;;FA;;;AU)", True),
        (r"NT SERVICE\beat", "D:(A;;FA;;;S-1-5-80-0)", True),
        (r"NT SERVICE\beat", "D:", False),
    ],
)
def test_doctor_reports_script_unreadable_by_account(
    sim: MachineWithFiles,
    program: Program,
    tmp_path: Path,
    account: str,
    sddl: str,
    may: bool,
) -> None:
    install(sim, program, tmp_path, account=account)
    sim.sddl_of[program.target] = sddl
    about = [finding for finding in found() if finding.topic == "script"]
    severities = {finding.severity for finding in about}
    assert (Severity.ERROR not in severities) == may


@pytest.mark.parametrize(
    ("account", "sddl"), [(r"NT SERVICE\beat", ""), (r"DOMAIN\bob", "D:(A;;FA;;;WD)")]
)
def test_access_that_cannot_be_evaluated_is_unknown(
    sim: MachineWithFiles, program: Program, tmp_path: Path, account: str, sddl: str
) -> None:
    install(sim, program, tmp_path, account=account)
    sim.sddl_of[program.target] = sddl
    severities = {finding.severity for finding in found() if finding.topic == "script"}
    assert severities >= {Severity.OK, Severity.UNKNOWN}
    assert Severity.ERROR not in severities


@pytest.mark.parametrize(
    ("sddl", "open_to_all"),
    [
        ("D:(A;;FA;;;SY)(A;;0x1301bf;;;AU)", True),
        ("D:(A;;FA;;;WD)", True),
        (READABLE, False),
        ("D:(A;OICIIO;FA;;;BU)(A;;FA;;;SY)", False),
        *((f"{READABLE}(A;;{right};;;BU)", True) for right in ("0x2", "0x4", "SD", "WD", "WO")),
        (f"{READABLE}(A;;0x40;;;BU)", False),  # FILE_DELETE_CHILD, of a file
    ],
)
def test_doctor_warns_about_script_writable_by_all_users(
    sim: MachineWithFiles, program: Program, tmp_path: Path, sddl: str, open_to_all: bool
) -> None:
    install(sim, program, tmp_path)
    sim.sddl_of[program.target] = sddl
    warnings = bad(Severity.WARNING)
    about = [(topic, "is writable by all users" in text) for topic, text in warnings]
    assert about == [("script", True)] * open_to_all


@pytest.mark.parametrize("right", ["0x2", "0x4", "0x40", "SD", "WD", "WO"])
def test_doctor_warns_about_folders_writable_by_all_users(
    sim: MachineWithFiles, tmp_path: Path, program: Program, right: str
) -> None:
    """Python looks there for modules, and the system for DLLs."""
    venv, app = tmp_path / "venv", tmp_path / "app"
    packages = venv / "Lib" / "site-packages"
    for folder in (packages, app):
        folder.mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text(f"home = {tmp_path}\n")
    script = Path(program.target).rename(app / "beat.py")
    inside = Program(
        kind=ProgramKind.SCRIPT,
        target=str(script),
        interpreter=program.interpreter,
        venv=str(venv),
    )
    install(sim, inside, tmp_path)
    assert not bad(Severity.WARNING)
    host = Path(_bootstrap.__file__).parent
    places = {
        "program": tmp_path,  # the interpreter's
        "script": app,
        "virtual environment": packages,
        "winsvc": host,
    }
    for topic, path in places.items():
        sim.sddl_of = {str(path): f"{READABLE}(A;;{right};;;AU)"}
        ((reported, text),) = [
            problem for problem in bad(Severity.WARNING) if "is writable by all users" in problem[1]
        ]
        assert (reported, str(path) in text) == (topic, True)
    sim.sddl_of = {str(host.parent): f"{READABLE}(A;;{right};;;AU)"}
    assert one_bad(Severity.WARNING)[0] == "winsvc"


def test_doctor_reports_interpreter_not_executable_by_account(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path, account="LocalService")
    sim.sddl_of[program.interpreter] = "D:(A;;FR;;;BU)"
    topic, text = one_bad()
    assert topic == "program"
    assert "read and execute" in text


def test_doctor_accepts_file_access_granted_to_service_sid(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    from winsvc import service_sid

    settings = {"account": "LocalService", "sid_type": SidType.UNRESTRICTED}
    install(sim, program, tmp_path, **settings)
    sim.sddl_of[program.target] = f"D:(A;;FA;;;{service_sid('beat')})"
    assert not bad()
    with ServiceManager() as scm, scm.open("beat") as beat:
        beat.configure(sid_type=SidType.NONE)
    assert one_bad()[0] == "script"


def test_doctor_warns_about_log_folder_with_wrong_write_access(
    sim: MachineWithFiles, program: Program, tmp_path: Path
) -> None:
    install(sim, program, tmp_path, account="LocalService")
    folder = tmp_path / "log"
    folder.mkdir()
    assert "cannot write" in one_bad(Severity.WARNING)[1]
    sim.sddl_of[str(folder)] = f"{READABLE}(A;;0x2;;;LS)"
    assert not bad(Severity.WARNING)
    sim.sddl_of[str(folder)] = f"{READABLE}(A;;0x2;;;BU)"
    topic, text = one_bad(Severity.WARNING)
    assert topic == "log file"
    assert f"{folder} is writable by all users" in text


def test_doctor_warns_about_insecure_default_log_folder(
    sim: MachineWithFiles, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROGRAMDATA", str(tmp_path))
    install(sim, program, tmp_path, binary_path=launch_command(program, ["beat"]))
    assert "any user can create it" in one_bad(Severity.WARNING)[1]
    folder = tmp_path / "winsvc"
    folder.mkdir()
    for sddl, problem in {
        f"O:BA{READABLE}": "",
        f"O:SY{READABLE}(A;OICIIO;FA;;;BU)(A;;FA;;;CO)": "",
        f"O:BU{READABLE}": "is owned by",
        f"O:BA{READABLE}(A;;0x2;;;AU)": "is writable by",
        f"O:BA{READABLE}(A;;GW;;;S-1-5-21-1-2-3-1000)": "is writable by S-1-5-21-1-2-3-1000",
        "O:BAD:NO_ACCESS_CONTROL": "is writable by everyone",
    }.items():
        sim.sddl_of[str(folder)] = sddl
        texts = [text for topic, text in bad(Severity.WARNING) if topic == "log file"]
        assert [problem in text for text in texts] == [True] * bool(problem), sddl
    sim.sddl_of[str(folder)] = f"O:BA{READABLE}"
    folder.rmdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    assert "is a link" in one_bad(Severity.WARNING)[1]


@pytest.mark.parametrize(
    ("line", "severity", "text"),
    [
        (r"\\server\share\x.exe", Severity.WARNING, "on another machine"),
        (r"N:\x.exe", Severity.ERROR, "N: is a network drive"),
        (r"C:\Users\bob\x.exe", Severity.WARNING, "user's profile"),
        (r"C:\Program Files\WindowsApps\python.exe", Severity.ERROR, "Microsoft Store"),
    ],
)
def test_doctor_reports_program_in_unsuitable_location(
    sim: MachineWithFiles,
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    severity: Severity,
    text: str,
) -> None:
    monkeypatch.setattr("os.path.isfile", lambda path: path == line)
    monkeypatch.setattr("os.path.isabs", lambda path: True)
    sim.remote = line.startswith("N:")
    sim.add("beat", binary_path=command_line(line))
    assert text in one_bad(severity)[1]


# ----------------------------------------------------------------------- elsewhere


def test_doctor_on_simulated_machine_reports_files_as_unknown() -> None:
    sim = SimulatedSCM()
    sim.add("beat")
    with sim.installed():
        assert {finding.severity for finding in found()} == {Severity.OK, Severity.UNKNOWN}


def test_doctor_of_remote_service_reports_files_as_unknown(sim: MachineWithFiles) -> None:
    sim.add_machine("other").add("beat", binary_path=r"C:\x.exe")
    severities = {finding.topic: finding.severity for finding in found(machine="other")}
    assert severities["files"] is Severity.UNKNOWN


def test_doctor_command_prints_text_or_json(
    sim: MachineWithFiles, capsys: pytest.CaptureFixture[str]
) -> None:
    sim.add("beat", binary_path="x.exe")
    assert cli.main(["doctor", "beat"]) == 0
    assert capsys.readouterr().out.startswith("beat: no problem found")
    assert cli.main(["doctor", "beat", "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)
    assert {"severity": "ok", "topic": "command line", "text": "x.exe"} in findings
    assert cli.main(["doctor", "none"]) == 1
