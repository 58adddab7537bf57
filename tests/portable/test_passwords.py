"""Accounts and passwords that configure() and create() send, and that no output shows."""

from __future__ import annotations

import traceback

import pytest
from recorder import CONFIG, Recorder, opened

from winsvc import UNCHANGED, Secret, ServiceManager, ServiceSpec, ValidationError, Win32Error
from winsvc.errors import win32_error


def test_configure_account_normalizes_name_and_checks_password() -> None:
    recorder = Recorder()
    with opened(recorder) as service:
        service.configure(account="SYSTEM")
        service.configure(account=r"NT SERVICE\x")
        service.configure(account="me", password="hunter2")
        with pytest.raises(ValidationError, match="LocalSystem has no password"):
            service.configure(password="hunter3")
        with pytest.raises(ValidationError, match="has no password"):
            service.configure(account="NetworkService", password="x")
    sent = [(call.account, call.password) for call in recorder.called("change_service_config")]
    assert sent == [
        ("LocalSystem", Secret("")),
        (r"NT SERVICE\x", None),
        (r".\me", Secret("hunter2")),
    ]


def test_configure_password_alone_sends_current_account() -> None:
    recorder = Recorder(query_service_config=CONFIG._replace(service_start_name=r".\me"))
    with opened(recorder) as service:
        service.configure(password="hunter2")
    (call,) = recorder.called("change_service_config")
    assert (call.account, call.password) == (r".\me", Secret("hunter2"))


def test_password_is_absent_from_repr_and_error() -> None:
    spec = ServiceSpec(name="x", binary_path="x.exe", account="me", password="hunter2")
    assert "hunter2" not in repr(spec)
    refusal = win32_error(1057, "CreateServiceW")
    recorder = Recorder(create_service=refusal)
    with ServiceManager(backend=recorder.backend) as scm, pytest.raises(Win32Error) as caught:
        scm.create(spec)
    (call,) = recorder.called("create_service")
    assert call.password == Secret("hunter2")
    assert "hunter2" not in str(caught.value) + repr(caught.value) + repr(call)


@pytest.mark.parametrize(
    ("account", "password", "sent_account", "sent_password"),
    [
        ("LocalService", UNCHANGED, r"NT AUTHORITY\LocalService", Secret("")),
        ("me", "", r".\me", Secret("")),
        ("me", "hunter2", r".\me", Secret("hunter2")),
        (r"NT SERVICE\x", None, r"NT SERVICE\x", None),
        (r"DOMAIN\managed$", None, r"DOMAIN\managed$", None),
    ],
)
def test_create_sends_account_and_password(
    account: str, password: str, sent_account: str, sent_password: Secret | None
) -> None:
    recorder = Recorder()
    with ServiceManager(backend=recorder.backend) as scm:
        scm.create("x", "x.exe", account=account, password=password).close()
    (call,) = recorder.called("create_service")
    assert (call.account, call.password) == (sent_account, sent_password)


def test_password_is_absent_from_traceback_locals() -> None:
    recorder = Recorder(
        create_service=win32_error(1057, "CreateServiceW"),
        change_service_config=win32_error(1057, "ChangeServiceConfigW"),
    )
    with ServiceManager(backend=recorder.backend) as scm, scm.open("x") as service:
        for change in (
            lambda: scm.create("x", "x.exe", account="me", password="hunter2"),
            lambda: service.configure(account="me", password="hunter2"),
        ):
            with pytest.raises(Win32Error) as caught:
                change()
            trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
            ours = [frame for frame in trace.stack if frame.filename != __file__]
            assert ours
            assert not [frame for frame in ours if "hunter2" in str(frame.locals)]
