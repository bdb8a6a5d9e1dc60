"""The planned and the actual line as SVG.

Drawn here rather than by a chart library: two polylines and a scale, in the page's own type, whose labels stay text in HTML
and PDF, and the same line gives the same text, so that a report can be compared with itself.
"""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil
from typing import Final

from services.core.schedule.standing_words import Words
from services.report.core.model import Line, Series

WIDTH: Final = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 30.0, 18.0, 8.0, 16.0
_PLAN, _ACTUAL, _TARGET, _GRID, _INK = "#6b7480", "#1a56a0", "#1f7a4d", "#e4e7ec", "#444"


def chart(line: Line, day: date, words: Words, *, height: float) -> str:
    """Return an ``<svg>`` *height* units high (WIDTH wide): plan dashed grey, figures solid blue, target dotted green.

    The dashes tell them apart in black and white too. Where there is no figure the blue line breaks.
    """
    days = [one for one, _ in (*line.planned, *line.actual)]
    if not days:
        return ""
    first, last = min(days), max(days)
    shares = [share for _, share in (*line.planned, *line.actual) if share is not None]
    top = min(1.0, ceil(round(max([*shares, line.row["target"] or 0.0]) * 10.4, 6)) / 10) or 0.1
    span = max((last - first).days, 1)

    def x(at: date) -> float:
        return _LEFT + (at - first).days / span * (WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return _TOP + (1 - min(share, top) / top) * (height - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" role="img" font-size="8" '
        f'font-family="Noto Sans, DejaVu Sans, sans-serif" fill="{_INK}">'
    ]
    for quarter in range(3):
        share = top * quarter / 2
        parts.append(
            f'<line x1="{_LEFT:g}" x2="{WIDTH - _RIGHT:g}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="{_GRID}"/>'
            f'<text x="{_LEFT - 3:g}" y="{y(share) + 3:.1f}" text-anchor="end">{words.number(share * 100, 0)} %</text>'
        )
    for at in _months(first, last):
        parts.append(
            f'<text x="{x(at):.1f}" y="{height - 4:g}" text-anchor="middle">{at:%m/%Y}</text>'
            f'<line x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{y(0):.1f}" y2="{y(0) + 3:.1f}" stroke="{_PLAN}"/>'
        )
    if line.row["target"] is not None:
        parts.append(
            f'<line x1="{_LEFT:g}" x2="{WIDTH - _RIGHT:g}" y1="{y(line.row["target"]):.1f}" '
            f'y2="{y(line.row["target"]):.1f}" stroke="{_TARGET}" stroke-dasharray="1.5 2.5"/>'
        )
    parts.append(
        f'<line x1="{x(day):.1f}" x2="{x(day):.1f}" y1="{_TOP:g}" y2="{y(0):.1f}" stroke="#b0b8c2" stroke-width="0.7"/>'
    )
    for series, look in (
        (line.planned, f'stroke="{_PLAN}" stroke-width="1.2" stroke-dasharray="5 3"'),
        (line.actual, f'stroke="{_ACTUAL}" stroke-width="2"'),
    ):
        for run in _runs(series):
            points = " ".join(f"{x(at):.1f},{y(share):.1f}" for at, share in _thinned(run))
            parts.append(f'<polyline fill="none" points="{points}" {look}/>')
    known = [(at, share) for at, share in line.actual if share is not None]
    if known:
        at, share = known[-1]
        parts.append(f'<circle cx="{x(at):.1f}" cy="{y(share):.1f}" r="2.8" fill="{_ACTUAL}"/>')
    return "".join(parts) + "</svg>"


def _months(first: date, last: date) -> list[date]:
    found, at = [], first.replace(day=1)
    while at <= last:
        if at >= first:
            found.append(at)
        at = (at + timedelta(days=32)).replace(day=1)
    return found[:: max(1, ceil(len(found) / 8))]


def _runs(series: Series) -> list[list[tuple[date, float]]]:
    runs: list[list[tuple[date, float]]] = [[]]
    for at, share in series:
        if share is None:
            runs.append([])
        else:
            runs[-1].append((at, share))
    return [run for run in runs if run]


def _thinned(run: list[tuple[date, float]]) -> list[tuple[date, float]]:
    """Leave out the points that lie on the line between their neighbours: the drawing is the same without them."""
    kept = run[:1]
    for before, (at, share) in enumerate(run[1:-1]):
        middle = (run[before][1] + run[before + 2][1]) / 2
        if abs(share - middle) > 1e-9:
            kept.append((at, share))
    return kept + run[-1:] if len(run) > 1 else kept
