"""Earned schedule: how far along the plan an actual value is, in days.

W. Lipke, "Schedule is Different", The Measurable News, 2003, and Lipke and Henderson's later articles: ES is the time at
which the plan expected what has been reached, SV(t) = ES − AT, SPI(t) = ES ÷ AT. Days behind are −SV(t).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from services.core.schedule.trajectory import Curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Earned:
    """Days since the plan's start that *actual* has earned, days behind (negative: ahead), SPI(t).

    ``at_least`` says that the actual value lies below all that the plan ever asked for, so that the true lag is no smaller.
    """

    schedule: Fraction
    days_behind: Fraction
    spi: Fraction | None
    at_least: bool


def earned(curve: Curve, *, actual: Fraction, day: date) -> Earned:
    """Return what *actual* at the end of *day* has earned. Raises ValueError before the plan's start.

    Below plan: the first moment at which the plan exceeds the actual value, never before the start. On or above plan: the
    later of the day and the first moment at which the plan reaches its greatest value not above the actual one. At the
    target or beyond: the deadline; the time elapsed ends there too, so that days behind are never positive and SPI(t) is
    never below 1 for what is finished. SPI(t) is None on the first day.
    """
    elapsed = Fraction((day - curve.start).days)
    if elapsed < 0:
        raise ValueError(f"{day} lies before the plan's start, {curve.start}")
    at_least = False
    if actual >= curve.target:
        schedule = Fraction(curve.span)
        elapsed = min(elapsed, schedule)
    elif actual < curve.value_at(elapsed):
        schedule = _certain(curve.first_above(actual))
        at_least = actual < curve.value_at(0)
    else:
        greatest = _certain(curve.greatest_up_to(actual))
        schedule = max(elapsed, _certain(curve.first_reaching(greatest)))
    return Earned(
        schedule=schedule,
        days_behind=elapsed - schedule,
        spi=schedule / elapsed if elapsed else None,
        at_least=at_least,
    )


def _certain(value: Fraction | None) -> Fraction:
    """Return *value*; the curve's own order guarantees it here."""
    if value is None:
        raise AssertionError("a planned value that must exist does not")
    return value


def whole_days(days: Fraction | float) -> int:
    """Return *days* to the nearest whole day, half a day away from zero: what people are told, 90.75 as 91."""
    nearest = math.floor(abs(Fraction(days)) + Fraction(1, 2))
    return nearest if days >= 0 else -nearest
