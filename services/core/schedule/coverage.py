"""Coverage: what the feeds' own reports say about how far their data reach. Arrival plays no part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from schemas.directory import Feed
from services.core.calendar import last_day_of_grace

RECENT: Final = timedelta(days=28)


class FeedState(StrEnum):
    """How alive a feed is on a day."""

    NEVER_CONNECTED = "never-connected"
    SILENT = "silent"
    PARTIAL = "partial"
    REPORTING = "reporting"


WORST_FIRST: Final = (FeedState.NEVER_CONNECTED, FeedState.SILENT, FeedState.PARTIAL, FeedState.REPORTING)


@dataclass(frozen=True, slots=True)
class FeedDay:
    """What a source says that it sent of a type on a day (None: nothing said), and how many events of it were counted."""

    source: str
    type: str
    day: date
    reported: int | None
    counted: int


@dataclass(frozen=True, slots=True)
class FeedOnDay:
    """A feed's state on a day with the last day that its reports cover; None: it has never covered one.

    ``short``: of a partial feed, the first day that is incomplete and still counts.
    """

    day: date
    state: FeedState
    covered: date | None
    short: date | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """What the feeds needed for a figure allow to be said on a day.

    ``judged_day`` is the day whose figures count: the last day that all of them cover while one is silent, else the day
    itself. ``provisional``: they do not yet cover the day.
    """

    state: FeedState
    judged_day: date
    provisional: bool


@dataclass(frozen=True, slots=True)
class _Reach:
    covered: tuple[date, ...]  # reported for all types and complete, ascending
    incomplete: tuple[date, ...]  # reported for some type, fewer counted, ascending


@dataclass(slots=True)
class Reports:
    """All reports of all sources, and answers about them. Answers are remembered: a value to make anew for new reports."""

    rows: Iterable[FeedDay]
    holidays: Collection[date] = frozenset()
    _by_type: dict[tuple[str, str], dict[date, bool]] = field(init=False, default_factory=dict)
    _reaches: dict[tuple[str, frozenset[str]], _Reach] = field(init=False, default_factory=dict)
    _states: dict[tuple[str, frozenset[str], date], FeedOnDay] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for row in self.rows:
            if row.reported is not None:
                self._by_type.setdefault((row.source, row.type), {})[row.day] = row.counted >= row.reported

    def state(self, feed: Feed, day: date, types: frozenset[str] | None = None) -> FeedOnDay:
        """Return the state of *feed* on *day*, for those of its types that are among *types* (None: all of them)."""
        wanted = frozenset(feed.types) if types is None else types & frozenset(feed.types)
        key = (feed.id, wanted, day)
        if key not in self._states:
            self._states[key] = self._state(feed, day, wanted)
        return self._states[key]

    def coverage(self, needed: Mapping[str, Sequence[Feed]], day: date) -> Coverage:
        """Return the coverage of a figure on *day*; *needed* maps each type that it reads to the feeds that supply it.

        A type without a feed has never been connected. The worst state over the feeds counts.
        """
        types = frozenset(needed)
        if not needed or any(not feeds for feeds in needed.values()):
            return Coverage(FeedState.NEVER_CONNECTED, day, True)
        feeds = {feed.id: feed for several in needed.values() for feed in several}
        states = [self.state(feed, day, types) for feed in feeds.values()]
        worst = min((one.state for one in states), key=WORST_FIRST.index)
        covered = [one.covered for one in states if one.covered is not None]
        if worst is FeedState.NEVER_CONNECTED or not covered:
            return Coverage(FeedState.NEVER_CONNECTED, day, True)
        least = min(covered)
        return Coverage(worst, least if worst is FeedState.SILENT else day, least < day)

    def _state(self, feed: Feed, day: date, types: frozenset[str]) -> FeedOnDay:
        reach = self._reach(feed.source, types)
        at = bisect_right(reach.covered, day)
        if at == 0:
            return FeedOnDay(day, FeedState.NEVER_CONNECTED, None)
        covered = reach.covered[at - 1]
        grace = last_day_of_grace(covered, rhythm=feed.rhythm, limit_hours=feed.silence_limit, holidays=self.holidays)
        if day > grace:
            return FeedOnDay(day, FeedState.SILENT, covered)
        latest = bisect_right(reach.incomplete, day)
        if latest and reach.incomplete[latest - 1] > day - RECENT:
            first = reach.incomplete[bisect_right(reach.incomplete, day - RECENT)]
            return FeedOnDay(day, FeedState.PARTIAL, covered, first)
        return FeedOnDay(day, FeedState.REPORTING, covered)

    def _reach(self, source: str, types: frozenset[str]) -> _Reach:
        key = (source, types)
        if key not in self._reaches:
            per_type = [self._by_type.get((source, name), {}) for name in types]
            everywhere = set.intersection(*(set(days) for days in per_type)) if per_type else set()
            self._reaches[key] = _Reach(
                tuple(sorted(day for day in everywhere if all(days[day] for days in per_type))),
                tuple(sorted({day for days in per_type for day, complete in days.items() if not complete})),
            )
        return self._reaches[key]


def feeds_for(
    feeds: Iterable[tuple[Feed, Collection[str]]], *, types: Iterable[str], agency: str
) -> dict[str, list[Feed]]:
    """Return type → the feeds that have it and cover *agency*; *feeds* pairs each feed with the agencies that it covers."""
    covering = [feed for feed, agencies in feeds if agency in agencies]
    return {name: [feed for feed in covering if name in feed.types] for name in types}
