"""What a day brings to all warnings of a plan: decisions, taken until nothing more follows. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from schemas.policy import Policy
from schemas.warnings import Answer, Transition, WarningState
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.feed_life import FeedStanding, decide_feed
from services.core.warnings.lifecycle import (
    Decision,
    Quiet,
    decide_lag,
    feed_cause,
    gone,
    transition,
)
from services.core.warnings.warning_records import Subject

_STEPS: Final = 50  # of one warning on one look: answers that wait, then what the day itself brings


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    """What is judged on a day: courses with the day itself by (agency, cause), feeds, and who may be warned at all.

    An open or pending warning outside *judged* ends as no longer judged. What is judged and has no course changes nothing.
    """

    day: date
    courses: Mapping[Subject, tuple[Course, JudgedDay]]
    feeds: Iterable[FeedStanding] = ()
    judged: Collection[Subject]
    answers: Mapping[Subject, Sequence[Answer]] = field(default_factory=dict)  # not yet taken up, in the log's order


def transitions_on(
    day: Day, past: Mapping[Subject, Transition], policy: Policy, *, plan: str, revision: int, at: datetime
) -> tuple[Transition, ...]:
    """Return every transition that *day* brings, by subject, each subject's in the order of their sequence."""
    feeds = {(feed.feed, feed_cause(feed.feed)): feed for feed in day.feeds}
    over = [
        subject
        for subject, last in past.items()
        if subject not in day.judged and last.state is not WarningState.RESOLVED
    ]
    told = _last_told(past)
    made: list[Transition] = []
    for subject in sorted({*day.courses, *feeds, *over}):
        last = past.get(subject)
        answers = list(day.answers.get(subject, ()))
        for _ in range(_STEPS):
            decision = _decide(subject, last, day, feeds, policy, answers, told.get(subject[0]))
            one = transition(decision, last, subject, plan=plan, revision=revision, at=at)
            if one is None:
                break
            made.append(one)
            answers = [answer for answer in answers if answer.id != one.answer]
            last = one
    return tuple(made)


def _last_told(past: Mapping[Subject, Transition]) -> dict[str, date]:
    """Return for each agency the last day on which it was told of any of its warnings: reminders of all come together."""
    told: dict[str, date] = {}
    for (agency, _), last in past.items():
        if last.told_day is not None:
            told[agency] = max(told.get(agency, last.told_day), last.told_day)
    return told


def _decide(
    subject: Subject,
    last: Transition | None,
    day: Day,
    feeds: Mapping[Subject, FeedStanding],
    policy: Policy,
    answers: Sequence[Answer],
    told: date | None,
) -> Decision:
    if subject in feeds:
        return decide_feed(last, feeds[subject], day.day, policy.feeds, answers)
    if subject in day.courses and subject in day.judged:
        course, today = day.courses[subject]
        return decide_lag(last, course, today, policy, answers, told=told)
    if last is not None and last.state is not WarningState.RESOLVED:
        return gone(last, day.day)
    return Decision(reason=Quiet.NOTHING_SAID, day=day.day, since=day.day)
