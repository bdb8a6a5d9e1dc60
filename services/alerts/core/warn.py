"""From an assessment to transitions, and from a notice to its letter. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from schemas.plan import MeanMeasure
from schemas.warnings import Notice, Transition
from services.alerts.core.letter import FeedLetter, Heading, LagLetter
from services.alerts.core.lifecycle import (
    FeedStanding,
    JudgedDay,
    decide_all,
    feed_cause,
    lag_cause,
)
from services.alerts.core.message import Evidence, feed_letter, lag_letter
from services.alerts.core.notices import contact_of, is_feed
from services.core.assess import Assessment
from services.core.definition import reads_of
from services.core.scope import selected, targets_of
from services.core.standing import Standing
from services.core.warning_records import Subject, fold


def judged_day(standing: Standing) -> JudgedDay:
    """Return what warnings need of a day of standing."""
    return JudgedDay(
        day=standing.day,
        verdict=standing.verdict or "",
        feed_state=standing.feed_state,
        judged_day=standing.judged_day,
        provisional=standing.provisional,
    )


def feeds_needed(assessment: Assessment) -> frozenset[str]:
    """Return the feeds that some indicator reads for an agency that it concerns."""
    plan, directory = assessment.plan, assessment.directory
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
    for feed in feeds_needed(assessment):
        states = assessment.feeds.get(feed, ())
        if not states or states[-1].day != assessment.day:
            continue
        last = states[-1]
        first_missing = assessment.plan.start if last.covered is None else last.covered + timedelta(days=1)
        standings[feed] = FeedStanding(
            feed=feed, state=last.state, last_covered=last.covered, since=max(first_missing, assessment.plan.start)
        )
    return standings


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


def compose(
    assessment: Assessment, notice: Notice, transitions: Iterable[Transition], *, written: date
) -> LagLetter | FeedLetter | None:
    """Return the letter of *notice*, *written* on that local day; None where the directory no longer knows whom to write to.

    *transitions* are all of the plan's. Raises ValueError where those of the notice are not among them.
    """
    every = tuple(transitions)
    told = [one for one in every if one.id in set(notice.transitions)]
    if not told:
        raise ValueError(f"notice {notice.id} speaks of transitions that nobody recorded")
    to = contact_of(assessment.directory, notice)
    if to is None:
        return None
    plan, language = assessment.plan, notice.language
    heading = Heading(
        language=language,
        plan_title=plan.title.text(language),
        decision_number=plan.decision.number,
        decision_day=plan.decision.day,
        signer=plan.decision.signer,
        start=plan.start,
        deadline=plan.deadline,
        day=assessment.day,
        written=written,
        operations=assessment.directory.operations,
        to=to,
    )
    evidence = Evidence(
        plan=plan,
        directory=assessment.directory,
        day=assessment.day,
        histories=assessment.histories,
        feeds=feed_standings(assessment),
    )
    states = fold(every)
    if any(is_feed(one) for one in told):
        return feed_letter(evidence, heading, told, states)
    return lag_letter(evidence, heading, notice.agency, told, states)


def open_counts(states: Iterable[Transition]) -> dict[str, int]:
    """Return how many warnings are open, of lags and of feeds."""
    counts = {"lag": 0, "feed": 0}
    for one in states:
        if one.state.value == "open":
            counts["feed" if is_feed(one) else "lag"] += 1
    return counts
