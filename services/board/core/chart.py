"""Plan and actual of one indicator as a small SVG without scripts and styles, so that a strict page may hold it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from math import ceil
from typing import Final

from services.core.schedule.standing_words import Words

_WIDTH, _HEIGHT = 420.0, 170.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 46.0, 22.0, 10.0, 24.0
_PLAN, _ACTUAL, _TARGET, _GRID, _INK = "#5d6773", "#1a56a0", "#1f7a4d", "#e4e7ec", "#333b45"
_MOST: Final = 180  # points of a line

Series = Sequence[tuple[date, float | None]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """What is drawn: shares of 1 by day; where there is no figure the line breaks."""

    planned: Series
    actual: Series
    target: float | None
    day: date  # the day judged


def draw(lines: Lines, words: Words, *, label: str) -> str:
    """Return an ``<svg>`` that *label* describes: plan dashed grey, figures solid blue, target dotted green."""
    days = [day for day, _ in (*lines.planned, *lines.actual)]
    if not days:
        return ""
    first, last = min(days), max(days)
    shares = [share for _, share in (*lines.planned, *lines.actual) if share is not None]
    top = min(1.0, ceil(round(max([*shares, lines.target or 0.0]) * 10.4, 6)) / 10) or 0.1
    span = max((last - first).days, 1)

    def x(day: date) -> float:
        return _LEFT + (day - first).days / span * (_WIDTH - _LEFT - _RIGHT)

    def y(share: float) -> float:
        return _TOP + (1 - min(share, top) / top) * (_HEIGHT - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" font-size="12" '
        f'aria-label="{escape(label)}" fill="{_INK}">'
    ]
    for share in (0.0, top / 2, top):
        parts.append(
            f'<line x1="{_LEFT:g}" x2="{_WIDTH - _RIGHT:g}" y1="{y(share):.1f}" y2="{y(share):.1f}" stroke="{_GRID}"/>'
            f'<text x="{_LEFT - 5:g}" y="{y(share) + 4:.1f}" text-anchor="end">{words.number(share * 100, 0)} %</text>'
        )
    for month in _months(first, last):
        parts.append(f'<text x="{x(month):.1f}" y="{_HEIGHT - 6:g}" text-anchor="middle">{month:%m/%Y}</text>')
    if lines.target is not None:
        at = f"{y(lines.target):.1f}"
        parts.append(
            f'<line x1="{_LEFT:g}" x2="{_WIDTH - _RIGHT:g}" y1="{at}" y2="{at}" stroke="{_TARGET}" stroke-width="1.5" '
            f'stroke-dasharray="2 3"/>'
        )
    parts.append(
        f'<line x1="{x(lines.day):.1f}" x2="{x(lines.day):.1f}" y1="{_TOP:g}" y2="{y(0):.1f}" stroke="#b0b8c2"/>'
    )
    for series, look in (
        (lines.planned, f'stroke="{_PLAN}" stroke-width="2" stroke-dasharray="7 4"'),
        (lines.actual, f'stroke="{_ACTUAL}" stroke-width="3"'),
    ):
        for run in _runs(series):
            points = " ".join(f"{x(day):.1f},{y(share):.1f}" for day, share in run)
            parts.append(f'<polyline fill="none" points="{points}" {look}/>')
    known = [(day, share) for day, share in lines.actual if share is not None]
    if known:
        parts.append(f'<circle cx="{x(known[-1][0]):.1f}" cy="{y(known[-1][1]):.1f}" r="4.5" fill="{_ACTUAL}"/>')
    return "".join(parts) + "</svg>"


def _months(first: date, last: date) -> list[date]:
    found, month = [], first.replace(day=1)
    while month <= last:
        if month >= first:
            found.append(month)
        month = (month + timedelta(days=32)).replace(day=1)
    return found[:: max(1, ceil(len(found) / 5))]


def _runs(series: Series) -> list[list[tuple[date, float]]]:
    runs: list[list[tuple[date, float]]] = [[]]
    step = max(1, ceil(len(series) / _MOST))
    for at, (day, share) in enumerate(series):
        if share is None:
            runs.append([])
        elif at % step == 0 or at == len(series) - 1:
            runs[-1].append((day, share))
    return [run for run in runs if run]
