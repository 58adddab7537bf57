"""The part of the configuration that differs: Windows has a compiled module, others have none."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Any

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

MODULE = "_winsvc_cffi"
STUBS = f"{MODULE}-stubs"
# Free-threaded CPython has no stable ABI before 3.15.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
# Set by the lab: the cross-compiled module, for a Windows wheel built on Linux.
PREBUILT = os.environ.get("WINSVC_WINDOWS_MODULE")


class CopyPrebuilt(build_ext):  # type: ignore[misc]  # setuptools has no types
    """Copy the cross-compiled module instead of compiling it."""

    def build_extension(self, ext: Extension) -> None:
        assert PREBUILT is not None
        target = Path(self.build_lib, f"{MODULE}.pyd")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(PREBUILT, target)


def configuration() -> dict[str, Any]:
    """Return the arguments of :func:`setup` for this system."""
    pure: dict[str, Any] = {
        "packages": find_packages("src"),
        "package_dir": {"": "src"},
        "package_data": {"winsvc": ["py.typed", "*.pyi"]},
    }
    if not PREBUILT and sys.platform != "win32":
        return pure
    native: dict[str, Any] = {
        **pure,
        "packages": [*pure["packages"], STUBS],
        "package_dir": {"": "src", STUBS: f"stubs/{MODULE}"},
        "package_data": {**pure["package_data"], STUBS: ["*.pyi"]},
        "options": {"bdist_wheel": {} if FREE_THREADED else {"py_limited_api": "cp311"}},
    }
    if not PREBUILT:
        return {**native, "cffi_modules": ["build_ffi.py:ffibuilder"]}
    native["options"]["bdist_wheel"]["plat_name"] = "win_amd64"
    return {
        **native,
        "ext_modules": [Extension(MODULE, [], py_limited_api=True)],
        "cmdclass": {"build_ext": CopyPrebuilt},
    }


setup(**configuration())
