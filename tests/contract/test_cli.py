"""The ``winsvc`` command."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from winsvc import Service, ServiceManager
from winsvc.cli import main


def test_list(installed: Service, capsys: pytest.CaptureFixture[str]) -> None:
    installed.start()
    assert main(["list"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["NAME", "STATE", "PID", "DISPLAY", "NAME"]
    (line,) = [line for line in lines if line.startswith(f"{installed.name} ")]
    name, state, pid, display_name = line.split(maxsplit=3)
    status = installed.status()
    assert (name, state, pid) == (installed.name, "running", str(status.pid))
    assert display_name == installed.config().display_name


def test_list_as_json(
    scm: ServiceManager, installed: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--json", "--state", "stopped"]) == 0
    listed = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert listed[installed.name]["status"]["state"] == "stopped"
    assert {row["status"]["state"] for row in listed.values()} == {"stopped"}
    assert main(["list", "--json", "--type", "driver"]) == 0
    assert installed.name not in capsys.readouterr().out


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--group", "no such group"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("winsvc: EnumServicesStatusExW failed on this machine: ")
    assert output.err.count("\n") == 1


def test_python_dash_m(installed: Service) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-m", "winsvc", "list"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert installed.name in done.stdout
