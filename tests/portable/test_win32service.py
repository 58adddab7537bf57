"""The drop-in over the simulated SCM: what no real system does at will, and without pywin32."""

from __future__ import annotations

import copy
import gc
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import signature
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typed_win32service as typed
from dropin_differences import DROPIN_DIFFERENCES

from winsvc import SecurityDescriptor, State
from winsvc import win32service as w
from winsvc.testing import ProgramBehavior, SimulatedSCM
from winsvc.win32service import constants

DOCS = Path(__file__).parent.parent.parent / "docs" / "win32service.md"
HAS_PYWIN32 = w.error.__module__ == "pywintypes"

# pywin32 312: every constant of its module.
PYWIN32 = """
DBT_CONFIGCHANGECANCELED=25 DBT_CONFIGCHANGED=24 DBT_CUSTOMEVENT=32774 DBT_DEVICEARRIVAL=32768
DBT_DEVICEQUERYREMOVE=32769 DBT_DEVICEQUERYREMOVEFAILED=32770 DBT_DEVICEREMOVECOMPLETE=32772
DBT_DEVICEREMOVEPENDING=32771 DBT_DEVICETYPESPECIFIC=32773 DBT_QUERYCHANGECONFIG=23
DF_ALLOWOTHERACCOUNTHOOK=1 SC_ACTION_NONE=0 SC_ACTION_REBOOT=2 SC_ACTION_RESTART=1
SC_ACTION_RUN_COMMAND=3 SC_ENUM_PROCESS_INFO=0 SC_GROUP_IDENTIFIER=43 SC_MANAGER_ALL_ACCESS=983103
SC_MANAGER_CONNECT=1 SC_MANAGER_CREATE_SERVICE=2 SC_MANAGER_ENUMERATE_SERVICE=4 SC_MANAGER_LOCK=8
SC_MANAGER_MODIFY_BOOT_CONFIG=32 SC_MANAGER_QUERY_LOCK_STATUS=16
SERVICE_ACCEPT_HARDWAREPROFILECHANGE=32 SERVICE_ACCEPT_NETBINDCHANGE=16
SERVICE_ACCEPT_PARAMCHANGE=8 SERVICE_ACCEPT_PAUSE_CONTINUE=2 SERVICE_ACCEPT_POWEREVENT=64
SERVICE_ACCEPT_PRESHUTDOWN=256 SERVICE_ACCEPT_SESSIONCHANGE=128 SERVICE_ACCEPT_SHUTDOWN=4
SERVICE_ACCEPT_STOP=1 SERVICE_ACTIVE=1 SERVICE_ALL_ACCESS=983551 SERVICE_AUTO_START=2
SERVICE_BOOT_START=0 SERVICE_CHANGE_CONFIG=2 SERVICE_CONFIG_DELAYED_AUTO_START_INFO=3
SERVICE_CONFIG_DESCRIPTION=1 SERVICE_CONFIG_FAILURE_ACTIONS=2
SERVICE_CONFIG_FAILURE_ACTIONS_FLAG=4 SERVICE_CONFIG_PRESHUTDOWN_INFO=7
SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO=6 SERVICE_CONFIG_SERVICE_SID_INFO=5
SERVICE_CONTINUE_PENDING=5 SERVICE_CONTROL_CONTINUE=3 SERVICE_CONTROL_DEVICEEVENT=11
SERVICE_CONTROL_HARDWAREPROFILECHANGE=12 SERVICE_CONTROL_INTERROGATE=4
SERVICE_CONTROL_NETBINDADD=7 SERVICE_CONTROL_NETBINDDISABLE=10 SERVICE_CONTROL_NETBINDENABLE=9
SERVICE_CONTROL_NETBINDREMOVE=8 SERVICE_CONTROL_PARAMCHANGE=6 SERVICE_CONTROL_PAUSE=2
SERVICE_CONTROL_POWEREVENT=13 SERVICE_CONTROL_PRESHUTDOWN=15 SERVICE_CONTROL_SESSIONCHANGE=14
SERVICE_CONTROL_SHUTDOWN=5 SERVICE_CONTROL_STOP=1 SERVICE_DEMAND_START=3 SERVICE_DISABLED=4
SERVICE_DRIVER=11 SERVICE_ENUMERATE_DEPENDENTS=8 SERVICE_ERROR_CRITICAL=3 SERVICE_ERROR_IGNORE=0
SERVICE_ERROR_NORMAL=1 SERVICE_ERROR_SEVERE=2 SERVICE_FILE_SYSTEM_DRIVER=2 SERVICE_INACTIVE=2
SERVICE_INTERACTIVE_PROCESS=256 SERVICE_INTERROGATE=128 SERVICE_KERNEL_DRIVER=1
SERVICE_NO_CHANGE=-1 SERVICE_PAUSED=7 SERVICE_PAUSE_CONTINUE=64 SERVICE_PAUSE_PENDING=6
SERVICE_QUERY_CONFIG=1 SERVICE_QUERY_STATUS=4 SERVICE_RUNNING=4 SERVICE_SID_TYPE_NONE=0
SERVICE_SID_TYPE_RESTRICTED=3 SERVICE_SID_TYPE_UNRESTRICTED=1 SERVICE_SPECIFIC_ERROR=1066
SERVICE_START=16 SERVICE_START_PENDING=2 SERVICE_STATE_ALL=3 SERVICE_STOP=32 SERVICE_STOPPED=1
SERVICE_STOP_PENDING=3 SERVICE_SYSTEM_START=1 SERVICE_USER_DEFINED_CONTROL=256 SERVICE_WIN32=48
SERVICE_WIN32_OWN_PROCESS=16 SERVICE_WIN32_SHARE_PROCESS=32 UOI_FLAGS=1 UOI_NAME=2 UOI_TYPE=3
UOI_USER_SID=4 WSF_VISIBLE=1
"""

