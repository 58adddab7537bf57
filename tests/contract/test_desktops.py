"""Window stations and desktops."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator

import pytest
from differences import Differs
from support import simulated_only

from winsvc import (
    AccessDeniedError,
    Desktop,
    DesktopAccess,
    HandleClosedError,
    InvalidNameError,
    InvalidParameterError,
    InvalidSecurityError,
    NotFoundError,
    SecurityInformation,
    UnsupportedError,
    ValidationError,
    Win32Error,
    WindowStation,
    WindowStationAccess,
)
from winsvc.backend import default_backend
from winsvc.errors import AlreadyExistsError, ObjectInUseError
from winsvc.security import Acl
from winsvc.testing import SimulatedSCM

Namer = Callable[[], str]
ALL_STATION = WindowStationAccess(0xF037F)


@pytest.fixture(autouse=True)
def nothing_left(backend: str) -> Iterator[None]:
    """Check that a test restores the process and, in the simulation, leaves no handle open."""
    before = assignments()
    yield
    assert assignments() == before
    if backend == "simulated":
        sim = default_backend()
        assert isinstance(sim, SimulatedSCM)
        assert sim.open_desktop_handles == 0


def assignments() -> tuple[int, int, list[str]]:
    """Return the process's window station, the thread's desktop, and the station names."""
    api = default_backend()
    station = api.get_process_window_station()
    return station, api.get_thread_desktop(api.get_current_thread_id()), WindowStation.names()


@pytest.fixture
def station(unique_name: Namer) -> Iterator[WindowStation]:
    """A window station for the test."""
    with WindowStation.create(unique_name()) as created:
        yield created


@pytest.fixture
def desktop(unique_name: Namer) -> Iterator[Desktop]:
    """A desktop for the test, in the window station of the process."""
    with Desktop.create(unique_name()) as created:
        yield created


# ------------------------------------------------------------------------------------ current


def test_current_station_and_desktop_are_winsta0_and_default() -> None:
    with WindowStation.current() as station, Desktop.current() as desktop:
        assert (station.name(), station.object_type()) == ("WinSta0", "WindowStation")
        assert (desktop.name(), desktop.object_type()) == ("Default", "Desktop")
        assert station.name() in WindowStation.names()
        assert desktop.name() in station.desktop_names()
        assert station.visible()
        assert not desktop.allows_account_hooks()
    assert station.borrowed
    assert not station.closed
    assert station.name() == "WinSta0"  # the block closed nothing


@pytest.mark.parametrize("kind", [WindowStation, Desktop])
def test_close_of_borrowed_object_raises_object_in_use(kind: type[WindowStation | Desktop]) -> None:
    own = kind.current()
    with pytest.raises(
        ObjectInUseError, match="cannot be closed: the handle is borrowed"
    ) as caught:
        own.close()
    assert caught.value.winerror == 170
    assert own.name()
    assert "borrowed" in repr(own)


def test_listed_stations_and_desktops_open_by_name() -> None:
    for name in WindowStation.names():
        with WindowStation.open(name, WindowStationAccess.ENUMERATE) as station:
            assert station.name() == name
    names = WindowStation.current().desktop_names()
    assert "Default" in names
    for name in names:
        with Desktop.open(name, DesktopAccess.ENUMERATE) as desktop:
            assert desktop.name() == name


# ------------------------------------------------------------------------------------ creating


def test_created_station_is_listed_until_closed(unique_name: Namer) -> None:
    name = unique_name()
    with WindowStation.create(name) as created:
        assert name in WindowStation.names()
        assert created.desktop_names() == []
        assert not created.visible()
        with WindowStation.open(name.upper()) as again:
            assert again.name() == name
        assert name in WindowStation.names()
    assert created.closed
    created.close()
    assert name not in WindowStation.names()
    with pytest.raises(NotFoundError):
        WindowStation.open(name)


def test_create_station_without_name_uses_logon_session_name() -> None:
    with WindowStation.create() as created:
        assert created.name().startswith("Service-0x")
        assert created.name().endswith("$")
        with WindowStation.open("") as again:
            assert again.name() == created.name()


def test_create_existing_station_opens_it_unless_create_only(station: WindowStation) -> None:
    with WindowStation.create(station.name().upper()) as again:
        assert again.name() == station.name()
    with pytest.raises(AlreadyExistsError) as caught:
        WindowStation.create(station.name(), create_only=True)
    assert (caught.value.winerror, caught.value.function) == (183, "CreateWindowStationW")
    assert caught.value.object_name == station.name()
    assert isinstance(caught.value, FileExistsError)


def test_created_desktop_is_listed_until_closed(unique_name: Namer) -> None:
    name = unique_name()
    with Desktop.create(name) as created:
        assert name in WindowStation.current().desktop_names()
        assert created.windows() == []
        with Desktop.create(name.upper()) as again:
            assert again.name() == name
        with Desktop.open(name.upper(), DesktopAccess.READ_OBJECTS) as opened:
            assert (opened.name(), opened.object_type()) == (name, "Desktop")
    assert name not in WindowStation.current().desktop_names()
    with pytest.raises(NotFoundError):
        Desktop.open(name)


def test_input_desktop_is_default_and_not_borrowed() -> None:
    with Desktop.open_input() as first, Desktop.open_input(DesktopAccess.ENUMERATE) as second:
        assert first.name() == second.name() == "Default"
        assert not first.borrowed


# ------------------------------------------------------------------------------------ bad input


def test_open_missing_station_or_desktop_raises_not_found() -> None:
    for opener, function in (
        (WindowStation.open, "OpenWindowStationW"),
        (Desktop.open, "OpenDesktopW"),
    ):
        with pytest.raises(NotFoundError) as caught:
            opener("winsvc-no-such-object")
        error = caught.value
        assert (error.winerror, error.function) == (2, function)
        assert error.object_name == "winsvc-no-such-object"
        assert isinstance(error, LookupError)


@pytest.mark.parametrize(
    "make", [WindowStation.open, WindowStation.create, Desktop.open, Desktop.create]
)
def test_name_with_backslash_raises_invalid_name(
    make: Callable[[str], object], backend: str, wine_differs: Differs
) -> None:
    station = make in (WindowStation.open, WindowStation.create)
    if wine_differs("backslash"):
        codes = {6} if station else {161}
    elif backend == "simulated":
        codes = {3} if station else {161}
    else:  # by the version of Windows
        codes = {3, 5, 161}
    with pytest.raises(InvalidNameError, match="the name must not contain a backslash") as caught:
        make("WinSta0\\Default")
    assert caught.value.object_name == "WinSta0\\Default"
    assert caught.value.winerror in codes


@pytest.mark.parametrize("make", [Desktop.open, Desktop.create])
def test_desktop_with_empty_name_raises_invalid_name(make: Callable[[str], object]) -> None:
    with pytest.raises(InvalidNameError, match="the name must not be empty"):
        make("")


@pytest.mark.parametrize(
    "make", [WindowStation.open, WindowStation.create, Desktop.open, Desktop.create]
)
def test_name_as_bytes_or_with_nul_is_refused(make: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="name: expected str, not bytes"):
        make(b"WinSta0")
    with pytest.raises(ValidationError, match="name: must not contain a NUL"):
        make("Win\0Sta")


def test_of_thread_with_invalid_thread_id_raises_error() -> None:
    with pytest.raises(InvalidParameterError) as caught:
        Desktop.of_thread(0xFFFFFFF0)
    assert (caught.value.winerror, caught.value.function) == (87, "GetThreadDesktop")
    with pytest.raises(ValidationError, match="thread_id"):
        Desktop.of_thread(-1)


def test_open_with_access_of_other_type_raises_type_error() -> None:
    with pytest.raises(TypeError, match="access: expected WindowStationAccess, not DesktopAccess"):
        WindowStation.open("WinSta0", DesktopAccess.ENUMERATE)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="access: expected DesktopAccess, not WindowStationAccess"):
        Desktop.open("Default", WindowStationAccess.ENUMERATE)  # type: ignore[arg-type]


def test_create_with_malformed_security_raises_invalid_security(unique_name: Namer) -> None:
    for make in (WindowStation.create, Desktop.create):
        with pytest.raises(InvalidSecurityError):
            make(unique_name(), security="nonsense")
        with pytest.raises(InvalidSecurityError):
            make(unique_name(), security=b"\1\0\4\x80")


def test_closed_station_and_desktop_raise_handle_closed(unique_name: Namer) -> None:
    name = unique_name()
    station, desktop = WindowStation.create(name), Desktop.create(name)
    for item in (station, desktop):
        item.close()
        item.close()
        assert item.closed
        assert "closed" in repr(item)
    uses: list[Callable[[], object]] = [
        station.desktop_names,
        station.set_process_window_station,
        station.process_window_station().__enter__,
        station.name,
        station.visible,
        station.handle_inherited,
        station.security,
        desktop.windows,
        desktop.switch_to,
        desktop.set_thread_desktop,
        desktop.thread_desktop().__enter__,
        desktop.heap_size,
        lambda: desktop.configure(handle_inherited=True),
        lambda: desktop.set_security("D:(A;;GA;;;WD)"),
    ]
    for use in uses:
        with pytest.raises(HandleClosedError, match="closed") as caught:
            use()
        assert caught.value.object_name == name


def test_unclosed_station_and_desktop_warn_and_close(unique_name: Namer) -> None:
    name = unique_name()
    with pytest.warns(ResourceWarning, match=f"unclosed <WindowStationHandle of .*{name}"):
        WindowStation.create(name)
        gc.collect()
    with pytest.warns(ResourceWarning, match=f"unclosed <DesktopHandle of .*{name}"):
        Desktop.create(name)
        gc.collect()
    assert name not in WindowStation.names() + WindowStation.current().desktop_names()


# ------------------------------------------------------------------------------------ rights


def test_desktops_without_enumerate_right_raises_access_denied(station: WindowStation) -> None:
    with WindowStation.open(station.name(), WindowStationAccess.READ_ATTRIBUTES) as reader:
        assert reader.name() == station.name()
        with pytest.raises(AccessDeniedError) as caught:
            reader.desktop_names()
    error = caught.value
    assert (error.winerror, error.function) == (5, "EnumDesktopsW")
    assert error.object_name == station.name()
    assert error.hint == (
        "Needed: WindowStationAccess.ENUM_DESKTOPS. "
        "The handle was opened with WindowStationAccess.READ_ATTRIBUTES only."
    )


def test_handle_without_any_right_still_reads_name(
    station: WindowStation, desktop: Desktop
) -> None:
    with WindowStation.open(station.name(), WindowStationAccess(0)) as bare:
        assert bare.name() == station.name()
    with Desktop.open(desktop.name(), DesktopAccess(0)) as bare_desktop:
        assert bare_desktop.name() == desktop.name()


def test_create_desktop_on_read_only_station_raises_access_denied(
    station: WindowStation, unique_name: Namer
) -> None:
    with WindowStation.open(station.name()) as reader, reader.process_window_station():
        with pytest.raises(AccessDeniedError) as caught:
            Desktop.create(unique_name())
    assert caught.value.function == "CreateDesktopW"


# ------------------------------------------------------------------------------------ information


def test_configured_station_flags_read_back(station: WindowStation, wine_differs: Differs) -> None:
    inherited = not wine_differs("user-object-flags")
    assert (station.visible(), station.handle_inherited()) == (False, False)
    station.configure(visible=True)
    assert (station.visible(), station.handle_inherited()) == (True, False)
    station.configure(handle_inherited=True)
    assert (station.visible(), station.handle_inherited()) == (True, inherited)
    station.configure(visible=False, handle_inherited=False)
    assert (station.visible(), station.handle_inherited()) == (False, False)
    station.configure(visible=True, handle_inherited=True)
    station.configure()
    with pytest.raises(TypeError, match="handle_inherited: expected bool"):
        station.configure(handle_inherited=1)  # type: ignore[arg-type]
    assert (station.visible(), station.handle_inherited()) == (True, inherited)


def test_configured_desktop_hooks_flag_reads_back(desktop: Desktop, unique_name: Namer) -> None:
    assert not desktop.allows_account_hooks()
    desktop.configure(allows_account_hooks=True)
    assert desktop.allows_account_hooks()
    desktop.configure(allows_account_hooks=False)
    assert not desktop.allows_account_hooks()


def test_create_station_with_inherit_sets_inherit_flag(
    unique_name: Namer, wine_differs: Differs
) -> None:
    name = unique_name()
    with WindowStation.create(name, inherit=True) as created, WindowStation.open(name) as opened:
        assert created.handle_inherited() is not wine_differs("user-object-flags")
        assert not opened.handle_inherited()


def test_desktop_information_reads_or_is_unsupported_on_wine(
    desktop: Desktop, wine_differs: Differs
) -> None:
    if wine_differs("user-object-info"):
        for read in (
            desktop.user_sid,
            desktop.heap_size,
            desktop.receives_input,
        ):
            with pytest.raises(
                UnsupportedError, match="this system does not support the query"
            ) as caught:
                read()
            assert caught.value.winerror == 87
            assert caught.value.object_name == desktop.name()
        return
    current = Desktop.current()
    user = current.user_sid()
    assert user is not None
    assert user.authority == 5
    assert current.heap_size() > 0
    assert current.receives_input()
    assert desktop.heap_size() > 0
    assert not desktop.receives_input()


def test_object_security_after_set_security_reads_back(
    station: WindowStation, desktop: Desktop, wine_differs: Differs
) -> None:
    for item in (station, desktop):
        before = item.security()
        item.set_security("D:(A;;GA;;;SY)(A;;GA;;;BA)")
        after = item.security(SecurityInformation.DACL)
        if wine_differs("user-object-security"):
            for found in (before, after):
                assert (found.owner, found.group, found.dacl, found.sacl) == (None,) * 4
            assert before == after
            continue
        assert before.parts == (
            SecurityInformation.OWNER | SecurityInformation.GROUP | SecurityInformation.DACL
        )
        assert after.parts is SecurityInformation.DACL
        assert after.dacl is not None
        assert len(list(after.dacl)) == 2  # type: ignore[arg-type]
        with pytest.raises(ValidationError, match="no OWNER"):
            item.set_security("D:", SecurityInformation.OWNER)


def test_security_without_rights_raises_access_denied(
    station: WindowStation, wine_differs: Differs
) -> None:
    if wine_differs("user-object-security"):
        with WindowStation.open(station.name()) as reader:
            before = reader.security()
            reader.set_security("D:(A;;GA;;;WD)")
            assert reader.security() == before
        return
    with WindowStation.open(station.name()) as reader:
        with pytest.raises(AccessDeniedError, match=r"Needed: WindowStationAccess.READ_CONTROL\."):
            reader.security()
        with pytest.raises(AccessDeniedError, match=r"Needed: WindowStationAccess.WRITE_DAC\."):
            reader.set_security("D:(A;;GA;;;WD)")


def test_create_with_security_applies_its_dacl(unique_name: Namer, wine_differs: Differs) -> None:
    sddl = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;WD)"
    for make in (WindowStation.create, Desktop.create):
        name = unique_name()
        with make(name, security=sddl) as created:
            assert created.name() == name
            found = created.security(SecurityInformation.DACL)
            if wine_differs("user-object-security"):
                assert found.dacl is None
            else:
                assert isinstance(found.dacl, Acl)
                assert len(list(found.dacl)) == 3


# ------------------------------------------------------------------------------------ switching


def test_set_process_window_station_changes_current_station(
    station: WindowStation, unique_name: Namer
) -> None:
    before = WindowStation.current()
    station.set_process_window_station()
    try:
        assert WindowStation.current().name() == station.name()
        with pytest.raises(
            ObjectInUseError, match="the process uses this window station"
        ) as caught:
            station.close()
        assert caught.value.function == "CloseWindowStation"
        assert caught.value.object_name == station.name()
        assert not station.closed
        assert Desktop.current().name() == "Default"  # threads keep their desktops
        with Desktop.create(unique_name()) as created:
            assert station.desktop_names() == [created.name()]
        with pytest.raises(
            Win32Error, match="window station of the process receives no input"
        ) as none:
            Desktop.open_input()
        assert none.value.winerror == 1
    finally:
        before.set_process_window_station()
    assert WindowStation.current().name() == before.name()


def test_process_window_station_block_restores_previous_station(station: WindowStation) -> None:
    with station.process_window_station():
        assert WindowStation.current().name() == station.name()
        with WindowStation.create() as inner, inner.process_window_station():
            assert WindowStation.current().name() == inner.name()
        assert WindowStation.current().name() == station.name()
    assert WindowStation.current().name() == "WinSta0"
    assert not station.closed


class BodyError(Exception):
    pass


def test_switch_block_that_raises_restores_station_and_desktop(
    station: WindowStation, desktop: Desktop
) -> None:
    with pytest.raises(BodyError), station.process_window_station():
        raise BodyError
    with pytest.raises(BodyError), desktop.thread_desktop():
        raise BodyError
    assert WindowStation.current().name() == "WinSta0"
    assert Desktop.current().name() == "Default"


def test_switch_blocks_close_no_handle(station: WindowStation, desktop: Desktop) -> None:
    """Also if the block has the only reference to the object."""
    with WindowStation.open(station.name()) as opened:
        block = opened.process_window_station()
        with block:
            pass
        assert not opened.closed
    with Desktop.open(desktop.name()) as opened_desktop:
        with opened_desktop.thread_desktop():
            pass
        assert not opened_desktop.closed


def test_nested_switch_blocks_restore_station_and_desktop(unique_name: Namer) -> None:
    """The desktop that is restored belongs to another window station than that of the process."""
    with WindowStation.create(unique_name()) as station, station.process_window_station():
        with Desktop.create("work") as desktop, desktop.thread_desktop():
            assert Desktop.current().name() == "work"
        assert Desktop.current().name() == "Default"
        assert WindowStation.current().name() == station.name()
    assert Desktop.current().name() == "Default"
    assert WindowStation.current().name() == "WinSta0"


def test_nested_switch_blocks_that_raise_restore_station_and_desktop(unique_name: Namer) -> None:
    error = BodyError()
    with (
        pytest.raises(BodyError) as caught,
        WindowStation.create(unique_name()) as station,
        station.process_window_station(),
        Desktop.create("work") as desktop,
        desktop.thread_desktop(),
    ):
        raise error
    assert caught.value is error
    assert Desktop.current().name() == "Default"
    assert WindowStation.current().name() == "WinSta0"


def test_set_thread_desktop_changes_current_desktop(desktop: Desktop) -> None:
    before = Desktop.current()
    desktop.set_thread_desktop()
    try:
        assert Desktop.current().name() == desktop.name()
        with pytest.raises(
            ObjectInUseError, match="A thread of this process uses the desktop"
        ) as caught:
            desktop.close()
        assert (caught.value.winerror, caught.value.function) == (170, "CloseDesktop")
        assert not desktop.closed
    finally:
        before.set_thread_desktop()


def test_thread_desktop_affects_only_its_thread(desktop: Desktop, unique_name: Namer) -> None:
    name, seen = desktop.name(), []
    entered, done = threading.Event(), threading.Event()

    def work() -> None:
        seen.append(Desktop.current().name())
        with Desktop.open(name) as opened, opened.thread_desktop():
            seen.append(Desktop.current().name())
            entered.set()
            done.wait(30)
        seen.append(Desktop.current().name())

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert entered.wait(30)
        assert thread.native_id is not None
        assert Desktop.of_thread(thread.native_id).name() == name
        assert Desktop.current().name() == "Default"
    finally:
        done.set()
        thread.join(30)
    assert seen == ["Default", name, "Default"]


def test_switch_to_desktop_of_other_station_raises_access_denied(
    station: WindowStation, unique_name: Namer, wine_differs: Differs
) -> None:
    with station.process_window_station():
        created = Desktop.create(unique_name())
    with created:
        if wine_differs("thread-desktop-station"):
            with pytest.raises(AccessDeniedError) as caught, created.thread_desktop():
                pytest.fail("the thread was assigned to the desktop")
            assert caught.value.function == "SetThreadDesktop"
            assert Desktop.current().name() == "Default"
            return
        with created.thread_desktop():
            assert Desktop.current().name() == created.name()
        with pytest.raises(AccessDeniedError):
            created.switch_to()  # its station is invisible


def test_switch_to_changes_input_desktop(desktop: Desktop, wine_differs: Differs) -> None:
    right = DesktopAccess.SWITCH_DESKTOP
    with Desktop.open("Default", right) as default:
        desktop.switch_to()
        try:
            with Desktop.open_input() as shown:
                assert shown.name() == (
                    "Default" if wine_differs("switch-desktop") else desktop.name()
                )
        finally:
            default.switch_to()
    with Desktop.open_input() as shown:
        assert shown.name() == "Default"


@simulated_only
def test_windows_of_current_desktop_have_title_and_class(sim: SimulatedSCM) -> None:
    added = sim.add_window(title="Titel äöü", class_name="Notepad")
    nameless = sim.add_window(title="", class_name="Shell_TrayWnd")
    found = Desktop.current().windows()
    assert [(window.handle, window.title, window.class_name) for window in found] == [
        (added.handle, "Titel äöü", "Notepad"),
        (nameless.handle, "", "Shell_TrayWnd"),
    ]
    sim.destroy_window(added)
    assert [window.handle for window in Desktop.current().windows()] == [nameless.handle]


def test_listing_from_many_threads_returns_same_names(station: WindowStation) -> None:
    found: list[list[str]] = []

    def work() -> None:
        for _ in range(10):
            found.append(WindowStation.names())
            assert station.desktop_names() == []

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80
    assert all(names == found[0] for names in found)
