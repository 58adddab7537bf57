"""The settings of a snapshot, for another service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from snapshot_values import rich

from winsvc import (
    ErrorControl,
    FailureActions,
    LaunchProtection,
    SecurityDescriptor,
    ServiceManager,
    ServiceSnapshot,
    ServiceType,
    StartType,
    Trigger,
)
from winsvc._values.setting_table import SETTINGS
from winsvc._values.snapshot import unreadable
from winsvc.errors import win32_error
from winsvc.testing import SimulatedSCM

WINE = SecurityDescriptor.from_bytes(
    bytes.fromhex("01000c80000000000000000000000000140000000200080000000000")
)


def without_identity(snapshot: ServiceSnapshot) -> ServiceSnapshot:
    return replace(snapshot, name="", status=None)


def test_settings_of_snapshot_configure_another_service_equally() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm:
        with rich(scm) as service:
            snapshot = service.snapshot()
        assert not snapshot.missing_settings()
        # Two services cannot have one display name.
        settings = snapshot.settings()
        del settings["display_name"]
        with scm.create("other", "other.exe") as other:
            other.configure(**settings)
            copied = other.snapshot()
    assert snapshot.config is not None
    assert copied.config is not None
    assert without_identity(
        replace(copied, config=replace(copied.config, display_name="Rich"))
    ) == without_identity(snapshot)


def test_settings_of_default_snapshot_restore_changed_service() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm:
        scm.create("plain", "plain.exe").close()
        with scm.open("plain") as plain:
            before = plain.snapshot()
            plain.configure(
                start_type=StartType.DISABLED,
                description="changed",
                dependencies=["x"],
                failure_actions=FailureActions.restart(),
                preshutdown_timeout=timedelta(seconds=1),
                triggers=[Trigger.on_ip_available()],
            )
            assert plain.snapshot() != before
            plain.configure(**before.settings())
            assert plain.snapshot() == before


def test_settings_of_driver_configure_another_driver_equally() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm:
        for name in ("a", "b"):
            scm.create(name, f"{name}.sys", service_type=ServiceType.KERNEL_DRIVER).close()
        with scm.open("a") as first, scm.open("b") as second:
            first.configure(error_control=ErrorControl.IGNORE, display_name="")
            snapshot = first.snapshot()
            settings = snapshot.settings()
            del settings["display_name"]
            second.configure(**settings)
            copied = second.snapshot()
    assert copied.config is not None
    assert without_identity(
        replace(copied, config=replace(copied.config, display_name="a"))
    ) == without_identity(snapshot)


def test_settings_of_unquoted_path_need_permission_to_be_written() -> None:
    path = r"C:\Program Files\a b\x.exe"
    scm = SimulatedSCM.from_json({"services": {"odd": {"binary_path": path}}})
    with ServiceManager(backend=scm) as manager, manager.open("odd") as service:
        settings = service.snapshot().settings()
        with pytest.raises(ValueError, match="allow_unquoted_path"):
            service.configure(**settings)
        service.configure(**settings, allow_unquoted_path=True)
        assert service.config().binary_path == path


def test_missing_settings_names_password_of_user_account() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm:
        with scm.create("x", "x.exe", account=r".\bob", password="hunter2") as service:
            snapshot = service.snapshot()
    assert snapshot.missing_settings() == ("password",)
    assert "password" not in snapshot.settings()
    assert snapshot.settings()["account"] == "bob"


def test_missing_settings_names_settings_with_read_error() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm, rich(scm) as service:
        snapshot = service.snapshot()
    error = win32_error(124, "QueryServiceConfig2W")
    partial = replace(snapshot, triggers=None, preferred_node=None, errors={"triggers": error})
    assert partial.missing_settings() == ("triggers",)  # there is no preferred node
    assert not {"triggers", "preferred_node"} & set(partial.settings())
    closed = unreadable("x", None, None, win32_error(5, "OpenServiceW"))
    assert closed.missing_settings() == tuple(SETTINGS)
    assert not closed.settings()


def test_settings_omit_placeholder_security_and_absent_protection() -> None:
    with ServiceManager(backend=SimulatedSCM()) as scm, rich(scm) as service:
        snapshot = service.snapshot()
    assert "launch_protection" not in snapshot.settings()
    protected = replace(snapshot, launch_protection=LaunchProtection.WINDOWS)
    assert protected.settings()["launch_protection"] is LaunchProtection.WINDOWS
    wine = replace(snapshot, security=WINE)
    assert "security" not in wine.settings()
    assert wine.missing_settings() == ("security",)
