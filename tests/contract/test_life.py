"""Create, start, stop and delete a service."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from support import wait_until_deleted

from winsvc import (
    InvalidNameError,
    InvalidParameterError,
    MarkedForDeleteError,
    Service,
    ServiceAlreadyRunningError,
    ServiceDisabledError,
    ServiceExistsError,
    ServiceManager,
    ServiceNotActiveError,
    ServiceNotFoundError,
    ServiceType,
    StartType,
    State,
    ValidationError,
)
from winsvc.errors import ProgramNotFoundError

# The service reports STOP_PENDING and then stops; the simulated one stops at once.
AFTER_STOP = {"native": {State.STOP_PENDING, State.STOPPED}, "simulated": {State.STOPPED}}


def test_service_lifecycle_from_create_to_delete_succeeds(
    scm: ServiceManager, program: str, unique_name: Callable[[], str], backend: str
) -> None:
    name = unique_name()
    with scm.create(name, program) as service:
        service.start("one", "two")
        assert service.status().state is State.RUNNING
        assert service.stop(wait=False).state in AFTER_STOP[backend]
        assert service.wait(State.STOPPED, timeout=20).exit_code == 0
        service.delete()
        with pytest.raises(MarkedForDeleteError):
            service.delete()
        with pytest.raises(MarkedForDeleteError, match="all handles to it are closed"):
            scm.create(name, program)
    wait_until_deleted(scm, name)
    with pytest.raises(ServiceNotFoundError):
        scm.open(name)


def test_create_with_existing_name_raises_exists_error(
    scm: ServiceManager, installed: Service, program: str
) -> None:
    for name in (installed.name, installed.name.upper()):
        with pytest.raises(ServiceExistsError) as caught:
            scm.create(name, program)
        assert caught.value.winerror == 1073
        assert caught.value.object_name == name
        assert isinstance(caught.value, FileExistsError)


@pytest.mark.parametrize("name", ["", "a/b", "a\\b", "x" * 257, "a\0b"])
def test_create_with_invalid_name_raises_invalid_name(
    scm: ServiceManager, program: str, name: str
) -> None:
    with pytest.raises(InvalidNameError) as caught:
        scm.create(name, program)
    assert caught.value.winerror == 123


def test_create_without_binary_path_raises_argument_error(
    scm: ServiceManager, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    for path in ("", None):
        with pytest.raises(ValidationError, match="binary_path: "):
            scm.create(name, path)
    assert not scm.exists(name)


@pytest.mark.parametrize("kind", [ServiceType.WIN32, ServiceType.DRIVER, ServiceType(0x100)])
def test_create_with_invalid_type_raises_invalid_argument(
    scm: ServiceManager, program: str, unique_name: Callable[[], str], kind: ServiceType
) -> None:
    name = unique_name()
    with pytest.raises(InvalidParameterError) as caught:
        scm.create(name, program, service_type=kind)
    assert (caught.value.winerror, caught.value.object_name) == (87, name)
    assert not scm.exists(name)


def test_create_with_unquoted_path_with_blank_raises_argument_error(
    scm: ServiceManager, unique_name: Callable[[], str]
) -> None:
    name = unique_name()
    with pytest.raises(ValidationError, match="contains a blank and is not quoted"):
        scm.create(name, r"C:\Program Files\beat\beat.exe --loud")
    assert not scm.exists(name)


def test_configure_unquoted_path_requires_unquoted_flag(
    scm: ServiceManager, unique_name: Callable[[], str]
) -> None:
    path = r"C:\Program Files\beat\beat.exe --loud"
    with scm.create(unique_name(), path, allow_unquoted_path=True) as service:
        try:
            before = service.config().binary_path
            assert before == path
            service.configure(binary_path="x.exe")
            with pytest.raises(ValidationError, match="allow_unquoted_path=True"):
                service.configure(binary_path=before)
            service.configure(binary_path=before, allow_unquoted_path=True)
            assert service.config().binary_path == path
        finally:
            service.delete()


def test_start_of_running_service_raises_already_running(installed: Service) -> None:
    installed.start()
    with pytest.raises(ServiceAlreadyRunningError) as caught:
        installed.start()
    assert caught.value.winerror == 1056
    assert caught.value.object_name == installed.name


def test_stop_of_stopped_service_raises_not_active(installed: Service) -> None:
    with pytest.raises(ServiceNotActiveError) as caught:
        installed.stop()
    assert caught.value.winerror == 1062


def test_start_of_disabled_service_raises_disabled_error(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    with scm.create(unique_name(), program, start_type=StartType.DISABLED) as service:
        try:
            with pytest.raises(ServiceDisabledError, match="Change the start type"):
                service.start()
            assert service.status().state is State.STOPPED
        finally:
            service.delete()


def test_start_with_missing_program_raises_not_found(
    scm: ServiceManager, unique_name: Callable[[], str]
) -> None:
    with scm.create(unique_name(), r"C:\no-such-program.exe") as service:
        try:
            with pytest.raises(ProgramNotFoundError) as caught:
                service.start()
            assert caught.value.winerror == 2
            assert isinstance(caught.value, FileNotFoundError)
        finally:
            service.delete()
