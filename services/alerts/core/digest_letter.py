"""Digests as values: everything that the mail to those above says, before it is worded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import ClassVar, Generic, TypeVar

from schemas.policy import Period
from services.alerts.core.letter import Answered, Heading

Row = TypeVar("Row")


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed(Generic[Row]):
    """The first rows of a list and how long it is."""

    rows: tuple[Row, ...] = ()
    of: int = 0

    @property
    def more(self) -> int:
        """How many are not shown."""
        return self.of - len(self.rows)


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How matters stand and what the period brought, in numbers. Warnings of lags, unless another thing is named."""

    COUNTED: ClassVar[tuple[str, ...]] = (
        *("open", "info", "warning", "critical", "unanswered", "seen", "promising", "overdue", "disputing"),
        *("opened", "resolved", "acknowledged", "accepted", "disputed", "passed"),
    )

    judged: int  # agencies that the plan sets a target
    agencies: int  # agencies warned
    reached: int  # at the reader's level or above
    newly: int  # of those: come there, or graver, in the period
    feeds: int  # feeds out
    # Warnings open at the end of the day judged: all, by severity, by what was answered.
    open: int
    info: int
    warning: int
    critical: int
    unanswered: int
    seen: int  # acknowledged, without a date
    promising: int  # a date is accepted and has not passed
    overdue: int  # a date was accepted and has passed
    disputing: int
    # What the period brought.
    opened: int
    resolved: int
    acknowledged: int
    accepted: int
    disputed: int
    passed: int  # dates accepted that passed


@dataclass(frozen=True, kw_only=True, slots=True)
class WarningLine:
    """A warning that has come to the reader."""

    agency: str
    title: str
    severity: str
    newly: bool
    since: date
    days_behind: float | None
    missed: bool
    ratio: Fraction | None
    planned: Fraction | None
    answered: Answered | None


@dataclass(frozen=True, kw_only=True, slots=True)
class IndicatorLine:
    """An indicator over all agencies; days behind of those that are warned."""

    title: str
    judged: int
    warned: int
    median: float | None
    worst: float | None
    worst_agency: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerLine:
    """An answer of the period."""

    agency: str
    title: str
    answered: Answered


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLine:
    """A feed that is out."""

    title: str
    state: str
    since: date
    owner: str


@dataclass(frozen=True, kw_only=True, slots=True)
class EndLine:
    """A warning resolved in the period."""

    agency: str
    title: str
    reason: str
    since: date


@dataclass(frozen=True, kw_only=True, slots=True)
class DigestLetter:
    """The mail to a department in charge or a chair."""

    heading: Heading
    role: str
    period: Period
    first: date  # of the week or month told
    last: date
    area: str
    counts: Counts
    reached: Listed[WarningLine]  # newly come first, the worst first
    indicators: Listed[IndicatorLine]
    answers: Listed[AnswerLine]
    feeds: Listed[FeedLine]
    ended: Listed[EndLine]
