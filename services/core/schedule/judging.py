"""What a round has to judge: spans of days under one pair of revisions, and from which day on each agency and indicator.

A standing depends on figures and reports of its own day and earlier ones alone. So what changed on a day asks for that day and
those after it, and of what did not change the new days are enough. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from schemas.directory import Directory, Feed
from schemas.plan import Indicator, MeanMeasure, Target
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.definition import definition_of, types_read
from services.core.schedule.coverage import feeds_for
from services.core.schedule.trajectory import Curve, curve_for
from services.core.scope import children_of, life_of, targets_of

#: Type → the feeds that supply it.
Needed = dict[str, list[Feed]]


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What has changed since the last round, which had judged up to the day before *new*.

    ``figures``: definition → agency → first day; ``reports``: source → first day. Days from *new* on need no mention.
    """

    new: date
    figures: Mapping[str, Mapping[str, date]] = field(default_factory=dict)
    reports: Mapping[str, date] = field(default_factory=dict)


@dataclass(kw_only=True)
class Spell:
    """A span of days, both included, on which one plan and one directory are in force."""

    first: date
    last: date
    plan: PlanRevision
    directory: DirectoryRevision

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        """The plan's indicators by id."""
        return {one.id: one for one in self.plan.document.indicators}

    @cached_property
    def lives(self) -> dict[str, tuple[date, date]]:
        """Agency → the first and the last day on which it exists."""
        return {agency.id: life_of(agency) for agency in self.directory.document.agencies}

    @cached_property
    def feeds(self) -> dict[str, tuple[Feed, ...]]:
        """Agency → the feeds that cover it, in the directory's order."""
        return covering(self.directory.document)

    @cached_property
    def _concerned(self) -> dict[str, dict[str, Target | None]]:
        return {name: targets_of(self.directory.document, one) for name, one in self.indicators.items()}

    def concerned(self, indicator: Indicator) -> Mapping[str, Target | None]:
        """Return agency → target of those that *indicator* concerns, None where it is shown without one."""
        return self._concerned[indicator.id]

    def parts(self, indicator: Indicator) -> list[Indicator] | None:
        """Return the indicators whose figures a mean is of, one part each, or itself; None where it can have no figure."""
        if not isinstance(indicator.measure, MeanMeasure):
            return [indicator]
        parts = [self.indicators.get(part.indicator) for part in indicator.measure.of]
        found = [one for one in parts if one is not None and not isinstance(one.measure, MeanMeasure)]
        return found if found and len(found) == len(parts) else None

    def needed(self, indicator: Indicator, agency: str) -> Needed:
        """Return the feeds behind *indicator* for *agency*."""
        types = sorted(types_read(indicator, self.indicators))
        return feeds_for([(feed, (agency,)) for feed in self.feeds.get(agency, ())], types=types, agency=agency)

    def curve(self, target: Target) -> Curve:
        """Return the curve of *target*, made once."""
        if id(target) not in self._curves:
            self._curves[id(target)] = curve_for(target, self.plan.document)
        return self._curves[id(target)]

    @cached_property
    def _curves(self) -> dict[int, Curve]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Agencies of one indicator that are judged from their first day on, each with its feeds, at most to the spell's end."""

    spell: Spell
    indicator: Indicator
    agencies: tuple[str, ...]
    first: date
    needed: tuple[Needed, ...]  # parallel to agencies

    @property
    def days(self) -> int:
        """How many days are judged."""
        return (self.spell.last - self.first).days + 1


def pieces_of(spell: Spell, changes: Changes, cells: int) -> Iterator[Piece]:
    """Yield what of *spell* is to be judged, in pieces of about *cells* agencies × days: a piece may judge more than needed."""
    for indicator in spell.indicators.values():
        waiting = sorted(_firsts(spell, indicator, changes), key=lambda one: one[0])
        at = 0
        while at < len(waiting):
            first = waiting[at][0]
            size = max(1, cells // ((spell.last - first).days + 1))
            # What begins much later is cheaper in a piece of its own.
            near = [one for one in waiting[at : at + size] if (one[0] - first).days <= (spell.last - one[0]).days]
            some = near or waiting[at : at + 1]
            yield Piece(
                spell=spell,
                indicator=indicator,
                agencies=tuple(agency for _, agency, _ in some),
                first=first,
                needed=tuple(needed for _, _, needed in some),
            )
            at += len(some)


def _firsts(spell: Spell, indicator: Indicator, changes: Changes) -> Iterator[tuple[date, str, Needed]]:
    """Yield (first day to judge, agency, its feeds) for those of whom the spell has something to judge."""
    plan = spell.plan.document
    definitions = [definition_of(part, plan) for part in spell.parts(indicator) or ()]
    moved = [changes.figures[one.hash] for one in definitions if one is not None and one.hash in changes.figures]
    known: dict[tuple[str, ...], tuple[Needed, date]] = {}
    for agency in spell.concerned(indicator):
        feeds = tuple(feed.id for feed in spell.feeds.get(agency, ()))
        if feeds not in known:
            needed = spell.needed(indicator, agency)
            sources = {feed.source for several in needed.values() for feed in several}
            known[feeds] = (
                needed,
                min((changes.reports[one] for one in sources if one in changes.reports), default=changes.new),
            )
        needed, first = known[feeds]
        first = min([first, changes.new, *(one[agency] for one in moved if agency in one)])
        begins, ends = spell.lives[agency]
        first = max(first, spell.first)
        if max(first, begins) <= min(spell.last, ends):
            yield first, agency, needed


def covering(directory: Directory) -> dict[str, tuple[Feed, ...]]:
    """Return agency → the feeds that cover it, in the directory's order; what ``selected`` says, for all at once."""
    children = children_of(directory)
    groups: dict[str, list[str]] = {}
    for agency in directory.agencies:
        for group in agency.groups:
            groups.setdefault(group, []).append(agency.id)
    found: dict[str, list[Feed]] = {agency.id: [] for agency in directory.agencies}
    for feed in directory.feeds:
        covers = feed.covers
        mine = dict.fromkeys(found) if covers.all else {}
        waiting = [] if covers.all else list(covers.agencies)
        for group in () if covers.all else covers.groups:
            mine.update(dict.fromkeys(groups.get(group, ())))
        below: set[str] = set()
        while waiting:
            agency_id = waiting.pop()
            if agency_id not in below:
                below.add(agency_id)
                waiting.extend(children.get(agency_id, ()))
        for agency_id in {**mine, **dict.fromkeys(sorted(below))}:
            if agency_id in found:
                found[agency_id].append(feed)
    return {agency_id: tuple(feeds) for agency_id, feeds in found.items()}


def few(directory: Directory, agencies: Iterable[str], feeds: Mapping[str, tuple[Feed, ...]]) -> Directory:
    """Return *directory* with *agencies*, those above them and the feeds that cover them: all that their standing needs.

    *feeds*: what :func:`covering` says of *directory*.
    """
    parents = {agency.id: agency.parent for agency in directory.agencies}
    kept: set[str] = set()
    for agency in agencies:
        at: str | None = agency
        while at is not None and at in parents and at not in kept:
            kept.add(at)
            at = parents[at]
    ids = {feed.id for agency in kept for feed in feeds.get(agency, ())}
    return directory.model_copy(
        update={
            "agencies": tuple(one for one in directory.agencies if one.id in kept),
            "feeds": tuple(one for one in directory.feeds if one.id in ids),
        }
    )
