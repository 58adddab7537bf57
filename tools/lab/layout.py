"""The folders of a lab, and its parts: each part is built once for each set of inputs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.lab.pins import PYTHONS

PROJECT = Path(__file__).resolve().parent.parent.parent

# The folder in the prefix of each run where the project's wheel is installed. A .pth file of the
# shared Windows Python contains the path.
RUN_SITE = r"C:\winsvc"

UNUSED_AFTER = 3 * 24 * 3600  # seconds


class LabError(Exception):
    """A step failed; the message states what to do."""


@dataclass(frozen=True)
class Lab:
    """A lab: a folder, and the selected Windows Python."""

    root: Path
    python: str  # "3.11" or "3.13"
    #: The folders of the parts that this run uses, by the part's name.
    parts: dict[str, Path] = field(default_factory=dict)

    @property
    def downloads(self) -> Path:
        return self.root / "downloads"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def host_python(self) -> Path:
        return self.parts["venv"] / "bin" / "python"

    @property
    def windows_python(self) -> Path:
        return self.parts[f"python-{self.python}"] / "python.exe"

    @property
    def test_service(self) -> Path:
        return self.parts["testservice"] / "testservice.exe"

    @property
    def bench_program(self) -> Path:
        return self.parts["bench"] / "bench.exe"

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
    """Hash texts and the names and contents of files."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for file in sorted(files):
        digest.update(str(file.relative_to(PROJECT)).encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


def sources(*folders: str) -> list[Path]:
    """Return the files below folders of the project, without files that Python generates."""
    found: list[Path] = []
    for folder in folders:
        for path in (PROJECT / folder).rglob("*"):
            hidden = any(p == "__pycache__" or p.endswith(".egg-info") for p in path.parts)
            if path.is_file() and not hidden:
                found.append(path)
    return found


def part(lab: Lab, name: str, what: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of a part of the lab; build it if it does not exist for the key.

    A part does not change after it is built: runs of several checkouts, with other sources or other
    pinned versions, share a lab without disturbing each other.

    Args:
        lab: The lab.
        name: The name of the part.
        what: The part's description in progress output.
        key: A hash of all inputs of the part.
        build: A function that fills the folder.
    """
    folder = lab.root / "parts" / f"{name}-{key[:16]}"
    built = _built(folder)
    if not built.exists():
        say(f"{what} ...")
        started = time.monotonic()
        build(fresh(folder))
        say(f"{what}: done in {time.monotonic() - started:.1f} s")
    built.touch()  # the last use
    lab.parts[name] = folder
    return folder


def _built(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.built")


@contextmanager
def set_up_lock(lab: Lab) -> Iterator[None]:
    """Allow one set-up at a time in a lab's folder."""
    if lab.root.is_dir() and any(lab.root.iterdir()) and not (lab.root / "lock").exists():
        raise LabError(f"{lab.root} contains other files: set LAB_DIR to an empty or new folder")
    lab.root.mkdir(parents=True, exist_ok=True)
    with (lab.root / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another set-up in {lab.root}")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def in_use(lab: Lab) -> Iterator[None]:
    """Keep the lab's parts while the block runs; remove unused parts first.

    Only a command that starts while no other command runs in the lab removes parts.
    """
    with set_up_lock(lab):
        users = (lab.root / "users").open("w")
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            _remove_unused(lab.root / "parts")
        fcntl.flock(users, fcntl.LOCK_SH)
    with users:
        yield


def _remove_unused(parts: Path) -> None:
    """Remove incomplete parts, and parts unused for days except the newest of each name."""
    newest: dict[str, Path] = {}
    folders = [path for path in parts.glob("*") if path.is_dir()]
    for folder in folders:
        if not _built(folder).exists():
            shutil.rmtree(folder)
            continue
        name = folder.name.rpartition("-")[0]
        last = newest.setdefault(name, folder)
        if _built(folder).stat().st_mtime > _built(last).stat().st_mtime:
            newest[name] = folder
    limit = time.time() - UNUSED_AFTER
    for folder in folders:
        built = _built(folder)
        if folder not in newest.values() and built.exists() and built.stat().st_mtime < limit:
            built.unlink()
            shutil.rmtree(folder)


def fresh(folder: Path) -> Path:
    """Create or empty a folder; return it."""
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
