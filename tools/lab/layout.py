"""Where things lie, and how a step of the set-up is told, timed and remembered."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.lab.pins import PYTHONS

PROJECT = Path(__file__).resolve().parent.parent.parent


class LabError(Exception):
    """A step can't work here; the text says what to do about it."""


@dataclass(frozen=True)
class Lab:
    """One lab: a folder, and the Windows Python that is used in it."""

    root: Path
    python: str  # "3.11" or "3.13"

    @property
    def downloads(self) -> Path:
        return self.root / "downloads"

    @property
    def venv(self) -> Path:
        return self.root / "venv"

    @property
    def host_python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def abi(self) -> Path:
        """Headers and import library that the extension is compiled with."""
        return self.root / "abi"

    @property
    def windows(self) -> Path:
        return self.root / f"python-{self.python}"

    @property
    def site_packages(self) -> Path:
        return self.windows / "Lib" / "site-packages"

    @property
    def template(self) -> Path:
        """The Wine prefix that every run gets a copy of."""
        return self.root / "prefix"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def build(self) -> Path:
        return self.root / "build"

    @property
    def test_service(self) -> Path:
        return self.build / "testservice.exe"

    @property
    def bench_program(self) -> Path:
        return self.build / "bench.exe"

    @staticmethod
    def from_environment() -> Lab:
        root = Path(os.environ.get("LAB_DIR") or PROJECT / ".lab").expanduser().resolve()
        python = os.environ.get("LAB_PYTHON") or "3.11"
        if python not in PYTHONS:
            raise LabError(f"LAB_PYTHON is {python!r}; known: {', '.join(PYTHONS)}")
        return Lab(root, python)


def say(text: str) -> None:
    print(f"[lab] {text}", file=sys.stderr, flush=True)


def fingerprint(*parts: str, files: Iterable[Path] = ()) -> str:
    """A hash of texts and of files' names and contents."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for file in sorted(files):
        digest.update(str(file.relative_to(PROJECT)).encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def sources(*folders: str) -> list[Path]:
    """The files below folders of the project, without what Python leaves there."""
    found: list[Path] = []
    for folder in folders:
        for path in (PROJECT / folder).rglob("*"):
            hidden = any(p == "__pycache__" or p.endswith(".egg-info") for p in path.parts)
            if path.is_file() and not hidden:
                found.append(path)
    return found


def step(
    lab: Lab,
    name: str,
    what: str,
    key: str,
    work: Callable[[], None],
    *,
    products: Iterable[Path] = (),
    resets: Iterable[str] = (),
) -> None:
    """Do ``work`` unless it was done with the same ``key`` before; tell what and how long.

    Args:
        lab: the lab.
        name: the step's.
        what: the step, for people.
        key: a hash of what goes into it.
        work: does it.
        products: what must be there for it to count as done.
        resets: the steps that must be done again after it.
    """
    stamps = lab.root / "stamps"
    stamp = stamps / name
    there = all(product.exists() for product in products)
    if there and stamp.is_file() and stamp.read_text() == key:
        return
    for old in (name, *resets):
        (stamps / old).unlink(missing_ok=True)
    say(f"{what} ...")
    started = time.monotonic()
    work()
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(key)
    say(f"{what}: done in {time.monotonic() - started:.1f} s")


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


def sha256(file: Path) -> str:
    with file.open("rb") as stream:
        digest = hashlib.sha256()
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()
