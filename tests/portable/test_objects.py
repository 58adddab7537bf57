"""The object API over a scripted backend: which calls are made, with which rights, after what."""

from __future__ import annotations

import gc
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
    InvalidArgumentError,
    ManagerAccess,
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
from winsvc.errors import service_error
from winsvc.rows import EnumRow, FailureActionsRow, LockRow, PreferredNodeRow, StatusRow

NO_CHANGE = 0xFFFFFFFF


def opened(recorder: Recorder) -> Service:
    with ServiceManager(backend=recorder.backend) as scm:
        return scm.open("x")


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
    sent = [call[8:10] for call in recorder.called("change_service_config")]
    assert sent == [("LocalSystem", ""), (r"NT SERVICE\x", None), (r".\me", "hunter2")]


def test_a_password_alone_goes_with_the_account_it_is_for() -> None:
    recorder = Recorder(query_service_config=CONFIG._replace(service_start_name=r".\me"))
    with opened(recorder) as service:
        service.configure(password="hunter2")
    assert changed_config(recorder)[7:9] == (r".\me", "hunter2")


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
    assert caught.value.hint == "Changed before that: configuration, description."


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
    with pytest.raises(ArgumentError, match="needs at least one action"):
        FailureActions(reset_after=timedelta(days=1)).to_row()


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


@pytest.mark.parametrize("code", [0, 5, 11, 15, 127, 256, -1])
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
        },
    }
    assert "not readable  triggers: Invalid level (error 124)" in snapshot.describe()


def test_the_security_parts_and_their_rights() -> None:
    recorder = Recorder(query_service_object_security=b"\1\0\0\x80" + bytes(16))
    with opened(recorder) as service:
        service.security(SecurityInformation.DACL)
        service.security(SecurityInformation.SACL)
        service.configure(security="D:(A;;GA;;;SY)")
        service.configure(security="O:SYS:(AU;FA;GA;;;WD)")
    rights = [ServiceAccess(call[2]) for call in recorder.called("open_service")]  # type: ignore[arg-type]
    assert ServiceAccess.READ_CONTROL in rights[1]
    assert ServiceAccess.ACCESS_SYSTEM_SECURITY not in rights[1]
    assert ServiceAccess.ACCESS_SYSTEM_SECURITY in rights[2]
    assert ServiceAccess.WRITE_DAC in rights[3]
    assert ServiceAccess.WRITE_OWNER in rights[4]
    assert [call[1] for call in recorder.called("set_service_object_security")] == [4, 9]
