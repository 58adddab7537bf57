"""winsvc returns the same data as pywin32 and psutil."""

from __future__ import annotations

import psutil
import pytest
import win32service

from winsvc import Service, ServiceManager, ServiceType, StateFilter


@pytest.mark.parametrize("kind", [ServiceType.WIN32, ServiceType.DRIVER])
@pytest.mark.parametrize("state", [StateFilter.ACTIVE, StateFilter.INACTIVE, StateFilter.ALL])
def test_listing_equals_pywin32(
    scm: ServiceManager, installed: Service, kind: ServiceType, state: StateFilter
) -> None:
    installed.start()
    handle = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_ENUMERATE_SERVICE)
    theirs = win32service.EnumServicesStatusEx(handle, int(kind), int(state))
    ours = [
        {
            "ServiceName": info.name,
            "DisplayName": info.display_name,
            "ServiceType": info.status.service_type,
            "CurrentState": info.status.state,
            "ControlsAccepted": info.status.controls_accepted,
            "Win32ExitCode": info.status.exit_code,
            "ServiceSpecificExitCode": info.status.service_exit_code,
            "CheckPoint": info.status.check_point,
            "WaitHint": info.status.wait_hint.total_seconds() * 1000,
            "ProcessId": info.status.pid or 0,
            "ServiceFlags": info.status.flags,
        }
        for info in scm.services(service_type=kind, state=state)
    ]
    for row in theirs:
        row["DisplayName"] = row["DisplayName"] or row["ServiceName"]
    assert ours == theirs


def test_configuration_equals_pywin32(scm: ServiceManager) -> None:
    manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
    for info in scm.services(service_type=ServiceType.WIN32 | ServiceType.DRIVER):
        try:
            handle = win32service.OpenService(manager, info.name, win32service.SERVICE_QUERY_CONFIG)
        except win32service.error:
            assert not scm.exists(info.name)  # it was marked for deletion, and is removed
            continue
        theirs = win32service.QueryServiceConfig(handle)
        with scm.open(info.name) as service:  # the open handle keeps the service
            config = service.config()
        assert theirs == (
            config.service_type,
            config.start_type,
            config.error_control,
            config.binary_path,
            config.load_order_group,
            config.tag,
            [str(dependency) for dependency in config.dependencies],
            config.account,
            theirs[8] and config.display_name,
        )


def test_running_processes_equal_psutil(scm: ServiceManager, installed: Service) -> None:
    installed.start()
    ours = {info.name: info.status.pid for info in scm.services()}
    theirs = {service.name(): service.pid() for service in psutil.win_service_iter()}
    assert ours == theirs
    assert ours[installed.name] is not None