FUNCTIONS = """
GetThreadDesktop EnumWindowStations GetUserObjectInformation SetUserObjectInformation
OpenWindowStation OpenDesktop CreateDesktop OpenInputDesktop GetProcessWindowStation
CreateWindowStation EnumServicesStatus EnumServicesStatusEx EnumDependentServices
QueryServiceConfig StartService OpenService OpenSCManager CloseServiceHandle QueryServiceStatus
QueryServiceStatusEx SetServiceObjectSecurity QueryServiceObjectSecurity GetServiceKeyName
GetServiceDisplayName SetServiceStatus ControlService DeleteService CreateService
ChangeServiceConfig LockServiceDatabase UnlockServiceDatabase QueryServiceLockStatus
ChangeServiceConfig2 QueryServiceConfig2
"""


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    system = SimulatedSCM()
    system.add("base", display_name="The base")
    system.add("top", dependencies=["base"], load_order_group="grp")
    with system.installed():
        yield system


@pytest.fixture
def scm(sim: SimulatedSCM) -> Iterator[w.PySC_HANDLE]:
    with w.OpenSCManager(None, None, w.SC_MANAGER_ALL_ACCESS) as handle:
        yield handle


@pytest.fixture
def base(scm: w.PySC_HANDLE) -> Iterator[w.PySC_HANDLE]:
    with w.OpenService(scm, "base", w.SERVICE_ALL_ACCESS) as handle:
        yield handle


# ------------------------------------------------------------------------------- what there is


def test_constants_match_pywin32_values() -> None:
    expected = {name: int(value) for name, value in re.findall(r"(\w+)=(-?\d+)", PYWIN32)}
    assert len(expected) == 101
    assert {name: getattr(w, name) for name in expected} == expected
    assert w.UNICODE == 1
    names = {name for name in vars(constants) if name.isupper()}
    assert names <= set(w.__all__)
    assert all(type(getattr(w, name)) is int for name in names)


def test_functions_have_documented_parameters() -> None:
    assert len(FUNCTIONS.split()) == 34
    for name in FUNCTIONS.split():
        function = getattr(w, name)
        assert name in w.__all__
        doc = function.__doc__
        assert "Raises:" in doc, name
        assert "Windows call:" in re.sub(r"\s+", " ", doc), name
        for parameter in signature(function).parameters.values():
            assert parameter.kind is parameter.POSITIONAL_OR_KEYWORD
            assert f"{parameter.name}: " in doc, f"{name}({parameter.name})"


def test_module_file_attribute_names_existing_file() -> None:
    assert w.__file__ is not None
    assert Path(w.__file__).is_file()


