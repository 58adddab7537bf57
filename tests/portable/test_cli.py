"""Test the output and the parsing of the command line."""

from __future__ import annotations

import io
import json
import sys

import pytest
from recorder import STOPPED, Recorder

from winsvc import cli
from winsvc._values.rows import EnumRow

ROWS = [("beat", "running", "12", "Heartbeat [bold]"), ("x", "stopped", "", "Ünicode")]
HEADER = ("NAME", "STATE", "PID", "DISPLAY NAME")


def test_table_without_terminal_prints_plain_columns(capsys: pytest.CaptureFixture[str]) -> None:
    cli._table(HEADER, ROWS)
    assert capsys.readouterr().out == (
        "NAME  STATE    PID  DISPLAY NAME\n"
        "beat  running  12   Heartbeat [bold]\n"
        "x     stopped       Ünicode\n"
    )


def test_table_without_rows_prints_header_only(capsys: pytest.CaptureFixture[str]) -> None:
    cli._table(HEADER, [])
    assert capsys.readouterr().out == "NAME  STATE  PID  DISPLAY NAME\n"


def test_table_on_terminal_uses_rich_without_markup(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("rich", reason="the cli extra is not installed")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "100")
    cli._table(HEADER, ROWS)
    printed = capsys.readouterr().out
    assert "Heartbeat [bold]" in printed
    assert "│" in printed


def test_table_on_terminal_without_rich_prints_plain_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(cli, "_is_installed", lambda name: False)
    cli._table(HEADER, ROWS)
    assert capsys.readouterr().out.startswith("NAME  STATE    PID")


@pytest.mark.parametrize("arguments", [[], ["list", "--state", "odd"], ["no-such-command"]])
def test_cli_with_invalid_arguments_exits_with_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    assert "usage: winsvc" in capsys.readouterr().err


def listed(monkeypatch: pytest.MonkeyPatch, display_name: str, *options: str) -> bytes:
    """Return the output of ``list`` for a service on a console of code page 1252."""
    recorder = Recorder(enum_services_status_ex=([EnumRow("x", display_name, STOPPED)], 0))
    monkeypatch.setattr("winsvc.backend._in_use", [recorder.backend])
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding="cp1252"))
    assert cli.main(["list", *options]) == 0
    return output.getvalue()


def test_list_with_unencodable_display_name_escapes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert listed(monkeypatch, "Ünicode \U0001f600 \u017c").splitlines() == [
        b"NAME  STATE    PID  DISPLAY NAME",
        b"x     stopped       \xdcnicode \\U0001f600 \\u017c",
    ]


def test_list_json_with_unencodable_display_name_keeps_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "Ünicode \U0001f600 \u017c"
    (service,) = json.loads(listed(monkeypatch, name, "--json").decode("cp1252"))
    assert service["display_name"] == name
