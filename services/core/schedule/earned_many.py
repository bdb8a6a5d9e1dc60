"""Earned schedule of many cells, exact: as quotients of whole numbers that floats hold, so that one division rounds once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.schedule.figures_many import EXACT
from services.core.schedule.trajectory import Curve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_MOST: Final = 1 << 40  # what a curve's own numbers may be before its cells are left to the scalar path


@dataclass(frozen=True, slots=True)
class Quotients:
    """``above`` ÷ ``below``, both exact as floats where ``sure``; elsewhere only the scalar path knows."""

    above: Ints
    below: Ints
    sure: Bools


class Schedules:
    """The pieces of curves in whole numbers. A curve that bends or accrues on working days is not ``plain``."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        width = max((len(curve.pieces) for curve in curves), default=0)
        shape = (width, len(curves))
        self.span = np.array([curve.span for curve in curves], dtype=np.int64)
        self.plain = np.ones(len(curves), dtype=np.bool_)
        self._x0 = np.tile(self.span, (width, 1)) if width else np.zeros(shape, dtype=np.int64)
        self._x1 = self._x0.copy()
        self._y0, self._y1 = np.ones(shape), np.ones(shape)
        self._a0, self._b0 = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
        self._k, self._r = np.zeros(shape, dtype=np.int64), np.ones(shape, dtype=np.int64)
        for at, curve in enumerate(curves):
            self.plain[at] = curve.time is None and bool(curve.pieces)
            for row, piece in enumerate(curve.pieces):
                rise = piece.y1 - piece.y0
                a0, b0 = piece.y0.as_integer_ratio()
                k, r = ((piece.x1 - piece.x0) * rise.denominator, b0 * rise.numerator) if rise else (0, 1)
                common = gcd(k, r) or 1
                if piece.smooth or max(abs(a0), b0, k // common, r // common) > _MOST:
                    self.plain[at] = False
                    continue
                self._x0[row, at], self._x1[row, at] = piece.x0, piece.x1
                self._y0[row, at], self._y1[row, at] = float(piece.y0), float(piece.y1)
                self._a0[row, at], self._b0[row, at] = a0, b0
                self._k[row, at], self._r[row, at] = k // common, r // common

    def earned(
        self, curve: Ints, day: Ints, ratio: Floats, exact: tuple[Ints, Ints], below: Bools, reached: Bools
    ) -> Quotients:
        """Return what each *ratio*, exactly the quotient of *exact*, has earned on *day* (see ``services.core.schedule.earned``).

        *below*: it lies below the planned value; *reached*: it is the target or more. No ratio may lie so near a value of
        its curve that floats cannot tell them apart.
        """
        above, under = exact
        whole, row = self._where(curve, ratio, below)
        inside = row >= 0
        at = np.maximum(row, 0)
        if len(self._x0):
            a0, b0 = self._a0[at, curve], self._b0[at, curve]
            k, r, x0 = self._k[at, curve], self._r[at, curve], self._x0[at, curve]
        else:
            a0, b0, k, r, x0 = (np.zeros(len(curve), dtype=np.int64) for _ in range(5))
        lift = above.astype(np.float64) * b0 + np.abs(a0).astype(np.float64) * under
        size = lift * k + (under.astype(np.float64) * r) * (np.abs(day) + x0 + 1.0)
        sure = self.plain[curve] & (size < EXACT)
        inside &= sure
        safe = np.where(inside, under, 1)
        bottom = np.where(inside, safe * np.where(inside, r, 1), 1)
        top = np.where(inside, (np.where(inside, above, 0) * b0 - a0 * safe) * np.where(inside, k, 0), 0)
        schedule = np.where(inside, top + x0 * bottom, whole)
        # On or above plan nothing earlier than the day itself is earned.
        early = ~below & (schedule < day * bottom)
        schedule, bottom = np.where(early, day, schedule), np.where(early, 1, bottom)
        schedule = np.where(reached, self.span[curve], schedule)
        return Quotients(schedule, np.where(reached, 1, bottom), sure)

    def _where(self, curve: Ints, ratio: Floats, below: Bools) -> tuple[Ints, Ints]:
        """Return the whole day earned, and the piece in which the ratio lies instead, -1 where the day is it."""
        whole, row_of = self.span[curve].copy(), np.full(len(curve), -1, dtype=np.int64)
        waiting = np.ones(len(curve), dtype=np.bool_)
        best = np.full(
            len(curve), -1, dtype=np.int64
        )  # of those on or above plan: the last piece that begins at or below
        for row in range(len(self._x0)):
            x0, x1 = self._x0[row, curve], self._x1[row, curve]
            y0, y1 = self._y0[row, curve], self._y1[row, curve]
            real = waiting & (x1 > x0)
            above = real & (y0 > ratio)
            within = real & ~above & (y1 > ratio)
            whole = np.where(above & below, x0, whole)
            row_of = np.where(within, row, row_of)
            best = np.where(real & ~above & ~within, row, best)
            waiting &= ~(above | within)
        # On or above plan and in no piece: the greatest planned value that is not above it is where a piece ended.
        rest = ~below & (row_of < 0)
        if rest.any():
            whole = np.where(rest, self._first_reaching(curve, best, rest), whole)
        return whole, row_of

    def _first_reaching(self, curve: Ints, best: Ints, rest: Bools) -> Ints:
        """Return the day on which the planned value first is what it is at the end of piece *best*."""
        found = np.where(best >= 0, self._x1[np.maximum(best, 0), curve], 0)
        level = self._y1[np.maximum(best, 0), curve]
        for row in range(len(self._x0) - 1, -1, -1):
            same = rest & (row <= best) & (self._x1[row, curve] > self._x0[row, curve])
            reaches = same & (self._y1[row, curve] >= level)
            starts = reaches & (self._y0[row, curve] >= level)
            found = np.where(starts, self._x0[row, curve], np.where(reaches, self._x1[row, curve], found))
        return found
