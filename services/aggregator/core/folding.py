"""Events straight into a batch's columns: what :func:`fold` makes of :func:`rows_from`, without an object per row.

The archive and deeds by mail are nearly all that there is; other facts go the plain way. Events are added a few at a time
and can go at once: what a batch keeps is its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from schemas.usage import MailUsed, NormalisedEvent, canonicals, payload_hash
from services.aggregator.core.batch import Batch, fold
from services.aggregator.core.facts import (
    Activity,
    Archived,
    CivilDays,
    Row,
    clamped,
    fact_of,
    moments,
    short_name,
)
from services.core.scope import FIRST_DAY, LAST_DAY


class Folding:
    """A batch being gathered; *size* is the number of events added."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.size = 0
        self._zone = zone
        self._days = CivilDays(zone)
        self._archive: tuple[list[Any], ...] = tuple([] for _ in Archived._fields)
        self._deeds: dict[tuple[Any, ...], int] = {}
        self._others: list[Row] = []

    def add(self, events: Sequence[NormalisedEvent]) -> None:
        """Take *events*; ValueError, and none is taken, where one of them is not ``datable``."""
        times, received = moments(events)
        self.size += len(events)
        payloads = canonicals(events)
        hashes = list(map(payload_hash, payloads))
        columns: tuple[Sequence[Any], ...] = (
            [event.source for event in events],
            [event.id for event in events],
            hashes,
            [short_name(event) for event in events],
            [event.agency for event in events],
            times,
            self._days.of(times),
            payloads,
            received,
        )
        for whole, part in zip(self._archive, columns, strict=True):
            whole += part
        versions = [time << 64 | hashed for time, hashed in zip(times, hashes, strict=True)]
        self._facts(events, versions, received)

    def batch(self) -> Batch:
        """Return the archive's rows and the facts of everything added, duplicates collapsed."""
        columns: dict[type[Row], tuple[Sequence[Any], ...]] = {}
        if self.size:
            ids = self._archive[1]
            if len(set(ids)) == self.size or len(set(zip(*self._archive[:3], strict=True))) == self.size:
                columns[Archived] = self._archive
            else:
                columns |= fold(map(Archived._make, zip(*self._archive, strict=True))).columns
        if self._deeds:
            columns[Activity] = (*zip(*self._deeds, strict=True), list(self._deeds.values()))
        return Batch(columns | fold(self._others).columns)

    def _facts(self, events: Sequence[NormalisedEvent], versions: Sequence[int], received: Sequence[int]) -> None:
        deeds = self._deeds
        known = deeds.get
        received_days = self._days.of(received)
        for event, version, moment, received_day in zip(events, versions, received, received_days, strict=True):
            if type(event) is MailUsed:
                deed = event.data
                day = deed.day
                key = (
                    deed.actor,
                    deed.kind,
                    day if FIRST_DAY <= day <= LAST_DAY else clamped(day),
                    deed.action,
                    event.source,
                    1 if deed.retracted else 0,
                    received_day,
                )
                if known(key, -1) < version:
                    deeds[key] = version
            elif (fact := fact_of(event, short_name(event), version, moment, self._zone)) is not None:
                self._others.append(fact)


def fold_events(events: Sequence[NormalisedEvent], zone: ZoneInfo) -> Batch:
    """Return the batch of *events*; ValueError where one of them is not ``datable``."""
    folding = Folding(zone)
    folding.add(events)
    return folding.batch()
