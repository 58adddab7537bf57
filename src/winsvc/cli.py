"""The ``winsvc`` command."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.util import find_spec

from winsvc.enums import ServiceType, State, StateFilter
from winsvc.errors import ServiceError
from winsvc.jsonable import jsonable
from winsvc.manager import ServiceManager
from winsvc.models import ServiceInfo

__all__ = ["main"]

_TYPES = {"win32": ServiceType.WIN32, "driver": ServiceType.DRIVER, "all": ServiceType.ALL}
_STATES: dict[str, State | StateFilter] = {
    **{state.name.lower().replace("_", "-"): state for state in State},
    "active": StateFilter.ACTIVE,
    "all": StateFilter.ALL,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0, 1 after an error, 2 for wrong usage."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A name that the console's code page lacks must not end a listing.
        sys.stdout.reconfigure(errors="backslashreplace")
    chosen = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = chosen.run
    try:
        command(chosen)
        sys.stdout.flush()
    except ServiceError as error:
        print(f"winsvc: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone, as with "| head": nobody is left to tell, now or at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="winsvc", description="Windows services.")
    parser.add_argument("--machine", help="the machine to ask (default: this one)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("list", help="list services")
    listing.add_argument("--type", choices=_TYPES, default="win32", help="default: win32")
    listing.add_argument("--state", choices=_STATES, default="all", help="default: all")
    listing.add_argument("--group", help='only this load-order group ("": only those in none)')
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)
    return parser


def _list(chosen: argparse.Namespace) -> None:
    with ServiceManager(chosen.machine) as scm:
        services = list(
            scm.services(type=_TYPES[chosen.type], state=_STATES[chosen.state], group=chosen.group)
        )
    if chosen.json:
        print(json.dumps([jsonable(info) for info in services], indent=2))
    else:
        _table(("NAME", "STATE", "PID", "DISPLAY NAME"), map(_row, services))


def _row(info: ServiceInfo) -> tuple[str, ...]:
    pid = "" if info.status.pid is None else str(info.status.pid)
    state = info.status.state.name.lower().replace("_", " ")
    return info.name, state, pid, info.display_name


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table: with rich where it is installed and someone looks, else plain columns."""
    rows = list(rows)
    if sys.stdout.isatty() and find_spec("rich"):
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*header)
        for row in rows:
            table.add_row(*map(Text, row))  # Text: a bracket in a name is not markup
        Console().print(table)
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())
