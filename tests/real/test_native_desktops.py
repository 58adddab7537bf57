"""Window stations and desktops: real windows, and the callbacks of the compiled module."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator

import pytest
from differences import on_wine

from winsvc import Desktop, HandleClosedError, Win32Error
from winsvc._native import NativeBackend, desktops
from winsvc.errors import ObjectInUseError
from winsvc.security import SecurityDescriptor

MESSAGE_ONLY = ctypes.c_void_p(-3)  # HWND_MESSAGE: needs no display
backend = NativeBackend()
user32 = ctypes.CDLL("user32")
user32.CreateWindowExW.restype = user32.SetWindowsHookExW.restype = ctypes.c_void_p


def make_window(title: str = "", parent: ctypes.c_void_p | None = MESSAGE_ONLY) -> int:
    nothing = ctypes.c_void_p()
    window: int | None = user32.CreateWindowExW(
        *(0, "STATIC", title, 0, 0, 0, 0, 0, parent, nothing, nothing, nothing)
    )
    assert window
    return window


def destroy_window(window: int) -> None:
    assert user32.DestroyWindow(ctypes.c_void_p(window))


@pytest.fixture
def desktop(unique_name: Callable[[], str]) -> Iterator[Desktop]:
    with Desktop.create(unique_name()) as created:
        yield created


# ------------------------------------------------------------------------------------ windows


def test_set_thread_desktop_with_open_window_raises_object_in_use(desktop: Desktop) -> None:
    window = make_window()
    try:
        with pytest.raises(ObjectInUseError, match="owns windows or hooks") as caught:
            desktop.set_thread_desktop()
        assert (caught.value.winerror, caught.value.function) == (170, "SetThreadDesktop")
        with pytest.raises(ObjectInUseError), desktop.thread_desktop():
            pytest.fail("the block was entered")
    finally:
        destroy_window(window)
    with desktop.thread_desktop():
        assert Desktop.current().name() == desktop.name()


def test_set_thread_desktop_with_hook_raises_object_in_use(desktop: Desktop) -> None:
    function = ctypes.CFUNCTYPE(ctypes.c_ssize_t, ctypes.c_int, ctypes.c_size_t, ctypes.c_ssize_t)
    procedure = function(lambda code, first, second: 0)
    thread = backend.get_current_thread_id()
    hook = user32.SetWindowsHookExW(5, procedure, ctypes.c_void_p(), thread)  # WH_CBT
    assert hook
    try:
        with pytest.raises(ObjectInUseError, match="owns windows or hooks"):
            desktop.set_thread_desktop()
    finally:
        assert user32.UnhookWindowsHookEx(ctypes.c_void_p(hook))
    with desktop.thread_desktop():
        assert Desktop.current().name() == desktop.name()


def test_thread_desktop_block_with_window_left_open_raises_object_in_use(desktop: Desktop) -> None:
    before = Desktop.current()
    window = 0
    try:
        with pytest.raises(ObjectInUseError, match="stays on the desktop of the with block"):
            with desktop.thread_desktop():
                window = make_window()
        assert Desktop.current().name() == desktop.name()
    finally:
        destroy_window(window)
        before.set_thread_desktop()
    assert Desktop.current().name() == before.name()


def test_windows_of_desktop_include_an_own_window(desktop: Desktop) -> None:
    with desktop.thread_desktop():
        assert desktop.windows() == []
        window = make_window("Titel äöü", parent=None)
        try:
            found = desktop.windows()
        finally:
            destroy_window(window)
        assert desktop.windows() == []
    titles = {each.handle: (each.title, (each.class_name or "").lower()) for each in found}
    assert titles[window] == ("Titel äöü", "static")


@pytest.mark.parametrize("title", ["", "Titel äöü \U0001f600", "x" * 2047, "x" * 2048, "y" * 9000])
def test_window_text_reads_back_until_destroyed(title: str) -> None:
    window = make_window(title)
    try:
        assert backend.get_window_text(window) == title
        assert backend.get_class_name(window).lower() == "static"
    finally:
        destroy_window(window)
    with pytest.raises(Win32Error) as caught:
        backend.get_window_text(window)
    assert (caught.value.winerror, caught.value.function) == (1400, "InternalGetWindowText")
    with pytest.raises(Win32Error) as caught:
        backend.get_class_name(window)
    assert caught.value.winerror == (87 if on_wine() else 1400)


# ------------------------------------------------------------------------------------ callbacks


class Troublesome(list[str]):
    def append(self, name: str) -> None:
        raise self.error

    error: BaseException = ValueError("from the callback")


def raising(error: BaseException) -> type[desktops._Listing]:
    class Listing(desktops._Listing):
        def __init__(self) -> None:
            super().__init__()
            self.names = Troublesome()
            self.names.error = error

    return Listing


@pytest.mark.parametrize("error", [ValueError("from the callback"), KeyboardInterrupt()])
def test_enumeration_with_raising_callback_raises_that_error(
    error: BaseException, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    station = backend.get_process_window_station()
    with monkeypatch.context() as patched:
        patched.setattr(desktops, "_Listing", raising(error))
        for enumerate_names in (
            backend.enum_window_stations,
            lambda: backend.enum_desktops(station),
        ):
            with pytest.raises(type(error)) as caught:
                enumerate_names()
            assert caught.value is error
    assert "WinSta0" in backend.enum_window_stations()
    assert desktops._enumerations.listings == []
    assert capfd.readouterr() == ("", "")  # it is not printed either


def test_nested_enumerations_return_same_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signal handler can run during an enumeration."""
    plain, inner = desktops._Listing, list[list[str]]()

    class Nosy(list[str]):
        def append(self, name: str) -> None:
            super().append(name)
            monkeypatch.setattr(desktops, "_Listing", plain)
            inner.append(backend.enum_window_stations())

    class Listing(plain):  # type: ignore[misc, valid-type]
        def __init__(self) -> None:
            super().__init__()
            self.names = Nosy()

    monkeypatch.setattr(desktops, "_Listing", Listing)
    outer = backend.enum_window_stations()
    assert inner == [outer] * len(outer)


# ------------------------------------------------------------------------------------ handles


@pytest.mark.parametrize("bad", [0xFFFFFFFFFFFFFFFF, 0x7FFFFFF4])
def test_calls_with_invalid_handle_raise_handle_closed(bad: int) -> None:
    for call in (
        backend.enum_desktops,
        backend.set_process_window_station,
        backend.close_window_station,
        backend.set_thread_desktop,
        backend.close_desktop,
        backend.query_user_object_flags,
    ):
        with pytest.raises(HandleClosedError) as caught:
            call(bad)
        assert caught.value.winerror == 6


def test_calls_with_handle_of_other_type_raise_handle_closed() -> None:
    station = backend.get_process_window_station()
    desktop = backend.get_thread_desktop(backend.get_current_thread_id())
    for call in (
        backend.enum_desktops,
        backend.set_process_window_station,
        backend.close_window_station,
    ):
        with pytest.raises(HandleClosedError):
            call(desktop)
    for desktop_call in (backend.set_thread_desktop, backend.close_desktop):
        with pytest.raises(HandleClosedError):
            desktop_call(station)
    assert backend.get_process_window_station() == station


def test_user_object_security_is_self_relative() -> None:
    """Wine returns an absolute one."""
    content = backend.get_user_object_security(backend.get_process_window_station(), 7)
    assert SecurityDescriptor.from_bytes(content).to_bytes() == content
