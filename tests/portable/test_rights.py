"""Which rights the object API requests, and how it opens handles again for more."""

from __future__ import annotations

import pytest
from recorder import Recorder, opened, refuse_without

from winsvc import (
    AccessDeniedError,
    HandleClosedError,
    ManagerAccess,
    ServiceAccess,
    ServiceError,
    ServiceManager,
    State,
)
from winsvc.errors import service_error


def test_the_fewest_calls_for_a_status() -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        service.status()
        service.config()
    assert [call.method for call in recorder.calls] == [
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
    reading = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
    assert [call.access for call in recorder.called("open_service")] == [
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
        (before,) = recorder.open
        recorder.answers["open_service"] = refuse_without(ServiceAccess.START, "OpenServiceW")
        service.start()
        (started,) = recorder.called("start_service")
        assert started.service not in recorder.open  # on a handle with the right to start alone
        assert service.status().state is State.STOPPED
        (query,) = recorder.called("query_service_status_ex")
        assert query.service == before


def test_every_handle_is_closed_even_if_one_fails() -> None:
    recorder = Recorder()
    service = opened(recorder)
    service.start()
    recorder.answers["close_service_handle"] = service_error(6, "CloseServiceHandle")
    with pytest.raises(ServiceError):
        service.close()
    assert len(recorder.open) == 2
    closed = [call.handle for call in recorder.called("close_service_handle")]
    assert sorted(closed[-2:]) == sorted(recorder.open)


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
    assert [call.method for call in recorder.calls if call.method[:5] in ("query", "start")] == [
        "query_service_status_ex",
        "start_service",
    ]
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
    assert not recorder.called("start_service")
    assert not recorder.open
