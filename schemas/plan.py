"""The plan language: objectives with targets per group of agencies, their measures and trajectories."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema, model_validator

from schemas.common import Bilingual, Contract, Day, Slug, Text
from schemas.progress import ProgressMeasure

_PERCENT = re.compile(r"^\s*(\d+(?:[.,]\d+)?)\s*%\s*$")


def _share(value: Any) -> Any:
    """Read ``40 %`` (or ``0.4``) as an exact fraction."""
    if isinstance(value, str):
        match = _PERCENT.match(value)
        if match is None:
            raise ValueError("write a share with its sign, such as `40 %`")
        share = Fraction(Decimal(match[1].replace(",", "."))) / 100
    elif isinstance(value, Fraction):
        share = value
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        written = Decimal(str(value))
        if not written.is_finite():
            raise ValueError("write a share such as `40 %`")
        share = Fraction(written)
        if share > 1:
            raise ValueError(f"write a share with its sign: `{value} %`")
    else:
        raise ValueError("write a share such as `40 %`")
    if share > 1:
        raise ValueError("a share cannot exceed 100 %")
    return share


def _percent(share: Fraction) -> str:
    """Write a share so that reading it gives the same fraction, wherever its percentage is a finite decimal."""
    percent = Decimal((share * 100).numerator) / Decimal((share * 100).denominator)
    return f"{percent.normalize():f} %"


#: A share of 1, exact. In YAML and JSON: ``40 %``.
Share = Annotated[
    Fraction,
    BeforeValidator(_share),
    PlainSerializer(_percent, return_type=str),
    WithJsonSchema({"type": ["string", "number"], "pattern": r"^\s*\d+([.,]\d+)?\s*%\s*$", "examples": ["40 %"]}),
]


class Decision(Contract):
    """The decision that puts a revision in force."""

    number: Text
    day: Day
    signer: Text = Field(description="The office that signed, such as UBND tỉnh.")


class CumulativePeriod(Contract):
    """Items whose day lies between *start* (the plan's, unless told) and the day judged."""

    kind: Literal["cumulative"] = "cumulative"
    start: Day | None = None


class RollingPeriod(Contract):
    """Items whose day lies in the *days* days that end with the day judged."""

    kind: Literal["rolling"]
    days: int = Field(ge=1, le=3660)


class MembersMeasure(Contract):
    """People on the roster who also own a mailbox of the domain (or are on another roster) ÷ people on the roster."""

    kind: Literal["members"]
    roster: Slug = "officials"
    mailbox_domain: Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")] | None = None
    also_on: Slug | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.mailbox_domain is None) == (self.also_on is None):
            raise ValueError("give either `mailbox_domain` or `also_on`")
        return self


class ActivityMeasure(Contract):
    """People on the roster with the action on at least *days* days of a rolling *window* ÷ people on the roster."""

    kind: Literal["activity"]
    roster: Slug = "officials"
    action: Literal["sent", "read"] = "sent"
    days: int = Field(default=1, ge=1, le=366)
    window: int = Field(default=28, ge=1, le=366)


class ItemsMeasure(Contract):
    """Items of the period that are adopted on the day judged ÷ items of the period."""

    kind: Literal["items"]
    facts: Literal["document.exchanged", "document.handled", "task.directed", "record.filed"]
    period: Annotated[CumulativePeriod | RollingPeriod, Field(discriminator="kind")] = CumulativePeriod()


class MeanPart(Contract):
    """An indicator of the same plan with its weight in a mean."""

    indicator: Slug
    weight: Decimal = Field(default=Decimal(1), gt=0, lt=1_000_000, decimal_places=12)


class MeanMeasure(Contract):
    """The weighted mean of other indicators, null where one of them is."""

    kind: Literal["mean"]
    of: tuple[MeanPart, ...] = Field(min_length=2)


Measure = Annotated[
    MembersMeasure | ActivityMeasure | ItemsMeasure | ProgressMeasure | MeanMeasure, Field(discriminator="kind")
]


class LinearTrajectory(Contract):
    """A straight line from the baseline on the start day to the target on the deadline."""

    kind: Literal["linear"] = "linear"


class Checkpoint(Contract):
    """The planned value from *day* on (steps) or on *day* (points)."""

    day: Day
    value: Share


class PointsTrajectory(Contract):
    """Straight lines between checkpoints."""

    kind: Literal["points"]
    checkpoints: tuple[Checkpoint, ...] = Field(min_length=1)


class StepsTrajectory(Contract):
    """The value of the last checkpoint reached; the baseline before the first."""

    kind: Literal["steps"]
    checkpoints: tuple[Checkpoint, ...] = Field(min_length=1)


class SCurveTrajectory(Contract):
    """Slow, fast, slow: 3x² − 2x³ of the elapsed share x."""

    kind: Literal["s-curve"]


