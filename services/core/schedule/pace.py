"""Paces and the forecast that follows from them.

The recent pace is the median of the slopes between all pairs of days (H. Theil, 1950; P. K. Sen, "Estimates of the
regression coefficient based on Kendall's tau", JASA 63, 1968): a few odd days do not move it. What its range has to hold is
not the noise of these days but the turns that courses take, which no test of four weeks knows: it goes from half of the slower
to double the faster of the recent pace and that of twelve weeks (docs/adr/0029-range-of-the-forecast.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW: Final = 28  # days that the recent pace looks back, the day itself included
LONG: Final = 84  # days that the pace of twelve weeks looks back, the day itself included
FEWEST: Final = 7  # days with a ratio below which there is no recent pace
FACTOR: Final = 2  # the range ends at the slower pace divided by it, and at the faster one times it
HORIZON: Final = timedelta(days=3653)  # a forecast further off is given as this far off: ten years
FLAT: Final = 1e-12  # a figure counts in whole cases, so a slope up to this is rounding, not movement

_AT_ONCE: Final = 1024  # windows whose slopes are held at a time: they fit the processor's cache


@dataclass(frozen=True, slots=True)
class Pace:
    """A recent pace in shares per day with the range in which the pace from here on is looked for: low ≤ slope ≤ high."""

    slope: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """The day on which the target is reached at the recent pace; at the fastest pace of its range; at the slowest.

    None: never. A day ten years off means then or later.
    """

    day: date | None
    low: date | None
    high: date | None


def needed_pace(*, target: Fraction, actual: Fraction, day: date, deadline: date) -> Fraction | None:
    """Return the shares per day that reach the target on the deadline; 0 once reached, None from the deadline on."""
    left = (deadline - day).days
    if left <= 0:
        return None
    return max(Fraction(0), (target - actual) / left)


def recent_paces(ratios: Sequence[float | None]) -> list[Pace | None]:
    """Return the recent pace at each of consecutive days; *ratios* holds one value per day, None where there is none.

    None where the 28 days that end there hold fewer than seven ratios, or none on the day itself. The range needs no more
    than that: the pace of twelve weeks goes from the earliest ratio of these 84 days to the last, be it six days.
    """
    if not ratios:
        return []
    series = np.array([math.nan if ratio is None else ratio for ratio in ratios], dtype=np.float64)
    padded = np.concatenate([np.full(LONG - 1, math.nan), series])
    found = paces_of_windows(np.lib.stride_tricks.sliding_window_view(padded, LONG))
    return [None if math.isnan(pace[0]) else Pace(*pace) for pace in found.T.tolist()]


def paces_of_windows(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return pace, low and high (three rows) at the end of each of *windows* (n × 84, NaN where there is no ratio).

    NaN where :func:`recent_paces` gives None; the same floats otherwise. Before the last 28 days only the earliest ratio is
    looked at.
    """
    found = np.full((3, len(windows)), math.nan)
    points = np.count_nonzero(~np.isnan(windows[:, -WINDOW:]), axis=1)
    wanted = np.flatnonzero((points >= FEWEST) & ~np.isnan(windows[:, -1]))
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        rows = windows[some]
        recent, whole = _theil_sen(rows[:, -WINDOW:], points[some]), _since_earliest(rows)
        slower, faster = np.minimum(recent, whole), np.maximum(recent, whole)
        found[0, some] = recent
        # A pace that does not rise never arrives; half of a fall would be a slower fall.
        found[1, some] = np.minimum(slower, slower / FACTOR)
        found[2, some] = np.maximum(faster, faster * FACTOR)
    return found


def _theil_sen(windows: NDArray[np.float64], points: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the median of the pairwise slopes of every row."""
    slopes = np.concatenate([(windows[:, lag:] - windows[:, :-lag]) / lag for lag in range(1, WINDOW)], axis=1)
    slopes.sort(axis=1)  # gaps sort to the end
    pairs = points * (points - 1) // 2
    rows = np.arange(len(windows))
    median: NDArray[np.float64] = (slopes[rows, (pairs - 1) // 2] + slopes[rows, pairs // 2]) / 2
    return median


def _since_earliest(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slope from the earliest ratio of every row to its last."""
    earliest = np.argmin(np.isnan(windows), axis=1)
    gained = windows[:, -1] - windows[np.arange(len(windows)), earliest]
    slope: NDArray[np.float64] = gained / (windows.shape[1] - 1 - earliest)
    return slope


def forecast(*, target: Fraction, actual: Fraction, day: date, pace: Pace | None) -> Forecast:
    """Return when the target is reached at the recent pace: the day itself where it is, None where the pace never does."""
    if actual >= target:
        return Forecast(day, day, day)
    if pace is None:
        return Forecast(None, None, None)
    missing = float(target - actual)
    return Forecast(
        _reached(missing, pace.slope, day), _reached(missing, pace.high, day), _reached(missing, pace.low, day)
    )


def _reached(missing: float, slope: float, day: date) -> date | None:
    if slope <= FLAT:
        return None
    days = missing / slope
    if days >= HORIZON.days:
        return day + HORIZON
    return day + timedelta(days=math.ceil(days - 1e-6))
