"""Accounts of feeds: how alive one is, and what it says it sent against what was counted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

from schemas.directory import Directory, Feed
from services.core.calendar import last_day_of_grace
from services.core.schedule.coverage import RECENT, FeedDay, FeedState, Reports

_ONE_DAY = timedelta(days=1)


class Unreported(NamedTuple):
    """A day of a type that the feed passed over: it reported earlier and later ones."""

    type: str
    day: date


class Incomplete(NamedTuple):
    """A day of a type of which less was counted than was reported."""

    type: str
    day: date
    reported: int
    counted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedAccount:
    """A feed on a day.

    ``covered`` is the last day that its reports cover, for all its types and completely; ``silent_since`` the first day on
    which it was silent, None while it is not. ``reported`` and ``counted`` sum up the 28 days up to the day; of a day
    ``counted`` is at most what was reported, so that one day's surplus does not hide another's lack. The gaps are those of
    the same 28 days, between the first and the last day ever reported.
    """

    feed: Feed
    state: FeedState
    covered: date | None
    silent_since: date | None
    reported: int
    counted: int
    unreported: tuple[Unreported, ...]
    incomplete: tuple[Incomplete, ...]

    @property
    def completeness(self) -> Fraction | None:
        """Return counted ÷ reported, at most 1; None where nothing was reported, or only zeros."""
        return Fraction(self.counted, self.reported) if self.reported else None


def accounts_of(directory: Directory, rows: Iterable[FeedDay], day: date) -> tuple[FeedAccount, ...]:
    """Return the account of every feed of *directory* on *day*, in its order; *rows* are its sources' days, each once."""
    known = [row for row in rows if row.day <= day]
    reports = Reports(known, frozenset(directory.holidays))
    return tuple(_account(feed, known, reports, day, directory) for feed in directory.feeds)


def _account(feed: Feed, rows: Sequence[FeedDay], reports: Reports, day: date, directory: Directory) -> FeedAccount:
    mine = {(row.type, row.day): row for row in rows if row.source == feed.source and row.type in feed.types}
    told = {key: row for key, row in mine.items() if row.reported is not None}
    on = reports.state(feed, day)
    recent = sorted(
        (row.day, row.type, row.reported or 0, row.counted) for row in told.values() if row.day > day - RECENT
    )
    silent_since = None
    if on.state is FeedState.SILENT and on.covered is not None:
        grace = last_day_of_grace(
            on.covered, rhythm=feed.rhythm, limit_hours=feed.silence_limit, holidays=frozenset(directory.holidays)
        )
        silent_since = grace + _ONE_DAY
    return FeedAccount(
        feed=feed,
        state=on.state,
        covered=on.covered,
        silent_since=silent_since,
        reported=sum(said for _, _, said, _ in recent),
        counted=sum(min(said, seen) for _, _, said, seen in recent),
        unreported=_unreported(feed, {key[1] for key in told}, frozenset(told), day),
        incomplete=tuple(Incomplete(name, at, said, seen) for at, name, said, seen in recent if seen < said),
    )


def _unreported(feed: Feed, days: set[date], told: frozenset[tuple[str, date]], day: date) -> tuple[Unreported, ...]:
    if not days:
        return ()
    at = max(min(days), day - RECENT + _ONE_DAY)
    found = []
    while at <= max(days):
        found += [Unreported(name, at) for name in feed.types if (name, at) not in told]
        at += _ONE_DAY
    return tuple(found)


def spans(days: Iterable[date]) -> tuple[tuple[date, date], ...]:
    """Return *days* as spans of consecutive ones, both ends included, in order."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if found and day - found[-1][1] == _ONE_DAY:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)
