"""Which module may import which: read from the source, so that a wrong import fails here."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import winsvc

PACKAGE = Path(winsvc.__file__).parent

GROUND = {"enums", "errors", "triggers", "security", "_util", "_values"}
BACKEND = {"backend"}
OBJECTS = {"_scm", "_desktops"}
AIO = {"aio"}
HOST = {"host"}
TOP = {"cli", "__main__", "__init__", "pytest_plugin"}
NATIVE = {"_native"}
TESTING = {"testing"}
DROPIN = {"win32service"}

# Each floor may import itself and what is named here.
MAY_IMPORT = {
    # Some values still have functions that read them from a manager.
    **dict.fromkeys(GROUND, GROUND | {"_scm"}),
    # backend names native in one place only: where the system's own backend is made.
    **dict.fromkeys(BACKEND, GROUND | BACKEND | NATIVE),
    **dict.fromkeys(NATIVE, GROUND | NATIVE),
    **dict.fromkeys(OBJECTS, GROUND | BACKEND | OBJECTS),
    **dict.fromkeys(AIO, GROUND | BACKEND | OBJECTS | AIO),
    **dict.fromkeys(HOST, GROUND | BACKEND | OBJECTS | HOST),
    **dict.fromkeys(TESTING, GROUND | BACKEND | OBJECTS | HOST | TESTING),
    **dict.fromkeys(DROPIN, GROUND | BACKEND | DROPIN),
    **dict.fromkeys(TOP, GROUND | OBJECTS | HOST | TESTING | TOP),
}


def modules() -> Iterator[tuple[str, Path]]:
    for path in PACKAGE.rglob("*.py"):
        yield path.relative_to(PACKAGE).with_suffix("").parts[0], path


@cache
def imports(path: Path) -> list[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.append(node.module or "")
    return names


def test_every_module_stands_on_a_floor() -> None:
    assert {name for name, _ in modules()} == set(MAY_IMPORT)


def test_imports_go_downwards() -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {name}"
        for module, path in modules()
        for name in imports(path)
        if name.startswith("winsvc.") and name.split(".")[1] not in MAY_IMPORT[module]
    ]
    assert not wrong


def test_only_native_sees_the_compiled_module() -> None:
    seen = {module for module, path in modules() for name in imports(path) if "cffi" in name}
    assert seen == {"_native"}


def loaded(code: str) -> set[str]:
    """The modules that a program has loaded at its end, but for those that were there before."""
    before = "import sys; before = set(sys.modules)"
    program = f"{before}\n{code}\nprint(*set(sys.modules) - before, file=sys.stderr)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stderr.split())


def test_import_alone_loads_nothing() -> None:
    assert loaded("import winsvc") == {"winsvc"}


def test_a_listing_imports_only_what_it_needs(tmp_path: Path) -> None:
    document = tmp_path / "machine.json"
    document.write_text('{"winsvc": 1, "machine": null, "services": []}')
    listing = (
        "from winsvc.testing import SimulatedSCM\n"
        f"scm = SimulatedSCM.from_json({str(document)!r})\n"
        "before |= set(sys.modules)\n"
        "from winsvc.cli import main\n"
        "from winsvc.backend import use_backend\n"
        "with use_backend(scm):\n"
        "    main(['list'])"
    )
    # What the simulated system, which needs more, has not loaded before it.
    found = {name for name in loaded(listing) if name.startswith("winsvc")}
    names = {"_scm", "_scm.handle_pool", "_scm.handles", "_scm.manager", "_scm.service"}
    names |= {"_scm.service_settings", "_util.handles", "cli"}
    assert found == {f"winsvc.{name}" for name in names}
    alone = loaded("from winsvc.cli import _parser; _parser().parse_args(['list'])")
    heavy = {"json", "pathlib", "urllib", "rich", "asyncio", "concurrent", "logging"}
    needed = {"backend", "cli", "enums", "errors", "_scm", "_util", "_values"}
    needed |= {f"_scm.{name}" for name in ("handle_pool", "handles", "manager", "service")}
    needed.add("_scm.service_settings")
    needed |= {f"_util.{name}" for name in ("checks", "durations", "handles", "text")}
    needed |= {f"_values.{name}" for name in ("config", "dependency", "names", "rows", "status")}
    assert not heavy & alone
    assert {name for name in alone if name.startswith("winsvc.")} == {f"winsvc.{n}" for n in needed}


def test_import_is_cheap_and_works_everywhere() -> None:
    heavy = {"_winsvc_cffi", "cffi", "json", "argparse", "rich", "asyncio", "winsvc._native"}
    heavy |= {"winsvc.security", "winsvc.triggers", "winsvc._values.account", "winsvc.testing"}
    heavy |= {
        "winsvc._desktops.desktop",
        "winsvc.win32service",
        "winsvc._scm.waiting",
        "winsvc._scm.watching",
    }
    heavy |= {"winsvc.host"}
    code = f"import sys, winsvc; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
