"""The listing of the API: what it contains, and that the file is current."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Literal, overload

import pytest

import winsvc
import winsvc.aio
import winsvc.testing
from tools import apigen
from tools.apigen import OUTPUT, class_lines, function_lines, main, text


class Color(enum.Flag):
    RED = 1
    GREEN = 2
    ALL = 3


class Example:
    attribute: int

    @property
    def size(self) -> int:
        return 1

    @classmethod
    def of(cls, name: str) -> Example:
        raise NotImplementedError

    def _private(self) -> None: ...

    @overload
    def get(self, *, wait: Literal[True] = ...) -> int: ...
    @overload
    def get(self, *, wait: bool) -> int | None: ...
    def get(self, *, wait: bool = True) -> int | None:
        return 1 if wait else None

    async def paint(self, color: Color = Color.ALL, *names: str, dark: bool = False) -> None: ...


def test_class_entry_lists_public_members_with_signatures() -> None:
    assert list(class_lines("Example", Example)) == [
        "class Example",
        "    attribute: int",
        "    size: int",
        "    @classmethod def of(name: str) -> Example",
        "    def get(*, wait: Literal[True] = ...) -> int",
        "    def get(*, wait: bool) -> int | None",
        "    async def paint(color: Color = Color.ALL, *names: str, dark: bool = False) -> None",
    ]


def test_enum_entry_lists_members_with_values() -> None:
    assert list(class_lines("Color", Color)) == [
        "class Color(Flag)",
        "    RED = 0x1, GREEN = 0x2, ALL = 0x3",
    ]


def positional(first: int, /, second: Callable[[], None] | None = None) -> None: ...


def test_function_entry_marks_positional_parameters() -> None:
    assert list(function_lines("positional", positional)) == [
        "def positional(first: int, /, second: Callable[[], None] | None = None) -> None"
    ]


@pytest.mark.parametrize("module", [winsvc, winsvc.aio, winsvc.testing])
def test_listing_contains_every_public_name(module: object) -> None:
    lines = text().splitlines()
    for name in vars(module)["__all__"]:
        assert any(name in line for line in lines), name


def test_listing_in_docs_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check"]) == 0, capsys.readouterr().err


def test_stale_listing_fails_with_difference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = OUTPUT.read_text("utf-8") + "def added() -> None\n"
    monkeypatch.setattr(apigen, "text", lambda: stale)
    assert main(["--check"]) == 1
    assert "+def added() -> None" in capsys.readouterr().err
