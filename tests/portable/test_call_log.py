"""The logger ``winsvc``: levels, content, secrets and cost."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest

from winsvc import (
    AccessDeniedError,
    Control,
    FailureActions,
    ManagerAccess,
    ServiceAccess,
    ServiceManager,
    State,
)
from winsvc.enums import rights_text
from winsvc.testing import SimulatedSCM

SECRET = "hunter2"
LIST = ManagerAccess.CONNECT | ManagerAccess.ENUMERATE_SERVICE
READ = ServiceAccess.QUERY_CONFIG | ServiceAccess.QUERY_STATUS


@pytest.fixture
def sim() -> Iterator[SimulatedSCM]:
    with SimulatedSCM().installed() as sim:
        sim.add("web", state=State.STOPPED)
        yield sim


def messages(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_calls_are_logged_at_debug_with_service_and_machine(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "winsvc")
    with ServiceManager() as scm, scm.open("web") as service:
        service.status()
        sim.faults.fail("QueryServiceConfigW", 5)
        with pytest.raises(AccessDeniedError):
            service.config()
    web = "service 'web' on this machine"
    manager = "the service control manager on this machine"
    assert messages(caplog, logging.DEBUG) == [
        f"open_sc_manager: {manager}",
        f"{manager}: opened with {rights_text(LIST)}",
        f"open_service: {web}",
        f"{web}: opened with {rights_text(READ)}",
        f"query_service_status_ex: {web}",
        f"query_service_config: {web}: error 5",
        f"close_service_handle: {web}",
        f"close_service_handle: {manager}",
    ]
    assert {record.name for record in caplog.records} == {"winsvc"}


def test_changes_are_logged_at_info(sim: SimulatedSCM, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "winsvc")
    with ServiceManager() as scm:
        with scm.create("job", "job.exe") as service:
            service.configure(description="text", failure_actions=FailureActions())
            service.set_security("D:(A;;GA;;;SY)")
            service.start()
            service.interrogate()
            service.control(200)
            service.stop()
            service.delete()
        scm.set_security("D:(A;;GA;;;SY)")
    changes = [text.partition(": ")[2] for text in messages(caplog, logging.INFO)]
    assert changes == [
        "it was created",
        "description was changed",
        "failure_actions was changed",
        "security was changed",
        "start was requested",
        f"control {Control(200).name} was sent",
        "control STOP was sent",
        "it was marked for deletion",
        "security was changed",
    ]
    assert not messages(caplog, logging.DEBUG)


def test_refused_change_is_not_logged_at_info(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "winsvc")
    sim.faults.fail("StartServiceW", 5)
    with ServiceManager() as scm, pytest.raises(AccessDeniedError):
        scm.start("web")
    assert not messages(caplog, logging.INFO)
    assert "start_service: service 'web' on this machine: error 5" in messages(
        caplog, logging.DEBUG
    )


def test_log_contains_no_argument_values(
    sim: SimulatedSCM, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "winsvc")
    with (
        ServiceManager() as scm,
        scm.create(
            "job",
            f"job.exe --token {SECRET}",
            account=".\\user",
            password=SECRET,
            description=SECRET,
        ) as service,
    ):
        service.configure(binary_path=f"job.exe {SECRET}", password=SECRET, account=".\\user")
        service.start(SECRET)
    assert caplog.records
    assert SECRET not in caplog.text
    assert SECRET not in repr([record.args for record in caplog.records])


def test_calls_import_no_logging_module() -> None:
    code = (
        "import sys\n"
        "from winsvc.testing import SimulatedSCM\n"
        "for name in [n for n in sys.modules if n.split('.')[0] == 'logging']:\n"
        "    del sys.modules[name]\n"
        "from winsvc import ServiceManager\n"
        "with ServiceManager(backend=SimulatedSCM()) as scm:\n"
        "    list(scm.services())\n"
        "    assert 'logging' not in sys.modules\n"
        "    import logging\n"
        "    logging.basicConfig(level=logging.DEBUG)\n"
        "    list(scm.services())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith("DEBUG:winsvc:enum_services_status_ex: ")
