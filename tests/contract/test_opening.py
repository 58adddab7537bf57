"""Connect to a manager and open services, with valid and invalid arguments."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable

import pytest

from winsvc import (
    AccessDeniedError,
    ErrorControl,
    HandleClosedError,
    InvalidNameError,
    Service,
    ServiceAccess,
    ServiceManager,
    ServiceNotFoundError,
    ServiceType,
    StartType,
    State,
    ValidationError,
)
from winsvc.errors import DatabaseNotFoundError


def test_open_missing_service_raises_not_found(scm: ServiceManager) -> None:
    with pytest.raises(ServiceNotFoundError) as caught:
        scm.open("winsvc-no-such-service")
    error = caught.value
    assert (error.winerror, error.function) == (1060, "OpenServiceW")
    assert (error.object_name, error.machine) == ("winsvc-no-such-service", None)
    assert "'winsvc-no-such-service' on this machine" in str(error)
    assert isinstance(error, LookupError)


@pytest.mark.parametrize("name", ["", "a/b", "a\\b"])
def test_open_with_invalid_name_raises_invalid_name(scm: ServiceManager, name: str) -> None:
    with pytest.raises(InvalidNameError) as caught:
        scm.open(name)
    assert caught.value.winerror == 123
    assert caught.value.object_name == name


def test_open_with_nul_in_name_raises_argument_error(
    scm: ServiceManager, installed: Service
) -> None:
    with pytest.raises(ValidationError, match="name: must not contain a NUL character"):
        scm.open(f"{installed.name}\0and more")


def test_open_with_bytes_name_raises_type_error(scm: ServiceManager) -> None:
    with pytest.raises(TypeError, match="name: expected str, not bytes"):
        scm.open(b"Eventlog")  # type: ignore[arg-type]


@pytest.mark.parametrize(("database", "code"), [("NoSuchDatabase", 123), ("ServicesFailed", 1065)])
def test_connect_to_unknown_database_raises_not_found(database: str, code: int) -> None:
    with pytest.raises(DatabaseNotFoundError) as caught:
        ServiceManager(database=database)
    assert caught.value.function == "OpenSCManagerW"
    assert caught.value.winerror == code
    assert isinstance(caught.value, LookupError)


def test_connect_with_empty_machine_and_active_database_is_local() -> None:
    with ServiceManager("", database="ServicesActive") as scm:
        assert scm.machine is None
        assert any(scm.services())


def test_open_ignores_case_of_service_name(scm: ServiceManager, installed: Service) -> None:
    with scm.open(installed.name.upper()) as service:
        assert service.config() == installed.config()


def test_open_by_display_name_raises_not_found(scm: ServiceManager, installed: Service) -> None:
    with pytest.raises(ServiceNotFoundError, match="by key name, not by display name"):
        scm.open(installed.config().display_name)


def test_config_of_created_service_reads_back(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name, display_name, group = unique_name(), f"Display of {unique_name()} äöü \U0001f600", "G"
    with scm.create(
        name,
        program,
        display_name=display_name,
        service_type=ServiceType.SHARE_PROCESS,
        start_type=StartType.DISABLED,
        error_control=ErrorControl.IGNORE,
        load_order_group=group,
    ) as created:
        try:
            with scm.open(name) as service:
                config = service.config()
        finally:
            created.delete()
    assert config.service_type is ServiceType.SHARE_PROCESS
    assert config.start_type is StartType.DISABLED
    assert config.error_control is ErrorControl.IGNORE
    assert config.binary_path == program
    assert config.load_order_group == group
    assert config.tag == 0
    assert config.account == "LocalSystem"
    assert config.display_name == display_name


def test_display_name_when_omitted_is_service_name(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    with scm.create(name, program) as service:
        try:
            assert service.config().display_name == name
            assert [i.display_name for i in scm.services() if i.name == name] == [name]
        finally:
            service.delete()


def test_config_longer_than_first_buffer_reads_back(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    command = f"{program} {'x' * 5000}"
    with scm.create(unique_name(), command) as service:
        try:
            assert service.config().binary_path == command
        finally:
            service.delete()


def test_service_without_fixed_access_acquires_rights_on_use(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name) as service:
        assert service.config().display_name
        service.start()
        assert service.status().state is State.RUNNING
        assert service.stop().exit_code == 0


def test_service_with_fixed_access_denies_other_calls(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name, access=ServiceAccess.QUERY_STATUS) as service:
        assert service.status().state is State.STOPPED
        with pytest.raises(AccessDeniedError) as caught:
            service.config()
        assert caught.value.winerror == 5
        assert caught.value.function == "QueryServiceConfigW"
        assert caught.value.object_name == installed.name
        assert caught.value.hint == (
            "Needed: ServiceAccess.QUERY_CONFIG. "
            "The handle was opened with ServiceAccess.QUERY_STATUS only."
        )
        with pytest.raises(PermissionError):
            service.start()
        with pytest.raises(PermissionError):
            service.delete()


def test_closed_service_raises_handle_closed(scm: ServiceManager, installed: Service) -> None:
    service = scm.open(installed.name)
    service.close()
    service.close()
    assert service.closed
    for use in (service.status, service.config, service.start, service.delete):
        with pytest.raises(HandleClosedError, match="closed") as caught:
            use()
        assert caught.value.object_name == installed.name


def test_closed_manager_raises_but_its_service_still_works(installed: Service) -> None:
    scm = ServiceManager()
    service = scm.open(installed.name)
    scm.close()
    scm.close()
    assert scm.closed
    with service:
        assert service.status().state is State.STOPPED  # a service outlives its manager
    with pytest.raises(HandleClosedError, match="closed"):
        scm.open(installed.name)


def test_unclosed_service_handle_warns(scm: ServiceManager, installed: Service) -> None:
    with pytest.warns(ResourceWarning, match=f"unclosed <ServiceHandle of .*{installed.name}"):
        scm.open(installed.name)
        gc.collect()


def test_status_from_many_threads_returns_same_state(installed: Service) -> None:
    states: list[object] = []

    def work() -> None:
        for _ in range(20):
            states.append(installed.status().state)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(states) == 160
    assert len(set(states)) == 1
