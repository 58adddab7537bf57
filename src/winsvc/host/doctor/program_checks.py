"""Checks of a service's program: the file, the interpreter, and what the interpreter loads."""

from __future__ import annotations

import glob
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from winsvc.host._bootstrap import Options
from winsvc.host.doctor.file_checks import FileChecks
from winsvc.host.doctor.findings import Finding, Severity
from winsvc.host.filerights import READ, READ_EXECUTE

__all__ = ["check_program", "check_python"]

CHECK_TIMEOUT: Final = 60.0  # seconds for the interpreter to look for the program

# ERROR_BAD_EXE_FORMAT, ERROR_EXE_MACHINE_TYPE_MISMATCH, ERROR_SXS_CANT_GEN_ACTCTX
_NO_PROGRAM: Final = frozenset({193, 216, 14001})


def check_program(checks: FileChecks, program: str) -> Iterator[Finding]:
    """Check the program that the system starts."""
    if not os.path.isabs(program):
        yield Finding(
            Severity.WARNING,
            "program",
            f"{program} is not an absolute path; the system searches its own folders for it",
        )
        return
    if not os.path.isfile(program):
        yield Finding(Severity.ERROR, "program", f"{program} does not exist")
        return
    if not program.lower().endswith(".exe"):
        yield Finding(
            Severity.ERROR,
            "program",
            f"{program} is not an .exe file, and the system starts nothing else; install a "
            "script with its own command install",
        )
        return
    yield Finding(Severity.OK, "program", program)
    if "\\windowsapps\\" in program.lower():
        yield Finding(
            Severity.ERROR,
            "program",
            f"{program} is a Microsoft Store app, which services cannot start; install Python "
            "from python.org",
        )
    yield from checks.check_location("program", program)
    yield from checks.check_access("program", program, READ_EXECUTE)
    yield from checks.check_writers("program", os.path.dirname(program))


def check_python(
    checks: FileChecks, interpreter: Sequence[str], options: Options
) -> Iterator[Finding]:
    """Check what the launcher loads, and that its interpreter finds the service's program."""
    launcher = interpreter[-1]
    reachable = os.path.isfile(interpreter[0])
    targets = [("winsvc", launcher)]
    if options.script is not None:
        targets.append(("script", options.script))
    if options.path is not None:
        targets.append(("module", options.path))
    if options.venv is not None:
        targets.append(("virtual environment", os.path.join(options.venv, "pyvenv.cfg")))
    for topic, path in targets:
        if not os.path.exists(path):
            yield Finding(Severity.ERROR, topic, f"{path} does not exist")
            reachable = False
            continue
        yield Finding(Severity.OK, topic, path)
        yield from checks.check_location(topic, path)
        yield from checks.check_access(topic, path, READ)
    for topic, path in _folders_of(interpreter, options):
        yield from checks.check_writers(topic, path)
    if options.venv is not None:
        yield from _venv_home(options.venv, interpreter[0])
    if reachable:
        yield _run_check(interpreter, options)
    if options.log is not None:
        yield from checks.check_log_file(options.log)


def _run_check(interpreter: Sequence[str], options: Options) -> Finding:
    """Start the interpreter as the service does, to look whether it finds everything."""
    *start, launcher = interpreter
    check = replace(options, log=None, arguments=(), check=True)
    # A service has the system's variables, not those of who looks, and no user's packages.
    own = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    root = own.get("SYSTEMROOT", os.sep)
    folder = os.path.join(root, "System32") if sys.platform == "win32" else root
    what = options.program
    try:
        done = subprocess.run(
            [*start, "-s", launcher, *check.to_arguments()],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=folder,
            env=own,
            timeout=CHECK_TIMEOUT,
        )
    except OSError as error:
        code = getattr(error, "winerror", 0)
        certain = isinstance(error, (FileNotFoundError, PermissionError)) or code in _NO_PROGRAM
        severity = Severity.ERROR if certain else Severity.UNKNOWN
        return Finding(severity, "interpreter", f"{start[0]} does not start: {error}")
    except subprocess.TimeoutExpired:
        text = f"{start[0]} did not find {what} within {CHECK_TIMEOUT:g} seconds"
        return Finding(Severity.WARNING, "interpreter", text)
    if not done.returncode:
        found = done.stdout.decode("utf-8", "replace").strip()
        return Finding(Severity.OK, "interpreter", f"{found} finds {what}")
    why = done.stderr.decode("utf-8", "replace").strip()
    # A DLL that is missing ends it before it can say anything.
    why = why or f"exit code {done.returncode & 0xFFFFFFFF:#x} without a message"
    return Finding(Severity.ERROR, "interpreter", f"{start[0]} cannot run {what}: {why}")


def _folders_of(interpreter: Sequence[str], options: Options) -> Iterator[tuple[str, str]]:
    """Yield the folders from which the process may load any file, each with its description.

    The system looks for DLLs beside the interpreter, and Python for modules beside the script.
    """
    package = os.path.dirname(os.path.dirname(interpreter[-1]))
    yield "interpreter", os.path.dirname(interpreter[0])
    yield "winsvc", os.path.dirname(interpreter[-1])
    yield "winsvc", package
    yield "winsvc", os.path.dirname(package)  # as a rule site-packages
    if options.script is not None and not os.path.isdir(options.script):
        yield "script", os.path.dirname(options.script)
    if options.venv is not None:
        yield "virtual environment", options.venv
        for packages in (
            os.path.join(options.venv, "Lib", "site-packages"),
            *glob.glob(os.path.join(glob.escape(options.venv), "lib", "python*", "site-packages")),
        ):
            if os.path.isdir(packages):
                yield "virtual environment", packages


def _venv_home(folder: str, interpreter: str) -> Iterator[Finding]:
    """Check that a virtual environment's base exists and contains the started interpreter."""
    topic = "virtual environment"
    try:
        text = Path(folder, "pyvenv.cfg").read_text("utf-8")
    except OSError:
        return  # reported already as missing
    settings = dict(re.findall(r"(?m)^\s*([\w-]+)\s*=\s*(.*?)\s*$", text))
    home = settings.get("home")
    if home is None:
        yield Finding(Severity.ERROR, topic, f"{folder}: pyvenv.cfg contains no home")
    elif not os.path.isdir(home):
        yield Finding(
            Severity.ERROR, topic, f"the Python from which it was created was deleted: {home}"
        )
    elif not _same_folder(home, os.path.dirname(interpreter)):
        yield Finding(
            Severity.WARNING,
            topic,
            f"it was created from the Python in {home}, but the service is started with "
            f"{interpreter}; install the service again",
        )


def _same_folder(folder: str, other: str) -> bool:
    try:
        return os.path.samefile(folder, other)
    except OSError:
        return os.path.normcase(folder) == os.path.normcase(other)
