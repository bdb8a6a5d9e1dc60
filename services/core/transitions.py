"""From an assessment to the transitions that its day brings: what the life of warnings is fed with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from schemas.directory import Directory
from schemas.plan import MeanMeasure, Plan
from schemas.warnings import Transition
from services.core.assess import Assessment
from services.core.coverage import FeedOnDay
from services.core.definition import reads_of
from services.core.lifecycle import FeedStanding, JudgedDay, decide_all, feed_cause, lag_cause
from services.core.scope import selected, targets_of
from services.core.standing import Standing
from services.core.warning_records import Subject


def judged_day(standing: Standing) -> JudgedDay:
    """Return what warnings need of a day of standing."""
    return JudgedDay(
        day=standing.day,
        verdict=standing.verdict or "",
        feed_state=standing.feed_state,
        judged_day=standing.judged_day,
        provisional=standing.provisional,
    )


def feeds_needed(plan: Plan, directory: Directory) -> frozenset[str]:
    """Return the feeds that some indicator reads for an agency that it concerns."""
    readers: dict[str, set[str]] = {}  # event type → agencies whose figures read it
    parts = {
        one.id: {part.indicator for part in one.measure.of}
        for one in plan.indicators
        if isinstance(one.measure, MeanMeasure)
    }
    for indicator in plan.indicators:
        concerned = set(targets_of(directory, indicator))
        sources = [one for one in plan.indicators if one.id in parts.get(indicator.id, {indicator.id})]
        for short in {short for one in sources for short in reads_of(one)}:
            readers.setdefault(short, set()).update(concerned)
    return frozenset(
        feed.id
        for feed in directory.feeds
        if any(readers.get(short, set()) & selected(directory, feed.covers) for short in feed.types)
    )


def feed_standings(assessment: Assessment) -> dict[str, FeedStanding]:
    """Return feed → its standing on the day judged, for the feeds that the plan needs."""
    standings = {}
    for feed in feeds_needed(assessment.plan, assessment.directory):
        states = assessment.feeds.get(feed, ())
        if states and states[-1].day == assessment.day:
            standings[feed] = feed_standing(feed, states[-1], assessment.plan.start)
    return standings


def feed_standing(feed: str, on_day: FeedOnDay, start: date) -> FeedStanding:
    """Return what warnings need of a feed's state on a day of a plan that begins on *start*."""
    first_missing = start if on_day.covered is None else on_day.covered + timedelta(days=1)
    return FeedStanding(feed=feed, state=on_day.state, last_covered=on_day.covered, since=max(first_missing, start))


def transitions_of(
    assessment: Assessment, past: Mapping[Subject, Transition], *, at: datetime
) -> tuple[Transition, ...]:
    """Return every transition that the day judged brings to warnings whose last transitions are *past*."""
    histories: dict[Subject, list[JudgedDay]] = {}
    for indicator in assessment.plan.indicators:
        for agency, target in targets_of(assessment.directory, indicator).items():
            history = assessment.histories.get((indicator.id, agency), ())
            if target is not None and history and history[-1].day == assessment.day:
                histories[(agency, lag_cause(indicator.id))] = [judged_day(one) for one in history]
    feeds = feed_standings(assessment)
    return decide_all(
        past,
        histories,
        feeds.values(),
        judged=frozenset(histories) | {(feed, feed_cause(feed)) for feed in feeds},
        policy=assessment.plan.warnings,
        plan=assessment.plan.plan,
        revision=assessment.revision,
        day=assessment.day,
        at=at,
    )
