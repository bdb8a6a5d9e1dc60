"""Silences: what may be silenced, the record of it, and what became of each. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import ValidationError

from schemas.policy import Match
from schemas.warnings import Silence
from services.core.errors import Rejected
from services.core.warnings.answers import faults_of

SilenceState = Literal["waiting", "in-force", "over", "ended", "withdrawn"]


def silence_id(*, plan: str, match: Match, begins: datetime, until: datetime, author: str, reason: str) -> str:
    """Return the id of a silence, 32 hex digits: the same silence twice is one."""
    span = [moment.astimezone(UTC).isoformat() for moment in (begins, until)]
    content = ["silence", plan, match.model_dump_json(), *span, author, reason]
    return hashlib.sha256("\n".join(content).encode(errors="surrogatepass")).hexdigest()[:32]


def silence_of(
    *,
    plan: str,
    match: Match,
    begins: datetime | None,
    until: datetime,
    author: str,
    reason: str,
    at: datetime,
    everything: bool = False,
) -> Silence:
    """Return the record that begins a silence, from *at* on unless *begins* says otherwise.

    Raises Rejected where it would be over already, where it means everything and *everything* does not say so, and for
    texts that are empty or too long.
    """
    first, who, why = begins or at, author.strip(), reason.strip()
    if until <= at:
        raise Rejected("it would be over already: `until` lies in the past")
    if match.everything and not everything:
        raise Rejected("this would silence every warning of the plan; say so if it is meant")
    if (match.feeds != ()) and (match.agencies or match.groups or match.indicators or match.severities):
        raise Rejected("feeds and lags are silenced apart: with feeds named, agencies and indicators mean nothing")
    number = silence_id(plan=plan, match=match, begins=first, until=until, author=who, reason=why)
    try:
        return Silence(
            id=number, plan=plan, action="begun", match=match, from_=first, until=until, author=who, reason=why, at=at
        )
    except ValidationError as invalid:
        raise Rejected(faults_of(invalid)) from None


@dataclass(frozen=True, kw_only=True)
class SilenceLife:
    """A silence with what became of it: the record that began it, and the one that ended it before its time."""

    begun: Silence
    ended: Silence | None = None

    def state(self, now: datetime) -> SilenceState:
        """Return how it stands at *now*: withdrawn where it was ended before it began."""
        if self.ended is not None and self.ended.at < self.begun.until:
            return "withdrawn" if self.ended.at <= self.begun.from_ else "ended"
        if now < self.begun.from_:
            return "waiting"
        return "in-force" if now < self.begun.until else "over"


def lives_of(records: Iterable[Silence]) -> tuple[SilenceLife, ...]:
    """Return each silence, the latest begun first. Order and repeats do not matter; an end without a beginning is nothing."""
    begun: dict[str, Silence] = {}
    ended: dict[str, Silence] = {}
    for one in sorted(records, key=lambda record: (record.at, record.id)):
        (begun if one.action == "begun" else ended).setdefault(one.id, one)
    lives = [SilenceLife(begun=one, ended=ended.get(number)) for number, one in begun.items()]
    return tuple(sorted(lives, key=lambda life: (life.begun.from_, life.begun.id), reverse=True))


def end_of(life: SilenceLife, *, author: str, reason: str, at: datetime) -> Silence:
    """Return the record that ends a silence before its time.

    Raises Rejected where it is over or has been ended already, and for texts that are empty or too long.
    """
    match life.state(at):
        case "over":
            raise Rejected(f"it ended by itself at {life.begun.until.isoformat()}")
        case "ended" | "withdrawn":
            assert life.ended is not None
            raise Rejected(f"{life.ended.author} has ended it already, at {life.ended.at.isoformat()}")
    content = life.begun.model_dump() | {"action": "ended", "author": author, "reason": reason, "at": at}
    try:
        return Silence.model_validate(content)
    except ValidationError as invalid:
        raise Rejected(faults_of(invalid)) from None
