"""Events straight into a batch's columns: what :func:`fold` makes of :func:`rows_from`, without an object per row.

The archive and deeds by mail are nearly all that there is; other facts go the plain way.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import unpack
from typing import Any
from zoneinfo import ZoneInfo

from schemas.usage import MailUsed, NormalisedEvent, canonical
from services.aggregator.core.batch import Batch, fold
from services.aggregator.core.facts import (
    Activity,
    Archived,
    Row,
    civil_days,
    clamped,
    fact_of,
    micros,
    short_name,
)
from services.core.scope import FIRST_DAY, LAST_DAY


def fold_events(events: Sequence[NormalisedEvent], zone: ZoneInfo) -> Batch:
    """Return the batch of *events*, all of which are ``datable``: the archive's rows and facts, duplicates collapsed."""
    if not events:
        return Batch({})
    payloads = [canonical(event) for event in events]
    # The same 64 bits as `payload_hash`, read together.
    hashes = unpack(f">{len(events)}Q", b"".join([blake2b(payload, digest_size=8).digest() for payload in payloads]))
    times = [micros(event.time) for event in events]
    received = [micros(event.received) for event in events]
    versions = [time << 64 | hashed for time, hashed in zip(times, hashes, strict=True)]
    columns = _archive(events, payloads, hashes, times, received, zone)
    if deeds := _deeds(events, versions, received, zone):
        columns[Activity] = deeds
    others: list[Row] = [
        fact_of(event, short_name(event), version, moment, zone)
        for event, version, moment in zip(events, versions, received, strict=True)
        if type(event) is not MailUsed
    ]
    return Batch(columns | fold(others).columns if others else columns)


def _archive(
    events: Sequence[NormalisedEvent],
    payloads: Sequence[bytes],
    hashes: Sequence[int],
    times: Sequence[int],
    received: Sequence[int],
    zone: ZoneInfo,
) -> dict[type[Row], tuple[Sequence[Any], ...]]:
    columns: tuple[Sequence[Any], ...] = (
        [event.source for event in events],
        [event.id for event in events],
        hashes,
        [short_name(event) for event in events],
        [event.agency for event in events],
        times,
        civil_days(times, zone),
        payloads,
        received,
    )
    keys = set(zip(*columns[:3], strict=True))
    if len(keys) == len(events):
        return {Archived: columns}
    return fold(map(Archived._make, zip(*columns, strict=True))).columns


def _deeds(
    events: Sequence[NormalisedEvent], versions: Sequence[int], received: Sequence[int], zone: ZoneInfo
) -> tuple[Sequence[Any], ...] | None:
    keys = [
        (
            deed.actor,
            deed.kind,
            deed.day if FIRST_DAY <= deed.day <= LAST_DAY else clamped(deed.day),
            deed.action,
            event.source,
            int(deed.retracted),
            received_day,
        )
        for event, received_day in zip(events, civil_days(received, zone), strict=True)
        if type(event) is MailUsed and (deed := event.data)
    ]
    if not keys:
        return None
    if len(keys) < len(events):
        versions = [version for event, version in zip(events, versions, strict=True) if type(event) is MailUsed]
    greatest = dict(zip(keys, versions, strict=True))
    if len(greatest) < len(keys):
        known = greatest.__getitem__
        for key, version in zip(keys, versions, strict=True):
            if known(key) < version:
                greatest[key] = version
    return (*zip(*greatest, strict=True), list(greatest.values()))
