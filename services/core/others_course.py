"""The course of others: what they had on a day, and on which day they stood where we stand. Exact.

Days ahead are read off it as earned schedule reads them off a plan (W. Lipke, "Schedule is Different", The Measurable News,
2003): the time between the day compared with and the day on which they stood where we stand. A course can fall, which no
plan does, so that of several such days the one nearest to the day compared with counts, on the side of the difference.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise


class Kind(StrEnum):
    """Whom the figures are of: another place now, or the same place a year before."""

    OTHER = "other"
    LAST_YEAR = "last-year"


class Basis(StrEnum):
    """How the others' value comes about: of the day itself, between two of their days, or the last one known."""

    PUBLISHED = "published"
    INTERPOLATED = "interpolated"
    HELD = "held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One figure of *who* at the end of *day*: a share of 1, None where they published none; *source* says where it stands.

    ``group``: the group of agencies that it is about; empty for all of them.
    """

    indicator: str
    who: str
    kind: Kind
    day: date
    ratio: Fraction | None
    source: str
    group: str = ""
    comparable: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What others had on a day. ``day``: that of the figure it rests on, *age* days before; ``sources`` of all it rests on."""

    ratio: Fraction
    basis: Basis
    day: date
    age: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """How many days we are ahead (negative: behind), and the day on which they reached our figure, in their own calendar.

    ``at_least``: their course does not hold the day; it lies at least so far off, on that side, and ``reached`` is None.
    ``sources``: of the figures that say so.
    """

    days: Fraction
    reached: date | None
    sources: tuple[str, ...]
    at_least: bool = False


def year_before(day: date) -> date:
    """Return the same day of the year before; 28 February for 29 February."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def value_on(course: Sequence[Published], day: date, until: date) -> Value | None:
    """Return what the others had on *day* by their figures up to *until*; None where none lies on or before the day.

    Between two figures the value goes straight from one to the other; after the last one it stays, and ``age`` says since when.
    """
    known = _known(course, until)
    before = next((one for one in reversed(known) if one.day <= day), None)
    after = next((one for one in known if one.day > day), None)
    if before is None:
        return None
    age = (day - before.day).days
    if age and after is not None:
        share = Fraction(age, (after.day - before.day).days)
        ratio = before.ratio + (after.ratio - before.ratio) * share
        sources = tuple(dict.fromkeys((before.source, after.source)))
        return Value(ratio=ratio, basis=Basis.INTERPOLATED, day=before.day, age=age, sources=sources)
    basis = Basis.HELD if age else Basis.PUBLISHED
    return Value(ratio=before.ratio, basis=basis, day=before.day, age=age, sources=(before.source,))


def lead(course: Sequence[Published], ratio: Fraction, day: date, until: date) -> Lead | None:
    """Return how far *ratio* lies ahead of the others' course on *day*, by their figures up to *until*.

    Ahead: they reach it for the first time after the day. Behind: they passed it for the last time before the day. None
    where the course says nothing of it: no figure by the day, or their last figure, below ours or as ours, is older.
    """
    value = value_on(course, day, until)
    if value is None:
        return None
    points = [_Point(Fraction(one.day.toordinal()), one.ratio, (one.source,)) for one in _known(course, until)]
    now = _Point(Fraction(day.toordinal()), value.ratio, value.sources)
    if ratio == value.ratio:
        return None if value.basis is Basis.HELD else Lead(days=Fraction(0), reached=day, sources=value.sources)
    if ratio > value.ratio:
        course_on = [now, *(point for point in points if point.at > now.at)]
        rise = next((pair for pair in pairwise(course_on) if pair[1].ratio >= ratio), None)
        edge = points[-1]
    else:
        course_on = [*(point for point in points if point.at < now.at), now]
        rise = next((pair for pair in reversed(list(pairwise(course_on))) if pair[0].ratio <= ratio), None)
        edge = points[0]
    if rise is not None:
        before, after = rise
        at = before.at + (after.at - before.at) * (ratio - before.ratio) / (after.ratio - before.ratio)
        sources = tuple(dict.fromkeys(before.sources + after.sources))
        return Lead(days=at - now.at, reached=date.fromordinal(math.ceil(at)), sources=sources)
    tells = edge.at > now.at if ratio > value.ratio else edge.at < now.at
    return Lead(days=edge.at - now.at, reached=None, sources=edge.sources, at_least=True) if tells else None


@dataclass(frozen=True, slots=True)
class _Point:
    at: Fraction
    ratio: Fraction
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Known:
    day: date
    ratio: Fraction
    source: str


def _known(course: Sequence[Published], until: date) -> list[_Known]:
    known = [_Known(one.day, one.ratio, one.source) for one in course if one.ratio is not None and one.day <= until]
    return sorted(known, key=lambda one: one.day)
