"""Change settings, read them back, and check that other settings are unchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from differences import Differs

from winsvc import (
    AccessDeniedError,
    ErrorControl,
    FailureAction,
    FailureActions,
    InvalidParameterError,
    MarkedForDeleteError,
    Service,
    ServiceAccess,
    ServiceConfig,
    ServiceExistsError,
    ServiceManager,
    ServiceSpec,
    ServiceType,
    SidType,
    StartType,
    Trigger,
    UnsupportedError,
    ValidationError,
)


def changed(service: Service, **settings: object) -> ServiceConfig:
    """Configure twice, check that the second call changes nothing, and return the result."""
    service.configure(**settings)  # type: ignore[arg-type]
    config = service.config()
    service.configure(**settings)  # type: ignore[arg-type]
    assert service.config() == config
    return config


@pytest.mark.parametrize(
    ("setting", "values"),
    [
        ("start_type", [StartType.DISABLED, StartType.AUTOMATIC, StartType.MANUAL]),
        ("error_control", list(ErrorControl)),
        ("service_type", [ServiceType.SHARE_PROCESS, ServiceType.OWN_PROCESS]),
        ("binary_path", [r'"C:\Program Files\a b\c.exe" -k', r"%SystemRoot%\x.exe"]),
        ("load_order_group", ["A group", "Other", ""]),
        ("display_name", ["Anders", "äöü \U0001f600"]),
        ("account", [r".\somebody", r"NT AUTHORITY\LocalService", "LocalSystem"]),
    ],
)
def test_configure_single_setting_changes_only_that_setting(
    installed: Service, setting: str, values: list[object]
) -> None:
    before = installed.config()
    for value in values:
        if setting == "display_name":
            value = f"{value} {installed.name}"
        assert changed(installed, **{setting: value}) == replace(before, **{setting: value})  # type: ignore[arg-type]


def test_configure_several_settings_applies_all(installed: Service) -> None:
    config = changed(
        installed,
        start_type=StartType.AUTOMATIC,
        error_control=ErrorControl.SEVERE,
        binary_path="x.exe",
        load_order_group="G",
        display_name=f"All {installed.name}",
        description="A text",
    )
    installed.configure(start_type=StartType.MANUAL)  # starts with the machine otherwise
    assert config.start_type is StartType.AUTOMATIC
    assert config.error_control is ErrorControl.SEVERE
    assert config.binary_path == "x.exe"
    assert config.load_order_group == "G"
    assert config.display_name == f"All {installed.name}"
    assert installed.description() == "A text"


def test_configure_account_alias_reads_as_local_system(installed: Service) -> None:
    for spelling in ("SYSTEM", r".\SYSTEM", "localsystem", r"NT AUTHORITY\SYSTEM", "S-1-5-18"):
        assert changed(installed, account=spelling).account == "LocalSystem"


def test_configure_description_reads_back(installed: Service) -> None:
    assert installed.description() == ""
    for text in ("A text", "Längerer Text \U0001f600 " * 50, ""):
        installed.configure(description=text)
        assert installed.description() == text
    installed.configure(description="again")
    installed.configure(description=None)
    assert installed.description() == ""


@pytest.mark.parametrize("milliseconds", [0, 1, 180_000, 0xFFFFFFFF])
def test_configure_preshutdown_timeout_reads_back(installed: Service, milliseconds: int) -> None:
    timeout = timedelta(milliseconds=milliseconds)
    installed.configure(preshutdown_timeout=timeout)
    assert installed.preshutdown_timeout() == timeout


def test_configure_other_settings_keeps_description_and_preshutdown_timeout(
    installed: Service,
) -> None:
    installed.configure(description="stays", preshutdown_timeout=7)
    installed.configure(start_type=StartType.DISABLED, load_order_group="G")
    assert installed.description() == "stays"
    assert installed.preshutdown_timeout() == timedelta(seconds=7)


def test_configure_duplicate_display_name_is_accepted_except_on_wine(
    scm: ServiceManager,
    installed: Service,
    program: str,
    unique_name: Callable[[], str],
    wine_differs: Differs,
) -> None:
    with scm.create(unique_name(), program) as other:
        try:
            taken = installed.config().display_name
            if wine_differs("duplicate-display-name"):
                with pytest.raises(ServiceExistsError) as caught:
                    other.configure(display_name=taken)
                assert caught.value.winerror == 1078
                assert other.config().display_name == other.name
            else:
                other.configure(display_name=taken)
                assert other.config().display_name == installed.config().display_name == taken
        finally:
            other.delete()


@pytest.mark.parametrize(
    "settings",
    [
        {"start_type": StartType(6)},
        {"start_type": StartType.BOOT},
        {"service_type": ServiceType.OWN_PROCESS | ServiceType.SHARE_PROCESS},
    ],
)
def test_configure_unsupported_value_raises_invalid_argument(
    installed: Service, settings: dict[str, object]
) -> None:
    before = installed.config()
    with pytest.raises(InvalidParameterError) as caught:
        installed.configure(**settings)  # type: ignore[arg-type]
    assert caught.value.winerror == 87
    assert caught.value.object_name == installed.name
    assert installed.config() == before


def test_configure_refused_by_argument_check_changes_nothing(installed: Service) -> None:
    before = installed.config()
    with pytest.raises(ValidationError, match="LocalSystem"):
        installed.configure(
            service_type=ServiceType.OWN_PROCESS | ServiceType.INTERACTIVE_PROCESS,
            account="NetworkService",
            display_name="not reached",
        )
    with pytest.raises(ValidationError, match="not quoted"):
        installed.configure(
            binary_path=r"C:\Program Files\x y\svc.exe -k", description="not reached"
        )
    assert installed.config() == before
    assert installed.description() == ""


def test_configure_without_change_right_raises_access_denied(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name, access=ServiceAccess.QUERY_CONFIG) as service:
        with pytest.raises(AccessDeniedError, match=r"Needed: ServiceAccess\.CHANGE_CONFIG"):
            service.configure(start_type=StartType.DISABLED)
        with pytest.raises(AccessDeniedError):
            service.configure(description="x")


def test_configure_service_marked_for_delete_raises_error(
    scm: ServiceManager, installed: Service
) -> None:
    with scm.open(installed.name) as service:
        installed.delete()
        with pytest.raises(MarkedForDeleteError, match="all handles to it are closed"):
            service.configure(start_type=StartType.DISABLED)


def test_create_from_spec_applies_all_settings(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    spec = ServiceSpec(
        name=unique_name(),
        binary_path=program,
        start_type=StartType.DISABLED,
        description="From a spec",
        preshutdown_timeout=3,
    )
    with scm.create(spec) as service:
        try:
            assert service.config().start_type is StartType.DISABLED
            assert service.config().account == "LocalSystem"
            assert service.description() == "From a spec"
            assert service.preshutdown_timeout() == timedelta(seconds=3)
        finally:
            service.delete()


def test_spec_for_program_creates_startable_service(
    scm: ServiceManager, program: str, unique_name: Callable[[], str]
) -> None:
    spec = ServiceSpec.for_program(unique_name(), program.strip('"'), "an argument", "plain")
    with scm.create(spec) as service:
        try:
            assert service.start().pid
            service.stop()
            assert service.config().binary_path.endswith('"an argument" plain')
        finally:
            service.delete()


# Wine has these levels only as stubs; on Windows they are read back.


def test_failure_actions_after_change_read_back(installed: Service, wine_differs: Differs) -> None:
    if wine_differs("config-levels"):
        with pytest.raises(UnsupportedError) as caught:
            installed.failure_actions()
        assert caught.value.function == "QueryServiceConfig2W"
        return
    assert installed.failure_actions() == FailureActions()
    actions = FailureActions(
        actions=(
            FailureAction.restart(5),
            FailureAction.run_command(timedelta(milliseconds=0xFFFFFFFF)),
            FailureAction.none(),
        ),
        reset_after=None,
        reboot_message="soon",
        command="cmd.exe",
    )
    installed.configure(failure_actions=actions)
    assert installed.failure_actions() == actions
    changed_actions = replace(installed.failure_actions(), command="other.exe")
    installed.configure(failure_actions=changed_actions)
    assert installed.failure_actions() == replace(actions, command="other.exe")
    installed.configure(failure_actions=replace(actions, command="", reboot_message=""))
    assert installed.failure_actions() == replace(actions, command="", reboot_message="")
    installed.configure(failure_actions=None)
    assert installed.failure_actions() == FailureActions()


def test_configure_level_settings_read_back(installed: Service, wine_differs: Differs) -> None:
    trigger = Trigger.on_ip_available()
    settings: dict[str, Any] = {
        "start_type": StartType.AUTOMATIC,
        "delayed_auto_start": True,
        "failure_actions_on_error": True,
        "sid_type": SidType.UNRESTRICTED,
        "required_privileges": ["SeBackupPrivilege", "SeChangeNotifyPrivilege"],
        "triggers": [trigger],
    }
    if wine_differs("config-levels"):
        for name in ("failure_actions_on_error", "sid_type", "required_privileges", "triggers"):
            with pytest.raises(UnsupportedError, match=rf"Refused: {name}\.") as caught:
                installed.configure(**{name: settings[name]})
            assert caught.value.function == "ChangeServiceConfig2W"
        return
    installed.configure(**settings)
    assert installed.delayed_auto_start()
    assert installed.failure_actions_on_error()
    assert installed.sid_type() is SidType.UNRESTRICTED
    assert installed.required_privileges() == ("SeBackupPrivilege", "SeChangeNotifyPrivilege")
    assert installed.triggers() == (trigger,)
    installed.configure(start_type=StartType.MANUAL, required_privileges=(), triggers=())
    assert len(installed.required_privileges()) + len(installed.triggers()) == 0


def test_configure_dependencies_read_back(installed: Service, wine_differs: Differs) -> None:
    installed.configure(dependencies=["RpcSs", "+A group"])
    read = [] if wine_differs("dependencies-read") else ["RpcSs", "+A group"]
    assert [str(item) for item in installed.dependencies()] == read
    installed.configure(dependencies=())
    assert installed.dependencies() == ()
