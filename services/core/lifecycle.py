"""The life of a warning: a pure state machine over days of standing. Its state is a fold of its transitions.

A day *speaks* when its figures are complete: the feeds report, and the day itself was judged, not an earlier one. Days that
do not speak neither open nor resolve, nor do they break a run. So a dead feed never looks like recovery, nor like falling
behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from schemas.plan import WarningPolicy
from schemas.warnings import Transition, TransitionReason, WarningState
from services.core.warning_records import Subject

BEHIND: Final = frozenset({"behind", "missed"})
#: Verdicts that say nothing about being behind.
SPEECHLESS: Final = frozenset({"", "no-data", "too-few", "not-started"})
#: Feed states that hold back every decision about the indicators supplied.
HOLDING_BACK: Final = frozenset({"never-connected", "silent", "partial"})
DEAD: Final = frozenset({"never-connected", "silent"})


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedDay:
    """One day of standing of one agency in one indicator, as much of it as warnings need."""

    day: date
    verdict: str
    feed_state: str
    judged_day: date  # earlier than day while a feed is silent
    provisional: bool = False  # a feed has not yet passed the day


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedStanding:
    """A feed on the day judged. ``last_covered`` is the last day that it has reported completely; None: never."""

    feed: str
    state: str
    last_covered: date | None
    since: date  # the first day not covered


class Quiet(StrEnum):
    """Why nothing changes."""

    ON_PLAN = "on-plan"
    HELD = "held"  # behind, but not yet for the hold time
    STILL_BEHIND = "still-behind"
    CLEARING = "clearing"  # not behind, but not yet for the clear time
    FEED_HOLDS_BACK = "feed-holds-back"
    NOTHING_SAID = "nothing-said"
    FEED_STILL_DEAD = "feed-still-dead"
    FEED_ALIVE = "feed-alive"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What follows for one cause, and why. ``since`` is the first day of the run of days that decided."""

    reason: TransitionReason | Quiet
    day: date
    since: date


_STATE_AFTER: Final[dict[TransitionReason, WarningState]] = {
    TransitionReason.FELL_BEHIND: WarningState.OPEN,
    TransitionReason.MISSED: WarningState.OPEN,
    TransitionReason.FEED_SILENT: WarningState.OPEN,
    TransitionReason.CAUGHT_UP: WarningState.RESOLVED,
    TransitionReason.FEED_RETURNED: WarningState.RESOLVED,
    TransitionReason.NO_LONGER_JUDGED: WarningState.RESOLVED,
}


def lag_cause(indicator: str) -> str:
    """Return the cause of a warning about being behind in *indicator*."""
    return f"lag:{indicator}"


def feed_cause(feed: str) -> str:
    """Return the cause of a warning about *feed*."""
    return f"feed:{feed}"


def speaks(day: JudgedDay) -> bool:
    """Return whether *day* may open or resolve a warning."""
    return (
        day.feed_state not in HOLDING_BACK
        and day.judged_day >= day.day
        and not day.provisional
        and day.verdict not in SPEECHLESS
    )


def is_open(past: Transition | None) -> bool:
    """Return whether the warning whose last transition is *past* is open."""
    return past is not None and past.state is WarningState.OPEN


@dataclass(slots=True)
class Course:
    """What a history amounts to if it had been followed day by day, from its first day, under one policy."""

    behind_run: int = 0
    calm_run: int = 0
    run_since: date = date.min
    firing: bool = False
    firing_since: date = date.min
    last: JudgedDay | None = None

    def follow(self, day: JudgedDay, policy: WarningPolicy) -> None:
        """Go on by the next day."""
        if not speaks(day):
            return
        self.last = day
        if day.verdict in BEHIND:
            self.run_since = day.day if self.behind_run == 0 else self.run_since
            self.behind_run, self.calm_run = self.behind_run + 1, 0
            if not self.firing and self.behind_run >= max(policy.hold, 1):
                self.firing, self.firing_since = True, self.run_since
        else:
            self.run_since = day.day if self.calm_run == 0 else self.run_since
            self.behind_run, self.calm_run = 0, self.calm_run + 1
            self.firing = self.firing and self.calm_run < policy.clear


def decide_lag(past: Transition | None, days: Sequence[JudgedDay], policy: WarningPolicy) -> Decision:
    """Decide about one agency and indicator on the last day of *days* (in order, not empty).

    Opens after ``hold`` speaking days behind in a row, where a spell shorter than ``clear`` does not end a run that had
    fired; resolves after ``clear`` speaking days not behind in a row. While the last day's feed is silent, partial or
    never connected nothing changes. Raises ValueError without days.
    """
    if not days:
        raise ValueError("no day of standing")
    course = Course()
    for day in days:
        course.follow(day, policy)
    return decide_course(past, course, days[-1], policy)


