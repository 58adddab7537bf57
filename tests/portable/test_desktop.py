"""Window stations and desktops over a backend that answers from a script."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest
from recorder import Recorder

from winsvc import (
    AccessDeniedError,
    Desktop,
    DesktopAccess,
    HandleClosedError,
    InvalidNameError,
    NotFoundError,
    SecurityDescriptor,
    SecurityInformation,
    UnsupportedError,
    ValidationError,
    Win32Error,
    Window,
    WindowStation,
    WindowStationAccess,
)
from winsvc._desktops.handles import (
    BorrowedDesktopHandle,
    BorrowedWindowStationHandle,
    DesktopHandle,
    WindowStationHandle,
)
from winsvc._desktops.user_object import UserObjectFlags
from winsvc._scm.handles import ServiceHandle
from winsvc._values.rows import UserObjectFlagsRow
from winsvc.enums import DesktopFlags, WindowStationCreation, WindowStationFlags
from winsvc.errors import ObjectInUseError, win32_error

SDDL = "D:(A;;GA;;;SY)"
# For calls that mypy refuses.
STATION: Any = WindowStation
DESKTOP: Any = Desktop


class BodyError(Exception):
    pass


# ------------------------------------------------------------------------------------ calls


def test_open_and_create_pass_arguments_to_backend() -> None:
    script = Recorder()
    given: dict[str, Any] = {"backend": script.backend}
    content = SecurityDescriptor.from_sddl(SDDL).to_bytes()
    for made in (
        WindowStation.open("S", **given),
        WindowStation.open("S", WindowStationAccess.ENUMERATE, True, **given),
        WindowStation.create(**given),
        WindowStation.create(
            "S",
            WindowStationCreation.CREATE_ONLY,
            WindowStationAccess.ALL_ACCESS,
            SDDL,
            inherit=True,
            **given,
        ),
        Desktop.open("D", **given),
        Desktop.open(
            "D", DesktopAccess.SWITCH_DESKTOP, DesktopFlags.ALLOW_OTHER_ACCOUNT_HOOK, True, **given
        ),
        Desktop.input(**given),
        Desktop.create("D", **given),
        Desktop.create("D", security=content, access=DesktopAccess(0xF0), inherit=True, **given),
    ):
        made.close()
    assert not script.open
    calls = [call for call in script.calls if not call.method.startswith("close_")]
    assert [(call.method, *call.values.values()) for call in calls] == [
        ("open_window_station", "S", False, 0x0003),
        ("open_window_station", "S", True, 0x0100),
        ("create_window_station", None, 0, 0x10000000, False, None),
        ("create_window_station", "S", 1, 0x037F, True, content),
        ("open_desktop", "D", 0, False, 0x0041),
        ("open_desktop", "D", 1, True, 0x0100),
        ("open_input_desktop", 0, False, 0x0041),
        ("create_desktop", "D", 0, 0x10000000, False, None),
        ("create_desktop", "D", 0, 0xF0, True, content),
    ]


def test_desktops_enumerates_by_station_handle() -> None:
    """Never of none at all, which lists window stations on some systems."""
    script = Recorder(enum_desktops=["Default"])
    assert WindowStation.current(backend=script.backend).desktops() == ["Default"]
    assert [call.station for call in script.called("enum_desktops")] == [0x44]


def test_set_flags_queries_current_flags_only_if_argument_is_omitted() -> None:
    script = Recorder(query_user_object_flags=UserObjectFlagsRow(1, 0, 0x11))
    station = WindowStation.current(backend=script.backend)
    assert station.flags == UserObjectFlags(WindowStationFlags(0x11), inherit=True)
    del script.calls[:]
    station.set_flags(WindowStationFlags.VISIBLE, inherit=False)
    assert not script.called("query_user_object_flags")
    station.set_flags(WindowStationFlags(0))
    station.set_flags(inherit=False)
    station.set_flags()
    changes = script.called("set_user_object_flags")
    assert [(call.user_object, call.row) for call in changes] == [
        (0x44, UserObjectFlagsRow(0, 0, 1)),
        (0x44, UserObjectFlagsRow(1, 0, 0)),
        (0x44, UserObjectFlagsRow(0, 0, 0x11)),
    ]
    with pytest.raises(TypeError, match="flags: expected WindowStationFlags"):
        station.set_flags(DesktopFlags(1))  # type: ignore[arg-type]


def test_desktop_properties_return_backend_values_or_raise_unsupported() -> None:
    sid = SecurityDescriptor.from_sddl("O:SY").owner
    assert sid is not None
    script = Recorder(
        query_user_object_sid=sid.to_bytes(),
        query_user_object_number=lambda handle, index: {5: 20480, 6: 1}[index],
    )
    desktop = Desktop.current(backend=script.backend)
    assert (desktop.user_sid, desktop.heap_size, desktop.receives_input) == (
        "S-1-5-18",
        20480,
        True,
    )
    script.answers["query_user_object_sid"] = None
    assert desktop.user_sid is None
    refusal = win32_error(87, "GetUserObjectInformationW")
    script.answers["query_user_object_number"] = refusal
    with pytest.raises(UnsupportedError, match="the heap size of a Desktop") as caught:
        _ = desktop.heap_size
    assert caught.value.__cause__ is refusal
    assert caught.value.winerror == 87


def test_windows_with_unreadable_title_or_class_returns_none_fields() -> None:
    gone = win32_error(1400, "GetClassNameW")

    def text(window: int) -> str:
        if window == 2:
            raise gone
        return "Title"

    script = Recorder(enum_desktop_windows=[1, 2], get_window_text=text, get_class_name=gone)
    with Desktop.open("D", backend=script.backend) as desktop:
        assert desktop.windows() == [Window(1, "Title", None), Window(2, None, None)]


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (SecurityInformation.DACL, DesktopAccess.READ_CONTROL),
        (
            SecurityInformation.SACL,
            DesktopAccess.READ_CONTROL | DesktopAccess.ACCESS_SYSTEM_SECURITY,
        ),
    ],
)
def test_security_access_denied_hint_names_required_rights(
    parts: SecurityInformation, right: DesktopAccess
) -> None:
    script = Recorder(get_user_object_security=win32_error(5, "GetUserObjectSecurity"))
    with Desktop.open("D", backend=script.backend) as desktop:
        with pytest.raises(AccessDeniedError) as caught:
            desktop.security(parts)
    hint = caught.value.hint or ""
    for name in ("READ_CONTROL", "ACCESS_SYSTEM_SECURITY"):
        assert (name in hint) is bool(right & DesktopAccess[name])
    assert hint.endswith("The handle was opened with DesktopAccess.READ_OBJECTS|ENUMERATE only.")


def test_borrowed_desktop_access_denied_hint_names_needed_right_only() -> None:
    script = Recorder(switch_desktop=win32_error(5, "SwitchDesktop"))
    with pytest.raises(AccessDeniedError) as caught:
        Desktop.current(backend=script.backend).switch_to()
    assert caught.value.hint == "Needed: DesktopAccess.SWITCH_DESKTOP."


def test_open_access_denied_hint_names_requested_access() -> None:
    script = Recorder(open_input_desktop=win32_error(5, "OpenInputDesktop"))
    with pytest.raises(AccessDeniedError) as caught:
        Desktop.input(DesktopAccess.ENUMERATE, backend=script.backend)
    assert caught.value.hint == "Asked for: DesktopAccess.ENUMERATE."


# ------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (WindowStation, DesktopHandle),
        (WindowStation, ServiceHandle),
        (Desktop, WindowStationHandle),
        (Desktop, ServiceHandle),
    ],
)
def test_owned_handle_of_wrong_kind_raises_type_error_and_stays_open(
    make: Callable[..., object], kind: Callable[..., DesktopHandle]
) -> None:
    script, freed = Recorder(), list[int]()
    handle = kind(1, freed.append, "something")
    with pytest.raises(TypeError, match=f"handle: expected .*, not {type(handle).__name__}"):
        make(handle, script.backend)
    assert script.calls == []
    handle.close()
    assert freed == [1]  # still its owner's


def test_borrowed_handle_of_wrong_kind_raises_type_error() -> None:
    script = Recorder()
    with pytest.raises(TypeError):
        WindowStation(BorrowedDesktopHandle(1, "x"), script.backend)
    with pytest.raises(TypeError):
        Desktop(BorrowedWindowStationHandle(1, "x"), script.backend)
    with pytest.raises(TypeError):
        Desktop(1, script.backend)  # type: ignore[arg-type]
    assert script.calls == []


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda api: STATION.open(None, backend=api), TypeError, "name"),
        (lambda api: STATION.open("a", "all", backend=api), TypeError, "access"),
        (lambda api: STATION.open("a", -1, backend=api), ValidationError, "access"),
        (lambda api: STATION.open("a", inherit=1, backend=api), TypeError, "inherit"),
        (lambda api: STATION.create("a", True, backend=api), TypeError, "flags"),
        (lambda api: STATION.create("a", security=7, backend=api), TypeError, "security"),
        (lambda api: DESKTOP.open(7, backend=api), TypeError, "name"),
        (lambda api: DESKTOP.open("a", flags=1 << 32, backend=api), ValidationError, "flags"),
        (lambda api: DESKTOP.create(None, backend=api), TypeError, "name"),
        (lambda api: DESKTOP.create("a\0b", backend=api), ValidationError, "name"),
        (lambda api: DESKTOP.input(None, backend=api), TypeError, "access"),
        (lambda api: DESKTOP.of_thread("7", backend=api), TypeError, "thread_id"),
    ],
)
def test_invalid_arguments_raise_before_any_backend_call(
    call: Callable[[object], object], error: type[Exception], message: str
) -> None:
    script = Recorder()
    with pytest.raises(error, match=message):
        call(script)
    assert script.calls == []


@pytest.mark.parametrize("code", [3, 5, 6, 161])
def test_open_with_invalid_name_raises_invalid_name_for_any_error_code(code: int) -> None:
    script = Recorder(open_desktop=win32_error(code, "OpenDesktopW"))
    for name, why in (("a\\b", "backslash"), ("", "empty")):
        with pytest.raises(InvalidNameError, match=why) as caught:
            Desktop.open(name, backend=script.backend)
        assert (caught.value.winerror, caught.value.function) == (code, "OpenDesktopW")
    with pytest.raises(Win32Error) as other:
        Desktop.open("fine", backend=script.backend)
    assert "backslash" not in str(other.value)


def test_open_station_with_empty_name_raises_not_found() -> None:
    script = Recorder(open_window_station=win32_error(2, "OpenWindowStationW"))
    with pytest.raises(NotFoundError):
        WindowStation.open("", backend=script.backend)


# ------------------------------------------------------------------------------------ closing


def in_use(script: Recorder, code: int = 5) -> Callable[[int], None]:
    """A ``CloseWindowStation`` that refuses the process's own."""

    def close(handle: int) -> None:
        if script.answers["get_process_window_station"] == handle:
            raise win32_error(code, "CloseWindowStation")
        script.open.discard(handle)

    return close


