"""Test that the public classes are documented, typed and free of Any."""

from __future__ import annotations

import ast
import importlib.metadata
import inspect
import typing
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import winsvc
from winsvc import Desktop, Service, ServiceManager, WindowStation
from winsvc._desktops.user_object import UserObject
from winsvc.aio import AsyncService, AsyncServiceManager

# The stub does not declare these: type checkers export the names that it imports.
EXPORTS: dict[str, tuple[str, ...]] = vars(winsvc)["_EXPORTS"]
ALL: list[str] = vars(winsvc)["__all__"]
# Properties that call nothing.
LOCAL = {"backend", "borrowed", "closed", "machine", "name", "sync"}


def members(kind: type) -> Iterator[tuple[str, Callable[..., object], str]]:
    classes = (*kind.__bases__, kind) if kind is Service else (kind,)
    for name, member in (item for cls in classes for item in vars(cls).items()):
        if name.startswith("_") or name in LOCAL:
            continue
        function = getattr(member, "fget", None) or getattr(member, "__func__", member)
        assert callable(function)
        yield name, inspect.unwrap(function), inspect.getdoc(member) or ""


METHODS = [
    pytest.param(function, doc, id=f"{kind.__name__}.{name}")
    for kind in (
        *(ServiceManager, Service, WindowStation, Desktop, UserObject),
        *(AsyncServiceManager, AsyncService),
    )
    for name, function, doc in members(kind)
    if name != "close"
]


@pytest.mark.parametrize(("function", "doc"), METHODS)
def test_method_docstring_names_right_and_windows_call(
    function: Callable[..., object], doc: str
) -> None:
    assert doc, "no docstring"
    assert "Right:" in doc
    assert "Windows call" in doc
    summary = doc.splitlines()[0]
    assert summary.endswith(".") or function.__name__ == "failure_actions"


@pytest.mark.parametrize(("function", "doc"), METHODS)
def test_method_signature_is_typed_without_any(function: Callable[..., object], doc: str) -> None:
    assert doc
    signature = inspect.signature(function)
    annotations = [parameter.annotation for parameter in signature.parameters.values()][1:]
    for annotation in [*annotations, signature.return_annotation]:
        assert annotation is not inspect.Parameter.empty
        assert "Any" not in str(annotation)


@pytest.mark.parametrize(
    ("async_class", "sync_class"), [(AsyncService, Service), (AsyncServiceManager, ServiceManager)]
)
def test_async_classes_have_same_methods_as_sync_classes(
    async_class: type, sync_class: type
) -> None:
    methods = {name: function for name, function, _ in members(async_class)}
    others = {name: function for name, function, _ in members(sync_class)}
    assert set(methods) - {"close"} == set(others)
    for name, function in others.items():
        wanted = dict(inspect.signature(function).parameters)
        wanted.pop("cancel", None)  # a task is cancelled instead
        assert dict(inspect.signature(methods[name]).parameters) == wanted, name


def test_public_names_exist_and_have_docstrings() -> None:
    for name in ALL:
        thing = getattr(winsvc, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            assert inspect.getdoc(thing), name
    assert dir(winsvc) == sorted(ALL)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = winsvc.no_such_name  # type: ignore[attr-defined]


def test_exports_stub_and_modules_agree() -> None:
    tree = ast.parse(Path(winsvc.__file__).with_suffix(".pyi").read_text("utf-8"))
    stub = [
        (node.module, alias.name, alias.asname)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    ]
    table = [(module, name) for module, names in EXPORTS.items() for name in names]
    assert sorted(stub) == sorted((module, name, name) for module, name in table)
    assert sorted(ALL) == sorted({name for _, name in table})
    for module, name in table:
        exported = importlib.import_module(module)
        assert name in exported.__all__, f"{module}.{name}"
        assert getattr(winsvc, name) is getattr(exported, name)


def test_version_is_that_of_the_distribution() -> None:
    assert winsvc.__version__ == importlib.metadata.version("winsvc-cffi")


def test_settings_keywords_match_settings_fields() -> None:
    from winsvc._values import settings

    keywords = set(typing.get_type_hints(settings.SettingsKeywords, vars(settings)))
    assert keywords == set(settings.Settings.__dataclass_fields__)
