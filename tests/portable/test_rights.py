"""Test the rights that the object API requests, and how it reopens handles for more."""

from __future__ import annotations

import pytest
from recorder import Recorder, opened, refuse_without

from winsvc import (
    AccessDeniedError,
    HandleClosedError,
    ManagerAccess,
    ServiceAccess,
    ServiceManager,
    State,
    Win32Error,
)
from winsvc.errors import win32_error


def test_status_and_config_reuse_opened_handles() -> None:
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


def test_operation_needing_right_reopens_with_added_right() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.start(wait=False)
        service.stop(wait=False)
        service.start(wait=False)
    reading = ServiceAccess.QUERY_STATUS | ServiceAccess.QUERY_CONFIG
    assert [call.access for call in recorder.called("open_service")] == [
        reading,
        reading | ServiceAccess.START,
        reading | ServiceAccess.START | ServiceAccess.STOP,
    ]
    assert not recorder.open


def test_config_with_status_right_only_raises_access_denied() -> None:
    recorder = Recorder(open_service=refuse_without(ServiceAccess.QUERY_STATUS, "OpenServiceW"))
    with opened(recorder) as service:
        assert service.status().state is State.STOPPED
        with pytest.raises(AccessDeniedError) as caught:
            service.config()
        assert "ServiceAccess.QUERY_CONFIG" in str(caught.value.hint)
        assert caught.value.object_name == "x"


def test_services_with_connect_right_only_raises_access_denied() -> None:
    recorder = Recorder(open_sc_manager=refuse_without(ManagerAccess.CONNECT, "OpenSCManagerW"))
    with ServiceManager("build07", backend=recorder.backend) as scm:
        scm.open("x").close()
        with pytest.raises(AccessDeniedError) as caught:
            list(scm.services())
    assert caught.value.machine == "build07"
    assert "ManagerAccess.ENUMERATE_SERVICE" in str(caught.value)


def test_start_with_start_right_only_succeeds() -> None:
    recorder = Recorder(open_service=refuse_without(ServiceAccess.START, "OpenServiceW"))
    with opened(recorder) as service:
        service.start(wait=False)
        with pytest.raises(AccessDeniedError, match=r"Needed: ServiceAccess\.QUERY_STATUS"):
            service.status()
        service.start(wait=False)
    assert len(recorder.called("start_service")) == 2


def test_status_after_rights_removed_uses_earlier_handle() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        (before,) = recorder.open
        recorder.answers["open_service"] = refuse_without(ServiceAccess.START, "OpenServiceW")
        service.start(wait=False)
        (started,) = recorder.called("start_service")
        assert started.service not in recorder.open  # on a handle with the right to start alone
        assert service.status().state is State.STOPPED
        (query,) = recorder.called("query_service_status_ex")
        assert query.service == before


def test_close_with_failing_handle_closes_all_handles() -> None:
    recorder = Recorder()
    service = opened(recorder)
    service.start(wait=False)
    recorder.answers["close_service_handle"] = win32_error(6, "CloseServiceHandle")
    with pytest.raises(Win32Error):
        service.close()
    assert len(recorder.open) == 2
    closed = [call.handle for call in recorder.called("close_service_handle")]
    assert sorted(closed[-2:]) == sorted(recorder.open)


def test_status_call_during_reopen_succeeds() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        opener = recorder.answers["open_service"]
        assert callable(opener)

        def interrupted(*arguments: object) -> object:
            recorder.answers["open_service"] = opener
            assert service.status().state is State.STOPPED  # in the middle of another opening
            return opener(*arguments)

        recorder.answers["open_service"] = interrupted
        service.start(wait=False)
    assert [call.method for call in recorder.calls if call.method[:5] in ("query", "start")] == [
        "query_service_status_ex",
        "start_service",
    ]
    assert not recorder.open


def test_close_during_reopen_raises_handle_closed() -> None:
    recorder = Recorder()
    service = opened(recorder)
    opener = recorder.answers["open_service"]
    assert callable(opener)

    def closing(*arguments: object) -> object:
        service.close()
        return opener(*arguments)

    recorder.answers["open_service"] = closing
    with pytest.raises(HandleClosedError):
        service.start(wait=False)
    assert not recorder.called("start_service")
    assert not recorder.open
