"""The results as text for a terminal, as a page of the documentation, and as JSON."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from bench.chart import Bar, Group, draw
from bench.measure import ALL, Bench, Result

TITLES = {
    "c": "C",
    "winsvc": "winsvc",
    "dropin": "drop-in",
    "pywin32": "pywin32",
    "psutil": "psutil",
}

JOBS = {
    "list": "list with status",
    "config": "configuration of each",
    "levels": "every level of each",
    "open": "open, status, close",
    "status": "status, open handle",
    "start": "start until running",
    "stop": "stop until stopped",
    "waits": "many waits for one start",
    "import": "import",
    "connect": "import and connect",
}

EXPLAINED = """\
- **C** makes the same Win32 calls, compiled by mingw with `-O2`, with buffers of the size of the
  last result, as in winsvc.
- **winsvc** is the object API, **drop-in** `winsvc.win32service`.
- *list with status*: `scm.services()`, `EnumServicesStatusEx`. psutil's list has no status, which
  saves it time. Each result is a new list; C allocates a new buffer for each.
- *configuration of each*: `scm.configs()`; the others call `OpenService`, `QueryServiceConfig` and
  `CloseServiceHandle` in a loop, psutil `as_dict()` for the first few services. winsvc queries four
  services at a time. The times of both jobs *of each* are for a single service.
- *every level of each*: `scm.snapshots()`: status, configuration, ten levels, dependents and
  security, four services at a time; Wine refuses most levels without a call to the SCM.
- *start*, *stop*: until the caller receives the state. pywin32's `win32serviceutil`, which the
  drop-in uses too, polls every 250 ms; C and winsvc use notifications.
- *many waits*: {waits} waits for the same service, from its start until the last wait ends; in
  Python each in a separate thread, in C all in a single thread.
- *import*: in a new process each time. `import winsvc` loads no submodule; *import and connect*
  includes the modules that a program needs to open the manager.
"""


@dataclass
class Machine:
    """The kind of machine, without its identity."""

    processor: str
    system: str
    versions: str
    date: str
    load: str


@dataclass
class Report:
    """The results of a run."""

    machine: Machine
    bench: Bench
    waits: int
    pure: list[dict[str, object]] = field(default_factory=list)

    def to_json(self) -> str:
        content = {
            "machine": vars(self.machine),
            "unit": "nanoseconds for one item, a round each",
            "results": [
                {"job": result.job, "size": result.size, "samples": result.samples}
                for result in self.bench.results
            ],
            "memory": {"unit": "bytes for one service", **self.bench.memory},
            "pure": self.pure,
        }
        return json.dumps(content, indent=1) + "\n"

    def to_text(self) -> str:
        """Return the tables for a terminal."""
        return "\n".join([*self._ratios("c", ALL), "", *self._against(), "", *self._rest()])

    def to_markdown(self, chart: str) -> str:
        machine = self.machine
        lines = [
            "# Performance",
            "",
            "Written by `make bench`; do not edit this page. Under Wine each call is a message",
            "between three processes and takes about a third of a millisecond; only the ratios are",
            "meaningful for Windows. They were measured alternately, in one run.",
            "",
            f"{'; '.join(filter(None, vars(machine).values()))}.",
            "",
            f"![Ratios to C]({chart})",
            "",
            "## Compared with C",
            "",
            "The time of C (median), and the ratios of the others to C (median and quartiles).",
            "",
            *self._ratios("c", ALL),
            "",
            EXPLAINED.format(waits=self.waits),
            "## Compared with pywin32 and psutil",
            "",
            *self._against(),
            "",
            *self._rest(),
        ]
        return "\n".join(lines).rstrip() + "\n"

    def to_svg(self) -> str:
        """Draw the ratios to C as bars."""
        groups: list[Group] = []
        for result in self.bench.results:
            if result.job not in ("list", "config", "levels", "open", "status"):
                continue
            bars: list[Bar] = []
            for who in ALL[1:]:
                if (ratio := result.ratio(who, "c")) is not None:
                    bars.append(Bar(TITLES[who], *ratio))
            groups.append(Group(_title(result), bars))
        return draw("Time relative to C (shorter is better)", groups)

    # ------------------------------------------------------------------------- tables

    def _ratios(self, to: str, who: tuple[str, ...]) -> list[str]:
        others = [name for name in who if name != to]
        rows = [["job", TITLES[to], *(TITLES[name] for name in others)]]
        for result in self.bench.results:
            if to not in result.samples:
                continue
            ratios = [_ratio(result.ratio(name, to)) for name in others]
            rows.append([_title(result), _time(result.median(to)), *ratios])
        return _table(rows)

    def _against(self) -> list[str]:
        rows = [["job", "winsvc", "to pywin32", "to psutil", "drop-in to pywin32"]]
        for result in self.bench.results:
            rows.append(
                [
                    _title(result),
                    _time(result.median("winsvc")),
                    _ratio(result.ratio("winsvc", "pywin32")),
                    _ratio(result.ratio("winsvc", "psutil")),
                    _ratio(result.ratio("dropin", "pywin32")),
                ]
            )
        return _table(rows)

    def _rest(self) -> list[str]:
        lines = ["## Time for a service in a listing", ""]
        rows = [["services", "C, µs", "winsvc, µs", "difference, µs"]]
        for result in self.bench.results:
            if result.job == "list":
                both = zip(result.samples["winsvc"], result.samples["c"], strict=True)
                difference = statistics.median(ours - base for ours, base in both)
                numbers = (result.median("c"), result.median("winsvc"), difference)
                rows.append([str(result.size), *(f"{n / result.size / 1000:.2f}" for n in numbers)])
        lines += _table(rows)
        lines += ["", "## Memory", ""]
        lines += [
            "For a service in the longest listing: the memory that Python has allocated; in C the"
        ]
        lines += ["buffer.", ""]
        rows = [["library", "bytes"]]
        rows += [[TITLES[who], f"{number:.0f}"] for who, number in self.bench.memory.items()]
        lines += _table(rows)
        if self.pure:
            lines += ["", "## Without Windows", ""]
            lines += [
                "Plain Python on the Linux machine, relative to a loop of plain Python:",
                "`tests/bench/test_speed.py` fails if a ratio exceeds its limit.",
                "",
            ]
            rows = [["job", "ratio", "limit"]]
            for part in self.pure:
                limit = part["limit"]
                rows.append([str(part["job"]), f"{part['ratio']:.2f}", f"{limit or ''}"])
            lines += _table(rows)
        return lines


def _title(result: Result) -> str:
    title = JOBS[result.job]
    return f"{title}, {result.size:,}" if result.job in ("list", "config", "levels") else title


def _time(nanoseconds: float) -> str:
    if nanoseconds >= 1e7:
        return f"{nanoseconds / 1e6:.0f} ms"
    return f"{nanoseconds / 1e6:.2f} ms" if nanoseconds >= 1e6 else f"{nanoseconds / 1e3:.0f} µs"


def _ratio(ratio: tuple[float, float, float] | None) -> str:
    if ratio is None:
        return "-"
    middle, low, high = ratio
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _table(rows: list[list[str]]) -> list[str]:
    """Format a table as Markdown, with aligned columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def write(report: Report, folder: Path) -> None:
    """Write performance.md, .svg and .json."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in (
        ("json", report.to_json()),
        ("svg", report.to_svg()),
        ("md", report.to_markdown("performance.svg")),
    ):
        (folder / f"performance.{suffix}").write_text(text, "utf-8", newline="\n")
