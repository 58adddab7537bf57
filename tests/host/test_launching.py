"""Programs are installed, started and taken away again, by their own commands; with a real SCM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipapp
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import wait_until_deleted

from winsvc import ErrorCode, ServiceManager, ServiceStartError, State, Win32Error
from winsvc._values.commandline import command_line, split
from winsvc.host import ServiceBase
from winsvc.host.doctor import Finding, Severity, examine
from winsvc.host.eventlog import source_problem
from winsvc.host.installing import install, remove
from winsvc.host.launch_command import log_file_of
from winsvc.host.program import Program, ProgramKind

BEAT = Path(__file__).with_name("programs") / "beat.py"
SECONDS = 60


class Deployed:
    """A program, and the service that it is installed as."""

    def __init__(self, scm: ServiceManager, name: str, folder: Path) -> None:
        self.scm = scm
        self.name = name
        self.facts_file = folder / "facts äöü.json"
        self.log = folder / "failures.log"

    def command(self, *start: str | Path, cwd: Path | None = None) -> str:
        """Run a command of the program, which must succeed; return its output."""
        done = self.run(*start, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run(self, *start: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *map(str, start)],
            capture_output=True,
            encoding="utf-8",
            stdin=subprocess.DEVNULL,
            cwd=cwd,
            timeout=SECONDS,
            env={**os.environ, "PYTHONUTF8": "1"},
        )

    def install(self, *program: str | Path, cwd: Path | None = None) -> str:
        options = ("--name", self.name, "--log", self.log, "--", self.facts_file)
        return self.command(*program, "install", *options, cwd=cwd)

    def install_script(self, script: Path, venv: str | None = None) -> None:
        """Without running it: it may not even load."""
        program = Program(
            kind=ProgramKind.SCRIPT, target=str(script), interpreter=sys.executable, venv=venv
        )
        install(
            service_class(self.name),
            program=program,
            arguments=[str(self.facts_file)],
            log_file=self.log,
            scm=self.scm,
        )

    def facts(self) -> dict[str, object]:
        """Start the service, and stop it; what it has found."""
        with self.scm.open(self.name) as service:
            service.start("one", "zwei äöü", timeout=SECONDS)
            service.stop(timeout=SECONDS)
        found = json.loads(self.facts_file.read_text("utf-8"))
        assert isinstance(found, dict)
        return found

    def failure(self) -> str:
        """Start the service, which fails; what is in its log file."""
        with self.scm.open(self.name) as service:
            with pytest.raises(ServiceStartError) as caught:
                service.start(timeout=SECONDS)
            assert caught.value.status is not None
            assert caught.value.status.exit_code == ErrorCode.EXCEPTION_IN_SERVICE
            assert service.status().exit_code == ErrorCode.EXCEPTION_IN_SERVICE
        return self.log.read_text("utf-8")

    def command_line(self) -> str:
        with self.scm.open(self.name) as service:
            return service.config().binary_path

    def findings(self, severity: Severity) -> list[Finding]:
        return [item for item in examine(self.scm, self.name) if item.severity is severity]


def service_class(name: str) -> type[ServiceBase]:
    return type("Beat", (ServiceBase,), {"name": name, "__module__": __name__})


@pytest.fixture
def deployed(
    scm: ServiceManager, unique_name: Callable[[], str], tmp_path: Path
) -> Iterator[Deployed]:
    target = Deployed(scm, unique_name(), tmp_path)
    yield target
    try:
        remove(target.name, scm=scm)
    except Win32Error as error:
        pytest.fail(str(error))
    wait_until_deleted(scm, target.name)
    assert source_problem(target.name) is not None


def at(folder: Path, name: str = "beat.py") -> Path:
    """Copy the program to a folder, with a module beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(BEAT.read_text("utf-8"), "utf-8")
    (folder / "beside_it.py").write_text("", "utf-8")
    return folder / name


def test_program_commands_run_full_service_lifecycle(deployed: Deployed, tmp_path: Path) -> None:
    script = at(tmp_path / "mit Blank und äöü")
    name = ("--name", deployed.name)
    output = deployed.install(script)
    assert f"{deployed.name}: installed" in output
    assert str(deployed.log) in output
    assert "LocalSystem" in output
    assert "event source" in output
    assert source_problem(deployed.name) is None
    assert f"{deployed.name}: started, process" in deployed.command(script, "start", *name, "a")
    assert "running, process" in deployed.command(script, "status", *name)
    assert "is already running" in deployed.command(script, "start", *name)
    facts = json.loads(deployed.facts_file.read_text("utf-8"))
    assert facts["argv"] == [str(script), str(deployed.facts_file)]
    assert facts["path"][0] == str(script.parent)
    assert facts["arguments"] == ["a"]
    assert facts["main"] == "__main__"
    assert facts["main thread"]
    assert facts["beside"]
    assert not any("winsvc\\host" in item.lower() for item in facts["path"])
    assert "started, process" in deployed.command(script, "restart", *name)
    assert "stopped" in deployed.command(script, "stop", *name)
    assert "is not running" in deployed.command(script, "stop", *name)
    again = deployed.run(script, "install", *name, "--", str(deployed.facts_file))
    assert again.returncode == 1
    assert "install --update" in again.stderr
    update = ("install", *name, "--update", "--start", "manual", "--", "x")
    assert "reconfigured" in deployed.command(script, *update)
    assert deployed.command_line().endswith("-- x")
    assert "the service cannot start" not in deployed.command(script, "doctor", *name)
    assert "removed" in deployed.command(script, "remove", *name)
    assert not deployed.scm.exists(deployed.name)
    assert source_problem(deployed.name) is not None
    status = deployed.run(script, "status", *name)
    assert (status.returncode, status.stdout.strip()) == (1, f"{deployed.name}: not installed")


