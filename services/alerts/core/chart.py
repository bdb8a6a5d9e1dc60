"""A small chart of plan and actual as a PNG, drawn with numpy: mail programs show no SVG and load nothing from afar.

The picture carries no letters; the mail puts the scale beside it, so that it can be read aloud and translated.
"""

from __future__ import annotations

import struct
import zlib
from datetime import date
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
    canvas: Canvas = np.empty((HEIGHT, WIDTH, 3), dtype=np.float32)
    canvas[:] = _PAPER
    days = [day for day, _ in (*course.planned, *course.actual)]
    top = top_of_scale(course)
    for share in range(5):
        _line(canvas, [(_EDGE, _y(top * share / 4, top)), (WIDTH - _EDGE, _y(top * share / 4, top))], _GRID, 2.0)
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


def _y(share: float, top: float) -> float:
    return _EDGE + (1 - share / top) * (HEIGHT - 2 * _EDGE)


def _points(course: tuple[tuple[date, float], ...], first: date, last: date, top: float) -> list[tuple[float, float]]:
    span = max((last - first).days, 1)
    return [(_EDGE + (day - first).days / span * (WIDTH - 2 * _EDGE), _y(value, top)) for day, value in course]


def _blend(area: Canvas, alpha: NDArray[np.float64], colour: Colour) -> None:
    shade = alpha[..., None].astype(np.float32)
    area *= 1 - shade
    area += shade * np.asarray(colour, dtype=np.float32)


def _line(canvas: Canvas, points: list[tuple[float, float]], colour: Colour, width: float) -> None:
    """Draw a line with round ends and joints; each pixel is covered by its distance to the nearest segment."""
    if not points:
        return
    reach = width / 2 + 2
    box = _box(points, reach)
    distance = np.full(canvas[box].shape[:2], np.inf, dtype=np.float64)
    for (x0, y0), (x1, y1) in zip(points, points[1:] or points, strict=False):
        rows, columns = _box([(x0, y0), (x1, y1)], reach)
        ys, xs = np.mgrid[rows, columns] + 0.5
        dx, dy = x1 - x0, y1 - y0
        length = dx * dx + dy * dy
        along = np.clip(((xs - x0) * dx + (ys - y0) * dy) / length, 0, 1) if length else np.zeros_like(xs)
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
    for start in range(_EDGE, WIDTH - _EDGE, 22):
        _line(canvas, [(start, y), (min(start + 11, WIDTH - _EDGE), y)], _TARGET, 3.0)


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
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
