"""A bar chart as SVG, without a drawing library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# From dark to light, so that color-blind readers can distinguish them.
COLORS = {"winsvc": "#1b4965", "drop-in": "#4f8fb0", "pywin32": "#e09f3e", "psutil": "#c9c9c9"}
LEFT, WIDTH, BAR, GAP, TOP = 190, 560, 13, 14, 66


@dataclass(frozen=True)
class Bar:
    """The median and the quartiles of a library."""

    who: str
    middle: float
    low: float
    high: float


@dataclass(frozen=True)
class Group:
    """The bars of a job."""

    title: str
    bars: Sequence[Bar]


def draw(title: str, groups: Sequence[Group], longest: float = 3.0) -> str:
    """Draw horizontal bars and a line at 1; a bar beyond the scale ends with an arrow."""
    scale = WIDTH / longest
    parts: list[str] = []
    y = TOP
    for group in groups:
        middle = y + len(group.bars) * BAR / 2 + 4
        parts.append(_text(LEFT - 10, middle, group.title, 'text-anchor="end"'))
        for bar in group.bars:
            length = min(bar.middle, longest) * scale
            parts.append(_box(LEFT, y, length, BAR - 2, COLORS[bar.who]))
            low, high = (LEFT + min(value, longest) * scale for value in (bar.low, bar.high))
            parts.append(f'<path d="M{low:.1f} {y + (BAR - 2) / 2}H{high:.1f}" stroke="#000"/>')
            more = " \N{RIGHTWARDS ARROW}" if bar.middle > longest else ""
            end = max(LEFT + length, high) + 5
            parts.append(_text(end, y + 9, f"{bar.middle:.2f}{more}", 'font-size="10"'))
            y += BAR
        y += GAP
    ratio_1 = LEFT + scale
    head = [_text(10, 22, title, 'font-size="15"')]
    for index, (who, color) in enumerate(COLORS.items()):
        x = LEFT + 110 * index
        head += [_box(x, 36, 11, 11, color), _text(x + 16, 46, who)]
    head.append(f'<path d="M{ratio_1:.1f} {TOP - 8}V{y}" stroke="#888" stroke-dasharray="3 3"/>')
    width, height = LEFT + WIDTH + 60, y + 6
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        *head,
        *parts,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'


def _box(x: float, y: float, width: float, height: float, color: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{width:.1f}" height="{height}" fill="{color}"/>'
