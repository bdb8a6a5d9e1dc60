"""All standings of a plan from figures, reports of feeds, and the revisions in force. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from schemas.directory import Directory, Feed
from schemas.plan import Indicator, MeanMeasure, Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.definition import definition_of, types_read
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.coverage import Coverage, FeedDay, FeedOnDay, Reports, feeds_for
from services.core.schedule.pace import Pace, recent_paces
from services.core.schedule.standing import NO_FIGURE, Case, Figure, Standing, figure_of, judge, mean_of
from services.core.schedule.trajectory import Curve, curve_for
from services.core.scope import life_of, selected, targets_of

AFTERMATH: Final = timedelta(days=366)  # a plan is judged for a year beyond its deadline, not for ever
ONE_DAY: Final = timedelta(days=1)

#: (definition's hash, agency) → day → numerator, denominator, measured share.
Adoption = Mapping[tuple[str, str], Mapping[date, tuple[Decimal, Decimal, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """Standings and states of feeds of a plan, up to a day and under the revision in force on each day.

    ``histories``: (indicator, agency) → its standings in the order of days, one for each day on which the agency exists
    and the indicator concerns it. ``feeds``: feed → its state on every day from the plan's start, over all its types.
    ``plans``: the plan's revisions that were known, those in force later among them.
    """

    plan: Plan
    revision: int
    directory: Directory
    directory_revision: int
    day: date
    histories: Mapping[tuple[str, str], tuple[Standing, ...]]
    feeds: Mapping[str, tuple[FeedOnDay, ...]]
    plans: Sequence[PlanRevision]


def last_day_judged(plan: Plan, complete: date) -> date:
    """Return the last day that *plan* judges when *complete* is the last complete day."""
    return min(complete, plan.deadline + AFTERMATH)


@dataclass
class _Under:
    """A plan's revision with a directory's: everything that does not change while both are in force."""

    plan: PlanRevision
    directory: DirectoryRevision
    adoption: Adoption
    feed_days: Sequence[FeedDay]
    last: date
    _courses: dict[tuple[str, str], tuple[list[Figure], list[Pace | None]]] = field(default_factory=dict)

    @cached_property
    def reports(self) -> Reports:
        return Reports(self.feed_days, frozenset(self.directory.document.holidays))

    @cached_property
    def feeds(self) -> list[tuple[Feed, Collection[str]]]:
        directory = self.directory.document
        return [(feed, selected(directory, feed.covers)) for feed in directory.feeds]

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        return {indicator.id: indicator for indicator in self.plan.document.indicators}

    def course(self, indicator: Indicator, agency: str) -> tuple[list[Figure], list[Pace | None]]:
        """Return figure and recent pace of every day from the plan's start to the last."""
        key = (indicator.id, agency)
        if key not in self._courses:
            figures = self._figures(indicator, agency)
            ratios = [None if one.ratio is None or one.too_few else float(one.ratio) for one in figures]
            self._courses[key] = figures, recent_paces(ratios)
        return self._courses[key]

    def _figures(self, indicator: Indicator, agency: str) -> list[Figure]:
        plan = self.plan.document
        days = [plan.start + timedelta(days=step) for step in range((self.last - plan.start).days + 1)]
        if isinstance(indicator.measure, MeanMeasure):
            # A mean of means is a fault of the plan; here it has no figure.
            parts = [(self.indicators.get(part.indicator), part.weight) for part in indicator.measure.of]
            if any(part is None or isinstance(part.measure, MeanMeasure) for part, _ in parts):
                return [NO_FIGURE] * len(days)
            courses = [(self.course(part, agency)[0], weight) for part, weight in parts if part is not None]
            return [mean_of([(figures[at], weight) for figures, weight in courses]) for at in range(len(days))]
        definition = definition_of(indicator, plan)
        found = self.adoption.get((definition.hash, agency), {}) if definition else {}
        minimum = plan.minimum_of(indicator)
        figures = []
        for day in days:
            numerator, denominator, share = found.get(day, (None, None, None))
            figures.append(figure_of(numerator, denominator, measured_share=share, minimum=minimum))
        return figures

    def standings(self, first: date, last: date) -> Iterable[Standing]:
        """Return the standings of the days *first* … *last* of everything that the plan concerns."""
        plan, directory = self.plan.document, self.directory.document
        lives = {agency.id: life_of(agency) for agency in directory.agencies}
        for indicator in plan.indicators:
            types = sorted(types_read(indicator, self.indicators))
            coverages: dict[tuple[tuple[str, ...], ...], dict[date, Coverage]] = {}  # most agencies share their feeds
            for agency, target in targets_of(directory, indicator).items():
                needed = feeds_for(self.feeds, types=types, agency=agency)
                known = coverages.setdefault(tuple(tuple(feed.id for feed in feeds) for feeds in needed.values()), {})
                curve = curve_for(target, plan) if target else None
                begins, ends = lives[agency]
                day = max(first, begins)
                while day <= min(last, ends):
                    if day not in known:
                        known[day] = self.reports.coverage(needed, day)
                    yield self._standing(indicator, agency, curve, known[day], day)
                    day += ONE_DAY

    def _standing(
        self, indicator: Indicator, agency: str, curve: Curve | None, coverage: Coverage, day: date
    ) -> Standing:
        plan = self.plan.document
        figures, paces = self.course(indicator, agency)
        at = (coverage.judged_day - plan.start).days
        known = 0 <= at < len(figures)
        return judge(
            Case(plan=plan.plan, revision=self.plan.revision, indicator=indicator.id, agency=agency),
            day=day,
            figure=figures[at] if known else NO_FIGURE,
            curve=curve,
            behind_after=plan.behind_after,
            pace=paces[at] if known else None,
            coverage=coverage,
        )


