"""The life of a warning: a pure state machine over days of standing and answers. Its state is a fold of its transitions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from schemas.policy import Policy
from schemas.warnings import Answer, AnswerKind, Transition, TransitionReason, WarningState
from services.core.warnings.course import HOLDING_BACK, Course, JudgedDay
from services.core.warnings.levels import level_above, level_reached
from services.core.warnings.severity import RANK, SEVERITY
from services.core.warnings.warning_records import Subject

#: Reasons that somebody is told of, and from which reminders count.
TOLD: Final = frozenset(
    {
        TransitionReason.FELL_BEHIND,
        TransitionReason.MISSED,
        TransitionReason.AT_RISK,
        TransitionReason.BEHIND_AGAIN,
        TransitionReason.WORSENED,
        TransitionReason.UNANSWERED,
        TransitionReason.PROMISE_PASSED,
        TransitionReason.STILL_BEHIND,
        TransitionReason.CAUGHT_UP,
        TransitionReason.NO_LONGER_JUDGED,
        TransitionReason.FEED_SILENT,
        TransitionReason.FEED_PARTIAL,
        TransitionReason.FEED_STILL_OUT,
        TransitionReason.FEED_RETURNED,
    }
)
_LAST_SEQUENCE: Final = (1 << 32) - 1
_CLOSED: Final = frozenset({WarningState.PENDING, WarningState.RESOLVED})
_ANSWER_STATE: Final = {
    AnswerKind.ACKNOWLEDGED: (WarningState.ACKNOWLEDGED, TransitionReason.ACKNOWLEDGED),
    AnswerKind.ACCEPTED: (WarningState.ANSWERED, TransitionReason.ACCEPTED),
    AnswerKind.DISPUTED: (WarningState.ANSWERED, TransitionReason.DISPUTED),
}


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
    """What follows for one cause, and why. ``since`` is the first day of the run of days that decided.

    The rest is what the warning is afterwards, where something changes.
    """

    reason: TransitionReason | Quiet
    day: date
    since: date
    state: WarningState = WarningState.RESOLVED
    severity: int = 0
    level: str = ""
    acknowledged: bool = False
    promised: date | None = None
    answer: str | None = None


def to_be_told(reason: TransitionReason) -> bool:
    """Return whether somebody is told of such a transition, sooner or later; of disputes operations are."""
    return reason in TOLD or reason is TransitionReason.DISPUTED


def lag_cause(indicator: str) -> str:
    """Return the cause of a warning about being behind in *indicator*."""
    return f"lag:{indicator}"


def feed_cause(feed: str) -> str:
    """Return the cause of a warning about *feed*."""
    return f"feed:{feed}"


def is_open(past: Transition | None) -> bool:
    """Return whether the warning whose last transition is *past* is one: neither pending nor resolved."""
    return past is not None and past.state not in _CLOSED


def decide_lag(
    past: Transition | None,
    course: Course,
    today: JudgedDay,
    policy: Policy,
    answers: Sequence[Answer] = (),
    *,
    told: date | None = None,
) -> Decision:
    """Decide about one agency and indicator, whose history has been followed up to *today*, that day included.

    *answers*: those that no transition has taken up yet, in the order of the log; the first that concerns this warning is
    taken up, whatever the feeds do. Else nothing changes while today's feeds hold back. Opens after ``hold`` speaking days in
    a row, where a spell shorter than ``clear`` does not end a run that had fired; resolves after ``clear`` calm ones in a
    row. *told*: the last day on which the agency was told of any of its warnings, from which reminders count, because every
    mail names all that is open; the warning's own, unless given.
    """
    answered = taken_up(past, answers)
    if answered is not None:
        return answered
    if today.feed_state in HOLDING_BACK or today.judged_day < today.day:
        return Decision(reason=Quiet.FEED_HOLDS_BACK, day=today.day, since=today.judged_day)
    if course.last is None:
        return Decision(reason=Quiet.NOTHING_SAID, day=today.day, since=today.day)
    if past is not None and is_open(past):
        own = past.told_day or past.day
        return _goes_on(past, course, course.last, policy, max(told or own, own))
    return _begins(past, course, course.last, policy)


def gone(past: Transition, day: date) -> Decision:
    """Return the end of a warning about what is no longer judged."""
    reason = TransitionReason.NO_LONGER_JUDGED if is_open(past) else TransitionReason.NOT_HELD
    return replace(unchanged(past), reason=reason, day=day, since=day, state=WarningState.RESOLVED, promised=None)


def _begins(past: Transition | None, course: Course, last: JudgedDay, policy: Policy) -> Decision:
    pending = past is not None and past.state is WarningState.PENDING
    level = past.level if past is not None else ""
    if not last.severity or not course.firing:
        if last.severity:
            reason: TransitionReason | Quiet = Quiet.HELD if pending else TransitionReason.FALLING_BEHIND
            state = WarningState.PENDING
        else:
            reason, state = (TransitionReason.NOT_HELD if pending else Quiet.ON_PLAN), WarningState.RESOLVED
        return Decision(
            reason=reason, day=last.day, since=course.run_since, state=state, severity=last.severity, level=level
        )
    severity = max(_sustained(course, last, policy), 1)
    told = past.told_day if past is not None and level else None
    again = told is not None and course.spoken_since(told) <= policy.reopen
    return Decision(
        reason=_opening(last, again=again),
        day=last.day,
        since=course.firing_since,
        state=WarningState.OPEN,
        severity=severity,
        level=level_reached(policy, level if again else "", age=0, severity=severity),
    )


def _opening(last: JudgedDay, *, again: bool) -> TransitionReason:
    if again:
        return TransitionReason.BEHIND_AGAIN
    if last.verdict == "missed":
        return TransitionReason.MISSED
    return TransitionReason.FELL_BEHIND if last.verdict == "behind" else TransitionReason.AT_RISK


def _goes_on(past: Transition, course: Course, last: JudgedDay, policy: Policy, told: date) -> Decision:
    same = replace(unchanged(past), day=last.day, since=past.since)
    if course.calm >= policy.clear:
        return replace(
            same, reason=TransitionReason.CAUGHT_UP, state=WarningState.RESOLVED, since=course.run_since, promised=None
        )
    severity, age = _sustained(course, last, policy), course.spoken_since(past.opened_day or past.day)
    if past.promised is not None and last.severity and last.day > past.promised:
        level = level_above(policy, past.level)
        return replace(
            same, reason=TransitionReason.PROMISE_PASSED, state=WarningState.ESCALATED, level=level, promised=None
        )
    if severity > same.severity:
        level = level_reached(policy, past.level, age=None if quieted(past) else age, severity=severity)
        return replace(
            same,
            reason=TransitionReason.WORSENED,
            severity=severity,
            level=level,
            state=WarningState.ESCALATED if level != past.level and not quieted(past) else past.state,
        )
    level = level_reached(policy, past.level, age=None if quieted(past) else age, severity=same.severity)
    if level != past.level:
        reason = TransitionReason.UNANSWERED
        return replace(same, reason=reason, level=level, state=past.state if quieted(past) else WarningState.ESCALATED)
    quiet = course.spoken_since(told)
    if policy.repeat is not None and not quieted(past) and last.severity and quiet >= policy.repeat:
        return replace(same, reason=TransitionReason.STILL_BEHIND)
    return replace(same, reason=Quiet.STILL_BEHIND if last.severity else Quiet.CLEARING, since=course.run_since)


def _sustained(course: Course, last: JudgedDay, policy: Policy) -> int:
    # A deadline that has passed is no passing fluctuation, and waiting would only make a second mail.
    return last.severity if last.verdict == "missed" else course.severity(policy.hold)


def unchanged(past: Transition) -> Decision:
    """Return the warning as it stands, to be changed by a decision."""
    return Decision(
        reason=Quiet.STILL_BEHIND,
        day=past.day,
        since=past.since,
        state=past.state,
        severity=RANK[past.severity] if past.severity is not None else 0,
        level=past.level,
        acknowledged=past.acknowledged,
        promised=past.promised,
        answer=past.answer,
    )


def taken_up(past: Transition | None, answers: Sequence[Answer]) -> Decision | None:
    """Return what the first of *answers* that concerns the open warning *past* makes of it; None where none does."""
    if past is None or not is_open(past):
        return None
    return next((_answered(past, answer) for answer in answers if _concerns(answer, past)), None)


def _concerns(answer: Answer, past: Transition) -> bool:
    if answer.opened != past.opened:
        return False
    return answer.answer is not AnswerKind.ACKNOWLEDGED or not quieted(past)


def _answered(past: Transition, answer: Answer) -> Decision:
    state, reason = _ANSWER_STATE[answer.answer]
    same = unchanged(past)
    # A day accepted keeps quiet until it has passed; what is acknowledged or disputed, until it is resolved.
    acknowledged = same.acknowledged or answer.answer is not AnswerKind.ACCEPTED
    return replace(
        same, reason=reason, state=state, acknowledged=acknowledged, promised=answer.promised, answer=answer.id
    )


def quieted(past: Transition) -> bool:
    """Return whether an answer keeps reminders and levels by age back."""
    return past.acknowledged or past.promised is not None


def transition_id(plan: str, agency: str, cause: str, sequence: int) -> str:
    """Return the id of a transition: 32 hex digits that only its place in the warning's life decides."""
    return hashlib.sha256(f"transition\n{plan}\n{agency}\n{cause}\n{sequence}".encode()).hexdigest()[:32]


