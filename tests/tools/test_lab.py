"""The lab's tool: refusals, and the removal of all traces when a run ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

if sys.platform != "linux":
    pytest.skip("the lab is for Linux", allow_module_level=True)

from tools.lab.layout import UNUSED_AFTER, Lab, LabError, fingerprint, in_use, part  # noqa: E402

# Stands for Wine's server: runs in the background with the prefix in its environment.
FAKE_WINESERVER = """\
#!/bin/sh
echo "$@" >> "$WINEPREFIX/calls"
"""


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "run-1"
    (folder / "prefix").mkdir(parents=True)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "wineserver").write_text(FAKE_WINESERVER)
    (programs / "wineserver").chmod(0o755)
    return folder


@pytest.fixture
def survivor(run_folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the prefix that the server's end does not end."""
    code = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", f"{code}; signal.pause()"],
        env={**os.environ, "WINEPREFIX": str(run_folder / "prefix")},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("end", ["close", "SIGINT", "SIGTERM", "SIGKILL"])
def test_janitor_after_owner_ends_removes_run_and_processes(
    run_folder: Path, survivor: subprocess.Popen[bytes], end: str
) -> None:
    """The owner of the pipe ends; the janitor cleans up and ends too."""
    owner = (
        "import subprocess, sys, time\n"
        f"j = subprocess.Popen([sys.executable, '-m', 'tools.lab.janitor', {str(run_folder)!r}],"
        " stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)\n"
        "j.stdout.readline()\n"
        "print(j.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    programs = run_folder.parent.parent / "bin"
    process = subprocess.Popen(
        [sys.executable, "-c", owner],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=PROJECT,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    janitor = os.pidfd_open(int(process.stdout.readline()))
    if end == "close":
        process.stdin.close()
    else:
        process.send_signal(signal.Signals[end])
    process.wait()
    assert select.select([janitor], [], [], 30)[0], "the janitor has not ended"
    os.close(janitor)
    assert survivor.wait(1) == -signal.SIGKILL
    assert not run_folder.exists()
    process.stdin.close()
    process.stdout.close()


def lab(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.lab", *arguments],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **variables},
    )


def test_install_packages_without_root_or_sudo_prints_command() -> None:
    """Without root, sudo and the packages, the error names the packages to install."""
    code = (
        "import os, shutil; os.geteuid = lambda: 1000\n"
        "which = shutil.which\n"
        "shutil.which = lambda name: None if name == 'sudo' else which(name)\n"
        "from tools.lab import machine\n"
        "try:\n    machine.install_packages(['wine', 'wine64'], 'Wine')\n"
        "except machine.LabError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=PROJECT, check=True
    )
    assert "An administrator must run this first" in done.stdout
    assert "apt-get install --no-install-recommends wine wine64" in done.stdout


def test_lab_with_unknown_python_exits_with_error(tmp_path: Path) -> None:
    done = lab("python", LAB_DIR=str(tmp_path), LAB_PYTHON="2.7")
    assert done.returncode == 1
    assert "LAB_PYTHON is '2.7'; known: 3.11, 3.13" in done.stderr


# --------------------------------------------------------------------------- parts of the lab


def test_part_with_same_inputs_is_built_once(tmp_path: Path) -> None:
    """Two checkouts with the same inputs share a part, and each of two others has its own."""
    built: list[Path] = []
    folders = [
        part(Lab(tmp_path, "3.11"), "wheel", "wheel", key, built.append)
        for key in (fingerprint("a"), fingerprint("b"), fingerprint("a"))
    ]
    assert folders[0] == folders[2] == built[0]
    assert folders[1] == built[1] != folders[0]
    assert len(built) == 2


def test_part_with_failed_build_is_built_again(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "leftover").touch()
        raise LabError("no network")

    with pytest.raises(LabError):
        part(Lab(tmp_path, "3.11"), "wheel", "wheel", "key", fail)
    folder = part(Lab(tmp_path, "3.11"), "wheel", "wheel", "key", lambda folder: None)
    assert list(folder.iterdir()) == []


def test_old_parts_of_unused_lab_are_removed(tmp_path: Path) -> None:
    root = tmp_path / "lab"
    lab = Lab(root, "3.11")
    with in_use(lab):
        old, new = (part(lab, "wheel", "wheel", key, lambda folder: None) for key in "ab")
        (root / "parts" / "wheel-half").mkdir()
        days_ago = time.time() - 2 * UNUSED_AFTER
        for folder in (old, new):
            os.utime(f"{folder}.built", (days_ago, days_ago))
        os.utime(f"{new}.built", (days_ago + 1, days_ago + 1))
        with in_use(lab):  # not while another command runs
            assert old.is_dir()
    with in_use(lab):
        assert [path.name for path in sorted((root / "parts").iterdir())] == [
            new.name,
            f"{new.name}.built",
        ]


def test_lab_folder_with_other_content_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(LabError, match="contains other files"):
        with in_use(Lab(tmp_path, "3.11")):
            pass
