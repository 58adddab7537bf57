"""The ``winsvc`` command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from winsvc import Service, ServiceManager, ServiceType, StartType
from winsvc.cli import main
from winsvc.testing import SimulatedSCM


def test_list_command_prints_service_row(
    installed: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    installed.start()
    assert main(["list"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "STATE", "PID", "DISPLAY", "NAME"]
    (line,) = [line for line in lines if line.startswith(f"{installed.name} ")]
    name, state, pid, display_name = line.split(maxsplit=3)
    status = installed.status()
    assert (name, state, pid) == (installed.name, "running", str(status.pid))
    assert display_name == installed.config().display_name


def test_list_command_as_json_applies_filters(
    scm: ServiceManager, installed: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--json", "--state", "stopped"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert listed[installed.name]["status"]["state"] == "stopped"
    assert {row["status"]["state"] for row in listed.values()} == {"stopped"}
    assert main(["list", "--json", "--type", "driver"]) == 0
    assert installed.name not in capsys.readouterr().out


def test_list_command_with_unknown_group_prints_single_line_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list", "--group", "no such group"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("winsvc: EnumServicesStatusExW failed on this machine: ")
    assert output.err.count("\n") == 1


def test_exported_machine_simulates_same_services(
    scm: ServiceManager, installed: Service, tmp_path: Path
) -> None:
    installed.configure(description="A text", dependencies=["RpcSs"], start_type=StartType.DISABLED)
    file = tmp_path / "machine.json"
    assert main(["export", str(file)]) == 0
    with ServiceManager(backend=SimulatedSCM.from_json(file)) as simulated:
        listed = {info.name: info for info in scm.services(service_type=ServiceType.ALL)}
        assert {info.name for info in simulated.services(service_type=ServiceType.ALL)} == set(
            listed
        )
        with simulated.open(installed.name) as twin:
            assert twin.config() == installed.config()
            assert twin.status() == installed.status()
            assert twin.description() == "A text"
            assert twin.preshutdown_timeout() == installed.preshutdown_timeout()
        for name, info in listed.items():
            assert simulated.info(name).status.state is info.status.state


def test_python_m_winsvc_list_prints_service(
    backend: str, installed: Service, tmp_path: Path
) -> None:
    options: list[str] = []
    if backend == "simulated":  # of which another process has nothing
        options = ["--simulate", str(tmp_path / "machine.json")]
        assert main(["export", options[1]]) == 0
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "winsvc", *options, "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert installed.name in done.stdout
