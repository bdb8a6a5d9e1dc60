"""The calendar of 2008 and the shares that grow along it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Final

YEAR_START: Final = date(2008, 1, 1)
YEAR_END: Final = date(2008, 12, 31)
PLAN_START: Final = date(2008, 5, 28)
PLAN_END: Final = date(2008, 12, 31)

#: Public holidays of 2008 as the directory lists them (substitute days left out).
HOLIDAYS: Final = frozenset(
    {date(2008, 1, 1), date(2008, 4, 15), date(2008, 4, 30), date(2008, 5, 1), date(2008, 9, 2)}
    | {date(2008, 2, day) for day in range(6, 12)}
)


def is_working(day: date) -> bool:
    """Say whether offices are open on *day*."""
    return day.weekday() < 5 and day not in HOLIDAYS


def working_from(day: date) -> date:
    """Return the first working day that is not before *day*."""
    while not is_working(day):
        day += timedelta(days=1)
    return day


def span(first: date, last: date) -> list[date]:
    """Return every day from *first* to *last*, both included."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


WORKING_DAYS: Final = tuple(day for day in span(YEAR_START, YEAR_END) if is_working(day))


def planned_share(day: date, target: float) -> float:
    """Return what a straight line from nothing at the plan's start to *target* at its end asks on *day*."""
    elapsed = (day - PLAN_START).days / (PLAN_END - PLAN_START).days
    return target * min(1.0, max(0.0, elapsed))


def spread(random: Random, count: int, days: Sequence[date] = WORKING_DAYS) -> list[date]:
    """Return *count* of *days* in order, evenly spread with some jitter."""
    step = len(days) / count
    picks = [days[min(len(days) - 1, int((k + random.random()) * step))] for k in range(count)]
    return sorted(picks)


class Diffusion:
    """Turns a changing share into yes and no so that the share of yes follows it closely, whatever the seed."""

    def __init__(self, offset: float) -> None:
        self._sum = offset

    def take(self, share: float) -> bool:
        """Return whether the next case is a yes."""
        self._sum += share
        if self._sum >= 1.0:
            self._sum -= 1.0
            return True
        return False
