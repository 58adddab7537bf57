"""The parity cases of ``win32service``, and the objects that they use."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeAlias

import pywintypes
import win32api
import win32con
import win32service as theirs
from dropin_differences import DROPIN_DIFFERENCES

Do: TypeAlias = Callable[..., object]
"""A function that runs in a :class:`World`."""

_numbers = itertools.count(1)


class World:
    """One of the modules, with services and desktops.

    Attributes:
        m: The module.
        scm, connected: The manager with all rights, and with the least rights.
        svc, weak: A stopped service with all rights, and with READ_CONTROL only.
        running: A running service.
        desk, station: A separate desktop, and the window station of the process.
    """

    def __init__(self, module: ModuleType, program: str) -> None:
        self.m: Any = module
        self.prefix = f"winsvc-{os.getpid()}-{'r' if module is theirs else 'o'}-"
        self.program = program
        self.stack = contextlib.ExitStack()
        self.removed = set[str]()  # listed until their processes have ended
        m = self.m
        self.scm = m.OpenSCManager(None, None, m.SC_MANAGER_ALL_ACCESS)
        self.connected = m.OpenSCManager(None, None, m.SC_MANAGER_CONNECT)
        self.svc = self.create("svc")
        self.weak = m.OpenService(self.scm, self.name("svc"), 0x20000)  # READ_CONTROL
        rights = theirs.SC_MANAGER_CONNECT | theirs.SC_MANAGER_ENUMERATE_SERVICE
        self._manager = theirs.OpenSCManager(None, None, rights)
        change = theirs.SERVICE_CHANGE_CONFIG
        self._own = theirs.OpenService(self._manager, self.name("svc"), change)
        self.running = self.create("running")
        m.StartService(self.running, None)
        self.station = m.GetProcessWindowStation()
        self.desk = m.CreateDesktop(self.name("desk"), 0, 0x1FF, None)
        self.cases = contextlib.ExitStack()  # the objects that a case has created
        self.reset()

    def name(self, part: str) -> str:
        return self.prefix + part

    def create(self, part: str, **changes: Any) -> Any:
        """Create a service, which is deleted at the end."""
        m = self.m
        arguments: dict[str, Any] = {
            "name": self.name(part),
            "displayName": self.name(part) + " shown",
            "desiredAccess": m.SERVICE_ALL_ACCESS,
            "serviceType": m.SERVICE_WIN32_OWN_PROCESS,
            "startType": m.SERVICE_DEMAND_START,
            "errorControl": m.SERVICE_ERROR_NORMAL,
            "binaryFile": self.program,
            "loadOrderGroup": None,
            "bFetchTag": 0,
            "serviceDeps": None,
            "acctName": None,
            "password": None,
            **changes,
        }
        created = m.CreateService(self.scm, *arguments.values())
        self.removed.discard(arguments["name"])
        self.remove_later(created[0] if isinstance(created, tuple) else created, arguments["name"])
        return created

    def remove_later(self, service: Any, name: str = "") -> None:
        def remove() -> None:
            self.removed.add(name)
            with contextlib.suppress(self.m.error):
                self.m.ControlService(service, self.m.SERVICE_CONTROL_STOP)
            with contextlib.suppress(self.m.error):
                self.m.DeleteService(service)
            self.m.CloseServiceHandle(service)

        stack = self.cases if hasattr(self, "cases") else self.stack
        stack.callback(remove)

    def fresh(self, **changes: Any) -> Any:
        """Create a service for the current case."""
        return self.create(f"fresh-{next(_numbers)}", **changes)

    def mine(self, rows: Any) -> Any:
        """Return the rows of this world's services, by name, with True for a process id."""
        if isinstance(rows, tuple):
            return tuple(sorted(row for row in rows if self.has(row[0])))
        own = [row for row in rows if self.has(row["ServiceName"])]
        return [
            {**row, "ProcessId": row["ProcessId"] > 0}
            for row in sorted(own, key=lambda row: row["ServiceName"])
        ]

    def has(self, name: str) -> bool:
        return name.startswith(self.prefix) and name not in self.removed

    def registry(self, part: str, value: str) -> object:
        """Read a value of a service's registry key."""
        path = rf"SYSTEM\CurrentControlSet\Services\{self.name(part)}"
        key = win32api.RegOpenKeyEx(win32con.HKEY_LOCAL_MACHINE, path, 0, win32con.KEY_READ)
        try:
            return win32api.RegQueryValueEx(key, value)
        except self.m.error as failed:
            return failed.args
        finally:
            key.Close()

    def reset(self) -> None:
        """Restore the configuration of the stopped service; wait until deleted ones are removed."""
        types = theirs.SERVICE_WIN32_OWN_PROCESS, theirs.SERVICE_DEMAND_START
        shown = self.name("svc") + " shown"
        theirs.ChangeServiceConfig(
            *(self._own, *types, theirs.SERVICE_ERROR_NORMAL),
            *(self.program, "", 0, [], "LocalSystem", "", shown),
        )
        theirs.ChangeServiceConfig2(self._own, theirs.SERVICE_CONFIG_DESCRIPTION, "")
        theirs.ChangeServiceConfig2(self._own, theirs.SERVICE_CONFIG_PRESHUTDOWN_INFO, 180000)
        deadline = time.monotonic() + 20
        while any("fresh-" in row["ServiceName"] for row in self._services()):
            assert time.monotonic() < deadline, "a deleted service still exists"

    def _services(self) -> Any:
        return self.mine(theirs.EnumServicesStatusEx(self._manager))

    def end(self) -> None:
        self.desk.Detach() if self.m is theirs else self.desk.CloseDesktop()
        self.station.Detach()
        theirs.CloseServiceHandle(self._own)
        theirs.CloseServiceHandle(self._manager)
        self.stack.close()


