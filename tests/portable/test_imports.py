"""The direction of imports, read from the source: all of them, also local and typing-only ones."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import winsvc

PACKAGE = Path(winsvc.__file__).parent

# From the bottom to the top. A module imports from its own package and from lower layers.
LAYERS = (
    {"_public"},
    {"enums"},
    {"errors"},
    {"_util"},
    {"security"},
    {"_values", "triggers"},
    {"backend"},
    {"_native", "_scm", "_desktops", "win32service"},
    {"aio", "host"},
    {"testing"},
    {"cli", "pytest_plugin"},
    {"__init__", "__main__"},
)

# The values that are public.
SAME_PACKAGE = {"triggers": "_values"}

# Imports against the direction, and imports that close a cycle, with the reason for each.
EXCEPTIONS = {
    ("errors", "_values.status"): "the type of Win32Error.status; status imports enums and rows",
    ("backend", "_native"): "default_backend() imports the compiled module when it is first used",
    ("security.sids", "backend"): "Sid.lookup() and Sid.account_name() use the default backend",
    ("host._bootstrap", "host.launcher"): (
        "the script imports the launcher after it has prepared sys.path"
    ),
}


@cache
def modules() -> dict[str, Path]:
    """Return the modules of the package by name, without the name of the package."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" and parts[:-1] else parts)] = path
    return found


@cache
def imports(path: Path) -> list[str]:
    """Return the full names that a module imports, wherever the statement is."""
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def edges() -> Iterator[tuple[str, str]]:
    """Pairs of modules of which the first imports the second."""
    known = modules()
    for module, path in known.items():
        for name in imports(path):
            target = name.removeprefix("winsvc.")
            if name.startswith("winsvc.") and target not in known:
                target = target.rpartition(".")[0]  # a name in a module
            if name.startswith("winsvc.") and target in known and target != module:
                yield module, target


def package_of(module: str) -> str:
    top = module.split(".")[0]
    return SAME_PACKAGE.get(top, top)


def layer_of(module: str) -> int:
    top = package_of(module)
    return next(number for number, packages in enumerate(LAYERS) if top in packages)


def test_every_module_belongs_to_a_layer() -> None:
    assert {name.split(".")[0] for name in modules()} == set().union(*LAYERS)


def test_module_imports_only_allowed_layers() -> None:
    wrong = {
        (module, target)
        for module, target in edges()
        if package_of(module) != package_of(target) and layer_of(target) >= layer_of(module)
    }
    assert wrong - set(EXCEPTIONS) == set()


def test_imports_without_the_exceptions_have_no_cycle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in modules()}
    for module, target in edges():
        if (module, target) not in EXCEPTIONS:
            graph[module].add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError(" imports ".join(reversed(error.args[1]))) from None


def test_every_exception_is_needed() -> None:
    assert set(EXCEPTIONS) <= set(edges())


def test_only_native_package_imports_the_compiled_module() -> None:
    importing = {
        module.split(".")[0]
        for module, path in modules().items()
        for name in imports(path)
        if "cffi" in name
    }
    assert importing == {"_native"}


def test_only_pytest_plugin_imports_the_public_package() -> None:
    """``from winsvc import X`` inside the package would hide which module X comes from."""
    importing = {
        module
        for module, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "winsvc"
    }
    assert importing == {"pytest_plugin"}


def loaded(code: str) -> set[str]:
    """Return the modules that a program has loaded at its end, except those of its start."""
    marker = "loaded modules:"
    program = (
        "import sys; before = set(sys.modules)\n"
        f"{code}\n"
        f"print({marker!r}, *set(sys.modules) - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition(marker)[2].split())


def test_package_import_loads_no_other_module() -> None:
    assert loaded("import winsvc") == {"winsvc"}


def test_listing_loads_only_needed_modules(tmp_path: Path) -> None:
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
    found = {name for name in loaded(listing) if name.startswith("winsvc")}
    # The simulated system has loaded what it needs itself.
    assert found <= {
        "winsvc.cli",
        "winsvc._scm",
        "winsvc._util.handles",
        *(f"winsvc._scm.{name}" for name in ("connection", "handle_pool", "handles", "manager")),
        *(f"winsvc._scm.{name}" for name in ("open_service", "service", "service_settings")),
    }
    alone = loaded("from winsvc.cli import _parser; _parser().parse_args(['list'])")
    heavy = {"json", "pathlib", "urllib", "rich", "asyncio", "concurrent", "logging", "uuid"}
    heavy |= {f"winsvc.{name}" for name in ("security", "triggers", "testing", "host", "_desktops")}
    heavy |= {f"winsvc._scm.{name}" for name in ("apply_settings", "bulk", "waiting", "watching")}
    assert not heavy & alone