class QuarterValue(Contract):
    """The value to be reached by the end of a quarter."""

    quarter: Annotated[str, StringConstraints(pattern=r"^[12]\d{3}-Q[1-4]$")] = Field(examples=["2008-Q3"])
    value: Share

    @property
    def last_day(self) -> date:
        """The last day of the quarter."""
        year, month = int(self.quarter[:4]), 3 * int(self.quarter[6]) + 1
        return (date(year + 1, 1, 1) if month > 12 else date(year, month, 1)) - timedelta(days=1)


class QuartersTrajectory(Contract):
    """Straight lines between the ends of quarters, as yearly plans are written."""

    kind: Literal["quarters"]
    quarters: tuple[QuarterValue, ...] = Field(min_length=1)


Trajectory = Annotated[
    LinearTrajectory | PointsTrajectory | StepsTrajectory | SCurveTrajectory | QuartersTrajectory,
    Field(discriminator="kind"),
]


class WorkingCalendar(Contract):
    """On which days a plan asks for progress."""

    accrual: Literal["calendar-days", "working-days"] = Field(
        default="calendar-days", description="With working-days the planned value stands still on all other days."
    )
    holidays: tuple[Day, ...] = Field(default=(), description="Weekdays off; `tiendo plan holidays` proposes them.")
    working_on: tuple[Day, ...] = Field(default=(), description="Days worked in exchange, and holidays that are none.")


class Target(Contract):
    """A target for one group or one agency; the agency's own wins over its group's."""

    group: Slug | None = None
    agency: Slug | None = None
    target: Share
    trajectory: Trajectory = LinearTrajectory()
    baseline: Share | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.group is None) == (self.agency is None):
            raise ValueError("give either `group` or `agency`")
        return self


class Minimum(Contract):
    """Fewest cases (denominator) for a verdict, per kind of measure; of progress the weight planned, so đồng of money."""

    items: int = Field(default=10, ge=1)
    progress: int = Field(default=10, ge=1)
    members: int = Field(default=1, ge=1)
    activity: int = Field(default=1, ge=1)


class Unit(Bilingual):
    """What a pace counts, in the plural; ``en_one`` is the English singular (Vietnamese has one form)."""

    en_one: Text | None = None
    size: int = Field(default=1, ge=1, le=10**12, description="How many cases make one: 1000000 of million đồng.")

    def counted(self, count: int | Fraction, language: str) -> str:
        """Return the form that goes with *count*; the plural where no singular is given."""
        return self.en_one if language == "en" and count == 1 and self.en_one is not None else self.text(language)


class Indicator(Contract):
    """What is measured, for whom, and how much of it is wanted. Without targets it is shown and never judged."""

    id: Slug
    objective: int | None = Field(default=None, ge=1, description="Row of the decision.")
    title: Bilingual
    unit: Unit = Field(description="What a pace counts: officials, documents, …")
    measure: Measure
    targets: tuple[Target, ...] = ()
    shown_for: tuple[Slug, ...] = Field(default=(), description="Groups that see it without a target.")
    minimum: int | None = Field(
        default=None,
        ge=0,
        description="Fewest cases for a verdict here (people, items, weight, đồng); else the plan's.",
    )

    @model_validator(mode="after")
    def _concerns_somebody(self) -> Self:
        if not self.targets and not self.shown_for:
            raise ValueError("give `targets` or, for an indicator without one, `shown_for`")
        if self.minimum is not None and isinstance(self.measure, MeanMeasure):
            raise ValueError("a mean has no cases of its own; its parts have a `minimum` each")
        return self


class WarningPolicy(Contract):
    """When an agency that is behind is warned. All days are days of standing."""

    hold: int = Field(default=3, ge=0, description="Days behind in a row before a warning opens.")
    clear: int = Field(default=3, ge=1, description="Days not behind in a row before it is resolved.")


class Plan(Contract):
    """One revision of a plan."""

    plan: Slug
    title: Bilingual
    decision: Decision
    in_force_from: Day
    start: Day
    deadline: Day
    directory: Slug
    calendar: WorkingCalendar = WorkingCalendar()
    behind_after: int = Field(default=7, ge=0, description="Days behind from which the verdict is `behind`.")
    minimum: Minimum = Minimum()
    discrepancy_margin: Share = Field(
        default=Fraction(1, 20), description="How far a declared figure may lie from the measured one unremarked."
    )
    warnings: WarningPolicy = WarningPolicy()
    indicators: tuple[Indicator, ...] = Field(min_length=1)

    def minimum_of(self, indicator: Indicator) -> int:
        """Return the fewest cases for a verdict on *indicator*; 0 of a mean, whose parts decide."""
        if indicator.minimum is not None:
            return indicator.minimum
        return int(getattr(self.minimum, indicator.measure.kind, 0))
