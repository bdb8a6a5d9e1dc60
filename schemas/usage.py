"""Usage events as ``usage.events.v1`` carries them: validated, pseudonymised, stamped.

msgspec structs, because the aggregator reads millions of them; without cycles, so that the collector looks at none. One
closed union, so that a new type breaks the type check where it must be handled. A pseudonym is ``<key id>:<32 hex>``.
``agency`` of the envelope is the reporting scope; whose figure a fact counts for is decided by what it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Literal, get_args, get_type_hints

import msgspec
import xxhash

from schemas.amounts import check_amounts
from schemas.common import short_type

Step = Literal["entered", "adopted", "undone"]


class _Data(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    retracted: bool = False


class MembershipSpan(_Data, frozen=True, kw_only=True, gc=False):
    """A person (pseudonym) on a roster of an agency, both days included; ``to`` None while it goes on."""

    person: str
    agency: str
    roster: str
    stint: str
    from_: date = msgspec.field(name="from")
    to: date | None = None


class MailboxSpan(_Data, frozen=True, kw_only=True, gc=False):
    """An address (pseudonym, its domain in clear) with an owner (pseudonym; None: nobody's)."""

    address: str
    domain: str
    stint: str
    owner: str | None
    from_: date = msgspec.field(name="from")
    to: date | None = None


class MailUse(_Data, frozen=True, kw_only=True, gc=False):
    """*actor* (pseudonym of an address or a person) did *action* on *day*."""

    actor: str
    kind: Literal["address", "person"]
    day: date
    action: Literal["sent", "read"]


class Exchange(_Data, frozen=True, kw_only=True, gc=False):
    """One step of a document; the parties as ``scheme:value``, as sent."""

    issuer: str
    number: str
    issued_on: date
    counterpart: str
    step: Step
    day: date


class Item(_Data, frozen=True, kw_only=True, gc=False):
    """One step of an item of an agency."""

    agency: str
    id: str
    step: Step
    day: date
    weight: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        check_amounts(self.weight)


class Declaration(_Data, frozen=True, kw_only=True, gc=False):
    """A numerator and a denominator attested for a period; of a headcount, the denominator alone (numerator None)."""

    agency: str
    indicator: str
    from_: date = msgspec.field(name="from")
    to: date
    numerator: Decimal | None
    denominator: Decimal

    def __post_init__(self) -> None:
        check_amounts(self.denominator, self.numerator)


class FeedReport(_Data, frozen=True, kw_only=True, gc=False):
    """How many different event ids of *type* the source says it sent with ``time`` on *day*."""

    type: str
    day: date
    count: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class SandboxedStatement(_Data, frozen=True, kw_only=True, gc=False):
    """A statement that counts nowhere: the short *type* that it was sent as, and its normalised data as JSON."""

    type: str
    statement: str


class _Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", gc=False):
    id: str
    source: str
    agency: str
    time: datetime
    received: datetime
    specversion: Literal["1.0"] = "1.0"
    datacontenttype: Literal["application/json"] = "application/json"


class OfficialJoined(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.official.joined.v1"):
    data: MembershipSpan


class OfficialLeft(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.official.left.v1"):
    data: MembershipSpan


class TrainingCompleted(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.training.completed.v1"):
    """The roster is ``trained.<course>``, the span starts on the day of completion and stays open."""

    data: MembershipSpan


class MailboxOpened(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.mailbox.opened.v1"):
    data: MailboxSpan


class MailboxClosed(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.mailbox.closed.v1"):
    data: MailboxSpan


class MailUsed(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.mail.used.v1"):
    data: MailUse


class DocumentExchanged(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.document.exchanged.v1"):
    data: Exchange


class DocumentHandled(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.document.handled.v1"):
    data: Item


class TaskDirected(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.task.directed.v1"):
    data: Item


class RecordFiled(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.record.filed.v1"):
    data: Item


class MilestoneReached(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.milestone.reached.v1"):
    """The item's id is ``<project>/<milestone>``."""

    data: Item


class BudgetRecorded(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.budget.recorded.v1"):
    """The item's id is ``<project>/<stage>/<id>``, its weight in đồng; disbursed amounts are adopted, others entered."""

    data: Item


class HeadcountDeclared(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.headcount.declared.v1"):
    """The declaration's indicator is ``headcount.<roster>``, its period the one day."""

    data: Declaration


class FigureDeclared(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.figure.declared.v1"):
    data: Declaration


class FeedReported(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.feed.reported.v1"):
    data: FeedReport


class Sandboxed(_Event, frozen=True, kw_only=True, gc=False, tag="vn.tiendo.sandboxed.v1"):
    """What a source that is trying out states: kept like everything else, and a fact about nothing."""

    data: SandboxedStatement


NormalisedEvent = (
    OfficialJoined
    | OfficialLeft
    | TrainingCompleted
    | MailboxOpened
    | MailboxClosed
    | MailUsed
    | DocumentExchanged
    | DocumentHandled
    | TaskDirected
    | RecordFiled
    | MilestoneReached
    | BudgetRecorded
    | HeadcountDeclared
    | FigureDeclared
    | FeedReported
    | Sandboxed
)

SINGLE_CONTENT_TYPE: Final = "application/cloudevents+json"
BATCH_CONTENT_TYPE: Final = "application/cloudevents-batch+json"

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="string")
_single: Final[msgspec.json.Decoder[NormalisedEvent]] = msgspec.json.Decoder(NormalisedEvent)
_batch: Final[msgspec.json.Decoder[list[NormalisedEvent]]] = msgspec.json.Decoder(list[NormalisedEvent])


def _canonical_decoder(kind: Any) -> Any:
    data = get_type_hints(kind)["data"]
    return msgspec.json.Decoder(tuple[str, str, str, str, datetime, data])  # type: ignore[valid-type]


_canonical: Final[dict[str, tuple[Any, Any]]] = {
    kind.__struct_config__.tag: (kind, _canonical_decoder(kind)) for kind in get_args(NormalisedEvent)
}


def encode(events: list[NormalisedEvent]) -> bytes:
    """Return the value of a record that carries *events* (content type ``BATCH_CONTENT_TYPE``)."""
    return _encoder.encode(events)


def encode_one(event: NormalisedEvent) -> bytes:
    """Return the value of a record that carries one event (content type ``SINGLE_CONTENT_TYPE``)."""
    return _encoder.encode(event)


def decode(value: bytes, content_type: str) -> list[NormalisedEvent]:
    """Return the events of a record. Raises ``msgspec.MsgspecError`` (a ValueError or not) where it is not ours."""
    if content_type == BATCH_CONTENT_TYPE:
        return _batch.decode(value)
    return [_single.decode(value)]


def decode_batch(value: bytes) -> list[NormalisedEvent]:
    """Return the events of a record that holds a batch. Raises like :func:`decode`."""
    return _batch.decode(value)


def decode_one(value: bytes) -> NormalisedEvent:
    """Return the event of a record that holds one. Raises like :func:`decode`."""
    return _single.decode(value)


def sandboxed(event: NormalisedEvent) -> Sandboxed:
    """Return *event* as a statement that counts nowhere, under the same id and times."""
    data = _encoder.encode(event.data).decode()
    return Sandboxed(
        id=event.id,
        source=event.source,
        agency=event.agency,
        time=event.time,
        received=event.received,
        data=SandboxedStatement(type=short_type(_TAGS[type(event)]), statement=data),
    )


def canonical(event: NormalisedEvent) -> bytes:
    """Return the canonical payload: the event without its moment of receipt, the same bytes wherever it is encoded."""
    return canonicals((event,))[0]


def canonicals(events: Iterable[NormalisedEvent]) -> list[bytes]:
    """Return the :func:`canonical` payload of each event."""
    encode, tags = _encoder.encode, _TAGS
    return [encode((tags[type(e)], e.source, e.id, e.agency, e.time, e.data)) for e in events]


_TAGS: Final = {kind: kind.__struct_config__.tag for kind in NormalisedEvent.__args__}


def from_canonical(payload: bytes, received: datetime) -> NormalisedEvent:
    """Return the event whose canonical payload this is, with the moment of receipt that the payload leaves out.

    ``canonical`` of it gives the same bytes again. Raises ``msgspec.MsgspecError`` or ValueError where it is not ours.
    """
    tag = payload[2 : payload.index(b'"', 2)].decode()
    if tag not in _canonical:
        raise ValueError("a payload of no known type")
    kind, decoder = _canonical[tag]
    _, source, id_, agency, time, data = decoder.decode(payload)
    event: NormalisedEvent = kind(id=id_, source=source, agency=agency, time=time, received=received, data=data)
    return event


def payload_hash(payload: bytes) -> int:
    """Return the XXH3 hash of a canonical payload, 64 bits.

    It tells payloads apart and breaks ties; it does not guard against who makes two payloads of one hash on purpose: both
    would be his own, under one id.
    """
    return _xxh3(payload)


_xxh3: Final[Callable[[bytes], int]] = xxhash.xxh3_64_intdigest


def version(time: datetime, hashed: int) -> int:
    """Return the 128-bit version of a statement: microseconds of its ``time``, then 64 bits of its payload's hash.

    The order is total, so that of two payloads under one id one wins whatever the order of arrival. Raises ValueError
    for a time without a zone or before 1970.
    """
    if time.tzinfo is None:
        raise ValueError("time carries no zone")
    delta = time - _EPOCH
    micros = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    if micros < 0:
        raise ValueError("time lies before 1970")
    return (micros << 64) | hashed


_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
