"""Off Windows a pure wheel comes out of the source, and works."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent


@pytest.mark.skipif(sys.platform == "win32", reason="there the wheel has the compiled module")
def test_pure_wheel_installs_and_imports(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in ("src", "stubs", "cdefs"):
        shutil.copytree(PROJECT / name, source / name)
    for name in ("pyproject.toml", "setup.py", "build_ffi.py", "README.md", "LICENSE"):
        shutil.copy2(PROJECT / name, source)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-index"]
    subprocess.run(
        [*pip, "wheel", *offline, "--no-build-isolation", "-w", tmp_path, source], check=True
    )
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {"winsvc/py.typed", "winsvc/__init__.pyi"} <= set(archive.namelist())
        assert not [name for name in archive.namelist() if "_winsvc_cffi" in name]
    site = tmp_path / "site"
    subprocess.run([*pip, "install", *offline, f"--target={site}", wheel], check=True)
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import winsvc; print(winsvc.__file__)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip().startswith(str(site))


@pytest.mark.skipif(sys.platform == "win32", reason="tested where the lab's wheel is built")
def test_source_archive_holds_files_of_windows_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        PROJECT, source, ignore=shutil.ignore_patterns(".lab", ".git", "dist", "build", ".*cache")
    )
    code = "import setuptools.build_meta as b, sys; print(b.build_sdist(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], cwd=source, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    assert {
        "setup.py",
        "build_ffi.py",
        "cdefs/winsvc.h",
        "cdefs/c/glue.c",
        "cdefs/c/notify.c",
        "stubs/_winsvc_cffi/__init__.pyi",
        "src/winsvc/py.typed",
        "src/winsvc/__init__.pyi",
        "tests/conftest.py",
        "tests/service/testservice.c",
        "tools/requirements/host.txt",
        "bench/program.c",
        "docs/architecture.md",
        "examples/heartbeat.py",
        "CONTRIBUTING.md",
        "Makefile",
    } <= names
