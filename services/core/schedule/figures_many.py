"""Exact figures of many agencies and days in arrays: integers as far as 64 bits hold them, fractions where they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SCALE = 10_000  # counts are kept in ten-thousandths, as the tables hold them
EXACT = float(1 << 53)  # whole numbers below are exact as floats, so that one division rounds once
_WORD = float(1 << 62)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Arrays of agencies × consecutive days.

    The exact ratio is ``above`` ÷ ``below``, in lowest terms; ``below`` is 0 where there is no figure, and where ``hard`` has
    the ratio because it does not fit. ``ratio``: its float, correctly rounded, NaN where there is none. ``done``, ``of``: the
    counts in ten-thousandths, None for a mean. ``shares``: of each part with its weight, the measured share.
    """

    above: Ints
    below: Ints
    hard: dict[tuple[int, int], Fraction]
    ratio: Floats
    few: Bools
    done: Ints | None
    of: Ints | None
    shares: tuple[tuple[Floats, Decimal], ...]

    def exact(self, agency: int, day: int) -> Fraction:
        """Return the exact ratio of a cell that has one."""
        found = self.hard.get((agency, day))
        return Fraction(int(self.above[agency, day]), int(self.below[agency, day])) if found is None else found

    def measured(self, agency: int, day: int) -> float | None:
        """Return the measured share of a cell that has a ratio; of a mean None where a part has none."""
        if self.done is not None:
            return float(self.shares[0][0][agency, day])
        # The sum is Python's, as in mean_of: newer versions round it otherwise than arrays do.
        found = [(float(share[agency, day]), float(weight)) for share, weight in self.shares]
        if any(math.isnan(share) for share, _ in found):
            return None
        total = sum((Fraction(weight) for _, weight in self.shares), Fraction(0))
        return sum([share * weight for share, weight in found]) / float(total)


def no_figures(agencies: int, days: int) -> Figures:
    """Return figures of which there are none."""
    nothing = np.zeros((agencies, days), dtype=np.int64)
    return figures_of_many(nothing, nothing, np.full((agencies, days), math.nan), minimum=0)


def figures_of_many(done: Ints, of: Ints, share: Floats, *, minimum: int) -> Figures:
    """Return the figures of counts in ten-thousandths, *of* being 0 where there are none (see ``figure_of``)."""
    known = of != 0
    common = np.where(known, np.gcd(done, of), 1)
    above, below = np.where(known, done // common, 0), np.where(known, of // common, 0)
    ratio = np.divide(above, below, out=np.full(of.shape, math.nan), where=known)
    hard = {}
    for agency, day in np.argwhere((np.abs(above) >= EXACT) | (below >= EXACT)).tolist():
        hard[agency, day] = Fraction(int(done[agency, day]), int(of[agency, day]))
        ratio[agency, day] = float(hard[agency, day])
        above[agency, day] = below[agency, day] = 0
    return Figures(
        above=above,
        below=below,
        hard=hard,
        ratio=ratio,
        few=known & (of < minimum * SCALE),
        done=np.where(known, done, 0),
        of=of,
        shares=((share, Decimal(1)),),
    )


def mean_of_many(parts: Sequence[tuple[Figures, Decimal]]) -> Figures:
    """Return the weighted mean of (figures, weight), see ``mean_of``. There is at least one part."""
    shape = parts[0][0].ratio.shape
    weights = [Fraction(weight) for _, weight in parts]
    unit = math.lcm(*(weight.denominator for weight in weights))
    whole = [int(weight * unit) for weight in weights]
    known = np.logical_and.reduce([~np.isnan(one.ratio) for one, _ in parts])
    fits = np.logical_and.reduce([one.below > 0 for one, _ in parts])
    size = np.full(shape, float(sum(whole)))
    for one, _ in parts:
        size *= np.maximum(np.maximum(one.below, np.abs(one.above)), 1).astype(np.float64)
    fits &= size < _WORD
    above, below = np.zeros(shape, dtype=np.int64), np.full(shape, sum(whole), dtype=np.int64)
    for at, (one, _) in enumerate(parts):
        term = np.where(fits, one.above, 0) * whole[at]
        for other, (rest, _) in enumerate(parts):
            if other != at:
                term *= np.where(fits, rest.below, 1)
        above += term
        below *= np.where(fits, one.below, 1)
    common = np.where(fits, np.gcd(above, below), 1)
    above, below = np.where(fits, above // common, 0), np.where(fits, below // common, 0)
    large = (np.abs(above) >= EXACT) | (below >= EXACT)
    ratio = np.divide(above, below, out=np.full(shape, math.nan), where=fits & ~large)
    hard = {}
    for agency, day in np.argwhere(known & (~fits | large)).tolist():
        exact = sum(
            (one.exact(agency, day) * weight for (one, _), weight in zip(parts, weights, strict=True)), Fraction(0)
        )
        hard[agency, day] = exact / sum(weights)
        ratio[agency, day] = float(hard[agency, day])
        above[agency, day] = below[agency, day] = 0
    return Figures(
        above=above,
        below=below,
        hard=hard,
        ratio=ratio,
        few=known & np.logical_or.reduce([one.few for one, _ in parts]),
        done=None,
        of=None,
        shares=tuple((one.shares[0][0], weight) for one, weight in parts),
    )
