"""The literal numbers equal those that the C compiler read from the headers."""

from __future__ import annotations

import inspect
import json
from enum import IntEnum, IntFlag
from pathlib import Path

import pytest
from _winsvc_cffi import lib

from winsvc import enums
from winsvc._values import stopreason
from winsvc.enums import OpenEnum, OpenFlag
from winsvc.host import events

# How the members of each type are called in C: "{}" is the member's name.
PATTERNS: dict[str, tuple[str, ...]] = {
    "AcceptedControls": ("SERVICE_ACCEPT_{}",),
    "ActionType": ("SC_ACTION_{}",),
    "ConfigLevel": ("SERVICE_CONFIG_{}",),
    "Control": ("SERVICE_CONTROL_{}",),
    "DesktopAccess": ("DESKTOP_{}", "{}"),
    "DesktopFlags": ("DF_{}",),
    "DeviceEventKind": ("DBT_{}", "DBT_DEVICE{}"),
    "DeviceType": ("DBT_DEVTYP_{}", "DBT_DEVTYP_DEVICE{}"),
    "ErrorCode": ("ERROR_{}", "RPC_S_{}", "RPC_X_{}"),
    "ErrorControl": ("SERVICE_ERROR_{}",),
    "EventType": ("EVENTLOG_{}", "EVENTLOG_{}_TYPE"),
    "HardwareProfileChangeKind": ("DBT_{}",),
    "LaunchProtection": ("SERVICE_LAUNCH_PROTECTED_{}",),
    "ManagerAccess": ("SC_MANAGER_{}", "{}"),
    "Notify": ("SERVICE_NOTIFY_{}",),
    "PowerEventKind": ("PBT_{}", "PBT_APM{}"),
    "SecurityInformation": ("{}_SECURITY_INFORMATION",),
    "ServiceAccess": ("SERVICE_{}", "{}"),
    "ServiceFlags": ("SERVICE_{}",),
    "ServiceType": ("SERVICE_{}", "SERVICE_WIN32_{}"),
    "SessionChangeReason": ("WTS_{}",),
    "SidType": ("SERVICE_SID_TYPE_{}",),
    "StartReason": ("SERVICE_START_REASON_{}",),
    "StartType": ("SERVICE_{}_START", "SERVICE_{}"),
    "State": ("SERVICE_{}",),
    "StateFilter": ("SERVICE_{}", "SERVICE_STATE_{}"),
    "StopFlag": ("SERVICE_STOP_REASON_FLAG_{}",),
    "StopMajor": ("SERVICE_STOP_REASON_MAJOR_{}",),
    "StopMinor": ("SERVICE_STOP_REASON_MINOR_{}",),
    "TriggerAction": ("SERVICE_TRIGGER_ACTION_{}",),
    "TriggerDataType": ("SERVICE_TRIGGER_DATA_TYPE_{}",),
    "TriggerType": ("SERVICE_TRIGGER_TYPE_{}",),
    "UserObjectInformation": ("UOI_{}",),
    "VolumeFlags": ("DBTF_{}",),
    "WindowStationAccess": ("WINSTA_{}", "{}"),
    "WindowStationCreation": ("CWF_{}",),
    "WindowStationFlags": ("WSF_{}",),
}

# Where the C name is not the member's name in the type's pattern, but for underscores.
IRREGULAR = {
    "ErrorCode.RPC_ENDPOINT_NOT_REGISTERED": "EPT_S_NOT_REGISTERED",
    "ServiceType.ALL": "SERVICE_TYPE_ALL",
    "ServiceType.USER_SERVICE_INSTANCE": "SERVICE_USERSERVICE_INSTANCE",
    "StartType.AUTOMATIC": "SERVICE_AUTO_START",
    "StartType.MANUAL": "SERVICE_DEMAND_START",
    "StopMinor.MEMORY_LIMIT": "SERVICE_STOP_REASON_MINOR_MEMOTYLIMIT",
}

# The headers write PARAMCHANGE and HEAPSIZE; the members are easier to read.
CONSTANTS = {name.replace("_", ""): name for name in dir(lib) if name.isupper()}

TYPES = {
    kind.__name__: kind
    for module in (enums, stopreason, events)
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, (OpenEnum, OpenFlag)) and kind not in (OpenEnum, OpenFlag)
}
MEMBERS = [
    pytest.param(kind, name, id=f"{kind.__name__}.{name}")
    for kind in TYPES.values()
    for name in kind.__members__
]


def c_name(kind: str, member: str) -> str | None:
    bare = member.removeprefix("RPC_") if kind == "ErrorCode" else member
    guesses = [pattern.format(name) for pattern in PATTERNS[kind] for name in (member, bare)]
    guesses.insert(0, IRREGULAR.get(f"{kind}.{member}", ""))
    found = (CONSTANTS.get(guess.replace("_", "")) for guess in guesses)
    return next(filter(None, found), None)


def test_patterns_cover_every_enum_type() -> None:
    assert set(PATTERNS) == set(TYPES)


@pytest.mark.parametrize(("kind", "name"), MEMBERS)
def test_enum_member_equals_compiled_constant(kind: type[IntEnum | IntFlag], name: str) -> None:
    constant = c_name(kind.__name__, name)
    assert constant, f"no constant for {kind.__name__}.{name}"
    assert getattr(lib, constant) & 0xFFFFFFFF == kind[name].value


def test_compiled_constants_equal_win32service_values() -> None:
    expected = json.loads((Path(__file__).parent / "win32service_constants.json").read_text())
    assert len(expected) == 101
    # SERVICE_NO_CHANGE is 0xFFFFFFFF in C; win32service shows it, alone, as a signed number.
    signed = {"SERVICE_NO_CHANGE": 0xFFFFFFFF}
    assert {name: getattr(lib, name) for name in expected} == {**expected, **signed}
