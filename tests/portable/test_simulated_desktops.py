"""Behavior of simulated window stations and desktops that a lab cannot show."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from winsvc import (
    AccessDeniedError,
    Desktop,
    DesktopAccess,
    HandleClosedError,
    InvalidNameError,
    NotFoundError,
    SecurityDescriptor,
    SecurityInformation,
    ValidationError,
    Win32Error,
    Window,
    WindowStation,
    WindowStationAccess,
)
from winsvc._values.rows import UserObjectFlagsRow
from winsvc.backend import use_backend
from winsvc.errors import ObjectInUseError
from winsvc.testing import CallerIdentity, SimulatedSCM


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    sim = SimulatedSCM()
    with use_backend(sim):
        yield sim
    assert sim.open_desktop_handles == 0


def test_new_simulation_has_default_stations_and_desktops(sim: SimulatedSCM) -> None:
    assert WindowStation.names() == ["WinSta0", "Service-0x0-3e7$"]
    own = WindowStation.current()
    assert own.desktop_names() == ["Default", "Disconnect", "Winlogon"]
    with WindowStation.open("service-0X0-3E7$") as other:
        assert other.name() == "Service-0x0-3e7$"
        assert other.desktop_names() == ["Default"]
        assert other.user_sid() is None
    assert own.user_sid() == Desktop.current().user_sid()
    assert str(own.user_sid()).startswith("S-1-5-5-")


def test_winlogon_desktop_is_reserved_for_local_system(sim: SimulatedSCM) -> None:
    with pytest.raises(AccessDeniedError, match=r"Requested: DesktopAccess\.READ_OBJECTS"):
        Desktop.open("Winlogon")
    with Desktop.open("Winlogon", DesktopAccess.ENUMERATE) as secure:
        assert not secure.receives_input()
        with pytest.raises(AccessDeniedError, match=r"Needed: DesktopAccess\.SWITCH_DESKTOP\."):
            secure.switch_to()
    sim.caller = CallerIdentity.user()
    assert WindowStation.current().desktop_names() == ["Default"]
    assert WindowStation.names() == ["WinSta0"]
    with pytest.raises(AccessDeniedError):
        WindowStation.open("Service-0x0-3e7$")
    with pytest.raises(AccessDeniedError):
        WindowStation.create("named")
    with WindowStation.create() as own:
        assert own.name() == "Service-0x0-1ba4f$"
    sim.caller = CallerIdentity.local_system()
    with Desktop.open("Winlogon", DesktopAccess.GENERIC_ALL) as secure:
        secure.switch_to()
        assert secure.receives_input()
        with Desktop.open("Default", DesktopAccess.SWITCH_DESKTOP) as default:
            default.switch_to()


def test_begin_on_service_station_has_no_input_desktop(sim: SimulatedSCM) -> None:
    sim.begin_on()
    own, desktop = WindowStation.current(), Desktop.current()
    assert (own.name(), desktop.name()) == ("Service-0x0-3e7$", "Default")
    assert not own.visible()
    assert not desktop.receives_input()
    with pytest.raises(
        Win32Error, match="window station of the process receives no input"
    ) as caught:
        Desktop.open_input()
    assert caught.value.winerror == 1
    with pytest.raises(AccessDeniedError):
        desktop.switch_to()
    with (
        WindowStation.open("WinSta0") as station,
        station.process_window_station(),
        Desktop.open_input() as shown,
    ):
        assert shown.receives_input()
    for bad in (("None", "Default"), ("WinSta0", "None")):
        with pytest.raises(ValidationError, match="does not exist"):
            sim.begin_on(*bad)


def test_begin_on_created_station_keeps_it_alive(sim: SimulatedSCM) -> None:
    station = WindowStation.create("mine")
    station.set_process_window_station()
    desktop = Desktop.create("work")
    assert sim.open_desktop_handles == 2
    sim.begin_on("mine", "work")
    assert sim.open_desktop_handles == 2  # the program still has them
    station.close()
    desktop.close()
    assert "mine" in WindowStation.names()  # the program uses it
    assert Desktop.current().name() == "work"
    sim.begin_on("WinSta0")
    assert "mine" not in WindowStation.names()


def test_create_with_too_long_name_raises_invalid_name(sim: SimulatedSCM) -> None:
    for name in ("x" * 260, "\U0001f40d" * 130):
        for create in (WindowStation.create, Desktop.create):
            with pytest.raises(InvalidNameError) as caught:
                create(name)
            assert caught.value.winerror == 206
    with WindowStation.create("x" * 259) as station, Desktop.create("y" * 259) as desktop:
        assert (station.name(), desktop.name()) == ("x" * 259, "y" * 259)


def test_switch_to_desktop_of_hidden_station_is_refused(sim: SimulatedSCM) -> None:
    with (
        WindowStation.create("hidden") as station,
        station.process_window_station(),
        Desktop.create("x") as desktop,
    ):
        with pytest.raises(AccessDeniedError) as caught:
            desktop.switch_to()  # with every right
    assert caught.value.hint == "The window station is invisible, or a secure desktop is shown."
    with Desktop.open("Default") as default, pytest.raises(AccessDeniedError) as caught:
        default.switch_to()
    assert str(caught.value.hint).startswith("Needed: DesktopAccess.SWITCH_DESKTOP. The handle")


def test_switch_to_current_station_or_desktop_keeps_it(sim: SimulatedSCM) -> None:
    with WindowStation.current().process_window_station():
        assert WindowStation.current().name() == "WinSta0"
    with Desktop.current().thread_desktop():
        assert Desktop.current().name() == "Default"


def test_process_window_station_failing_restore_raises_its_error(sim: SimulatedSCM) -> None:
    before = WindowStation.current()
    with WindowStation.create("S") as station:
        with pytest.raises(AccessDeniedError, match="SetProcessWindowStation"):
            with station.process_window_station():
                sim.faults.fail("SetProcessWindowStation", 5)
        assert WindowStation.current().name() == "S"
        before.set_process_window_station()


def test_windows_lists_added_windows_until_destroyed(sim: SimulatedSCM) -> None:
    first = sim.add_window(title="Editor", class_name="Edit")
    second = sim.add_window(title=None, class_name=None)
    assert Desktop.current().windows() == [
        Window(first.handle, "Editor", "Edit"),
        Window(second.handle, None, None),
    ]
    sim.destroy_window(first)
    with pytest.raises(ValidationError, match="already destroyed"):
        sim.destroy_window(first)
    assert [window.handle for window in Desktop.current().windows()] == [second.handle]
    with Desktop.open("Default", DesktopAccess.ENUMERATE) as blind:
        with pytest.raises(AccessDeniedError, match="READ_OBJECTS"):
            blind.windows()
    with pytest.raises(Win32Error) as caught:
        sim.get_class_name(first.handle)
    assert caught.value.winerror == 1400


def test_set_thread_desktop_with_open_windows_raises_object_in_use(sim: SimulatedSCM) -> None:
    window = sim.add_window(thread=threading.get_native_id())
    with Desktop.create("other") as other:
        with pytest.raises(ObjectInUseError, match="Destroy them first"):
            other.set_thread_desktop()
        sim.destroy_window(window)
        with pytest.raises(ObjectInUseError, match="stays on the desktop of the with block"):
            with other.thread_desktop():
                window = sim.add_window("other", thread=threading.get_native_id())
        assert Desktop.current().name() == "other"
        sim.destroy_window(window)
        with Desktop.open("Default") as default, default.thread_desktop():
            assert Desktop.current().name() == "Default"
        assert Desktop.of_thread(threading.get_native_id()).name() == "other"
        with Desktop.open("Default") as default:
            default.set_thread_desktop()
            assert Desktop.current().name() == "Default"
            other.close()
            assert WindowStation.current().desktop_names() == ["Default", "Disconnect", "Winlogon"]
            sim.begin_on("WinSta0")  # and so the thread is on the first one again
            assert Desktop.current().name() == "Default"


def test_of_thread_finds_thread_of_other_process(sim: SimulatedSCM) -> None:
    sim.add_window(thread=4242)
    assert Desktop.of_thread(4242).name() == "Default"
    with pytest.raises(Win32Error):
        Desktop.of_thread(4243)


def test_ended_thread_releases_its_desktop(sim: SimulatedSCM) -> None:
    with Desktop.create("other") as other:
        thread = threading.Thread(target=other.set_thread_desktop)
        thread.start()
        thread.join()
    assert "other" not in WindowStation.current().desktop_names()


def test_station_and_desktop_vanish_with_last_handle(sim: SimulatedSCM) -> None:
    with WindowStation.create("station") as station, station.process_window_station():
        first = Desktop.create("one")
        second = Desktop.create("ONE")
        sim.add_window("one", station="station")
        first.close()
        assert station.desktop_names() == ["one"]
        second.close()
        assert station.desktop_names() == []
    assert "station" not in WindowStation.names()


def test_closing_shown_desktop_switches_to_default(sim: SimulatedSCM) -> None:
    with Desktop.create("other") as other:
        other.switch_to()
        with Desktop.open_input() as shown:
            assert shown.name() == "other"
    with Desktop.open_input() as shown:
        assert shown.name() == "Default"


def test_open_desktop_checks_its_security_descriptor(sim: SimulatedSCM) -> None:
    with Desktop.create("mine", security="O:SYG:SYD:(A;;GR;;;BA)") as mine:
        assert "mine" in WindowStation.current().desktop_names()
        with Desktop.open("mine", DesktopAccess.GENERIC_READ) as reader:
            assert reader.security(SecurityInformation.DACL).dacl is not None
            with pytest.raises(AccessDeniedError):
                reader.set_security("D:")
        with pytest.raises(AccessDeniedError):
            Desktop.open("mine", DesktopAccess.WRITE_OBJECTS)
        with Desktop.open("mine", DesktopAccess.MAXIMUM_ALLOWED) as most:
            assert most.windows() == []
        mine.set_security(SecurityDescriptor.from_sddl("D:(A;;GW;;;BA)"))
        assert mine.security().owner is not None  # parts that were not written are unchanged
        assert "mine" not in WindowStation.current().desktop_names()
        mine.set_security("D:NO_ACCESS_CONTROL")
        for access in (DesktopAccess.MAXIMUM_ALLOWED, DesktopAccess.WRITE_OBJECTS):
            with Desktop.open("mine", access) as opened:
                assert opened.name() == "mine"


def test_configure_changes_desktop_flags(sim: SimulatedSCM) -> None:
    with Desktop.create("other", allow_account_hooks=True) as other:
        assert other.allows_account_hooks()
        other.configure(allows_account_hooks=False, handle_inherited=True)
        assert not other.allows_account_hooks()
        assert other.handle_inherited()


def test_raw_calls_with_wrong_handle_or_name_raise(sim: SimulatedSCM) -> None:
    """The drop-in makes these calls."""
    station = sim.get_process_window_station()
    desktop = sim.get_thread_desktop(sim.get_current_thread_id())
    assert sim.enum_desktops(0) == sim.enum_desktops(station)
    assert sim.enum_desktop_windows(0) == sim.enum_desktop_windows(desktop)
    for call in (sim.set_thread_desktop, sim.close_desktop, sim.enum_desktop_windows):
        with pytest.raises(HandleClosedError):
            call(station)
    for station_call in (sim.set_process_window_station, sim.enum_desktops):
        with pytest.raises(HandleClosedError):
            station_call(desktop)
    for name in (None, ""):
        with pytest.raises(NotFoundError):
            sim.open_window_station(name, False, 0)
        with pytest.raises(HandleClosedError):
            sim.open_desktop(name, 0, False, 0)
    with pytest.raises(Win32Error) as caught:
        sim.create_desktop("x", 0, 0, False, b"nonsense")
    assert caught.value.winerror == 1338
    with pytest.raises(Win32Error):
        sim.query_user_object_text(station, 1)
    with pytest.raises(Win32Error):
        sim.set_user_object_flags(station, UserObjectFlagsRow(0, 1, 0))
    with pytest.raises(Win32Error):
        sim.query_user_object_number(station, 99)


def test_desktop_call_fault_is_raised_and_calls_are_recorded(sim: SimulatedSCM) -> None:
    sim.faults.fail("CreateDesktopW", 8)
    with pytest.raises(Win32Error) as caught:
        Desktop.create("other")
    assert caught.value.winerror == 8
    with WindowStation.open("WinSta0", WindowStationAccess.ENUM_DESKTOPS) as station:
        station.desktop_names()
    names = [(call.function, call.service) for call in sim.calls if call.error is None]
    assert ("EnumDesktopsW", "WinSta0") in names


def test_faults_deny_refuses_denied_desktop_rights(sim: SimulatedSCM) -> None:
    sim.faults.deny(DesktopAccess.READ_OBJECTS, "default")
    sim.faults.deny(WindowStationAccess.READ_ATTRIBUTES)
    with pytest.raises(AccessDeniedError) as caught:
        Desktop.open("Default")
    assert caught.value.hint == "Requested: DesktopAccess.READ_OBJECTS | ENUMERATE."
    with Desktop.open("Default", DesktopAccess.ENUMERATE) as desktop:
        assert desktop.name() == "Default"
    with pytest.raises(AccessDeniedError):
        WindowStation.open("WinSta0")
    sim.faults.clear()
    with WindowStation.open("WinSta0") as station, Desktop.open("Default") as desktop:
        assert (station.name(), desktop.name()) == ("WinSta0", "Default")