def test_program_run_without_command_prints_usage(deployed: Deployed, tmp_path: Path) -> None:
    script = at(tmp_path)
    done = deployed.run(script)
    assert done.returncode == 2
    assert "usage: beat.py" in done.stderr
    deployed.install_script(script)
    launcher = split(deployed.command_line())[1:]
    done = deployed.run(*launcher)
    assert done.returncode == 2
    assert "debug" in done.stderr


def test_installed_package_runs_its_main_module(deployed: Deployed, tmp_path: Path) -> None:
    at(tmp_path / "beatpackage", "__main__.py")
    (tmp_path / "beatpackage" / "__init__.py").write_text("", "utf-8")
    deployed.install("-m", "beatpackage", cwd=tmp_path)
    facts = deployed.facts()
    assert facts["argv"] == [
        str(tmp_path / "beatpackage" / "__main__.py"),
        str(deployed.facts_file),
    ]
    assert facts["main"] == "__main__"
    assert isinstance(facts["path"], list)
    assert facts["path"][0] == str(tmp_path)
    assert not deployed.findings(Severity.ERROR)


def test_installed_zipapp_runs_its_archive(deployed: Deployed, tmp_path: Path) -> None:
    at(tmp_path / "app", "__main__.py")
    archive = tmp_path / "app.pyz"
    zipapp.create_archive(tmp_path / "app", archive)
    deployed.install(archive)
    facts = deployed.facts()
    assert facts["argv"] == [str(archive), str(deployed.facts_file)]
    assert facts["beside"]
    assert not deployed.findings(Severity.ERROR)


def test_service_of_virtual_environment_uses_its_packages(
    deployed: Deployed, tmp_path: Path
) -> None:
    venv = tmp_path / "eine venv"
    packages = venv / "Lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "only_here.py").write_text("", "utf-8")
    home = Path(sys.executable).parent
    (venv / "pyvenv.cfg").write_text(f"home = {home}\ninclude-system-site-packages = false\n")
    deployed.install_script(at(tmp_path), venv=str(venv))
    command = split(deployed.command_line())
    assert command[:2] == [sys.executable, "-S"]
    facts = deployed.facts()
    assert facts["prefix"] == str(venv)
    assert facts["base_prefix"] == sys.base_prefix
    assert facts["executable"] == str(venv / "Scripts" / "python.exe")
    assert facts["only in the environment"]
    assert not deployed.findings(Severity.ERROR)
    (venv / "pyvenv.cfg").unlink()
    assert "is not a virtual environment" in refused_before_it_connects(deployed)
    assert {item.topic for item in deployed.findings(Severity.ERROR)} == {"virtual environment"}


def refused_before_it_connects(deployed: Deployed) -> str:
    with deployed.scm.open(deployed.name) as service:
        with pytest.raises(ServiceStartError) as caught:
            service.start()
    assert caught.value.winerror == ErrorCode.SERVICE_REQUEST_TIMEOUT
    return deployed.log.read_text("utf-8")


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError: No module named 'no_such_module"),
        ("if True\n    pass\n", "SyntaxError"),
        ("raise ValueError('ä failure')\n", "ValueError: ä failure"),
        ("raise SystemExit(3)\n", "SystemExit: 3"),
    ],
    ids=["ImportError", "SyntaxError", "exception", "SystemExit"],
)
def test_start_of_unloadable_program_logs_cause(
    deployed: Deployed, tmp_path: Path, program: str, cause: str
) -> None:
    script = tmp_path / "broken.py"
    script.write_text(program, "utf-8")
    deployed.install_script(script)
    log = deployed.failure()
    assert f"{deployed.name}: loading {script} failed" in log
    assert cause in log
    assert "Traceback" in log
    assert "_bootstrap.py" not in log


def test_program_without_run_fails_its_start(deployed: Deployed, tmp_path: Path) -> None:
    script = tmp_path / "broken.py"
    script.write_text("import winsvc.host\n", "utf-8")
    deployed.install_script(script)
    log = deployed.failure()
    assert f"{deployed.name}: loading {script} failed" in log
    assert "without calling winsvc.host.run()" in log
    assert "_bootstrap.py" not in log
    assert "Traceback" not in log


def test_start_of_deleted_script_fails_and_doctor_finds_it(
    deployed: Deployed, tmp_path: Path
) -> None:
    script = at(tmp_path)
    deployed.install(script)
    script.unlink()
    assert "does not exist" in deployed.failure()
    (found,) = deployed.findings(Severity.ERROR)
    assert found.topic == "script"
    assert str(script) in found.text


