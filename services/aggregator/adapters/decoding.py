"""Records of ``usage.events.v1`` into rows; what cannot be used is kept whole."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from schemas.reasons import Reason
from schemas.rejected import Rejection
from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE, decode
from services.aggregator.core.facts import Row, rows_from
from services.infra.clickhouse.client import ClickHouse

_NAMES: Final = (
    "rejection", "source", "reason", "detail", "pointer", "place", "type", "event_id", "key_id", "body", "received",
)  # fmt: skip


class Unusable(NamedTuple):
    """Bytes that hold no usable event."""

    value: bytes
    detail: str


@dataclass(frozen=True)
class Decoded:
    """What a run of records holds."""

    rows: tuple[Row, ...]
    unusable: tuple[Unusable, ...]
    events: int


def decode_records(records: Iterable[tuple[bytes | None, str]], zone: ZoneInfo) -> Decoded:
    """Return rows and unusable parts of *records* (value, content type), in order.

    One bad event of a batch does not take the others with it. Never raises for what a record holds.
    """
    rows: list[Row] = []
    unusable: list[Unusable] = []
    events = 0
    for value, content_type in records:
        for part, kind in _parts(value or b"", content_type):
            try:
                for event in decode(part, kind):
                    rows.extend(rows_from(event, zone))
                    events += 1
            except (msgspec.MsgspecError, ValueError, OverflowError) as fault:
                # The text of the fault may quote a value, so only its kind is kept.
                unusable.append(Unusable(part, type(fault).__name__))
    return Decoded(tuple(rows), tuple(unusable), events)


def content_type(headers: Any) -> str:
    """Return what the header of that name says; a record without one holds one event."""
    for name, value in headers:
        if name == "content-type":
            return value.decode("ascii", "replace") if value is not None else SINGLE_CONTENT_TYPE
    return SINGLE_CONTENT_TYPE


def _parts(value: bytes, content_type: str) -> list[tuple[bytes, str]]:
    if content_type != BATCH_CONTENT_TYPE:
        return [(value, content_type)]
    try:
        decoded = decode(value, content_type)
        if all(1970 <= event.time.year < 2299 for event in decoded):
            return [(value, content_type)]
    except (msgspec.MsgspecError, ValueError):
        pass
    try:
        return [(bytes(part), SINGLE_CONTENT_TYPE) for part in msgspec.json.decode(value, type=list[msgspec.Raw])]
    except (msgspec.MsgspecError, ValueError):
        return [(value, SINGLE_CONTENT_TYPE)]


def rejections_of(unusable: Iterable[Unusable], received: datetime) -> list[Rejection]:
    """Return the records of what could not be used; the same bytes give the same rejection.

    The body is what the topic held, pseudonymised already and not encrypted: the gateway's key is the gateway's alone.
    """
    return [
        Rejection(
            rejection=hashlib.blake2b(one.value, digest_size=16).hexdigest(),
            source="",
            reason=Reason.MALFORMED,
            detail=f"a record of the topic of events cannot be read: {one.detail}",
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
