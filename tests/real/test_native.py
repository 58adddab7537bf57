"""The native backend without the object API: rows, bytes and handles."""

from __future__ import annotations

import sys
import winreg
from collections.abc import Callable, Iterator

import pytest
from _winsvc_cffi import ffi, lib
from differences import wine_has
from simulated import code_of

from winsvc._native import NativeBackend
from winsvc._native.backend import refusal
from winsvc._native.memory import valid_descriptor, zeroed_secret
from winsvc._values.account import Secret
from winsvc._values.rows import FailureActionsRow, PreferredNodeRow, StatusRow, TriggerRow
from winsvc.errors import (
    ControlRefusedError,
    HandleClosedError,
    ServiceNotActiveError,
    ServiceNotFoundError,
    UnsupportedError,
    ValidationError,
    Win32Error,
    win32_error,
)
from winsvc.security import SecurityDescriptor

assert sys.platform == "win32"

KEEP = lib.SERVICE_NO_CHANGE
WINE = bool(lib.wine_version())
# Wine's errors for an unsupported level: of a query, and of a change.
LACKED = (lib.ERROR_INVALID_LEVEL, 1733)  # RPC_S_INVALID_TAG

backend = NativeBackend()

on_wine = pytest.mark.skipif(not WINE, reason="what Wine lacks")


@pytest.fixture
def manager() -> Iterator[int]:
    handle = backend.open_sc_manager(None, None, lib.SC_MANAGER_ALL_ACCESS)
    yield handle
    backend.close_service_handle(handle)


@pytest.fixture
def name(unique_name: Callable[[], str]) -> str:
    return unique_name()


@pytest.fixture
def service(manager: int, name: str, program: str) -> Iterator[int]:
    kind, start, error = lib.SERVICE_WIN32_OWN_PROCESS, lib.SERVICE_DEMAND_START, 1
    handle, _ = backend.create_service(
        manager,
        name,
        f"{name} shown",
        lib.SERVICE_ALL_ACCESS,
        kind,
        start,
        error,
        program,
        None,
        False,
        None,
        None,
        None,
    )
    yield handle
    backend.delete_service(handle)
    backend.close_service_handle(handle)


def change(service: int, **changes: object) -> int | None:
    """Call ``change_service_config``; omitted values are unchanged."""
    arguments: dict[str, object] = {
        **dict.fromkeys(("service_type", "start_type", "error_control"), KEEP),
        **dict.fromkeys(("binary_path", "load_order_group", "dependencies"), None),
        **dict.fromkeys(("account", "password", "display_name"), None),
        "assign_tag": False,
        **changes,
    }
    return backend.change_service_config(service, **arguments)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------ the services


def test_change_config_keeps_settings_not_given(service: int) -> None:
    before = backend.query_service_config(service)
    assert change(service) is None
    assert backend.query_service_config(service) == before
    change(service, start_type=lib.SERVICE_DISABLED, load_order_group="grp", display_name="Shown")
    after = before._replace(
        start_type=lib.SERVICE_DISABLED, load_order_group="grp", display_name="Shown"
    )
    assert backend.query_service_config(service) == after
    change(service, load_order_group="", dependencies=(), password=Secret("never shown"))
    assert backend.query_service_config(service) == after._replace(load_order_group="")


def test_change_config_returns_tag_only_if_wanted(service: int) -> None:
    assert change(service, load_order_group="grp", assign_tag=WINE) == (0 if WINE else None)


def test_name_lookups_return_name_or_raise_not_found(manager: int, service: int, name: str) -> None:
    assert backend.get_service_display_name(manager, name) == f"{name} shown"
    assert backend.get_service_key_name(manager, f"{name} shown") == name
    for call in (backend.get_service_display_name, backend.get_service_key_name):
        with pytest.raises(ServiceNotFoundError):
            call(manager, f"{name} is none")
        with pytest.raises(HandleClosedError):
            call(0, name)


@pytest.mark.parametrize("length", [0, 255, 256])
def test_display_name_up_to_maximum_length_reads_back(
    manager: int, service: int, name: str, length: int
) -> None:
    text = ("\u00e4" * length)[len(name) :] + name if length else ""
    change(service, display_name=text)
    # Without a display name Windows returns the key name; Wine stores an empty display name.
    assert backend.get_service_display_name(manager, name) == (text or ("" if WINE else name))


@on_wine
@pytest.mark.parametrize("length", [257, 258, 3000])
def test_display_name_beyond_windows_maximum_reads_back(
    manager: int, service: int, name: str, length: int
) -> None:
    text = name + "x" * (length - len(name))
    change(service, display_name=text)
    assert backend.get_service_display_name(manager, name) == text


def test_enum_dependent_services_of_independent_service_is_empty(service: int) -> None:
    assert backend.enum_dependent_services(service, lib.SERVICE_STATE_ALL) == []


def test_control_of_stopped_service_raises_with_status(service: int) -> None:
    with pytest.raises(ServiceNotActiveError) as caught:
        backend.control_service(service, lib.SERVICE_CONTROL_STOP)
    assert caught.value.status is not None
    assert caught.value.status.state == lib.SERVICE_STOPPED
    with pytest.raises(Win32Error) as invalid:
        backend.control_service(service, 0x7F)  # not a defined control
    assert not hasattr(invalid.value, "status")