@pytest.mark.parametrize(
    ("rest", "cause"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("raise SystemExit(3)\n", "without calling winsvc.host.run()"),
    ],
    ids=["ImportError", "no run()"],
)
def test_explain_failures_in_frozen_program_logs_cause(
    deployed: Deployed, tmp_path: Path, rest: str, cause: str
) -> None:
    """As frozen ones do, which are not started by the launcher."""
    script = tmp_path / "frozen.py"
    explain = "from winsvc.host.frozen import report_startup_failures\n"
    explain += f"report_startup_failures({deployed.name!r}, log_file={str(deployed.log)!r})\n"
    script.write_text(explain + rest, "utf-8")
    deployed.scm.create(deployed.name, command_line(sys.executable, str(script))).close()
    log = deployed.failure()
    assert "loading the program failed" in log
    assert cause in log


def test_start_command_of_failing_service_prints_cause(deployed: Deployed, tmp_path: Path) -> None:
    script = at(tmp_path)
    deployed.install(script)
    (tmp_path / "winreg_of_mine.py").write_text("1 / 0\n", "utf-8")
    whole = script.read_text("utf-8")
    # It loads here, at the terminal, but not as a service.
    broken = "import sys\nif sys.stdin is None or len(sys.argv) == 2: import winreg_of_mine\n"
    script.write_text(whole.replace("import json\n", f"import json\n{broken}"), "utf-8")
    done = deployed.run(script, "start", "--name", deployed.name)
    assert done.returncode == 1
    assert "1064" in done.stderr
    assert str(deployed.log) in done.stderr
    assert "ZeroDivisionError" in done.stderr


def test_service_with_12_second_import_starts(deployed: Deployed, tmp_path: Path) -> None:
    """Longer than the 10 seconds that Wine waits for a process to connect."""
    script = at(tmp_path)
    slow = f"import time\ntime.sleep(12)\n{script.read_text('utf-8').replace(FUTURE, '')}"
    script.write_text(FUTURE + slow, "utf-8")
    deployed.install_script(script)
    assert deployed.facts()["arguments"] == ["one", "zwei äöü"]


FUTURE = "from __future__ import annotations\n"


def test_program_with_two_services_applies_commands_to_both(
    scm: ServiceManager, unique_name: Callable[[], str], tmp_path: Path
) -> None:
    names = (unique_name(), unique_name())
    script = tmp_path / "two.py"
    script.write_text(
        f"""\
from winsvc.host import ServiceBase, run

class First(ServiceBase):
    name = {names[0]!r}
    def main(self):
        self.report_running()
        self.stop_requested.wait()

class Second(First):
    name = {names[1]!r}

run(First, Second)
""",
        "utf-8",
    )

    def command(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(script), *arguments], capture_output=True, encoding="utf-8"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        command("install", "--log", str(tmp_path / "two.log"))
        assert command("start").count("started") == 2
        assert command("status").count("running") == 2
        assert "stopped" in command("stop", names[1])
        assert scm.info(names[0]).status.state is State.RUNNING
        assert command("restart").count("started") == 2
    finally:
        removed = command("remove")
    assert removed.count("removed") == 2
    assert not [name for name in names if scm.exists(name)]


def test_doctor_of_broken_installation_finds_each_error(deployed: Deployed, tmp_path: Path) -> None:
    script = at(tmp_path / "a b")
    deployed.install(script)
    assert not deployed.findings(Severity.ERROR)
    with deployed.scm.open(deployed.name) as service:
        line = service.config().binary_path
        interpreter, *rest = split(line)
        python = str(tmp_path / "gone" / "python.exe")
        service.configure(binary_path=command_line(python, *rest))
        (found,) = deployed.findings(Severity.ERROR)
        assert (found.topic, found.text) == ("program", f"{python} does not exist")
        service.configure(binary_path=r"C:\Program Files\x\x.exe", allow_unquoted_path=True)
        assert "is not quoted" in " ".join(item.text for item in deployed.findings(Severity.ERROR))
        module = "--module=no_such.module"
        at_module = [module if item.startswith("--script=") else item for item in rest]
        service.configure(binary_path=command_line(interpreter, *at_module))
        (found,) = deployed.findings(Severity.ERROR)
        assert found.topic == "interpreter"
        assert "no_such" in found.text
        script.write_text("if True\n", "utf-8")
        service.configure(binary_path=line)
        (found,) = deployed.findings(Severity.ERROR)
        assert "SyntaxError" in found.text
        assert log_file_of(split(line), "x") == str(deployed.log)


def test_doctor_command_as_json_lists_findings(deployed: Deployed, tmp_path: Path) -> None:
    deployed.install(at(tmp_path))
    found = json.loads(deployed.command("-m", "winsvc", "doctor", deployed.name, "--json"))
    assert {item["severity"] for item in found} <= {"ok", "warning", "unknown"}
    assert "interpreter" in {item["topic"] for item in found}
    missing = deployed.run("-m", "winsvc", "doctor", f"{deployed.name}-x")
    assert missing.returncode == 1
