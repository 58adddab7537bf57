"""Enumerations: export, copies and unknown values."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
from enum import Enum

import pytest

from winsvc import enums
from winsvc.enums import Control, OpenEnum, OpenFlag, ServiceAccess, ServiceType, State

ANY_WIN32 = "OWN_PROCESS | SHARE_PROCESS | INTERACTIVE_PROCESS"
OPEN_ENUMS = [
    kind
    for _, kind in inspect.getmembers(enums, inspect.isclass)
    if issubclass(kind, (OpenEnum, OpenFlag)) and kind not in (OpenEnum, OpenFlag)
]


@pytest.mark.parametrize("kind", OPEN_ENUMS)
def test_every_enum_is_exported_and_documented(kind: type[Enum]) -> None:
    assert kind.__name__ in enums.__all__
    assert kind.__doc__


@pytest.mark.parametrize("kind", OPEN_ENUMS)
def test_unknown_enum_value_survives_pickle_and_copy(kind: type[OpenEnum] | type[OpenFlag]) -> None:
    value = kind(0x5A5A0)
    assert value == 0x5A5A0
    assert isinstance(value, kind)
    assert pickle.loads(pickle.dumps(value)) == value
    assert copy.deepcopy(value) == value
    assert str(int(value)) in repr(value)


def test_unknown_state_has_hex_name_and_compares_by_value() -> None:
    assert State(9).name == "UNKNOWN_0x9"
    assert State(9) == State(9)
    assert {State(9): 1}[State(9)] == 1


def test_state_from_string_raises_value_error() -> None:
    with pytest.raises(ValueError, match="'x' is not a valid State"):
        State("x")  # type: ignore[arg-type]


def test_unknown_state_does_not_become_enum_member() -> None:
    State(99)
    assert 99 not in {state.value for state in State}


def test_service_type_keeps_combined_flag_values() -> None:
    for number in (0x30, 0xD0, 0xE0, 0x50, 0x60, 0x110, 0x400):
        assert int(ServiceType(number)) == number


def test_control_accepts_custom_code_and_returns_known_member() -> None:
    assert Control(128) == 128
    assert Control(1) is Control.STOP


def test_service_all_access_combines_every_right() -> None:
    own = (
        ServiceAccess.QUERY_CONFIG
        | ServiceAccess.CHANGE_CONFIG
        | ServiceAccess.QUERY_STATUS
        | ServiceAccess.ENUMERATE_DEPENDENTS
        | ServiceAccess.START
        | ServiceAccess.STOP
        | ServiceAccess.PAUSE_CONTINUE
        | ServiceAccess.INTERROGATE
        | ServiceAccess.USER_DEFINED_CONTROL
    )
    standard = (
        ServiceAccess.DELETE
        | ServiceAccess.READ_CONTROL
        | ServiceAccess.WRITE_DAC
        | ServiceAccess.WRITE_OWNER
    )
    assert own | standard == ServiceAccess.ALL_ACCESS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (State.RUNNING, "RUNNING"),
        (State(99), "UNKNOWN_0x63"),
        (ServiceAccess.START, "START"),
        (ServiceAccess.START | ServiceAccess.QUERY_STATUS, "QUERY_STATUS | START"),
        (ServiceAccess(0xF01FF), "ALL_ACCESS"),
        (ServiceAccess.START | 0xC00, "START | UNKNOWN_0xc00"),
        (ServiceAccess(0x400), "UNKNOWN_0x400"),
        (ServiceType.WIN32 | ServiceType.INTERACTIVE_PROCESS, ANY_WIN32),
        (ServiceAccess(0), "0"),
    ],
)
def test_str_of_member_shows_names(value: OpenEnum | OpenFlag, text: str) -> None:
    assert str(value) == f"{value}" == f"{value!s}" == text
    assert f"{value:>50}" == text.rjust(50)


@pytest.mark.parametrize("value", [State.RUNNING, State(99), ServiceAccess.ALL_ACCESS])
def test_format_with_number_type_formats_number(value: OpenEnum | OpenFlag) -> None:
    number = int(value)
    assert f"{value:d} {value:#x} {value:08b} {value:.1f}" == (
        f"{number:d} {number:#x} {number:08b} {number:.1f}"
    )
    assert json.dumps(value) == str(number)


def test_rights_text_names_class_and_rights() -> None:
    rights = ServiceAccess.START | ServiceAccess.QUERY_STATUS
    assert enums.rights_text(rights) == "ServiceAccess.QUERY_STATUS | START"
