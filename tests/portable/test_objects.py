"""The object API over a scripted backend: which calls are made, with which rights, after what."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from recorder import CONFIG, STOPPED, Recorder, refuse_without

from winsvc import (
    UNCHANGED,
    AccessDeniedError,
    ArgumentError,
    Control,
    ControlRefusedError,
    DependentServicesRunningError,
    FailureAction,
    FailureActions,
    HandleClosedError,
    InvalidArgumentError,
    ManagerAccess,
    Secret,
    SecurityDescriptor,
    SecurityInformation,
    Service,
    ServiceAccess,
    ServiceError,
    ServiceManager,
    ServiceSpec,
    ServiceStartError,
    ServiceStatus,
    SidType,
    StartReason,
    StartType,
    State,
    StateFilter,
    StopFlag,
    StopMajor,
    StopMinor,
    StopReason,
    Trigger,
    UnsupportedError,
    WaitTimeoutError,
)
from winsvc._values.rows import EnumRow, FailureActionsRow, LockRow, PreferredNodeRow, StatusRow
from winsvc.errors import service_error

NO_CHANGE = 0xFFFFFFFF


def opened(recorder: Recorder) -> Service:
    with ServiceManager(backend=recorder.backend) as scm:
        return scm.open("x")


def revealed(sent: tuple[object, ...]) -> tuple[object, ...]:
    return tuple(item.reveal() if isinstance(item, Secret) else item for item in sent)


def changed_config(recorder: Recorder) -> tuple[object, ...]:
    (arguments,) = recorder.called("change_service_config")
    return arguments[1:]


# ------------------------------------------------------------------- rights and handles


def test_the_fewest_calls_for_a_status() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        service.status()
        service.config()
    assert [call[0] for call in recorder.calls] == [
        "open_sc_manager",
        "open_service",
        "query_service_status_ex",
        "query_service_config",
        "close_service_handle",
        "close_service_handle",
    ]
    assert not recorder.open


def test_each_operation_asks_for_its_right_and_keeps_what_it_has() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.start()
        service.stop()
        service.start()
    rights = [ServiceAccess(call[2]) for call in recorder.called("open_service")]  # type: ignore[arg-type]
    reading = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
    assert rights == [
        reading,
        reading | ServiceAccess.START,
        reading | ServiceAccess.START | ServiceAccess.STOP,
    ]
    assert not recorder.open


def test_a_service_that_only_shows_its_status() -> None:
    recorder = Recorder(open_service=refuse_without(ServiceAccess.QUERY_STATUS, "OpenServiceW"))
    with opened(recorder) as service:
        assert service.status().state is State.STOPPED
        with pytest.raises(AccessDeniedError) as caught:
            service.config()
        assert "ServiceAccess.QUERY_CONFIG" in str(caught.value.hint)
        assert caught.value.service == "x"


def test_a_manager_that_may_only_connect() -> None:
    recorder = Recorder(open_sc_manager=refuse_without(ManagerAccess.CONNECT, "OpenSCManagerW"))
    with ServiceManager("build07", backend=recorder.backend) as scm:
        scm.open("x").close()
        with pytest.raises(AccessDeniedError) as caught:
            list(scm.services())
    assert caught.value.machine == "build07"
    assert "ManagerAccess.ENUMERATE_SERVICE" in str(caught.value)


def test_a_machine_that_is_not_there() -> None:
    recorder = Recorder(open_sc_manager=service_error(1722, "OpenSCManagerW"))
    with pytest.raises(ConnectionError, match=r"failed on nowhere: .*1722") as caught:
        ServiceManager("nowhere", backend=recorder.backend)
    assert isinstance(caught.value, ServiceError)
    assert caught.value.machine == "nowhere"
    gc.collect()  # nothing was opened, nothing is to be warned of


# ------------------------------------------------------------------- configure


def test_what_is_left_out_is_not_touched() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(start_type=StartType.DISABLED, display_name=UNCHANGED)
    assert changed_config(recorder) == (
        *(NO_CHANGE, StartType.DISABLED, NO_CHANGE),
        *(None, None, False, None, None, None, None),
    )


def test_nothing_to_change_is_no_call() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure()
        service.configure(description=UNCHANGED)
    assert not [call for call in recorder.calls if str(call[0]).startswith("change")]


def test_a_boot_start_is_not_taken_for_nothing() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(start_type=StartType.BOOT)
    assert changed_config(recorder)[1] == 0


@pytest.mark.parametrize("nothing", [(), [], None])
def test_dependencies_can_be_cleared(nothing: list[str] | None) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(dependencies=nothing, load_order_group=None)
    assert changed_config(recorder)[6] == []


def test_dependencies_are_not_letters() -> None:
    recorder = Recorder()
    with opened(recorder) as service, pytest.raises(TypeError, match="dependencies"):
        service.configure(dependencies="abc")
    assert not recorder.called("change_service_config")


def test_accounts_and_passwords() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(account="SYSTEM")
        service.configure(account=r"NT SERVICE\x")
        service.configure(account="me", password="hunter2")
        with pytest.raises(ArgumentError, match="LocalSystem takes no password"):
            service.configure(password="hunter3")
        with pytest.raises(ArgumentError, match="takes no password"):
            service.configure(account="NetworkService", password="x")
    sent = [revealed(call[8:10]) for call in recorder.called("change_service_config")]
    assert sent == [("LocalSystem", ""), (r"NT SERVICE\x", None), (r".\me", "hunter2")]


def test_a_password_alone_goes_with_the_account_it_is_for() -> None:
    recorder = Recorder(query_service_config=CONFIG._replace(service_start_name=r".\me"))
    with opened(recorder) as service:
        service.configure(password="hunter2")
    assert revealed(changed_config(recorder)[7:9]) == (r".\me", "hunter2")


def test_a_password_shows_nowhere() -> None:
    spec = ServiceSpec(name="x", binary_path="x.exe", account="me", password="hunter2")
    assert "hunter2" not in repr(spec)
    refusal = service_error(1057, "CreateServiceW")
    recorder = Recorder(create_service=refusal)
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(ServiceError) as caught:
        scm.create(spec)
    assert "hunter2" not in str(caught.value)


def test_bad_settings_are_found_before_the_first_call() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(ValueError, match="SDDL"):
            service.configure(start_type=StartType.MANUAL, security="D:(A;;no such;;;SY)")
        with pytest.raises(ArgumentError, match="preshutdown_timeout"):
            service.configure(description="new", preshutdown_timeout=-1)
        with pytest.raises(ArgumentError, match="preshutdown_timeout"):
            service.configure(description="new", preshutdown_timeout=timedelta(days=50))
        with pytest.raises(TypeError, match="no_such_setting"):
            service.configure(no_such_setting=1)  # type: ignore[call-arg]
    assert not [call for call in recorder.calls if str(call[0]).startswith("change")]


def test_an_error_in_the_middle_says_what_was_changed() -> None:
    recorder = Recorder(change_config_number=service_error(87, "ChangeServiceConfig2W"))
    with opened(recorder) as service, pytest.raises(InvalidArgumentError) as caught:
        service.configure(display_name="X", description="d", delayed_auto_start=True)
    assert caught.value.hint == (
        "Refused: delayed_auto_start. Changed before that: configuration, description."
    )


def test_every_level_is_written() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(
            description=None,
            delayed_auto_start=True,
            failure_actions_on_error=True,
            sid_type=SidType.RESTRICTED,
            required_privileges=["SeBackupPrivilege"],
            preshutdown_timeout=1.5,
            preferred_node=0,
        )
    assert [call[1:] for call in recorder.called("change_config_number")] == [
        (3, 1),
        (4, 1),
        (5, 3),
        (7, 1500),
    ]
    assert recorder.called("change_description")[0][1] == ""
    assert recorder.called("change_required_privileges")[0][1] == ["SeBackupPrivilege"]
    assert recorder.called("change_preferred_node")[0][1] == PreferredNodeRow(0, False)


def test_clearing_triggers_where_there_are_none_is_no_error() -> None:
    recorder = Recorder(change_triggers=service_error(87, "ChangeServiceConfig2W"))
    with opened(recorder) as service:
        service.configure(triggers=None)
        with pytest.raises(InvalidArgumentError):
            service.configure(triggers=[Trigger.on_domain_join()])


def test_no_preferred_node() -> None:
    with opened(Recorder(query_preferred_node=service_error(87, "f"))) as service:
        assert service.preferred_node is None
    with opened(Recorder(query_preferred_node=PreferredNodeRow(1, False))) as service:
        assert service.preferred_node == 1


@pytest.mark.parametrize("code", [2, 1168, 15100])
def test_a_description_whose_resource_is_missing(code: int) -> None:
    with opened(Recorder(query_description=service_error(code, "f"))) as service:
        assert service.description == ""


def test_a_description_that_may_not_be_read() -> None:
    with opened(Recorder(query_description=service_error(5, "f"))) as service:
        with pytest.raises(AccessDeniedError):
            _ = service.description


# ------------------------------------------------------------------- failure actions

RESTARTS = FailureActions.restart(after=(5, 30.5), reset_after=timedelta(days=1))


def test_failure_actions_are_set_with_the_rights_they_need() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.failure_actions = RESTARTS
    assert recorder.called("change_failure_actions")[0][1] == FailureActionsRow(
        86400, "", "", ((1, 5000), (1, 30500))
    )
    assert ServiceAccess.START in ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]


def test_failure_actions_are_cleared() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.failure_actions = None
    assert recorder.called("change_failure_actions")[0][1] == FailureActionsRow(0, "", "", ())


def test_actions_of_the_wrong_type() -> None:
    for wrong in (None, [FailureAction.restart()], "restart", (1,)):
        with pytest.raises(TypeError, match="actions"):
            FailureActions(actions=wrong)  # type: ignore[arg-type]
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(TypeError, match="actions"):
            service.change_failure_actions(actions=[5])  # type: ignore[list-item]
        service.change_failure_actions(actions=None)
    assert [call[1] for call in recorder.called("change_failure_actions")] == [
        FailureActionsRow(0, None, None, ())
    ]


def test_parts_of_the_failure_actions() -> None:
    there = FailureActionsRow(3600, "soon", "cmd", ((2, 1000),))
    recorder = Recorder(query_failure_actions=there)
    with opened(recorder) as service:
        service.change_failure_actions(command="other")
        service.change_failure_actions(reboot_message=None)
        service.change_failure_actions(reset_after=None)
        service.change_failure_actions(actions=[FailureAction.run_command(2)])
        service.change_failure_actions(actions=())
    assert [call[1] for call in recorder.called("change_failure_actions")] == [
        FailureActionsRow(0, None, "other", None),
        FailureActionsRow(0, "", None, None),
        FailureActionsRow(NO_CHANGE, None, None, ((2, 1000),)),
        FailureActionsRow(3600, None, None, ((3, 2000),)),
        FailureActionsRow(0, None, None, ()),
    ]


def test_the_longest_durations() -> None:
    longest = timedelta(milliseconds=NO_CHANGE)
    actions = FailureActions(actions=(FailureAction.restart(longest),), reset_after=None)
    row = FailureActionsRow(NO_CHANGE, "", "", ((1, NO_CHANGE),))
    assert actions.to_row() == row
    assert FailureActions.from_row(row) == actions
    with pytest.raises(ArgumentError, match=r"actions\[0\].delay: .* longer"):
        FailureActions(
            actions=(FailureAction.restart(longest + timedelta(milliseconds=1)),)
        ).to_row()
    for wrong in (-1, float("nan"), float("inf"), 1e300):
        with pytest.raises(ArgumentError):
            FailureAction.restart(wrong)
    with pytest.raises(TypeError):
        FailureAction.restart("5")  # type: ignore[arg-type]


def test_a_reset_time_needs_actions() -> None:
    with opened(Recorder()) as service, pytest.raises(ArgumentError, match="at least one action"):
        service.change_failure_actions(reset_after=timedelta(days=1))


def test_what_windows_gave_can_be_set_elsewhere() -> None:
    row = FailureActionsRow(NO_CHANGE, None, None, None)
    recorder = Recorder(query_failure_actions=row)
    with opened(recorder) as service:
        service.failure_actions = service.failure_actions
    sent = recorder.called("change_failure_actions")[0][1]
    assert sent == FailureActionsRow(NO_CHANGE, "", "", ())


def test_no_part_of_the_failure_actions_is_no_call() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.change_failure_actions()
    assert not recorder.called("change_failure_actions")


def test_a_reboot_without_the_privilege() -> None:
    recorder = Recorder(change_failure_actions=service_error(5, "ChangeServiceConfig2W"))
    with opened(recorder) as service, pytest.raises(AccessDeniedError, match="SeShutdownPrivilege"):
        service.failure_actions = FailureActions(actions=(FailureAction.reboot(60),))


# ------------------------------------------------------------------- control


@pytest.mark.parametrize(
    ("send", "code", "right"),
    [
        (Service.stop, 1, ServiceAccess.STOP),
        (Service.pause, 2, ServiceAccess.PAUSE_CONTINUE),
        (Service.resume, 3, ServiceAccess.PAUSE_CONTINUE),
        (Service.interrogate, 4, ServiceAccess.INTERROGATE),
        (lambda service: service.control(128), 128, ServiceAccess.USER_DEFINED_CONTROL),
        (lambda service: service.control(255), 255, ServiceAccess.USER_DEFINED_CONTROL),
        (lambda service: service.control(Control.PARAM_CHANGE), 6, ServiceAccess.PAUSE_CONTINUE),
    ],
)
def test_controls(
    send: Callable[[Service], ServiceStatus], code: int, right: ServiceAccess
) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        assert send(service).state is State.STOPPED
    assert recorder.called("control_service")[0][1] == code
    assert right in ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [0, 5, 11, 15, 127, 256])
def test_controls_that_no_program_may_send(code: int) -> None:
    recorder = Recorder()
    with opened(recorder) as service, pytest.raises(ArgumentError, match="128 to 255"):
        service.control(code)
    assert not recorder.called("control_service")


def test_a_stop_with_a_reason() -> None:
    reason = StopReason(StopFlag.PLANNED, StopMajor.SOFTWARE, StopMinor.UPGRADE, "new version")
    recorder = Recorder()
    with opened(recorder) as service:
        service.stop(reason)
        with pytest.raises(ArgumentError, match="goes with STOP alone"):
            service.control(Control.PAUSE, reason)
    assert recorder.called("control_service_ex")[0][1:] == (1, reason.code, "new version")
    assert not recorder.called("control_service")


def test_a_stop_that_dependents_forbid_names_them() -> None:
    rows = [EnumRow("b", "B", STOPPED), EnumRow("a", None, STOPPED)]
    recorder = Recorder(
        control_service=service_error(1051, "ControlService"), enum_dependent_services=rows
    )
    with opened(recorder) as service, pytest.raises(DependentServicesRunningError) as caught:
        service.stop()
    assert caught.value.dependents == ("b", "a")
    assert "Running services depend on it: b, a." in str(caught.value)
    assert recorder.called("enum_dependent_services")[0][1] == StateFilter.ACTIVE


def test_a_stop_that_unknown_dependents_forbid() -> None:
    recorder = Recorder(
        control_service=service_error(1051, "ControlService"),
        enum_dependent_services=service_error(5, "EnumDependentServicesW"),
    )
    with opened(recorder) as service, pytest.raises(DependentServicesRunningError) as caught:
        service.stop()
    assert caught.value.dependents == ()


def test_a_refused_control_says_where_the_service_stands() -> None:
    error = service_error(1061, "ControlService")
    error.status = ServiceStatus.from_row(STOPPED._replace(current_state=3))
    with opened(Recorder(control_service=error)) as service:
        with pytest.raises(ControlRefusedError) as caught:
            service.pause()
    assert caught.value.status is not None
    assert caught.value.status.state is State.STOP_PENDING


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (STOPPED._replace(win32_exit_code=5), "exit code 5."),
        (STOPPED._replace(win32_exit_code=0x80070005), "exit code 2147942405."),
        (
            STOPPED._replace(win32_exit_code=1066, service_specific_exit_code=42),
            "its own error code 42.",
        ),
    ],
)
@pytest.mark.parametrize("code", [1053, 1066, 1067])
def test_a_failed_start_carries_the_exit_codes(code: int, status: StatusRow, told: str) -> None:
    recorder = Recorder(
        start_service=service_error(code, "StartServiceW"), query_service_status_ex=status
    )
    with opened(recorder) as service, pytest.raises(ServiceStartError, match=told) as caught:
        service.start()
    assert caught.value.status == ServiceStatus.from_row(status)


def test_start_reason() -> None:
    with opened(Recorder(query_start_reason=4)) as service:
        assert service.start_reason() is StartReason.TRIGGER


# ------------------------------------------------------------------- create and delete


def test_create_from_a_spec_or_keywords_is_the_same() -> None:
    one, other = Recorder(), Recorder()
    with ServiceManager(backend=one.backend) as scm:
        scm.create("x", "x.exe", description="d", start_type=StartType.AUTOMATIC).close()
    with ServiceManager(backend=other.backend) as scm:
        spec = ServiceSpec(
            name="x", binary_path="x.exe", description="d", start_type=StartType.AUTOMATIC
        )
        scm.create(spec).close()
    assert one.calls == other.calls
    assert one.called("create_service")[0][1:] == (
        *("x", None, ServiceAccess.ALL_ACCESS, 0x10, 2, 1, "x.exe"),
        *(None, False, None, None, None),
    )
    with ServiceManager(backend=one.backend) as scm, pytest.raises(TypeError, match="not both"):
        scm.create(spec, "y.exe")


def test_a_new_service_that_can_t_be_finished_is_removed() -> None:
    recorder = Recorder(change_config_number=service_error(87, "ChangeServiceConfig2W"))
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(InvalidArgumentError):
        scm.create("x", "x.exe", description="d", delayed_auto_start=True)
    assert recorder.called("delete_service")
    assert not recorder.open


def test_a_new_driver_that_starts_at_boot() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.sys", start_type=StartType.BOOT).close()
    assert recorder.called("create_service")[0][5] == 0


def test_deleting_waits_until_it_is_gone() -> None:
    answers: Iterator[int | ServiceError] = iter([0x1, 0x2, service_error(1060, "OpenServiceW")])

    def open_service(*arguments: object) -> int:
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        service = scm.open("x", access=ServiceAccess.DELETE)
        recorder.answers["open_service"] = open_service
        service.delete(timeout=60)
        assert service.closed
    assert len(recorder.called("open_service")) == 4


def test_deleting_what_stays() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(WaitTimeoutError) as caught:
        scm.delete("x", timeout=0)
    assert isinstance(caught.value, TimeoutError)
    assert "a handle to it is open somewhere" in str(caught.value)
    assert not recorder.open


# ------------------------------------------------------------------- the manager's rest


def test_the_lock() -> None:
    recorder = Recorder(lock_service_database=0xABC)
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(ZeroDivisionError), scm.lock():
            _ = 1 / len(recorder.called("unlock_service_database"))
        assert recorder.called("unlock_service_database") == [(0xABC,)]
        assert scm.lock_status().owner is None
        recorder.answers["query_service_lock_status"] = LockRow(1, r"ME\me", 7)
        assert scm.lock_status().owner == r"ME\me"
        assert scm.lock_status().duration == timedelta(seconds=7)


def test_services_of_a_process() -> None:
    rows = [
        EnumRow("a", "A", STOPPED._replace(process_id=7, current_state=4)),
        EnumRow("b", "B", STOPPED._replace(process_id=8, current_state=4)),
        EnumRow("c", "C", STOPPED._replace(process_id=7, current_state=4)),
    ]
    recorder = Recorder(enum_services_status_ex=(rows, 0))
    with ServiceManager(backend=recorder.backend) as scm:
        assert [info.name for info in scm.by_pid(7)] == ["a", "c"]
        assert scm.by_pid(9) == []
        with pytest.raises(ArgumentError, match="pid"):
            scm.by_pid(0)


def test_pages_are_asked_for_as_they_are_used() -> None:
    pages = {
        0: ([EnumRow("a", "A", STOPPED)], 5),
        5: ([], 6),
        6: ([EnumRow("b", None, STOPPED)], 0),
    }
    recorder = Recorder(enum_services_status_ex=lambda *arguments: pages[arguments[-1]])
    with ServiceManager(backend=recorder.backend) as scm:
        services = scm.services()
        assert next(services).name == "a"
        assert len(recorder.called("enum_services_status_ex")) == 1
        assert [info.display_name for info in services] == ["b"]


def test_existence_does_not_need_rights() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        assert "x" in scm
        recorder.answers["open_service"] = service_error(5, "OpenServiceW")
        assert "x" in scm
        recorder.answers["open_service"] = service_error(1060, "OpenServiceW")
        assert "x" not in scm
        assert 5 not in scm
        recorder.answers["open_service"] = service_error(1722, "OpenServiceW")
        with pytest.raises(ConnectionError):
            scm.exists("x")


# ------------------------------------------------------------------- snapshot


def test_a_snapshot_has_errors_beside_what_could_be_read() -> None:
    recorder = Recorder(
        query_triggers=service_error(124, "QueryServiceConfig2W"),
        query_service_object_security=service_error(5, "QueryServiceObjectSecurity"),
        query_required_privileges=("SeBackupPrivilege",),
        query_description="A beat",
    )
    with opened(recorder) as service:
        snapshot = service.snapshot()
    assert snapshot.description == "A beat"
    assert snapshot.triggers is None
    assert set(snapshot.errors) == {"triggers", "security"}
    assert isinstance(snapshot.errors["triggers"], UnsupportedError)
    told = snapshot.to_json()
    assert told["errors"] == {
        "triggers": {
            "winerror": 124,
            "function": "QueryServiceConfig2W",
            "message": "Invalid level",
        },
        "security": {
            "winerror": 5,
            "function": "QueryServiceObjectSecurity",
            "message": "Access denied",
            "hint": "Needed: ServiceAccess.READ_CONTROL.",
        },
    }
    assert "not readable  triggers: Invalid level (error 124)" in snapshot.describe()


SDDL = "O:SYG:SYD:(A;;GA;;;SY)S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)"


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (SecurityInformation.DACL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.LABEL, ServiceAccess.READ_CONTROL),
        (SecurityInformation.SACL, ServiceAccess.ACCESS_SYSTEM_SECURITY),
        (SecurityInformation.BACKUP, ServiceAccess.ACCESS_SYSTEM_SECURITY),
    ],
)
def test_reading_security_asks_for_its_right(
    parts: SecurityInformation, right: ServiceAccess
) -> None:
    recorder = Recorder(query_service_object_security=SecurityDescriptor.from_sddl(SDDL).to_bytes())
    with opened(recorder) as service:
        service.security(parts)
    asked = ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]
    assert right in asked
    system = ServiceAccess.ACCESS_SYSTEM_SECURITY
    assert (system in asked) == (right == system)


@pytest.mark.parametrize(
    ("parts", "right", "written"),
    [
        (SecurityInformation.DACL, ServiceAccess.WRITE_DAC, "D:(A;;GA;;;SY)"),
        (SecurityInformation.OWNER, ServiceAccess.WRITE_OWNER, "O:SY"),
        (SecurityInformation.LABEL, ServiceAccess.WRITE_OWNER, "S:(ML;;NW;;;HI)"),
        (
            SecurityInformation.SACL,
            ServiceAccess.ACCESS_SYSTEM_SECURITY,
            "S:(AU;FA;GA;;;WD)(ML;;NW;;;HI)",
        ),
    ],
)
def test_writing_security_writes_what_is_named(
    parts: SecurityInformation, right: ServiceAccess, written: str
) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.set_security(SDDL, parts)
    asked = ServiceAccess(recorder.called("open_service")[-1][2])  # type: ignore[arg-type]
    writing = (
        ServiceAccess.WRITE_DAC | ServiceAccess.WRITE_OWNER | ServiceAccess.ACCESS_SYSTEM_SECURITY
    )
    assert asked & writing == right
    ((_, information, content),) = recorder.called("set_service_object_security")
    assert information == parts
    assert isinstance(content, bytes)
    assert SecurityDescriptor.from_bytes(content).to_sddl() == written


def test_configuring_security_leaves_the_owner_alone() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(security=SDDL)
        with pytest.raises(ArgumentError, match="has no DACL"):
            service.configure(security="O:SY")
        with pytest.raises(ArgumentError, match="has no SACL"):
            service.set_security("D:(A;;GA;;;SY)", SecurityInformation.SACL)
    assert [call[1] for call in recorder.called("set_service_object_security")] == [4]


# ------------------------------------------------------------------- what users get wrong


def test_a_spec_may_be_used_twice() -> None:
    spec = ServiceSpec(
        name="x",
        binary_path="x.exe",
        dependencies=(name for name in ["RpcSs"]),
        required_privileges=iter(["SeBackupPrivilege"]),
        triggers=[Trigger.on_ip_available()],
    )
    for _ in range(2):
        recorder = Recorder()
        with ServiceManager(backend=recorder.backend) as scm:
            scm.create(spec).close()
        assert recorder.called("create_service")[0][10] == ["RpcSs"]
        assert recorder.called("change_required_privileges")[0][1] == ["SeBackupPrivilege"]
        assert len(recorder.called("change_triggers")[0][1]) == 1  # type: ignore[arg-type]
    assert hash(spec)


@pytest.mark.parametrize(
    ("account", "password", "sent"),
    [
        ("LocalService", UNCHANGED, (r"NT AUTHORITY\LocalService", "")),
        ("me", "", (r".\me", "")),
        ("me", "hunter2", (r".\me", "hunter2")),
        (r"NT SERVICE\x", None, (r"NT SERVICE\x", None)),
        (r"DOMAIN\managed$", None, (r"DOMAIN\managed$", None)),
    ],
)
def test_passwords_of_a_new_service(
    account: str, password: str, sent: tuple[str | None, ...]
) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.exe", account=account, password=password).close()
    assert revealed(recorder.called("create_service")[0][11:13]) == sent


def test_a_password_is_in_no_frame_of_ours() -> None:
    recorder = Recorder(
        create_service=service_error(1057, "CreateServiceW"),
        change_service_config=service_error(1057, "ChangeServiceConfigW"),
    )
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        for change in (
            lambda: scm.create("x", "x.exe", account="me", password="hunter2"),
            lambda: service.configure(account="me", password="hunter2"),
        ):
            with pytest.raises(ServiceError) as caught:
                change()
            trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            ours = [frame for frame in trace.stack if "test_objects" not in frame.filename]
            assert ours
            assert not [frame for frame in ours if "hunter2" in str(frame.locals)]


WRONG_SETTINGS: list[dict[str, object]] = [
    {"dependencies": "abc"},
    {"dependencies": [None]},
    {"dependencies": 5},
    {"required_privileges": "SeBackupPrivilege"},
    {"triggers": "abc"},
    {"triggers": [None]},
    {"account": None},
    {"failure_actions": False},
    {"failure_actions": [FailureAction.restart()]},
    {"delayed_auto_start": None},
    {"delayed_auto_start": "no"},
    {"preferred_node": 1.5},
    {"display_name": b"x"},
    {"description": 5},
    {"start_type": "auto"},
    {"password": b"x"},
    {"security": 5},
]


@pytest.mark.parametrize("settings", WRONG_SETTINGS, ids=str)
def test_settings_of_the_wrong_type(settings: dict[str, object]) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        with pytest.raises(TypeError, match=next(iter(settings))):
            service.configure(**settings)  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            scm.create("y", "y.exe", **settings)  # type: ignore[arg-type]
    assert not recorder.called("create_service")
    assert not [call for call in recorder.calls if str(call[0]).startswith("change")]


@pytest.mark.parametrize(
    "settings", [{"preferred_node": 70000}, {"sid_type": -1}, {"service_type": 1 << 40}], ids=str
)
def test_settings_out_of_range(settings: dict[str, object]) -> None:
    with opened(Recorder()) as service, pytest.raises(ArgumentError, match="is not from 0 to"):
        service.configure(**settings)  # type: ignore[arg-type]


def test_wrong_arguments() -> None:
    recorder = Recorder(enum_services_status_ex=([], 0))
    wrong: list[Callable[[ServiceManager, Service], object]] = [
        lambda scm, service: scm.services(state="running"),  # type: ignore[arg-type]
        lambda scm, service: scm.services(state={"running"}),  # type: ignore[arg-type]
        lambda scm, service: scm.services(type="win32"),  # type: ignore[arg-type]
        lambda scm, service: scm.by_pid("7"),  # type: ignore[arg-type]
        lambda scm, service: scm.create(None),  # type: ignore[arg-type]
        lambda scm, service: scm.create(b"x", "y.exe"),  # type: ignore[arg-type]
        lambda scm, service: scm.open("x", access="all"),  # type: ignore[arg-type]
        lambda scm, service: service.stop(30),  # type: ignore[arg-type]
        lambda scm, service: service.stop("maintenance"),  # type: ignore[arg-type]
        lambda scm, service: service.control(True),
        lambda scm, service: service.control("STOP"),  # type: ignore[arg-type]
        lambda scm, service: service.control(200.5),  # type: ignore[arg-type]
        lambda scm, service: service.security("DACL"),  # type: ignore[arg-type]
        lambda scm, service: service.set_security(5),  # type: ignore[arg-type]
        lambda scm, service: Trigger(1, 1, "guid"),  # type: ignore[arg-type]
    ]
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        for call in wrong:
            with pytest.raises(TypeError):
                call(scm, service)
        with pytest.raises(ArgumentError, match="access"):
            scm.open("x", access=-1)  # type: ignore[arg-type]
        with pytest.raises(ArgumentError, match="type"):
            scm.services(type=-1)  # type: ignore[arg-type]
    assert not recorder.called("control_service")


# ------------------------------------------------------------------- restricted services, failures


def test_a_service_that_may_only_be_started() -> None:
    recorder = Recorder(open_service=refuse_without(ServiceAccess.START, "OpenServiceW"))
    with opened(recorder) as service:
        service.start()
        with pytest.raises(AccessDeniedError, match=r"Needed: ServiceAccess\.QUERY_STATUS"):
            service.status()
        service.start()
    assert len(recorder.called("start_service")) == 2


def test_rights_that_are_taken_away_meanwhile() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        recorder.answers["open_service"] = refuse_without(ServiceAccess.START, "OpenServiceW")
        service.start()
        assert service.status().state is State.STOPPED  # on the handle from before


def test_an_unknown_number_does_not_make_a_query_fail() -> None:
    recorder = Recorder(
        query_service_config=CONFIG._replace(start_type=9, service_type=0x8D0, error_control=77),
        query_service_status_ex=STOPPED._replace(current_state=12, controls_accepted=0x80000000),
    )
    with opened(recorder) as service:
        assert int(service.config().start_type) == 9
        assert int(service.config().service_type) == 0x8D0
        assert int(service.status().state) == 12
        assert int(service.status().controls_accepted) == 0x80000000


@pytest.mark.parametrize("state", list(State))
def test_the_process_is_told_in_every_state(state: State) -> None:
    row = STOPPED._replace(current_state=int(state), process_id=7)
    with opened(Recorder(query_service_status_ex=row)) as service:
        assert service.status().pid == 7


def test_the_first_error_counts() -> None:
    recorder = Recorder(
        change_config_number=service_error(87, "ChangeServiceConfig2W"),
        delete_service=service_error(5, "DeleteService"),
    )
    with ServiceManager(backend=recorder.backend) as scm:
        with pytest.raises(InvalidArgumentError, match="could not be deleted"):
            scm.create("x", "x.exe", delayed_auto_start=True)
    recorder = Recorder(
        lock_service_database=1,
        unlock_service_database=service_error(1071, "UnlockServiceDatabase"),
    )
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(ZeroDivisionError):
        with scm.lock():
            _ = 1 / len(recorder.called("unlock_service_database"))
    recorder = Recorder(close_service_handle=service_error(6, "CloseServiceHandle"))
    with pytest.raises(ZeroDivisionError), ServiceManager(backend=recorder.backend):
        _ = 1 / 0


def test_every_handle_is_closed_even_if_one_fails() -> None:
    recorder = Recorder()
    service = opened(recorder)
    service.start()
    recorder.answers["close_service_handle"] = service_error(6, "CloseServiceHandle")
    with pytest.raises(ServiceError):
        service.close()
    assert {call[0] for call in recorder.called("close_service_handle")} >= recorder.open


def test_a_signal_handler_may_use_the_service_meanwhile() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        opener = recorder.answers["open_service"]
        assert callable(opener)

        def interrupted(*arguments: object) -> object:
            recorder.answers["open_service"] = opener
            assert service.status().state is State.STOPPED  # in the middle of another opening
            return opener(*arguments)

        recorder.answers["open_service"] = interrupted
        service.start()
    assert not recorder.open


def test_a_service_closed_while_it_is_opened_again() -> None:
    recorder = Recorder()
    service = opened(recorder)
    opener = recorder.answers["open_service"]
    assert callable(opener)

    def closing(*arguments: object) -> object:
        service.close()
        return opener(*arguments)

    recorder.answers["open_service"] = closing
    with pytest.raises(HandleClosedError):
        service.start()
    assert not recorder.open


def test_a_remote_manager_does_not_restart_this_machine() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        with pytest.raises(UnsupportedError, match="own machine alone"):
            scm.notify_boot_config_status(False)
    with pytest.raises(HandleClosedError):
        scm.notify_boot_config_status(False)
    assert not recorder.called("notify_boot_config_status")


def test_errors_name_service_and_machine_everywhere() -> None:
    recorder = Recorder()
    with ServiceManager("build07", backend=recorder.backend) as scm:
        recorder.answers["open_service"] = service_error(1722, "OpenServiceW")
        for question in (scm.exists, scm.open, scm.get, scm.delete):
            with pytest.raises(ConnectionError, match="for 'x' on build07"):
                question("x")
        recorder.answers["open_service"] = service_error(123, "OpenServiceW")
        assert "a/b" not in scm
        recorder.answers["enum_services_status_ex"] = service_error(1060, "EnumServicesStatusExW")
        with pytest.raises(LookupError, match="no load-order group 'G'"):
            list(scm.services(group="G"))


def test_get_gives_the_name_as_it_is_stored() -> None:
    recorder = Recorder(get_service_display_name="Print", get_service_key_name="Spooler")
    with ServiceManager(backend=recorder.backend) as scm:
        assert scm.get("SPOOLER").name == "Spooler"
        recorder.answers["get_service_key_name"] = "Other"  # two services share the display name
        assert scm.get("SPOOLER").name == "SPOOLER"


def test_a_tag() -> None:
    recorder = Recorder(change_service_config=17)
    with opened(recorder) as service:
        assert service.configure(load_order_group="G", want_tag=True) == 17
    assert changed_config(recorder)[4:6] == ("G", True)
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.sys", load_order_group="G", want_tag=True).close()
    assert recorder.called("create_service")[0][9] is True


def test_snapshots_compare_and_need_an_open_service() -> None:
    recorder = Recorder(query_triggers=service_error(124, "QueryServiceConfig2W"))
    recorder.answers["query_service_object_security"] = b"no descriptor"
    with opened(recorder) as service:
        one, other = service.snapshot(), service.snapshot()
    assert one == other
    assert set(one.errors) == {"triggers", "security"}
    with pytest.raises(HandleClosedError):
        service.snapshot()
