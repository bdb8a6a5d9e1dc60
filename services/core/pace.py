"""Paces and the forecast that follows from them.

The recent pace is the median of the slopes between all pairs of days (H. Theil, 1950; P. K. Sen, "Estimates of the
regression coefficient based on Kendall's tau", JASA 63, 1968): a few odd days do not move it. Its confidence limits are
Sen's, from the variance of Kendall's S with ties (M. G. Kendall, Rank Correlation Methods, 1970). They assume independent
days; adoption figures of neighbouring days share their cases, so the range is narrower than its name says.
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
FEWEST: Final = 7  # days with a ratio below which there is no recent pace
Z: Final = 1.6448536269514722  # two-sided 90 %
HORIZON: Final = timedelta(days=3653)  # a forecast further off is given as this far off: ten years
FLAT: Final = 1e-12  # a figure counts in whole cases, so a slope up to this is rounding, not movement

_AT_ONCE: Final = 1024  # windows whose slopes are held at a time: they fit the processor's cache


@dataclass(frozen=True, slots=True)
class Pace:
    """A recent pace in shares per day with its confidence limits."""

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

    None where the 28 days that end there hold fewer than seven ratios, or none on the day itself.
    """
    if not ratios:
        return []
    series = np.array([math.nan if ratio is None else ratio for ratio in ratios], dtype=np.float64)
    padded = np.concatenate([np.full(WINDOW - 1, math.nan), series])
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)
    points = np.count_nonzero(~np.isnan(windows), axis=1)
    wanted = np.flatnonzero((points >= FEWEST) & ~np.isnan(series))
    paces: list[Pace | None] = [None] * len(ratios)
    if wanted.size == 0:
        return paces
    slope, low, high = _theil_sen(windows[wanted], points[wanted])
    for row, at in enumerate(wanted.tolist()):
        paces[at] = Pace(float(slope[row]), float(low[row]), float(high[row]))
    return paces


def paces_of_windows(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return pace, lower and upper limit (three rows) at the end of each of *windows* (n × 28, NaN where there is no ratio).

    NaN where :func:`recent_paces` gives None; the same floats otherwise.
    """
    found = np.full((3, len(windows)), math.nan)
    points = np.count_nonzero(~np.isnan(windows), axis=1)
    wanted = np.flatnonzero((points >= FEWEST) & ~np.isnan(windows[:, -1]))
    for at in range(0, len(wanted), _AT_ONCE):
        some = wanted[at : at + _AT_ONCE]
        found[:, some] = _theil_sen(windows[some], points[some])
    return found


def _theil_sen(
    windows: NDArray[np.float64], points: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return median, lower and upper limit of the pairwise slopes of every row."""
    slopes = np.concatenate([(windows[:, lag:] - windows[:, :-lag]) / lag for lag in range(1, WINDOW)], axis=1)
    slopes.sort(axis=1)  # gaps sort to the end
    pairs = points * (points - 1) // 2
    rows = np.arange(len(windows))
    median = (slopes[rows, (pairs - 1) // 2] + slopes[rows, pairs // 2]) / 2
    # Kendall's variance of S; each point of a group of t equal values brings (t − 1)(2t + 5), which sums to t of them.
    equal = np.count_nonzero(windows[:, :, None] == windows[:, None, :], axis=2)
    ties = np.where(equal > 0, (equal - 1) * (2 * equal + 5), 0).sum(axis=1)
    variance = (points * (points - 1) * (2 * points + 5) - ties) / 18
    reach = Z * np.sqrt(variance)
    lower = np.clip(np.floor((pairs - reach) / 2).astype(np.int64) - 1, 0, pairs - 1)
    upper = np.clip(np.ceil((pairs + reach) / 2).astype(np.int64), 0, pairs - 1)
    return median, slopes[rows, lower], slopes[rows, upper]


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
