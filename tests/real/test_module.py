"""The compiled module, and the wheel that contains it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path
from typing import Any

import _winsvc_cffi
import pytest
from _winsvc_cffi import ffi, lib
from differences import on_wine

import winsvc

PROJECT = Path(__file__).parent.parent.parent

SIZES = {
    "SERVICE_STATUS": 28,
    "SERVICE_STATUS_PROCESS": 36,
    "ENUM_SERVICE_STATUSW": 48,
    "ENUM_SERVICE_STATUS_PROCESSW": 56,
    "QUERY_SERVICE_CONFIGW": 64,
    "QUERY_SERVICE_LOCK_STATUSW": 24,
    "SERVICE_FAILURE_ACTIONSW": 40,
    "SC_ACTION": 8,
    "SERVICE_TRIGGER": 32,
    "SERVICE_TRIGGER_SPECIFIC_DATA_ITEM": 16,
    "GUID": 16,
}


@pytest.mark.parametrize(("name", "size"), SIZES.items())
def test_structures_have_their_size_on_x64(name: str, size: int) -> None:
    assert ffi.sizeof(name) == size


def test_package_runs_from_installed_wheel() -> None:
    site = Path(str(importlib.metadata.distribution("winsvc-cffi").locate_file("")))
    assert not site.is_relative_to(PROJECT)
    assert Path(winsvc.__file__) == site / "winsvc" / "__init__.py"
    assert Path(_winsvc_cffi.__file__) == site / "_winsvc_cffi.pyd"
    files = {str(file).replace("\\", "/") for file in importlib.metadata.files("winsvc-cffi") or ()}
    stubs = {"winsvc/__init__.pyi", "_winsvc_cffi-stubs/__init__.pyi"}
    assert {"winsvc/py.typed", "_winsvc_cffi.pyd", *stubs} <= files
    wheel = importlib.metadata.distribution("winsvc-cffi").read_text("WHEEL") or ""
    assert "Tag: cp311-abi3-win_amd64" in wheel


def test_runtime_dependencies_are_only_cffi() -> None:
    needed = importlib.metadata.requires("winsvc-cffi") or []
    assert [item for item in needed if "extra ==" not in item] == [
        'cffi>=1.17; sys_platform == "win32"'
    ]


def test_close_service_handle_with_desktop_handle_raises_type_error() -> None:
    desktop = ffi.cast("HDESK", 0)
    with pytest.raises(TypeError, match="SC_HANDLE"):
        lib.CloseServiceHandle(desktop)  # type: ignore[arg-type]


OPTIONAL = sorted(name.removeprefix("HAS_") for name in dir(lib) if name.startswith("HAS_"))


def test_call_availability_flags_are_0_or_1() -> None:
    assert {"ControlServiceExW", "QueryServiceDynamicInformation"} <= set(OPTIONAL)
    assert {getattr(lib, f"HAS_{name}") for name in OPTIONAL} <= {0, 1}
    assert lib.HAS_ControlServiceExW == (not on_wine())  # Windows since Vista


@pytest.mark.skipif(not on_wine(), reason="Windows has all of these calls")
@pytest.mark.parametrize("name", OPTIONAL)
def test_missing_call_fails_with_call_not_implemented(name: str) -> None:
    """The module loads although a function is missing, and the function fails."""
    assert getattr(lib, f"HAS_{name}") == 0
    function = getattr(lib, name)
    kind: Any = ffi.typeof(function)
    arguments = [0 if arg.kind in ("primitive", "enum") else ffi.NULL for arg in kind.args]
    lib.SetLastError(0)
    result = function(*arguments)
    if kind.result.cname == "unsigned long":  # the code itself
        assert result == lib.ERROR_CALL_NOT_IMPLEMENTED
    else:
        assert not result
        assert lib.GetLastError() == lib.ERROR_CALL_NOT_IMPLEMENTED


def test_connecting_imports_no_heavy_modules() -> None:
    """The import takes most of the time of a short program."""
    heavy = {"asyncio", "socket", "logging", "json", "winsvc.security", "winsvc.host"}
    code = (
        "import sys; from winsvc import ServiceManager\n"
        "with ServiceManager() as scm: list(scm.services())\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
