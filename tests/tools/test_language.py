"""The check of texts and names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools import language

RULES = language.read_rules()


def check(source: str, name: str = "src/test_module.py") -> list[tuple[int, str]]:
    """Return the lines and words that are found in a Python module."""
    return [(finding.line, finding.word) for finding in language.check_python(source, name, RULES)]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('"""Read the state.\n\nThe service is told."""\n', [(3, "told")]),
        ("x = 1\n# The service\n# is gone.\n", [(3, "gone")]),
        ("# As far\n# as known.\n", [(1, "As far as")]),
        ('x = (\n    "The service"\n    " is gone"\n)\n', [(3, "gone")]),
        ('x = f"{1} can\'t be"\n', [(1, "can't be")]),
        ('x = "told"\n', []),
        ('"""Have the service stopped."""\n', [(1, "Have")]),
        ('"""It stands for the value of its own type."""\n', [(1, "of its own")]),
    ],
)
def test_words_in_texts_are_found_with_their_line(
    source: str, found: list[tuple[int, str]]
) -> None:
    assert check(source) == found


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def _told(asked: int, winner: int) -> None: ...\n", ["_told", "asked"]),
        ("for one in []:\n    task = one\n", ["one"]),
        ("class NewsTold: ...\n", ["NewsTold"]),
        ("def test_numbers() -> None: ...\n", ["test_numbers"]),
        ("def test_stop_when_stopped_fails() -> None: ...\n", []),
    ],
)
def test_words_in_names_are_found_where_defined(source: str, found: list[str]) -> None:
    assert [word for _, word in check(source)] == found


@pytest.mark.parametrize(
    ("docstring", "name", "found"),
    [
        ("Where the service is.", "src/a.py", ["Where"]),
        ("Whether it exists.", "tests/a.py", ["Whether"]),
        ("All states.", "src/a.py", ["All"]),
        ("All processes end.", "tests/a.py", []),
        ("Return the state.", "src/a.py", []),
    ],
)
def test_docstring_of_function_must_begin_with_imperative(
    docstring: str, name: str, found: list[str]
) -> None:
    source = f'def state() -> None:\n    """{docstring}"""\n'
    assert [word for _, word in check(source, name)] == found


def test_docstring_of_property_may_begin_with_noun() -> None:
    assert check('@property\ndef state(self) -> int:\n    """The state."""\n') == []


def test_words_in_c_source_are_found_in_comments_and_names() -> None:
    source = "/* One.\n   It is gone. */\nint asked; // told\n"
    found = [(each.line, each.word) for each in language.check_c(source, RULES)]
    assert sorted(found) == [(2, "gone"), (3, "asked"), (3, "told")]


def test_main_with_finding_prints_it_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.md").write_text("# Page\n\nThe service\nis gone.\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "page.md").write_text("gone\n")
    assert language.main([]) == 1
    assert capsys.readouterr().out == "page.md:4: gone: deleted, removed, closed or missing\n"


def test_main_without_finding_succeeds(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("The service is deleted.\n")
    assert language.main([str(tmp_path)]) == 0
