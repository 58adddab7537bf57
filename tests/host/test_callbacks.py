"""The compiled module's callbacks carry a service: dispatcher, main function and handler."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from winsvc import ServiceManager, State


def test_native_dispatcher_runs_python_service(
    scm: ServiceManager, unique_name: Callable[[], str], tmp_path: Path
) -> None:
    log = tmp_path / "events.txt"
    script = Path(__file__).with_name("raw_service.py")
    command = f'"{sys.executable}" "{script}" "{log}"'
    with scm.create(unique_name(), command) as service:
        try:
            service.start("one", "zwei äöü")
            assert service.status().state is State.RUNNING
            assert service.stop().exit_code == 0
        finally:
            service.delete()
    lines = log.read_text("utf-8").splitlines()
    assert lines[:3] == ["started ['one', 'zwei äöü']", "control 1", "stopping"]