# ----------------------------------------------------------------------------------- outcomes

# Messages of the interpreter, or of pywin32's argument parser.
_OF_THE_INTERPRETER = re.compile(
    r"positional|takes|argument|cannot be interpreted as an integer|an integer is required"
    r"|operand|unsupported|has no |must be |not supported between|attribute|iterable|property"
    r"|pickle|copy|too large to convert"
)


def normal(value: Any, world: World) -> object:
    """Convert a value to a comparable form, without values of handles and names of worlds."""
    if isinstance(value, str):
        text = re.sub(r"fresh-\d+", "fresh", value.replace(world.prefix, "<>"))
        return "str", text
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return kind, [normal(item, world) for item in value]
    if isinstance(value, dict):
        return "dict", [(key, normal(item, world)) for key, item in value.items()]
    kind = type(value).__name__
    if kind in ("PyHANDLE", "PySC_HANDLE", "PyHDESK", "PyHWINSTA", "WindowHandle"):
        if kind == "PyHANDLE":
            kind = repr(value)[1:].partition(":")[0]
        return "window" if kind in ("PyHANDLE", "WindowHandle") else kind, bool(value)
    if kind == "PySECURITY_DESCRIPTOR":
        return kind, bytes(value)
    return kind, value


def outcome(case: Do, world: World) -> object:
    """Return the result of a case, or its exception."""
    world.cases = contextlib.ExitStack()
    with world.cases:
        try:
            return normal(case(world), world)
        except world.m.error as failed:
            assert failed.args == (failed.winerror, failed.funcname, failed.strerror)
            assert type(failed) is pywintypes.error
            return "error", failed.args
        except Exception as failed:
            text = str(failed).replace(world.prefix, "<>")
            return type(failed).__name__, "…" if _OF_THE_INTERPRETER.search(text) else text


@dataclass(frozen=True)
class Case:
    """A function, and for a difference its name and winsvc's result."""

    what: str
    do: Do
    differs: str | None = None
    gives: object = None  # the type of the exception, or a check of the outcome
    run_theirs: bool = True  # False if pywin32 crashes, or closes handles of others


CASES: list[Case] = []


def case(what: str, do: Do) -> None:
    CASES.append(Case(what, do))


def differs(name: str, what: str, do: Do, gives: object, *, run_theirs: bool = True) -> None:
    assert name in DROPIN_DIFFERENCES
    CASES.append(Case(what, do, name, gives, run_theirs))