REAL = StatusRow(0x10, lib.SERVICE_RUNNING, 0, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize("code", [1052, 1061, 1062])
def test_refusal_with_valid_status_keeps_it(code: int) -> None:
    error = refusal(win32_error(code, "ControlService"), REAL)
    assert isinstance(error, ControlRefusedError | ServiceNotActiveError)
    assert error.status is not None
    assert error.status.state == lib.SERVICE_RUNNING


@pytest.mark.parametrize(
    ("code", "row"),
    [
        *((code, REAL) for code in (5, 6, 87, 109, 1051, 1053, 1115)),
        (1052, REAL._replace(current_state=0)),
        (1052, REAL._replace(current_state=8)),
        (1052, REAL._replace(current_state=0xFFFFFFFF)),
        (1052, REAL._replace(service_type=0)),
        (1052, REAL._replace(service_type=0x7FFE1234)),
        (1062, StatusRow(*[0] * 9)),
    ],
)
def test_refusal_with_unusable_status_drops_it(code: int, row: StatusRow) -> None:
    error = refusal(win32_error(code, "ControlService"), row)
    assert getattr(error, "status", None) is None


def test_control_service_ex_on_stopped_service_raises_error(service: int) -> None:
    kind = ServiceNotActiveError if lib.HAS_ControlServiceExW else UnsupportedError
    with pytest.raises(kind) as caught:
        backend.control_service_ex(service, lib.SERVICE_CONTROL_STOP, 0x40040005, "a test")
    assert caught.value.function == "ControlServiceExW"
    assert not isinstance(caught.value, ControlRefusedError)


def test_query_start_reason_of_stopped_service_raises_error(service: int) -> None:
    kind = Win32Error if lib.HAS_QueryServiceDynamicInformation else UnsupportedError
    with pytest.raises(kind) as caught:
        backend.query_start_reason(service)
    assert caught.value.function == "QueryServiceDynamicInformation"


# ------------------------------------------------------------------------------------ the database


def test_lock_service_database_after_unlock_locks_again(manager: int) -> None:
    for _ in range(2):  # after an unlock it can be locked again
        lock = backend.lock_service_database(manager)
        assert lock
        backend.unlock_service_database(lock)
    if not WINE:
        with pytest.raises(Win32Error) as caught:
            backend.unlock_service_database(lock)
        assert caught.value.function == "UnlockServiceDatabase"


def test_query_lock_status_ignores_stale_last_error(manager: int) -> None:
    for stale in (lib.ERROR_ACCESS_DENIED, lib.ERROR_INSUFFICIENT_BUFFER):
        lib.SetLastError(stale)
        if WINE:
            with pytest.raises(UnsupportedError) as caught:
                backend.query_service_lock_status(manager)
            assert caught.value.winerror == lib.ERROR_CALL_NOT_IMPLEMENTED
        else:
            assert backend.query_service_lock_status(manager).is_locked == 0


@on_wine  # Windows would use it to select the next boot configuration
def test_notify_boot_config_status_succeeds() -> None:
    """Wine accepts the call and does nothing; the test checks its success only."""
    for acceptable in (True, False):
        assert code_of(backend.notify_boot_config_status, acceptable) == 0


# ------------------------------------------------------------------------------ who may do what


def test_service_security_bytes_round_trip(service: int) -> None:
    information = lib.DACL_SECURITY_INFORMATION
    raw = backend.query_service_object_security(service, information)
    descriptor = SecurityDescriptor.from_bytes(raw)
    assert descriptor.dacl is not None
    assert len(raw) == lib.GetSecurityDescriptorLength(ffi.from_buffer("BYTE[]", raw))
    backend.set_service_object_security(service, information, raw)
    assert backend.query_service_object_security(service, information) == raw


GOOD = SecurityDescriptor.from_sddl("O:BAG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(A;;GA;;;BA)").to_bytes()


def test_valid_descriptor_keeps_bytes_unchanged() -> None:
    assert bytes(ffi.buffer(valid_descriptor(GOOD), len(GOOD))) == GOOD


def test_set_security_with_truncated_descriptor_raises_argument_error(service: int) -> None:
    for length in range(len(GOOD)):
        with pytest.raises(ValidationError, match="descriptor"):
            backend.set_service_object_security(service, 4, GOOD[:length])


@pytest.mark.parametrize(
    "garbage",
    [
        bytes(20),
        b"\xff" * 100,
        bytes.fromhex("01000480" + "ffffff7f" * 4),  # offsets outside of the data
        bytes.fromhex("01000400" + "ffffffff" * 8),  # absolute: pointers
        GOOD[:20] + b"\x02\xff\xff\xff" + GOOD[24:],
    ],
)
def test_set_security_with_malformed_descriptor_raises_argument_error(
    service: int, garbage: bytes
) -> None:
    with pytest.raises(ValidationError, match="descriptor"):
        backend.set_service_object_security(service, lib.DACL_SECURITY_INFORMATION, garbage)


def test_wiped_secret_is_zeroed_after_block() -> None:
    with zeroed_secret(Secret("pass\U0001f40d")) as secret:
        assert ffi.string(secret) == "pass\U0001f40d"
    assert bytes(ffi.buffer(secret)) == bytes(ffi.sizeof("wchar_t") * 7)


# ---------------------------------------------------------------------- the configuration by level


@pytest.mark.parametrize("text", ["short", "\u00e4 \U0001f40d", "x" * 3000, "y" * 20_000])
def test_description_after_change_reads_back(service: int, text: str) -> None:
    assert backend.query_description(service) is None
    backend.change_description(service, text)
    assert backend.query_description(service) == text
    backend.change_description(service, None)
    assert backend.query_description(service) == text
    backend.change_description(service, "")
    assert backend.query_description(service) is None


@pytest.mark.parametrize("number", [0, 1, 180_000, 0xFFFFFFFF])
def test_preshutdown_timeout_after_change_reads_back(service: int, number: int) -> None:
    level = lib.SERVICE_CONFIG_PRESHUTDOWN_INFO
    backend.change_config_number(service, level, number)
    assert backend.query_config_number(service, level) == number


@pytest.mark.parametrize("level", [1, 2, 6, 8, 9, 10, 0xFFF0])
def test_config_number_of_other_level_raises_argument_error(service: int, level: int) -> None:
    with pytest.raises(ValidationError, match="level"):
        backend.query_config_number(service, level)
    with pytest.raises(ValidationError, match="level"):
        backend.change_config_number(service, level, 1)


QUERIES: list[Callable[[int], object]] = [
    backend.query_failure_actions,
    backend.query_required_privileges,
    backend.query_triggers,
    backend.query_preferred_node,
    *(
        lambda service, level=level: backend.query_config_number(service, level)
        for level in (4, 5, 12)
    ),
]


@on_wine
@pytest.mark.parametrize("query", QUERIES)
def test_query_of_level_missing_on_wine_raises_unsupported(
    service: int, query: Callable[[int], object]
) -> None:
    with pytest.raises(UnsupportedError) as caught:
        query(service)
    assert (caught.value.winerror, caught.value.function) == (124, "QueryServiceConfig2W")


TRIGGER = TriggerRow(1, 1, bytes(range(16)), ((1, b"abc"), (1, b"")))
CHANGES: list[Callable[[int], None]] = [
    lambda service: backend.change_required_privileges(service, ("SeChangeNotifyPrivilege",)),
    lambda service: backend.change_required_privileges(service, ()),
    lambda service: backend.change_triggers(service, (TRIGGER,)),
    lambda service: backend.change_triggers(service, ()),
    lambda service: backend.change_preferred_node(service, PreferredNodeRow(0, True)),
    *(
        lambda service, level=level: backend.change_config_number(service, level, 1)
        for level in (4, 5, 12)
    ),
]


@on_wine
@pytest.mark.parametrize("change_level", CHANGES)
def test_change_of_level_missing_on_wine_raises_error(
    service: int, change_level: Callable[[int], None]
) -> None:
    with pytest.raises(Win32Error) as caught:
        change_level(service)
    assert caught.value.winerror in LACKED
    assert caught.value.function == "ChangeServiceConfig2W"


def test_delayed_auto_start_after_change_reads_back(service: int) -> None:
    level = lib.SERVICE_CONFIG_DELAYED_AUTO_START_INFO
    if wine_has("delayed-start"):
        with pytest.raises(Win32Error) as caught:
            backend.change_config_number(service, level, 1)
        assert caught.value.winerror in LACKED
        return
    for number in (1, 0):
        backend.change_config_number(service, level, number)
        assert backend.query_config_number(service, level) == number


@pytest.mark.parametrize("actions", [None, (), ((1, 60_000), (0, 0xFFFFFFFF))])
def test_change_failure_actions_is_accepted(
    service: int, actions: tuple[tuple[int, int], ...] | None
) -> None:
    """Wine accepts failure actions, but does not store them."""
    row = FailureActionsRow(86_400, "", "fix.exe", actions)
    assert code_of(backend.change_failure_actions, service, row) == 0
    if WINE:
        with pytest.raises(UnsupportedError) as caught:
            backend.query_failure_actions(service)
        assert caught.value.function == "QueryServiceConfig2W"
        return
    found = backend.query_failure_actions(service)
    assert (found.command, found.reboot_message) == ("fix.exe", "")
    assert found.actions == (actions or ())
    # Without actions Windows does not store the period either.
    assert found.reset_period == (86_400 if actions else 0)


def test_changed_dependencies_are_in_the_registry(service: int, name: str) -> None:
    """Wine stores dependencies, but does not return them."""
    change(service, dependencies=("RpcSs", "+A group"))
    path = rf"SYSTEM\CurrentControlSet\Services\{name}"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
        assert winreg.QueryValueEx(key, "DependOnService")[0] == ["RpcSs"]
        assert winreg.QueryValueEx(key, "DependOnGroup")[0] == ["A group"]
