"""The C compiler refuses a declaration that is not the header's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent
COMPILER = "x86_64-w64-mingw32-gcc"

pytestmark = pytest.mark.skipif(not shutil.which(COMPILER), reason="needs the cross compiler")


def check(cdefs: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROJECT / "tools" / "declcheck.py"), "--compiler", COMPILER]
    return subprocess.run([*command, "--cdefs", str(cdefs)], capture_output=True, text=True)


def test_declarations_match_the_headers() -> None:
    done = check(PROJECT / "cdefs")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("header", "right", "wrong", "named"),
    [
        ("winsvc.h", "DWORD dwCurrentState;", "WORD dwCurrentState;", "dwCurrentState"),
        ("winsvc.h", "DWORD dwCurrentState;", "int dwCurrentState;", "dwCurrentState"),
        ("winsvc.h", "LPDWORD pcbBytesNeeded", "WORD *pcbBytesNeeded", "is not what the header"),
        ("winuser.h", "BOOL CloseDesktop(HDESK", "BOOL CloseDesktop(HWINSTA", "CloseDesktop"),
        ("winuser.h", "BOOL CloseDesktop(", "void CloseDesktop(", "CloseDesktop"),
    ],
)
def test_wrong_declaration_is_reported_by_name(
    tmp_path: Path, header: str, right: str, wrong: str, named: str
) -> None:
    cdefs = tmp_path / "cdefs"
    shutil.copytree(PROJECT / "cdefs", cdefs)
    text = (cdefs / header).read_text("ascii")
    assert right in text
    (cdefs / header).write_text(text.replace(right, wrong), "ascii")
    done = check(cdefs)
    assert done.returncode != 0
    assert named in done.stderr
