"""The coroutines are those of the methods."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent


def test_the_coroutines_are_up_to_date() -> None:
    command = [sys.executable, str(PROJECT / "tools" / "aiogen.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
