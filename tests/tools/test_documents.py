"""The Python code of README.md, docs/ and examples/ passes strict type checks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documents import PROJECT, blocks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the blocks of the documents and the examples as files."""
    for block in blocks():
        name = block.module or f"{block.document.stem.lower()}_{block.line}"
        file = tmp_path / f"{name}.py"
        file.write_text(block.code, "utf-8")
    for path in (PROJECT / "examples").glob("*.py"):
        shutil.copy(path, tmp_path)
    return tmp_path


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("platform", ["linux", "win32"])
def test_code_of_documents_and_examples_passes_mypy(folder: Path, platform: str) -> None:
    path = f"{PROJECT / 'src'}:{PROJECT / 'stubs'}"
    settings = f"[mypy]\nstrict = True\nfollow_imports = silent\nmypy_path = {path}\n"
    (folder / "mypy.ini").write_text(settings, "utf-8")
    run(folder, "-m", "mypy", "--platform", platform, ".")


def test_code_of_documents_and_examples_passes_pyright(folder: Path) -> None:
    settings = {
        "extraPaths": [str(PROJECT / "src")],
        "stubPath": str(PROJECT / "stubs"),
        "typeCheckingMode": "strict",
        "pythonPlatform": "Windows",
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    run(folder, "-m", "pyright", "--pythonpath", sys.executable)
