"""Accounts and passwords that configure() and create() send, and that no output shows."""

from __future__ import annotations

import traceback

import pytest
from recorder import CONFIG, Recorder, changed_config, opened, revealed

from winsvc import UNCHANGED, ArgumentError, ServiceError, ServiceManager, ServiceSpec
from winsvc.errors import service_error


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
            ours = [frame for frame in trace.stack if frame.filename != __file__]
            assert ours
            assert not [frame for frame in ours if "hunter2" in str(frame.locals)]
