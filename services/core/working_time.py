"""Time that passes on working days only, for plans that ask for progress on those alone. Exact, pure.

Calendar time x is in days after the plan's start, as everywhere; working time u counts working days. A working day that
ends at x passes from x − 1 to x; on other days u stands still, so that one u may be a whole span of x.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor

from schemas.plan import WorkingCalendar
from services.core.calendar import is_working_day


class WorkingTime:
    """Working days after a start and up to a deadline, that day included. Equal to itself alone."""

    def __init__(self, start: date, deadline: date, calendar: WorkingCalendar) -> None:
        holidays, worked = frozenset(calendar.holidays), frozenset(calendar.working_on)
        span = max(0, (deadline - start).days)
        days = ((x, start + timedelta(days=x)) for x in range(1, span + 1))
        self._ends = [x for x, day in days if day in worked or is_working_day(day, holidays)]
        self._span = span

    @property
    def total(self) -> int:
        """How many working days there are."""
        return len(self._ends)

    def at(self, x: Fraction | int) -> Fraction:
        """Return the working time that has passed at calendar time *x*, which is not negative."""
        whole = floor(x)
        passed = bisect_right(self._ends, whole)
        under_way = passed < self.total and self._ends[passed] == whole + 1
        return Fraction(passed) + (Fraction(x) - whole if under_way else 0)

    def first(self, u: Fraction) -> Fraction:
        """Return the first calendar time at which *u*, between 0 and the total, has passed."""
        if u <= 0:
            return Fraction(0)
        number = ceil(u)
        return Fraction(self._ends[number - 1]) - (number - u)

    def last(self, u: Fraction) -> Fraction:
        """Return the last calendar time at which no more than *u* has passed; the deadline where that is everything."""
        if u >= self.total:
            return Fraction(self._span)
        number = floor(u) + 1
        return Fraction(self._ends[number - 1] - 1) + (u - floor(u))

    def day_at(self, x: int) -> int:
        """Return the working days passed at the end of day *x*."""
        return bisect_left(self._ends, x + 1)


@lru_cache(maxsize=256)
def working_time(calendar: WorkingCalendar, *, start: date, deadline: date) -> WorkingTime | None:
    """Return the time by which a plan accrues; None where it accrues on every calendar day."""
    return WorkingTime(start, deadline, calendar) if calendar.accrual == "working-days" else None
