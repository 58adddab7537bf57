"""Window stations and desktops on a backend with scripted answers."""

from __future__ import annotations

import gc
import threading
import warnings
from collections.abc import Callable
from functools import partial
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
from winsvc._scm.handles import ServiceHandle
from winsvc._values.rows import UserObjectFlagsRow
from winsvc.errors import ObjectInUseError, win32_error

SDDL = "D:(A;;GA;;;SY)"
SERVICE_HANDLE = partial(ServiceHandle, machine=None)
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
    for opened in (
        WindowStation.open("S", **given),
        WindowStation.open("S", WindowStationAccess.ENUMERATE, inherit=True, **given),
        WindowStation.create(**given),
        WindowStation.create(
            "S",
            WindowStationAccess.ALL_ACCESS,
            SDDL,
            create_only=True,
            inherit=True,
            **given,
        ),
        Desktop.open("D", **given),
        Desktop.open(
            "D",
            DesktopAccess.SWITCH_DESKTOP,
            allow_account_hooks=True,
            inherit=True,
            **given,
        ),
        Desktop.open_input(**given),
        Desktop.create("D", **given),
        Desktop.create("D", security=content, access=DesktopAccess(0xF0), inherit=True, **given),
    ):
        opened.close()
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
    """A NULL handle lists window stations on some systems."""
    script = Recorder(enum_desktops=["Default"])
    assert WindowStation.current(backend=script.backend).desktop_names() == ["Default"]
    assert [call.station for call in script.called("enum_desktops")] == [0x44]


def test_configure_keeps_flags_that_are_not_given() -> None:
    script = Recorder(query_user_object_flags=UserObjectFlagsRow(1, 0, 0x11))
    station = WindowStation.current(backend=script.backend)
    assert station.visible()
    assert station.handle_inherited()
    station.configure(visible=False)
    station.configure(handle_inherited=False)
    station.configure(visible=True, handle_inherited=True)
    assert [(call.user_object, call.row) for call in script.called("set_user_object_flags")] == [
        (0x44, UserObjectFlagsRow(1, 0, 0x10)),
        (0x44, UserObjectFlagsRow(0, 0, 0x11)),
        (0x44, UserObjectFlagsRow(1, 0, 0x11)),
    ]


def test_configure_without_settings_makes_no_call() -> None:
    script = Recorder()
    Desktop(BorrowedDesktopHandle(0x48, "x"), script.backend).configure()
    assert script.calls == []


@pytest.mark.parametrize("setting", ["allows_account_hooks", "handle_inherited"])
def test_configure_with_setting_of_other_type_raises_before_any_call(setting: str) -> None:
    script = Recorder()
    desktop: Any = Desktop(BorrowedDesktopHandle(0x48, "x"), script.backend)
    with pytest.raises(TypeError, match=f"{setting}: expected bool, not int"):
        desktop.configure(**{setting: 1})
    assert script.calls == []


def test_desktop_queries_return_backend_values_or_raise_unsupported() -> None:
    sid = SecurityDescriptor.from_sddl("O:SY").owner
    assert sid is not None
    script = Recorder(
        query_user_object_sid=sid.to_bytes(),
        query_user_object_number=lambda handle, index: {5: 20480, 6: 1}[index],
    )
    desktop = Desktop.current(backend=script.backend)
    assert (desktop.user_sid(), desktop.heap_size(), desktop.receives_input()) == (
        sid,
        20480,
        True,
    )
    script.answers["query_user_object_sid"] = None
    assert desktop.user_sid() is None
    refusal = win32_error(87, "GetUserObjectInformationW")
    script.answers["query_user_object_number"] = refusal
    with pytest.raises(UnsupportedError, match="query of the heap size") as caught:
        desktop.heap_size()
    assert caught.value.__cause__ is refusal
    assert caught.value.winerror == 87


def test_windows_with_unreadable_title_or_class_returns_none_fields() -> None:
    missing = win32_error(1400, "GetClassNameW")

    def text(window: int) -> str:
        if window == 2:
            raise missing
        return "Title"

    script = Recorder(enum_desktop_windows=[1, 2], get_window_text=text, get_class_name=missing)
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
    assert hint.endswith("The handle was opened with DesktopAccess.READ_OBJECTS | ENUMERATE only.")


def test_borrowed_desktop_access_denied_hint_names_needed_right_only() -> None:
    script = Recorder(switch_desktop=win32_error(5, "SwitchDesktop"))
    with pytest.raises(AccessDeniedError) as caught:
        Desktop.current(backend=script.backend).switch_to()
    assert caught.value.hint == "Needed: DesktopAccess.SWITCH_DESKTOP."


def test_open_access_denied_hint_names_requested_access() -> None:
    script = Recorder(open_input_desktop=win32_error(5, "OpenInputDesktop"))
    with pytest.raises(AccessDeniedError) as caught:
        Desktop.open_input(DesktopAccess.ENUMERATE, backend=script.backend)
    assert caught.value.hint == "Requested: DesktopAccess.ENUMERATE."


