"""When a warning opens, how it grows, who is told when and over which channel: one policy per plan, kept as revisions."""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from schemas.common import Bilingual, Contract, Day, Moment, Slug
from schemas.plan import Share


class Severity(StrEnum):
    """How grave a lag is, from the least."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


#: Whom a warning is brought to, from the lowest.
Role = Literal["contact", "head", "department-in-charge", "chair"]
ROLES: tuple[Role, ...] = ("contact", "head", "department-in-charge", "chair")
#: Roles that are told in digests alone, of all agencies at once.
ABOVE: frozenset[Role] = frozenset({"department-in-charge", "chair"})
Period = Literal["week", "month"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
#: The name that a deployment gave to one of its channels; ``email`` is always there.
ChannelName = Slug


def _of_the_clock(value: time) -> time:
    if value.tzinfo is not None:
        raise ValueError("a time of day in the directory's zone, without an offset")
    return value


TimeOfDay = Annotated[time, AfterValidator(_of_the_clock)]


class Threshold(Contract):
    """How grave a day is that meets every condition given. Of several that are met the gravest counts."""

    severity: Severity
    verdict: Literal["at-risk", "behind", "missed"] | None = Field(
        default=None, description="The day's verdict; `behind` is met by `missed` too."
    )
    days_behind: int | None = Field(default=None, ge=1, description="At least so many days behind the schedule.")
    points: Share | None = Field(default=None, description="At least so far below the planned value (15 % is 0.15).")
    forecast_late: int | None = Field(
        default=None,
        ge=1,
        description="Forecast at least so many days past the deadline; met too where none is in sight.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if (self.verdict, self.days_behind, self.points, self.forecast_late) == (None, None, None, None):
            raise ValueError("give a condition: `verdict`, `days_behind`, `points` or `forecast_late`")
        return self


class Step(Contract):
    """A level that a warning reaches: by age, or at once when it is so grave."""

    to: Role
    after: int | None = Field(default=None, ge=1, description="Days of standing since it opened, unless answered.")
    severity: Severity | None = Field(default=None, description="Reached at once from this severity on.")
    digest: Period | None = Field(default=None, description="Told once a week or month, of all agencies together.")


class WorkingTime(Contract):
    """When mails go out; the directory's holidays are none. What comes about outside waits for the next such moment."""

    days: tuple[Weekday, ...] = Field(default=("mon", "tue", "wed", "thu", "fri"), min_length=1)
    from_: TimeOfDay = Field(default=time(7, 30), alias="from")
    until: TimeOfDay = time(17, 0)
    at_once: Severity | None = Field(default=None, description="From this severity on mails go out at any time.")

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.from_ >= self.until:
            raise ValueError("`from` lies before `until`, on the same day")
        return self


class Match(Contract):
    """Which warnings are meant: those that every list given names. Nothing given: all."""

    agencies: tuple[Slug, ...] = ()
    groups: tuple[Slug, ...] = ()
    indicators: tuple[Slug, ...] = ()
    feeds: tuple[Slug, ...] = Field(default=(), description="Warnings about these feeds; no lag is meant then.")
    severities: tuple[Severity, ...] = Field(default=(), description="Of lags.")

    @property
    def everything(self) -> bool:
        """Whether nothing is left out."""
        return not (self.agencies or self.groups or self.indicators or self.feeds or self.severities)


class Route(Contract):
    """Channels of the deployment that are told too, beside the mail."""

    match: Match = Match()
    about: Literal["all", "lags", "feeds"] = "all"
    channels: tuple[ChannelName, ...] = Field(min_length=1)


class Maintenance(Contract):
    """A span in which nobody is told about what is meant; what still holds at its end is told then."""

    title: Bilingual
    from_: Moment = Field(alias="from")
    until: Moment
    match: Match = Match()

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.from_ >= self.until:
            raise ValueError("`from` lies before `until`")
        return self


class FeedRules(Contract):
    """Warnings about feeds, which go to their owners and to operations."""

    partial: int | None = Field(default=3, ge=1, description="Incomplete for so many days; without it never warned.")
    repeat: int | None = Field(default=7, ge=1, description="Days between reminders.")


THRESHOLDS = (
    Threshold(severity=Severity.WARNING, verdict="behind"),
    Threshold(severity=Severity.CRITICAL, verdict="missed"),
)


class Policy(Contract):
    """One revision of a policy. All days are days of standing: those on which the feeds let a verdict be given."""

    policy: Slug
    plan: Slug
    in_force_from: Day
    hold: int = Field(default=3, ge=0, description="Days in a row before a warning opens or is graver than before.")
    clear: int = Field(default=3, ge=1, description="Days not behind in a row before it is resolved.")
    reopen: int = Field(default=14, ge=0, description="Within so many days after the end it is the same matter again.")
    thresholds: tuple[Threshold, ...] = Field(default=THRESHOLDS, min_length=1)
    levels: tuple[Step, ...] = Field(default=(Step(to="head"),), min_length=1)
    repeat: int | None = Field(default=None, ge=1, description="Days between reminders while nobody has answered.")
    feeds: FeedRules = FeedRules()
    stand_for_children: bool = Field(
        default=False, description="While a parent is warned in an indicator, its children are not told of theirs."
    )
    working_time: WorkingTime | None = None
    maintenance: tuple[Maintenance, ...] = ()
    routes: tuple[Route, ...] = ()

    @model_validator(mode="after")
    def _levels_rise(self) -> Self:
        first, ages = self.levels[0], [one.after for one in self.levels if one.after is not None]
        ranks = [ROLES.index(one.to) for one in self.levels]
        if ranks != sorted(set(ranks)):
            raise ValueError(f"levels rise, each once: {', '.join(ROLES)}")
        if first.to in ABOVE or first.after is not None or first.severity is not None:
            raise ValueError("the first level is `contact` or `head`, told when the warning opens")
        if ages != sorted(ages):
            raise ValueError("a higher level is not reached earlier: `after` rises")
        for one in self.levels[1:]:
            if one.after is None and one.severity is None:
                raise ValueError(f"say when level {one.to!r} is reached: `after` days, or from a `severity` on")
            if (one.to in ABOVE) != (one.digest is not None):
                needs = "needs a `digest`: week or month" if one.to in ABOVE else "is told at once, without a digest"
                raise ValueError(f"level {one.to!r} {needs}")
        return self
