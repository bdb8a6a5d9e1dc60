"""The catalogue of usage events as integrators state them, before pseudonymisation.

Every type is a statement that its source keeps as a register: the same natural key with a later ``time`` corrects it,
``retracted: true`` takes it back. Days are local civil days of the deployment's zone. Spans include both ends: ``to`` is
the last day on which something holds, null while it goes on.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from schemas.common import Contract, ForeignKey, Slug


def _iso_day(value: Any) -> Any:
    """Read ``YYYY-MM-DD`` and nothing else: pydantic would take a string of digits for seconds since 1970."""
    if not isinstance(value, str):
        return value
    if len(value) != 10 or value[4] != "-" or value[7] != "-":
        raise ValueError("write a day as YYYY-MM-DD")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ValueError("there is no such day") from None


#: A local civil day, within what the database's type holds.
Day = Annotated[date, BeforeValidator(_iso_day), Field(ge=date(1900, 1, 1), le=date(2299, 12, 31))]
#: An e-mail address as people write it; normalised and pseudonymised at the door.
Address = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r"^[^\s@]+@[^\s@]+$")]
Count = Annotated[int, Field(ge=0, le=10**12)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False)]
Step = Literal["entered", "adopted", "undone"]
#: The stages of money, in their order: asked for, decided, allotted, spent on work accepted, paid out.
BudgetStage = Literal["proposed", "approved", "budgeted", "delivered", "disbursed"]


class Person(Contract):
    """A person as (scheme, value): number 001 of two offices is two people. Without a scheme, the source is the scheme."""

    scheme: Slug | None = None
    value: ForeignKey


class Party(Contract):
    """A party to a document as the sender names it: an agency's id (scheme ``agency``) or a code of another scheme."""

    scheme: Slug = "agency"
    value: ForeignKey


PersonRef = Person | ForeignKey
PartyRef = Party | ForeignKey


class Statement(Contract):
    """What all statements share."""

    retracted: bool = Field(default=False, description="True takes the statement back.")


class _Span(Statement):
    stint: ForeignKey = Field(description="The source's own key of this row, the same when the row is stated again.")
    from_: Day = Field(alias="from")
    to: Day | None = Field(default=None, description="Last day on which it holds; null while it goes on.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.to is not None and self.to < self.from_:
            raise ValueError("`to` lies before `from`")
        return self


class OfficialStint(_Span):
    """A person is on an agency's roster for a span: ``official.joined``, and once more with ``to`` as ``official.left``."""

    person: PersonRef
    agency: Slug
    roster: Slug = "officials"


class OfficialLeft(OfficialStint):
    """The same stint stated again with its last day."""

    to: Day


class HeadcountDeclared(Statement):
    """How many people an agency says are on its roster on a day."""

    agency: Slug
    roster: Slug = "officials"
    day: Day
    count: Count


class MailboxStint(_Span):
    """An address belongs to an owner for a span: ``mailbox.opened``, and with ``to`` as ``mailbox.closed``."""

    address: Address
    owner: PersonRef | None = Field(default=None, description="Null: nobody's, such as a shared mailbox.")


class MailboxClosed(MailboxStint):
    """The same stint stated again with its last day."""

    to: Day


class MailUsed(Statement):
    """An address, or a person where the source knows no address, did *action* at least once on *day*."""

    address: Address | None = None
    person: PersonRef | None = None
    day: Day
    action: Literal["sent", "read"]

    @model_validator(mode="after")
    def _one_actor(self) -> Self:
        if (self.address is None) == (self.person is None):
            raise ValueError("give either `address` or `person`")
        return self


class DocumentExchanged(Statement):
    """One step of a document between its issuer and a counterpart."""

    issuer: PartyRef
    number: ForeignKey = Field(description="Number and notation, such as 214/STTTT-CNTT.")
    issued_on: Day = Field(description="Gives the year, and the day of entry where nobody states one.")
    counterpart: PartyRef
    step: Step
    day: Day


class ItemStated(Statement):
    """One step of something that an office handles: a document, a task, a record. On paper it is only ``entered``."""

    agency: Slug
    id: ForeignKey = Field(description="The register's own number.")
    step: Step
    day: Day
    weight: Amount = Decimal(1)


class TrainingCompleted(Statement):
    """A person completed a course."""

    person: PersonRef
    agency: Slug
    course: Slug
    stint: ForeignKey
    day: Day


class MilestoneReached(Statement):
    """A project's milestone: entered (planned) or adopted (reached), with its weight."""

    agency: Slug
    project: Slug
    milestone: Slug
    step: Step
    day: Day
    weight: Amount


class BudgetRecorded(Statement):
    """An amount in đồng at one stage of a project."""

    agency: Slug
    project: Slug
    id: ForeignKey
    stage: BudgetStage
    day: Day
    amount: Amount


class FigureDeclared(Statement):
    """A figure attested on paper for a period (both ends included)."""

    agency: Slug
    indicator: Slug
    from_: Day = Field(alias="from")
    to: Day
    numerator: Amount
    denominator: Amount

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.to < self.from_:
            raise ValueError("`to` lies before `from`")
        if self.numerator > self.denominator:
            raise ValueError("`numerator` exceeds `denominator`")
        return self


class FeedReported(Statement):
    """What a feed says it sent: the number of different event ids of *type* whose ``time`` lies on *day*; zero counts too."""

    type: ForeignKey = Field(description="Short name of the event type, such as mail.used.")
    day: Day
    count: Count


#: Short type name → model of ``data``. The one list of event types; everything else is derived from it.
CATALOGUE: Final[dict[str, type[Statement]]] = {
    "official.joined": OfficialStint,
    "official.left": OfficialLeft,
    "headcount.declared": HeadcountDeclared,
    "mailbox.opened": MailboxStint,
    "mailbox.closed": MailboxClosed,
    "mail.used": MailUsed,
    "document.exchanged": DocumentExchanged,
    "document.handled": ItemStated,
    "task.directed": ItemStated,
    "record.filed": ItemStated,
    "training.completed": TrainingCompleted,
    "milestone.reached": MilestoneReached,
    "budget.recorded": BudgetRecorded,
    "figure.declared": FigureDeclared,
    "feed.reported": FeedReported,
}

#: What ``data`` can be: closed, so that a mapping which forgets one breaks the type check.
AnyStatement = (
    OfficialStint
    | HeadcountDeclared
    | MailboxStint
    | MailUsed
    | DocumentExchanged
    | ItemStated
    | TrainingCompleted
    | MilestoneReached
    | BudgetRecorded
    | FigureDeclared
    | FeedReported
)

#: Types that name a person or an address: the ids of their events are replaced by an HMAC at the door.
PERSONAL: Final[frozenset[str]] = frozenset(
    {"official.joined", "official.left", "mailbox.opened", "mailbox.closed", "mail.used", "training.completed"}
)
