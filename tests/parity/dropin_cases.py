"""Valid and invalid calls for both win32service modules."""

from __future__ import annotations

import os
import pickle
import re
import threading
import time
from collections.abc import Callable
from typing import Any

import pywintypes
import win32event
import win32security
from differences import on_wine
from parity.dropin_world import CASES, Do, World, case, differs

__all__ = ["ACTIONS", "CASES", "FLAGS", "GOOD", "HANDLES", "call"]

BIG = 1 << 40

# The variables of the loops below.
_arguments: Any
_changes: Any
_info: Any
_infos: Any
_names: Any
_status: Any
_value: Any
_values: Any
_attributes: Any
_descriptor: Any
_flags: Any

# ----------------------------------------------------------------------------------- every function

# Good arguments of every function, which most cases change in one place.
GOOD: dict[str, Callable[[World], tuple[Any, ...]]] = {
    "OpenSCManager": lambda w: (None, None, 1),
    "OpenService": lambda w: (w.scm, w.name("svc"), 4),
    "CloseServiceHandle": lambda w: (w.m.OpenService(w.scm, w.name("svc"), 4),),
    "EnumServicesStatus": lambda w: (w.scm, 0x30, 3),
    "EnumServicesStatusEx": lambda w: (w.scm, 0x30, 3, None, 0),
    "EnumDependentServices": lambda w: (w.svc, 3),
    "QueryServiceConfig": lambda w: (w.svc,),
    "StartService": lambda w: (w.running, None),
    "QueryServiceStatus": lambda w: (w.svc,),
    "QueryServiceStatusEx": lambda w: (w.svc,),
    "QueryServiceObjectSecurity": lambda w: (w.svc, 4),
    "SetServiceObjectSecurity": lambda w: (w.svc, 4, win32security.SECURITY_DESCRIPTOR()),
    "GetServiceKeyName": lambda w: (w.scm, w.name("svc") + " shown"),
    "GetServiceDisplayName": lambda w: (w.scm, w.name("svc")),
    "ControlService": lambda w: (w.running, 4),
    "DeleteService": lambda w: (w.fresh(),),
    "LockServiceDatabase": lambda w: (w.scm,),
    "UnlockServiceDatabase": lambda w: (w.m.LockServiceDatabase(w.scm),),
    "ChangeServiceConfig2": lambda w: (w.svc, 1, "told"),
    "QueryServiceConfig2": lambda w: (w.svc, 1),
    "SetServiceStatus": lambda w: (w.scm, (16, 4, 0, 0, 0, 0, 0)),
    "CreateService": lambda w: (
        *(w.scm, w.name("made"), "shown", 0xF01FF, 16, 3, 1, w.program),
        *(None, 0, None, None, None),
    ),
    "ChangeServiceConfig": lambda w: (
        *(w.svc, -1, -1, -1, None, None),
        *(0, None, None, None, None),
    ),
    "QueryServiceLockStatus": lambda w: (w.scm,),
    "GetThreadDesktop": lambda w: (threading.get_native_id(),),
    "EnumWindowStations": lambda w: (),
    "GetUserObjectInformation": lambda w: (w.desk, 2),
    "SetUserObjectInformation": lambda w: (w.desk, {"Inherit": 0, "Reserved": 0, "Flags": 0}, 1),
    "OpenWindowStation": lambda w: ("WinSta0", False, 0x37F),
    "OpenDesktop": lambda w: (w.name("desk"), 0, False, 0x1FF),
    "CreateDesktop": lambda w: (w.name("desk"), 0, 0x1FF, None),
    "OpenInputDesktop": lambda w: (0, False, 0x1FF),
    "GetProcessWindowStation": lambda w: (),
    "CreateWindowStation": lambda w: (None, 0, 0x37F, None),
}

# pywin32 raises the error of whatever failed last.
STALE = {"QueryServiceLockStatus"}


def call(world: World, function: str, arguments: tuple[Any, ...]) -> object:
    result = getattr(world.m, function)(*arguments)
    if function in ("GetThreadDesktop", "GetProcessWindowStation"):
        known = type(result).__name__, bool(result)
        result.Detach()  # otherwise pywin32 closes a borrowed handle
        return known
    if function == "CreateService":
        world.remove_later(result[0] if isinstance(result, tuple) else result, str(arguments[1]))
    return world.mine(result) if function.startswith("EnumServices") else result


def with_argument(function: str, place: int, value: object) -> Do:
    def do(world: World) -> object:
        arguments = list(GOOD[function](world))
        arguments[place] = value(world) if callable(value) else value
        return call(world, function, tuple(arguments))

    return do


