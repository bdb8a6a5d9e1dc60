"""Comparison with others: our figure beside those of other places, or of the year before, as somebody published them. Exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from typing import Final

from services.core.comparison import quantile
from services.core.others_course import Basis, Kind, Lead, Published, Value, lead, value_on, year_before

MARGIN: Final = Fraction(1, 100)  # shares are published in whole percent more often than not
OLDEST: Final = 92  # days; adoption moves on, so that a figure older than a quarter flatters whoever is judged today


class Outcome(StrEnum):
    """How we stand beside them."""

    AHEAD = "ahead"
    LEVEL = "level"
    BEHIND = "behind"
    UNKNOWN = "cannot-be-told"


class Why(StrEnum):
    """Why it cannot be told, or why a figure is shown without a rank."""

    NOT_OURS = "no-figure-of-ours"
    NOT_THEIRS = "no-figure-of-theirs"
    TOO_OLD = "too-old"
    COVERAGE = "coverage-too-low"
    NOT_COMPARABLE = "not-comparable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our figure and what it would be if the silent agencies were all at 0 %, all at 100 %; None where there is none."""

    ratio: Fraction | None
    low: Fraction | None
    high: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An outcome, with what it would be at our lower and at our upper bound."""

    outcome: Outcome
    why: Why | None = None
    at_low: Outcome = Outcome.UNKNOWN
    at_high: Outcome = Outcome.UNKNOWN

    @property
    def settled(self) -> bool:
        """Whether the silent agencies could not change it."""
        return self.outcome is not Outcome.UNKNOWN and self.at_low is self.at_high


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """We beside one other. ``compared``: the day compared with, a year earlier for the year before. ``gap``: ours less theirs.

    ``sources``: of the figures that are shown and of those that the days are read off; where there is none, who said so.
    """

    who: str
    kind: Kind
    compared: date
    value: Value | None
    gap: Fraction | None
    judged: Judged
    lead: Lead | None
    comparable: bool
    note: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranking:
    """We among the other places that are comparable: rank 1 is the greatest figure, equal figures share the better rank.

    ``best`` and ``worst``: our rank at the upper and at the lower bound. ``of`` counts us. Quartiles, median and leader are
    those of the others alone. ``judged``: we beside the median.
    """

    rank: int
    best: int
    worst: int
    of: int
    lower: Fraction
    median: Fraction
    upper: Fraction
    leader: str
    leader_ratio: Fraction
    judged: Judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Against:
    """One indicator against all others, the greatest of their figures first; no ranking where nobody or nothing is ranked."""

    besides: tuple[Beside, ...]
    ranking: Ranking | None


def against(
    ours: Ours, figures: Iterable[Published], day: date, *, margin: Fraction = MARGIN, oldest: int = OLDEST
) -> Against:
    """Compare our figure of *day* with one indicator's *figures*.

    Within *margin* (a share of 1, included) both are level. A figure that lies more than *oldest* days before the day
    compared with decides nothing. No figure after *day* is used.
    """
    courses: dict[str, list[Published]] = {}
    for figure in figures:
        courses.setdefault(figure.who, []).append(figure)
    besides = [_beside(ours, course, day, margin, oldest) for course in courses.values()]
    besides.sort(key=lambda one: (one.value is None, -one.value.ratio if one.value else 0, one.who))
    return Against(besides=tuple(besides), ranking=_ranking(ours, besides, margin))


def _beside(ours: Ours, course: Sequence[Published], day: date, margin: Fraction, oldest: int) -> Beside:
    kind = course[0].kind
    compared = year_before(day) if kind is Kind.LAST_YEAR else day
    able = [one for one in course if one.comparable]
    value = value_on(able, compared, day) or value_on(course, compared, day)
    resting = next((one for one in course if value is not None and one.day == value.day), course[0])
    too_old = value is not None and value.basis is Basis.HELD and value.age > oldest
    judged = _judged(ours, value.ratio if value else None, margin)
    if too_old:
        judged = Judged(outcome=Outcome.UNKNOWN, why=Why.TOO_OLD)
    elif not resting.comparable and value is not None:
        judged = Judged(outcome=Outcome.UNKNOWN, why=Why.NOT_COMPARABLE)
    decided = judged.why not in (Why.TOO_OLD, Why.NOT_COMPARABLE)
    found = lead(able, ours.ratio, compared, day) if ours.ratio is not None and decided else None
    without = () if value else (one.source for one in course if one.ratio is None and one.day <= compared)
    sources = (*(value.sources if value else ()), *(found.sources if found else ()), *without)
    return Beside(
        who=course[0].who,
        kind=kind,
        compared=compared,
        value=value,
        gap=ours.ratio - value.ratio if ours.ratio is not None and value is not None else None,
        judged=judged,
        lead=found,
        comparable=resting.comparable,
        note=resting.note,
        sources=tuple(dict.fromkeys(sources)),
    )


def _judged(ours: Ours, theirs: Fraction | None, margin: Fraction) -> Judged:
    if ours.ratio is None:
        return Judged(outcome=Outcome.UNKNOWN, why=Why.NOT_OURS)
    if theirs is None:
        return Judged(outcome=Outcome.UNKNOWN, why=Why.NOT_THEIRS)
    low, high = _bounds(ours, ours.ratio)
    at_low, at_high = (_outcome(bound - theirs, margin) for bound in (low, high))
    if at_low is Outcome.BEHIND and at_high is Outcome.AHEAD:
        return Judged(outcome=Outcome.UNKNOWN, why=Why.COVERAGE, at_low=at_low, at_high=at_high)
    return Judged(outcome=_outcome(ours.ratio - theirs, margin), at_low=at_low, at_high=at_high)


def _outcome(gap: Fraction, margin: Fraction) -> Outcome:
    if abs(gap) <= margin:
        return Outcome.LEVEL
    return Outcome.AHEAD if gap > 0 else Outcome.BEHIND


def _bounds(ours: Ours, ratio: Fraction) -> tuple[Fraction, Fraction]:
    return ours.low if ours.low is not None else ratio, ours.high if ours.high is not None else ratio


def _ranking(ours: Ours, besides: Sequence[Beside], margin: Fraction) -> Ranking | None:
    able = [
        (one.value.ratio, one.who)
        for one in besides
        if one.kind is Kind.OTHER and one.value and one.judged.why not in (Why.TOO_OLD, Why.NOT_COMPARABLE)
    ]
    ratios = sorted(ratio for ratio, _ in able)
    lower, median, upper = (quantile(ratios, Fraction(n, 4)) for n in (1, 2, 3))
    if ours.ratio is None or lower is None or median is None or upper is None:
        return None
    low, high = _bounds(ours, ours.ratio)
    best = min(able, key=lambda one: (-one[0], one[1]))
    return Ranking(
        rank=1 + sum(ratio > ours.ratio for ratio in ratios),
        best=1 + sum(ratio > high for ratio in ratios),
        worst=1 + sum(ratio > low for ratio in ratios),
        of=len(ratios) + 1,
        lower=lower,
        median=median,
        upper=upper,
        leader=best[1],
        leader_ratio=best[0],
        judged=_judged(ours, median, margin),
    )