def decide_course(past: Transition | None, course: Course, today: JudgedDay, policy: WarningPolicy) -> Decision:
    """Decide as :func:`decide_lag` does, about a history that has been followed up to *today*, that day included."""
    if today.feed_state in HOLDING_BACK or today.judged_day < today.day:
        return Decision(reason=Quiet.FEED_HOLDS_BACK, day=today.day, since=today.judged_day)
    if course.last is None:
        return Decision(reason=Quiet.NOTHING_SAID, day=today.day, since=today.day)
    reason, since = _reason(past, course, course.last, policy)
    return Decision(reason=reason, day=course.last.day, since=since)


def _reason(
    past: Transition | None, course: Course, last: JudgedDay, policy: WarningPolicy
) -> tuple[TransitionReason | Quiet, date]:
    if is_open(past):
        if course.calm_run >= policy.clear:
            return TransitionReason.CAUGHT_UP, course.run_since
        return (Quiet.STILL_BEHIND if last.verdict in BEHIND else Quiet.CLEARING), course.run_since
    if last.verdict not in BEHIND:
        return Quiet.ON_PLAN, course.run_since
    if not course.firing:
        return Quiet.HELD, course.run_since
    return (TransitionReason.MISSED if last.verdict == "missed" else TransitionReason.FELL_BEHIND), course.firing_since


def decide_feed(past: Transition | None, feed: FeedStanding, day: date) -> Decision:
    """Decide about a feed that the plan needs: opens when silent or never connected, resolves when it is back."""
    if feed.state in DEAD:
        reason = Quiet.FEED_STILL_DEAD if is_open(past) else TransitionReason.FEED_SILENT
        return Decision(reason=reason, day=day, since=feed.since)
    reason = TransitionReason.FEED_RETURNED if is_open(past) else Quiet.FEED_ALIVE
    return Decision(reason=reason, day=day, since=feed.last_covered or day)


def transition_id(plan: str, agency: str, cause: str, sequence: int) -> str:
    """Return the id of a transition: 32 hex digits that only its place in the warning's life decides."""
    return hashlib.sha256(f"transition\n{plan}\n{agency}\n{cause}\n{sequence}".encode()).hexdigest()[:32]


def transition(
    decision: Decision, past: Transition | None, subject: Subject, *, plan: str, revision: int, at: datetime
) -> Transition | None:
    """Return the transition that *decision* makes after *past*; None where nothing changes."""
    if isinstance(decision.reason, Quiet):
        return None
    agency, cause = subject
    sequence = 1 if past is None else past.sequence + 1
    return Transition(
        id=transition_id(plan, agency, cause, sequence),
        plan=plan,
        agency=agency,
        cause=cause,
        sequence=sequence,
        state=_STATE_AFTER[decision.reason],
        reason=decision.reason,
        day=decision.day,
        since=decision.since,
        at=at,
        revision=revision,
    )


def decide_all(
    past: Mapping[Subject, Transition],
    histories: Mapping[Subject, Sequence[JudgedDay]],
    feeds: Iterable[FeedStanding],
    *,
    judged: Collection[Subject],
    policy: WarningPolicy,
    plan: str,
    revision: int,
    day: date,
    at: datetime,
) -> tuple[Transition, ...]:
    """Return every transition that *day* brings, in a fixed order.

    *histories* holds (agency, cause) → its days up to *day*; *judged* all that the plan judges or supplies today: an open
    warning outside it is resolved as no longer judged. What is judged and has no history changes nothing.
    """
    lags = {
        subject: decide_lag(past.get(subject), days, policy)
        for subject, days in histories.items()
        if subject in judged and days
    }
    return transitions_after(past, lags, feeds, judged=judged, plan=plan, revision=revision, day=day, at=at)


def transitions_after(
    past: Mapping[Subject, Transition],
    lags: Mapping[Subject, Decision],
    feeds: Iterable[FeedStanding],
    *,
    judged: Collection[Subject],
    plan: str,
    revision: int,
    day: date,
    at: datetime,
) -> tuple[Transition, ...]:
    """Return what :func:`decide_all` does, from decisions about lags that have been made."""
    decisions = dict(lags)
    for feed in feeds:
        subject = (feed.feed, feed_cause(feed.feed))
        decisions[subject] = decide_feed(past.get(subject), feed, day)
    gone = Decision(reason=TransitionReason.NO_LONGER_JUDGED, day=day, since=day)
    for subject, last in past.items():
        if is_open(last) and subject not in judged:
            decisions[subject] = gone
    made = (
        transition(decisions[subject], past.get(subject), subject, plan=plan, revision=revision, at=at)
        for subject in sorted(decisions)
    )
    return tuple(one for one in made if one is not None)
