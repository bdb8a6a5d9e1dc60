"""From an assessment to the transitions that its day brings: what the life of warnings is fed with. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from schemas.directory import Directory
from schemas.plan import MeanMeasure, Plan
from schemas.policy import Policy
from schemas.warnings import Answer, Transition
from services.core.definition import reads_of
from services.core.schedule.assess import Assessment
from services.core.schedule.coverage import FeedOnDay
from services.core.schedule.standing import Standing
from services.core.scope import selected, targets_of
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.evaluation import Day, transitions_on
from services.core.warnings.feed_life import FeedStanding
from services.core.warnings.lifecycle import feed_cause, lag_cause
from services.core.warnings.severity import severity_of
from services.core.warnings.warning_records import Subject


def judged_day(standing: Standing, policy: Policy, deadline: date) -> JudgedDay:
    """Return what warnings need of a day of standing under *policy*, in a plan that ends on *deadline*."""
    return JudgedDay(
        day=standing.day,
        verdict=standing.verdict or "",
        severity=severity_of(standing, policy, deadline),
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
    # Days that are short may lie before the last complete one, and hold verdicts back all the same.
    since = first_missing if on_day.short is None else min(first_missing, on_day.short)
    return FeedStanding(feed=feed, state=on_day.state, last_covered=on_day.covered, since=max(since, start))


def followed(history: Sequence[Standing], policy: Policy, deadline: date) -> tuple[Course, JudgedDay]:
    """Return what *history* (in the order of days, not empty) amounts to under *policy*, and its last day."""
    course = Course()
    days = [judged_day(one, policy, deadline) for one in history]
    for day in days:
        course.follow(day, policy)
    return course, days[-1]


def transitions_of(
    assessment: Assessment,
    past: Mapping[Subject, Transition],
    policy: Policy,
    *,
    at: datetime,
    answers: Mapping[Subject, Sequence[Answer]] | None = None,
) -> tuple[Transition, ...]:
    """Return every transition that the day judged brings to warnings whose last transitions are *past*.

    *answers*: those not yet taken up, in the order of the log.
    """
    plan = assessment.plan
    courses: dict[Subject, tuple[Course, JudgedDay]] = {}
    for indicator in plan.indicators:
        for agency, target in targets_of(assessment.directory, indicator).items():
            history = assessment.histories.get((indicator.id, agency), ())
            if target is not None and history and history[-1].day == assessment.day:
                courses[(agency, lag_cause(indicator.id))] = followed(history, policy, plan.deadline)
    feeds = feed_standings(assessment)
    day = Day(
        day=assessment.day,
        courses=courses,
        feeds=feeds.values(),
        judged=courses.keys() | {(feed, feed_cause(feed)) for feed in feeds},
        answers=answers or {},
    )
    return transitions_on(day, past, policy, plan=plan.plan, revision=assessment.revision, at=at)
