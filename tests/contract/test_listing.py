"""List services with their status."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from differences import Differs

from winsvc import (
    AccessDeniedError,
    HandleClosedError,
    InvalidParameterError,
    ManagerAccess,
    Service,
    ServiceManager,
    ServiceType,
    State,
    StateFilter,
)
from winsvc.errors import GroupNotFoundError


def names(scm: ServiceManager, **filters: object) -> set[str]:
    return {info.name for info in scm.services(**filters)}  # type: ignore[arg-type]


def test_services_lists_stopped_service_with_its_status(
    scm: ServiceManager, installed: Service
) -> None:
    (info,) = [info for info in scm.services() if info.name == installed.name]
    assert info.display_name.startswith("Test winsvc-test-")
    assert info.status == installed.status()
    assert info.status.state is State.STOPPED
    assert info.status.service_type is ServiceType.OWN_PROCESS
    assert info.status.pid is None
    assert info.status.exit_code == 1077  # has not run yet


def test_services_lists_running_service_with_pid(scm: ServiceManager, installed: Service) -> None:
    installed.start()
    (info,) = [info for info in scm.services() if info.name == installed.name]
    assert info.status.state is State.RUNNING
    assert info.status.pid is not None
    assert info.status.exit_code == 0


def test_services_filtered_by_state_returns_matching_services(
    scm: ServiceManager, installed: Service
) -> None:
    name = installed.name
    assert name in names(scm, state=State.STOPPED)
    assert name in names(scm, state=StateFilter.INACTIVE)
    assert name not in names(scm, state=State.RUNNING)
    assert name not in names(scm, state=StateFilter.ACTIVE)
    installed.start()
    assert name in names(scm, state=State.RUNNING)
    assert name in names(scm, state=[State.RUNNING, State.PAUSED])
    assert name in names(scm, state=StateFilter.ACTIVE)
    assert name not in names(scm, state={State.STOPPED, State.PAUSED})


def test_services_filtered_by_type_separates_drivers(scm: ServiceManager) -> None:
    everything = {info.name: info.status for info in scm.services(service_type=ServiceType.ALL)}
    drivers = names(scm, service_type=ServiceType.DRIVER)
    services = names(scm, service_type=ServiceType.WIN32)
    assert drivers
    assert services
    assert not drivers & services
    assert drivers | services <= set(everything)
    assert all(everything[name].service_type & ServiceType.DRIVER for name in drivers)
    assert all(everything[name].pid is None for name in drivers)


def test_services_filtered_by_group_returns_group_members(
    scm: ServiceManager, program: str, unique_name: Callable[[], str], wine_differs: Differs
) -> None:
    group = unique_name()
    with scm.create(unique_name(), program, load_order_group=group) as service:
        try:
            assert names(scm, group=group) == {service.name}
            if not wine_differs("group-none"):
                assert service.name not in names(scm, group="")
        finally:
            service.delete()


def test_services_of_unknown_group_raises_not_found(scm: ServiceManager) -> None:
    with pytest.raises(GroupNotFoundError, match="group 'no such group' does not exist") as caught:
        list(scm.services(group="no such group"))
    assert caught.value.function == "EnumServicesStatusExW"


@pytest.mark.parametrize("filters", [{"service_type": ServiceType(0)}, {"state": []}])
def test_services_with_empty_filter_raises_invalid_argument(
    scm: ServiceManager, filters: dict[str, object]
) -> None:
    with pytest.raises(InvalidParameterError) as caught:
        names(scm, **filters)
    assert caught.value.winerror == 87


def test_services_iterator_after_manager_close_raises_handle_closed() -> None:
    with ServiceManager() as scm:
        services = scm.services()
    with pytest.raises(HandleClosedError, match="the service manager on this machine is closed"):
        next(services)


def test_services_without_enumerate_right_raises_access_denied() -> None:
    with (
        ServiceManager(access=ManagerAccess.CONNECT) as scm,
        pytest.raises(AccessDeniedError) as caught,
    ):
        list(scm.services())
    assert caught.value.winerror == 5
    assert caught.value.function == "EnumServicesStatusExW"
    assert caught.value.hint == (
        "Needed: ManagerAccess.ENUMERATE_SERVICE. "
        "The handle was opened with ManagerAccess.CONNECT only."
    )


def test_services_longer_than_a_page_lists_all(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    created: list[Service] = []
    try:
        before = names(scm)
        for _ in range(3):
            # Longer each time than the buffer that was right before, and 300 KiB in the end:
            # Windows gives at most 256 KiB at once.
            for _ in range(100):
                name = unique_name()
                created.append(scm.create(name, program, display_name=name.ljust(256, "x")))
                created.append(scm.create(name.ljust(256, "y"), program))
            assert names(scm) - before == {service.name for service in created}
    finally:
        for service in created:
            with service:
                service.delete()
