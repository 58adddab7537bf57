"""The Python code of README.md and docs/: the blocks, and how to execute them.

The words after ``python`` in the first line of a block select how it is treated:

- ``NAME.py``: the block is a module that other blocks and tests may import by this name.
- ``continued``: the block continues the one before it.
- ``real``: the block also runs on a real service control manager.

A block that defines ``test_...`` functions is a test module: its tests are called with the fixtures
of the pytest plugin.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType

import pytest

from winsvc import ServiceManager, ServiceType, StartType, State
from winsvc.testing import SimulatedSCM

PROJECT = Path(__file__).parent.parent
DOCUMENTS = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```python([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One block of Python code.

    Attributes:
        document: the file.
        line: the line of the document in which the code starts.
        words: the words after ``python``.
        code: the code.
    """

    document: Path
    line: int
    words: tuple[str, ...]
    code: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    @property
    def module(self) -> str | None:
        """The name of the module that the block is; None if it has no name."""
        names = [word.removesuffix(".py") for word in self.words if word.endswith(".py")]
        return names[0] if names else None


def blocks() -> list[Block]:
    """Return the blocks of all documents; continued ones are part of the block before them."""
    found: list[Block] = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for match in _FENCE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            words, code = tuple(match[1].split()), match[2]
            if "continued" in words:
                first = found.pop()
                gap = "\n" * (line - first.line - first.code.count("\n"))
                found.append(replace(first, code=first.code + gap + code))
            else:
                found.append(Block(document, line, words, code))
    return found


def run(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    """Execute a block and the tests in it, and before it the blocks that it imports."""
    for other in blocks():
        needed = f"from {other.module} import" in block.code
        if other.document == block.document and other.module and needed:
            _execute(other, other.module, monkeypatch)
    module = _execute(block, block.module or "document", monkeypatch)
    for name, function in list(vars(module).items()):
        if name.startswith("test_"):
            _call_test(function)


def _execute(block: Block, name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(name)
    monkeypatch.setitem(sys.modules, name, module)
    code = "\n" * (block.line - 1) + block.code  # tracebacks show the lines of the document
    exec(compile(code, str(block.document), "exec"), module.__dict__)
    return module


def _call_test(function: Callable[..., object]) -> None:
    with SimulatedSCM().installed() as sim, ServiceManager() as scm:
        fixtures = {"simulated_scm": sim, "winsvc_scm": scm}
        try:
            function(**{name: fixtures[name] for name in inspect.signature(function).parameters})
        finally:
            sim.close()


def simulated_system() -> SimulatedSCM:
    """Return a system with the services and machines that the documents mention."""
    sim = SimulatedSCM()
    sim.add("Tcpip", service_type=ServiceType.KERNEL_DRIVER, state=State.RUNNING)
    sim.add("Eventlog", display_name="Windows Event Log", state=State.RUNNING)
    sim.add("RpcSs", load_order_group="COM Infrastructure", state=State.RUNNING)
    sim.add("LanmanWorkstation", load_order_group="NetworkProvider", state=State.RUNNING)
    sim.add_account(r"CORP\Print operators", "S-1-5-21-1-2-3-1000")
    for machine in (sim.local, sim.add_machine("build07")):
        machine.add(
            "Spooler",
            display_name="Print Spooler",
            binary_path=r"C:\Windows\System32\spoolsv.exe",
            start_type=StartType.AUTOMATIC,
            state=State.RUNNING,
        )
        machine.add("Fax", dependencies=["Spooler"], state=State.RUNNING)
        machine.add("BITS")
        machine.add("web", binary_path=r'"C:\Program Files\Web\web.exe"', state=State.RUNNING)
        machine.add("worker", dependencies=["web"])
    return sim
