"""The table of settings is complete, its declarations are up to date, and one entry is enough."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import winsvc
from winsvc import FailureActions, SecurityDescriptor, ServiceConfig, ServiceSnapshot, Settings
from winsvc._values.changes import changes_for
from winsvc._values.config import Unchanged
from winsvc._values.setting import Setting
from winsvc._values.setting_table import NUMBER_LEVELS, SETTINGS
from winsvc._values.settings import CreateKeywords, SettingsKeywords
from winsvc.aio import AsyncService
from winsvc.backend import Backend
from winsvc.enums import ConfigLevel
from winsvc.triggers import Trigger

PROJECT = Path(__file__).parent.parent.parent
OWN = [setting for setting in SETTINGS.values() if setting.has_own_call]

# Values other than the defaults.
VALUES: dict[str, Any] = {
    "failure_actions": FailureActions.restart(),
    "preshutdown_timeout": timedelta(seconds=5),
    "required_privileges": ("SeBackupPrivilege",),
    "security": SecurityDescriptor.from_sddl("D:"),
    "triggers": (Trigger.on_domain_join(),),
}


def run(*command: str, cwd: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(cwd / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, cwd=cwd, env=environment
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_generated_declarations_are_up_to_date() -> None:
    run("tools/settingsgen.py", "--check", cwd=PROJECT)


def test_every_level_has_one_entry() -> None:
    levels = [setting.level for setting in OWN if setting.level is not None]
    assert sorted(levels) == sorted(ConfigLevel)


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=SETTINGS)
def test_declared_types_are_those_of_the_entry(setting: Setting) -> None:
    accepted = setting.accepts | Unchanged
    assert get_type_hints(Settings)[setting.name] == accepted
    assert get_type_hints(SettingsKeywords)[setting.name] == accepted
    assert (setting.name in CreateKeywords.__annotations__) == (setting.name != "binary_path")
    if setting.has_own_call:
        assert get_type_hints(ServiceSnapshot)[setting.name] == setting.reads | None
    elif setting.name != "password":
        assert get_type_hints(ServiceConfig)[setting.name] == setting.reads


def test_declarations_have_no_other_settings() -> None:
    assert [field.name for field in fields(Settings)] == list(SETTINGS)
    assert set(SettingsKeywords.__annotations__) == set(SETTINGS)
    rest = {"name", "machine", "status", "config", "dependents", "errors"}
    own = {setting.name for setting in OWN}
    assert {field.name for field in fields(ServiceSnapshot)} == rest | own
    config = {field.name for field in fields(ServiceConfig)}
    assert config == set(SETTINGS) - own - {"password"} | {"tag"}


@pytest.mark.parametrize("setting", OWN, ids=lambda setting: setting.name)
def test_calls_of_an_entry_are_methods_of_a_backend(setting: Setting) -> None:
    value = VALUES.get(setting.name, setting.default)
    (change,) = changes_for(Settings(**{setting.name: value}))
    assert callable(getattr(Backend, change.method))
    assert hasattr(winsvc.Service, setting.name)
    assert hasattr(AsyncService, setting.name)
    if setting.level is not None:
        method, _ = setting.query()
        assert callable(getattr(Backend, method))


@pytest.mark.parametrize("setting", OWN, ids=lambda setting: setting.name)
def test_encoded_value_is_decoded_unchanged(setting: Setting) -> None:
    if setting.level is not None:
        assert setting.decode(setting.encode(None)) == setting.default
        value = VALUES.get(setting.name, setting.default)
        assert setting.decode(setting.encode(value)) == value


def test_numbers_are_the_levels_that_are_a_single_number() -> None:
    names = {setting.name for setting in NUMBER_LEVELS.values()}
    assert names == {
        "delayed_auto_start",
        "failure_actions_on_error",
        "launch_protection",
        "preshutdown_timeout",
        "sid_type",
    }


def test_settings_page_names_every_setting() -> None:
    page = (PROJECT / "docs" / "settings.md").read_text("utf-8")
    assert all(f"\n| `{name}` |" in page for name in SETTINGS)


# ------------------------------------------------------------------- one entry is enough

ENTRY = """
    Setting(
        name="invented",
        doc="the action that was invented for a test",
        accepts=ActionType,
        default=ActionType.REBOOT,
        level=ConfigLevel.INVENTED,
        label="invention",
    ),
"""

# ActionType is a type that the generated declarations did not need before.
PROGRAM = """
import asyncio
import json

from winsvc import InvalidParameterError, ServiceManager, ServiceSnapshot, Settings
from winsvc.aio import AsyncServiceManager
from winsvc.enums import ActionType
from winsvc.testing import SimulatedSCM

RUN = ActionType.RUN_COMMAND
scm = SimulatedSCM()
with ServiceManager(backend=scm) as manager, manager.create("beat", "beat.exe") as service:
    assert service.invented() is ActionType.REBOOT
    service.configure(invented=RUN)
    assert service.invented() is RUN
    try:
        service.configure(invented=9)
    except InvalidParameterError as error:
        assert "Refused: invented." in error.hint
    else:
        raise AssertionError("an unknown number was accepted")
    try:
        service.configure(invented="reboot")
    except TypeError as error:
        assert str(error).endswith("not str; did you mean ActionType.REBOOT?")
    else:
        raise AssertionError("a wrong type was accepted")
    snapshot = service.snapshot()
assert snapshot.invented is RUN and not snapshot.errors
assert "invention     run_command" in snapshot.describe(), snapshot.describe()
document = json.loads(json.dumps(snapshot.to_json()))
assert document["invented"] == "run_command"
assert ServiceSnapshot.from_json(document) == snapshot
assert "invented: the action" in Settings.__doc__

seeds = [{"services": [document]}, {"services": {"beat": {"invented": "run_command"}}}]
for seed in seeds:
    with ServiceManager(backend=SimulatedSCM.from_json(seed)) as manager:
        with manager.open("beat") as service:
            assert service.invented() is RUN
with ServiceManager(backend=scm) as manager:
    with manager.create("drum", "drum.exe", invented=RUN) as service:
        assert service.invented() is RUN


async def query():
    async with AsyncServiceManager(backend=scm) as manager:
        async with manager.open("beat") as service:
            return await service.invented()


assert asyncio.run(query()) is RUN
"""


def insert(path: Path, before: str, text: str) -> None:
    content = path.read_text("utf-8")
    assert content.count(before) == 1
    path.write_text(content.replace(before, text + before), "utf-8")


def test_new_level_needs_only_entry_and_enum_member(tmp_path: Path) -> None:
    package = tmp_path / "src" / "winsvc"
    ignored = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd")
    shutil.copytree(Path(winsvc.__file__).parent, package, ignore=ignored)
    for name in ("tools/settingsgen.py", "tools/aiogen.py", "docs/settings.md", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / name)
    for path in tmp_path.rglob("*"):
        path.chmod(path.stat().st_mode | stat.S_IWUSR)  # the checkout may be read-only

    insert(package / "enums.py", "\n\nclass ActionType(", "    INVENTED = 99\n")
    insert(package / "_values" / "setting_table.py", '    Setting(\n        name="security"', ENTRY)
    run("tools/settingsgen.py", cwd=tmp_path)
    run("tools/settingsgen.py", "--check", cwd=tmp_path)
    run("tools/aiogen.py", cwd=tmp_path)

    run("-c", PROGRAM, cwd=tmp_path)
    page = (tmp_path / "docs" / "settings.md").read_text("utf-8")
    assert "| `invented` | The action that was invented for a test. | `ActionType` |" in page
