"""Inputs from the machine: Debian packages, the Linux Python, downloads with known hashes.

No server is named here: packages come from the servers that the machine's apt and pip use.
"""

from __future__ import annotations

import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tools.lab.layout import PROJECT, Lab, LabError, fingerprint, fresh, part, say, sha256
from tools.lab.pins import COMPILER, COMPILER_PACKAGES, WINE_PACKAGES, SourceArchive

REQUIREMENTS = PROJECT / "tools" / "requirements"
METADATA = ("pyproject.toml", "setup.py", "README.md", "LICENSE")
APT_HELPER = Path("/usr/lib/apt/apt-helper")


def check_machine() -> None:
    """Refuse systems on which the lab does not run."""
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "amd64"):
        raise LabError(
            "the lab runs on 64-bit x86 Linux. On Windows no lab is needed: "
            "py -m pip install . && py -m pytest"
        )


def run(command: Sequence[str | Path], **variables: str) -> None:
    """Run a command without output; a failure raises an error with the end of its output."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env={**os.environ, **variables},
        cwd=PROJECT,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-25:])
        line = " ".join(str(part) for part in command)
        raise LabError(f"this command failed with {done.returncode}:\n  {line}\n{tail}")


def capture(*command: str) -> str:
    """Return the output of a command; "" if the command fails or does not exist."""
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
        )
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


# --------------------------------------------------------------------------- Debian packages


def install_packages(names: Sequence[str], why: str) -> None:
    """Install Debian packages, as root or with sudo; otherwise name the command to run."""
    say(f"installing {' '.join(names)}")
    manual = f"apt-get install --no-install-recommends {' '.join(names)}"
    if not shutil.which("apt-get"):
        raise LabError(
            f"{why} is missing, and this system has no apt-get. Install the equivalents of these "
            f"Debian packages and run this command again: {' '.join(names)}"
        )
    if os.geteuid() == 0:
        prefix: tuple[str, ...] = ()
    elif shutil.which("sudo") and _sudo_works():
        prefix = ("sudo", "-n", "--preserve-env=DEBIAN_FRONTEND")
    else:
        raise LabError(
            f"{why} is missing, and this user cannot install packages. "
            f"An administrator must run this first:\n  {manual}"
        )
    try:
        run([*prefix, "apt-get", "-q", "update"], DEBIAN_FRONTEND="noninteractive")
        run(
            [*prefix, "apt-get", "-qy", "install", "--no-install-recommends", *names],
            DEBIAN_FRONTEND="noninteractive",
        )
    except LabError as error:
        raise LabError(
            f"{error}\ninstalling {why} failed: is the package mirror reachable (on Ubuntu, is "
            f"'universe' enabled)? By hand: {manual}"
        ) from None


def _sudo_works() -> bool:
    return subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0


def ensure_wine() -> None:
    if not (shutil.which("wine") and shutil.which("wineserver")):
        install_packages(WINE_PACKAGES, "Wine")


def ensure_compiler() -> None:
    if not shutil.which(COMPILER):
        install_packages(COMPILER_PACKAGES, "the cross compiler")


def compile_program(source: Path, target: Path, *options: str) -> None:
    """Compile a C file into a Windows program."""
    target.parent.mkdir(parents=True, exist_ok=True)
    strict = ["-O2", "-s", "-Wall", "-Wextra", "-Werror"]
    run([COMPILER, *strict, source, "-o", target, *options, "-ladvapi32"])


# --------------------------------------------------------------------------- the Linux Python


def ensure_host_python(lab: Lab) -> None:
    """Create the virtual environment with the pinned tools, and this project's metadata."""
    requirements = REQUIREMENTS / "host.txt"
    key = fingerprint(sys.version, str(lab.root), files=[requirements])
    what = "Python tools for the Linux side"
    part(lab, "venv", what, key, lambda folder: _make_venv(lab, folder, requirements))

    key = fingerprint(key, files=[PROJECT / name for name in METADATA])
    part(lab, "metadata", "the project's metadata", key, lambda folder: _metadata(lab, folder))


def _make_venv(lab: Lab, folder: Path, requirements: Path) -> None:
    if sys.version_info < (3, 11):  # noqa: UP036  # any python3 may run this
        raise LabError(f"Python 3.11 or later is needed; python3 is {platform.python_version()}")
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True).returncode:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        install_packages([f"python{version}-venv", "ca-certificates"], "Python's venv module")
    lab.parts["venv"] = folder
    run([sys.executable, "-m", "venv", folder])
    pip_install(lab, "--require-hashes", "-r", str(requirements))


