"""The Python code of README.md and docs/ that is marked ``real`` runs on a real system."""

from __future__ import annotations

import pytest
from documents import Block, blocks, run


@pytest.mark.parametrize("block", [item for item in blocks() if "real" in item.words], ids=str)
def test_code_of_document_runs_on_real_system(
    block: Block, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(block, monkeypatch)
