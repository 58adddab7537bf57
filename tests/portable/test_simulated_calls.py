"""Test the error codes of the simulated SCM's calls and the order of their checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from simulated import (
    MANAGER_ALL,
    NO_CHANGE,
    SERVICE_ALL,
    change,
    code_of,
    control,
    create,
    manager,
    opened,
    start,
    state_of,
)

from winsvc import (
    Control,
    ErrorCode,
    Secret,
    SecurityInformation,
    ServiceAccess,
    ServiceManager,
    ServiceNotActiveError,
    ServiceType,
    State,
    ValidationError,
)
from winsvc._values.rows import FailureActionsRow, LockRow, PreferredNodeRow
from winsvc.testing import ProgramBehavior, SimulatedSCM

CONNECT, CREATE, ENUMERATE = 0x1, 0x2, 0x4
OWN, SHARE, INTERACTIVE = 0x10, 0x20, 0x100
A = ServiceAccess


@pytest.fixture
def sim() -> SimulatedSCM:
    sim = SimulatedSCM()
    sim.add("Spooler", display_name="Print Spooler", state=State.RUNNING, load_order_group="Print")
    sim.add("beat", display_name="Heartbeat")
    sim.add("disk", service_type=ServiceType.KERNEL_DRIVER, state=State.RUNNING)
    return sim


# ------------------------------------------------------------------- OpenSCManager


@pytest.mark.parametrize(
    ("machine", "database", "access", "expected"),
    [
        (None, None, 0, 0),
        (None, None, CONNECT, 0),
        ("", "ServicesActive", CONNECT, 0),
        (None, "servicesactive", CONNECT, 0),
        (None, "DoesNotExist", CONNECT, 123),
        (None, "ServicesActiv", CONNECT, 123),
        (None, "", CONNECT, 123),
        (None, "ServicesFailed", CONNECT, 1065),
        ("DOESNOTEXIST", None, CONNECT, 1722),
        ("DOESNOTEXIST", "ServicesFailed", CONNECT, 1722),
        ("SIMULATED", None, 0x80000000, 0),
        (r"\\SIMULATED", None, 0x80000000, 0),
        ("localhost", None, CONNECT, 0),
        (None, None, MANAGER_ALL, 0),
    ],
)
def test_open_sc_manager_checks_machine_database_and_access(
    sim: SimulatedSCM, machine: str | None, database: str | None, access: int, expected: int
) -> None:
    assert code_of(sim.open_sc_manager, machine, database, access) == expected


# ------------------------------------------------------------------- handles


def test_closed_handle_is_refused_as_invalid(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    service = sim.open_service(scm, "beat", SERVICE_ALL)
    assert code_of(sim.close_service_handle, 0) == 6
    sim.close_service_handle(scm)
    assert sim.query_service_status_ex(service).current_state == State.STOPPED
    sim.close_service_handle(service)
    assert code_of(sim.close_service_handle, service) == 6
    assert code_of(sim.query_service_status_ex, service) == 6
    assert sim.open_handles == 0


MANAGERS_CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("open_service", ("beat", 0)),
    ("enum_services_status_ex", (0, 0, "none", 0)),
    ("get_service_display_name", ("beat",)),
    ("get_service_key_name", ("Heartbeat",)),
    ("lock_service_database", ()),
    ("query_service_lock_status", ()),
]
SERVICES_CALLS: list[tuple[str, tuple[Any, ...]]] = [
    ("delete_service", ()),
    ("query_service_status_ex", ()),
    ("query_service_config", ()),
    ("start_service", ((),)),
    ("control_service", (1,)),
    ("control_service", (0,)),
    ("control_service_ex", (1, 0, None)),
    ("enum_dependent_services", (0,)),
    ("query_description", ()),
    ("change_description", ("x",)),
    ("query_failure_actions", ()),
    ("query_config_number", (3,)),
    ("change_config_number", (3, 1)),
    ("query_required_privileges", ()),
    ("query_triggers", ()),
    ("query_preferred_node", ()),
]


@pytest.mark.parametrize(("call", "arguments"), [*MANAGERS_CALLS, *SERVICES_CALLS])
def test_call_with_wrong_handle_returns_invalid_handle(
    sim: SimulatedSCM, call: str, arguments: tuple[Any, ...]
) -> None:
    of_a_service = (call, arguments) in SERVICES_CALLS
    wrong = manager(sim) if of_a_service else opened(sim, "beat")
    for handle in (0, 0x7FFFFFFF, wrong):
        assert code_of(getattr(sim, call), handle, *arguments) == 6


def test_create_service_without_manager_handle_is_refused(sim: SimulatedSCM) -> None:
    assert code_of(create, sim, 0, "new") == 6
    assert code_of(create, sim, opened(sim, "beat"), "new") == 6


RIGHTS: list[tuple[str, tuple[Any, ...], ServiceAccess]] = [
    ("delete_service", (), A.DELETE),
    ("query_service_status_ex", (), A.QUERY_STATUS),
    ("query_service_config", (), A.QUERY_CONFIG),
    ("start_service", ((),), A.START),
    ("control_service", (Control.STOP,), A.STOP),
    ("control_service_ex", (Control.STOP, 0, None), A.STOP),
    ("control_service", (Control.PAUSE,), A.PAUSE_CONTINUE),
    ("control_service", (Control.PARAM_CHANGE,), A.PAUSE_CONTINUE),
    ("control_service", (Control.NETBIND_ADD,), A.PAUSE_CONTINUE),
    ("control_service", (Control.INTERROGATE,), A.INTERROGATE),
    ("control_service", (128,), A.USER_DEFINED_CONTROL),
    ("control_service", (255,), A.USER_DEFINED_CONTROL),
    ("enum_dependent_services", (3,), A.ENUMERATE_DEPENDENTS),
    ("query_description", (), A.QUERY_CONFIG),
    ("change_description", ("x",), A.CHANGE_CONFIG),
    ("query_config_number", (7,), A.QUERY_CONFIG),
    ("change_config_number", (7, 1), A.CHANGE_CONFIG),
    ("change_triggers", ([],), A.CHANGE_CONFIG),
    ("change_preferred_node", (PreferredNodeRow(0, False),), A.CHANGE_CONFIG),
    ("change_required_privileges", ((),), A.CHANGE_CONFIG),
    ("query_service_object_security", (4,), A.READ_CONTROL),
]


@pytest.mark.parametrize(("call", "arguments", "right"), RIGHTS)
def test_call_without_needed_right_is_refused(
    sim: SimulatedSCM, call: str, arguments: tuple[Any, ...], right: ServiceAccess
) -> None:
    without = opened(sim, "Spooler", SERVICE_ALL & ~right)
    assert code_of(getattr(sim, call), without, *arguments) == 5
    assert code_of(getattr(sim, call), opened(sim, "Spooler", right), *arguments) != 5


@pytest.mark.parametrize(
    ("access", "name", "expected"),
    [
        (0, "beat", 0),
        (0, "BEAT", 0),
        (SERVICE_ALL, "beat", 0),
        (0x40000000, "beat", 0),
        (0, "Heartbeat", 1060),
        (0, "none", 1060),
        (0, "", 123),
        (0, "a/b", 123),
        (0, "a\\b", 123),
    ],
)
def test_open_service_with_unknown_or_invalid_name_is_refused(
    sim: SimulatedSCM, access: int, name: str, expected: int
) -> None:
    assert code_of(sim.open_service, manager(sim, CONNECT), name, access) == expected


# ------------------------------------------------------------------- CreateService


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("", {}, 123),
        ("", {"path": ""}, 123),
        ("a/b", {}, 123),
        ("new", {"path": ""}, 87),
        ("new", {"type": OWN | SHARE}, 87),
        ("new", {"type": 0x2 | INTERACTIVE}, 87),
        ("new", {"type": 0x1 | 0x2}, 87),
        ("new", {"type": INTERACTIVE}, 87),
        ("new", {"type": 0}, 87),
        ("new", {"type": OWN | INTERACTIVE, "account": r".\joe"}, 87),
        ("new", {"type": SHARE | INTERACTIVE, "account": "LocalService"}, 87),
        ("new", {"type": OWN | INTERACTIVE}, 0),
        ("new", {"type": OWN | INTERACTIVE, "account": "LocalSystem"}, 0),
        ("new", {"type": OWN | INTERACTIVE, "account": "localsystem"}, 0),
        ("new", {"type": OWN | INTERACTIVE, "account": r".\LocalSystem"}, 0),
        ("new", {"type": OWN | INTERACTIVE, "account": r".\localsystem"}, 0),
        ("new", {"start": 6}, 87),
        ("new", {"start": 5}, 87),
        ("new", {"start": 0}, 87),
        ("new", {"start": 1}, 87),
        ("new", {"error": 4}, 87),
        ("new", {"type": 1, "start": 0}, 0),
        ("beat", {}, 1073),
        ("BEAT", {}, 1073),
        ("beat", {"start": 6}, 87),
        ("beat", {"display": "Spooler"}, 1073),
        ("new", {"display": "beat"}, 1078),
        ("new", {"display": "BEAT"}, 1078),
        ("new", {"display": "Heartbeat"}, 0),
        ("new", {"display": "new"}, 0),
        ("Heartbeat", {}, 0),
        ("new", {"tag": True}, 87),
        ("new", {"tag": True, "group": ""}, 87),
        ("new", {"type": 1, "tag": True}, 87),
        ("beat", {"type": 1, "tag": True, "group": ""}, 87),
        ("new", {"dependencies": ["new"]}, 1059),
        ("new", {"dependencies": ["NEW"]}, 1059),
        ("new", {"dependencies": ["none"]}, 0),
        ("new", {"dependencies": ["+none"]}, 0),
        ("new", {"access": 0}, 0),
    ],
)
def test_create_service_accepts_valid_and_refuses_invalid_arguments(
    sim: SimulatedSCM, name: str, given: dict[str, Any], expected: int
) -> None:
    scm = manager(sim, CREATE)
    count = len(sim.local.services)
    assert code_of(lambda: create(sim, scm, name, **given)) == expected
    assert len(sim.local.services) == count + (not expected)


@pytest.mark.parametrize("name", ["new", "beat", "", "a/b"])
def test_create_service_checks_right_before_arguments(sim: SimulatedSCM, name: str) -> None:
    scm = manager(sim, CONNECT)
    assert code_of(lambda: create(sim, scm, name, path="")) == 5
    assert code_of(lambda: create(sim, scm, name, type=0)) == 5


def test_create_service_with_unknown_account_is_refused(sim: SimulatedSCM) -> None:
    sim.local.accounts = {r".\joe": "secret"}
    scm = manager(sim)
    assert code_of(lambda: create(sim, scm, "a", account=r".\jack")) == 1057
    assert code_of(lambda: create(sim, scm, "b", account=r".\JOE")) == 0
    assert code_of(lambda: create(sim, scm, "c", account="NT AUTHORITY\\LocalService")) == 0
    assert start(sim, "b") == 1069  # without its password
    assert sim["b"].exit_code == 1069


def test_create_service_without_access_returns_handle_without_rights(sim: SimulatedSCM) -> None:
    service, _ = create(sim, manager(sim), "new", access=0)
    assert code_of(sim.delete_service, service) == 5


def test_new_service_has_default_config_and_status(sim: SimulatedSCM) -> None:
    dependencies = ("Master1", "Master2", "+MasterGroup1")
    service, tag = create(sim, manager(sim), "new", dependencies=dependencies)
    assert tag is None
    config = sim.query_service_config(service)
    assert config.dependencies == dependencies
    assert config.load_order_group == ""
    assert (config.tag_id, config.service_start_name) == (0, "LocalSystem")
    assert config.display_name == "new"
    row = sim.query_service_status_ex(service)
    assert (row.current_state, row.win32_exit_code, row.process_id) == (State.STOPPED, 1077, 0)


def test_create_service_assigns_distinct_tags_in_group(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    created = [create(sim, scm, f"d{i}", type=1, start=0, group="g", tag=True) for i in range(3)]
    tags = [tag for _, tag in created]
    assert all(tags)
    assert len(set(tags)) == 3
    assert [sim.query_service_config(handle).tag_id for handle, _ in created] == tags


@pytest.mark.parametrize(
    ("start_type", "stored"),
    [(0, r"\SystemRoot\system32\x.sys"), (1, r"\??\c:\windows\system32\x.sys")],
)
def test_create_service_converts_path_of_driver(
    sim: SimulatedSCM, start_type: int, stored: str
) -> None:
    path = r"c:\windows\system32\x.sys"
    service, _ = create(sim, manager(sim), "new", type=1, start=start_type, path=path)
    assert sim.query_service_config(service).binary_path_name == stored


# ------------------------------------------------------------------- DeleteService


def test_deleted_service_stays_until_last_handle_is_closed(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    other = opened(sim, "beat", A.QUERY_STATUS)
    service = opened(sim, "beat", A.DELETE)
    sim.delete_service(service)
    assert code_of(sim.delete_service, service) == 1072
    sim.close_service_handle(scm)
    scm = manager(sim)
    assert code_of(create, sim, scm, "beat") == 1072
    assert code_of(lambda: create(sim, scm, "beat", start=6)) == 87
    sim.close_service_handle(opened(sim, "beat", 0x80000000))
    assert start(sim, "beat") == 1072
    assert sim.query_service_status_ex(other).current_state == State.STOPPED
    sim.close_service_handle(service)
    assert code_of(create, sim, scm, "beat") == 1072
    sim.close_service_handle(other)
    assert code_of(sim.open_service, scm, "beat", 0) == 1060
    assert code_of(create, sim, scm, "beat") == 0


# ------------------------------------------------------------------- status and lists


def test_status_reports_process_only_for_running_program(sim: SimulatedSCM) -> None:
    assert sim.query_service_status_ex(opened(sim, "Spooler")).process_id
    assert sim.query_service_status_ex(opened(sim, "beat")).process_id == 0
    assert sim.query_service_status_ex(opened(sim, "disk")).process_id == 0


@pytest.mark.parametrize(
    ("access", "kind", "state", "group", "expected"),
    [
        (ENUMERATE, 0x30, 3, None, 0),
        (ENUMERATE, 0, 3, None, 87),
        (ENUMERATE, 0x30, 0, None, 87),
        (ENUMERATE, 0, 0, "none", 87),
        (ENUMERATE, 0x30, 4, None, 87),
        (ENUMERATE, 0x400, 3, None, 87),
        (CONNECT, 0, 0, None, 87),
        (CONNECT, 0x30, 3, None, 5),
        (CONNECT, 0x30, 3, "none", 5),
        (ENUMERATE, 0x30, 3, "none", 1060),
        (ENUMERATE, 0x30, 3, "PRINT", 0),
        (ENUMERATE, 0x30, 3, "", 0),
    ],
)
def test_enum_services_checks_rights_and_filters(
    sim: SimulatedSCM, access: int, kind: int, state: int, group: str | None, expected: int
) -> None:
    scm = manager(sim, access)
    assert code_of(sim.enum_services_status_ex, scm, kind, state, group, 0) == expected


@pytest.mark.parametrize(
    ("kind", "state", "group", "expected"),
    [
        (0x30, 3, None, ["Spooler", "beat"]),
        (0x30, 1, None, ["Spooler"]),
        (0x30, 2, None, ["beat"]),
        (0x0B, 3, None, ["disk"]),
        (0x3FF, 3, None, ["Spooler", "beat", "disk"]),
        (0x30, 3, "print", ["Spooler"]),
        (0x3FF, 3, "", ["beat", "disk"]),
    ],
)
def test_enum_services_returns_services_matching_filters(
    sim: SimulatedSCM, kind: int, state: int, group: str | None, expected: list[str]
) -> None:
    rows, resume = sim.enum_services_status_ex(manager(sim), kind, state, group, 0)
    assert [row.service_name for row in rows] == expected
    assert resume == 0
    for row in rows:
        assert row.display_name
        assert bool(row.status.process_id) == (row.service_name == "Spooler")


def test_enum_services_continues_from_resume_handle(sim: SimulatedSCM) -> None:
    sim.local.page_size = 2
    scm = manager(sim)
    first, resume = sim.enum_services_status_ex(scm, 0x3FF, 3, None, 0)
    assert resume
    rest, end = sim.enum_services_status_ex(scm, 0x3FF, 3, None, resume)
    assert [row.service_name for row in first + rest] == ["Spooler", "beat", "disk"]
    assert end == 0


@pytest.mark.parametrize("size", [0, -1])
def test_services_with_page_size_below_minimum_lists_all(sim: SimulatedSCM, size: int) -> None:
    sim.local.page_size = size
    with ServiceManager(backend=sim) as scm:
        assert [info.name for info in scm.services(service_type=ServiceType.ALL)] == [
            "Spooler",
            "beat",
            "disk",
        ]


NUL = "a\0b"


@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("name", lambda sim, scm, _: create(sim, scm, NUL)),
        ("display_name", lambda sim, scm, _: create(sim, scm, "new", display=NUL)),
        ("binary_path", lambda sim, scm, _: create(sim, scm, "new", path=NUL)),
        ("load_order_group", lambda sim, scm, _: create(sim, scm, "new", group=NUL)),
        ("account", lambda sim, scm, _: create(sim, scm, "new", account=NUL)),
        ("password", lambda sim, scm, _: create(sim, scm, "new", password=Secret(NUL))),
        ("dependencies[1]", lambda sim, scm, _: create(sim, scm, "new", dependencies=["a", ""])),
        ("dependencies[0]", lambda sim, _, handle: change(sim, handle, dependencies=[NUL])),
        ("binary_path", lambda sim, _, handle: change(sim, handle, path=NUL)),
        ("description", lambda sim, _, handle: sim.change_description(handle, NUL)),
        (
            "command",
            lambda sim, _, handle: sim.change_failure_actions(
                handle, FailureActionsRow(0, None, NUL, None)
            ),
        ),
        (
            "required_privileges[0]",
            lambda sim, _, handle: sim.change_required_privileges(handle, ("",)),
        ),
        ("arguments[1]", lambda sim, _, handle: sim.start_service(handle, ("", NUL))),
        ("comment", lambda sim, _, handle: sim.control_service_ex(handle, 1, 0, NUL)),
        ("group", lambda sim, scm, _: sim.enum_services_status_ex(scm, 0x30, 3, NUL, 0)),
        ("machine", lambda sim, *_: sim.open_sc_manager(NUL, None, 1)),
        ("name", lambda sim, *_: sim.open_desktop(NUL, 0, False, 0)),
    ],
)
def test_text_with_nul_is_refused_before_the_call(
    sim: SimulatedSCM, argument: str, call: Callable[[SimulatedSCM, int, int], object]
) -> None:
    scm, handle = manager(sim), opened(sim, "beat")
    before = len(sim.calls)
    with pytest.raises(ValidationError) as caught:
        call(sim, scm, handle)
    assert caught.value.argument == argument
    assert len(sim.calls) == before  # refused before there is a call
    assert "new" not in sim


def test_display_and_key_name_lookups_ignore_case(sim: SimulatedSCM) -> None:
    scm = manager(sim, CONNECT)
    assert sim.get_service_display_name(scm, "BEAT") == "Heartbeat"
    assert sim.get_service_key_name(scm, "heartbeat") == "beat"
    assert code_of(sim.get_service_display_name, scm, "Heartbeat") == 1060
    assert code_of(sim.get_service_key_name, scm, "beat") == 1060
    sim.add("plain")
    assert sim.get_service_display_name(scm, "plain") == "plain"
    assert sim.get_service_key_name(scm, "plain") == "plain"
    sim.add("second", display_name="Heartbeat")
    assert sim.get_service_key_name(scm, "Heartbeat") == "beat"


# ------------------------------------------------------------------- start and control


def test_start_service_when_disabled_or_running_is_refused(sim: SimulatedSCM) -> None:
    change(sim, opened(sim, "beat"), start=4)
    for _ in range(2):
        assert start(sim, "beat") == 1058
        assert state_of(sim, "beat") is State.STOPPED
        assert sim["beat"].exit_code == 1077
    change(sim, opened(sim, "beat"), start=3)
    assert start(sim, "beat", "param1", "", "param2") == 0
    assert sim["beat"].arguments == ("param1", "", "param2")
    assert start(sim, "beat") == 1056


@pytest.mark.parametrize("error", [2, 3, 5, 193, 1053])
def test_start_service_with_failing_program_returns_its_error(
    sim: SimulatedSCM, error: int
) -> None:
    sim.local.other_programs = ProgramBehavior(start_error=error)
    for _ in range(2):
        assert start(sim, "beat") == error
        row = sim.query_service_status_ex(opened(sim, "beat"))
        assert (row.current_state, row.process_id) == (State.STOPPED, 0)


@pytest.mark.parametrize("code", [0, 5, 11, 12, 13, 14, 15, 16, 32, 64, 96, 127, 256, NO_CHANGE])
def test_control_service_with_reserved_code_is_refused(sim: SimulatedSCM, code: int) -> None:
    for name in ("Spooler", "beat"):
        assert code_of(sim.control_service, opened(sim, name, 0), code) == 87


def test_stop_of_stopped_service_error_carries_status(sim: SimulatedSCM) -> None:
    handle = opened(sim, "beat")
    with pytest.raises(ServiceNotActiveError) as caught:
        sim.control_service(handle, Control.STOP)
    assert caught.value.winerror == 1062
    assert caught.value.status is not None
    assert caught.value.status.state is State.STOPPED


def test_stop_of_running_service_returns_stopped_status(sim: SimulatedSCM) -> None:
    assert control(sim, "Spooler", 128) == 0
    row = sim.control_service(opened(sim, "Spooler"), Control.STOP)
    assert row[1:] == (State.STOPPED, 0, 0, 0, 0, 0, 0, 0)


def test_control_service_ex_returns_process_id(sim: SimulatedSCM) -> None:
    pid = sim["Spooler"].pid
    assert sim.control_service_ex(opened(sim, "Spooler"), 4, 0, None).process_id == pid


# ------------------------------------------------------------------- lock, boot, security


def test_database_lock_is_exclusive_and_reports_owner(sim: SimulatedSCM) -> None:
    scm = manager(sim)
    assert code_of(sim.lock_service_database, manager(sim, CONNECT)) == 5
    assert code_of(sim.query_service_lock_status, manager(sim, CONNECT)) == 5
    assert code_of(sim.unlock_service_database, 4711) == 1071
    assert sim.query_service_lock_status(scm) == LockRow(0, "", 0)
    lock = sim.lock_service_database(scm)
    assert code_of(sim.lock_service_database, scm) == 1055
    sim.clock.advance(1.5)
    held = sim.query_service_lock_status(scm)
    assert (held.is_locked, held.lock_duration) == (1, 1)
    assert held.lock_owner
    assert start(sim, "beat") == 0  # since Windows Vista
    sim.unlock_service_database(lock)
    assert code_of(sim.unlock_service_database, lock) == 1071
    assert sim.query_service_lock_status(scm).is_locked == 0


def test_notify_boot_config_status_twice_is_refused(sim: SimulatedSCM) -> None:
    sim.notify_boot_config_status(True)
    assert code_of(sim.notify_boot_config_status, True) == ErrorCode.BOOT_ALREADY_ACCEPTED


@pytest.mark.parametrize("of_a_service", [True, False])
def test_object_security_works_on_service_and_manager_handles(
    sim: SimulatedSCM, of_a_service: bool
) -> None:
    handle = opened(sim, "beat", 0xE0000) if of_a_service else manager(sim, 0xE0000)
    content = sim.query_service_object_security(handle, SecurityInformation.DACL)
    sim.set_service_object_security(handle, SecurityInformation.DACL, content)
    assert sim.query_service_object_security(handle, SecurityInformation.DACL) == content
    assert code_of(sim.set_service_object_security, handle, 4, b"nonsense") == 1338
    assert code_of(sim.set_service_object_security, handle, 0, content) == 87
