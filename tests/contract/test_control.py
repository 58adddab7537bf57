"""Controls, names, deletion and further calls of the manager, with an installed service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from differences import Differs
from support import simulated_only, wait_until_stopped

from winsvc import (
    AccessDeniedError,
    Control,
    ControlRefusedError,
    ErrorCode,
    ManagerAccess,
    Service,
    ServiceAccess,
    ServiceManager,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceStartError,
    State,
    StopMajor,
    StopMinor,
    StopReason,
    UnsupportedError,
    ValidationError,
    WaitTimeoutError,
    win32service,
)
from winsvc._values.stopreason import StopFlag
from winsvc.testing import SimulatedSCM


def test_start_arguments_and_controls_reach_service(installed: Service, tmp_path: Path) -> None:
    log = tmp_path / "log"
    installed.start(f"log={log}", "zwei äöü")
    assert installed.pause().state is State.PAUSED
    assert installed.resume().state is State.RUNNING
    assert installed.interrogate().state is State.RUNNING
    assert installed.interrogate().state is State.RUNNING
    installed.control(128)
    installed.control(255)
    installed.control(Control.PARAM_CHANGE)
    installed.stop()
    assert log.read_text("utf-8").splitlines() == [
        installed.name,
        f"log={log}",
        "zwei äöü",
        *(f"control {code}" for code in (2, 3, 4, 4, 128, 255, 6, 1)),
    ]


def test_start_with_invalid_argument_raises_and_stays_stopped(installed: Service) -> None:
    for arguments in ((None,), ("a", None), ("a", 5), ("a\0b",)):
        with pytest.raises((TypeError, ValidationError), match=r"arguments\[\d\]: "):
            installed.start(*arguments)
    assert installed.status().state is State.STOPPED


def test_controls_to_stopped_service_raise_not_active_with_status(installed: Service) -> None:
    for send in (installed.stop, installed.pause, installed.interrogate):
        with pytest.raises(ServiceNotActiveError) as caught:
            send()
        assert caught.value.status is not None
        assert caught.value.status.state is State.STOPPED


def test_control_not_accepted_raises_control_refused(installed: Service) -> None:
    installed.start()
    with pytest.raises(ControlRefusedError) as caught:
        installed.control(Control.NETBIND_ADD)
    assert caught.value.winerror == 1052
    installed.stop()


def test_control_with_reserved_code_raises_argument_error(installed: Service) -> None:
    installed.start()
    for code in (127, 256, Control.SHUTDOWN):
        with pytest.raises(ValidationError):
            installed.control(code)
    installed.stop()


def test_control_without_its_right_raises_access_denied(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name, access=ServiceAccess.STOP) as service:
        with pytest.raises(AccessDeniedError, match="USER_DEFINED_CONTROL"):
            service.control(128)


def test_stop_with_reason_calls_control_service_ex(
    installed: Service, wine_differs: Differs
) -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "x" * 127)
    installed.start()
    if wine_differs("missing-calls"):
        with pytest.raises(UnsupportedError) as caught:
            installed.stop(reason)
        assert caught.value.function == "ControlServiceExW"
        assert installed.status().state is State.RUNNING
    else:
        assert installed.stop(reason).exit_code == 0


@simulated_only
def test_stop_passes_reason_and_comment_to_the_system(
    installed: Service, sim: SimulatedSCM
) -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "x" * 127)
    installed.start()
    installed.stop(reason)
    (call,) = sim.called("ControlServiceExW", installed.name)
    assert call.arguments["control"] == Control.STOP
    assert call.arguments["reason"] == reason.code
    assert call.arguments["comment"] == "x" * 127


def test_process_crash_during_start_leaves_service_stopped(
    installed: Service, wine_differs: Differs
) -> None:
    with pytest.raises(ServiceStartError) as caught:
        installed.start("die")
    if wine_differs("start-ended"):
        assert caught.value.winerror == ErrorCode.SERVICE_REQUEST_TIMEOUT
    status = caught.value.status
    assert status is not None
    assert status == wait_until_stopped(installed)
    assert status.pid is None
    assert status.exit_code == (
        ErrorCode.SERVICE_NEVER_STARTED
        if wine_differs("process-death")
        else ErrorCode.PROCESS_ABORTED
    )


@pytest.mark.parametrize(("argument", "code", "own"), [("exit=5", 5, 0), ("specific=42", 1066, 42)])
def test_service_exit_codes_appear_in_stopped_status(
    installed: Service, argument: str, code: int, own: int, wine_differs: Differs
) -> None:
    with pytest.raises(ServiceStartError) as caught:
        installed.start(argument)
    if wine_differs("start-ended"):
        assert caught.value.winerror == ErrorCode.SERVICE_REQUEST_TIMEOUT
    for status in (caught.value.status, installed.status()):
        assert status is not None
        assert status.state is State.STOPPED
        assert (status.exit_code, status.service_exit_code) == (code, own)


def test_dependents_of_independent_service_returns_empty_list(installed: Service) -> None:
    assert installed.dependents() == []


def test_dependents_returns_dependent_service(
    scm: ServiceManager,
    installed: Service,
    program: str,
    unique_name: Callable[[], str],
    wine_differs: Differs,
) -> None:
    with scm.create(unique_name(), program, dependencies=[installed.name]) as dependent:
        try:
            found = [info.name for info in installed.dependents()]
            assert found == ([] if wine_differs("dependents") else [dependent.name])
            assert dependent.dependents() == []
        finally:
            dependent.delete()


# ------------------------------------------------------------------- names


def test_display_name_and_key_name_convert_both_ways(
    scm: ServiceManager, installed: Service
) -> None:
    display_name = installed.config().display_name
    assert scm.display_name(installed.name) == display_name
    assert scm.display_name(installed.name.upper()) == display_name
    assert scm.key_name(display_name) == installed.name
    with scm.open(scm.key_name(display_name)) as service:
        assert service.config() == installed.config()


def test_unique_names_of_all_services_convert_both_ways(scm: ServiceManager) -> None:
    listed = list(scm.services())
    shown = Counter(info.display_name for info in listed)
    # Wine keeps no display name that is the key name.
    own = {
        info.name: info.display_name
        for info in listed
        if shown[info.display_name] == 1 and info.display_name != info.name
    }
    assert "Eventlog" in own
    assert {name: scm.display_name(name) for name in own} == own
    assert {scm.key_name(display_name): display_name for display_name in own.values()} == own


def test_names_of_maximum_length_convert_both_ways(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name().ljust(256, "n")
    display_name = unique_name().ljust(256, "d")
    with scm.create(name, program, display_name=display_name) as service:
        try:
            assert scm.display_name(name) == display_name
            assert scm.key_name(display_name) == name
        finally:
            service.delete()


def test_name_lookups_of_missing_service_raise_not_found(scm: ServiceManager) -> None:
    for question in (scm.display_name, scm.key_name, scm.info):
        with pytest.raises(ServiceNotFoundError) as caught:
            question("winsvc-no-such-name")
        assert caught.value.object_name == "winsvc-no-such-name"


def test_exists_finds_service_regardless_of_case(scm: ServiceManager, installed: Service) -> None:
    assert scm.exists(installed.name)
    assert scm.exists(installed.name.upper())
    assert not scm.exists("winsvc-no-such-service")


def test_info_returns_listed_service_info(scm: ServiceManager, installed: Service) -> None:
    (listed,) = [info for info in scm.services() if info.name == installed.name]
    assert scm.info(installed.name) == listed


def test_services_in_process_returns_services_of_process(
    scm: ServiceManager, installed: Service
) -> None:
    installed.start()
    pid = installed.status().pid
    assert pid is not None
    assert [info.name for info in scm.services_in_process(pid)] == [installed.name]
    assert scm.services_in_process(2) == []  # they are multiples of 4
    installed.stop()


# ------------------------------------------------------------------- deletion


def test_delete_with_wait_frees_service_name(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    scm.create(name, program).close()
    scm.delete(name, wait=True, timeout=10)
    assert not scm.exists(name)
    scm.create(name, program).close()  # the name is free again
    assert scm.exists(name)
    scm.delete(name, wait=True, timeout=10)
    assert not scm.exists(name)


def test_delete_with_open_handle_raises_timeout_error(
    scm: ServiceManager, installed: Service
) -> None:
    with pytest.raises(WaitTimeoutError, match=r"This process has 1 handles? .*open"):
        scm.delete(installed.name, wait=True, timeout=0.05)
    assert scm.exists(installed.name)


def test_delete_missing_service_raises_not_found(scm: ServiceManager) -> None:
    with pytest.raises(ServiceNotFoundError):
        scm.delete("winsvc-no-such-service")


# ------------------------------------------------------------------- the rest


def test_lock_status_shows_owner_only_while_locked(
    scm: ServiceManager, wine_differs: Differs
) -> None:
    if wine_differs("lock"):
        with pytest.raises(UnsupportedError):
            scm.lock_status()
        return
    assert scm.lock_status().owner is None
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_LOCK)
    lock = win32service.LockServiceDatabase(manager)
    assert scm.lock_status().owner is not None
    win32service.UnlockServiceDatabase(lock)
    assert scm.lock_status().owner is None
    win32service.CloseServiceHandle(manager)


def test_services_with_all_access_manager_lists_services() -> None:
    with ServiceManager(access=ManagerAccess.ALL_ACCESS) as scm:
        assert any(scm.services())


def test_security_after_grant_and_restore_reads_back(
    installed: Service, wine_differs: Differs
) -> None:
    descriptor = installed.security()
    assert descriptor.dacl is not None
    if wine_differs("security"):
        installed.configure(security=descriptor)
        assert installed.security() == descriptor
        return
    assert descriptor.owner is not None
    installed.set_security(descriptor.grant("BU", ServiceAccess.START))
    assert installed.security().effective("BU") & ServiceAccess.START
    installed.configure(security=descriptor)
    assert not installed.security().effective("BU") & ServiceAccess.START


def test_snapshot_holds_status_config_and_description(
    installed: Service, wine_differs: Differs
) -> None:
    installed.configure(description="A text", preshutdown_timeout=5)
    snapshot = installed.snapshot()
    assert snapshot.status == installed.status()
    assert snapshot.config == installed.config()
    assert snapshot.description == "A text"
    document = snapshot.to_json()
    assert document["name"] == installed.name
    assert document["description"] == "A text"
    assert document["preshutdown_timeout"] == 5.0
    text = snapshot.describe()
    assert f"service       {installed.name}" in text
    assert "start         manual" in text
    if wine_differs("config-levels"):
        assert "triggers" in snapshot.errors
        assert "not readable  triggers: " in text
    else:
        assert not snapshot.errors