def test_close_of_process_station_raises_in_use_and_keeps_it_open() -> None:
    script = Recorder()
    script.answers["close_window_station"] = in_use(script)
    station = WindowStation.create("S", backend=script.backend)
    (value,) = script.open
    script.answers["get_process_window_station"] = value
    with pytest.raises(ObjectInUseError, match="the process is on this window station") as caught:
        station.close()
    assert (caught.value.winerror, caught.value.function) == (5, "CloseWindowStation")
    assert "open" in repr(station)
    assert station.name  # still of use
    script.answers["get_process_window_station"] = 0x44
    station.close()
    assert station.closed
    assert not script.open


def test_unclosed_process_station_gives_no_resource_warning() -> None:
    script = Recorder()
    script.answers["close_window_station"] = in_use(script)
    station = WindowStation.create("S", backend=script.backend)
    (script.answers["get_process_window_station"],) = script.open
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        del station
        gc.collect()
    assert caught == []
    assert script.open  # nor was it closed


def test_close_with_other_error_raises_and_marks_station_closed() -> None:
    script = Recorder(close_window_station=win32_error(6, "CloseWindowStation"))
    station = WindowStation.create("S", backend=script.backend)
    with pytest.raises(HandleClosedError):
        station.close()
    assert station.closed
    station.close()
    assert len(script.called("close_window_station")) == 1


