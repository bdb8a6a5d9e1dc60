"""Standing: a figure against the plan on a day. Exact where it judges; only paces are floats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from services.core.schedule.coverage import Coverage, FeedState
from services.core.schedule.earned import Earned, earned
from services.core.schedule.pace import Forecast, Pace, forecast, needed_pace
from services.core.schedule.trajectory import Curve


class Verdict(StrEnum):
    """What a day's figures and coverage say, in the order in which it is decided: the first that holds."""

    NO_DATA = "no-data"
    TOO_FEW = "too-few"
    NOT_STARTED = "not-started"
    ACHIEVED = "achieved"
    MISSED = "missed"
    BEHIND = "behind"
    AT_RISK = "at-risk"
    AHEAD = "ahead"
    ON_TRACK = "on-track"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """Numerator, denominator and ratio of one day. A mean has a ratio alone; without cases there is none at all."""

    numerator: Decimal | None
    denominator: Decimal | None
    ratio: Fraction | None
    measured_share: float | None
    too_few: bool


NO_FIGURE = Figure(numerator=None, denominator=None, ratio=None, measured_share=None, too_few=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One row of table ``standing``: shares of 1, paces in shares per day, None where there is none.

    ``verdict`` is None for an indicator without a target, which is shown and never judged. ``judged_day`` is the day whose
    figures count: ``day`` itself, or the last covered one while a feed is silent.
    """

    plan: str
    revision: int
    indicator: str
    agency: str
    day: date
    numerator: Decimal | None
    denominator: Decimal | None
    ratio: Fraction | None
    measured_share: float | None
    planned: Fraction | None
    target: Fraction | None
    verdict: Verdict | None
    days_behind: Fraction | None
    spi: Fraction | None
    needed_pace: Fraction | None
    recent_pace: float | None
    forecast: date | None
    forecast_low: date | None
    forecast_high: date | None
    feed_state: FeedState
    provisional: bool
    judged_day: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is being judged: which indicator of which agency, under which revision of which plan."""

    plan: str
    revision: int
    indicator: str
    agency: str


def figure_of(
    numerator: Decimal | None, denominator: Decimal | None, *, measured_share: float | None, minimum: int
) -> Figure:
    """Return the figure of a day. No cases mean no figure, never zero: whether they were taken back or never there."""
    if numerator is None or not denominator:
        return NO_FIGURE
    return Figure(
        numerator=numerator,
        denominator=denominator,
        ratio=Fraction(numerator) / Fraction(denominator),
        measured_share=measured_share,
        too_few=denominator < minimum,
    )


def mean_of(parts: Sequence[tuple[Figure, Decimal]]) -> Figure:
    """Return the weighted mean of (figure, weight), exact; no ratio where a part has none, too few where a part has."""
    ratios = [(figure.ratio, Fraction(weight)) for figure, weight in parts if figure.ratio is not None]
    if not parts or len(ratios) < len(parts):
        return NO_FIGURE
    total = sum((weight for _, weight in ratios), Fraction(0))
    measured = [(figure.measured_share, float(weight)) for figure, weight in parts]
    shares = [share * weight for share, weight in measured if share is not None]
    return Figure(
        numerator=None,
        denominator=None,
        ratio=sum((ratio * weight for ratio, weight in ratios), Fraction(0)) / total,
        measured_share=sum(shares) / float(total) if len(shares) == len(parts) else None,
        too_few=any(figure.too_few for figure, _ in parts),
    )


def decide(
    *,
    figure: Figure,
    curve: Curve,
    day: date,
    connected: bool,
    days_behind: Fraction | None,
    behind_after: int,
    pace: Pace | None,
    outlook: Forecast,
) -> Verdict:
    """Return the verdict of a day, in the order of :class:`Verdict`.

    Behind and ahead are both by *behind_after* days at least. A known pace that never reaches the target counts as a
    forecast past the deadline.
    """
    if not connected or figure.ratio is None:
        return Verdict.NO_DATA
    if figure.too_few:
        return Verdict.TOO_FEW
    if day < curve.start or days_behind is None:
        return Verdict.NOT_STARTED
    if figure.ratio >= curve.target:
        return Verdict.ACHIEVED
    if day >= curve.deadline:
        return Verdict.MISSED
    if days_behind > 0 and days_behind >= behind_after:
        return Verdict.BEHIND
    if pace is not None and (outlook.day is None or outlook.day > curve.deadline):
        return Verdict.AT_RISK
    return Verdict.AHEAD if days_behind < 0 and -days_behind >= behind_after else Verdict.ON_TRACK


def judge(
    case: Case,
    *,
    day: date,
    figure: Figure,
    curve: Curve | None,
    behind_after: int,
    pace: Pace | None,
    coverage: Coverage,
) -> Standing:
    """Return the standing of *day*.

    *figure* and *pace* are those of ``coverage.judged_day``, which stands in for *day* while a feed is silent. *curve* is
    None for an indicator without a target. What a feed that never connected would have to say is not shown at all: the
    rest of the picture would pass for low adoption. A figure that is declared from end to end needs no feed; of nothing
    but a headcount, where the share is 0, it is not known whether it is low or unknown.
    """
    at = coverage.judged_day
    attested = figure.measured_share == 0 and figure.ratio is not None and figure.ratio > 0
    connected = attested or coverage.state is not FeedState.NEVER_CONNECTED
    shown = figure if connected else NO_FIGURE
    judgeable = curve is not None and shown.ratio is not None and not shown.too_few and at >= curve.start
    gained: Earned | None = None
    needed: Fraction | None = None
    outlook = Forecast(None, None, None)
    verdict: Verdict | None = None
    if curve is not None:
        if judgeable and shown.ratio is not None:
            gained = earned(curve, actual=shown.ratio, day=at)
            needed = needed_pace(target=curve.target, actual=shown.ratio, day=at, deadline=curve.deadline)
            outlook = forecast(target=curve.target, actual=shown.ratio, day=at, pace=pace)
        verdict = decide(
            figure=shown,
            curve=curve,
            day=at,
            connected=connected,
            days_behind=gained.days_behind if gained else None,
            behind_after=behind_after,
            pace=pace,
            outlook=outlook,
        )
    paced = pace is not None and shown.ratio is not None and not shown.too_few
    return Standing(
        plan=case.plan,
        revision=case.revision,
        indicator=case.indicator,
        agency=case.agency,
        day=day,
        numerator=shown.numerator,
        denominator=shown.denominator,
        ratio=shown.ratio,
        measured_share=shown.measured_share,
        planned=curve.planned_at(at) if curve else None,
        target=curve.target if curve else None,
        verdict=verdict,
        days_behind=gained.days_behind if gained else None,
        spi=gained.spi if gained else None,
        needed_pace=needed,
        recent_pace=pace.slope if pace is not None and paced else None,
        forecast=outlook.day,
        forecast_low=outlook.low,
        forecast_high=outlook.high,
        feed_state=coverage.state,
        provisional=coverage.provisional,
        judged_day=at,
    )
