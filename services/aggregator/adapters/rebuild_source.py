"""Where a rebuild reads from: the archive in the order of its key, or the topic; each from a kept position on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from schemas.topics import Topic
from schemas.usage import SINGLE_CONTENT_TYPE
from services.aggregator.adapters.decoding import decode_records
from services.aggregator.core.facts import Row, rows_from
from services.aggregator.core.rebuilding import Key
from services.infra.clickhouse.client import ClickHouse
from services.infra.kafka import CaughtUp, KafkaAddress, Record, follow

_CLOCK_STEP: Final = 5  # seconds by which the database's clock may have been set back meanwhile
_RECORDS: Final = 5000


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Archive rows (source, id, hash, payload, smallest moment of receipt) and the key of the last one."""

    rows: list[tuple[str, str, int, str, datetime]]
    last: Key


def archived(
    running: ClickHouse, *, types: Sequence[str], after: Key | None, since: str = "", size: int
) -> Iterator[Chunk]:
    """Yield events of *types* after the key *after*, in the order of the archive's key, at most *size* at a time.

    With *since* (a moment of the database's clock) only those of which a copy was stored from then on, or shortly before.
    """
    conditions = ["type IN %(types)s"]
    if since:
        conditions.append(f"restated >= toDateTime64(%(since)s, 6, 'UTC') - INTERVAL {_CLOCK_STEP} SECOND")
    while types:
        source, id_, hashed = after or ("", "", 0)
        if after is None:
            place = []
        else:  # spelt out in the order of the key, so that the primary index serves
            place = [
                "source >= %(source)s AND (source > %(source)s OR id >= %(id)s)",
                "(source > %(source)s OR id > %(id)s OR payload_hash > toUInt64(%(hash)s))",
            ]
        columns = running.columns(
            "SELECT source, id, payload_hash, any(payload), min(received) FROM events "
            f"WHERE {' AND '.join(conditions + place)} GROUP BY source, id, payload_hash ORDER BY source, id, payload_hash "
            f"LIMIT {size} SETTINGS optimize_aggregation_in_order = 1",
            {"types": tuple(types), "since": since, "source": source, "id": id_, "hash": hashed},
        )
        if not columns or not columns[0]:
            return
        after = (columns[0][-1], columns[1][-1], columns[2][-1])
        yield Chunk(rows=list(zip(*columns, strict=True)), last=after)
        if len(columns[0]) < size:
            return


@dataclass(frozen=True, kw_only=True)
class Records:
    """Rows of a run of records and, per partition, the offset after the last one."""

    rows: tuple[Row, ...]
    events: int
    offsets: dict[str, int]


def of_topic(kafka: KafkaAddress, offsets: dict[str, int], zone: ZoneInfo) -> Iterator[Records]:
    """Yield what the topic of events holds now, records before *offsets* left out.

    Raises Transient where the brokers are away or the topic is missing. Unusable records were set aside when they came.
    """
    loop = asyncio.new_event_loop()
    reading = _runs(kafka, dict(offsets))
    try:
        while True:
            try:
                taken, positions = loop.run_until_complete(anext(reading))
            except StopAsyncIteration:
                return
            events = decode_records(taken).events
            rows = tuple(row for event in events for row in rows_from(event, zone))
            yield Records(rows=rows, events=len(events), offsets=positions)
    finally:
        loop.run_until_complete(reading.aclose())
        loop.close()


async def _runs(kafka: KafkaAddress, offsets: dict[str, int]) -> Any:
    run: list[tuple[bytes | None, str]] = []
    positions = dict(offsets)
    async with aclosing(follow(kafka, Topic.EVENTS.value)) as records:
        async for record in records:
            if isinstance(record, CaughtUp):
                break
            if record.offset < offsets.get(str(record.partition), 0):
                continue
            run.append((record.value, _content_type(record)))
            positions[str(record.partition)] = record.offset + 1
            if len(run) >= _RECORDS:
                yield run, dict(positions)
                run = []
    if run:
        yield run, positions


def _content_type(record: Record) -> str:
    found = dict(record.headers).get("content-type")
    return found.decode("ascii", "replace") if found else SINGLE_CONTENT_TYPE