# ------------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (WindowStation, DesktopHandle),
        (WindowStation, SERVICE_HANDLE),
        (Desktop, WindowStationHandle),
        (Desktop, SERVICE_HANDLE),
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
    assert freed == [1]  # it still belongs to its owner


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
        (lambda api: STATION.create("a", create_only=1, backend=api), TypeError, "create_only"),
        (lambda api: STATION.create("a", security=7, backend=api), TypeError, "security"),
        (lambda api: DESKTOP.open(7, backend=api), TypeError, "name"),
        (lambda api: DESKTOP.open("a", 1 << 32, backend=api), ValidationError, "access"),
        (lambda api: DESKTOP.create(None, backend=api), TypeError, "name"),
        (lambda api: DESKTOP.create("a\0b", backend=api), ValidationError, "name"),
        (lambda api: DESKTOP.open_input(None, backend=api), TypeError, "access"),
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
    """Return a ``CloseWindowStation`` that refuses the window station of the process."""

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
    with pytest.raises(ObjectInUseError, match="the process uses this window station") as caught:
        station.close()
    assert (caught.value.winerror, caught.value.function) == (5, "CloseWindowStation")
    assert "open" in repr(station)
    assert station.name()  # still of use
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
    assert script.open  # it was not closed


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
    with (
        pytest.raises(ObjectInUseError, match="A thread of this process uses the desktop"),
        desktop,
    ):
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


def test_process_window_station_restores_previous_station_after_error() -> None:
    script = Recorder()
    with WindowStation.open("S", backend=script.backend) as station:
        (value,) = script.open
        with pytest.raises(BodyError), station.process_window_station():
            raise BodyError
        changes = script.called("set_process_window_station")
        assert [call.station for call in changes] == [value, 0x44]


def test_thread_desktop_restores_previous_desktop_after_error() -> None:
    script = Recorder()
    with Desktop.open("D", backend=script.backend) as desktop:
        (value,) = script.open
        with pytest.raises(BodyError), desktop.thread_desktop():
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
        with pytest.raises(AccessDeniedError), station.process_window_station():
            pytest.fail("the block was entered")
        with pytest.raises(ObjectInUseError, match="The thread owns windows or hooks") as caught:
            with desktop.thread_desktop():
                pytest.fail("the block was entered")
    assert caught.value.object_name == "D"
    assert len(script.called("set_process_window_station")) == 1
    assert len(script.called("set_thread_desktop")) == 1


def test_thread_desktop_with_failing_restore_raises_with_body_error_as_context() -> None:
    script = Recorder()
    desktop = Desktop.open("D", backend=script.backend)

    def move(handle: int) -> None:
        if handle == 0x48:
            raise win32_error(170, "SetThreadDesktop")

    script.answers["set_thread_desktop"] = move
    with desktop, pytest.raises(ObjectInUseError, match="stays on the desktop") as caught:
        with desktop.thread_desktop():
            raise BodyError
    assert isinstance(caught.value.__context__, BodyError)


def test_thread_desktop_retries_restore_from_previous_station() -> None:
    """Wine assigns threads only to desktops of the window station of the process."""
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
    with (
        WindowStation.create("S", backend=script.backend) as station,
        station.process_window_station(),
    ):
        current = process[0]
        with Desktop.create("D", backend=script.backend) as desktop, desktop.thread_desktop():
            pass
        assert [call.desktop for call in script.called("set_thread_desktop")][-2:] == [0x48, 0x48]
        assert process[0] == current != 0x44
    assert process[0] == 0x44
    with WindowStation.create("S", backend=script.backend) as station:
        station.set_process_window_station()  # outside of a block: the previous station is unknown
        with Desktop.create("D", backend=script.backend) as desktop:
            with pytest.raises(AccessDeniedError), desktop.thread_desktop():
                pass


def test_thread_desktop_exit_on_other_thread_raises_runtime_error() -> None:
    script = Recorder(get_current_thread_id=threading.get_native_id)
    desktop = Desktop.open("D", backend=script.backend)
    block = desktop.thread_desktop()
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
    assert "ended on another thread" in str(errors[0])
    assert len(script.called("set_thread_desktop")) == 1  # the other thread keeps its desktop
    desktop.close()
    assert not script.open


def test_switch_blocks_without_other_reference_close_nothing() -> None:
    """The result does not depend on reference counts."""
    script = Recorder()
    station = WindowStation.open("S", backend=script.backend)
    desktop = Desktop.open("D", backend=script.backend)
    blocks = [station.process_window_station(), desktop.thread_desktop()]
    for block in blocks:
        with block:
            pass
    assert len(script.open) == 2
    assert not script.called("close_window_station", "close_desktop")
    station.close()
    desktop.close()


def test_names_and_current_use_default_backend() -> None:
    from winsvc.backend import use_backend

    script = Recorder(enum_window_stations=["WinSta0"])
    with use_backend(script.backend):
        assert WindowStation.names() == ["WinSta0"]
        assert WindowStation.current().borrowed
        assert Desktop.current().borrowed
