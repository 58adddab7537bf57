"""Names, dependencies and multi-strings."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from winsvc._util.text import (
    check_text,
    name_key,
    pack_multi_string,
    same_name,
)
from winsvc._values.dependency import (
    GroupDependency,
    ServiceDependency,
    parse_dependencies,
    parse_dependency,
)
from winsvc._values.names import check_display_name, check_service_name
from winsvc.errors import ValidationError

# A multi-string carries any text but "" and NUL, lone surrogates included.
elements = st.text(st.characters(exclude_characters="\0", codec=None), min_size=1)


@pytest.mark.parametrize(
    "name", ["Spooler", "a", "x" * 256, "\U0001f600" * 128, "with blank", "dot.and-dash", "Größe"]
)
def test_check_service_name_returns_valid_name(name: str) -> None:
    assert check_service_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a/b", "a\\b", "a\0b", "x" * 257, "\U0001f600" * 129],
    ids=["empty", "slash", "backslash", "nul", "long", "long-in-utf16"],
)
def test_check_service_name_invalid_name_raises(name: str) -> None:
    with pytest.raises(ValidationError, match=r"^service: .") as caught:
        check_service_name(name, "service")
    assert isinstance(caught.value, ValueError)
    assert caught.value.argument == "service"


@pytest.mark.parametrize("name", [None, b"Spooler", 1])
def test_check_service_name_non_string_raises_type_error(name: object) -> None:
    with pytest.raises(TypeError, match=r"^name: expected str"):
        check_service_name(name)  # type: ignore[arg-type]


def test_check_display_name_too_long_or_with_nul_raises() -> None:
    assert check_display_name("") == ""
    assert check_display_name("a/b\\c") == "a/b\\c"
    assert check_display_name("x" * 256)
    for bad in ("x" * 257, "a\0b"):
        with pytest.raises(ValidationError, match=r"^display_name: "):
            check_display_name(bad)


def test_check_text_error_omits_value() -> None:
    with pytest.raises(ValidationError) as caught:
        check_text("hunter2\0", "password", limit=3)
    assert "hunter2" not in str(caught.value)


def test_argument_error_pickle_keeps_fields() -> None:
    error = pickle.loads(pickle.dumps(ValidationError("name", "is bad")))
    assert (error.argument, error.reason, str(error)) == ("name", "is bad", "name: is bad")


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Spooler", "SPOOLER", True),
        ("größe", "GRÖSSE", False),
        ("größe", "GRÖßE", True),
        ("дом", "ДОМ", True),
        ("\u0131", "I", False),  # dotless i has I as its upper case, but not the other way round
        ("\u212a", "k", False),  # the Kelvin sign
        ("\U00010428", "\U00010400", False),  # a pair beyond U+FFFF
        ("a", "b", False),
    ],
)
def test_same_name_compares_case_as_windows(a: str, b: str, *, same: bool) -> None:
    assert same_name(a, b) is same
    assert same_name(b, a) is same


@given(st.text())
def test_name_key_is_stable_and_keeps_the_length(name: str) -> None:
    key = name_key(name)
    assert name_key(key) == key
    assert len(key) == len(name)


def test_parse_dependency_plus_prefix_returns_group() -> None:
    assert parse_dependency("+network") == GroupDependency("network")
    assert parse_dependency("netlogon") == ServiceDependency("netlogon")
    assert str(GroupDependency("network")) == "+network"
    assert str(ServiceDependency("netlogon")) == "netlogon"
    assert parse_dependency("+x") != parse_dependency("x")


@given(elements.filter(lambda text: text != "+"))
def test_parse_dependency_text_round_trips(text: str) -> None:
    assert str(parse_dependency(text)) == text


def test_service_dependency_with_plus_prefix_raises() -> None:
    with pytest.raises(ValidationError, match="GroupDependency"):
        ServiceDependency("+network")


def test_parse_dependencies_accepts_texts_and_objects() -> None:
    typed = (ServiceDependency("a"), GroupDependency("b"))
    assert parse_dependencies(["a", "+b"]) == typed
    assert parse_dependencies([typed[0], "+b"]) == typed
    assert parse_dependencies(iter(typed)) == typed
    assert parse_dependencies([]) == ()


@pytest.mark.parametrize("items", ["abc", b"abc", None, 3])
def test_parse_dependencies_non_list_raises_type_error(items: object) -> None:
    with pytest.raises(TypeError, match=r"^depends_on: "):
        parse_dependencies(items, "depends_on")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("element", "kind"),
    [(None, TypeError), ("", ValidationError), ("a\0b", ValidationError)],
)
def test_parse_dependencies_invalid_element_error_names_index(
    element: object, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match=r"^dependencies\[1\]: "):
        parse_dependencies(["a", element])  # type: ignore[list-item]


def test_pack_multi_string_terminates_each_string() -> None:
    assert pack_multi_string(["a", "bc"], "x") == "a\0bc\0"
    assert pack_multi_string([], "x") == "\0"


@pytest.mark.parametrize("items", ["abc", b"abc", None])
def test_pack_multi_string_non_list_raises_type_error(items: object) -> None:
    with pytest.raises(TypeError, match=r"^privileges: "):
        pack_multi_string(items, "privileges")  # type: ignore[arg-type]


@pytest.mark.parametrize("element", ["", "a\0b"])
def test_pack_multi_string_invalid_element_error_names_index(element: str) -> None:
    with pytest.raises(ValidationError, match=r"^privileges\[2\]: "):
        pack_multi_string(["a", "b", element], "privileges")


@given(st.lists(elements))
def test_multi_string_round_trip_ends_in_two_nuls(items: list[str]) -> None:
    in_memory = pack_multi_string(items, "x") + "\0"  # as a buffer holds it
    assert in_memory.endswith("\0\0")
    assert in_memory.rstrip("\0").split("\0") == (items or [""])
