"""A valid event as sent → the event as the log keeps it: one spelling, pseudonyms for people, time in UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, assert_never, get_args

from schemas import usage
from schemas.common import short_type
from schemas.events import (
    CATALOGUE,
    PERSONAL,
    BudgetRecorded,
    DocumentExchanged,
    FeedReported,
    FigureDeclared,
    HeadcountDeclared,
    ItemStated,
    MailboxStint,
    MailUsed,
    MilestoneReached,
    OfficialStint,
    Party,
    PartyRef,
    Person,
    PersonRef,
    TrainingCompleted,
)
from schemas.reasons import Reason
from schemas.usage import NormalisedEvent
from services.ingest.core.identity import normalise_address, normalise_text
from services.ingest.core.inbound import Inbound
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.rejection import Refusal

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2299, 1, 1, tzinfo=UTC)
_EVENTS: Final[dict[str, Any]] = {event.__struct_config__.tag: event for event in get_args(NormalisedEvent)}


def agencies_of(event: Inbound) -> tuple[tuple[str, str], ...]:
    """Return the agencies that *event* names, the reporting one first, each with its JSON pointer.

    Parties of a document are not among them: they stay as sent and are resolved when figures are computed.
    """
    reporting = (event.agency, "/agency")
    match event.data:
        case (
            OfficialStint(agency=agency)
            | HeadcountDeclared(agency=agency)
            | ItemStated(agency=agency)
            | TrainingCompleted(agency=agency)
            | MilestoneReached(agency=agency)
            | BudgetRecorded(agency=agency)
            | FigureDeclared(agency=agency)
        ):
            return reporting, (agency, "/data/agency")
        case MailboxStint() | MailUsed() | DocumentExchanged() | FeedReported():
            return (reporting,)
        case never:
            assert_never(never)


def scheme_of(event: Inbound) -> tuple[str, str] | None:
    """Return the identity scheme that *event* names, with its JSON pointer.

    None where the event names nobody or leaves the scheme to its source.
    """
    match event.data:
        case OfficialStint(person=ref) | TrainingCompleted(person=ref) | MailUsed(person=ref):
            field = "person"
        case MailboxStint(owner=ref):
            field = "owner"
        case _:
            return None
    if isinstance(ref, Person) and ref.scheme is not None:
        return ref.scheme, f"/data/{field}/scheme"
    return None


def normalise(event: Inbound, *, pseudonyms: Pseudonyms, received: datetime) -> NormalisedEvent | Refusal:
    """Return *event* as the log keeps it, or why its values cannot be kept.

    The same event under the same key gives the same canonical payload whenever it is *received*. Values of other systems
    are put into one spelling, so that two systems that mean one document say the same.
    """
    if event.time < _EPOCH:
        return Refusal(Reason.SCHEMA, "`time` lies before 1970", "/time")
    if event.time >= _END:  # the year 9999 may have no moment in UTC
        return Refusal(Reason.SCHEMA, "`time` lies after 2298", "/time")
    short = short_type(event.type)
    data = _data(event, pseudonyms)
    if isinstance(data, Refusal):
        return data
    personal = short in PERSONAL
    normalised: NormalisedEvent = _EVENTS[event.type](
        id=pseudonyms.event_id(source=event.source, id=event.id) if personal else event.id,
        source=event.source,
        agency=event.agency,
        time=event.time.astimezone(UTC),
        received=received,
        data=data,
    )
    return normalised


def _data(event: Inbound, pseudonyms: Pseudonyms) -> Any:
    source = event.source
    match event.data:
        case OfficialStint() as d:
            return usage.MembershipSpan(
                retracted=d.retracted,
                person=_person(d.person, source, pseudonyms),
                agency=d.agency,
                roster=d.roster,
                stint=pseudonyms.stint(source=source, stint=normalise_text(d.stint)),
                from_=d.from_,
                to=d.to,
            )
        case TrainingCompleted() as d:
            return usage.MembershipSpan(
                retracted=d.retracted,
                person=_person(d.person, source, pseudonyms),
                agency=d.agency,
                roster=f"trained.{d.course}",
                stint=pseudonyms.stint(source=source, stint=normalise_text(d.stint)),
                from_=d.day,
            )
        case MailboxStint() as d:
            address = normalise_address(d.address)
            if address is None:
                return _BAD_ADDRESS
            return usage.MailboxSpan(
                retracted=d.retracted,
                address=pseudonyms.address(address.address),
                domain=address.domain,
                stint=pseudonyms.stint(source=source, stint=normalise_text(d.stint)),
                owner=None if d.owner is None else _person(d.owner, source, pseudonyms),
                from_=d.from_,
                to=d.to,
            )
        case MailUsed() as d:
            return _mail_use(d, source, pseudonyms)
        case DocumentExchanged() as d:
            return usage.Exchange(
                retracted=d.retracted,
                issuer=_party(d.issuer),
                number=normalise_text(d.number),
                issued_on=d.issued_on,
                counterpart=_party(d.counterpart),
                step=d.step,
                day=d.day,
            )
        case ItemStated() as d:
            return _item(d, id=normalise_text(d.id), step=d.step, weight=d.weight)
        case MilestoneReached() as d:
            return _item(d, id=f"{d.project}/{d.milestone}", step=d.step, weight=d.weight)
        case BudgetRecorded() as d:
            step: usage.Step = "adopted" if d.stage == "disbursed" else "entered"
            return _item(d, id=f"{d.project}/{d.stage}/{normalise_text(d.id)}", step=step, weight=d.amount)
        case HeadcountDeclared() as d:
            return usage.Declaration(
                retracted=d.retracted,
                agency=d.agency,
                indicator=f"headcount.{d.roster}",
                from_=d.day,
                to=d.day,
                numerator=None,
                denominator=Decimal(d.count),
            )
        case FigureDeclared() as d:
            return usage.Declaration(
                retracted=d.retracted,
                agency=d.agency,
                indicator=d.indicator,
                from_=d.from_,
                to=d.to,
                numerator=_number(d.numerator),
                denominator=_number(d.denominator),
            )
        case FeedReported() as d:
            short = short_type(d.type)
            if short not in CATALOGUE:
                return Refusal(Reason.SCHEMA, "`type` is not in the catalogue", "/data/type")
            return usage.FeedReport(retracted=d.retracted, type=short, day=d.day, count=d.count)
        case never:
            assert_never(never)


_BAD_ADDRESS: Final = Refusal(Reason.SCHEMA, "`address` has no domain that mail could go to", "/data/address")


def _mail_use(d: MailUsed, source: str, pseudonyms: Pseudonyms) -> usage.MailUse | Refusal:
    if d.person is not None:
        actor = _person(d.person, source, pseudonyms)
        return usage.MailUse(retracted=d.retracted, actor=actor, kind="person", day=d.day, action=d.action)
    address = normalise_address(d.address or "")
    if address is None:
        return _BAD_ADDRESS
    actor = pseudonyms.address(address.address)
    return usage.MailUse(retracted=d.retracted, actor=actor, kind="address", day=d.day, action=d.action)


def _item(
    d: ItemStated | MilestoneReached | BudgetRecorded, *, id: str, step: usage.Step, weight: Decimal
) -> usage.Item:
    return usage.Item(retracted=d.retracted, agency=d.agency, id=id, step=step, day=d.day, weight=_number(weight))


def _person(ref: PersonRef, source: str, pseudonyms: Pseudonyms) -> str:
    if isinstance(ref, Person):
        return pseudonyms.person(value=normalise_text(ref.value), scheme=ref.scheme, source=source)
    return pseudonyms.person(value=normalise_text(ref), scheme=None, source=source)


def _party(ref: PartyRef) -> str:
    if isinstance(ref, Party):
        return f"{ref.scheme}:{normalise_text(ref.value)}"
    return f"agency:{normalise_text(ref)}"


def _number(value: Decimal) -> Decimal:
    """Return *value* written in one way: 1, 1.0 and 1.00 are one statement; never with an exponent or a negative zero."""
    shortest = value.normalize()
    if not shortest:
        return Decimal(0)
    exponent = shortest.as_tuple().exponent
    return shortest.quantize(Decimal(1)) if isinstance(exponent, int) and exponent > 0 else shortest
