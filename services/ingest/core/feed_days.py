"""What a feed says it sent: per type and day, how many statements, once the source has passed the day.

Pure: the caller tells of each new statement and of each moment at which the source has passed a day. The same sequence gives
the same reports, wherever it is interrupted, so that repeating is harmless.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from schemas.common import full_type

_LONGEST_BACKFILL: Final = 366  # days reported before the first passed one, unless told: rows may carry very old times


@dataclass(frozen=True, kw_only=True)
class Report:
    """The source stated *count* events of *type* (short name) whose ``time`` falls on *day*; it said so *at*."""

    type: str
    day: date
    count: int
    at: datetime

    def event(self, *, source: str, agency: str) -> dict[str, Any]:
        """Return the ``feed.reported`` event. Its id follows from type, day, count and moment."""
        moment = self.at.isoformat(timespec="microseconds")
        return {
            "specversion": "1.0",
            "id": f"reported:{self.type}:{self.day.isoformat()}:{self.count}:{moment}",
            "source": source,
            "type": full_type("feed.reported"),
            "time": moment,
            "agency": agency,
            "data": {"type": self.type, "day": self.day.isoformat(), "count": self.count},
        }


@dataclass
class DayBook:
    """The counts of one connector. `first`, `passed_to`, `counted` and `reported` are all its state."""

    types: tuple[str, ...]
    first: date | None = None  # the first day to report; settled at the first passing where it is None
    passed_to: date | None = None
    counted: Counter[tuple[str, date]] = field(default_factory=Counter)
    reported: dict[tuple[str, date], tuple[int, datetime]] = field(default_factory=dict)
    _changed: set[tuple[str, date]] = field(default_factory=set)  # counted since they were last reported
    _touched: set[tuple[str, date]] = field(default_factory=set)  # counted or reported since last taken

    def count(self, type_: str, day: date) -> None:
        """Count one new statement of *type_* with its ``time`` on *day*; the caller sees to it that each event id comes once."""
        self.counted[type_, day] += 1
        self._changed.add((type_, day))
        self._touched.add((type_, day))

    def passed(self, day: date, at: datetime, since: date | None = None) -> tuple[Report, ...]:
        """The source has passed *day* and all from *since* before it, *at* this moment: return what is to be reported now.

        Every day not yet reported, zero included, and days whose count has grown since. Of two reports of a day the
        later one always carries the later moment, because the later statement wins.
        """
        if self.first is None:
            seen = [counted for _, counted in self.counted]
            self.first = since or max(min([*seen, day]), day - timedelta(days=_LONGEST_BACKFILL))
        due = {key for key in self._changed if self.first <= key[1] <= day}
        new = self.first if self.passed_to is None else self.passed_to + timedelta(days=1)
        for ordinal in range(new.toordinal(), day.toordinal() + 1):
            due.update((type_, date.fromordinal(ordinal)) for type_ in self.types)
        if self.passed_to is None or day > self.passed_to:
            self.passed_to = day
        self._changed -= due
        reports = []
        for type_, on in sorted(due, key=lambda key: (key[1], key[0])):
            count = self.counted[type_, on]
            before = self.reported.get((type_, on))
            if before is not None and before[0] == count:
                continue
            moment = at if before is None or at > before[1] else before[1] + timedelta(microseconds=1)
            self.reported[type_, on] = (count, moment)
            self._touched.add((type_, on))
            reports.append(Report(type=type_, day=on, count=count, at=moment))
        return tuple(reports)

    def take_touched(self) -> frozenset[tuple[str, date]]:
        """Return what was counted or reported since this was last asked: what a save has to write."""
        touched, self._touched = frozenset(self._touched), set()
        return touched

    def restore_changed(self) -> None:
        """After loading: days counted and not reported with that count are open again."""
        self._changed = {
            key for key, count in self.counted.items() if key not in self.reported or self.reported[key][0] != count
        }
