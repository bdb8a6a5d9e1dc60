"""What a mail says, found in the standing and the states of feeds; wording and number forms are the templates' part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from schemas.directory import Directory
from schemas.plan import Indicator, MeanMeasure, Plan, Target
from schemas.revisions import PlanRevision
from schemas.warnings import Transition, TransitionReason
from services.alerts.core.letter import (
    Course,
    DeadFeed,
    FeedLetter,
    Heading,
    Lag,
    LagLetter,
    Other,
    Pace,
    Resolved,
    SourceLine,
)
from services.alerts.core.moved import goalposts_of
from services.alerts.core.notices import find_agency, find_feed, is_feed
from services.core.definition import reads_of
from services.core.lifecycle import FeedStanding, is_open, lag_cause
from services.core.scope import selected, targets_of
from services.core.standing import Standing
from services.core.trajectory import curve_for
from services.core.warning_records import Subject


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

    def latest(self, indicator: str, agency: str) -> Standing | None:
        """Return the standing of the day judged; None where there is none."""
        history = self.histories.get((indicator, agency))
        return history[-1] if history and history[-1].day == self.day else None


def pace_of(standing: Standing, target: Fraction, deadline: date, size: int = 1) -> Pace:
    """Return what is missing to *target* and how much a week reaches it by *deadline*, counted from the day judged.

    Counts are in units of *size* cases each.
    """
    days = (deadline - standing.judged_day).days
    counted = standing.numerator is not None and standing.denominator is not None
    if standing.numerator is not None and standing.denominator is not None:
        exact = target * Fraction(standing.denominator) - Fraction(standing.numerator)
    else:
        exact = target - (standing.ratio or Fraction(0))
    exact = max(exact, Fraction(0))
    per_week = exact * 7 / days if days > 0 else None
    if not counted:
        return Pace(counted=False, missing=exact, per_week=per_week)
    step = Fraction(1) if size == 1 else Fraction(size, 10)
    missing, per_week = (None if of is None else ceil(of / step) * step / size for of in (exact, per_week))
    return Pace(counted=True, missing=missing or Fraction(0), per_week=per_week)


def sources_of(evidence: Evidence, indicator: Indicator, agency: str, language: str) -> tuple[SourceLine, ...]:
    """Return the feeds that supply *indicator* for *agency*, in the directory's order; of a mean, those of its parts."""
    types = set(reads_of(indicator))
    if isinstance(indicator.measure, MeanMeasure):
        parts = {part.indicator for part in indicator.measure.of}
        types |= {short for one in evidence.plan.indicators if one.id in parts for short in reads_of(one)}
    lines = []
    for feed in evidence.directory.feeds:
        if types & set(feed.types) and agency in selected(evidence.directory, feed.covers):
            known = evidence.feeds.get(feed.id)
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


def _course(evidence: Evidence, indicator: str, agency: str, target: Target) -> Course:
    plan = evidence.plan
    curve = curve_for(target, plan)
    days = (plan.start + timedelta(days=step) for step in range(curve.span + 1))
    actual = tuple(
        (one.day, float(one.ratio))
        for one in evidence.histories.get((indicator, agency), ())
        if one.ratio is not None and one.judged_day == one.day
    )
    return Course(
        planned=tuple((day, float(curve.planned_at(day))) for day in days), actual=actual, target=float(target.target)
    )


def _other(evidence: Evidence, indicator: Indicator, agency: str, target: Target | None, language: str) -> Other | None:
    standing = evidence.latest(indicator.id, agency)
    if standing is None:
        return None
    return Other(
        title=indicator.title.text(language),
        unit=indicator.unit.text(language),
        size=indicator.unit.size,
        standing=standing,
        target=target.target if target else None,
    )


def _lag(
    evidence: Evidence, indicator: Indicator, target: Target, last: Transition, news: bool, language: str
) -> Lag | None:
    agency = last.agency
    standing = evidence.latest(indicator.id, agency)
    if standing is None:
        return None
    parts: list[Other] = []
    if isinstance(indicator.measure, MeanMeasure):
        known = {one.id: one for one in evidence.plan.indicators}
        found = (_other(evidence, known[part.indicator], agency, None, language) for part in indicator.measure.of)
        parts = [one for one in found if one is not None]
    return Lag(
        indicator=indicator.id,
        objective=indicator.objective,
        title=indicator.title.text(language),
        unit=indicator.unit.text(language),
        size=indicator.unit.size,
        standing=standing,
        target=target.target,
        since=last.since,
        news=news,
        reason=last.reason.value,
        pace=pace_of(standing, target.target, evidence.plan.deadline, indicator.unit.size),
        parts=tuple(parts),
        sources=sources_of(evidence, indicator, agency, language),
        course=_course(evidence, indicator.id, agency, target),
    )