def test_close_error_at_block_exit_does_not_hide_body_error() -> None:
    script = Recorder(close_desktop=win32_error(170, "CloseDesktop"))
    with pytest.raises(BodyError), Desktop.create("D", backend=script.backend) as desktop:
        raise BodyError
    with pytest.raises(ObjectInUseError, match="A thread of this process is on it"), desktop:
        pass
    script.answers["close_desktop"] = script.open.discard
    desktop.close()
    assert desktop.closed
    assert not script.open


def test_refused_close_during_call_raises_in_use_and_keeps_desktop_open() -> None:
    script = Recorder(close_desktop=win32_error(170, "CloseDesktop"))
    desktop = Desktop.create("D", backend=script.backend)
    script.answers["switch_desktop"] = lambda handle: desktop.close()
    with pytest.raises(ObjectInUseError):
        desktop.switch_to()
    assert not desktop.closed
    script.answers["close_desktop"] = script.open.discard
    desktop.close()
    assert "closed" in repr(desktop)
    assert not script.open


# ------------------------------------------------------------------------------------ switching


def test_as_process_station_restores_previous_station_after_error() -> None:
    script = Recorder()
    with WindowStation.open("S", backend=script.backend) as station:
        (value,) = script.open
        with pytest.raises(BodyError), station.as_process_station():
            raise BodyError
        changes = script.called("set_process_window_station")
        assert [call.station for call in changes] == [value, 0x44]