def _metadata(lab: Lab, folder: Path) -> None:
    """Write the metadata of an installation of the project: version, entry points."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in METADATA:
            shutil.copy2(PROJECT / name, scratch)
        Path(scratch, "src").mkdir()
        code = "import os, sys, setuptools.build_meta as b; os.chdir(sys.argv[1]); "
        code += "b.prepare_metadata_for_build_wheel(sys.argv[2])"
        run([lab.host_python, "-c", code, scratch, folder])
    for other in folder.glob("*.egg-info"):
        shutil.rmtree(other)


def host_environment(lab: Lab) -> dict[str, str]:
    """Return the environment of the Linux Python, which imports this checkout's sources."""
    path = [str(PROJECT / "src"), str(lab.parts["metadata"])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def pip_install(lab: Lab, *arguments: str) -> None:
    _pip(lab, "install", *arguments)


def _pip(lab: Lab, command: str, *arguments: str) -> None:
    try:
        run([lab.host_python, "-m", "pip", command, "--quiet", "--no-input", *arguments])
    except LabError as error:
        raise LabError(
            f"{error}\npip {command} failed: is there a network, and can pip reach its index?"
        ) from None


def windows_wheels(digits: str) -> tuple[str, ...]:
    """Return pip's options for wheels of a Windows Python."""
    return (
        *("--only-binary=:all:", "--platform=win_amd64", "--implementation=cp", "--no-deps"),
        f"--python-version={digits}",
        *(f"--abi=cp{digits}", "--abi=abi3", "--abi=none", "--require-hashes"),
    )


def download_wheels(lab: Lab, requirements: str, digits: str) -> Path:
    """Download the wheels of a requirements file; return their folder."""
    folder = fresh(lab.downloads / f"{requirements}-{digits}")
    chosen = str(REQUIREMENTS / f"{requirements}.txt")
    _pip(lab, "download", *windows_wheels(digits), f"--dest={folder}", "-r", chosen)
    return folder


# --------------------------------------------------------------------------- source archives


def source_archive(lab: Lab, archive: SourceArchive) -> Path:
    """Download an archive from a Debian mirror with apt's helper; verify its hash."""
    target = lab.downloads / archive.name
    if target.is_file() and sha256(target) == archive.sha256:
        return target
    lab.downloads.mkdir(parents=True, exist_ok=True)
    tried: list[str] = []
    for mirror in _debian_mirrors():
        partial = target.with_suffix(".part")
        partial.unlink(missing_ok=True)
        url = f"{mirror.rstrip('/')}/{archive.path}"
        try:
            run([APT_HELPER, "download-file", url, partial, f"SHA256:{archive.sha256}"])
        except (LabError, OSError) as error:
            tried.append(f"{mirror}: {str(error).splitlines()[-1]}")
            continue
        partial.rename(target)
        return target
    raise LabError(
        f"could not download {archive.name} (sha256 {archive.sha256}), part of Debian's source "
        f"package {archive.path.split('/')[-2]}. Set LAB_DEBIAN_MIRROR to the address of a Debian "
        f"mirror, or put the file into {lab.downloads}, and run this again. Tried:\n  "
        + ("\n  ".join(tried) or "no mirror is known to this machine")
    )


def _debian_mirrors() -> Iterator[str]:
    """Yield the addresses of Debian mirrors that this machine's configuration contains."""
    chosen = os.environ.get("LAB_DEBIAN_MIRROR")
    if chosen:
        yield chosen
        return
    yield from _apt_mirrors()
    if not _apt_lists_exist():
        say("apt has no package lists yet: updating them")
        install_packages(["ca-certificates"], "apt's package lists")
        yield from _apt_mirrors()
    # Ubuntu's mirrors do not contain Debian's archives, but debootstrap contains Debian's address.
    if not shutil.which("debootstrap"):
        try:
            install_packages(["debootstrap"], "debootstrap, which contains Debian's address,")
        except LabError as error:
            say(str(error))
            return
    known = Path("/usr/share/debootstrap/scripts")
    files = (Path(shutil.which("debootstrap") or ""), *sorted(known.glob("*")))
    texts = (file.read_text(errors="replace") for file in files if file.is_file())
    found = (re.findall(r"https?://[\w.-]+/debian\b(?!-)", text) for text in texts)
    yield from dict.fromkeys(itertools.chain.from_iterable(found))


def _apt_mirrors() -> Iterator[str]:
    wanted = ("Created-By: Packages", "Origin: Debian", "Label: Debian")
    targets = capture("apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted)
    yield from dict.fromkeys(targets.split())


def _apt_lists_exist() -> bool:
    return bool(capture("apt-get", "indextargets", "--format", "$(ORIGIN)").strip())