def definitions_needed(revisions: Iterable[PlanRevision]) -> frozenset[str]:
    """Return the hashes of all definitions behind *revisions*."""
    found = (
        definition_of(indicator, revision.document)
        for revision in revisions
        for indicator in revision.document.indicators
    )
    return frozenset(definition.hash for definition in found if definition is not None)


def assess(
    plans: Sequence[PlanRevision],
    directories: Sequence[DirectoryRevision],
    *,
    adoption: Adoption,
    feed_days: Sequence[FeedDay],
    day: date,
) -> Assessment:
    """Return every standing of one plan from its start to *day*, each under the revisions in force on its own day.

    *plans* are the revisions of one plan, *directories* those of its directory. Raises ValueError where neither a plan nor
    a directory is in force on *day*.
    """
    plan, directory = plan_in_force(plans, day), directory_in_force(directories, day)
    if plan is None or directory is None:
        raise ValueError(f"no revision is in force on {day}")
    start = min(revision.document.start for revision in plans)
    unders: dict[tuple[int, int], _Under] = {}
    histories: dict[tuple[str, str], list[Standing]] = {}
    for first, last, on_plan, on_directory in spells(plans, directories, start, day):
        key = (on_plan.revision, on_directory.revision)
        if key not in unders:
            unders[key] = _Under(on_plan, on_directory, adoption, feed_days, day)
        for standing in unders[key].standings(first, last):
            histories.setdefault((standing.indicator, standing.agency), []).append(standing)
    today = _Under(plan, directory, adoption, feed_days, day)
    since = plan.document.start
    days = [since + timedelta(days=step) for step in range((day - since).days + 1)]
    return Assessment(
        plan=plan.document,
        revision=plan.revision,
        directory=directory.document,
        directory_revision=directory.revision,
        day=day,
        histories={key: tuple(standings) for key, standings in histories.items()},
        feeds={feed.id: tuple(today.reports.state(feed, one) for one in days) for feed, _ in today.feeds},
        plans=tuple(plans),
    )


def spells(
    plans: Sequence[PlanRevision], directories: Sequence[DirectoryRevision], start: date, end: date
) -> Iterable[tuple[date, date, PlanRevision, DirectoryRevision]]:
    """Return the spans of days on which nothing about the revisions changes; days before a plan's own start are left out."""
    changes = {start, *(one.in_force_from for one in (*plans, *directories)), *(one.document.start for one in plans)}
    firsts = sorted(day for day in changes if start <= day <= end)
    for first, after in zip(firsts, [*firsts[1:], end + ONE_DAY], strict=True):
        plan, directory = plan_in_force(plans, first), directory_in_force(directories, first)
        if plan is not None and directory is not None and plan.document.start <= first:
            yield first, after - ONE_DAY, plan, directory
