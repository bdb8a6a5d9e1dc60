"""What digests are written from, and what one pass over the records brings together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from schemas.policy import Period
from schemas.warnings import Transition, TransitionReason, WarningState
from services.alerts.core.book import Book
from services.alerts.core.evidence import Evidence
from services.alerts.core.news import rank_of
from services.alerts.core.planning import length_of
from services.core.warnings.lifecycle import is_open
from services.core.warnings.warning_records import Subject

LAG: Final = "lag:"
#: Indicator → days behind by agency.
Lateness = Callable[[str], Mapping[str, float]]
_ANSWERS: Final = frozenset({TransitionReason.ACKNOWLEDGED, TransitionReason.ACCEPTED, TransitionReason.DISPUTED})
_NEW: Final = frozenset(
    {
        TransitionReason.FELL_BEHIND,
        TransitionReason.MISSED,
        TransitionReason.AT_RISK,
        TransitionReason.BEHIND_AGAIN,
        TransitionReason.WORSENED,
        TransitionReason.UNANSWERED,
        TransitionReason.PROMISE_PASSED,
    }
)
_ENDS: Final = frozenset({TransitionReason.CAUGHT_UP, TransitionReason.NO_LONGER_JUDGED})


@dataclass(frozen=True, kw_only=True)
class DigestGround:
    """What digests of a plan are written from.

    ``evidence``: plan, directory, day judged, and exact standings of the few rows shown. ``late``: indicator → days behind of
    every agency on the day judged, where there are any; asked for one indicator at a time.
    """

    evidence: Evidence
    book: Book
    late: Lateness

    @classmethod
    def of(cls, evidence: Evidence, book: Book, given: Lateness | None = None) -> DigestGround:
        """Return the ground; where nobody has *given* days behind they are those of the standings in *evidence*."""

        def late(indicator: str) -> Mapping[str, float]:
            found = {}
            for agency in evidence.targets(indicator):
                standing = evidence.latest(indicator, agency)
                if standing is not None and standing.days_behind is not None:
                    found[agency] = float(standing.days_behind)
            return found

        return cls(evidence=evidence, book=book, late=given or late)


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestReader:
    """Who has *role* for *agency* and reads, when the week or month begins on *first*, about the one before."""

    agency: str
    role: str
    period: Period
    first: date

    @property
    def since(self) -> date:
        """The first day told."""
        return self.first - length_of(self.period, self.first)

    def concerned(self, one: Transition) -> bool:
        """Return whether *one* stands at the reader's level or above."""
        return rank_of(one.level) >= rank_of(self.role)

    def tells(self, day: date) -> bool:
        """Return whether *day* lies in the week or month told."""
        return self.since <= day < self.first


@dataclass
class Seen:
    """What one pass over the records brings together."""

    counts: Counter[str] = field(default_factory=Counter)
    agencies: set[str] = field(default_factory=set)
    lags: dict[str, list[Transition]] = field(default_factory=dict)  # indicator → open ones
    reached: set[Subject] = field(default_factory=set)  # come to the reader, by the end of the period
    new: set[Subject] = field(default_factory=set)  # come to the reader, or graver, in the period
    answers: list[Transition] = field(default_factory=list)
    ended: list[Transition] = field(default_factory=list)
    feeds: list[Transition] = field(default_factory=list)


def look_through(ground: DigestGround, reader: DigestReader, area: frozenset[str]) -> Seen:
    seen = Seen()
    for subject in ground.book.subjects():
        agency, cause = subject
        life = ground.book.life(subject)
        last = life[-1]
        if not cause.startswith(LAG):
            if is_open(last) and _supplies(ground.evidence, agency, area):
                seen.feeds.append(last)
            continue
        if agency not in area:
            continue
        told = [one for one in life if reader.tells(one.day)]
        _count(seen, told)
        if not is_open(last):
            continue
        seen.agencies.add(agency)
        seen.lags.setdefault(cause.removeprefix(LAG), []).append(last)
        seen.counts["open"] += 1
        seen.counts[last.severity.value if last.severity else "warning"] += 1
        seen.counts[_answer_state(last)] += 1
        there = [one for one in life if one.sequence >= (last.opened or 1) and reader.concerned(one)]
        if there and min((one.level_day or one.day) for one in there) < reader.first:
            seen.reached.add(subject)
            if any(one.reason in _NEW and reader.tells(one.day) for one in there):
                seen.new.add(subject)
    return seen


def _answer_state(last: Transition) -> str:
    if last.state is WarningState.ANSWERED:
        return "promising" if last.promised is not None else "disputing"
    if last.answer is None and not last.acknowledged:
        return "unanswered"
    return "seen" if last.state is WarningState.ACKNOWLEDGED else "overdue"


def _count(seen: Seen, in_period: Iterable[Transition]) -> None:
    for one in in_period:
        if one.opened == one.sequence:
            seen.counts["opened"] += 1
        elif one.reason in _ENDS:
            seen.counts["resolved"] += 1
            seen.ended.append(one)
        elif one.reason in _ANSWERS:
            seen.counts[one.reason.value] += 1
            seen.answers.append(one)
        elif one.reason is TransitionReason.PROMISE_PASSED:
            seen.counts["passed"] += 1


def _supplies(evidence: Evidence, feed: str, area: frozenset[str]) -> bool:
    known = evidence.feed(feed)
    return known is not None and not area.isdisjoint(evidence.covered(known))
