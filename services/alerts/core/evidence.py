"""What is known on the day judged, as letters look it up. Read for every mail, so nothing is searched for twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from schemas.directory import Agency, Directory, Feed
from schemas.plan import Indicator, MeanMeasure, Plan, Target
from schemas.revisions import PlanRevision
from services.alerts.core.letter import SourceLine
from services.alerts.core.notices import AddressBook
from services.core.definition import reads_of
from services.core.schedule.standing import Standing
from services.core.scope import children_of, selected, targets_of
from services.core.warnings.feed_life import FeedStanding


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known on the day judged. ``histories`` are keyed (indicator, agency), in the order of days, never empty.

    ``plans``: the plan's revisions, those in force earlier and later among them.
    """

    plan: Plan
    directory: Directory
    day: date
    histories: Mapping[tuple[str, str], Sequence[Standing]]
    feeds: Mapping[str, FeedStanding]
    plans: Sequence[PlanRevision]
    _targets: dict[str, Mapping[str, Target | None]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def latest(self, indicator: str, agency: str) -> Standing | None:
        """Return the standing of the day judged; None where there is none."""
        history = self.histories.get((indicator, agency))
        return history[-1] if history and history[-1].day == self.day else None

    @cached_property
    def addresses(self) -> AddressBook:
        """The directory's contacts by role."""
        return AddressBook(self.directory)

    @property
    def agencies(self) -> Mapping[str, Agency]:
        """The directory's agencies by id."""
        return self.addresses.agencies

    @cached_property
    def indicators(self) -> Mapping[str, Indicator]:
        """The plan's indicators by id."""
        return {one.id: one for one in self.plan.indicators}

    @cached_property
    def _feeds(self) -> Mapping[str, tuple[int, Feed]]:
        return {one.id: (at, one) for at, one in enumerate(self.directory.feeds)}

    @cached_property
    def _children(self) -> Mapping[str, Sequence[str]]:
        return children_of(self.directory)

    @cached_property
    def _feeds_of(self) -> Mapping[str, Sequence[str]]:
        """Agency → the feeds that cover it, in the directory's order. What covers everything is under the empty id."""
        found: dict[str, list[str]] = {}
        for one in self.directory.feeds:
            for agency in ("",) if one.covers.all else self.covered(one):
                found.setdefault(agency, []).append(one.id)
        return found

    def feed(self, feed: str) -> Feed | None:
        """Return the feed of that id, None where the directory no longer has it."""
        known = self._feeds.get(feed)
        return known[1] if known else None

    def name(self, agency: str, language: str) -> str:
        """Return what an agency, or the feed of that id, is called; the id itself where nothing knows it."""
        known, feed = self.agencies.get(agency), self.feed(agency)
        return known.name.text(language) if known else feed.title.text(language) if feed else agency

    def targets(self, indicator: str) -> Mapping[str, Target | None]:
        """Return agency → its target in *indicator*."""
        if indicator not in self._targets:
            self._targets[indicator] = targets_of(self.directory, self.indicators[indicator])
        return self._targets[indicator]

    def office(self, agency: str, role: str) -> str | None:
        """Return what who has *role* for *agency*, or for the nearest above it, is called; None where nobody is named."""
        above = self.addresses.above(agency, role)
        found = self.addresses.own(above, role) if above is not None else None
        return found.name if found is not None else None

    def types(self, indicator: Indicator) -> frozenset[str]:
        """Return the event types behind *indicator*; of a mean, those of its parts."""
        types = set(reads_of(indicator))
        if isinstance(indicator.measure, MeanMeasure):
            for part in indicator.measure.of:
                if part.indicator in self.indicators:
                    types |= reads_of(self.indicators[part.indicator])
        return frozenset(types)

    def sources(self, indicator: Indicator, agency: str, language: str) -> tuple[SourceLine, ...]:
        """Return the feeds that supply *indicator* for *agency*, in the directory's order; of a mean, those of its parts."""
        types = self.types(indicator)
        covering = {*self._feeds_of.get("", ()), *self._feeds_of.get(agency, ())}
        lines = []
        for _, feed in sorted((self._feeds[one] for one in covering), key=lambda pair: pair[0]):
            if not types.isdisjoint(feed.types):
                known = self.feeds.get(feed.id)
                lines.append(
                    SourceLine(
                        feed=feed.id,
                        title=feed.title.text(language),
                        source=feed.source,
                        state=known.state if known else "never-connected",
                        last_covered=known.last_covered if known else None,
                    )
                )
        return tuple(lines)

    def covered(self, feed: Feed) -> frozenset[str]:
        """Return the agencies that *feed* covers."""
        if feed.covers.all or feed.covers.groups:
            return selected(self.directory, feed.covers)
        found: set[str] = set()
        waiting = list(feed.covers.agencies)
        while waiting:
            agency = waiting.pop()
            if agency not in found:
                found.add(agency)
                waiting.extend(self._children.get(agency, ()))
        return frozenset(found)

    def held_back(self, feed: Feed, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of agencies and the titles of indicators with a target that *feed* supplies."""
        covered = self.covered(feed)
        agencies: set[str] = set()
        titles = []
        for indicator in self.plan.indicators:
            if self.types(indicator).isdisjoint(feed.types):
                continue
            judged = {
                one for one, target in self.targets(indicator.id).items() if target is not None and one in covered
            }
            if judged:
                agencies |= judged
                titles.append(indicator.title.text(language))
        names = (one.name.text(language) for one in self.directory.agencies if one.id in agencies)
        return tuple(names), tuple(dict.fromkeys(titles))
