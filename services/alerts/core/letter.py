"""Letters as values: everything that a mail says, before it is worded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from schemas.directory import Contact
from services.core.schedule.earned import whole_days
from services.core.schedule.standing import Standing


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
    unit_one: str | None = None  # the singular, where the language has one
    size: int = 1  # cases in one unit
    standing: Standing
    target: Fraction | None


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """One thing that a mail tells for the first time. What the reason has no use for is None."""

    reason: str  # schemas.warnings.TransitionReason
    day: date  # the day of standing that brought it
    since: date
    severity: str | None = None
    severity_before: str | None = None  # of what has become graver
    before: date | None = None  # behind again: the first day of having caught up before
    promised: date | None = None  # the day accepted, which has passed
    role: str | None = None  # the level that it was brought to with this; None: to no higher one
    office: str | None = None  # whom the directory names for that level
    opens: bool = False  # the warning opened with it

    @property
    def days(self) -> int:
        """How many days it has lasted, the first one counted."""
        return (self.day - self.since).days + 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What was answered to a warning, the last answer."""

    answer: str  # schemas.warnings.AnswerKind
    day: date | None  # local; None where it is not known
    by: str = ""  # a role, or an office; empty where it is not known
    promised: date | None = None
    passed: bool = False  # the day promised has come and gone
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lag:
    """An indicator that the agency is warned about."""

    indicator: str
    objective: int | None
    title: str
    unit: str
    unit_one: str | None = None
    size: int = 1
    standing: Standing
    target: Fraction
    since: date
    severity: str = "warning"
    news: tuple[News, ...] = ()  # the weightiest first; empty: nothing new
    answered: Answered | None = None
    role: str | None = None  # a level above the receiver's that it was brought to
    office: str | None = None
    pace: Pace
    parts: tuple[Other, ...]  # of a mean
    sources: tuple[SourceLine, ...]
    course: Course

    @property
    def first(self) -> bool:
        """Whether it is warned about for the first time in this mail."""
        return any(one.opens and one.reason != "behind-again" for one in self.news)

    @property
    def late(self) -> bool:
        """Whether it is behind today, or missed; not so where it is at risk, or about to be resolved."""
        behind = self.standing.days_behind
        return self.standing.verdict == "missed" or (behind is not None and whole_days(behind) > 0)

    @property
    def old(self) -> bool:
        """Whether nothing has changed since the last mail; a reminder changes nothing."""
        return not self.news or self.news[0].reason == "still-behind"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """An indicator, or a feed, whose warning has ended."""

    title: str
    reason: str
    since: date  # the first day without the fault


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
    plan: str = ""
    recipient: str = ""  # the role that the notice goes to
    answer_url: str | None = None  # where the receiver may answer without an account


@dataclass(frozen=True, kw_only=True, slots=True)
class LagLetter:
    """The mail to an agency."""

    heading: Heading
    agency: str
    lags: tuple[Lag, ...]  # what has changed first, then reminders, then what is unchanged; the gravest first in each
    resolved: tuple[Resolved, ...]
    others: tuple[Other, ...]
    moved: tuple[Goalpost, ...] = ()

    @property
    def worst(self) -> int | None:
        """Whole days behind of the worst indicator; None where none is behind."""
        return _worst(self.lags)

    @property
    def lead(self) -> News | None:
        """The weightiest news; None where only endings are told."""
        return self.lags[0].news[0] if self.lags and self.lags[0].news else None

    @property
    def led(self) -> tuple[Lag, ...]:
        """Everything whose weightiest news is of the same kind as the letter's."""
        return tuple(one for one in self.lags if self.lead and one.news and one.news[0].reason == self.lead.reason)

    @property
    def missed_now(self) -> bool:
        """Whether the weightiest news is that the deadline has passed, by which a warning may also have become graver."""
        lead = self.lead
        graver = lead is not None and lead.reason == "worsened" and lead.day >= self.heading.deadline
        return lead is not None and (lead.reason == "missed" or graver)

    @property
    def worst_led(self) -> int | None:
        """Whole days behind of the worst of those."""
        return _worst(self.led)

    @property
    def changed(self) -> int:
        """How many indicators have changed since the last mail."""
        return sum(not one.old for one in self.lags)

    @property
    def unchanged(self) -> int:
        """How many have not, reminders among them."""
        return len(self.lags) - self.changed

    @property
    def more(self) -> int:
        """How many have changed in another way than the weightiest."""
        return self.changed - sum(not one.old for one in self.led)

    @property
    def all_missed(self) -> bool:
        """Whether the deadline has passed for all that is warned about."""
        return bool(self.lags) and all(one.standing.verdict == "missed" for one in self.lags)

    @property
    def only_risks(self) -> bool:
        """Whether something is warned about and nothing is behind."""
        return bool(self.lags) and all(one.standing.verdict not in ("behind", "missed") for one in self.lags)

    @property
    def all_news(self) -> bool:
        """Whether everything is warned about for the first time, so that marking it would say nothing."""
        return all(one.first for one in self.lags)


def _worst(lags: tuple[Lag, ...]) -> int | None:
    late = [whole_days(one.standing.days_behind) for one in lags if one.standing.days_behind is not None]
    return max((days for days in late if days > 0), default=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispute:
    """An indicator whose warning somebody disputes."""

    indicator: str
    title: str
    unit: str
    unit_one: str | None = None
    size: int = 1
    standing: Standing | None
    answered: Answered


@dataclass(frozen=True, kw_only=True, slots=True)
class DisputeLetter:
    """The mail to operations about warnings that an agency, or a feed's owner, disputes."""

    heading: Heading
    agency: str
    agency_id: str
    disputes: tuple[Dispute, ...]
