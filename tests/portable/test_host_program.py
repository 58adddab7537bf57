"""Test the detection of this program and the command lines that run it as a service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
import zipapp
from pathlib import Path

import pytest

import winsvc
from winsvc import ValidationError
from winsvc._values.commandline import split
from winsvc.host import _bootstrap
from winsvc.host.launch_command import launch_command, log_file_of, options_of
from winsvc.host.program import (
    Program,
    ProgramKind,
    default_log_file,
    this_program,
)

SOURCES = Path(winsvc.__file__).parent.parent
PRINT = """\
import json, sys
from winsvc.host.program import this_program
p = this_program()
print(json.dumps([p.kind.name, p.target, p.interpreter, p.venv, p.path, p.options, p.describe()]))
"""


def detected(*start: str | Path, cwd: Path) -> list[object]:
    """Return the program that Python detects when it starts with these arguments."""
    done = subprocess.run(
        [sys.executable, *map(str, start)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, list)
    return found


def test_this_program_of_script_names_file_and_options(tmp_path: Path) -> None:
    script = tmp_path / "a b.py"
    script.write_text(PRINT)
    kind, target, interpreter, venv, path, options, shown = detected(
        "-O", script.name, cwd=tmp_path
    )
    assert (kind, target, path, shown) == ("SCRIPT", str(script), None, "a b.py")
    assert isinstance(interpreter, str)
    assert os.path.isabs(interpreter)
    assert venv == (None if sys.prefix == sys.base_prefix else sys.prefix)
    assert options == ["-O"]


@pytest.mark.parametrize(
    ("module", "file"),
    [
        ("package", "package/__main__.py"),
        ("package.inner", "package/inner.py"),
        ("package.deeper", "package/deeper/__main__.py"),
        ("alone", "alone.py"),
    ],
)
def test_this_program_of_module_names_module_and_folder(
    tmp_path: Path, module: str, file: str
) -> None:
    target = tmp_path / file
    target.parent.mkdir(parents=True, exist_ok=True)
    for folder in (tmp_path / "package", target.parent):
        if folder != tmp_path and folder.is_dir():
            (folder / "__init__.py").write_text("")
    target.write_text(PRINT)
    kind, name, _, _, path, _, shown = detected("-m", module, cwd=tmp_path)
    assert (kind, name, path, shown) == ("MODULE", module, str(tmp_path), f"python -m {module}")


def test_this_program_of_installed_module_has_no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    main.__spec__ = pytest.__spec__
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr("site.getsitepackages", lambda: [str(Path(pytest.__file__).parent.parent)])
    program = this_program()
    assert (program.kind, program.target, program.path) == (ProgramKind.MODULE, "pytest", None)


def test_this_program_of_zipapp_or_folder_is_zipapp(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "__main__.py").write_text(PRINT)
    archive = tmp_path / "app.pyz"
    zipapp.create_archive(app, archive)
    for target in (app, archive):
        assert detected(target, cwd=tmp_path)[:2] == ["ZIPAPP", str(target)]


def test_this_program_of_interactive_session_raises_argument_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    with pytest.raises(ValidationError, match="Save it as a file"):
        this_program()


def test_this_program_when_frozen_uses_executable_as_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", "/app/a b/beat.exe")
    program = this_program()
    assert program.kind is ProgramKind.FROZEN
    assert launch_command(program, ["beat"], None, ["a", "b c"]) == '"/app/a b/beat.exe" a "b c"'


def test_this_program_compiled_by_nuitka_uses_argv(monkeypatch: pytest.MonkeyPatch) -> None:
    main = types.ModuleType("__main__")
    monkeypatch.setattr(main, "__compiled__", object(), raising=False)
    monkeypatch.setitem(sys.modules, "__main__", main)
    monkeypatch.setattr(sys, "argv", ["/app/beat.exe", "install"])
    assert this_program().target == "/app/beat.exe"


@pytest.mark.parametrize(
    ("name", "console"),
    [("pythonw.exe", "python.exe"), ("python.exe", "python.exe"), ("PythonW.exe", "python.exe")],
)
def test_this_program_uses_base_console_interpreter(
    monkeypatch: pytest.MonkeyPatch, name: str, console: str
) -> None:
    monkeypatch.setattr(sys, "_base_executable", f"/base/{name}", raising=False)
    monkeypatch.setitem(sys.modules, "__main__", main := types.ModuleType("__main__"))
    main.__file__ = "/app/beat.py"
    program = this_program()
    assert program.interpreter.lower() == f"/base/{console}"
    assert program.target == "/app/beat.py"


def running_below(prefix: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> Program:
    """Return the program of an interpreter with these prefixes."""
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(sys, "base_prefix", str(base))
    monkeypatch.setitem(sys.modules, "__main__", main := types.ModuleType("__main__"))
    main.__file__ = "/app/beat.py"
    return this_program()


def test_this_program_in_virtual_environment_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = running_below(tmp_path / "venv", tmp_path / "base", monkeypatch)
    assert program.venv == str(tmp_path / "venv")


def test_this_program_outside_virtual_environment_names_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert running_below(tmp_path / "base", tmp_path / "base", monkeypatch).venv is None


SCRIPT = Program(kind=ProgramKind.SCRIPT, target="/my app/beat.py", interpreter="/py/python.exe")


def test_command_line_of_script_starts_launcher() -> None:
    line = launch_command(SCRIPT, ["beat"], "/log/beat.log", ["--loud", "a b"])
    assert split(line) == [
        *("/py/python.exe", _bootstrap.__file__, "--log=/log/beat.log"),
        *("--script=/my app/beat.py", "--service=beat", "--", "--loud", "a b"),
    ]


def test_command_line_in_virtual_environment_adds_venv_options() -> None:
    program = Program(
        kind=ProgramKind.MODULE,
        target="beat",
        interpreter="/py/python.exe",
        venv="/v",
        path="/src",
        options=("-O",),
    )
    line = launch_command(program, ["beat", "b 2"])
    assert split(line) == [
        *("/py/python.exe", "-O", "-S", _bootstrap.__file__, f"--log={default_log_file('beat')}"),
        *("--venv=/v", "--path=/src", "--module=beat", "--service=beat", "--service=b 2"),
    ]


@pytest.mark.parametrize("names", [[], ["a/b"], [""]])
def test_command_line_with_invalid_names_raises_argument_error(names: list[str]) -> None:
    with pytest.raises(ValidationError):
        launch_command(SCRIPT, names)


def test_options_of_launcher_command_line_returns_its_options() -> None:
    line = launch_command(SCRIPT, ["beat"], "/log/beat.log", ["--", "--check"])
    found = options_of(split(line))
    assert found is not None
    start, options = found
    assert start == ["/py/python.exe", _bootstrap.__file__]
    assert options.arguments == ("--", "--check")
    assert (options.script, options.log, options.check) == (
        "/my app/beat.py",
        "/log/beat.log",
        False,
    )
    assert log_file_of(split(line), "x") == "/log/beat.log"
    windows = r"C:\py\python.exe C:\Lib\WinSvc\host\_bootstrap.py --service b --module m"
    found = options_of(split(windows))
    assert found is not None
    assert found[1].module == "m"


@pytest.mark.parametrize(
    "line", [r"C:\x.exe --log x", r"C:\p.exe \winsvc\host\_bootstrap.py --odd"]
)
def test_options_of_other_command_line_returns_none(line: str) -> None:
    assert options_of(split(line)) is None
    assert log_file_of(split(line), "a:b").endswith("a_b.log")


def test_default_log_file_is_in_programdata_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAMDATA", "/data")
    assert default_log_file("beat") == os.path.join("/data", "winsvc", "beat.log")
