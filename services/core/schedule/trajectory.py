"""Planned value over time, and its inverse. Exact: values are shares as Fractions, time is days since the plan's start.

Planned value PV(t) and its inverse are the two readings of the plan that earned schedule needs (W. Lipke, "Schedule is
Different", The Measurable News, 2003).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise
from typing import Final, assert_never

from schemas.plan import (
    LinearTrajectory,
    Plan,
    PointsTrajectory,
    QuartersTrajectory,
    SCurveTrajectory,
    StepsTrajectory,
    Target,
    Trajectory,
)
from services.core.working_time import WorkingTime, working_time

_GRID: Final = 1 << 40  # the S-curve's inverse is irrational; it is rounded up to this fine a share of the plan's time


@dataclass(frozen=True, slots=True)
class Piece:
    """Planned value from day *x0* (included) to *x1* (excluded), rising from *y0* towards *y1*."""

    x0: int
    x1: int
    y0: Fraction
    y1: Fraction
    smooth: bool = False  # an S instead of a straight line

    def value(self, x: Fraction) -> Fraction:
        share = (x - self.x0) / (self.x1 - self.x0)
        if self.smooth:
            share = share * share * (3 - 2 * share)
        return self.y0 + (self.y1 - self.y0) * share

    def first_at(self, y: Fraction) -> Fraction:
        """Return where the piece reaches *y*, which lies between y0 and y1; they differ."""
        share = (y - self.y0) / (self.y1 - self.y0)
        if self.smooth:
            share = _inverse_s(share)
        return self.x0 + (self.x1 - self.x0) * share


def _begins(piece: Piece) -> Fraction:
    return Fraction(piece.x0)


@dataclass(frozen=True, slots=True)
class Curve:
    """The planned value of one target: never falls, is *initial* before the start and *target* from the deadline on."""

    start: date
    deadline: date
    initial: Fraction
    target: Fraction
    pieces: tuple[Piece, ...]
    time: WorkingTime | None = None  # the pieces lie on its axis; None: they lie on the calendar's
    _whole_days: dict[int, Fraction] = field(init=False, repr=False, compare=False, default_factory=dict)

    @property
    def span(self) -> int:
        """Days from start to deadline; 0 for a plan of one day."""
        return max(0, (self.deadline - self.start).days)

    def value_at(self, x: Fraction | int) -> Fraction:
        """Return the planned value *x* days after the start."""
        if x >= self.span:
            return self.target
        if x < 0 or not self.pieces:
            return self.initial
        day = int(x)
        if day != x:
            return self._between(Fraction(x))
        # All agencies of a target ask for the same days, and these fractions are slow to compute.
        if day not in self._whole_days:
            self._whole_days[day] = self._between(Fraction(x))
        return self._whole_days[day]

    def _between(self, x: Fraction) -> Fraction:
        at = self.time.at(x) if self.time is not None else x
        piece = self.pieces[bisect_right(self.pieces, at, key=_begins) - 1]
        return piece.value(at) if at < piece.x1 else piece.y1

    def planned_at(self, day: date) -> Fraction:
        """Return the planned value of *day*."""
        return self.value_at((day - self.start).days)

    def first_above(self, value: Fraction) -> Fraction | None:
        """Return when the planned value first exceeds *value*, in days after the start, never before it; None if never.

        Where the plan rises without a break this is the moment at which it equals *value* for the last time.
        """
        if self.span and self._begin > value:
            return Fraction(0)
        for piece in self.pieces:
            if piece.y0 > value:
                return self._last(Fraction(piece.x0))
            if piece.y1 > value:
                return self._last(piece.first_at(value))
        return Fraction(self.span) if self.target > value else None

    def first_reaching(self, value: Fraction) -> Fraction | None:
        """Return when the planned value first is *value* or more, in days after the start, never before it; None if never."""
        if self.span and self._begin >= value:
            return Fraction(0)
        for piece in self.pieces:
            if piece.y0 >= value:
                return self._first(Fraction(piece.x0))
            if piece.y1 >= value:
                return self._first(piece.first_at(value))
        return Fraction(self.span) if self.target >= value else None

    @property
    def _begin(self) -> Fraction:
        return self.pieces[0].y0 if self.pieces else self.initial

    def _first(self, at: Fraction) -> Fraction:
        return at if self.time is None else self.time.first(at)

    def _last(self, at: Fraction) -> Fraction:
        return at if self.time is None else self.time.last(at)

    def greatest_up_to(self, value: Fraction) -> Fraction | None:
        """Return the greatest planned value that does not exceed *value*, from the start on; None if all exceed it."""
        if self.target <= value:
            return self.target
        found = self.initial if self.span and not self.pieces and self.initial <= value else None
        for piece in self.pieces:
            if piece.y0 > value:
                break
            found = min(piece.y1, value)
        return found


@lru_cache(maxsize=4096)
def _inverse_s(share: Fraction) -> Fraction:
    """Return x with 3x² − 2x³ = *share*: exact where x is a fraction of up to 10,000 parts, so on every whole day of a
    plan; else the next point of the grid."""
    low, high = 0, _GRID
    while low < high:
        middle = (low + high) // 2
        if middle * middle * (3 * _GRID - 2 * middle) * share.denominator >= share.numerator * _GRID**3:
            high = middle
        else:
            low = middle + 1
    near = Fraction(low, _GRID)
    exact = near.limit_denominator(10_000)
    return exact if exact * exact * (3 - 2 * exact) == share else near


def _knots(
    checkpoints: Iterable[tuple[date, Fraction]],
    start: date,
    span: int,
    initial: Fraction,
    target: Fraction,
    time: WorkingTime | None = None,
) -> list[tuple[int, Fraction]]:
    """Return (day, value) from the start on, before the deadline, rising: a plan never takes back what it asked for.

    With *time* days are working days.
    """
    values: dict[int, Fraction] = {0: initial}
    highest = initial
    for day, value in sorted(checkpoints):
        highest = max(highest, min(value, target))
        x = max(0, (day - start).days)
        if x < span:
            at = x if time is None else time.day_at(x)
            if time is None or at < time.total:
                values[at] = highest
    return sorted(values.items())


@lru_cache(maxsize=1024)
def curve_of(
    trajectory: Trajectory,
    *,
    start: date,
    deadline: date,
    baseline: Fraction | None,
    target: Fraction,
    time: WorkingTime | None = None,
) -> Curve:
    """Return the curve of a target.

    No baseline means 0; a baseline at or above the target is for display only and the curve starts at 0. Checkpoints
    before the start count from the start, those from the deadline on give way to the target, and where one is lower
    than an earlier one the earlier one holds (the check of a plan reports all three). With *time* the curve rises on
    working days only; steps are taken on their own days, whatever they are.
    """
    initial = baseline if baseline is not None and baseline < target else Fraction(0)
    span = max(0, (deadline - start).days)
    if isinstance(trajectory, StepsTrajectory):
        time = None
    length = span if time is None else time.total
    pieces: tuple[Piece, ...]
    match trajectory:
        case _ if length == 0:
            pieces = ()
        case LinearTrajectory():
            pieces = (Piece(0, length, initial, target),)
        case SCurveTrajectory():
            pieces = (Piece(0, length, initial, target, smooth=True),)
        case PointsTrajectory() | QuartersTrajectory():
            knots = [*_knots(_points(trajectory), start, span, initial, target, time), (length, target)]
            pieces = tuple(Piece(x0, x1, y0, y1) for (x0, y0), (x1, y1) in pairwise(knots))
        case StepsTrajectory():
            knots = _knots(_points(trajectory), start, span, initial, target)
            ends = [x for x, _ in knots[1:]] + [span]
            pieces = tuple(Piece(x0, x1, y, y) for (x0, y), x1 in zip(knots, ends, strict=True))
        case never:
            assert_never(never)
    return Curve(start=start, deadline=deadline, initial=initial, target=target, pieces=pieces, time=time)


def _points(trajectory: PointsTrajectory | StepsTrajectory | QuartersTrajectory) -> list[tuple[date, Fraction]]:
    if isinstance(trajectory, QuartersTrajectory):
        return [(one.last_day, one.value) for one in trajectory.quarters]
    return [(one.day, one.value) for one in trajectory.checkpoints]


def curve_for(target: Target, plan: Plan) -> Curve:
    """Return the curve of a target of *plan*, by its calendar."""
    return curve_of(
        target.trajectory,
        start=plan.start,
        deadline=plan.deadline,
        baseline=target.baseline,
        target=target.target,
        time=working_time(plan.calendar, start=plan.start, deadline=plan.deadline),
    )


def planned_at(
    trajectory: Trajectory, *, start: date, deadline: date, baseline: Fraction | None, target: Fraction, day: date
) -> Fraction:
    """Return the share planned for *day*: the baseline (or 0) before the start, the target from the deadline on."""
    return curve_of(trajectory, start=start, deadline=deadline, baseline=baseline, target=target).planned_at(day)