def bare(function: str, change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Callable[..., Any]:
    return lambda w: call(w, function, change(GOOD[function](w)))


for _function in GOOD:
    if _function not in STALE:
        case(f"{_function}: good", bare(_function, lambda good: good))
    case(f"{_function}: one argument too many", bare(_function, lambda good: (*good, 0, 0, 0)))
    if _function not in ("EnumWindowStations", "GetProcessWindowStation"):
        case(f"{_function}: none", bare(_function, lambda good: ()))
    if len(GOOD[_function].__code__.co_consts) and _function not in (
        *("EnumServicesStatus", "EnumServicesStatusEx", "EnumDependentServices"),
        *("SetUserObjectInformation", "EnumWindowStations", "GetProcessWindowStation"),
    ):
        case(f"{_function}: one too few", bare(_function, lambda good: good[:-1]))

# Where a handle goes, and what else is in it.
HANDLES = [
    *("OpenService", "CloseServiceHandle", "EnumServicesStatus", "EnumServicesStatusEx"),
    *("EnumDependentServices", "QueryServiceConfig", "StartService", "QueryServiceStatus"),
    *("QueryServiceStatusEx", "QueryServiceObjectSecurity", "SetServiceObjectSecurity"),
    *("GetServiceKeyName", "GetServiceDisplayName", "ControlService", "DeleteService"),
    *("LockServiceDatabase", "ChangeServiceConfig2", "QueryServiceConfig2", "SetServiceStatus"),
    *("CreateService", "ChangeServiceConfig", "GetUserObjectInformation"),
    *("SetUserObjectInformation",),
]
for _function in HANDLES:
    if _function not in ("SetUserObjectInformation",):
        case(f"{_function}: no handle", with_argument(_function, 0, None))
        case(f"{_function}: handle 0", with_argument(_function, 0, 0))
    case(f"{_function}: an object as handle", with_argument(_function, 0, lambda w: object()))
    case(f"{_function}: a list as handle", with_argument(_function, 0, lambda w: [1]))
    case(f"{_function}: a handle of 65 bits", with_argument(_function, 0, 1 << 64))
    differs(
        "handle-texts",
        f"{_function}: a text as handle",
        with_argument(_function, 0, "0"),
        "TypeError",
        run_theirs=_function not in ("SetUserObjectInformation", "CloseServiceHandle"),
    )
    differs(
        "handle-kinds",
        f"{_function}: another kind of handle",
        with_argument(
            _function,
            0,
            lambda w, user_object="UserObject" in _function: w.svc if user_object else w.desk,
        ),
        "TypeError",
        run_theirs=False,
    )


class Number:
    """An object with ``__int__``."""

    def __init__(self, handle: object) -> None:
        self.handle = handle

    def __int__(self) -> int:
        return int(self.handle)  # type: ignore[call-overload,no-any-return]


class Index(Number):
    """An object with ``__index__``."""

    __index__ = Number.__int__


for _function in ("QueryServiceStatus", "QueryServiceConfig", "QueryServiceConfig2"):
    case(f"{_function}: an int", with_argument(_function, 0, lambda w: int(w.svc)))
    case(f"{_function}: __int__", with_argument(_function, 0, lambda w: Number(w.svc)))
    case(f"{_function}: __index__", with_argument(_function, 0, lambda w: Index(w.svc)))
    case(f"{_function}: the manager", with_argument(_function, 0, lambda w: w.scm))
    case(f"{_function}: without the right", with_argument(_function, 0, lambda w: w.weak))
    case(
        f"{_function}: an empty PyHANDLE",
        with_argument(_function, 0, lambda w: pywintypes.HANDLE()),
    )
for _function in ("StartService", "ControlService", "DeleteService", "ChangeServiceConfig"):
    case(f"{_function}: without the right", with_argument(_function, 0, lambda w: w.weak))
for _function in ("EnumServicesStatus", "EnumServicesStatusEx", "CreateService"):
    case(f"{_function}: without the right", with_argument(_function, 0, lambda w: w.connected))
    case(f"{_function}: a service", with_argument(_function, 0, lambda w: w.svc))
for _function in ("GetServiceKeyName", "GetServiceDisplayName", "OpenService"):
    case(f"{_function}: a service", with_argument(_function, 0, lambda w: w.svc))

# Where a text goes: the function, the place, whether None may be there.
TEXTS = [
    ("OpenSCManager", 0, True),
    ("OpenSCManager", 1, True),
    ("OpenService", 1, False),
    ("GetServiceKeyName", 1, False),
    ("GetServiceDisplayName", 1, False),
    ("CreateService", 1, False),
    ("CreateService", 2, False),
    ("CreateService", 7, False),
    ("CreateService", 8, True),
    ("CreateService", 11, True),
    ("CreateService", 12, True),
    ("ChangeServiceConfig", 4, True),
    ("ChangeServiceConfig", 5, True),
    ("ChangeServiceConfig", 8, True),
    ("ChangeServiceConfig", 9, True),
    ("ChangeServiceConfig", 10, True),
    ("ChangeServiceConfig2", 2, True),
    ("EnumServicesStatusEx", 3, True),
    ("OpenWindowStation", 0, False),
    ("CreateWindowStation", 0, True),
    ("OpenDesktop", 0, False),
    ("CreateDesktop", 0, False),
]
for _function, _place, _may_be_none in TEXTS:
    _what = f"{_function}: text {_place}"
    case(f"{_what} is bytes", with_argument(_function, _place, b"bytes"))
    case(f"{_what} is an int", with_argument(_function, _place, 5))
    if not _may_be_none:
        case(f"{_what} is None", with_argument(_function, _place, None))
    differs(
        "embedded-nul",
        f"{_what} has a NUL",
        with_argument(_function, _place, "WinSta0\0x"),
        "ValueError",
        run_theirs=False,
    )

# Where a number goes.
NUMBERS = [
    *(("OpenSCManager", 2), ("OpenService", 2), ("EnumServicesStatus", 1)),
    *(("EnumServicesStatus", 2), ("EnumServicesStatusEx", 1), ("EnumServicesStatusEx", 2)),
    *(("EnumDependentServices", 1), ("QueryServiceObjectSecurity", 1), ("ControlService", 1)),
    *(("SetServiceObjectSecurity", 1), ("ChangeServiceConfig2", 1), ("QueryServiceConfig2", 1)),
    *(("CreateService", 3), ("CreateService", 4), ("CreateService", 5), ("CreateService", 6)),
    *(("CreateService", 9), ("ChangeServiceConfig", 1), ("ChangeServiceConfig", 2)),
    *(("ChangeServiceConfig", 3), ("ChangeServiceConfig", 6), ("GetThreadDesktop", 0)),
    *(("GetUserObjectInformation", 1), ("SetUserObjectInformation", 2), ("OpenDesktop", 1)),
    *(("OpenDesktop", 2), ("OpenDesktop", 3), ("OpenWindowStation", 1), ("OpenWindowStation", 2)),
    *(("CreateDesktop", 1), ("CreateDesktop", 2), ("OpenInputDesktop", 0), ("OpenInputDesktop", 1)),
    *(("OpenInputDesktop", 2), ("CreateWindowStation", 1), ("CreateWindowStation", 2)),
]
for _function, _place in NUMBERS:
    _what = f"{_function}: number {_place}"
    case(f"{_what} is None", with_argument(_function, _place, None))
    case(f"{_what} is a text", with_argument(_function, _place, "1"))
    case(f"{_what} is a float", with_argument(_function, _place, 1.0))

# Masks that pywin32's parser takes for too large, and those that it cuts off.
for _function, _place in [
    *(("OpenSCManager", 2), ("OpenService", 2), ("QueryServiceObjectSecurity", 1)),
    *(("OpenDesktop", 3), ("OpenWindowStation", 2), ("CreateDesktop", 2)),
]:
    differs(
        "number-ranges",
        f"{_function}: number {_place} is 0x80000000",
        with_argument(_function, _place, 0x80000000),
        lambda result: result[0] != "OverflowError",
    )
for _function, _place in [("ControlService", 1), ("ChangeServiceConfig", 2), ("CreateService", 5)]:
    differs(
        "number-ranges",
        f"{_function}: number {_place} has 41 bits",
        with_argument(_function, _place, BIG + 7),
        "OverflowError",
    )
for _function, _place in [("OpenSCManager", 2), ("OpenService", 2), ("CreateDesktop", 1)]:
    case(f"{_function}: number {_place} has 41 bits", with_argument(_function, _place, BIG))
    case(f"{_function}: number {_place} is -2^31", with_argument(_function, _place, -(1 << 31)))
    case(
        f"{_function}: number {_place} is __index__",
        with_argument(_function, _place, lambda w: Index(4)),
    )

for _function, _names in {
    "OpenSCManager": ("machineName", "dbName", "desiredAccess"),
    "OpenService": ("scHandle", "name", "desiredAccess"),
    "EnumServicesStatusEx": (
        *("SCManager", "ServiceType", "ServiceState"),
        *("GroupName", "InfoLevel"),
    ),
    "QueryServiceStatus": ("hService",),
    "StartService": ("hService", "args"),
    "CreateDesktop": ("Desktop", "Flags", "DesiredAccess", "SecurityAttributes"),
    "GetUserObjectInformation": ("Handle", "type"),
}.items():

    def _by_name(world: World, function: str = _function, names: Any = _names) -> object:
        arguments = dict(zip(names, GOOD[function](world), strict=True))
        return (
            world.mine(found)
            if isinstance(found := getattr(world.m, function)(**arguments), list)
            else found
        )

    differs(
        "keywords",
        f"{_function}: by keywords",
        _by_name,
        lambda result: result[0] != "TypeError",
    )

# ----------------------------------------------------------------------------------- opening

for _database in ("ServicesActive", "ServicesFailed", "none", ""):
    case(
        f"OpenSCManager: database {_database!r}",
        lambda w, database=_database: w.m.OpenSCManager(None, database, 1),
    )
for _machine in ("", ".", "localhost"):
    case(
        f"OpenSCManager: machine {_machine!r}",
        lambda w, machine=_machine: w.m.OpenSCManager(machine, None, 1),
    )
for _name in ("", "a/b", "a\\b", "no such", "x" * 300, "\u00e4\u4f60", "\ud800"):
    case(f"OpenService: {_name[:9]!a}", lambda w, name=_name: w.m.OpenService(w.scm, name, 4))
case("OpenService: capitals", lambda w: w.m.OpenService(w.scm, w.name("SVC").upper(), 4))
case("OpenService: display name", lambda w: w.m.OpenService(w.scm, w.name("svc") + " shown", 4))
case("OpenService: int of the manager", lambda w: w.m.OpenService(int(w.scm), w.name("svc"), 4))
case("CloseServiceHandle: twice", lambda w: _close_twice(w))
case("CloseServiceHandle: an empty PyHANDLE", lambda w: w.m.CloseServiceHandle(pywintypes.HANDLE()))
case("CloseServiceHandle: a key", lambda w: w.m.CloseServiceHandle(pywintypes.HKEY()))
case("CloseServiceHandle: an event", lambda w: w.m.CloseServiceHandle(_event()))
case("a service outlives its manager", lambda w: _outlives(w))


def _event() -> object:
    return win32event.CreateEvent(None, False, False, None)


def _close_twice(world: World) -> object:
    handle = world.m.OpenService(world.scm, world.name("svc"), 4)
    return world.m.CloseServiceHandle(handle), world.m.CloseServiceHandle(handle), handle


def _outlives(world: World) -> object:
    manager = world.m.OpenSCManager(None, None, 1)
    service = world.m.OpenService(manager, world.name("svc"), 4)
    manager.Close()
    return world.m.QueryServiceStatus(service)


# ----------------------------------------------------------------------------------- handles


def _handle(world: World) -> Any:
    return world.m.OpenService(world.scm, world.name("svc"), 4)


def _closed(world: World) -> Any:
    handle = _handle(world)
    handle.Close()
    return handle


case("handle: repr", lambda w: re.sub(r"\d+", "N", repr(w.svc)))
case("handle: str", lambda w: re.sub(r"\d+", "N", str(w.svc)))
case("handle: closed repr", lambda w: repr(_closed(w)))
case("handle: its number", lambda w: w.svc.handle == int(w.svc))
case("handle: equals its number", lambda w: (w.svc == int(w.svc), w.svc != int(w.svc)))
case("handle: equals no text", lambda w: (w.svc == "x", w.svc is None, w.svc == 1.5))
case("handle: two", lambda w: (w.svc == w.scm, w.svc != w.scm, w.svc == w.svc))
case("handle: a truth value", lambda w: (bool(w.svc), bool(_closed(w))))
case("handle: Close", lambda w: _handle(w).Close())
case("handle: close", lambda w: _handle(w).close())
case("handle: Close twice", lambda w: _closed(w).Close())
case("handle: closed has 0", lambda w: (int(_closed(w)), _closed(w).handle))
case("handle: Detach of a closed one", lambda w: _closed(w).Detach())
case("handle: Detach", lambda w: _detached(w))
case("handle: closed in a call", lambda w: w.m.QueryServiceStatus(_closed(w)))
case("handle: closed manager", lambda w: w.m.OpenService(_closed(w), "x", 4))
case("handle: its number cannot be set", lambda w: setattr(w.svc, "handle", 5))
case("handle: no attributes of others", lambda w: setattr(w.svc, "other", 5))
case("handle: no __index__", lambda w: hex(w.svc))
case("handle: no length", lambda w: len(w.svc))
case("handle: no order", lambda w: w.svc < w.scm)
case("handle: no pickle", lambda w: pickle.dumps(w.svc))
for _what, _operation in {
    "+": lambda h: h + 1,
    "-": lambda h: h - 1,
    "*": lambda h: h * 2,
    "&": lambda h: h & 1,
    "|": lambda h: h | 1,
    "~": lambda h: ~h,
    "**": lambda h: h**2,
    "abs": abs,
    "float": float,
    "divmod": lambda h: divmod(h, 2),
}.items():
    case(f"handle: {_what}", lambda w, operation=_operation: operation(w.svc))
    if _what != "float":
        case(f"desktop: {_what}", lambda w, operation=_operation: operation(w.desk))
differs(
    "handle-type",
    "handle: isinstance",
    lambda w: isinstance(w.svc, pywintypes.HANDLEType),
    lambda result: result == ("bool", False),
)


def _detached(world: World) -> object:
    handle = _handle(world)
    number = handle.Detach()
    seen = type(number).__name__, handle.Detach(), int(handle), bool(handle)
    world.m.CloseServiceHandle(number)
    return seen


# ----------------------------------------------------------------------------------- making

for _what, _changes in {
    "a group": {"loadOrderGroup": "winsvc group"},
    "an empty group": {"loadOrderGroup": ""},
    "dependencies": {"serviceDeps": ["RpcSs", "+grp", "EventLog"]},
    "dependencies as a tuple": {"serviceDeps": ("RpcSs",)},
    "no dependencies": {"serviceDeps": []},
    "an account": {"acctName": r".\nobody", "password": "secret"},
    "an empty password": {"acctName": "LocalSystem", "password": ""},
    "a shared process": {"serviceType": 0x20},
    "interactive": {"serviceType": 0x110},
    "a driver": {"serviceType": 1, "binaryFile": r"C:\none.sys"},
    "a bad type": {"serviceType": 0x40},
    "a bad start type": {"startType": 9},
    "boot start": {"startType": 0},
    "automatic": {"startType": 2},
    "disabled": {"startType": 4},
    "no path": {"binaryFile": ""},
    "no display name": {"displayName": ""},
    "least rights": {"desiredAccess": 0x10000},
    "a bad name": {"name": "a/b"},
    "an empty name": {"name": ""},
    "a name of 256": {"name": "n" * 256},
    "a name of 257": {"name": "n" * 257},
    "a tag that is None": {"bFetchTag": None},
    "dependencies with an int": {"serviceDeps": ["a", 1]},
    "dependencies with None": {"serviceDeps": [None]},
    "dependencies that are an int": {"serviceDeps": 5},
    "dependencies as bytes": {"serviceDeps": b"ab"},
}.items():
    case(f"CreateService: {_what}", lambda w, c=_changes: w.create(f"made-{os.getpid()}", **c))
    if "name" not in _changes and "account" not in _what:
        case(
            f"CreateService and QueryServiceConfig: {_what}",
            lambda w, c=_changes: w.m.QueryServiceConfig(w.fresh(**c)),
        )
for _value in ("DependOnService", "DependOnGroup"):
    case(
        f"CreateService: {_value} is stored",
        lambda w, value=_value: (
            w.create("deps", serviceDeps=iter(["RpcSs", "+grp", "b c", "\u00e4"])),
            w.registry("deps", value),
        ),
    )
case("CreateService: exists", lambda w: w.create("svc"))
case(
    "CreateService: display name is taken", lambda w: w.fresh(displayName=w.name("svc") + " shown")
)
case("CreateService: being deleted", lambda w: _being_deleted(w))
case("DeleteService: twice", lambda w: _delete_twice(w))
differs(
    "initial-tag",
    "CreateService: a tag",
    lambda w: w.fresh(loadOrderGroup="winsvc group", bFetchTag=1),
    lambda result: result[0] == "tuple" and result[1][1][0] == "int",
    run_theirs=False,
)
for _deps in ("abc", "RpcSs"):
    differs(
        "list-elements",
        f"CreateService: dependencies {_deps!r}",
        lambda w, deps=_deps: w.fresh(serviceDeps=deps),
        "TypeError",
    )
differs(
    "list-elements",
    "CreateService: an empty dependency",
    lambda w: w.fresh(serviceDeps=["RpcSs", "", "EventLog"]),
    "ValueError",
)
differs(
    "embedded-nul",
    "CreateService: a dependency with a NUL",
    lambda w: w.fresh(serviceDeps=["RpcSs\0x"]),
    "ValueError",
)


def _being_deleted(world: World) -> object:
    service = world.create("gone")
    world.m.DeleteService(service)
    return world.create("gone")


def _delete_twice(world: World) -> object:
    service = world.fresh()
    world.m.DeleteService(service)
    return world.m.QueryServiceStatus(service), world.m.DeleteService(service)


# ----------------------------------------------------------------------------------- changing


def changed(world: World, place: int, value: object) -> object:
    """Return the result of ChangeServiceConfig, and the configuration afterwards."""
    service = world.fresh(loadOrderGroup="before")
    arguments = [service, -1, -1, -1, None, None, 0, None, None, None, None]
    arguments[place] = value
    return world.m.ChangeServiceConfig(*arguments), world.m.QueryServiceConfig(service)


for _place, _values in {
    1: (0x20, 0x110, 0xFFFFFFFF, 0x40),
    2: (2, 4, 9, 0),
    3: (0, 2, 3),
    4: (r'"C:\a b.exe" -x', ""),
    5: ("other", ""),
    6: (False,),
    7: ([], ["RpcSs"], ("+grp", "a"), 5, [1], None),
    8: ("LocalSystem", r".\nobody", ""),
    9: ("secret", ""),
    10: ("\u00e4\u4f60 shown", "", "x" * 300),
}.items():
    for _value in _values:
        case(
            f"ChangeServiceConfig: {_place} is {_value!a:.20}",
            lambda w, place=_place, value=_value: changed(w, place, value),
        )
case(
    "ChangeServiceConfig: display name is taken", lambda w: changed(w, 10, w.name("svc") + " shown")
)
differs("list-elements", "ChangeServiceConfig: letters", lambda w: changed(w, 7, "ab"), "TypeError")
differs(
    "initial-tag",
    "ChangeServiceConfig: a tag",
    lambda w: changed(w, 6, True)[0],  # type: ignore[index]
    lambda result: result[0] == "int",
    run_theirs=False,
)

# ----------------------------------------------------------------------------------- by level

ACTIONS: dict[str, Any] = {
    "ResetPeriod": 60,
    "RebootMsg": "m",
    "Command": "c",
    "Actions": ((1, 5),),
}


def leveled(world: World, level: int, info: object) -> object:
    """Return the result of ChangeServiceConfig2, and of a query afterwards."""
    service = world.fresh()
    given = world.m.ChangeServiceConfig2(service, level, info)
    try:
        return given, world.m.QueryServiceConfig2(service, level)
    except world.m.error as failed:
        return given, failed.args


for _level, _infos in {
    1: ("text", "", None, "\u00e4\u4f60 \U0001f600", 5, b"x"),
    2: (
        ACTIONS,
        {**ACTIONS, "Actions": None},
        {**ACTIONS, "Actions": ()},
        {**ACTIONS, "Actions": [(1, 5), (0, 0)]},
        {**ACTIONS, "RebootMsg": None, "Command": ""},
        {**ACTIONS, "ResetPeriod": -1},
        {**ACTIONS, "Actions": [[1, 5]]},
        {**ACTIONS, "Actions": [(1, 5, 6)]},
        {**ACTIONS, "Actions": [(1, "x")]},
        {**ACTIONS, "Actions": 5},
        {**ACTIONS, "ResetPeriod": "x"},
        {**ACTIONS, "ResetPeriod": None},
        {**ACTIONS, "RebootMsg": 5},
        {**ACTIONS, "More": 1},
        {key: ACTIONS[key] for key in ("ResetPeriod", "Actions")},
        {},
        None,
        (60, "m", "c", ()),
    ),
    3: (True, False, 1, None, "x"),
    4: (True, 0),
    5: (1, 3, "x", None),
    6: (["SeDebugPrivilege"], [], 5, [1]),
    7: (5000, 0, 0xFFFFFFFF, "x", None, 1.5, BIG),
    99: ("x",),
    0: ("x",),
    -1: ("x",),
}.items():
    for _number, _info in enumerate(_infos):
        case(
            f"ChangeServiceConfig2: level {_level}, {_number}",
            lambda w, level=_level, info=_info: leveled(w, level, info),
        )
for _level in (1, 2, 3, 4, 5, 6, 7, 10, 99, 0, -1):
    case(
        f"QueryServiceConfig2: level {_level}",
        lambda w, level=_level: w.m.QueryServiceConfig2(w.fresh(), level),
    )
    case(
        f"QueryServiceConfig2: level {_level} without the right",
        lambda w, level=_level: w.m.QueryServiceConfig2(w.weak, level),
    )
for _level, _info in {8: (), 9: {"PreferredNode": 0, "Delete": True}, 12: 0}.items():
    differs(
        "levels",
        f"ChangeServiceConfig2: level {_level}",
        lambda w, level=_level, info=_info: leveled(w, level, info),
        lambda result: result[0] in ("error", "tuple"),  # Wine has none of them
    )
differs(
    "delays",
    "ChangeServiceConfig2: a long delay",
    lambda w: leveled(w, 2, {**ACTIONS, "Actions": [(1, 0x80000000)]}),
    lambda result: result[0] == "tuple",
)
differs(
    "number-ranges",
    "ChangeServiceConfig2: a negative time",
    lambda w: leveled(w, 7, -1),
    lambda result: result == ("tuple", [("NoneType", None), ("int", 0xFFFFFFFF)]),
)
differs(
    "privileges-null",
    "ChangeServiceConfig2: privileges are None",
    lambda w: leveled(w, 6, None),
    lambda result: result[0] in ("error", "tuple"),  # Wine does not have the level
    run_theirs=False,
)
for _name, _info, _gives in [
    ("list-elements", "SeDebugPrivilege", "TypeError"),
    ("list-elements", ["a", ""], "ValueError"),
]:
    differs(
        _name,
        f"ChangeServiceConfig2: privileges {_info!r}",
        lambda w, info=_info: leveled(w, 6, info),
        _gives,
    )


class Undecided:
    """An object without a truth value."""

    def __bool__(self) -> bool:
        raise ZeroDivisionError


differs(
    "system-errors",
    "ChangeServiceConfig2: no truth value",
    lambda w: leveled(w, 3, Undecided()),
    "ZeroDivisionError",
)

# ----------------------------------------------------------------------------------- listing

for _state in (1, 2, 3):
    case(
        f"EnumServicesStatus: state {_state}",
        lambda w, state=_state: w.mine(w.m.EnumServicesStatus(w.scm, 0x30, state)),
    )
    case(
        f"EnumServicesStatusEx: state {_state}",
        lambda w, state=_state: w.m.EnumServicesStatusEx(w.scm, 0x30, state)[:2],
    )
    case(
        f"EnumDependentServices: state {_state}",
        lambda w, state=_state: w.m.EnumDependentServices(w.svc, state),
    )
case("EnumServicesStatus: by default", lambda w: w.mine(w.m.EnumServicesStatus(w.scm)))
case("EnumServicesStatusEx: by default", lambda w: w.mine(w.m.EnumServicesStatusEx(w.scm)))
case("EnumDependentServices: by default", lambda w: w.m.EnumDependentServices(w.svc))
case("EnumServicesStatus: drivers", lambda w: w.m.EnumServicesStatus(w.scm, 0xB))
case("EnumServicesStatusEx: drivers", lambda w: w.m.EnumServicesStatusEx(w.scm, 0xB))
case("EnumServicesStatusEx: no match", lambda w: w.m.EnumServicesStatusEx(w.scm, 4))
case("EnumServicesStatusEx: type 0", lambda w: w.m.EnumServicesStatusEx(w.scm, 0))
case("EnumServicesStatusEx: state 0", lambda w: w.m.EnumServicesStatusEx(w.scm, 0x30, 0))
case("EnumServicesStatus: type 0", lambda w: w.m.EnumServicesStatus(w.scm, 0))
case("EnumServicesStatusEx: a group", lambda w: _grouped(w, "winsvc group"))
case("EnumServicesStatusEx: no group", lambda w: _grouped(w, ""))
case("EnumServicesStatusEx: unknown group", lambda w: _grouped(w, "no such"))
case(
    "EnumServicesStatusEx: level 1",
    lambda w: w.m.EnumServicesStatusEx(w.scm, 0x30, 3, None, 1),
)
case(
    "EnumServicesStatusEx: the order of C",
    lambda w: w.m.EnumServicesStatusEx(w.scm, 0x30, 3, 0, None),
)
differs(
    "no-match",
    "EnumServicesStatus: no match",
    lambda w: w.m.EnumServicesStatus(w.scm, 4),
    lambda result: result == ("tuple", []),
)


def _grouped(world: World, group: str) -> object:
    world.fresh(loadOrderGroup="winsvc group")
    return world.mine(world.m.EnumServicesStatusEx(world.scm, 0x30, 3, group))


for _function in ("GetServiceKeyName", "GetServiceDisplayName"):
    for _name in ("", "no such", "\u00e4", "x" * 300):
        case(
            f"{_function}: {_name[:9]!a}",
            lambda w, function=_function, name=_name: getattr(w.m, function)(w.scm, name),
        )
    case(
        f"{_function}: with the least right",
        with_argument(_function, 0, lambda w: w.connected),
    )
case(
    "GetServiceDisplayName: 255 characters",
    lambda w: _shown(w, ("\u00e4" * 255)[len(w.prefix) :]),
)
differs(
    "long-names",
    "GetServiceDisplayName: 256 characters",
    lambda w: _shown(w, ("\u00e4" * 256)[len(w.prefix) :]),
    lambda result: result[0] == "str",
)


def _shown(world: World, rest: str) -> object:
    shown = world.prefix + rest
    world.create("long", displayName=shown)
    found = world.m.GetServiceDisplayName(world.scm, world.name("long"))
    assert len(found) == len(shown)
    return found[len(world.prefix) :]


# ----------------------------------------------------------------------------------- control

case("ControlService: stopped", lambda w: w.m.ControlService(w.svc, 1))
for _code in (0, 2, 3, 4, 5, 6, 15, 127, 128, 200, 255, 256, -1):
    case(f"ControlService: {_code}", lambda w, code=_code: w.m.ControlService(w.running, code))
case("StartService: running", lambda w: w.m.StartService(w.running, None))
for _arguments in ([], ["a", "b c"], ("\u00e4",), iter(["x"]), [""]):
    case(
        f"StartService: {_arguments!a:.20}",
        lambda w, arguments=_arguments: _started(w, arguments),
    )
for _arguments in (5, [5], [None], b"ab"):
    case(
        f"StartService: {_arguments!a}",
        lambda w, arguments=_arguments: w.m.StartService(w.svc, arguments),
    )
differs("list-elements", "StartService: letters", lambda w: _started(w, "ab"), "TypeError")
case("StartService: disabled", lambda w: w.m.StartService(w.fresh(startType=4), None))
case(
    "StartService: no such program",
    lambda w: w.m.StartService(w.fresh(binaryFile=r"C:\none.exe"), None),
)
case("a whole life", lambda w: _life(w))


def _started(world: World, arguments: Any) -> object:
    service = world.fresh()
    given = world.m.StartService(service, arguments)
    status = world.m.QueryServiceStatusEx(service)
    running = status["ProcessId"] > 0
    return given, {**status, "ProcessId": running}


def _life(world: World) -> object:
    m, service = world.m, world.fresh()
    seen = [m.QueryServiceStatus(service)]
    m.StartService(service, ["x"])
    for code in (
        m.SERVICE_CONTROL_INTERROGATE,
        m.SERVICE_CONTROL_PAUSE,
        m.SERVICE_CONTROL_CONTINUE,
    ):
        try:
            seen.append(m.ControlService(service, code))
        except m.error as failed:
            seen.append(failed.args)
    given = m.ControlService(service, m.SERVICE_CONTROL_STOP)
    # The service may be stopping or stopped.
    assert given in ((16, 3, 0, 0, 0, 1, 1000), (16, 1, 0, 0, 0, 0, 0)), f"ends as {given}"
    deadline = time.monotonic() + 20
    while (last := m.QueryServiceStatus(service))[1] != m.SERVICE_STOPPED:
        assert time.monotonic() < deadline, f"still {last}"
    return [*seen, type(given).__name__, last]


def reported(world: World, status: Any) -> object:
    """Return the result of SetServiceStatus, and the status afterwards."""
    # Wine accepts a service handle with this right as a status handle.
    handle = world.m.OpenService(world.scm, world.name("svc"), 0xF01FF | 0x8000)
    given = world.m.SetServiceStatus(int(handle), status)
    now = world.m.QueryServiceStatus(handle)
    world.m.SetServiceStatus(int(handle), (16, 1, 0, 0, 0, 0, 0))
    return given, now, type(now)(world.m.QueryServiceStatus(handle))


for _status in (
    (16, 4, 1, 0, 0, 0, 0),
    (16, 1, 0, 1066, 77, 0, 0),
    (16, 1, 0, -2147024891, -1, 0, 0),
    (16, 2, 0, 0, 0, 5, 30000),
    (16, 99, 0, 0, 0, 0, 0),
    (16, 4),
    (16, 4, 1, 0, 0, 0, "x"),
    (16, 4, 1, 0, 0, 0, None),
    (16, 4, 1, 0, 0, 0, BIG),
    (),
):
    case(f"SetServiceStatus: {_status}", lambda w, status=_status: reported(w, status))
differs(
    "number-ranges",
    "SetServiceStatus: an HRESULT",
    lambda w: reported(w, (16, 1, 0, 0x80070005, 0, 0, 0)),
    # Windows does not accept a service handle here.
    lambda result: result[0] == "error" or result[1][1][1][3] == ("int", -2147024891),
)
for _status in ([16, 4, 1, 0, 0, 0, 0], None, 5):
    differs(
        "system-errors",
        f"SetServiceStatus: {_status}",
        lambda w, status=_status: reported(w, status),
        "TypeError",
    )
for _function in ("QueryServiceStatus", "QueryServiceStatusEx", "EnumServicesStatusEx"):

    def _negative(world: World, function: str = _function) -> object:
        handle = world.m.OpenService(world.scm, world.name("svc"), 0xF01FF | 0x8000)
        world.m.SetServiceStatus(handle, (16, 1, 0, -2147024891, -1, -2, -3))
        if function == "EnumServicesStatusEx":
            seen = world.mine(world.m.EnumServicesStatusEx(world.scm))
        else:
            seen = getattr(world.m, function)(handle)
        world.m.SetServiceStatus(handle, (16, 1, 0, 0, 0, 0, 0))
        return seen

    case(f"{_function}: high numbers", _negative)

# ----------------------------------------------------------------------------------- lock, security

case("LockServiceDatabase: its type", lambda w: type(w.m.LockServiceDatabase(w.scm)).__name__)
case("UnlockServiceDatabase: None", lambda w: w.m.UnlockServiceDatabase(None))
case("UnlockServiceDatabase: an object", lambda w: w.m.UnlockServiceDatabase(object()))
differs(
    "stale-error",
    "QueryServiceLockStatus",
    lambda w: w.m.QueryServiceLockStatus(w.scm),
    # Wine does not implement the function.
    lambda result: result[0] == "tuple" or result[1][:2] == (120, "QueryServiceLockStatus"),
    run_theirs=False,
)
case(
    "QueryServiceObjectSecurity: of the manager", lambda w: w.m.QueryServiceObjectSecurity(w.scm, 4)
)
case(
    "QueryServiceObjectSecurity: its methods",
    lambda w: w.m.QueryServiceObjectSecurity(w.svc, 4).GetSecurityDescriptorDacl().GetAceCount(),
)
for _descriptor in (None, b"x", 5, "D:"):
    case(
        f"SetServiceObjectSecurity: {_descriptor!r}",
        lambda w, descriptor=_descriptor: w.m.SetServiceObjectSecurity(w.svc, 4, descriptor),
    )
case(
    "SetServiceObjectSecurity: what was read",
    lambda w: w.m.SetServiceObjectSecurity(w.svc, 4, w.m.QueryServiceObjectSecurity(w.svc, 4)),
)

# ----------------------------------------------------------------------------------- desktops

case("EnumWindowStations", lambda w: "WinSta0" in w.m.EnumWindowStations())
case("station: EnumDesktops", lambda w: w.name("desk") in w.station.EnumDesktops())
case("station: EnumDesktops is a list", lambda w: type(w.station.EnumDesktops()).__name__)
case("station: SetProcessWindowStation", lambda w: w.station.SetProcessWindowStation())
for _method in ("EnumDesktops", "SetProcessWindowStation", "CloseWindowStation"):
    case(f"station: {_method} with an argument", lambda w, m=_method: getattr(w.station, m)(1))
    case(
        f"station: {_method} of 0",
        lambda w, m=_method: (
            getattr(w.m.HWINSTAType(0), m)() if m != "EnumDesktops" else "a list of either kind"
        ),
    )
for _method in ("SetThreadDesktop", "SwitchDesktop", "CloseDesktop", "EnumDesktopWindows"):
    case(f"desktop: {_method} with an argument", lambda w, m=_method: getattr(w.desk, m)(1))
for _method in ("SetThreadDesktop", "SwitchDesktop", "CloseDesktop"):
    case(f"desktop: {_method} of 0", lambda w, m=_method: getattr(w.m.HDESKType(0), m)())
case("desktop: EnumDesktopWindows of a new one", lambda w: w.desk.EnumDesktopWindows())
case("desktop: SwitchDesktop", lambda w: w.desk.SwitchDesktop())
case("desktop: SetThreadDesktop", lambda w: _in_a_thread(w))
case("desktop: of its thread, cannot be closed", lambda w: _close_in_use(w))
case("desktop: closed", lambda w: _close_desktop(w))
case("station: of the process, cannot be closed", lambda w: w.station.CloseWindowStation())
case("desktop: Detach", lambda w: _detached_desktop(w))
case("desktop: no handle", lambda w: (int(w.m.HDESKType(None)), bool(w.m.HDESKType(None))))
case("desktop: handle=", lambda w: int(w.m.HDESKType(handle=0)))
case("station: handle=", lambda w: int(w.m.HWINSTAType(handle=None)))
case("desktop: no other keyword", lambda w: w.m.HDESKType(value=0))
case("desktop: no argument", lambda w: w.m.HDESKType())
case("desktop: an object", lambda w: w.m.HDESKType(object()))
case("desktop: equals itself", lambda w: (w.desk == w.desk, w.desk == int(w.desk)))
case("desktop: an int of it", lambda w: w.m.GetUserObjectInformation(int(w.desk), 2))
case("the types", lambda w: (w.m.HDESKType.__name__, w.m.HWINSTAType.__name__))
for _index in (2, 3, 0, 7, 99, -1, 4):
    case(
        f"GetUserObjectInformation: {_index}",
        lambda w, index=_index: w.m.GetUserObjectInformation(w.desk, index),
    )
    case(
        f"GetUserObjectInformation: {_index} of the station",
        lambda w, index=_index: w.m.GetUserObjectInformation(w.station, index),
    )
for _index in (5, 6):
    _what = f"GetUserObjectInformation: {_index}"
    _do: Do = lambda w, index=_index: w.m.GetUserObjectInformation(w.desk, index)  # noqa: E731
    if on_wine():
        case(_what, _do)  # it has neither
    else:
        differs("levels", _what, _do, lambda result: result[0] == "int")
differs(
    "uninitialized-flags",
    "GetUserObjectInformation: flags",
    lambda w: w.m.GetUserObjectInformation(w.desk, 1),
    lambda result: [key for key, _ in result[1]] == ["Inherit", "Reserved", "Flags"],
    run_theirs=False,
)
FLAGS = {"Inherit": False, "Reserved": 0, "Flags": 1}
for _number, _flags in enumerate(
    (
        FLAGS,
        {**FLAGS, "Flags": 0},
        {**FLAGS, "Flags": "x"},
        {**FLAGS, "Flags": None},
        {**FLAGS, "More": 1},
        {"Flags": 1},
        {},
        None,
        (0, 0, 1),
        {**FLAGS, "Flags": BIG},
    )
):
    case(
        f"SetUserObjectInformation: {_number}",
        lambda w, flags=_flags: (
            w.m.SetUserObjectInformation(w.desk, flags),
            w.m.SetUserObjectInformation(w.desk, {**FLAGS, "Flags": 0}),
        ),
    )
differs(
    "number-ranges",
    "SetUserObjectInformation: high flags",
    lambda w: w.m.SetUserObjectInformation(w.desk, {**FLAGS, "Flags": 0xFFFFFFFF}),
    lambda result: result[0] == "NoneType",
)
for _type in (0, 2, 5):
    case(
        f"SetUserObjectInformation: type {_type}",
        lambda w, kind=_type: w.m.SetUserObjectInformation(w.desk, FLAGS, kind),
    )
for _thread in (0, 0x7FFFFFFF):
    case(
        f"GetThreadDesktop: {_thread}",
        lambda w, thread=_thread: w.m.GetThreadDesktop(thread),
    )
for _name in ("no such", "", "DEFAULT"):
    case(f"OpenDesktop: {_name!r}", lambda w, name=_name: w.m.OpenDesktop(name, 0, False, 0x1FF))
for _name in ("no such", "winsta0"):
    case(
        f"OpenWindowStation: {_name!r}",
        lambda w, name=_name: w.m.OpenWindowStation(name, 0, 0x37F),
    )
for _name in ("a\\b", ""):
    case(
        f"CreateWindowStation: {_name!r}",
        lambda w, name=_name: w.m.CreateWindowStation(name, 0, 0x37F, None),
    )
case("CreateWindowStation: exists", lambda w: w.m.CreateWindowStation("WinSta0", 1, 0x37F, None))
case("CreateWindowStation: opens", lambda w: w.m.CreateWindowStation("WinSta0", 0, 0x37F, None))
case("CreateDesktop: opens", lambda w: w.m.CreateDesktop(w.name("desk"), 0, 0x1FF, None))
case("CreateDesktop: a backslash", lambda w: w.m.CreateDesktop("a\\b", 0, 0x1FF, None))
for _function in ("CreateDesktop", "CreateWindowStation"):
    for _attributes in (5, "x", object()):
        case(
            f"{_function}: attributes {type(_attributes).__name__}",
            with_argument(_function, 3, _attributes),
        )
    case(
        f"{_function}: attributes of pywin32",
        with_argument(_function, 3, lambda w: pywintypes.SECURITY_ATTRIBUTES()),
    )
    case(
        f"{_function}: attributes with a descriptor",
        with_argument(_function, 3, lambda w: _attributes_with_descriptor()),
    )
differs(
    "closed-handles",
    "desktop: 0 when it is closed",
    lambda w: _closed_desktop(w),
    lambda result: result == ("tuple", [("int", 0), ("bool", False)]),
    run_theirs=False,
)
differs(
    "borrowed-handles",
    "desktop: not closed when it is dropped",
    lambda w: _dropped(w),
    lambda result: result == ("str", "Default"),
    run_theirs=False,
)
differs(
    "two-owners",
    "desktop: created from another",
    lambda w: _two_owners(w),
    lambda result: result == ("tuple", [("bool", True), ("str", "<>desk")]),
    run_theirs=False,
)
differs(
    "window-handles",
    "desktop: windows are not closed",
    lambda w: [window.Close() for window in w.m.OpenInputDesktop(0, 0, 0x1FF).EnumDesktopWindows()],
    lambda result: result[0] == "list",
    run_theirs=False,
)


def _attributes_with_descriptor() -> object:
    attributes = pywintypes.SECURITY_ATTRIBUTES()
    attributes.bInheritHandle = True
    attributes.SECURITY_DESCRIPTOR.Initialize()
    return attributes


def _in_a_thread(world: World) -> object:
    seen: list[object] = []
    desktop = world.m.OpenDesktop(world.name("desk"), 0, False, 0x1FF)

    def run() -> None:
        seen.append(desktop.SetThreadDesktop())
        found = world.m.GetThreadDesktop(threading.get_native_id())
        seen.append(world.m.GetUserObjectInformation(found, 2))
        found.Detach()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    desktop.Detach()  # Wine closes it with the thread
    return seen


def _close_in_use(world: World) -> object:
    found = world.m.GetThreadDesktop(threading.get_native_id())
    try:
        return found.CloseDesktop()
    finally:
        found.Detach()


def _close_desktop(world: World) -> object:
    desktop = world.m.OpenDesktop(world.name("desk"), 0, False, 0x1FF)
    closed = desktop.CloseDesktop()
    desktop.Detach()  # pywin32 would close it once more
    return closed


def _closed_desktop(world: World) -> object:
    desktop = world.m.OpenDesktop(world.name("desk"), 0, False, 0x1FF)
    desktop.CloseDesktop()
    return int(desktop), bool(desktop)


def _detached_desktop(world: World) -> object:
    desktop = world.m.OpenDesktop(world.name("desk"), 0, False, 0x1FF)
    again = world.m.HDESKType(desktop.Detach())
    return world.m.GetUserObjectInformation(again, 2)


def _dropped(world: World) -> object:
    for _ in range(3):
        world.m.GetThreadDesktop(threading.get_native_id())
    found = world.m.GetThreadDesktop(threading.get_native_id())
    return world.m.GetUserObjectInformation(found, 2)


def _two_owners(world: World) -> object:
    first = world.m.OpenDesktop(world.name("desk"), 0, False, 0x1FF)
    second = world.m.HDESKType(first)
    same = int(first) == int(second)
    del first
    return same, world.m.GetUserObjectInformation(second, 2)
