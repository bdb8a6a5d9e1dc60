"""The ground that letters are written from: revisions, feeds on the day judged, and exact histories on demand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from schemas.directory import Feed
from schemas.revisions import DirectoryRevision, PlanRevision
from services.alerts.adapters.figures import FigureReader
from services.alerts.core.histories import Histories, History
from services.core.schedule.assess import Assessment, assess, definitions_needed
from services.core.schedule.coverage import FeedOnDay, FeedState, Reports
from services.core.schedule.judging import Spell, covering, few

_FEEDS_AT_ONCE: Final = 500
_LOOKED_BACK: Final = timedelta(days=40)  # longer than a feed's incomplete days are remembered


def ground_of(
    reader: FigureReader,
    plans: Sequence[PlanRevision],
    directories: Sequence[DirectoryRevision],
    spells: Sequence[Spell],
    *,
    day: date,
) -> Assessment:
    """Return the assessment of *day* with the feeds' states of that day; histories are computed when they are asked for."""
    now = spells[-1]
    concerned: dict[str, set[str]] = {}
    for spell in spells:
        for name, indicator in spell.indicators.items():
            for agency in spell.concerned(indicator):
                begins, ends = spell.lives[agency]
                if max(begins, spell.first) <= min(ends, spell.last):
                    concerned.setdefault(agency, set()).add(name)
    return Assessment(
        plan=now.plan.document,
        revision=now.plan.revision,
        directory=now.directory.document,
        directory_revision=now.directory.revision,
        day=day,
        histories=Histories(
            {agency: frozenset(names) for agency, names in concerned.items()},
            _Loading(reader, plans, directories, day).load,
        ),
        feeds={one: (state,) for one, state in _states(reader, now, day).items()},
        plans=tuple(plans),
    )


class _Loading:
    """Computes the exact histories of one agency."""

    def __init__(
        self, reader: FigureReader, plans: Sequence[PlanRevision], directories: Sequence[DirectoryRevision], day: date
    ) -> None:
        self._reader = reader
        self._plans = plans
        self._directories = directories
        self._day = day
        self._covering: dict[int, dict[str, tuple[Feed, ...]]] = {}

    def load(self, agency: str) -> Mapping[str, History]:
        """Return indicator → its standings of *agency*."""
        directories = [
            one.model_copy(update={"document": few(one.document, [agency], self._feeds(one))})
            for one in self._directories
        ]
        agencies = {known.id for one in directories for known in one.document.agencies}
        sources = {feed.source for one in directories for feed in one.document.feeds}
        found = assess(
            self._plans,
            directories,
            adoption=self._reader.adoption_of(definitions_needed(self._plans), agencies, self._day),
            feed_days=self._reader.feed_days(sources, self._day),
            day=self._day,
        )
        return {indicator: history for (indicator, of), history in found.histories.items() if of == agency}

    def _feeds(self, one: DirectoryRevision) -> dict[str, tuple[Feed, ...]]:
        if one.revision not in self._covering:
            self._covering[one.revision] = covering(one.document)
        return self._covering[one.revision]


def _states(reader: FigureReader, now: Spell, day: date) -> dict[str, FeedOnDay]:
    """Return feed → its state on *day* over all its types."""
    directory = now.directory.document
    holidays = frozenset(directory.holidays)
    found: dict[str, FeedOnDay] = {}
    for at in range(0, len(directory.feeds), _FEEDS_AT_ONCE):
        feeds = directory.feeds[at : at + _FEEDS_AT_ONCE]
        told = Reports(reader.feed_days({feed.source for feed in feeds}, day, day - _LOOKED_BACK), holidays)
        states = {feed.id: told.state(feed, day) for feed in feeds}
        # Who has covered no day lately may have covered one long ago.
        dead = [feed for feed in feeds if states[feed.id].state is FeedState.NEVER_CONNECTED]
        if dead:
            told = Reports(reader.feed_days({feed.source for feed in dead}, day), holidays)
            states |= {feed.id: told.state(feed, day) for feed in dead}
        found |= states
    return found