def test_as_thread_desktop_restores_previous_desktop_after_error() -> None:
    script = Recorder()
    with Desktop.open("D", backend=script.backend) as desktop:
        (value,) = script.open
        with pytest.raises(BodyError), desktop.as_thread_desktop():
            raise BodyError
        assert [call.desktop for call in script.called("set_thread_desktop")] == [value, 0x48]
        assert script.called("get_thread_desktop")[0].thread_id == 7


def test_switch_that_fails_on_entry_restores_nothing() -> None:
    script = Recorder(
        set_process_window_station=win32_error(5, "SetProcessWindowStation"),
        set_thread_desktop=win32_error(170, "SetThreadDesktop"),
    )
    station = WindowStation.open("S", backend=script.backend)
    desktop = Desktop.open("D", backend=script.backend)
    with station, desktop:
        with pytest.raises(AccessDeniedError), station.as_process_station():
            pytest.fail("it must not get here")
        with pytest.raises(ObjectInUseError, match="This thread owns windows or hooks") as caught:
            with desktop.as_thread_desktop():
                pytest.fail("it must not get here")
    assert caught.value.service == "D"
    assert len(script.called("set_process_window_station")) == 1
    assert len(script.called("set_thread_desktop")) == 1


def test_as_thread_desktop_with_failing_restore_raises_with_body_error_as_context() -> None:
    script = Recorder()
    desktop = Desktop.open("D", backend=script.backend)

    def move(handle: int) -> None:
        if handle == 0x48:
            raise win32_error(170, "SetThreadDesktop")

    script.answers["set_thread_desktop"] = move
    with desktop, pytest.raises(ObjectInUseError, match="stays on the desktop") as caught:
        with desktop.as_thread_desktop():
            raise BodyError
    assert isinstance(caught.value.__context__, BodyError)


def test_as_thread_desktop_retries_restore_from_previous_station() -> None:
    """As on Wine, which wants the process on the desktop's station."""
    script = Recorder()
    process = [0x44]

    def go(handle: int) -> None:
        process[0] = handle

    def move(handle: int) -> None:
        if handle == 0x48 and process[0] != 0x44:
            raise win32_error(5, "SetThreadDesktop")

    script.answers["get_process_window_station"] = lambda: process[0]
    script.answers["set_process_window_station"] = go
    script.answers["set_thread_desktop"] = move
    with WindowStation.create("S", backend=script.backend).as_process_station():
        there = process[0]
        with Desktop.create("D", backend=script.backend) as desktop, desktop.as_thread_desktop():
            pass
        assert [call.desktop for call in script.called("set_thread_desktop")][-2:] == [0x48, 0x48]
        assert process[0] == there != 0x44
    assert process[0] == 0x44
    with WindowStation.create("S", backend=script.backend) as station:
        station.set_for_process()  # for good: nobody knows the way back
        with Desktop.create("D", backend=script.backend) as desktop:
            with pytest.raises(AccessDeniedError), desktop.as_thread_desktop():
                pass


def test_as_thread_desktop_exit_on_other_thread_raises_runtime_error() -> None:
    script = Recorder(get_current_thread_id=threading.get_native_id)
    block = Desktop.open("D", backend=script.backend).as_thread_desktop()
    block.__enter__()
    errors: list[BaseException] = []

    def leave() -> None:
        try:
            block.__exit__(None, None, None)
        except RuntimeError as error:
            errors.append(error)

    thread = threading.Thread(target=leave)
    thread.start()
    thread.join()
    assert "which is not this one" in str(errors[0])
    assert len(script.called("set_thread_desktop")) == 1  # the other thread was left alone
    assert not script.open


@pytest.mark.parametrize("named", [False, True])
def test_as_process_station_closes_only_unreferenced_station_after_block(named: bool) -> None:
    script = Recorder()
    kept = WindowStation.open("S", backend=script.backend) if named else None
    block = kept or WindowStation.open("S", backend=script.backend)
    del kept
    switch = block.as_process_station()
    if not named:
        del block
    with switch as own:
        assert own.borrowed
        assert script.open
    del switch
    assert len(script.open) == named
    if named:
        assert not block.closed
        block.close()
    names = [call.method for call in script.calls]
    assert names.index("close_window_station") > names.index("set_process_window_station")


def test_as_process_station_restores_before_closing_station() -> None:
    script = Recorder()
    with WindowStation.open("S", backend=script.backend).as_process_station():
        pass
    assert [call.method for call in script.calls][-2:] == [
        "set_process_window_station",
        "close_window_station",
    ]


def test_names_and_current_use_default_backend() -> None:
    from winsvc.backend import use_backend

    script = Recorder(enum_window_stations=["WinSta0"])
    with use_backend(script.backend):
        assert WindowStation.names() == ["WinSta0"]
        assert WindowStation.current().borrowed
        assert Desktop.current().borrowed
