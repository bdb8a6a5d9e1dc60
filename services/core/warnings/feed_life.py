"""The life of a warning about a feed: silent, incomplete for too long, back. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from schemas.policy import FeedRules
from schemas.warnings import Answer, Transition, TransitionReason, WarningState
from services.core.warnings.course import DEAD
from services.core.warnings.lifecycle import Decision, Quiet, is_open, quieted, taken_up, unchanged


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedStanding:
    """A feed on the day judged. ``last_covered`` is the last day that it has reported completely; None: never."""

    feed: str
    state: str
    last_covered: date | None
    since: date  # the first day not covered, or incomplete


def decide_feed(
    past: Transition | None, feed: FeedStanding, day: date, rules: FeedRules, answers: Sequence[Answer] = ()
) -> Decision:
    """Decide about a feed that the plan needs.

    Opens when it is silent or was never connected, or incomplete for as many days as *rules* say; resolves when it is back.
    """
    answered = taken_up(past, answers)
    if answered is not None:
        return answered
    opened = past if is_open(past) else None
    dead = feed.state in DEAD
    incomplete = feed.state == "partial" and rules.partial is not None
    long = incomplete and (day - feed.since).days + 1 >= (rules.partial or 0)
    changed = TransitionReason.FEED_SILENT if dead else TransitionReason.FEED_PARTIAL
    after = Decision(reason=changed, day=day, since=feed.since, state=WarningState.OPEN, level="feed-owner")
    if opened is None:
        return after if dead or long else replace(after, reason=Quiet.FEED_ALIVE)
    if not (dead or incomplete):
        back = feed.last_covered or day
        return replace(
            unchanged(opened), reason=TransitionReason.FEED_RETURNED, day=day, since=back, state=WarningState.RESOLVED
        )
    if dead and opened.reason is TransitionReason.FEED_PARTIAL:
        return after
    told = opened.told_day or opened.day
    # Each reminder comes after as long a time as all before it: nobody reads the fortieth of one a week.
    wait = max(rules.repeat or 0, (told - (opened.opened_day or told)).days)
    if rules.repeat is not None and not quieted(opened) and (day - told).days >= wait:
        return replace(unchanged(opened), reason=TransitionReason.FEED_STILL_OUT, day=day, since=opened.since)
    return Decision(reason=Quiet.FEED_STILL_DEAD, day=day, since=feed.since)
