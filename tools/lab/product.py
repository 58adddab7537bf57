"""The project's parts of the lab: the extension, the wheel, the installed wheel."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tools.lab.layout import PROJECT, Lab, fingerprint, part, sources
from tools.lab.machine import compile_program, pip_install, run
from tools.lab.pins import COMPILER

DIST = PROJECT / "dist"
TEST_SERVICE = PROJECT / "tests" / "service" / "testservice.c"
BENCH_PROGRAM = PROJECT / "bench" / "program.c"

MODULE = "_winsvc_cffi.pyd"


def ensure_extension(lab: Lab) -> Path:
    """Build the compiled module with the cross compiler; return its path."""
    scripts = [PROJECT / "build_ffi.py", *(PROJECT / "tools").glob("*.py")]
    pins = PROJECT / "tools" / "requirements" / "host.txt"  # CFFI generates the C source
    key = fingerprint(lab.parts["abi"].name, files=[*sources("cdefs"), *scripts, pins])
    what = "extension module"
    return part(lab, "extension", what, key, lambda folder: _extension(lab, folder)) / MODULE


def _extension(lab: Lab, folder: Path) -> None:
    abi = lab.parts["abi"]
    options = ["--compiler", COMPILER, "-I", str(abi / "include"), "-L", str(abi)]
    run([lab.host_python, PROJECT / "build_ffi.py", "--cross", folder / MODULE, *options])


def ensure_wheel(lab: Lab) -> Path:
    """Build the ``win_amd64`` wheel; return its path."""
    extension = ensure_extension(lab)
    files = sources("src", "stubs", "cdefs")
    files += [PROJECT / name for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE")]
    key = fingerprint(extension.read_bytes().hex(), files=files)
    folder = part(lab, "wheel", "wheel", key, lambda folder: _wheel(lab, extension, folder))
    return next(folder.glob("*.whl"))


def _wheel(lab: Lab, extension: Path, folder: Path) -> None:
    # From a copy: setuptools creates build/ and *.egg-info next to the sources, and would include
    # files of an earlier build in the wheel.
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("src", "stubs", "cdefs"):
            shutil.copytree(PROJECT / name, Path(scratch, name))
        for name in ("pyproject.toml", "setup.py", "build_ffi.py", "README.md", "LICENSE"):
            shutil.copy2(PROJECT / name, scratch)
        options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
        run(
            [lab.host_python, "-m", "pip", "wheel", *options, f"--wheel-dir={folder}", scratch],
            WINSVC_WINDOWS_MODULE=str(extension),
        )


def publish(wheel: Path) -> Path:
    """Copy the wheel to ``dist/``; return its path there."""
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy2(wheel, DIST))


def ensure_installed(lab: Lab) -> None:
    """Install the wheel alone into a site folder, which each run copies."""
    wheel = ensure_wheel(lab)
    key = fingerprint(wheel.read_bytes().hex())
    part(lab, "site", f"{wheel.name} installed", key, lambda folder: _install(lab, wheel, folder))


def _install(lab: Lab, wheel: Path, folder: Path) -> None:
    options = ["--no-deps", "--no-index", "--platform=win_amd64", "--only-binary=:all:"]
    options += ["--python-version=311", "--implementation=cp", "--abi=abi3"]
    pip_install(lab, *options, f"--target={folder}", str(wheel))


def ensure_test_service(lab: Lab) -> None:
    """Compile the service program that the tests and the demo use."""

    def build(folder: Path) -> None:
        compile_program(TEST_SERVICE, folder / "testservice.exe", "-municode")

    part(lab, "testservice", "test service", fingerprint(files=[TEST_SERVICE]), build)


def ensure_bench_program(lab: Lab) -> None:
    """Compile the C program of the benchmark."""

    def build(folder: Path) -> None:
        compile_program(BENCH_PROGRAM, folder / "bench.exe")

    part(lab, "bench", "the bench's C program", fingerprint(files=[BENCH_PROGRAM]), build)