def transition(
    decision: Decision, past: Transition | None, subject: Subject, *, plan: str, revision: int, at: datetime
) -> Transition | None:
    """Return the transition that *decision* makes after *past*; None where nothing changes.

    None too after the last number of all, which no warning reaches by itself.
    """
    if isinstance(decision.reason, Quiet) or (past is not None and past.sequence >= _LAST_SEQUENCE):
        return None
    agency, cause = subject
    sequence = 1 if past is None else past.sequence + 1
    opens = decision.state is WarningState.OPEN and not is_open(past)
    closed = decision.state in _CLOSED and not is_open(past)
    told = decision.reason in TOLD
    return Transition(
        id=transition_id(plan, agency, cause, sequence),
        plan=plan,
        agency=agency,
        cause=cause,
        sequence=sequence,
        state=decision.state,
        reason=decision.reason,
        day=decision.day,
        since=decision.since,
        at=at,
        revision=revision,
        opened=sequence if opens else None if closed or past is None else past.opened,
        opened_day=decision.day if opens else None if closed or past is None else past.opened_day,
        severity=SEVERITY.get(decision.severity),
        level=decision.level,
        level_day=past.level_day if past is not None and not opens and past.level == decision.level else decision.day,
        told_day=decision.day if told else past.told_day if past is not None else None,
        acknowledged=decision.acknowledged,
        promised=decision.promised,
        answer=decision.answer,
    )
