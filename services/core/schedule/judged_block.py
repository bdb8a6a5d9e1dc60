"""Standing of a block of agencies over some days, as rows of table ``standing``: those of the scalar path, to the last bit.

Arrays judge (:mod:`services.core.schedule.standing_many`), and shares and days are single divisions of whole numbers. What whole
numbers cannot hold, S-curves, curves over working days and means are left to the scalar path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.core.schedule.coverage import WORST_FIRST, Coverage, FeedState
from services.core.schedule.curves_many import Curves
from services.core.schedule.earned_many import Schedules
from services.core.schedule.figures_many import EXACT, SCALE, Bools, Figures, Floats, Ints
from services.core.schedule.pace import LONG, Pace, paces_of_windows
from services.core.schedule.row_values import Calendar, decimal, optional
from services.core.schedule.standing import NO_FIGURE, Case, Figure, judge
from services.core.schedule.standing_many import NEVER, VERDICTS, Cells, Standings, judge_many
from services.core.schedule.standing_row import COLUMNS, as_row
from services.core.schedule.trajectory import Curve

_NEVER_CONNECTED: Final = WORST_FIRST.index(FeedState.NEVER_CONNECTED)


@dataclass(frozen=True, kw_only=True)
class Block:
    """What is judged: one indicator of some agencies under one revision, on some consecutive days.

    Days are counted from *start*, the plan's; *first* is the first one judged. ``curve``: per agency the place of its curve
    among ``curves``, -1 where it has no target. ``exists``: agencies × days. ``cover``: per agency the place of its coverage;
    ``state`` (place in ``WORST_FIRST``), ``judged`` (day) and ``provisional`` are coverages × days. ``figures`` begin on day
    *origin*, at or after the start, and reach as far as the days judged.
    """

    plan: str
    revision: int
    indicator: str
    behind_after: int
    start: date
    first: int
    agencies: Sequence[str]
    curves: Sequence[Curve]
    curve: Ints
    exists: Bools
    cover: Ints
    state: NDArray[np.int8]
    judged: Ints
    provisional: Bools
    figures: Figures
    origin: int


def rows_of(block: Block) -> list[list[Any]]:
    """Return the columns of ``COLUMNS`` for every day on which an agency exists, by agency and day."""
    return _Judging(block).columns()


class _Judging:
    def __init__(self, block: Block) -> None:
        self.block, figures = block, block.figures
        self.agency, self.day = np.nonzero(block.exists)
        self.at = block.judged[block.cover[self.agency], self.day]
        self.state = block.state[block.cover[self.agency], self.day]
        self.curve = block.curve[self.agency]
        column = self.at - block.origin
        self.known = (self.at >= 0) & (column >= 0)
        self.column = np.where(self.known, column, 0)
        self.ratio = np.where(self.known, figures.ratio[self.agency, self.column], np.nan)
        self.few = self.known & figures.few[self.agency, self.column]
        self.share = self._shares()
        attested = (self.share == 0) & (self.ratio > 0)
        self.connected: Bools = attested | (self.state != _NEVER_CONNECTED)
        self.shown: Bools = self.connected & ~np.isnan(self.ratio)
        self.paces = self._paces()

    def _shares(self) -> Floats:
        figures, found = self.block.figures, np.full(len(self.agency), np.nan)
        has = np.flatnonzero(~np.isnan(self.ratio))
        if figures.done is not None:
            found[has] = figures.shares[0][0][self.agency[has], self.column[has]]
        else:
            for cell in has.tolist():
                share = figures.measured(int(self.agency[cell]), int(self.column[cell]))
                found[cell] = np.nan if share is None else share
        return found

    def _paces(self) -> Floats:
        """Return pace, low and high of each cell: those of the day whose figures count."""
        figures = self.block.figures
        found = np.full((3, len(self.agency)), np.nan)
        wanted = np.flatnonzero(~np.isnan(self.ratio) & ~self.few)
        if not len(wanted):
            return found
        agencies, width = figures.ratio.shape
        padded = np.full((agencies, width + LONG - 1), np.nan)
        padded[:, LONG - 1 :] = np.where(figures.few, np.nan, figures.ratio)
        windows = np.lib.stride_tricks.sliding_window_view(padded, LONG, axis=1)
        places, back = np.unique(self.agency[wanted] * width + self.column[wanted], return_inverse=True)
        for at in range(0, len(places), _AT_ONCE):
            some = places[at : at + _AT_ONCE]
            mine = np.flatnonzero((back >= at) & (back < at + _AT_ONCE))
            found[:, wanted[mine]] = paces_of_windows(windows[some // width, some % width])[:, back[mine] - at]
        return found

    @cached_property
    def exact(self) -> tuple[Ints, Ints]:
        figures = self.block.figures
        return figures.above[self.agency, self.column], figures.below[self.agency, self.column]

    def columns(self) -> list[list[Any]]:
        size = len(self.agency)
        judged = np.flatnonzero(self.curve >= 0)
        scalar = np.zeros(size, dtype=np.bool_)
        numbers = {name: np.full(size, np.nan) for name in ("planned", "target", "days_behind", "spi", "needed_pace")}
        days = {name: np.full(size, NEVER) for name in ("forecast", "forecast_low", "forecast_high")}
        verdict = np.full(size, -1, dtype=np.int64)
        plain = self._plain()
        here = judged[plain[judged]]
        scalar[judged[~plain[judged]]] = True
        if len(here):
            many, sure = self._judge(here, numbers)
            scalar[here[~sure]] = True
            verdict[here] = many.verdict
            for name in days:
                days[name][here] = getattr(many, name)
        return self._written(numbers, days, verdict, np.flatnonzero(scalar))

    def _plain(self) -> Bools:
        """Return which cells arrays can judge."""
        if not self.block.curves or self.block.figures.done is None:
            return np.zeros(len(self.agency), dtype=np.bool_)
        plain = Schedules(self.block.curves).plain
        fits = ~self.shown | (self.exact[1] > 0)
        found: Bools = plain[np.maximum(self.curve, 0)] & fits
        return found

    def _judge(self, here: Ints, numbers: dict[str, Floats]) -> tuple[Standings, Bools]:
        """Judge the cells *here*; return their standings, and where all shares and days of *numbers* are exact."""
        block, curve, at, ratio = self.block, self.curve[here], self.at[here], self.ratio[here]
        slope, low, high = self.paces[:, here]
        plain = Schedules(block.curves)
        used, place = np.unique(curve, return_inverse=True)
        many = judge_many(
            Cells(
                curve=place.astype(np.int64),
                day=at,
                ratio=ratio,
                too_few=self.few[here],
                connected=self.connected[here],
                low=low,
                slope=slope,
                high=high,
                behind_after=block.behind_after,
            ),
            Curves([block.curves[one] for one in used.tolist()]),
            lambda cell: block.figures.exact(int(self.agency[here[cell]]), int(self.column[here[cell]])),
        )
        planned, target = self._planned(curve, at)
        numbers["planned"][here], numbers["target"][here] = planned, target
        settled = np.zeros(len(here), dtype=np.bool_)
        settled[many.settled] = True
        rest = np.flatnonzero(~np.isnan(many.days_behind) & ~settled)
        for name in ("days_behind", "spi", "needed_pace"):
            numbers[name][here] = getattr(many, name)
        sure = np.ones(len(here), dtype=np.bool_)
        if len(rest):
            exact = self.exact[0][here[rest]], self.exact[1][here[rest]]
            sure[rest] = self._divide(here[rest], plain, exact, planned[rest], target[rest], numbers)
        return many, sure

    def _divide(
        self,
        cells: Ints,
        plain: Schedules,
        exact: tuple[Ints, Ints],
        planned: Floats,
        target: Floats,
        numbers: dict[str, Floats],
    ) -> Bools:
        curve, day, ratio = self.curve[cells], self.at[cells], self.ratio[cells]
        reached, span = ratio >= target, plain.span[curve]
        gained = plain.earned(curve, day, ratio, exact, ratio < planned, reached)
        elapsed = np.where(reached, np.minimum(day, span), day)
        lag = elapsed * gained.below - gained.above
        numbers["days_behind"][cells] = lag / gained.below
        numbers["spi"][cells] = np.divide(
            gained.above, gained.below * elapsed, out=np.full(len(cells), np.nan), where=elapsed > 0
        )
        tops, bottoms = self._targets
        above, under = exact
        left = span - day
        missing = tops[curve] * under - above * bottoms[curve]
        by = bottoms[curve] * under * np.maximum(left, 1)
        numbers["needed_pace"][cells] = np.where(left > 0, np.maximum(missing, 0) / by, np.nan)
        sizes = (
            gained.below.astype(np.float64) * np.maximum(elapsed, 1),
            bottoms[curve].astype(np.float64) * under * np.maximum(left, 1),
            tops[curve].astype(np.float64) * under + above.astype(np.float64) * bottoms[curve],
        )
        fits: Bools = gained.sure & np.logical_and.reduce([size < EXACT for size in sizes])
        return fits

    @cached_property
    def _targets(self) -> tuple[Ints, Ints]:
        found = [curve.target.as_integer_ratio() for curve in self.block.curves]
        return np.array([a for a, _ in found], dtype=np.int64), np.array([b for _, b in found], dtype=np.int64)

    def _planned(self, curve: Ints, at: Ints) -> tuple[Floats, Floats]:
        least = int(at.min())
        width = int(at.max()) - least + 1
        keys, back = np.unique(curve * width + (at - least), return_inverse=True)
        curves = self.block.curves
        values = [float(curves[key // width].value_at(key % width + least)) for key in keys.tolist()]
        targets = np.array([float(one.target) for one in curves])
        return np.array(values)[back], targets[curve]

    def _written(
        self, numbers: dict[str, Floats], days: dict[str, Ints], verdict: Ints, scalar: Ints
    ) -> list[list[Any]]:
        block, size = self.block, len(self.agency)
        numbers["ratio"] = np.where(self.shown, self.ratio, np.nan)
        numbers["measured_share"] = np.where(self.shown, self.share, np.nan)
        numbers["recent_pace"] = np.where(self.shown & ~self.few, self.paces[0], np.nan)
        agencies = block.agencies
        calendar = Calendar(block.start)
        names = ["" if code < 0 else _VERDICTS[code] for code in verdict.tolist()]
        columns: dict[str, list[Any]] = {
            "plan": [block.plan] * size,
            "revision": [block.revision] * size,
            "indicator": [block.indicator] * size,
            "agency": [agencies[at] for at in self.agency.tolist()],
            "day": [calendar[one] for one in (self.day + block.first).tolist()],
            "numerator": self._counts(block.figures.done),
            "denominator": self._counts(block.figures.of),
            **{name: optional(values) for name, values in numbers.items()},
            "verdict": names,
            **{
                name: [None if one == NEVER else calendar[one] for one in found.tolist()]
                for name, found in days.items()
            },
            "feed_state": [_STATES[code] for code in self.state.tolist()],
            "provisional": block.provisional[block.cover[self.agency], self.day].astype(np.int64).tolist(),
            "judged_day": [calendar[one] for one in self.at.tolist()],
        }
        written = [columns[name] for name in COLUMNS]
        for cell in scalar.tolist():
            for column, value in zip(written, self._one(cell, columns), strict=True):
                column[cell] = value
        return written

    def _counts(self, counts: Ints | None) -> list[Any]:
        if counts is None:
            return [None] * len(self.agency)
        found = counts[self.agency, self.column].tolist()
        return [
            None if not shown else value // SCALE if value % SCALE == 0 else Decimal(value).scaleb(-4)
            for shown, value in zip(self.shown.tolist(), found, strict=True)
        ]

    def _one(self, cell: int, columns: dict[str, list[Any]]) -> tuple[Any, ...]:
        block, figure = self.block, NO_FIGURE
        agency, column = int(self.agency[cell]), int(self.column[cell])
        if self.ratio[cell] == self.ratio[cell]:
            figure = Figure(
                numerator=decimal(block.figures.done, agency, column),
                denominator=decimal(block.figures.of, agency, column),
                ratio=block.figures.exact(agency, column),
                measured_share=block.figures.measured(agency, column),
                too_few=bool(self.few[cell]),
            )
        low, slope, high = (float(self.paces[at, cell]) for at in (1, 0, 2))
        standing = judge(
            Case(plan=block.plan, revision=block.revision, indicator=block.indicator, agency=block.agencies[agency]),
            day=columns["day"][cell],
            figure=figure,
            curve=block.curves[int(self.curve[cell])],
            behind_after=block.behind_after,
            pace=None if slope != slope else Pace(slope, low, high),
            coverage=Coverage(
                WORST_FIRST[int(self.state[cell])], columns["judged_day"][cell], bool(columns["provisional"][cell])
            ),
        )
        return as_row(standing)


_AT_ONCE: Final = 8192  # windows of 84 days held at a time
_VERDICTS: Final = [str(one) for one in VERDICTS]
_STATES: Final = [str(one) for one in WORST_FIRST]
