"""What is said about one figure: everything down to the events, people never. The answer of ``GET /v1/explain``."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PlainSerializer

from schemas.common import Bilingual, Contract
from schemas.plan import Decision, Measure

#: A number of cases or an amount, exact; a whole one is written without a point.
Amount = Annotated[
    Decimal,
    PlainSerializer(lambda value: int(value) if value == value.to_integral_value() else float(value), when_used="json"),
]


class StandingRecord(Contract):
    """A figure against the plan on a day: shares of 1, paces in shares per day, null where there is none."""

    plan: str
    revision: int = Field(description="Of the plan.")
    indicator: str
    agency: str
    day: date
    numerator: Amount | None
    denominator: Amount | None
    ratio: float | None
    measured_share: float | None = Field(description="Of the cases, how many were measured and not declared.")
    planned: float | None
    target: float | None
    verdict: str | None = Field(description="Null for an indicator without a target.")
    days_behind: float | None = Field(description="Negative: ahead.")
    spi: float | None
    needed_pace: float | None
    recent_pace: float | None
    forecast: date | None
    forecast_low: date | None
    forecast_high: date | None
    feed_state: str
    provisional: bool
    judged_day: date = Field(description="The day whose figure counts: the last covered one while a feed is silent.")


class RevisionUsed(Contract):
    """A revision of the plan or of the directory by which the figure was judged."""

    id: str
    revision: int
    in_force_from: date
    published: AwareDatetime
    decision: Decision | None = Field(default=None, description="Of a plan.")


class DefinitionUsed(Contract):
    """What is measured, and for whom; ``hash`` names the definition wherever a figure of it is kept."""

    hash: str
    canonical: str = Field(description="The definition in canonical form; its SHA-256 begins with the hash.")
    measure: Measure
    minimum: int = Field(description="Fewest cases for a verdict.")


class Office(Contract):
    """An agency whose facts count for the figure, from its first to its last day."""

    agency: str
    name: Bilingual
    first: date | None
    last: date | None


class FeedUsed(Contract):
    """A feed that the figure needs, as it stood on the day."""

    feed: str
    title: Bilingual
    source: str
    types: tuple[str, ...]
    state: str
    covered: date | None


class Part(Contract):
    """Numerator and denominator, or a share of them."""

    numerator: Amount
    denominator: Amount


class Recount(Contract):
    """The figure of the judged day counted again from the facts, for this answer."""

    measured: Part
    declared: Part
    agrees: bool | None = Field(
        description="With the standing (of a mean, all parts together); if not, newer facts have come, and it is judged "
        "again soon. Null where nothing is judged, because a feed was never connected."
    )


class Declared(Contract):
    """A declaration about the judged day that stands. It counts where nothing had been measured yet."""

    agency: str
    indicator: str
    source: str
    first: date
    last: date
    numerator: Amount | None
    denominator: Amount
    stated: AwareDatetime


class Roster(Contract):
    """The people of whom some share is wanted: the roster, its day, and how many were on it."""

    roster: str
    day: date
    people: int


class PeopleReason(Contract):
    """Of those who do not count, how many have this reason: about (±3), null where fewer than ten."""

    why: str
    people: int | None


class EventUsed(Contract):
    """An event about an item. ``id`` is null where the archive does not hold it any more."""

    source: str
    id: str | None
    type: str
    step: str
    day: date
    stated: AwareDatetime
    received: AwareDatetime
    fate: str = Field(description="counts, superseded, taken-back, later, out-of-reach")


class ItemUsed(Contract):
    """An item, what it adds to the figure and why, with the events about it."""

    agency: str | None = Field(description="The office that it counts for; null where there is none.")
    item: str
    entered: date | None
    why: str
    numerator: Amount
    denominator: Amount
    events: tuple[EventUsed, ...]


class ItemReason(Contract):
    """How many items have this reason, and what they add to numerator and denominator."""

    why: str
    items: int
    numerator: Amount
    denominator: Amount


class PeopleEvidence(Contract):
    """Evidence of a figure about people. Nobody is listed, and groups under ten are not divided."""

    kind: Literal["people"] = "people"
    roster: Roster
    reasons: tuple[PeopleReason, ...] = Field(description="Of those who do not count.")
    suppressed: str | None = Field(description="Why reasons are withheld; null where they are told.")


class ItemsEvidence(Contract):
    """Evidence of a figure about items: all of them by reason, and some of each reason with their events."""

    kind: Literal["items"] = "items"
    reasons: tuple[ItemReason, ...]
    items: tuple[ItemUsed, ...]
    limit: int = Field(description="At most so many items of each reason are shown.")


class Counted(Contract):
    """A figure that has a definition of its own, with everything that it was counted from."""

    indicator: str
    title: Bilingual
    unit: Bilingual
    weight: Decimal | None = Field(description="In the mean that is explained; null elsewhere.")
    definition: DefinitionUsed
    offices: tuple[Office, ...]
    recount: Recount
    declared: tuple[Declared, ...]
    evidence: Annotated[PeopleEvidence | ItemsEvidence, Field(discriminator="kind")]


class Explanation(Contract):
    """Why a figure is what it is. A mean has several parts, every other indicator has one."""

    standing: StandingRecord
    title: Bilingual
    agency_name: Bilingual
    known_at: date | None = Field(description="By what had been received by the end of this day; null: by now.")
    plan: RevisionUsed
    directory: RevisionUsed
    feeds: tuple[FeedUsed, ...]
    parts: tuple[Counted, ...]
