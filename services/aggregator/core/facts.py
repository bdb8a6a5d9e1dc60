"""Events into facts: one source's statements as rows, frozen, with natural key and version."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NamedTuple, assert_never
from zoneinfo import ZoneInfo

from schemas.common import short_type
from schemas.usage import (
    BudgetRecorded,
    DocumentExchanged,
    DocumentHandled,
    FeedReported,
    FigureDeclared,
    HeadcountDeclared,
    MailboxClosed,
    MailboxOpened,
    MailUsed,
    MilestoneReached,
    NormalisedEvent,
    OfficialJoined,
    OfficialLeft,
    RecordFiled,
    TaskDirected,
    TrainingCompleted,
    canonical,
    payload_hash,
    version,
)
from services.core.scope import FIRST_DAY, LAST_DAY


class Archived(NamedTuple):
    """An event as it was accepted; *type* is the short name, *payload* its canonical JSON."""

    source: str
    id: str
    payload_hash: int
    type: str
    agency: str
    occurred: datetime
    occurred_day: date
    payload: str
    received: datetime


class Membership(NamedTuple):
    """A person on a roster of an agency, both days included."""

    person: str
    roster: str
    agency: str
    stint: str
    source: str
    version: int
    from_day: date
    to_day: date
    retracted: int
    received: datetime


class Mailbox(NamedTuple):
    """An address with its owner (empty: nobody's), both days included."""

    address: str
    stint: str
    source: str
    version: int
    owner: str
    domain: str
    from_day: date
    to_day: date
    retracted: int
    received: datetime


class Activity(NamedTuple):
    """A deed stated or taken back; *received_day* is the local day of receipt."""

    actor: str
    kind: str
    day: date
    action: str
    source: str
    retracted: int
    received_day: date
    version: int


class Exchange(NamedTuple):
    """One step of a document between two parties, as sent."""

    issuer: str
    year: int
    number: str
    counterpart: str
    step: str
    source: str
    version: int
    day: date
    issued_on: date
    retracted: int
    received: datetime


class Item(NamedTuple):
    """One step of an agency's item; *type* is the short event type."""

    type: str
    agency: str
    id: str
    step: str
    source: str
    version: int
    day: date
    retracted: int
    weight: Decimal
    received: datetime


class Declaration(NamedTuple):
    """A numerator (None for a headcount) and a denominator attested for a period."""

    agency: str
    indicator: str
    from_day: date
    to_day: date
    source: str
    version: int
    numerator: Decimal | None
    denominator: Decimal
    retracted: int
    received: datetime


class FeedReport(NamedTuple):
    """What a source says it sent of a type on a day."""

    source: str
    type: str
    day: date
    version: int
    stated: int  # the table's column is `count`, which a tuple already has
    retracted: int
    received: datetime


Fact = Membership | Mailbox | Activity | Exchange | Item | Declaration | FeedReport
Row = Archived | Fact


def _day(day: date) -> date:
    """Return *day* within what the database's type holds."""
    return min(max(day, FIRST_DAY), LAST_DAY)


def rows_from(event: NormalisedEvent, zone: ZoneInfo) -> tuple[Archived, Fact]:
    """Return the archive's row and the fact that *event* states; civil days of moments are those of *zone*.

    Raises ValueError for a ``time`` outside 1970 … 2298, which no version can be made of.
    """
    if not 1970 <= event.time.year < LAST_DAY.year or not 1970 <= event.received.year < LAST_DAY.year:
        raise ValueError("time or moment of receipt lies outside 1970 to 2298")
    payload = canonical(event)
    hashed = payload_hash(payload)
    short = short_type(str(type(event).__struct_config__.tag))
    archived = Archived(
        event.source,
        event.id,
        hashed,
        short,
        event.agency,
        event.time.astimezone(UTC),
        event.time.astimezone(zone).date(),
        payload.decode(),
        event.received.astimezone(UTC),
    )
    return archived, _fact(event, short, version(event.time, hashed), archived.received, zone)


def fact_from(event: NormalisedEvent, hashed: int, zone: ZoneInfo) -> Fact:
    """Return the fact alone of *event*, whose canonical payload has the hash *hashed*: what ``rows_from`` returns second."""
    short = short_type(str(type(event).__struct_config__.tag))
    return _fact(event, short, version(event.time, hashed), event.received.astimezone(UTC), zone)


def _fact(event: NormalisedEvent, short: str, ver: int, received: datetime, zone: ZoneInfo) -> Fact:
    source, data = event.source, event.data
    gone = int(data.retracted)
    match event:
        case OfficialJoined(data=m) | OfficialLeft(data=m) | TrainingCompleted(data=m):
            to = _day(m.to or LAST_DAY)
            return Membership(m.person, m.roster, m.agency, m.stint, source, ver, _day(m.from_), to, gone, received)
        case MailboxOpened(data=b) | MailboxClosed(data=b):
            to = _day(b.to or LAST_DAY)
            return Mailbox(b.address, b.stint, source, ver, b.owner or "", b.domain, _day(b.from_), to, gone, received)
        case MailUsed(data=u):
            return Activity(u.actor, u.kind, _day(u.day), u.action, source, gone, received.astimezone(zone).date(), ver)
        case DocumentExchanged(data=x):
            return Exchange(
                x.issuer, x.issued_on.year, x.number, x.counterpart, x.step, source, ver,
                _day(x.day), _day(x.issued_on), gone, received,
            )  # fmt: skip
        case (
            DocumentHandled(data=i)
            | TaskDirected(data=i)
            | RecordFiled(data=i)
            | MilestoneReached(data=i)
            | BudgetRecorded(data=i)
        ):
            return Item(short, i.agency, i.id, i.step, source, ver, _day(i.day), gone, i.weight, received)
        case HeadcountDeclared(data=d) | FigureDeclared(data=d):
            return Declaration(
                d.agency, d.indicator, _day(d.from_), _day(d.to), source, ver,
                d.numerator, d.denominator, gone, received,
            )  # fmt: skip
        case FeedReported(data=f):
            return FeedReport(source, f.type, _day(f.day), ver, f.count, gone, received)
        case _:
            assert_never(event)
