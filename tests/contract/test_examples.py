"""The programs in examples/ run on both systems."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

from winsvc import ServiceManager, State

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_deploy_example_creates_then_updates_service(
    scm: ServiceManager,
    program: str,
    unique_name: Callable[[], str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    deploy = runpy.run_path(str(EXAMPLES / "deploy.py"))["deploy"]
    name, path = unique_name(), program.strip('"')
    try:
        assert deploy(scm, name, path, "first") is State.RUNNING
        with scm.open(name) as service:
            service.stop()
        assert deploy(scm, name, path, "second try") is State.RUNNING
        with scm.open(name) as service:
            assert service.config().binary_path.endswith('"second try"')
            service.stop()
        assert f"service       {name}" in capsys.readouterr().out
    finally:
        scm.delete(name)


def test_lifecycle_example_prints_each_step(
    program: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(EXAMPLES / "lifecycle.py"))["main"]
    main(program.strip('"'))
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["created", "started", "stopped", "deleted"]


def test_desktops_example_prints_current_station(capsys: pytest.CaptureFixture[str]) -> None:
    main = runpy.run_path(str(EXAMPLES / "desktops.py"))["main"]
    main()
    lines = capsys.readouterr().out.splitlines()
    assert "WinSta0: visible, current" in lines
    assert "  Default" in lines
