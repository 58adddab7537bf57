"""``winsvc export``, and ``winsvc --simulate`` with what it wrote."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from recorder import CONFIG, STOPPED, Recorder

from winsvc import cli
from winsvc._values.rows import EnumRow
from winsvc._values.snapshot import ServiceSnapshot
from winsvc.errors import ValidationError, win32_error
from winsvc.security import SecurityDescriptor

RUNNING = STOPPED._replace(current_state=4, process_id=12)
ROWS = [EnumRow("beat", "Heartbeat", RUNNING), EnumRow("drum", "Drum", STOPPED)]


def use(monkeypatch: pytest.MonkeyPatch, **answers: object) -> Recorder:
    usual: dict[str, object] = {
        "enum_services_status_ex": (ROWS, 0),
        "query_service_status_ex": RUNNING,
        "query_required_privileges": (),
        "query_service_object_security": SecurityDescriptor.from_sddl("D:(A;;GA;;;BA)").to_bytes(),
    }
    recorder = Recorder(**{**usual, **answers})
    monkeypatch.setattr("winsvc.backend._in_use", [recorder.backend])
    return recorder


def unless(name: str, error: Exception, recorder: Callable[[], Recorder]) -> Callable[..., int]:
    """Return an ``open_service`` that fails for one service."""

    def opener(handle: int, service: str, access: int) -> int:
        if service == name:
            raise error
        return recorder()._handle()

    return opener


def exported(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    assert cli.main(["export", *arguments]) == 0
    output, problems = capsys.readouterr()
    assert not problems
    return json.loads(output)


def names(document: Any) -> list[str]:
    return [service["name"] for service in document["services"]]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_export_without_filter_writes_all_services(
    arguments: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorder = use(monkeypatch, query_description="A beat")
    document = exported(capsys, *arguments)
    assert {key: document[key] for key in ("winsvc", "machine")} == {"winsvc": 1, "machine": None}
    assert names(document) == ["beat", "drum"]
    snapshot = ServiceSnapshot.from_json(document["services"][0])
    assert snapshot.description == "A beat"
    assert snapshot.status is not None
    assert snapshot.status.pid == 12
    (call,) = recorder.called("enum_services_status_ex")
    assert (call.service_type, call.state) == (0x3FF, 3)  # every type, every state
    assert not recorder.open


def test_export_with_service_or_type_option_limits_query(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = use(
        monkeypatch,
        get_service_display_name=lambda handle, name: f"The {name}",
        get_service_key_name=lambda handle, display_name: display_name[4:].lower(),
    )
    document = exported(capsys, "--service", "BEAT", "--service", "x", "--service", "beat")
    assert names(document) == ["beat", "x"]
    assert not recorder.called("enum_services_status_ex")
    exported(capsys, "--type", "driver")
    (call,) = recorder.called("enum_services_status_ex")
    assert call.service_type == 0xB


def test_export_of_remote_machine_names_it_in_document(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch)
    assert cli.main(["--machine", "build07", "export"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["machine"] == document["services"][0]["machine"] == "build07"


def test_export_of_unopenable_service_records_its_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    denied = unless("beat", win32_error(5, "OpenServiceW"), lambda: recorder)
    recorder = use(monkeypatch, open_service=denied)
    beat, drum = exported(capsys)["services"]
    assert beat["config"] is None
    assert beat["errors"]["config"]["winerror"] == 5
    assert drum["config"]["display_name"] == CONFIG.display_name

    broken = unless("beat", win32_error(1337, "OpenServiceW"), lambda: recorder)
    recorder = use(monkeypatch, open_service=broken)
    beat, drum = exported(capsys)["services"]
    assert beat["status"]["state"] == "running"  # as it was listed
    assert beat["errors"]["config"]["winerror"] == 1337
    assert "config" not in drum["errors"]


def test_export_omits_service_deleted_during_export(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = win32_error(1060, "OpenServiceW")
    recorder = use(monkeypatch, open_service=unless("beat", missing, lambda: recorder))
    assert names(exported(capsys)) == ["drum"]

    # It does not grant everything at once, and is deleted before it is opened for another right.
    def opener(handle: int, service: str, access: int) -> int:
        before = len(recorder.called("open_service")) - 1
        if service == "beat" and before == 0:
            raise win32_error(5, "OpenServiceW")
        if service == "beat" and before > 1:
            raise missing
        return recorder._handle()

    recorder = use(monkeypatch, open_service=opener)
    assert names(exported(capsys)) == ["drum"]


def test_export_keeps_service_if_trigger_query_reports_not_found(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, query_triggers=win32_error(1060, "QueryServiceConfig2W"))
    assert names(exported(capsys)) == ["beat", "drum"]


def test_export_of_unreachable_machine_fails_and_keeps_old_file(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    away = unless("drum", win32_error(1722, "OpenServiceW"), lambda: recorder)
    recorder = use(monkeypatch, open_service=away)
    path = tmp_path / "machine.json"
    path.write_text("before")
    assert cli.main(["export", str(path)]) == 1
    assert capsys.readouterr().err.startswith("winsvc: OpenServiceW failed for 'drum'")
    assert path.read_text() == "before"


def test_export_of_unknown_service_exits_with_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, open_service=win32_error(1060, "OpenServiceW"))
    assert cli.main(["export", "--service", "nix"]) == 1
    output, problem = capsys.readouterr()
    assert not output
    assert problem.startswith("winsvc: OpenServiceW failed for 'nix'")


def test_export_of_named_unopenable_service_records_its_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, open_service=win32_error(5, "OpenServiceW"))
    (beat,) = exported(capsys, "--service", "beat")["services"]
    assert beat["errors"]["status"]["winerror"] == 5


# ------------------------------------------------------------------------------- the file


def test_export_to_file_replaces_it_and_prints_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch)
    document = exported(capsys)
    path = tmp_path / "machine.json"
    path.write_text("before")
    assert cli.main(["export", str(path)]) == 0
    assert capsys.readouterr() == ("", "")
    assert json.loads(path.read_text("utf-8")) == document
    assert list(tmp_path.iterdir()) == [path]


def link_or_skip(link: Path, target: Path) -> None:
    """Create a link, which Windows permits only some accounts, and Wine none."""
    try:
        link.symlink_to(target)
    except OSError:
        pass
    if not link.is_symlink():
        pytest.skip("this account or this system cannot create links")


def test_export_to_symlink_writes_target_and_keeps_link(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch)
    link, path = tmp_path / "link", tmp_path / "machine.json"
    if sys.platform == "win32":
        link_or_skip(link, path)
    else:
        link.symlink_to(path)
    assert cli.main(["export", str(link)]) == 0
    assert link.is_symlink()
    assert json.loads(path.read_text("utf-8"))["winsvc"] == 1


def test_export_to_unwritable_path_reports_it_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch)
    for path in (tmp_path / "none" / "machine.json", tmp_path):
        assert cli.main(["export", str(path)]) == 1
        output, problem = capsys.readouterr()
        assert not output
        assert problem.startswith(f"winsvc: {path}: ")
        assert problem.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_export_with_failing_replace_keeps_old_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch)
    path = tmp_path / "machine.json"
    path.write_text("before")

    def refuse(self: Path, target: Path) -> Path:
        raise PermissionError(13, "in use")

    monkeypatch.setattr(Path, "replace", refuse)
    assert cli.main(["export", str(path)]) == 1
    assert capsys.readouterr().err == f"winsvc: {path}: in use\n"
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "before"


# ------------------------------------------------------------------------------- --simulate


def simulated(path: Path, *arguments: str) -> int:
    return cli.main(["--simulate", str(path), *arguments])


def test_simulate_with_exported_file_lists_and_exports_same_services(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch)
    path, again = tmp_path / "machine.json", tmp_path / "again.json"
    assert cli.main(["export", str(path)]) == 0
    assert simulated(path, "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(info["name"], info["status"]["state"]) for info in listed] == [
        ("beat", "running"),
        ("drum", "running"),
    ]
    assert simulated(path, "export", str(again)) == 0
    before, after = json.loads(path.read_text()), json.loads(again.read_text())
    assert names(after) == ["beat", "drum"]
    for original, other in zip(before["services"], after["services"], strict=True):
        assert other["config"]["binary_path"] == original["config"]["binary_path"]
        assert other["status"]["pid"] == original["status"]["pid"]


def test_simulated_export_round_trips_every_setting(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    service = {
        "binary_path": r"C:\no quotes\x.exe",
        "service_type": ["share_process", 0x80000000],
        "start_type": "automatic",
        "error_control": 7,
        "load_order_group": "Base",
        "tag": 3,
        "dependencies": ["drum", "+Group"],
        "account": r"NT AUTHORITY\LocalService",
        "display_name": "@x.dll,-1",
        "description": "A beat",
        "delayed_auto_start": True,
        "failure_actions": {"actions": [{"type": 9, "delay": 0.25}], "reset_after": None},
        "failure_actions_on_error": True,
        "sid_type": "restricted",
        "required_privileges": ["SeBackupPrivilege"],
        "preshutdown_timeout": 12.5,
        "triggers": [{"type": 77, "action": 9, "data": [{"type": 0, "raw": "00" * 1500}]}],
        "preferred_node": 1,
        "launch_protection": "windows",
        "security": "O:SYG:SYD:(A;;CCLCSWRC;;;BA)",
        "state": "paused",
        "pid": 4000,
    }
    drum = {"binary_path": r"C:\drum.exe", "exit_code": 1066, "service_exit_code": 12}
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    hand = tmp_path / "hand.json"
    hand.write_text(json.dumps({"services": {"beat": service, "drum": drum}}))
    assert simulated(hand, "export", str(first)) == 0
    assert simulated(first, "export", str(second)) == 0
    assert second.read_text() == first.read_text()
    document = json.loads(first.read_text())
    (entry,) = [each for each in document["services"] if each["name"] == "beat"]
    flat = {**entry, **entry["status"], **entry["config"]}
    assert not entry["errors"]
    assert {key: flat[key] for key in service if key not in ("failure_actions", "triggers")} == {
        key: {"error_control": "unknown_0x7"}.get(key, value)
        for key, value in service.items()
        if key not in ("failure_actions", "triggers")
    }
    assert entry["triggers"][0]["data"] == [{"type": "unknown_0x0", "raw": "00" * 1500}]
    assert entry["failure_actions"]["actions"] == [{"type": "unknown_0x9", "delay": 0.25}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "No such file or directory"),
        ("{", "is not JSON: "),
        ("[]", "the document: expected a mapping, not list"),
        ('{"services": {"a": {"start_type": "x"}}}', "services[\"a\"].start_type: 'x' is no"),
        ('{"services": {"a": {"start_type": []}}}', 'services["a"].start_type: expected the'),
    ],
)
def test_simulate_with_invalid_file_reports_it_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None, expected: str
) -> None:
    path = tmp_path / "machine.json"
    if content is not None:
        path.write_text(content)
    assert simulated(path, "list") == 1
    output, problem = capsys.readouterr()
    assert not output
    assert problem.startswith(f"winsvc: {path}: ")
    assert expected in problem
    assert problem.count("\n") == 1
    assert problem.count(str(path)) == 1


def test_simulate_load_error_names_file_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(source: str) -> None:
        raise ValidationError("services", "is missing")

    monkeypatch.setattr("winsvc.testing.SimulatedSCM.from_json", refuse)
    assert simulated(Path("x.json"), "list") == 1
    assert capsys.readouterr().err == "winsvc: x.json: services: is missing\n"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--service", "a", "--type", "driver"], "--type: not allowed with argument --service"),
        (["a", "b"], "unrecognized arguments: b"),
        (["--type", "odd"], "--type: invalid choice: 'odd'"),
    ],
)
def test_export_with_invalid_arguments_exits_with_usage(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["export", *arguments])
    assert caught.value.code == 2
    output = capsys.readouterr().err
    assert "usage: winsvc" in output
    assert problem in output


def test_cli_import_does_not_load_winsvc_testing() -> None:
    code = "import sys, winsvc.cli; print('winsvc.testing' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