def lag_letter(
    evidence: Evidence, heading: Heading, agency: str, told: Sequence[Transition], states: Mapping[Subject, Transition]
) -> LagLetter:
    """Return the mail about *told*, transitions of one agency.

    *states* holds the last transition of every cause. Everything that is open now is in it, what *told* opened first;
    what *told* resolved and is still resolved is named; the agency's other indicators follow in one line each.
    """
    language = heading.language
    fresh = {one.cause for one in told}
    lags: list[Lag] = []
    resolved: list[Resolved] = []
    others: list[Other] = []
    known = find_agency(evidence.directory, agency)
    for indicator in evidence.plan.indicators:
        cause = lag_cause(indicator.id)
        last = states.get((agency, cause))
        target = targets_of(evidence.directory, indicator).get(agency)
        lag = None
        if last is not None and is_open(last) and target is not None:
            lag = _lag(evidence, indicator, target, last, cause in fresh, language)
        if lag is not None:
            lags.append(lag)
            continue
        if last is not None and cause in fresh and not is_open(last):
            resolved.append(Resolved(title=indicator.title.text(language), reason=last.reason.value, since=last.since))
        other = _other(evidence, indicator, agency, target, language) if target is not None else None
        if other is not None:
            others.append(other)
    lags.sort(key=lambda one: (not one.news, -(one.standing.days_behind or 0), one.indicator))
    return LagLetter(
        heading=heading,
        agency=known.name.text(language) if known else agency,
        lags=tuple(lags),
        resolved=tuple(resolved),
        others=tuple(others),
        moved=goalposts_of(evidence.plans, evidence.directory, agency, day=evidence.day, language=language),
    )


def feed_letter(
    evidence: Evidence, heading: Heading, told: Sequence[Transition], states: Mapping[Subject, Transition]
) -> FeedLetter:
    """Return the mail about *told*, transitions of feeds: what is dead still, and what has returned."""
    dead: list[DeadFeed] = []
    returned: list[Resolved] = []
    seen: set[str] = set()
    for one in sorted(told, key=lambda one: (one.agency, -one.sequence)):
        last = states.get((one.agency, one.cause), one)
        if one.agency in seen or not is_feed(one):
            continue
        seen.add(one.agency)
        feed = find_feed(evidence.directory, one.agency)
        title = feed.title.text(heading.language) if feed else one.agency
        if not is_open(last) or feed is None:
            reason = last.reason if not is_open(last) else TransitionReason.NO_LONGER_JUDGED
            returned.append(Resolved(title=title, reason=reason.value, since=last.since))
            continue
        known = evidence.feeds.get(feed.id)
        agencies, indicators = _held_back(evidence, feed.id, heading.language)
        dead.append(
            DeadFeed(
                feed=feed.id,
                title=title,
                source=feed.source,
                types=feed.types,
                state=known.state if known else "silent",
                last_covered=known.last_covered if known else None,
                since=last.since,
                rhythm=feed.rhythm,
                news=True,
                indicators=indicators,
                agencies=agencies,
            )
        )
    return FeedLetter(heading=heading, feeds=tuple(dead), returned=tuple(returned))


def _held_back(evidence: Evidence, feed_id: str, language: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of agencies and the titles of indicators with a target that this feed supplies."""
    feed = find_feed(evidence.directory, feed_id)
    if feed is None:
        return (), ()
    covered = selected(evidence.directory, feed.covers)
    names: dict[str, None] = {}
    titles: dict[str, None] = {}
    agencies = {one.id: one.name.text(language) for one in evidence.directory.agencies}
    for indicator in evidence.plan.indicators:
        judged = targets_of(evidence.directory, indicator)
        for agency in agencies:
            if agency not in covered or judged.get(agency) is None:
                continue
            if any(line.feed == feed_id for line in sources_of(evidence, indicator, agency, language)):
                names[agencies[agency]] = None
                titles[indicator.title.text(language)] = None
    return tuple(names), tuple(titles)
