"""Events into facts: one source's statements as rows, frozen, with natural key and version.

Moments are whole microseconds since 1970 in UTC, as the tables hold them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple, assert_never
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
    Sandboxed,
    TaskDirected,
    TrainingCompleted,
    canonical,
    payload_hash,
)
from services.core.scope import FIRST_DAY, LAST_DAY


class Archived(NamedTuple):
    """An event as it was accepted; *type* is the short name, *payload* its canonical JSON."""

    source: str
    id: str
    payload_hash: int
    type: str
    agency: str
    occurred: int
    occurred_day: date
    payload: bytes
    received: int


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
    received: int


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
    received: int


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
    received: int


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
    received: int


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
    received: int


class FeedReport(NamedTuple):
    """What a source says it sent of a type on a day."""

    source: str
    type: str
    day: date
    version: int
    stated: int  # the table's column is `count`, which a tuple already has
    retracted: int
    received: int


Fact = Membership | Mailbox | Activity | Exchange | Item | Declaration | FeedReport
Row = Archived | Fact


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(LAST_DAY.year, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LATEST: Final = (_END - _EPOCH) // _MICROSECOND
_HOUR: Final = 3_600_000_000


def datable(event: NormalisedEvent) -> bool:
    """Whether a version can be made of the event's moments: both carry a zone and lie in 1970 … 2298."""
    if event.time.tzinfo is None or event.received.tzinfo is None:
        return False
    return _EPOCH <= event.time < _END and _EPOCH <= event.received < _END


def micros(moment: datetime) -> int:
    """Return the microseconds from 1970 to *moment*, which carries a zone."""
    return (moment - _EPOCH) // _MICROSECOND


def moments(events: Sequence[NormalisedEvent]) -> tuple[list[int], list[int]]:
    """Return the :func:`micros` of ``time`` and of ``received``; ValueError where an event is not :func:`datable`."""
    epoch, one = _EPOCH, _MICROSECOND
    try:
        times = [(event.time - epoch) // one for event in events]
        received, last, value = [], None, 0
        for event in events:
            if event.received != last:  # stamped once per request: neighbours share it
                last = event.received
                value = (last - epoch) // one
            received.append(value)
    except TypeError as fault:
        raise ValueError("a moment without a zone") from fault
    if events and not (min(min(times), min(received)) >= 0 and max(max(times), max(received)) < _LATEST):
        raise ValueError("a moment outside 1970 to 2298")
    return times, received


def civil_day(moment: int, zone: ZoneInfo) -> date:
    """Return the day that it is in *zone* at *moment* (microseconds since 1970)."""
    return _local(moment, zone).date()


class CivilDays(dict[int, date | None]):
    """The days of many moments in one zone, most of which share their hour; it remembers every hour that it met.

    An entry is the day of a whole hour (in UTC, since 1970); None where a midnight or a change of offset lies inside.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone

    def of(self, moments: Sequence[int]) -> list[date]:
        """Return the :func:`civil_day` of each moment."""
        if moments and min(moments) // _HOUR == max(moments) // _HOUR and (day := self[moments[0] // _HOUR]):
            return [day] * len(moments)
        return [self[moment // _HOUR] or civil_day(moment, self._zone) for moment in moments]

    def __missing__(self, hour: int) -> date | None:
        first, last = _local(hour * _HOUR, self._zone), _local((hour + 1) * _HOUR - 1, self._zone)
        same = first.utcoffset() == last.utcoffset() and first.date() == last.date()
        self[hour] = found = first.date() if same else None
        return found


def _local(moment: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + moment * _MICROSECOND).astimezone(zone)


def clamped(day: date) -> date:
    """Return *day* within what the database's type holds."""
    return day if FIRST_DAY <= day <= LAST_DAY else min(max(day, FIRST_DAY), LAST_DAY)


def short_name(event: NormalisedEvent) -> str:
    """Return the short name of the event's type."""
    return _SHORT[type(event)]


_SHORT: Final = {kind: short_type(str(kind.__struct_config__.tag)) for kind in NormalisedEvent.__args__}


def rows_from(event: NormalisedEvent, zone: ZoneInfo) -> tuple[Archived] | tuple[Archived, Fact]:
    """Return the archive's row and the fact that *event* states, if it states one; civil days of moments are those of *zone*.

    Raises ValueError where it is not :func:`datable`.
    """
    if not datable(event):
        raise ValueError("time or moment of receipt lies outside 1970 to 2298, or carries no zone")
    payload = canonical(event)
    hashed = payload_hash(payload)
    time, received = micros(event.time), micros(event.received)
    short = short_name(event)
    archived = Archived(
        event.source, event.id, hashed, short, event.agency, time, civil_day(time, zone), payload, received
    )
    fact = fact_of(event, short, time << 64 | hashed, received, zone)
    return (archived,) if fact is None else (archived, fact)


def fact_from(event: NormalisedEvent, hashed: int, zone: ZoneInfo) -> Fact | None:
    """Return the fact alone of *event*, if it states one: what ``rows_from`` returns second.

    *hashed*: the hash of its canonical payload.
    """
    return fact_of(event, short_name(event), micros(event.time) << 64 | hashed, micros(event.received), zone)


def fact_of(event: NormalisedEvent, short: str, ver: int, received: int, zone: ZoneInfo) -> Fact | None:
    """Return what *event* states, under version *ver*; None for what only tries out. *short* is its type's short name."""
    source, data = event.source, event.data
    gone = int(data.retracted)
    match event:
        case OfficialJoined(data=m) | OfficialLeft(data=m) | TrainingCompleted(data=m):
            to = clamped(m.to or LAST_DAY)
            return Membership(m.person, m.roster, m.agency, m.stint, source, ver, clamped(m.from_), to, gone, received)
        case MailboxOpened(data=b) | MailboxClosed(data=b):
            to = clamped(b.to or LAST_DAY)
            return Mailbox(
                b.address, b.stint, source, ver, b.owner or "", b.domain, clamped(b.from_), to, gone, received
            )
        case MailUsed(data=u):
            return Activity(u.actor, u.kind, clamped(u.day), u.action, source, gone, civil_day(received, zone), ver)
        case DocumentExchanged(data=x):
            return Exchange(
                x.issuer, x.issued_on.year, x.number, x.counterpart, x.step, source, ver,
                clamped(x.day), clamped(x.issued_on), gone, received,
            )  # fmt: skip
        case (
            DocumentHandled(data=i)
            | TaskDirected(data=i)
            | RecordFiled(data=i)
            | MilestoneReached(data=i)
            | BudgetRecorded(data=i)
        ):
            return Item(short, i.agency, i.id, i.step, source, ver, clamped(i.day), gone, i.weight, received)
        case HeadcountDeclared(data=d) | FigureDeclared(data=d):
            return Declaration(
                d.agency, d.indicator, clamped(d.from_), clamped(d.to), source, ver,
                d.numerator, d.denominator, gone, received,
            )  # fmt: skip
        case FeedReported(data=f):
            return FeedReport(source, f.type, clamped(f.day), ver, f.count, gone, received)
        case Sandboxed():
            return None
        case _:
            assert_never(event)
