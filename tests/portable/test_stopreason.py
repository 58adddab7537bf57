"""Stop reasons."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winsvc._values.stopreason import StopFlag, StopMajor, StopMinor, StopReason
from winsvc.errors import ValidationError


@given(
    st.sampled_from([StopFlag.PLANNED, StopFlag.UNPLANNED]),
    st.sampled_from(list(StopMajor)),
    st.sampled_from(list(StopMinor)),
)
def test_stop_reason_code_round_trips(flag: StopFlag, major: StopMajor, minor: StopMinor) -> None:
    reason = StopReason(flag, major, minor)
    assert reason.code == flag + major + minor
    assert StopReason.from_code(reason.code) == reason


@given(st.integers(0x40, 0xFF), st.integers(0x100, 0xFFFF))
def test_custom_stop_reason_code_round_trips(major: int, minor: int) -> None:
    code = 0x20000000 | major << 16 | minor
    reason = StopReason.from_code(code)
    assert reason == StopReason(StopFlag.CUSTOM, StopMajor(major << 16), StopMinor(minor))
    assert reason.code == code


def is_stop_reason(code: int) -> bool:
    """Return whether ``SERVICE_CONTROL_STATUS_REASON_PARAMSW`` documents a code as valid."""
    flag, major, minor = code >> 28, code >> 16 & 0xFFF, code & 0xFFFF
    custom = major >= 0x40 or minor >= 0x100
    return 0 < major <= 0xFF and minor > 0 and flag in ((2,) if custom else (1, 4))


def codes(flags: list[int], majors: range, minors: range) -> st.SearchStrategy[int]:
    return st.builds(
        lambda flag, major, minor: flag << 28 | major << 16 | minor,
        st.sampled_from(flags),
        st.sampled_from(majors),
        st.sampled_from(minors),
    )


valid_codes = (
    codes([1, 4], range(1, 0x40), range(1, 0x100))
    | codes([2], range(0x40, 0x100), range(1, 0x10000))
    | codes([2], range(1, 0x100), range(0x100, 0x10000))
)
any_codes = st.integers(-1, 1 << 33) | codes([0, 1, 2, 3, 4, 8], range(0x102), range(0x102))


@given(valid_codes)
@example(0x10010001)
@example(0x20FFFFFF)
def test_from_code_of_valid_code_round_trips(code: int) -> None:
    assert is_stop_reason(code)
    assert StopReason.from_code(code).code == code


@given(any_codes.filter(lambda code: not is_stop_reason(code)))
@example(0x20010001)
@example(0x40400001)
def test_from_code_of_invalid_code_raises_argument_error(code: int) -> None:
    with pytest.raises(ValidationError):
        StopReason.from_code(code)


def test_stop_reason_code_combines_parts() -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "v2")
    assert reason.code == 0x40040004
    assert type(reason.code) is int
    assert reason.comment == "v2"


def test_planned_and_unplanned_set_flag() -> None:
    planned = StopReason.planned(StopMajor.SOFTWARE, StopMinor.UPGRADE, "v2")
    assert planned == StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "v2")
    assert StopReason.unplanned(minor=StopMinor.HUNG).code == 0x10010006
    with pytest.raises(ValidationError, match=r"^flag: must be CUSTOM"):
        StopReason.planned(minor=StopMinor(0x100))


def test_stop_reason_from_string_suggests_member() -> None:
    with pytest.raises(TypeError, match=r"^minor: .*; did you mean StopMinor\.UPGRADE\?"):
        StopReason.planned(StopMajor.SOFTWARE, "upgrade")  # type: ignore[arg-type]


def test_from_code_undefined_reason_keeps_code() -> None:
    assert StopReason.from_code(0x40070030).code == 0x40070030


@pytest.mark.parametrize(
    ("code", "argument"),
    [
        (0x00010001, "flag"),  # no flag
        (0x50010001, "flag"),  # two
        (0x80010001, "flag"),  # an unknown flag
        (0x40000001, "major"),
        (0x40010000, "minor"),
        (0x40400001, "flag"),  # an own reason without the flag
        (0x40010100, "flag"),
        (0x20010001, "flag"),  # a reason of Windows with the flag for own reasons
        (0x41010001, "code"),
        (1 << 32, "code"),
        (-1, "code"),
    ],
)
def test_from_code_invalid_code_raises_naming_part(code: int, argument: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StopReason.from_code(code)
    assert caught.value.argument == argument


def test_stop_reason_with_misplaced_part_raises() -> None:
    with pytest.raises(ValidationError, match=r"^major: "):
        StopReason(StopFlag.PLANNED, StopMajor(0x10001), StopMinor.OTHER)
    with pytest.raises(ValidationError, match=r"^minor: "):
        StopReason(StopFlag.PLANNED, StopMajor.OTHER, StopMinor(0x10001))


def test_stop_reason_with_invalid_comment_raises() -> None:
    planned = (StopFlag.PLANNED, StopMajor.OTHER, StopMinor.OTHER)
    assert StopReason(*planned, "x" * 127).comment == "x" * 127
    assert StopReason(*planned, "").comment == ""
    for comment in ("x" * 128, "\U0001f600" * 64, "a\0b"):
        with pytest.raises(ValidationError, match=r"^comment: "):
            StopReason(*planned, comment)
    with pytest.raises(TypeError, match=r"^comment: "):
        StopReason(*planned, b"x")  # type: ignore[arg-type]
