"""pywin32's ``win32serviceutil`` behaves the same on the drop-in and on pywin32."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import win32serviceutil

PROGRAM = Path(__file__).with_name("serviceutil_program.py")


def report(name: str, module: str) -> Any:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), "drive", name, module],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout.replace(name, "NAME").replace(f"NAME {module}", "NAME MODULE")
    return json.loads(text)


def test_win32serviceutil_on_dropin_gives_same_results(unique_name: Callable[[], str]) -> None:
    ours, theirs = report(unique_name(), "dropin"), report(unique_name(), "pywin32")
    assert (ours["win32service"], theirs["win32service"]) == (
        "winsvc.win32service",
        "win32service",
    )
    assert ours["win32serviceutil"] == theirs["win32serviceutil"] == win32serviceutil.__file__
    for our_step, their_step in zip(ours["steps"], theirs["steps"], strict=True):
        assert our_step == their_step
    seen = {what: given for what, given, _ in ours["steps"]}
    assert seen["status"][1] == 1
    assert seen["stopped"] is None
    assert seen["the dependent is stopped"] == 1
    assert seen["hosted: status"][1] == 4
    assert seen["hosted: paused"] is None
    assert seen["read option"] == 7
    assert seen["status of none"][1][:2] == [1060, "GetServiceKeyName"]
    assert seen["hosted: restart"] == 0
    assert seen["hosted: remove again"] == 1060
