"""Check that the interpreter finds a service's program, without running it."""

from __future__ import annotations

import os
import pkgutil
import sys
import traceback
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path

from winsvc.backend import default_backend

__all__ = ["check"]


def check(*, script: str | None = None, module: str | None = None, path: str | None = None) -> int:
    """Find a program and compile it, but do not run it.

    Args:
        script: the path of a script, zip file or folder; None for a module.
        module: the name of a module.
        path: the folder to put first on ``sys.path`` for a module; None for none.

    Returns:
        0, or 1 with the reason on ``stderr``.
    """
    try:
        if sys.platform == "win32":
            default_backend()  # with the compiled module, and all its DLLs
        if script is not None:
            _check_script(script)
        else:
            if path is not None:
                sys.path.insert(0, path)
            _check_module(module or "")
    except Exception as error:
        print("".join(traceback.format_exception_only(type(error), error)), file=sys.stderr)
        return 1
    print(f"{sys.executable} {'.'.join(map(str, sys.version_info[:3]))}")
    return 0


def _check_script(path: str) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(f"{path} does not exist")
    if os.path.isfile(path) and not zipfile.is_zipfile(path):
        compile(Path(path).read_bytes(), path, "exec")
        return
    importer = pkgutil.get_importer(path)
    spec = None if importer is None else importer.find_spec("__main__", None)
    if spec is None:
        raise ImportError(f"{path} has no __main__.py")
    _compile_spec(spec)


def _check_module(name: str) -> None:
    """Find a module as ``python -m`` does, without importing the packages that it is in."""
    spec = _find_module(name)
    if spec.submodule_search_locations is not None:
        spec = _find_module(f"{name}.__main__")
    _compile_spec(spec)


def _find_module(name: str) -> ModuleSpec:
    spec: ModuleSpec | None = None
    full = ""
    for part in name.split("."):
        full = f"{full}.{part}" if full else part
        places = None if spec is None else spec.submodule_search_locations
        if spec is not None and places is None:
            raise ModuleNotFoundError(
                f"{spec.name} is not a package, so module {name} cannot exist"
            )
        finds = (finder.find_spec(full, places) for finder in sys.meta_path)
        spec = next((found for found in finds if found is not None), None)
        if spec is None:
            raise ModuleNotFoundError(f"module {full} was not found on {sys.path}")
    assert spec is not None
    return spec


def _compile_spec(spec: ModuleSpec) -> None:
    get_code = getattr(spec.loader, "get_code", None)
    if get_code is None or get_code(spec.name) is None:
        raise ImportError(f"{spec.name} ({spec.origin}) contains no code")
