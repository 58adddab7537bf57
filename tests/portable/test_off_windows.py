"""Imports and errors on other systems than Windows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from winsvc import ServiceManager, UnsupportedError
from winsvc.cli import main

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is an SCM on Windows")


def test_manager_off_windows_raises_unsupported_with_advice() -> None:
    with pytest.raises(UnsupportedError) as caught:
        ServiceManager()
    assert "no service control manager on linux" in str(caught.value)
    assert "simulated SCM" in str(caught.value)
    assert "lab" in str(caught.value)
    assert isinstance(caught.value, NotImplementedError)


def test_list_command_off_windows_prints_single_error_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list"]) == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("winsvc: there is no service control manager")
    assert output.err.count("\n") == 1


def test_python_m_winsvc_off_windows_exits_with_error() -> None:
    done = subprocess.run([sys.executable, "-m", "winsvc", "list"], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("winsvc: ")
