"""What was measured, as text for people, as a page for the docs, and as JSON."""

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
- **C** makes the same Win32 calls with the mingw compiler's `-O2`, and buffers as large as the last
  answer was, as winsvc has them.
- **winsvc** is the object API, **drop-in** `winsvc.win32service`.
- *list with status*: `scm.services()`, `EnumServicesStatusEx`. psutil's list has no status, which
  is to its advantage here. Each is a list that one can keep; C has a new buffer for each.
- *configuration of each*: `scm.configs()`; elsewhere `OpenService`, `QueryServiceConfig` and
  `CloseServiceHandle` in a loop, in psutil `as_dict()` of the first few. winsvc asks four services
  at a time. The times of both jobs *of each* are for one service.
- *every level of each*: `scm.snapshots()`: status, configuration, ten levels, dependents and
  security, four services at a time; Wine refuses most levels without asking anybody.
- *start*, *stop*: until the caller knows. pywin32's `win32serviceutil` asks every quarter of a
  second, under the drop-in too; C and winsvc are told.
- *many waits*: {waits} waits for one service, from its start until the last one knows; in Python
  each on a thread of its own, in C all on one.
- *import*: in a new process each time. `import winsvc` loads nothing of it; *import and connect*
  has what a program needs, up to an open manager.
"""


@dataclass
class Machine:
    """What it was measured on; nothing that tells which machine it is."""

    processor: str
    system: str
    versions: str
    date: str
    load: str


@dataclass
class Report:
    """Everything that one run has found."""

    machine: Machine
    bench: Bench
    waits: int
    pure: list[dict[str, object]] = field(default_factory=list)

    def to_json(self) -> str:
        told = {
            "machine": vars(self.machine),
            "unit": "nanoseconds for one item, a round each",
            "results": [
                {"job": one.job, "size": one.size, "samples": one.samples}
                for one in self.bench.results
            ],
            "memory": {"unit": "bytes for one service", **self.bench.memory},
            "pure": self.pure,
        }
        return json.dumps(told, indent=1) + "\n"

    def to_text(self) -> str:
        """The tables, for a terminal."""
        return "\n".join([*self._ratios("c", ALL), "", *self._against(), "", *self._rest()])

    def to_markdown(self, chart: str) -> str:
        machine = self.machine
        lines = [
            "# Performance",
            "",
            "Written by `make bench`: change it there, not here. Under Wine each call is a message",
            "between three processes, about a third of a millisecond long; only the ratios say",
            "something about Windows, and they were measured in turns, in one run.",
            "",
            f"{'; '.join(filter(None, vars(machine).values()))}.",
            "",
            f"![Ratios to C]({chart})",
            "",
            "## Beside C",
            "",
            "The median of the rounds' ratios to C, with quartiles; C's own median in front.",
            "",
            *self._ratios("c", ALL),
            "",
            EXPLAINED.format(waits=self.waits),
            "## winsvc beside pywin32 and psutil",
            "",
            *self._against(),
            "",
            *self._rest(),
        ]
        return "\n".join(lines).rstrip() + "\n"

    def to_svg(self) -> str:
        """Bars: how many times as long as C each library takes."""
        groups: list[Group] = []
        for result in self.bench.results:
            if result.job not in ("list", "config", "levels", "open", "status"):
                continue
            bars: list[Bar] = []
            for who in ALL[1:]:
                if (ratio := result.ratio(who, "c")) is not None:
                    bars.append(Bar(TITLES[who], *ratio))
            groups.append(Group(_title(result), bars))
        return draw("Time in proportion to C (the shorter the better)", groups)

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
        lines = ["## What one service costs in a listing", ""]
        rows = [["services", "C, µs", "winsvc, µs", "winsvc's own part, µs"]]
        for result in self.bench.results:
            if result.job == "list":
                both = zip(result.samples["winsvc"], result.samples["c"], strict=True)
                own = statistics.median(one - other for one, other in both)
                numbers = (result.median("c"), result.median("winsvc"), own)
                rows.append([str(result.size), *(f"{n / result.size / 1000:.2f}" for n in numbers)])
        lines += _table(rows)
        lines += ["", "## Memory", ""]
        lines += [
            "Of one service in the longest listing: what Python has allocated for it; in C the"
        ]
        lines += ["buffer.", ""]
        rows = [["library", "bytes"]]
        rows += [[TITLES[who], f"{number:.0f}"] for who, number in self.bench.memory.items()]
        lines += _table(rows)
        if self.pure:
            lines += ["", "## Without Windows", ""]
            lines += [
                "Plain Python on the machine itself, in proportion to a loop of plain Python:"
            ]
            lines += ["`tests/portable/test_speed.py` fails where one is over its limit.", ""]
            rows = [["job", "ratio", "limit"]]
            for one in self.pure:
                limit = one["limit"]
                rows.append([str(one["job"]), f"{one['ratio']:.2f}", f"{limit or ''}"])
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
    """As Markdown, with columns under one another."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return [lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]]


def write(report: Report, folder: Path) -> None:
    """performance.md, .svg and .json."""
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, text in (
        ("json", report.to_json()),
        ("svg", report.to_svg()),
        ("md", report.to_markdown("performance.svg")),
    ):
        (folder / f"performance.{suffix}").write_text(text, "utf-8", newline="\n")
