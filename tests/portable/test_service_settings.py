"""Querying and changing the settings of a service on a scripted backend."""

from __future__ import annotations

from datetime import timedelta

import pytest
from recorder import CONFIG, STOPPED, Recorder, opened

from winsvc import (
    UNCHANGED,
    AccessDeniedError,
    FailureAction,
    InvalidParameterError,
    ServiceManager,
    SidType,
    StartType,
    State,
    Trigger,
    ValidationError,
)
from winsvc._values.rows import PreferredNodeRow
from winsvc.enums import ConfigLevel
from winsvc.errors import win32_error
from winsvc.testing import SimulatedSCM

NO_CHANGE = 0xFFFFFFFF


def test_configure_leaves_omitted_settings_unchanged() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(start_type=StartType.DISABLED, display_name=UNCHANGED)
    (call,) = recorder.called("change_service_config")
    assert call.values == {
        "service": call.service,
        "service_type": NO_CHANGE,
        "start_type": StartType.DISABLED,
        "error_control": NO_CHANGE,
        "binary_path": None,
        "load_order_group": None,
        "assign_tag": False,
        "dependencies": None,
        "account": None,
        "password": None,
        "display_name": None,
    }
    assert recorder.changes == [call]


def test_configure_without_changes_makes_no_call() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure()
        service.configure(description=UNCHANGED)
    assert not recorder.changes


@pytest.mark.parametrize("nothing", [(), [], None])
def test_configure_empty_dependencies_clears_them(nothing: list[str] | None) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(dependencies=nothing, load_order_group=None)
    (call,) = recorder.called("change_service_config")
    assert (call.dependencies, call.load_order_group) == ([], "")


def test_configure_invalid_setting_raises_before_any_change() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(ValueError, match="SDDL"):
            service.configure(start_type=StartType.MANUAL, security="D:(A;;no such;;;SY)")
        with pytest.raises(ValidationError, match="preshutdown_timeout"):
            service.configure(description="new", preshutdown_timeout=-1)
        with pytest.raises(ValidationError, match="preshutdown_timeout"):
            service.configure(description="new", preshutdown_timeout=timedelta(days=50))
        with pytest.raises(TypeError, match="no_such_setting"):
            service.configure(no_such_setting=1)  # type: ignore[call-arg]
    assert not recorder.changes
    assert not recorder.called("set_service_object_security")


def test_configure_partial_failure_hint_lists_applied_changes() -> None:
    recorder = Recorder(change_config_number=win32_error(87, "ChangeServiceConfig2W"))
    with opened(recorder) as service, pytest.raises(InvalidParameterError) as caught:
        service.configure(display_name="X", description="d", delayed_auto_start=True)
    assert caught.value.hint == (
        "Refused: delayed_auto_start. Changed before that: configuration, description."
    )
    assert [call.method for call in recorder.changes] == [
        "change_service_config",
        "change_description",
        "change_config_number",
    ]


def test_configure_writes_every_setting_level() -> None:
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
    numbers = recorder.called("change_config_number")
    assert [(call.level, call.number) for call in numbers] == [
        (ConfigLevel.DELAYED_AUTO_START_INFO, 1),
        (ConfigLevel.FAILURE_ACTIONS_FLAG, 1),
        (ConfigLevel.SERVICE_SID_INFO, 3),
        (ConfigLevel.PRESHUTDOWN_INFO, 1500),
    ]
    (description,) = recorder.called("change_description")
    assert description.description == ""
    (privileges,) = recorder.called("change_required_privileges")
    assert privileges.privileges == ["SeBackupPrivilege"]
    (node,) = recorder.called("change_preferred_node")
    assert node.row == PreferredNodeRow(0, False)
    assert len(recorder.changes) == 7


def test_configure_clearing_absent_triggers_ignores_error() -> None:
    recorder = Recorder(change_triggers=win32_error(87, "ChangeServiceConfig2W"))
    with opened(recorder) as service:
        service.configure(triggers=None)
        with pytest.raises(InvalidParameterError):
            service.configure(triggers=[Trigger.on_domain_join()])
    cleared, refused = recorder.called("change_triggers")
    assert cleared.triggers == []
    assert len(refused.triggers) == 1


