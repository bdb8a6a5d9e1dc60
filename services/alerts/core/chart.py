"""A small chart of plan and actual as a PNG, drawn with numpy: mail programs show no SVG and load nothing from afar.

The picture carries no letters; the mail puts the scale beside it, so that it can be read aloud and translated.
"""

from __future__ import annotations

import struct
import zlib
from datetime import date
from functools import cache
from itertools import pairwise
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.alerts.core.letter import Course

Canvas = NDArray[np.float32]
Colour = tuple[int, int, int]

WIDTH: Final = 1072  # twice the width at which it is shown, for sharp screens
HEIGHT: Final = 300
_EDGE: Final = 12
_DASH: Final = 11  # as long as this, one every …
_DASHES: Final = 22
_DASH_WIDTH: Final = 3.0
_STRAIGHT: Final = 1e-6  # twice the area, in pixels, of a triangle that is a line

_PAPER: Final[Colour] = (255, 255, 255)
_GRID: Final[Colour] = (228, 231, 236)
_PLAN: Final[Colour] = (120, 130, 145)
_ACTUAL: Final[Colour] = (26, 86, 160)
_GAP: Final[Colour] = (247, 218, 214)
_TODAY: Final[Colour] = (190, 198, 208)
_TARGET: Final[Colour] = (31, 122, 77)


def top_of_scale(course: Course) -> float:
    """Return the share at the chart's upper edge: the least multiple of 10 % above everything drawn, 100 % at most."""
    highest = max([course.target, *(value for _, value in course.planned), *(value for _, value in course.actual)])
    return min(1.0, ceil(round(highest * 1.04, 6) * 10) / 10) or 0.1


def draw(course: Course) -> bytes:
    """Return the chart as a PNG; the plan in grey, the figures in blue, the gap between them in light red.

    Empty courses give an empty frame. The same course gives the same bytes.
    """
    canvas = _frame().copy()
    days = [day for day, _ in (*course.planned, *course.actual)]
    top = top_of_scale(course)
    if days:
        first, last = min(days), max(max(days), min(days))
        plan = _points(course.planned, first, last, top)
        actual = _points(course.actual, first, last, top)
        _shade_gap(canvas, plan, actual)
        _dashes(canvas, _y(course.target, top))
        if actual:
            _line(canvas, [(actual[-1][0], _EDGE), (actual[-1][0], HEIGHT - _EDGE)], _TODAY, 2.0)
        _line(canvas, plan, _PLAN, 4.5)
        _line(canvas, actual, _ACTUAL, 7.0)
        if actual:
            _line(canvas, [actual[-1], actual[-1]], _PAPER, 24.0)
            _line(canvas, [actual[-1], actual[-1]], _ACTUAL, 17.0)
    return _png(np.clip(canvas + 0.5, 0, 255).astype(np.uint8))


@cache
def _frame() -> Canvas:
    """Return the empty frame, which is the same whatever the scale: paper and its quarters."""
    canvas: Canvas = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
    canvas[:] = _PAPER
    for share in range(5):
        _line(canvas, [(_EDGE, _y(share / 4, 1)), (WIDTH - _EDGE, _y(share / 4, 1))], _GRID, 2.0)
    return canvas


def _y(share: float, top: float) -> float:
    return _EDGE + (1 - share / top) * (HEIGHT - 2 * _EDGE)


def _points(course: tuple[tuple[date, float], ...], first: date, last: date, top: float) -> list[tuple[float, float]]:
    span = max((last - first).days, 1)
    return _thinned(
        [(_EDGE + (day - first).days / span * (WIDTH - 2 * _EDGE), _y(value, top)) for day, value in course]
    )


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out points that lie on the straight line between their neighbours: most of a plan's, many of a figure's."""
    kept = points[:1]
    for here, after in pairwise(points[1:]):
        (x0, y0), (x1, y1), (x2, y2) = kept[-1], here, after
        if abs((x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)) > _STRAIGHT:
            kept.append(here)
    return kept + points[len(points) - 1 :] if len(points) > 1 else kept


def _blend(area: Canvas, alpha: NDArray[np.float64], colour: Colour) -> None:
    touched = np.nonzero(alpha)  # a line covers few of the pixels around it
    shade = alpha[touched][:, None].astype(np.float32)
    area[touched] = area[touched] * (1 - shade) + shade * np.asarray(colour, dtype=np.float32)


def _line(canvas: Canvas, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
    """Draw a line with round ends and joints; each pixel is covered by its distance to the nearest segment."""
    if not points:
        return
    reach = width / 2 + 2
    box = _box(points, reach)
    distance = np.full(canvas[box].shape[:2], np.inf, dtype=np.float64)
    for (x0, y0), (x1, y1) in zip(points, points[1:] or points, strict=False):
        rows, columns = _box([(x0, y0), (x1, y1)], reach)
        ys, xs = (at + 0.5 for at in np.ogrid[rows, columns])
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        along = np.clip(((xs - x0) * dx + (ys - y0) * dy) / length, 0, 1) if length else 0.0
        near = np.hypot(xs - x0 - along * dx, ys - y0 - along * dy)
        part = distance[
            rows.start - box[0].start : rows.stop - box[0].start,
            columns.start - box[1].start : columns.stop - box[1].start,
        ]
        np.minimum(part, near, out=part)
    _blend(canvas[box], np.clip(width / 2 + 0.5 - distance, 0, 1), colour)


def _box(points: list[tuple[float, float]], reach: float) -> tuple[slice, slice]:
    """Return the rows and columns within *reach* of the rectangle around *points*."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    rows = slice(max(0, int(min(ys) - reach)), min(HEIGHT, int(max(ys) + reach) + 1))
    return rows, slice(max(0, int(min(xs) - reach)), min(WIDTH, int(max(xs) + reach) + 1))


def _dashes(canvas: Canvas, y: float) -> None:
    """Draw a dashed line across, as :func:`_line` would each dash."""
    rows, columns = _box([(_EDGE, y), (WIDTH - _EDGE, y)], _DASH_WIDTH / 2 + 2)
    ys, xs = (at + 0.5 for at in np.ogrid[rows, columns])
    into = (xs - _EDGE) % _DASHES
    right = np.minimum(into - _DASH, _DASHES - into)  # to the nearest dash's end, negative within one
    across = np.hypot(np.maximum(right, 0), ys - y)
    _blend(canvas[rows, columns], np.clip(_DASH_WIDTH / 2 + 0.5 - across, 0, 1), _TARGET)


def _shade_gap(canvas: Canvas, plan: list[tuple[float, float]], actual: list[tuple[float, float]]) -> None:
    if len(plan) < 2 or len(actual) < 2:
        return
    xs = np.arange(int(actual[0][0]), int(actual[-1][0]) + 1) + 0.5
    upper = np.interp(xs, *np.array(plan).T)
    lower = np.interp(xs, *np.array(actual).T)
    rows = np.arange(HEIGHT)[:, None] + 0.5
    inside = np.clip(np.minimum(rows - upper, lower - rows) + 0.5, 0, 1)
    _blend(canvas[:, int(xs[0]) : int(xs[-1]) + 1], inside, _GAP)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    height, width, _ = pixels.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, width * 3)], axis=1)

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
