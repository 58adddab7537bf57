"""The same calls to pywin32's win32service and to winsvc's: equal outcomes, with listed exceptions.

A case is a function of a :class:`World`, which has the module and the objects to call it with. Each
case runs with both modules; a difference must be named, with the expected result of winsvc.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator, Sequence
from inspect import signature
from typing import Any

import hypothesis
import pytest
import pywintypes
import win32event
import win32gui
import win32service as theirs
from dropin_differences import DROPIN_DIFFERENCES
from hypothesis import strategies as st
from parity.dropin_cases import ACTIONS, CASES, FLAGS, GOOD, HANDLES, call
from parity.dropin_world import Case, World, outcome

import winsvc.win32service as ours


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[World, World]]:
    program = f'"{os.environ["WINSVC_TEST_SERVICE"]}"'
    both = World(theirs, program), World(ours, program)
    yield both
    for world in both:
        world.end()


@pytest.fixture
def worlds(both: tuple[World, World]) -> tuple[World, World]:
    for world in both:
        world.reset()
    return both


def test_cases_cover_every_named_difference() -> None:
    assert len(CASES) >= 250
    covered = {case.what.split(":")[0] for case in CASES}
    assert set(GOOD) <= covered
    assert len({case.what for case in CASES}) == len(CASES)
    shown = {case.differs for case in CASES} - {None}
    # These need a second process or a failing system: separate tests.
    assert set(DROPIN_DIFFERENCES) - shown == {"races", "lock-failure"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_case_outcome_equals_pywin32_or_named_difference(
    worlds: tuple[World, World], case: Case
) -> None:
    real, dropin = worlds
    if case.differs is None:
        assert outcome(case.do, dropin) == outcome(case.do, real)
        return
    found: Any = outcome(case.do, dropin)
    if isinstance(case.gives, str):
        assert found[0] == case.gives
    else:
        assert callable(case.gives)
        assert case.gives(found), found
    if case.run_theirs:
        assert outcome(case.do, real) != found, f"no difference any more: {case.differs}"


# ----------------------------------------------------------------------------------- at random

HANDLE_VALUES: Sequence[object] = (None, 0, False, "", "no", [], {}, object())
OTHER_VALUES: Sequence[object] = (
    *(None, True, False, 0, 2, 3, -1, 5, 0x7FFFFFFF, -(1 << 31), 1.5, 1 << 64, b"", b"x"),
    *("", "no", "\u00e4" * 300, (), [], ["x"], {}, ACTIONS, FLAGS, object()),
)
# Functions whose outcome depends only on their arguments, and on earlier calls.
AT_RANDOM = sorted(
    set(GOOD)
    - {"CloseServiceHandle", "DeleteService", "UnlockServiceDatabase", "SetServiceStatus"}
    - {"StartService", "ControlService", "CreateService"}
    - {"EnumServicesStatus", "QueryServiceLockStatus"}  # no-match, stale-error
)
# A list of texts (list-elements), and a display name, which no two services can have.
NO_TEXTS = {("ChangeServiceConfig", 7), ("ChangeServiceConfig", 10)}


@st.composite
def random_calls(draw: st.DrawFn) -> tuple[str, dict[int, object]]:
    """Draw a function, and the values that replace valid arguments."""
    function = draw(st.sampled_from(AT_RANDOM))
    count = len(signature(getattr(ours, function)).parameters)
    changes: dict[int, object] = {}
    for place in draw(st.sets(st.integers(0, count - 1))) if count else ():
        pool: Sequence[object] = OTHER_VALUES
        if place == 0 and function in HANDLES:
            pool = HANDLE_VALUES
        elif (function, place) == ("ChangeServiceConfig", 6):
            pool = (None, False, 0, "", 1.5, [])  # initial-tag
        elif (function, place) in NO_TEXTS:
            pool = [value for value in pool if not isinstance(value, str)]
        elif (function, place) == ("ChangeServiceConfig2", 2):
            pool = [value for value in pool if value not in (-1, -(1 << 31))]  # number-ranges
        if function in ("ChangeServiceConfig", "EnumServicesStatusEx"):
            pool = [value for value in pool if value != 1 << 64]  # number-ranges
        changes[place] = draw(st.sampled_from(pool))
    if function == "GetUserObjectInformation":
        hypothesis.assume(changes.get(1) is not True)  # uninitialized-flags
    return function, changes


def _refused(found: object) -> bool:
    return isinstance(found, tuple) and found[0] in ("TypeError", "ValueError", "OverflowError")


@hypothesis.given(random_calls())
@hypothesis.settings(
    max_examples=2000,
    deadline=None,
    derandomize=True,
    database=None,
    # Examples share the state of both worlds.
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)
def test_random_arguments_give_same_outcome_as_pywin32(
    worlds: tuple[World, World], drawn: tuple[str, dict[int, object]]
) -> None:
    function, changes = drawn

    def do(world: World) -> object:
        good = GOOD[function](world)
        return call(world, function, tuple(changes.get(i, item) for i, item in enumerate(good)))

    real, dropin = worlds
    expected, found = outcome(do, real), outcome(do, dropin)
    if _refused(expected) and _refused(found):
        # With several invalid arguments, either may be found first.
        assert len(changes) > 1 or found[0] == expected[0]  # type: ignore[index]
    else:
        assert found == expected


# ----------------------------------------------------------------------------------- the rest


def test_dropin_module_has_every_name_of_pywin32() -> None:
    public = {name for name in dir(theirs) if not name.startswith("_")}
    assert public <= set(dir(ours))
    assert public <= set(ours.__all__)
    for name in public:
        value = getattr(theirs, name)
        if isinstance(value, int):
            assert getattr(ours, name) == value, name
    functions = {name for name in public if isinstance(getattr(theirs, name), type(len))}
    assert functions == set(GOOD)


def test_error_is_pywintypes_error_class() -> None:
    assert ours.error is theirs.error is pywintypes.error


def test_handles_of_either_module_work_in_the_other(worlds: tuple[World, World]) -> None:
    real, dropin = worlds
    found = ours.QueryServiceStatusEx(real.running)
    assert found == theirs.QueryServiceStatusEx(real.running)
    # pywin32 accepts handles of winsvc.
    assert theirs.QueryServiceStatus(dropin.svc) == ours.QueryServiceStatus(dropin.svc)
    assert ours.GetUserObjectInformation(real.desk, 2) == real.name("desk")
    assert theirs.GetUserObjectInformation(dropin.desk, 2) == dropin.name("desk")
    handle = theirs.OpenService(real.scm, real.name("svc"), 4)
    ours.CloseServiceHandle(handle)
    assert not handle


@pytest.mark.parametrize(
    "other",
    [
        *(pywintypes.HANDLE(0x10), pywintypes.HKEY(0x10)),
        *(win32event.CreateEvent(None, False, False, None), "1", 1.5),
    ],
    ids=repr,
)
def test_calls_with_foreign_handle_raise_type_error(other: Any) -> None:
    handle = type(other).__name__ == "PyHANDLE"  # those of desktops are of this type
    functions = [name for name in HANDLES if not (handle and "UserObject" in name)]
    assert len(functions) == len(HANDLES) - (2 if handle else 0)
    for function in functions:
        method = getattr(ours, function)
        rest = [None] * (len(signature(method).parameters) - 1)
        with pytest.raises(TypeError):
            method(other, *rest)
    if handle and other.handle == 0x10:
        other.Detach()


def test_enum_desktop_windows_returns_windows_without_owning_them() -> None:
    window = win32gui.CreateWindow("STATIC", "shown", 0, 0, 0, 10, 10, 0, 0, 0, None)
    try:
        desktop = ours.GetThreadDesktop(threading.get_native_id())
        found = desktop.EnumDesktopWindows()
        assert window in found
        titles = [win32gui.GetWindowText(handle) for handle in found]
        assert "shown" in titles
        del found
        assert win32gui.IsWindow(window)
    finally:
        win32gui.DestroyWindow(window)


def test_queries_during_concurrent_growth_return_whole_text(worlds: tuple[World, World]) -> None:
    _, world = worlds
    handle = ours.OpenService(world.scm, world.name("svc"), ours.SERVICE_ALL_ACCESS)
    texts = ["short", "long " * 2000]
    descriptions, paths = set[str | None](), set[str]()
    deadline = time.monotonic() + 60
    stop = threading.Event()

    def change(text: str) -> None:
        ours.ChangeServiceConfig2(handle, 1, text)
        ours.ChangeServiceConfig(handle, -1, -1, -1, text, None, 0, None, None, None, None)

    def change_repeatedly() -> None:
        for text in itertools.cycle(texts):
            if stop.is_set():
                return
            change(text)

    change("short")
    thread = threading.Thread(target=change_repeatedly)
    thread.start()
    try:
        rounds = 0
        while rounds < 150 or len(descriptions) < 2 or len(paths) < 2:
            descriptions.add(ours.QueryServiceConfig2(world.svc, 1))
            paths.add(ours.QueryServiceConfig(world.svc)[3])
            assert world.mine(ours.EnumServicesStatus(world.scm))
            rounds += 1
            assert time.monotonic() < deadline, "nothing grows"
    finally:
        stop.set()
        thread.join()
        change("short")
    assert descriptions == paths == set(texts)
