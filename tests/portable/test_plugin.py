"""The pytest plugin, and the example that is tested with it."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import winsvc

PROJECT = Path(__file__).parent.parent.parent
SOURCE = Path(winsvc.__file__).parent.parent
PLUGIN = "winsvc.pytest_plugin"


def pytest_elsewhere(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest as another project does: without the configuration of this project."""
    by_hand = [] if entry_points(group="pytest11", name="winsvc") else ["-p", PLUGIN]
    none = ["-p", "no:cacheprovider", "-p", "no:hypothesispytest"]
    options = ["-q", "--color=no", *none, "-c", os.devnull, "--rootdir", str(folder), *by_hand]
    path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )


def test_plugin_fixtures_work_in_other_project(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "from winsvc import ServiceManager\n"
        "def test_both(winsvc_scm, simulated_scm):\n"
        "    simulated_scm.add('beat')\n"
        "    with ServiceManager() as other:\n"
        "        assert other.exists('beat') and winsvc_scm.exists('beat')\n"
        "def test_each_test_has_its_own(simulated_scm):\n"
        "    assert 'beat' not in simulated_scm\n"
    )
    done = pytest_elsewhere(tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("2 passed")


def test_examples_pass_with_plugin() -> None:
    done = pytest_elsewhere(PROJECT / "examples")
    assert done.returncode == 0, done.stdout
    files = (PROJECT / "examples").glob("test_*.py")
    count = sum(file.read_text("utf-8").count("\ndef test_") for file in files)
    assert count
    assert done.stdout.splitlines()[-1].startswith(f"{count} passed")


def test_plugin_import_loads_no_testing_modules() -> None:
    code = (
        f"import sys, {PLUGIN}; print({{'winsvc.testing', 'winsvc.security'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_pyproject_declares_pytest_entry_point() -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    assert f'[project.entry-points.pytest11]\nwinsvc = "{PLUGIN}"\n' in text
