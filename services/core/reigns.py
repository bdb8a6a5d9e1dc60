"""Which revision of a document counts on which days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.core.scope import FIRST_DAY, LAST_DAY


class Issue(NamedTuple):
    """A revision's number, the day from which it is in force, and the moment of its publication."""

    revision: int
    in_force_from: date
    published: datetime


class Reign(NamedTuple):
    """The days, both included, on which *revision* counts."""

    revision: int
    first: date
    last: date


def reigns_of(issues: Iterable[Issue], *, known_at: datetime | None = None) -> tuple[Reign, ...]:
    """Return the reigns of a document's revisions, in the order of days, without a gap from FIRST_DAY to LAST_DAY.

    On a day that revision counts which came into force last; of several in force from one day the one published last (then
    the greatest number). The first one counts before its day too. With *known_at* only those published by then exist.
    Empty where there is none.
    """
    by_day: dict[date, Issue] = {}
    for issue in issues:
        if known_at is not None and issue.published > known_at:
            continue
        held = by_day.setdefault(issue.in_force_from, issue)
        if (issue.published, issue.revision) > (held.published, held.revision):
            by_day[issue.in_force_from] = issue
    days = sorted(by_day)
    begins = [FIRST_DAY, *days[1:]]
    ends = [day - timedelta(days=1) for day in days[1:]] + [LAST_DAY]
    return tuple(Reign(by_day[day].revision, first, last) for day, first, last in zip(days, begins, ends, strict=False))
