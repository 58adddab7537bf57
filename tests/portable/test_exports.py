"""The exported names: where reprs and pickles find them, and what help shows."""

from __future__ import annotations

import importlib
import pickle
import pydoc
import re
import typing
from types import FunctionType

import pytest

import winsvc
import winsvc.aio
import winsvc.security

ALL: list[str] = vars(winsvc)["__all__"]


@pytest.mark.parametrize("name", ALL)
def test_exported_name_is_pickled_and_shown_as_name_of_winsvc(name: str) -> None:
    value = getattr(winsvc, name)
    if isinstance(value, (type, FunctionType)):
        assert value.__module__ == "winsvc"
    assert pickle.loads(pickle.dumps(value)) is value or not isinstance(value, type)


@pytest.mark.parametrize("name", ALL)
def test_exported_value_class_has_resolvable_annotations(name: str) -> None:
    kind = getattr(winsvc, name)
    names = getattr(kind, "__dataclass_fields__", getattr(kind, "_fields", ()))
    if isinstance(kind, type) and names:
        assert set(names) <= set(typing.get_type_hints(kind))


@pytest.mark.parametrize("module", ["winsvc.aio", "winsvc.security"])
def test_names_of_public_package_are_shown_as_its_own(module: str) -> None:
    package = importlib.import_module(module)
    for name in package.__all__:
        value = getattr(package, name)
        if isinstance(value, (type, FunctionType)):
            assert value.__module__ == ("winsvc" if name in ALL else module), name


def test_help_of_package_is_a_page_that_names_every_export() -> None:
    text = pydoc.plain(pydoc.render_doc(winsvc))
    assert text.count("\n") < 120
    names = set(re.findall(r"\w+", text))
    assert set(ALL) <= names


def test_dir_of_package_lists_every_export() -> None:
    assert dir(winsvc) == sorted(ALL)


def test_star_import_imports_every_export() -> None:
    namespace: dict[str, object] = {}
    exec("from winsvc import *", namespace)
    assert set(ALL) <= set(namespace)
