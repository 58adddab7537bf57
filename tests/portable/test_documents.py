"""The Python code of README.md and docs/ runs, on the simulated system."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from documents import Block, blocks, run, simulated_system


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_code_of_document_runs(
    block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "win32service", None)  # a block replaces this module
    sim = simulated_system()
    with sim.installed():
        try:
            run(block, monkeypatch)
        finally:
            sim.close()
    assert sim.open_handles == 0
