"""Standing of many cells at once, in arrays. A cell is one agency's figure on one day against one curve.

The scalar path (:mod:`services.core.schedule.standing`) is the definition. Here floats compute, and every cell in which a
comparison that judges lies within float error of a tie is handed to the scalar path, with the exact ratio. So verdicts and
forecast days are those of the scalar path, and what is a number differs from it by rounding alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.core.schedule.curves_many import Curves
from services.core.schedule.earned import earned
from services.core.schedule.pace import FLAT, HORIZON, Pace, forecast, needed_pace
from services.core.schedule.standing import Figure, Verdict, decide

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: A verdict's code is its place here, which is the order in which it is decided.
VERDICTS: Final = tuple(Verdict)
NEVER: Final = np.iinfo(np.int64).min  # a forecast day that there is none of
_CODE: Final = {verdict: code for code, verdict in enumerate(VERDICTS)}
_SURE: Final = 1e-8  # days: no rounding here is as large
_ROUNDED: Final = 1e-15  # a difference of shares is wrong by less


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """What is judged: parallel arrays, one place per cell.

    ``curve``: index of the cell's curve. ``day``: the judged day, in days after the plan's start (negative: before it).
    ``ratio``: float of the exact ratio, NaN where there is none. ``low``, ``slope``, ``high``: the recent pace in shares per
    day with its limits, NaN where there is none. ``connected``: the feeds allow a figure (what they do not allow is not
    shown). ``behind_after``: the plan's threshold, in days.
    """

    curve: Ints
    day: Ints
    ratio: Floats
    too_few: Bools
    connected: Bools
    low: Floats
    slope: Floats
    high: Floats
    behind_after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standings:
    """Parallel to the cells: NaN where there is none, ``NEVER`` for a forecast that there is none of.

    ``verdict`` indexes ``VERDICTS``; forecast days are in days after the plan's start; paces in shares per day. ``exactly``
    counts the cells that the scalar path decided, ``settled`` has their places; there every float is the scalar path's too.
    """

    planned: Floats
    verdict: NDArray[np.int8]
    days_behind: Floats
    spi: Floats
    needed_pace: Floats
    recent_pace: Floats
    forecast: Ints
    forecast_low: Ints
    forecast_high: Ints
    exactly: int
    settled: Ints  # the cells that it decided


def judge_many(cells: Cells, curves: Curves, exact: Callable[[int], Fraction]) -> Standings:
    """Return the standings of *cells*; ``exact(i)`` gives the ratio of cell *i* as the scalar path has it.

    *curves* share one start and deadline. *exact* is asked for cells near a tie only.
    """
    known = cells.connected & ~np.isnan(cells.ratio)
    judged = known & ~cells.too_few & (cells.day >= 0)
    at = np.flatnonzero(judged)
    curve, day, ratio = cells.curve[at], cells.day[at], cells.ratio[at]
    target = curves.target[curve]
    reached = ratio >= target
    elapsed = np.where(reached, np.minimum(day, curves.span), day).astype(np.float64)
    schedule, near = curves.earned(curve, day, ratio)
    behind = elapsed - schedule
    near |= np.abs(np.abs(behind) - cells.behind_after) < _SURE
    near |= (np.abs(behind) < _SURE) & (cells.behind_after == 0)

    out = _blank(len(cells.day))
    out.planned[:] = curves.planned(cells.curve, cells.day)
    out.days_behind[at] = behind
    out.spi[at] = np.divide(schedule, elapsed, out=np.full(len(at), np.nan), where=elapsed > 0)
    left = curves.span - day
    out.needed_pace[at] = np.where(left > 0, np.maximum(0.0, target - ratio) / np.maximum(left, 1), np.nan)
    shown = known & ~cells.too_few
    out.recent_pace[shown] = cells.slope[shown]
    for days, slope in (
        (out.forecast, cells.slope),
        (out.forecast_low, cells.high),
        (out.forecast_high, cells.low),
    ):
        found, unsure = _reached(target - ratio, slope[at], day, reached)
        days[at] = found
        near |= unsure

    out.verdict[:] = np.select(
        [~known, cells.too_few, cells.day < 0],
        [_CODE[Verdict.NO_DATA], _CODE[Verdict.TOO_FEW], _CODE[Verdict.NOT_STARTED]],
    )
    late = ~np.isnan(cells.slope[at]) & ((out.forecast[at] == NEVER) | (out.forecast[at] > curves.span))
    out.verdict[at] = np.select(
        [
            reached,
            day >= curves.span,
            (behind > 0) & (behind >= cells.behind_after),
            late,
            (behind < 0) & (-behind >= cells.behind_after),
        ],
        [_CODE[one] for one in (Verdict.ACHIEVED, Verdict.MISSED, Verdict.BEHIND, Verdict.AT_RISK, Verdict.AHEAD)],
        _CODE[Verdict.ON_TRACK],
    )
    unsure_cells = at[near]
    for cell in unsure_cells.tolist():
        _exactly(out, cells, curves, cell, exact(cell))
    return Standings(
        planned=out.planned,
        verdict=out.verdict,
        days_behind=out.days_behind,
        spi=out.spi,
        needed_pace=out.needed_pace,
        recent_pace=out.recent_pace,
        forecast=out.forecast,
        forecast_low=out.forecast_low,
        forecast_high=out.forecast_high,
        exactly=len(unsure_cells),
        settled=unsure_cells,
    )


def _blank(size: int) -> Standings:
    def floats() -> Floats:
        return np.full(size, np.nan)

    def days() -> Ints:
        return np.full(size, NEVER, dtype=np.int64)

    return Standings(
        planned=floats(),
        verdict=np.zeros(size, dtype=np.int8),
        days_behind=floats(),
        spi=floats(),
        needed_pace=floats(),
        recent_pace=floats(),
        forecast=days(),
        forecast_low=days(),
        forecast_high=days(),
        exactly=0,
        settled=np.zeros(0, dtype=np.int64),
    )


def _reached(missing: Floats, slope: Floats, day: Ints, reached: Bools) -> tuple[Ints, Bools]:
    """Return the day on which *missing* is made up at *slope*, and where rounding may decide which day that is."""
    moving = ~reached & (slope > FLAT)  # a comparison with NaN is false: no pace, no forecast
    days = np.divide(missing, slope, out=np.zeros(len(missing)), where=moving)
    doubt = np.divide(_ROUNDED, slope, out=np.zeros(len(missing)), where=moving) + days * 1e-12
    early = days - 1e-6
    unsure = moving & ((np.abs(early - np.rint(early)) <= doubt) | (np.abs(days - HORIZON.days) <= doubt))
    ahead = np.where(days >= HORIZON.days, HORIZON.days, np.ceil(np.minimum(early, HORIZON.days)))
    return np.where(reached, day, np.where(moving, day + ahead.astype(np.int64), NEVER)), unsure & ~reached


def _exactly(out: Standings, cells: Cells, curves: Curves, cell: int, ratio: Fraction) -> None:
    curve = curves.exact[int(cells.curve[cell])]
    day = curve.start + timedelta(days=int(cells.day[cell]))
    slope = float(cells.slope[cell])
    pace = None if np.isnan(slope) else Pace(slope, float(cells.low[cell]), float(cells.high[cell]))
    gained = earned(curve, actual=ratio, day=day)
    needed = needed_pace(target=curve.target, actual=ratio, day=day, deadline=curve.deadline)
    outlook = forecast(target=curve.target, actual=ratio, day=day, pace=pace)
    verdict = decide(
        figure=Figure(numerator=None, denominator=None, ratio=ratio, measured_share=None, too_few=False),
        curve=curve,
        day=day,
        connected=True,
        days_behind=gained.days_behind,
        behind_after=cells.behind_after,
        pace=pace,
        outlook=outlook,
    )
    out.verdict[cell] = _CODE[verdict]
    out.days_behind[cell] = float(gained.days_behind)
    out.spi[cell] = np.nan if gained.spi is None else float(gained.spi)
    out.needed_pace[cell] = np.nan if needed is None else float(needed)
    for days, found in (
        (out.forecast, outlook.day),
        (out.forecast_low, outlook.low),
        (out.forecast_high, outlook.high),
    ):
        days[cell] = NEVER if found is None else (found - curve.start).days