def test_configure_clearing_absent_preferred_node_ignores_error() -> None:
    recorder = Recorder(change_preferred_node=win32_error(87, "ChangeServiceConfig2W"))
    with opened(recorder) as service:
        service.configure(preferred_node=None)
        with pytest.raises(InvalidParameterError):
            service.configure(preferred_node=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"start_type": "automatic"},
            "start_type: expected StartType, not str; did you mean StartType.AUTOMATIC?",
        ),
        (
            {"start_type": "auto"},
            "start_type: expected StartType, not str; did you mean StartType.AUTOMATIC?",
        ),
        (
            {"service_type": "own-process"},
            "service_type: expected ServiceType, not str; did you mean ServiceType.OWN_PROCESS?",
        ),
        (
            {"sid_type": "x"},
            "sid_type: expected SidType, not str; use a member, such as SidType.NONE",
        ),
        ({"start_type": State.RUNNING}, "start_type: expected StartType, not State"),
        ({"start_type": True}, "start_type: expected StartType, not bool"),
        ({"preferred_node": "0"}, "preferred_node: expected int or None, not str"),
        ({"start_typ": 2}, "start_typ: unknown setting (did you mean 'start_type'?)"),
        ({"want_tag": True}, "want_tag: unknown setting (did you mean 'assign_tag'?)"),
        ({"color": 1}, "color: unknown setting"),
        (
            {"allow_unquoted": True},
            "allow_unquoted: unknown setting (did you mean 'allow_unquoted_path'?)",
        ),
        ({"dependencies": "abc"}, "dependencies: expected a list, not a single str"),
        ({"triggers": [5]}, "triggers[0]: expected Trigger, not int"),
    ],
    ids=str,
)
def test_wrong_setting_message_names_setting_and_suggests(
    settings: dict[str, object], message: str
) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        with pytest.raises(TypeError) as caught:
            service.configure(**settings)  # type: ignore[arg-type]
        assert str(caught.value) == message
        with pytest.raises(TypeError) as caught:
            scm.create("y", "y.exe", **settings)  # type: ignore[arg-type]
        assert str(caught.value) == message
    assert not recorder.changes


def test_configure_refused_for_instance_names_template() -> None:
    document = {
        "services": {
            "CDPUserSvc": {"service_type": ["share_process", "user_service"]},
            "CDPUserSvc_1f": {"service_type": 0xE0},
        }
    }
    with ServiceManager(backend=SimulatedSCM.from_json(document)) as scm:
        with scm.open("CDPUserSvc_1f") as instance:
            with pytest.raises(InvalidParameterError) as caught:
                instance.configure(start_type=StartType.DISABLED)
        with scm.open("CDPUserSvc") as template:
            template.configure(start_type=StartType.DISABLED)
    assert caught.value.hint == (
        "Refused: configuration. CDPUserSvc_1f is an instance of a per-user service: configure "
        "CDPUserSvc instead."
    )


def test_preferred_node_unset_returns_none() -> None:
    with opened(Recorder(query_preferred_node=win32_error(87, "f"))) as service:
        assert service.preferred_node() is None
    with opened(Recorder(query_preferred_node=PreferredNodeRow(1, False))) as service:
        assert service.preferred_node() == 1


@pytest.mark.parametrize("code", [2, 1168, 15100])
def test_description_with_missing_resource_is_empty(code: int) -> None:
    with opened(Recorder(query_description=win32_error(code, "f"))) as service:
        assert service.description() == ""


def test_description_without_right_raises_access_denied() -> None:
    with opened(Recorder(query_description=win32_error(5, "f"))) as service:
        with pytest.raises(AccessDeniedError):
            service.description()


def test_configure_with_assign_tag_returns_tag() -> None:
    recorder = Recorder(change_service_config=17)
    with opened(recorder) as service:
        assert service.configure(load_order_group="G", assign_tag=True) == 17
    (call,) = recorder.called("change_service_config")
    assert (call.load_order_group, call.assign_tag) == ("G", True)


def test_create_with_assign_tag_requests_tag() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.sys", load_order_group="G", assign_tag=True).close()
    (call,) = recorder.called("create_service")
    assert (call.load_order_group, call.assign_tag) == ("G", True)


def test_query_with_unknown_numbers_keeps_them() -> None:
    recorder = Recorder(
        query_service_config=CONFIG._replace(start_type=9, service_type=0x8D0, error_control=77),
        query_service_status_ex=STOPPED._replace(current_state=12, controls_accepted=0x80000000),
    )
    with opened(recorder) as service:
        assert int(service.config().start_type) == 9
        assert int(service.config().service_type) == 0x8D0
        assert int(service.status().state) == 12
        assert int(service.status().controls_accepted) == 0x80000000


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
def test_setting_of_wrong_type_raises_type_error(settings: dict[str, object]) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        with pytest.raises(TypeError, match=next(iter(settings))):
            service.configure(**settings)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=next(iter(settings))):
            scm.create("y", "y.exe", **settings)  # type: ignore[arg-type]
    assert not recorder.called("create_service", "set_service_object_security")
    assert not recorder.changes


@pytest.mark.parametrize(
    "settings", [{"preferred_node": 70000}, {"sid_type": -1}, {"service_type": 1 << 40}], ids=str
)
def test_configure_number_out_of_range_raises_argument_error(settings: dict[str, object]) -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        with pytest.raises(ValidationError, match=f"^{next(iter(settings))}: must be from 0 to"):
            service.configure(**settings)  # type: ignore[arg-type]
    assert not recorder.changes
