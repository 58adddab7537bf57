"""The ``winsvc`` command."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from winsvc._scm.manager import ServiceManager
from winsvc._util.text import name_key
from winsvc.enums import ServiceType, State, StateFilter
from winsvc.errors import (
    AccessDeniedError,
    ValidationError,
    Win32Error,
)

if TYPE_CHECKING:
    from winsvc._util.jsonable import JSON
    from winsvc._values.snapshot import ServiceSnapshot
    from winsvc._values.status import ServiceInfo

__all__ = ["main"]

_TYPES = {"win32": ServiceType.WIN32, "driver": ServiceType.DRIVER, "all": ServiceType.ALL}
_STATES: dict[str, State | StateFilter] = {
    **{state.name.lower().replace("_", "-"): state for state in State},
    "active": StateFilter.ACTIVE,
    "all": StateFilter.ALL,
}


class _FileError(Exception):
    """A file that was specified on the command line cannot be read or written."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 after an error, 2 for invalid arguments."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A character that the console's code page lacks must not end a listing.
        sys.stdout.reconfigure(errors="backslashreplace")
    chosen = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int | None] = chosen.run
    try:
        code = command(chosen) or 0
        sys.stdout.flush()
    except (Win32Error, _FileError) as error:
        print(f"winsvc: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has closed the pipe, as with "| head"; output at exit would fail as well.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="winsvc", description="Windows services.")
    parser.add_argument("--machine", help="the machine to connect to (default: this one)")
    parser.add_argument(
        "--simulate",
        metavar="FILE",
        help="use a simulated machine with the services in FILE, which export has written",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list services")
    listing.add_argument("--type", choices=_TYPES, default="win32", help="default: win32")
    listing.add_argument("--state", choices=_STATES, default="all", help="default: all")
    listing.add_argument("--group", help='only this load-order group ("" for no group)')
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)
    export = commands.add_parser("export", help="write all properties of services to a JSON file")
    export.add_argument(
        "file", nargs="?", metavar="FILE", help='the file; "-" or none for the standard output'
    )
    which = export.add_mutually_exclusive_group()
    which.add_argument("--type", choices=_TYPES, default="all", help="default: all")
    which.add_argument(
        "--service", action="append", metavar="NAME", help="only this one; may be given repeatedly"
    )
    which.add_argument(
        "--schema", action="store_true", help="write the JSON Schema of such a file instead"
    )
    export.set_defaults(run=_export)
    graph = commands.add_parser("graph", help="show the dependencies between services")
    graph.add_argument(
        "name", nargs="?", metavar="NAME", help="only this service and its dependencies"
    )
    graph.add_argument(
        "--dependents", action="store_true", help="show dependents instead of dependencies"
    )
    graph.add_argument(
        "--format",
        choices=("text", "dot", "mermaid", "json"),
        default="text",
        help="default: text, a tree",
    )
    graph.set_defaults(run=_graph)
    doctor = commands.add_parser("doctor", help="find out why a service does not start")
    doctor.add_argument("name", metavar="NAME", help="the service")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(run=_doctor)
    return parser


def _manager(chosen: argparse.Namespace) -> ServiceManager:
    if chosen.simulate is None:
        return ServiceManager(chosen.machine)
    from winsvc.testing import SimulatedSCM

    try:
        backend = SimulatedSCM.from_json(chosen.simulate)
    except OSError as error:
        raise _FileError(f"{chosen.simulate}: {error.strerror or error}") from error
    except (ValidationError, TypeError) as error:
        names_file = isinstance(error, ValidationError) and error.argument == chosen.simulate
        text = str(error) if names_file else f"{chosen.simulate}: {error}"
        raise _FileError(text) from error
    return ServiceManager(chosen.machine, backend=backend)


def _list(chosen: argparse.Namespace) -> None:
    with _manager(chosen) as scm:
        services = list(
            scm.services(
                service_type=_TYPES[chosen.type], state=_STATES[chosen.state], group=chosen.group
            )
        )
    if chosen.json:
        from winsvc._util.jsonable import jsonable

        _print_json([jsonable(info) for info in services])
    else:
        _table(("NAME", "STATE", "PID", "DISPLAY NAME"), map(_row, services))


def _export(chosen: argparse.Namespace) -> None:
    import json

    text = json.dumps(_schema() if chosen.schema else _document(chosen), indent=2) + "\n"
    if chosen.file in (None, "-"):
        sys.stdout.write(text)
        return
    try:
        _write(chosen.file, text)
    except OSError as error:
        raise _FileError(f"{chosen.file}: {error.strerror or error}") from error


def _schema() -> dict[str, JSON]:
    from winsvc._values.export_schema import export_schema

    return export_schema()


def _document(chosen: argparse.Namespace) -> dict[str, JSON]:
    from winsvc._values.snapshot import FORMAT

    with _manager(chosen) as scm:
        snapshots = (
            _named(scm, chosen.service)
            if chosen.service
            else scm.snapshots(service_type=_TYPES[chosen.type])
        )
        services: list[JSON] = [snapshot.to_json() for snapshot in snapshots]
    return {"winsvc": FORMAT, "machine": scm.machine, "services": services}


def _graph(chosen: argparse.Namespace) -> None:
    with _manager(chosen) as scm:
        if chosen.name is not None:
            scm.info(chosen.name)  # raises the error
        graph = scm.graph()
    if chosen.format == "text":
        _print_tree(graph.to_text(chosen.name, dependents=chosen.dependents))
        return
    if chosen.name is not None:
        dependents = chosen.dependents
        graph = graph.subgraph(chosen.name, dependencies=not dependents, dependents=dependents)
    if chosen.format == "json":
        _print_json(graph.to_json())
        return
    sys.stdout.write(graph.to_dot() if chosen.format == "dot" else graph.to_mermaid())


def _doctor(chosen: argparse.Namespace) -> int:
    from winsvc.host.doctor import Severity, describe, examine

    with _manager(chosen) as scm:
        findings = examine(scm, chosen.name)
    if chosen.json:
        _print_json([finding.to_json() for finding in findings])
    else:
        print(describe(chosen.name, findings))
    return int(any(finding.severity is Severity.ERROR for finding in findings))


def _print_json(value: object) -> None:
    import json  # only some commands need it, and loading it takes longer than a listing

    print(json.dumps(value, indent=2))


def _print_tree(tree: str) -> None:
    try:
        "├─└│".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        tree = tree.translate(str.maketrans("├─└│", "|-`|"))
    sys.stdout.write(tree)


def _named(scm: ServiceManager, names: list[str]) -> Iterator[ServiceSnapshot]:
    for name in {name_key(name): name for name in names}.values():
        try:
            name = scm.info(name).name  # the stored spelling
        except AccessDeniedError:
            pass
        with scm.open(name) as service:
            yield service.snapshot()


def _write(file_name: str, text: str) -> None:
    """Write a file completely, or leave the old one unchanged."""
    from pathlib import Path

    path = Path(file_name).resolve()  # replace the target of a link, not the link
    if path.exists() and not path.is_file():
        path.write_text(text, "utf-8")  # a device or a pipe
        return
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    file = temporary.open("x", encoding="utf-8")
    try:
        with file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _row(info: ServiceInfo) -> tuple[str, ...]:
    pid = "" if info.status.pid is None else str(info.status.pid)
    state = info.status.state.name.lower().replace("_", " ")
    return info.name, state, pid, info.display_name


def _is_installed(module: str) -> bool:
    from importlib.util import find_spec

    return find_spec(module) is not None


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table: with rich on a terminal if it is installed, otherwise plain columns."""
    rows = list(rows)
    if sys.stdout.isatty() and _is_installed("rich"):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*header)
        for row in rows:
            table.add_row(*map(Text, row))  # as Text, brackets in a name are not markup
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
