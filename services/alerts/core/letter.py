"""Letters as values: everything that a mail says, before it is worded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from schemas.directory import Contact
from services.core.earned import whole_days
from services.core.standing import Standing


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    """What a chart shows: the plan to its deadline, the figures up to the day judged."""

    planned: tuple[tuple[date, float], ...]
    actual: tuple[tuple[date, float], ...]
    target: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """What is missing to the target. Of counts: rounded up to whole units, or to tenths of a unit that holds several; of a
    mean: share, exact."""

    counted: bool
    missing: Fraction
    per_week: Fraction | None  # None once the deadline has come


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceLine:
    """A feed that a figure comes from."""

    feed: str
    title: str
    source: str
    state: str
    last_covered: date | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Other:
    """Another figure, in one line."""

    title: str
    unit: str
    size: int = 1  # cases in one unit
    standing: Standing
    target: Fraction | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """An indicator in which the agency is behind."""

    indicator: str
    objective: int | None
    title: str
    unit: str
    size: int = 1
    standing: Standing
    target: Fraction
    since: date
    news: bool  # first spoken of in this mail
    reason: str
    pace: Pace
    parts: tuple[Other, ...]  # of a mean
    sources: tuple[SourceLine, ...]
    course: Course


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """An indicator, or a feed, whose warning has ended; ``since`` is the first day without the fault."""

    title: str
    reason: str
    since: date


@dataclass(frozen=True, kw_only=True, slots=True)
class Goalpost:
    """What a revision in force since *since* asks less, by which decision: of an indicator (*title*), or the deadline.

    Of an indicator ``target`` is None where nothing is asked any more; of the deadline *title* and both targets are None.
    """

    decision_number: str
    decision_day: date
    signer: str
    since: date
    title: str | None = None
    target_before: Fraction | None = None
    target: Fraction | None = None
    deadline_before: date | None = None
    deadline: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """What every mail says about itself."""

    language: str
    plan_title: str
    decision_number: str
    decision_day: date
    signer: str
    start: date
    deadline: date
    day: date  # the day judged
    written: date  # local day of the notice
    operations: Contact
    to: Contact


@dataclass(frozen=True, kw_only=True, slots=True)
class LagLetter:
    """The mail to an agency."""

    heading: Heading
    agency: str
    lags: tuple[Lag, ...]  # the longest behind first
    resolved: tuple[Resolved, ...]
    others: tuple[Other, ...]
    moved: tuple[Goalpost, ...] = ()

    @property
    def worst(self) -> int | None:
        """Whole days behind of the worst indicator."""
        return max((whole_days(one.standing.days_behind or 0.0) for one in self.lags), default=None)

    @property
    def all_missed(self) -> bool:
        """Whether the deadline has passed for all that is behind."""
        return bool(self.lags) and all(one.standing.verdict == "missed" for one in self.lags)

    @property
    def all_news(self) -> bool:
        """Whether nothing here was spoken of before, so that marking the news would say nothing."""
        return all(one.news for one in self.lags)


@dataclass(frozen=True, kw_only=True, slots=True)
class DeadFeed:
    """A feed that is silent or was never connected, and what it holds back."""

    feed: str
    title: str
    source: str
    types: tuple[str, ...]
    state: str
    last_covered: date | None
    since: date
    rhythm: str
    news: bool
    indicators: tuple[str, ...]
    agencies: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedLetter:
    """The mail to a feed's owner or to operations."""

    heading: Heading
    feeds: tuple[DeadFeed, ...]
    returned: tuple[Resolved, ...]

    @property
    def all_unconnected(self) -> bool:
        """Whether none of the feeds has ever connected."""
        return all(one.state == "never-connected" for one in self.feeds)
