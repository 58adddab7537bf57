"""The generator of the asynchronous objects."""

from __future__ import annotations

import pytest

from tools import aiogen


def test_generator_with_unmatched_replacement_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    stale = (*aiogen.REPLACEMENTS, ("text of no docstring", ""))
    monkeypatch.setattr(aiogen, "REPLACEMENTS", stale)
    with pytest.raises(SystemExit, match="text of no docstring"):
        aiogen.text()


def test_comparison_ignores_format_and_import_order_only() -> None:
    source = aiogen.text()
    assert aiogen.same(source, source.replace("(lambda: ", "(lambda : "))
    assert not aiogen.same(source, source.replace("await calling", "await waiting", 1))


def test_check_with_outdated_module_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = aiogen.text()
    monkeypatch.setattr(aiogen, "text", lambda: source + "\nX = 1\n")
    assert aiogen.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
