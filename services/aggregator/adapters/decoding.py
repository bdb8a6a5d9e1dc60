"""Records of ``usage.events.v1`` into rows; what cannot be used is kept whole."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from schemas.reasons import Reason
from schemas.rejected import Rejection, Replayed
from schemas.topics import Topic
from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE, NormalisedEvent, decode, decode_one
from services.aggregator.core.facts import datable
from services.infra.clickhouse.client import ClickHouse

_NAMES: Final = (
    "rejection", "source", "reason", "detail", "pointer", "place", "type", "event_id", "key_id", "body", "received",
)  # fmt: skip


#: What bytes that are no usable event raise when they are read: deeply nested ones a RecursionError.
UNREADABLE: Final = (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError)

Run = tuple[str, list[bytes | None]]  #: a content type and the values of consecutive records of it


class Unusable(NamedTuple):
    """Bytes that hold no usable event."""

    value: bytes
    detail: str
    after: int = 0  # usable events of the same run of records before it


@dataclass(frozen=True)
class Decoded:
    """What a run of records holds."""

    events: list[NormalisedEvent]
    unusable: tuple[Unusable, ...]


def decode_records(records: Iterable[tuple[bytes | None, str]]) -> Decoded:
    """Return usable events and unusable parts of *records* (value, content type), in order.

    One bad event of a batch does not take the others with it. Never raises for what a record holds.
    """
    events: list[NormalisedEvent] = []
    unusable: list[Unusable] = []
    for value, kind in records:
        try:
            if kind == BATCH_CONTENT_TYPE:
                found = decode(value or b"", kind)
                if not all(map(datable, found)):
                    raise ValueError("an event without a usable moment")
                events += found
            else:
                event = decode_one(value or b"")
                if not datable(event):
                    raise ValueError("no usable moment")
                events.append(event)
        except UNREADABLE as fault:
            parts = _parts(value or b"", kind)
            if parts is None:
                # The text of the fault may quote a value, so only its kind is kept.
                unusable.append(Unusable(value or b"", type(fault).__name__, len(events)))
            else:
                apart = decode_records((part, SINGLE_CONTENT_TYPE) for part in parts)
                unusable += [one._replace(after=one.after + len(events)) for one in apart.unusable]
                events += apart.events
    return Decoded(events, tuple(unusable))


def _parts(value: bytes, content_type: str) -> list[bytes] | None:
    if content_type != BATCH_CONTENT_TYPE:
        return None
    try:
        return [bytes(part) for part in msgspec.json.decode(value, type=list[msgspec.Raw])]
    except UNREADABLE:
        return None


def rejections_of(unusable: Iterable[Unusable], received: datetime, topic: str = Topic.EVENTS) -> list[Rejection]:
    """Return the records of what *topic* held and could not be used; the same bytes give the same rejection.

    The body is what the topic held, pseudonymised already and not encrypted: the gateway's key is the gateway's alone.
    """
    return [
        Rejection(
            rejection=hashlib.blake2b(one.value, digest_size=16).hexdigest(),
            source="",
            reason=Reason.MALFORMED,
            detail=f"a record of {topic} cannot be read: {one.detail}",
            where="aggregator",
            received=received,
            key_id="",
            body=base64.b64encode(one.value).decode(),
        )
        for one in unusable
    ]


def insert_rejections(database: ClickHouse, rejections: list[Rejection]) -> None:
    """Keep refused events in the database; twice is once."""
    columns: list[list[Any]] = [
        [r.rejection for r in rejections],
        [r.source for r in rejections],
        [str(r.reason) for r in rejections],
        [r.detail for r in rejections],
        [r.pointer for r in rejections],
        [r.where for r in rejections],
        [r.type for r in rejections],
        [r.event_id for r in rejections],
        [r.key_id for r in rejections],
        [r.body for r in rejections],
        [r.received for r in rejections],
    ]
    database.insert("rejected", _NAMES, columns)


def insert_replays(database: ClickHouse, replays: list[Replayed]) -> None:
    """Keep that refused events were taken later; twice is once."""
    columns: list[list[Any]] = [
        [r.rejection for r in replays],
        [r.source for r in replays],
        [r.replayed for r in replays],
    ]
    database.insert("replays", ("rejection", "source", "replayed"), columns)
