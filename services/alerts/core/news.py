"""What a mail tells for the first time about one warning, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from schemas.policy import ABOVE, ROLES
from schemas.warnings import Transition, TransitionReason
from services.alerts.core.book import Book, caught_up_before
from services.alerts.core.letter import Lag, News
from services.core.warnings.lifecycle import is_open
from services.core.warnings.severity import RANK

#: Reasons told of a warning that is open, the weightiest first. A reminder says nothing that anything else leaves unsaid.
WEIGHT: Final = (
    TransitionReason.MISSED,
    TransitionReason.FELL_BEHIND,
    TransitionReason.BEHIND_AGAIN,
    TransitionReason.AT_RISK,
    TransitionReason.WORSENED,
    TransitionReason.PROMISE_PASSED,
    TransitionReason.UNANSWERED,
    TransitionReason.STILL_BEHIND,
    TransitionReason.FEED_SILENT,
    TransitionReason.FEED_PARTIAL,
    TransitionReason.FEED_STILL_OUT,
)
_REMINDERS: Final = frozenset({TransitionReason.STILL_BEHIND, TransitionReason.FEED_STILL_OUT})
_ORDER: Final = {reason.value: at for at, reason in enumerate(WEIGHT)}
_SEVERITY: Final = {severity.value: rank for severity, rank in RANK.items()}


def rank_of(role: str) -> int:
    """Return the rank of a level, -1 for what is none (operations, a feed's owner)."""
    return next((rank for rank, known in enumerate(ROLES) if known == role), -1)


def news_of(told: Sequence[Transition], book: Book, office: Callable[[str], str | None]) -> tuple[News, ...]:
    """Return what *told*, transitions of one warning, say of it as it is open now, the weightiest first.

    What was told of an earlier time that it was open is history. *office*: level → whom the directory names for it.
    """
    if not told:
        return ()
    last = book.last((told[0].agency, told[0].cause))
    if last is None or not is_open(last):
        return ()
    current = [one for one in told if one.reason in WEIGHT and one.sequence >= (last.opened or 1)]
    fresh = [one for one in current if one.reason not in _REMINDERS] or current[-1:]
    return tuple(sorted((_news(one, book, office) for one in fresh), key=lambda one: (_ORDER[one.reason], one.day)))


def _news(one: Transition, book: Book, office: Callable[[str], str | None]) -> News:
    before = book.before(one)
    going_on = before is not None and is_open(before) and one.sequence != one.opened
    higher = rank_of(one.level) > (rank_of(before.level) if before is not None and going_on else -1)
    raised = higher and (going_on or one.level in ABOVE)
    again = one.reason is TransitionReason.BEHIND_AGAIN
    return News(
        reason=one.reason.value,
        day=one.day,
        since=one.since,
        severity=one.severity.value if one.severity else None,
        severity_before=before.severity.value if before is not None and going_on and before.severity else None,
        before=caught_up_before(book, one) if again else None,
        promised=before.promised if before is not None and going_on else None,
        role=one.level if raised else None,
        office=office(one.level) if raised else None,
        opens=one.opened == one.sequence,
    )


def order(lag: Lag) -> tuple[int, int, int, float, str]:
    """Return the key that puts what has changed before reminders, those before what is unchanged, the gravest first in each."""
    late = float(lag.standing.days_behind or 0)
    severity = -_SEVERITY.get(lag.severity, 0)
    if not lag.news:
        return 2, severity, 0, -late, lag.indicator
    first = lag.news[0].reason
    return int(first == "still-behind"), severity, _ORDER[first], -late, lag.indicator
