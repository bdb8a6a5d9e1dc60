"""Planned values of many curves in arrays, and their inverse: earned schedule for many cells at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.schedule.trajectory import Curve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CLOSE: Final = 1e-9  # shares closer than this are compared exactly
_STEEP: Final = 1e5  # days per share above which rounding could show in the days


class Curves:
    """Curves of one start and deadline. ``exact`` are the curves themselves, ``span`` the days from start to deadline.

    ``target`` is a share per curve. Raises ValueError where starts or deadlines differ, or where
    one accrues on working days only.
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        if any(curve.time is not None for curve in curves):
            raise ValueError("a curve that accrues on working days is computed by itself")
        if len({(curve.start, curve.deadline) for curve in curves}) > 1:
            raise ValueError("curves of several plans are judged apart")
        self.exact = tuple(curves)
        self.span = curves[0].span if curves else 0
        self.target = np.array([float(curve.target) for curve in curves], dtype=np.float64)
        self._initial = np.array([float(curve.initial) for curve in curves], dtype=np.float64)
        width = max((len(curve.pieces) for curve in curves), default=0)
        shape = (width, len(curves))
        # A curve with fewer pieces than others ends in empty ones at its deadline.
        self._x0, self._x1 = np.full(shape, float(self.span)), np.full(shape, float(self.span))
        self._y0, self._y1 = np.tile(self.target, (width, 1)), np.tile(self.target, (width, 1))
        self._smooth = np.zeros(shape, dtype=np.bool_)
        self._awkward = np.array([_awkward(curve) for curve in curves], dtype=np.bool_)
        for at, curve in enumerate(curves):
            for row, piece in enumerate(curve.pieces):
                self._x0[row, at], self._x1[row, at] = piece.x0, piece.x1
                self._y0[row, at], self._y1[row, at] = float(piece.y0), float(piece.y1)
                self._smooth[row, at] = piece.smooth

    def planned(self, curve: Ints, day: Ints) -> Floats:
        """Return the planned value of each (curve, day after the start)."""
        value = np.where(day < 0, self._initial[curve], self.target[curve])
        for row in range(len(self._x0)):
            x0, x1 = self._x0[row, curve], self._x1[row, curve]
            y0, y1 = self._y0[row, curve], self._y1[row, curve]
            inside = (x0 <= day) & (day < x1)
            share = np.where(inside, (day - x0) / np.where(x1 > x0, x1 - x0, 1.0), 0.0)
            share = np.where(self._smooth[row, curve], share * share * (3 - 2 * share), share)
            value = np.where(inside, y0 + (y1 - y0) * share, value)
        return value

    def earned(self, curve: Ints, day: Ints, ratio: Floats) -> tuple[Floats, Bools]:
        """Return the schedule that *ratio* has earned on *day* (not before the start), and where only exact arithmetic can say.

        The cases are those of :func:`services.core.schedule.earned.earned`.
        """
        target, planned = self.target[curve], self.planned(curve, day)
        near = self._awkward[curve] | (np.abs(ratio - target) < CLOSE) | (np.abs(ratio - planned) < CLOSE)
        greatest = np.full(len(ratio), np.nan)
        stopped = np.zeros(len(ratio), dtype=np.bool_)
        for row in range(len(self._x0)):
            y0, y1 = self._y0[row, curve], self._y1[row, curve]
            real = self._x1[row, curve] > self._x0[row, curve]
            near |= real & ((np.abs(ratio - y0) < CLOSE) | (np.abs(ratio - y1) < CLOSE))
            stopped |= real & (y0 > ratio)
            greatest = np.where(real & ~stopped, np.minimum(y1, ratio), greatest)
        above, coarse_above = self._first(curve, ratio, strictly=True)
        reaching, coarse_reaching = self._first(curve, greatest, strictly=False)
        below = ratio < planned
        ahead = np.fmax(day.astype(np.float64), reaching)
        schedule = np.where(ratio >= target, float(self.span), np.where(below, above, ahead))
        return schedule, near | np.where(below, coarse_above, coarse_reaching)

    def _first(self, curve: Ints, value: Floats, *, strictly: bool) -> tuple[Floats, Bools]:
        """Return when the planned value first is above *value* (or reaches it), and where the answer is too coarse."""
        when = np.full(len(value), float(self.span))
        coarse = np.zeros(len(value), dtype=np.bool_)
        waiting = ~np.isnan(value)
        for row in range(len(self._x0)):
            x0, x1 = self._x0[row, curve], self._x1[row, curve]
            y0, y1 = self._y0[row, curve], self._y1[row, curve]
            over = np.greater if strictly else np.greater_equal
            real = waiting & (x1 > x0)
            begins = real & over(y0, value)
            within = real & ~begins & over(y1, value)
            rise = np.where(within, y1 - y0, 1.0)
            share = np.where(within, (value - y0) / rise, 0.0)
            smooth = within & self._smooth[row, curve]
            share = np.where(smooth, _inverse_s(share), share)
            when = np.where(begins, x0, np.where(within, x0 + (x1 - x0) * share, when))
            coarse |= within & ((x1 - x0) / rise > _STEEP)
            waiting &= ~(begins | within)
        return when, coarse


def _inverse_s(share: Floats) -> Floats:
    """Return x with 3x² − 2x³ = *share*: the middle root of the cubic, by its trigonometric form (Viète)."""
    root: Floats = 0.5 - np.sin(np.arcsin(np.clip(1 - 2 * share, -1.0, 1.0)) / 3)
    return root


def _awkward(curve: Curve) -> bool:
    """Two of the curve's values differ by less than floats are trusted with."""
    values = sorted({curve.initial, curve.target, *(y for piece in curve.pieces for y in (piece.y0, piece.y1))})
    return any(higher - lower < CLOSE for lower, higher in pairwise(values))
