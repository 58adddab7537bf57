"""The code of ``docs/security.md`` runs and prints what the page shows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from winsvc import ServiceAccess
from winsvc.testing import SimulatedSCM
from winsvc.testing.access import DEFAULT_SERVICE_SECURITY

PAGE = Path(__file__).parents[2] / "docs/security.md"
EXAMPLES = re.findall(
    r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL
)


def test_every_code_block_has_its_output() -> None:
    assert PAGE.read_text("utf-8").count("```python") == len(EXAMPLES)


@pytest.mark.parametrize(("code", "output"), EXAMPLES, ids=range(len(EXAMPLES)))
def test_code_block_prints_shown_output(code: str, output: str) -> None:
    sim = SimulatedSCM()
    operators = sim.add_account(r"CORP\Print operators")
    security = DEFAULT_SERVICE_SECURITY
    sim.add("Spooler").security = security.grant(operators, ServiceAccess.START)
    sim.add("Updater").security = security.grant("IU", ServiceAccess.CHANGE_CONFIG)
    sim.add("Denied").security = security.grant("BU", ServiceAccess.CHANGE_CONFIG).deny(
        "IU", ServiceAccess.CHANGE_CONFIG
    )
    printed = io.StringIO()
    with sim.installed(), contextlib.redirect_stdout(printed):
        exec(compile(code, str(PAGE), "exec"), {})
    assert printed.getvalue() == output
