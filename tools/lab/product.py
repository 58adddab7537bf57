"""What the project itself gives the lab: the extension, the wheel, the wheel installed."""

from __future__ import annotations

import shutil
from pathlib import Path

from tools.lab.layout import PROJECT, Lab, fingerprint, fresh, sources, step
from tools.lab.machine import compile_program, pip_install, run
from tools.lab.pins import COMPILER

DIST = PROJECT / "dist"
TEST_SERVICE = PROJECT / "tests" / "service" / "testservice.c"
BENCH_PROGRAM = PROJECT / "bench" / "program.c"


def ensure_extension(lab: Lab) -> Path:
    """The compiled module, built by the cross compiler; its path."""
    target = lab.build / "_winsvc_cffi.pyd"
    scripts = [PROJECT / "build_ffi.py", *(PROJECT / "tools").glob("*.py")]
    files = [*sources("cdefs"), *scripts]
    pins = PROJECT / "tools" / "requirements" / "host.txt"  # CFFI's version writes the C
    key = fingerprint((lab.root / "stamps" / "abi").read_text(), files=[*files, pins])
    step(
        lab,
        "extension",
        "extension module",
        key,
        lambda: _build_extension(lab, target),
        products=[target],
    )
    return target


def _build_extension(lab: Lab, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    options = ["--compiler", COMPILER, "-I", str(lab.abi / "include"), "-L", str(lab.abi)]
    script = PROJECT / "build_ffi.py"
    run([lab.host_python, script, "--cross", str(target), *options])


def ensure_wheel(lab: Lab) -> Path:
    """The ``win_amd64`` wheel; its path."""
    extension = ensure_extension(lab)
    folder = lab.build / "wheel"
    files = sources("src", "stubs", "cdefs")
    files += [PROJECT / name for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE")]
    key = fingerprint(extension.read_bytes().hex(), files=files)
    step(
        lab,
        "wheel",
        "wheel",
        key,
        lambda: _build_wheel(lab, extension, folder),
        products=[folder],
    )
    return next(folder.glob("*.whl"))


def _build_wheel(lab: Lab, extension: Path, folder: Path) -> None:
    # From a copy: setuptools leaves build/ and *.egg-info beside what it builds, and would put
    # leftovers of an earlier build into the wheel.
    work = fresh(lab.build / "wheel-source")
    for name in ("src", "stubs", "cdefs"):
        shutil.copytree(PROJECT / name, work / name)
    for name in ("pyproject.toml", "setup.py", "build_ffi.py", "README.md", "LICENSE"):
        shutil.copy2(PROJECT / name, work)
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet"]
    run(
        [lab.host_python, "-m", "pip", "wheel", *options, f"--wheel-dir={fresh(folder)}", work],
        WINSVC_WINDOWS_MODULE=str(extension),
    )


def publish(wheel: Path) -> Path:
    """Copy the wheel to ``dist/``; its path there."""
    DIST.mkdir(exist_ok=True)
    return Path(shutil.copy2(wheel, DIST))


def ensure_installed(lab: Lab) -> None:
    """The wheel, and nothing but the wheel, in the lab's site-packages."""
    wheel = ensure_wheel(lab)
    into = (lab.root / "stamps" / f"wheels-{lab.python}").read_text()
    key = fingerprint(wheel.read_bytes().hex(), into)
    step(
        lab,
        f"installed-{lab.python}",
        f"{wheel.name} into the Windows CPython {lab.python}",
        key,
        lambda: _install(lab, wheel),
        products=[lab.site_packages / "winsvc", lab.site_packages / "_winsvc_cffi.pyd"],
    )


def _install(lab: Lab, wheel: Path) -> None:
    for old in [*lab.site_packages.glob("*winsvc*")]:
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    options = ["--no-deps", "--no-index", "--platform=win_amd64", "--only-binary=:all:"]
    digits = lab.python.replace(".", "")
    options += [f"--python-version={digits}", "--implementation=cp", "--abi=abi3"]
    pip_install(lab, *options, "--upgrade", f"--target={lab.site_packages}", str(wheel))


def ensure_test_service(lab: Lab) -> None:
    """The small service that the tests and the demo install, start and stop."""
    key = fingerprint(files=[TEST_SERVICE])
    step(
        lab,
        "testservice",
        "test service",
        key,
        lambda: compile_program(TEST_SERVICE, lab.test_service, "-municode"),
        products=[lab.test_service],
    )


def ensure_bench_program(lab: Lab) -> None:
    """What the bench compares with."""
    step(
        lab,
        "bench",
        "the bench's C program",
        fingerprint(files=[BENCH_PROGRAM]),
        lambda: compile_program(BENCH_PROGRAM, lab.bench_program),
        products=[lab.bench_program],
    )