def test_docs_list_every_known_difference() -> None:
    explained = re.findall(r"^\| `([a-z0-9-]+)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(DROPIN_DIFFERENCES)


def test_documented_example_runs_without_error() -> None:
    (example,) = (
        block
        for block in re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
        if "SimulatedSCM" in block
    )
    names: dict[str, Any] = {}
    exec(example, names)
    assert names["sim"].open_handles == 0


def test_install_replaces_win32service_module() -> None:
    code = (
        "import winsvc.win32service as ours; ours.install(); import win32service;"
        "from win32service import SERVICE_WIN32, error;"
        "assert win32service is ours and SERVICE_WIN32 == 0x30; print('good')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "good"


def test_star_import_provides_all_names() -> None:
    names: dict[str, object] = {}
    exec("from winsvc.win32service import *", names)
    assert set(names) == {*w.__all__, "__builtins__"}


# ------------------------------------------------------------------------------- errors


@pytest.mark.skipif(HAS_PYWIN32, reason="pywin32's own class")
def test_error_without_pywin32_has_same_attributes() -> None:
    full = w.error(1060, "OpenService", "It is not there.")
    assert (full.winerror, full.funcname, full.strerror) == full.args
    assert str(full) == "(1060, 'OpenService', 'It is not there.')"
    empty: Any = w.error()  # type: ignore[unused-ignore]
    assert (empty.winerror, empty.funcname, empty.strerror, empty.args) == (None, None, None, ())
    assert not issubclass(w.error, OSError)
    assert type(full).__name__ == "error"


def test_error_carries_function_name_and_message(scm: w.PySC_HANDLE) -> None:
    with pytest.raises(w.error) as caught:
        w.OpenService(scm, "none", w.SERVICE_QUERY_STATUS)
    assert caught.value.args == (1060, "OpenService", "Service does not exist.")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert type(caught.value.winerror) is int


def test_error_code_above_31_bits_is_negative(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    sim.faults.fail("QueryServiceStatus", 0x800706BA)
    with pytest.raises(w.error) as caught:
        w.QueryServiceStatus(base)
    assert caught.value.args == (
        0x800706BA - 2**32,
        "QueryServiceStatus",
        "No error message is available",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="there is one")
def test_calls_off_windows_raise_error() -> None:
    with pytest.raises(w.error) as caught:
        w.OpenSCManager(None, None, w.SC_MANAGER_CONNECT)
    assert caught.value.args[:2] == (120, "OpenSCManager")
    with pytest.raises(w.error):
        w.EnumWindowStations()
    with pytest.raises(w.error):
        w.QueryServiceStatus(0)


# ------------------------------------------------------------------------------- handles


def test_handle_stays_bound_to_its_system(sim: SimulatedSCM) -> None:
    other = SimulatedSCM()
    with other.installed():
        handle = w.OpenSCManager(None, None, w.SC_MANAGER_ALL_ACCESS)
    assert w.EnumServicesStatus(handle) == ()  # not the services of the installed backend
    assert other.open_handles == 1
    del handle
    assert (other.open_handles, sim.open_handles) == (0, 0)


def test_handle_is_closed_with_last_reference(sim: SimulatedSCM) -> None:
    handle = w.OpenSCManager(None, None, w.SC_MANAGER_CONNECT)
    same = handle
    del handle
    assert sim.open_handles == 1
    del same
    gc.collect()
    assert sim.open_handles == 0
    assert len(sim.called("CloseServiceHandle")) == 1


def test_closed_handle_is_not_closed_again(sim: SimulatedSCM) -> None:
    handle = w.OpenSCManager(None, None, w.SC_MANAGER_CONNECT)
    w.CloseServiceHandle(handle)
    handle.Close()
    with handle:
        pass
    w.CloseServiceHandle(handle)
    del handle
    assert len(sim.called("CloseServiceHandle")) == 1


def test_handle_failing_to_close_becomes_invalid(sim: SimulatedSCM) -> None:
    handle = w.OpenSCManager(None, None, w.SC_MANAGER_CONNECT)
    sim.faults.fail("CloseServiceHandle", 6)
    with pytest.raises(w.error) as caught:
        handle.Close()
    assert caught.value.args[:2] == (6, "CloseServiceHandle")
    assert int(handle) == 0
    handle.Close()
    assert len(sim.called("CloseServiceHandle")) == 1


def test_handle_compares_as_its_number(scm: w.PySC_HANDLE) -> None:
    assert scm == scm.handle == int(scm)
    assert hash(scm) == hash(int(scm))
    assert repr(scm) == f"<PySC_HANDLE:{int(scm)}>"
    with pytest.raises(TypeError):
        pickle.dumps(scm)
    with pytest.raises(TypeError):
        copy.copy(scm)  # it would be closed twice
    with pytest.raises(TypeError):
        w.PySC_HANDLE()


def test_handle_closed_during_call_stays_open_until_return(
    sim: SimulatedSCM, scm: w.PySC_HANDLE
) -> None:
    """The call that runs keeps the handle open, and closes it when it is through."""
    handle = w.OpenService(scm, "base", w.SERVICE_ALL_ACCESS)
    number = int(handle)
    seen: list[object] = []

    def in_the_call() -> None:
        handle.Close()
        handle.Close()  # has no effect
        seen.append((int(handle), number in sim.handles))

    original = sim.query_service_status

    def slow(service: int) -> Any:
        thread = threading.Thread(target=in_the_call)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        return original(service)

    sim.query_service_status = slow  # type: ignore[method-assign]
    assert w.QueryServiceStatus(handle)[1] == w.SERVICE_STOPPED
    assert seen == [(0, True)]
    assert number not in sim.handles
    with pytest.raises(w.error) as caught:
        w.QueryServiceStatus(handle)
    assert caught.value.winerror == 6


def test_handle_of_wrong_kind_raises_type_error(scm: w.PySC_HANDLE, base: w.PySC_HANDLE) -> None:
    desktop = w.OpenInputDesktop(0, False, 0x1FF)
    for wrong in (desktop, "5", b"5", 5.0, object(), [], 1 << 64, -(1 << 63) - 1):
        with pytest.raises(TypeError, match="The object is not a PyHANDLE object"):
            w.QueryServiceStatus(wrong)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            w.CloseServiceHandle(wrong)  # type: ignore[arg-type]
    for wrong in (scm, "5", 5.0):
        with pytest.raises(TypeError):
            w.GetUserObjectInformation(wrong, 2)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            w.HDESKType(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        w.HWINSTAType(desktop)
    for number in (None, 0, False):
        with pytest.raises(w.error) as caught:
            w.QueryServiceStatus(number)
        assert caught.value.winerror == 6


class PyHANDLE:
    """As pywin32's: one type for all kinds."""

    def __init__(self, kind: str, value: int) -> None:
        self.kind = kind
        self.value = value

    def __int__(self) -> int:
        return self.value

    def __repr__(self) -> str:
        return f"<{self.kind}:{self.value}>"

    def Close(self) -> None:
        w.CloseServiceHandle(self.value)
        self.value = 0


def test_pywin32_handle_of_right_kind_is_accepted(scm: w.PySC_HANDLE, base: w.PySC_HANDLE) -> None:
    theirs = PyHANDLE("PySC_HANDLE", w.OpenService(scm, "top", 4).Detach())
    assert w.QueryServiceStatus(theirs)[1] == w.SERVICE_STOPPED
    assert base == PyHANDLE("PySC_HANDLE", int(base))
    w.CloseServiceHandle(theirs)
    assert theirs.value == 0
    for kind in ("PyHANDLE", "PyHKEY"):
        with pytest.raises(TypeError):
            w.QueryServiceStatus(PyHANDLE(kind, int(base)))
        with pytest.raises(TypeError, match="must be a PySC_HANDLE"):
            w.CloseServiceHandle(PyHANDLE(kind, int(base)))
        with pytest.raises(w.error):
            w.QueryServiceStatus(PyHANDLE(kind, 0))


# ------------------------------------------------------------------------------- services


def test_enum_services_status_returns_all_pages(sim: SimulatedSCM, scm: w.PySC_HANDLE) -> None:
    for index in range(20):
        sim.add(f"more {index}")
    sim.local.page_size = 3
    assert len(w.EnumServicesStatus(scm)) == len(w.EnumServicesStatusEx(scm)) == 22
    assert w.EnumServicesStatus(scm, w.SERVICE_DRIVER) == ()
    assert w.EnumServicesStatusEx(scm, w.SERVICE_DRIVER) == []
    names = [row["ServiceName"] for row in w.EnumServicesStatusEx(scm, GroupName="grp")]
    assert names == ["top"]
    assert w.EnumServicesStatus(scm)[0] == ("base", "The base", (16, 1, 0, 1077, 0, 0, 0))
    with pytest.raises(NotImplementedError):
        w.EnumServicesStatusEx(scm, InfoLevel=1)


def test_enum_dependent_services_filters_by_state(base: w.PySC_HANDLE) -> None:
    assert w.EnumDependentServices(base) == (("top", "top", (16, 1, 0, 1077, 0, 0, 0)),)
    assert w.EnumDependentServices(base, w.SERVICE_ACTIVE) == ()


def test_create_service_with_tag_returns_handle_and_tag(scm: w.PySC_HANDLE) -> None:
    created = w.CreateService(
        scm, "tagged", "tagged", 0xF01FF, 1, 3, 1, "x.sys", "grp", True, ["base"], None, None
    )
    assert isinstance(created, tuple)
    service, tag = created
    assert w.QueryServiceConfig(service) == (
        *(1, 3, 1, "x.sys", "grp", tag, ["base"], "", "tagged"),
    )
    keep = w.SERVICE_NO_CHANGE
    for none in (keep, 0xFFFFFFFF):
        new = w.ChangeServiceConfig(service, none, none, none, None, None, 1, [], None, None, "T")
        assert isinstance(new, int)
    assert w.QueryServiceConfig(service)[6:] == ([], "", "T")
    service.Close()


def test_create_service_password_is_not_recorded(sim: SimulatedSCM, scm: w.PySC_HANDLE) -> None:
    w.CreateService(
        scm, "own", "own", 4, 16, 3, 1, "x.exe", None, 0, None, r".\\me", "never shown"
    ).Close()
    assert sim["own"].password is not None
    assert sim["own"].password.reveal() == "never shown"
    assert "never shown" not in repr(sim.calls)


def test_invalid_list_of_strings_raises(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    keep = w.SERVICE_NO_CHANGE
    for wrong, kind in ((("abc"), TypeError), (["a", ""], ValueError), (["a\0b"], ValueError)):
        with pytest.raises(kind):
            w.ChangeServiceConfig(base, keep, keep, keep, None, None, 0, wrong, None, None, None)
        with pytest.raises(kind):
            w.ChangeServiceConfig2(base, 6, wrong)
    no_texts: tuple[tuple[Any, type[Exception]], ...] = (
        *(("abc", TypeError), (["a\0b"], ValueError), ([5], TypeError)),
    )
    for arguments, refused in no_texts:
        with pytest.raises(refused):
            w.StartService(base, arguments)
    assert not sim.called("StartServiceW")
    assert not sim.called("ChangeServiceConfigW")
    assert not sim.called("ChangeServiceConfig2W")


def test_start_arguments_may_be_any_iterable(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    w.StartService(base, iter(["", "b"]))
    assert sim["base"].arguments == ("", "b")


def test_service_config2_levels_round_trip(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    actions = {
        "ResetPeriod": -1,
        "RebootMsg": "back soon",
        "Command": None,
        "Actions": [(w.SC_ACTION_RESTART, 0x80000000), (w.SC_ACTION_NONE, 0)],
    }
    w.ChangeServiceConfig2(base, w.SERVICE_CONFIG_FAILURE_ACTIONS, actions)
    found = w.QueryServiceConfig2(base, w.SERVICE_CONFIG_FAILURE_ACTIONS)
    assert found["ResetPeriod"] == -1
    assert found["Actions"] == ((1, 0x80000000), (0, 0))
    assert found["RebootMsg"] == "back soon"
    w.ChangeServiceConfig2(
        base, w.SERVICE_CONFIG_FAILURE_ACTIONS, {**actions, "ResetPeriod": 60, "Actions": []}
    )
    w.ChangeServiceConfig2(base, w.SERVICE_CONFIG_FAILURE_ACTIONS, found)
    again = w.QueryServiceConfig2(base, w.SERVICE_CONFIG_FAILURE_ACTIONS)
    assert {**again, "Command": ""} == {**found, "Command": ""}
    for level, value in ((1, "text"), (3, True), (4, True), (5, 3), (6, ["SeDebugPrivilege"])):
        w.ChangeServiceConfig2(base, level, value)
        assert w.QueryServiceConfig2(base, level) == value
    w.ChangeServiceConfig2(base, 7, 0xFFFFFFFF)
    assert w.QueryServiceConfig2(base, 7) == 0xFFFFFFFF
    w.ChangeServiceConfig2(base, 6, None)
    assert w.QueryServiceConfig2(base, 6) is None
    with pytest.raises(w.error) as caught:
        w.QueryServiceConfig2(base, 99)
    assert caught.value.winerror == 124
    with pytest.raises(ValueError, match="Info type 99 is not supported"):
        w.ChangeServiceConfig2(base, 99, None)


def test_service_config2_levels_beyond_pywin32_round_trip(
    sim: SimulatedSCM, base: w.PySC_HANDLE
) -> None:
    guid = "{1F81D131-3FAC-4537-9E0C-7E7B0C2F4B55}"
    trigger = {"TriggerType": 6, "Action": 1, "TriggerSubtype": guid, "DataItems": [(2, b"x\0")]}
    w.ChangeServiceConfig2(base, w.SERVICE_CONFIG_TRIGGER_INFO, [trigger])
    found = w.QueryServiceConfig2(base, w.SERVICE_CONFIG_TRIGGER_INFO)
    assert found == ({**trigger, "DataItems": ((2, b"x\0"),)},)
    again = {**trigger, "TriggerSubtype": UUID(guid)}
    w.ChangeServiceConfig2(base, w.SERVICE_CONFIG_TRIGGER_INFO, [again, *found])
    assert w.QueryServiceConfig2(base, 8) == (*found, *found)
    w.ChangeServiceConfig2(base, 9, {"PreferredNode": 0, "Delete": False})
    assert w.QueryServiceConfig2(base, w.SERVICE_CONFIG_PREFERRED_NODE) == {
        "PreferredNode": 0,
        "Delete": False,
    }
    assert w.QueryServiceConfig2(base, w.SERVICE_CONFIG_LAUNCH_PROTECTED) == 0
    for level, wrong in (
        *((8, [{}]), (8, [{**trigger, "DataItems": [(1, "text")]}]), (8, 5), (9, {})),
        *((9, None), (12, None)),
    ):
        with pytest.raises(TypeError):
            w.ChangeServiceConfig2(base, level, wrong)


def test_exit_codes_after_stop_are_signed(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    sim["base"].program = ProgramBehavior(exit_code=0x80070005, service_exit_code=0xFFFFFFFF)
    w.StartService(base, None)
    assert w.QueryServiceStatusEx(base)["ProcessId"] > 0
    w.ControlService(base, w.SERVICE_CONTROL_STOP)
    sim.clock.advance(60)
    assert w.QueryServiceStatus(base)[3:5] == (0x80070005 - 2**32, -1)
    assert w.QueryServiceStatusEx(base)["Win32ExitCode"] == 0x80070005 - 2**32
    with pytest.raises(w.error) as caught:
        w.ControlService(base, w.SERVICE_CONTROL_STOP)
    assert caught.value.winerror == 1062


def test_set_service_status_changes_reported_status(sim: SimulatedSCM, base: w.PySC_HANDLE) -> None:
    w.StartService(base, None)
    handle = sim.status_handle("base")
    w.SetServiceStatus(handle, (16, w.SERVICE_PAUSED, w.SERVICE_ACCEPT_STOP, 0, 0, 0, 0))
    assert sim["base"].state is State.PAUSED
    assert w.QueryServiceStatus(base)[2] == w.SERVICE_ACCEPT_STOP
    w.SetServiceStatus(handle, (16, w.SERVICE_STOPPED, 0, -1, 5, 0, 0))
    assert w.QueryServiceStatus(base) == (16, 1, 0, -1, 5, 0, 0)
    for wrong in ((1, 2), [16, 1, 0, 0, 0, 0, 0], None):
        with pytest.raises(TypeError):
            w.SetServiceStatus(handle, wrong)  # type: ignore[arg-type]
    for bad, code in ((handle + 1, 6), (None, 6)):
        with pytest.raises(w.error) as caught:
            w.SetServiceStatus(bad, (16, 4, 0, 0, 0, 0, 0))
        assert caught.value.args[:2] == (code, "SetServiceStatus")
    with pytest.raises(w.error):
        w.SetServiceStatus(handle, (16, 9, 0, 0, 0, 0, 0))


def test_lock_service_database_is_exclusive(scm: w.PySC_HANDLE) -> None:
    assert w.QueryServiceLockStatus(scm) == (0, "", 0)
    lock = w.LockServiceDatabase(scm)
    assert w.QueryServiceLockStatus(scm)[0] == 1
    with pytest.raises(w.error) as caught:
        w.LockServiceDatabase(scm)
    assert caught.value.args[:2] == (1055, "LockServiceDatabase")
    w.UnlockServiceDatabase(lock)
    with pytest.raises(w.error) as caught:
        w.UnlockServiceDatabase(lock)
    assert caught.value.winerror == 1071


@pytest.mark.parametrize("mask", [-0x80000000, 0x80000000])  # win32con.GENERIC_READ is signed
def test_access_mask_may_be_signed_or_unsigned(sim: SimulatedSCM, mask: int) -> None:
    with w.OpenSCManager(None, None, mask) as handle:
        assert len(w.EnumServicesStatus(handle)) == 2
    (call,) = sim.called("OpenSCManagerW")
    assert call.arguments["access"] == 0x80000000


def test_access_mask_out_of_range_raises_overflow_error(sim: SimulatedSCM) -> None:
    for wrong, kind in ((1 << 32, OverflowError), (-(1 << 31) - 1, OverflowError)):
        with pytest.raises(kind):
            w.OpenSCManager(None, None, wrong)
    for not_a_number in (1.0, "1", None):
        with pytest.raises(TypeError):
            w.OpenSCManager(None, None, not_a_number)  # type: ignore[arg-type]
    assert not sim.called("OpenSCManagerW")


def test_service_names_convert_both_ways(scm: w.PySC_HANDLE) -> None:
    assert w.GetServiceKeyName(scm, "The base") == "base"
    assert w.GetServiceDisplayName(scm, "base") == "The base"


@pytest.mark.skipif(HAS_PYWIN32, reason="pywin32's own class")
def test_security_descriptor_without_pywin32_has_its_methods(
    sim: SimulatedSCM, base: w.PySC_HANDLE
) -> None:
    found: Any = w.QueryServiceObjectSecurity(base, 7)
    whole = SecurityDescriptor.from_bytes(bytes(found))
    assert whole == found.descriptor
    assert found.GetSecurityDescriptorOwner() == whole.owner
    assert found.GetSecurityDescriptorGroup() == whole.group
    dacl = found.GetSecurityDescriptorDacl()
    assert dacl.GetAceCount() == len(whole.dacl)  # type: ignore[arg-type]
    (kind, flags), mask, trustee = dacl.GetAce(0)
    assert (kind, flags, trustee) == (0, 0, whole.dacl[0].trustee)  # type: ignore[index]
    assert mask == whole.dacl[0].access  # type: ignore[index]
    assert found.GetSecurityDescriptorSacl() is None
    assert found.GetSecurityDescriptorControl()[1] == 1
    assert found.GetLength() == len(bytes(found))
    assert (found.IsValid(), found.IsSelfRelative(), dacl.IsValid()) == (True, True, True)
    for wrong in (None, bytes(found), "D:"):
        with pytest.raises(TypeError, match="PySECURITY_DESCRIPTOR"):
            w.SetServiceObjectSecurity(base, 4, wrong)  # type: ignore[arg-type]
    assert not sim.called("SetServiceObjectSecurity")


@pytest.mark.skipif(HAS_PYWIN32, reason="pywin32's own class")
def test_security_descriptor_without_pywin32_is_written(
    sim: SimulatedSCM, base: w.PySC_HANDLE
) -> None:
    found: Any = w.QueryServiceObjectSecurity(base, 4)
    sim["base"].security = SecurityDescriptor.from_sddl("O:SYG:SYD:(A;;GA;;;SY)")
    w.SetServiceObjectSecurity(base, 4, found)
    assert sim["base"].security.dacl == found.descriptor.dacl
    assert bytes(w.QueryServiceObjectSecurity(base, 4)) == bytes(found)


# ------------------------------------------------------------------------------- desktops


@dataclass
class Attributes:
    """As pywin32's ``PySECURITY_ATTRIBUTES``."""

    bInheritHandle: int
    SECURITY_DESCRIPTOR: None


def test_user_object_information_is_read_and_set(sim: SimulatedSCM) -> None:
    desktop = w.CreateDesktop("mine", 0, 0x1FF, None)
    assert w.GetUserObjectInformation(desktop, w.UOI_NAME) == "mine"
    assert w.GetUserObjectInformation(desktop, w.UOI_TYPE) == "Desktop"
    assert isinstance(w.GetUserObjectInformation(desktop, w.UOI_HEAPSIZE), int)
    flags = w.GetUserObjectInformation(desktop, w.UOI_FLAGS)
    assert list(flags) == ["Inherit", "Reserved", "Flags"]
    w.SetUserObjectInformation(desktop, {"Inherit": True, "Reserved": 0, "Flags": 1})
    assert w.GetUserObjectInformation(desktop, w.UOI_FLAGS)["Inherit"] is True
    assert "mine" in w.GetProcessWindowStation().EnumDesktops()
    with pytest.raises(TypeError, match="Only UOI_FLAGS"):
        w.SetUserObjectInformation(desktop, {"Inherit": 1, "Reserved": 0, "Flags": 1}, 2)
    inherited = w.CreateDesktop("theirs", 0, 0x1FF, Attributes(1, None))
    assert w.GetUserObjectInformation(inherited, 1)["Inherit"] is True
    with pytest.raises(TypeError, match="PySECURITY_ATTRIBUTES"):
        w.CreateDesktop("theirs", 0, 0x1FF, 5)  # type: ignore[arg-type]


def test_closed_desktop_is_not_closed_again(sim: SimulatedSCM) -> None:
    desktop = w.CreateDesktop("mine", 0, 0x1FF, None)
    desktop.CloseDesktop()
    assert (int(desktop), bool(desktop), desktop.handle) == (0, False, 0)
    desktop.Close()
    with pytest.raises(w.error) as caught:
        desktop.CloseDesktop()
    assert caught.value.args[:2] == (6, "CloseDesktop")
    before = len(sim.called("CloseDesktop"))
    del desktop
    assert len(sim.called("CloseDesktop")) == before


def test_desktop_in_use_stays_open_after_failed_close(sim: SimulatedSCM) -> None:
    desktop = w.CreateDesktop("mine", 0, 0x1FF, None)
    number = int(desktop)
    sim.faults.fail("CloseDesktop", 170)
    with pytest.raises(w.error) as caught:
        desktop.CloseDesktop()
    assert caught.value.args[:2] == (170, "CloseDesktop")
    assert int(desktop) == number
    desktop.CloseDesktop()
    assert int(desktop) == 0


def test_borrowed_handles_are_not_closed(sim: SimulatedSCM) -> None:
    for borrowed in (w.GetProcessWindowStation(), w.GetThreadDesktop(sim.get_current_thread_id())):
        with borrowed:
            pass
        assert int(borrowed) == 0
    for borrowed in (w.GetProcessWindowStation(), w.GetThreadDesktop(sim.get_current_thread_id())):
        assert w.GetUserObjectInformation(borrowed, 2)
    del borrowed
    gc.collect()
    assert not sim.called("CloseDesktop")
    assert not sim.called("CloseWindowStation")


def test_handle_ownership_moves_between_objects(sim: SimulatedSCM) -> None:
    first = w.CreateDesktop("mine", 0, 0x1FF, None)
    second = w.HDESKType(handle=first)
    assert int(first) == int(second)
    del first
    assert w.GetUserObjectInformation(second, 2) == "mine"
    third = w.HDESKType(second.Detach())
    del second
    assert not sim.called("CloseDesktop")
    del third
    assert len(sim.called("CloseDesktop")) == 1


def test_window_handle_acts_as_number(sim: SimulatedSCM) -> None:
    from winsvc.win32service.calls import WindowHandle

    window = WindowHandle(0x1234)
    window.Close()
    assert (window, int(window), window.handle, window.Detach()) == (0x1234,) * 4
    assert repr(window) == str(window) == f"<PyHANDLE:{0x1234}>"
    with pytest.raises(TypeError):
        w.QueryServiceStatus(window)


# ------------------------------------------------------------------------------- typed


def test_typed_program_runs_on_simulated_system(
    sim: SimulatedSCM, scm: w.PySC_HANDLE, base: w.PySC_HANDLE
) -> None:
    assert typed.states(None) == {"base": 1, "top": 1}
    typed.install("new", r"C:\New.exe", deps=["base"])
    assert typed.path_of("new") == r"c:\new.exe"
    assert typed.path_of("none") is None
    assert typed.dacl_of("new") > 0
    assert typed.stop("new") in (w.SERVICE_STOP_PENDING, w.SERVICE_STOPPED)
    assert typed.process_of("base") > 0  # started for the service that depends on it
    assert [row["ServiceName"] for row in typed.rows()][:2] == ["base", "top"]
    top = w.OpenService(scm, "top", w.SERVICE_ALL_ACCESS)
    assert typed.by_level(top) == (None, [], False, 0, (), None)
    w.ChangeServiceConfig2(top, w.SERVICE_CONFIG_DESCRIPTION, "text")
    w.ChangeServiceConfig2(top, w.SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, ["SeDebugPrivilege"])
    assert typed.by_level(top) == ("text", [], False, 0, (), ["SeDebugPrivilege"])
    assert typed.with_a_tag(scm, "driver") == 1
    assert "sample" in typed.desktops()
