"""Working days, and until when a feed may say nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final, Literal

HOURS: Final = 8  # working hours of a day
RHYTHMS: Final[dict[str, int]] = {"daily": 1, "weekly": 7, "monthly": 31}  # days between a feed's reports

Rhythm = Literal["daily", "weekly", "monthly"]


def is_working_day(day: date, holidays: Collection[date] = frozenset()) -> bool:
    """Return whether offices work on *day*: neither Saturday nor Sunday nor one of *holidays*."""
    return day.weekday() < 5 and day not in holidays


def working_days(after: date, until: date, holidays: Collection[date] = frozenset()) -> int:
    """Return how many working days lie after *after* and up to *until*, that day included; 0 where there are none."""
    days = (until - after).days
    return sum(is_working_day(after + timedelta(days=step), holidays) for step in range(1, days + 1))


def last_day_of_grace(covered: date, *, rhythm: Rhythm, limit_hours: int, holidays: Collection[date]) -> date:
    """Return the last day on which a feed whose reports reach *covered* is not silent yet.

    Its rhythm passes in calendar days, then its limit in working hours, eight for each working day that is over: the feed
    is silent on the first day by whose end more than its limit have passed.
    """
    day = covered + timedelta(days=RHYTHMS[rhythm])
    hours = 0
    while True:
        tomorrow = day + timedelta(days=1)
        hours += HOURS if is_working_day(tomorrow, holidays) else 0
        if hours > limit_hours:
            return day
        day = tomorrow
