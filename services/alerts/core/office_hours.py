"""When mails go out: within a policy's working time, which holidays of the directory interrupt."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.policy import Weekday, WorkingTime

_DAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LOOK_AHEAD: Final = 60  # days; nobody is away for longer, and a calendar that says so is not believed


def next_working_moment(
    now: datetime, working: WorkingTime | None, *, holidays: Collection[date], zone: ZoneInfo
) -> datetime:
    """Return *now* where it lies within *working* time, else the beginning of the next one. Without any: *now*.

    Days are those of *zone*. Where the next two months hold no working day at all, holidays are ignored.
    """
    if working is None:
        return now
    local = now.astimezone(zone)
    for off in (holidays, ()):
        for step in range(_LOOK_AHEAD):
            day = local.date() + timedelta(days=step)
            if _DAYS[day.weekday()] not in working.days or day in off:
                continue
            begins = datetime.combine(day, working.from_, zone)
            if step or local < begins:
                return begins.astimezone(now.tzinfo)
            if local < datetime.combine(day, working.until, zone):
                return now
    return now
