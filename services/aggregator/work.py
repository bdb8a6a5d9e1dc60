"""What the agents do with a run of records, off the event loop, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from schemas.rejected import REJECTED_RECORD, Rejection, Replayed
from schemas.revisions import REVISION
from services.aggregator import metrics
from services.aggregator.adapters.decoding import (
    Unusable,
    decode_records,
    insert_rejections,
    insert_replays,
    rejections_of,
)
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.pruning import prune
from services.aggregator.adapters.recompute import recompute
from services.aggregator.adapters.transport import Fetch, Record
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import Batch
from services.aggregator.core.dead_letters import DeadLetterLimit, Recent
from services.aggregator.core.folding import Folding
from services.aggregator.progress import Progress
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse
from services.infra.clock import Clock, last_complete_day

log = logging.getLogger(__name__)
T = TypeVar("T")
_AT_ONCE = 256  # records
_PRUNE_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class Prepared:
    """A run of records, decoded and folded; *size* is the number of its events."""

    batch: Batch
    unusable: tuple[Unusable, ...]
    size: int


class Work:
    """The worker's duties. Every method returns only when all is written; a fault that no wait mends is raised.

    Too many unusable events raise TooManyUnusable before anything of their batch is written.
    """

    def __init__(
        self,
        facts: ClickHouse,
        figures: ClickHouse,
        *,
        clock: Clock,
        zone: str,
        longest_wait: float,
        progress: Progress,
        limit: DeadLetterLimit | None = None,
    ) -> None:
        self._facts = facts
        self._figures = figures
        self._clock = clock
        self._zone_name = zone
        self._zone = ZoneInfo(zone)
        self._longest_wait = longest_wait
        self._progress = progress
        self._limit = limit or DeadLetterLimit()
        self._recent = Recent()
        self._prune_from = 0.0
        # One thread per connection: a batch given up by a rebalance still ends before the next one begins.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="facts")
        self._computer = ThreadPoolExecutor(1, thread_name_prefix="figures")
        self._folder = ThreadPoolExecutor(1, thread_name_prefix="fold")

    def close(self) -> None:
        """Wait for what is under way."""
        self._folder.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._computer.shutdown(wait=True, cancel_futures=True)

    async def prepare(self, fetches: Sequence[Fetch]) -> Prepared:
        """Decode and fold; nothing is written."""
        return await asyncio.get_running_loop().run_in_executor(self._folder, self._fold, fetches)

    async def write(self, prepared: Prepared) -> None:
        """Write events: archive, facts, marks, in this order."""
        await self._insist("facts", self._writer, lambda: self._write(prepared))

    async def rejected(self, records: Sequence[Record]) -> None:
        """Keep refused events where they can be asked for."""
        await self._insist("rejected", self._writer, lambda: self._keep(records))

    async def plans(self, records: Sequence[Record]) -> None:
        """Keep revisions and write what is read off them."""
        await self._insist("plans", self._writer, lambda: self._store(records))

    async def round(self) -> None:
        """Bring figures and the days of feeds up to date."""
        await self._insist("figures", self._computer, self._recompute)

    def _fold(self, fetches: Sequence[Fetch]) -> Prepared:
        folding = Folding(self._zone)
        unusable: list[Unusable] = []
        for fetch in fetches:
            fetch.records.reverse()
            # Few at a time, so that events are gone again before they leave the processor's cache.
            while records := fetch.records[-_AT_ONCE:]:
                del fetch.records[-_AT_ONCE:]
                decoded = decode_records(reversed(records))
                unusable += [one._replace(after=one.after + folding.size) for one in decoded.unusable]
                folding.add(decoded.events)
        return Prepared(folding.batch(), tuple(unusable), folding.size)

    def _write(self, prepared: Prepared) -> None:
        started = monotonic()
        recent = self._limit.after(self._recent, prepared.size, [one.after for one in prepared.unusable])
        if prepared.unusable:
            self._set_aside(prepared.unusable)
        marks = write(self._facts, prepared.batch)
        for part in prepared.batch.tables():
            metrics.ROWS.labels(part.table).inc(len(part.columns[0]))
        metrics.EVENTS.inc(prepared.size)
        metrics.MARKS.inc(marks)
        metrics.WRITE_SECONDS.observe(monotonic() - started)
        self._recent = recent
        metrics.UNUSABLE_RECENTLY.set(recent.unusable)

    def _set_aside(self, unusable: Sequence[Unusable]) -> None:
        insert_rejections(self._facts, rejections_of(unusable, self._clock()))
        metrics.UNUSABLE.inc(len(unusable))
        log.error("%d records or parts of records cannot be read; kept in the table `rejected`", len(unusable))

    def _keep(self, records: Sequence[Record]) -> None:
        kept: list[Rejection | Replayed] = []
        unusable = []
        for record in records:
            try:
                kept.append(REJECTED_RECORD.validate_json(record.value or b""))
            except ValidationError:
                unusable.append(Unusable(record.value or b"", "ValidationError"))
        if unusable:
            self._set_aside(unusable)
        insert_rejections(self._facts, [one for one in kept if isinstance(one, Rejection)])
        insert_replays(self._facts, [one for one in kept if isinstance(one, Replayed)])

    def _store(self, records: Sequence[Record]) -> None:
        for record in records:
            try:
                revision = REVISION.validate_json(record.value or b"")
            except ValidationError:
                self._set_aside([Unusable(record.value or b"", "ValidationError")])
                continue
            store(self._facts, revision)
            log.info("%s %s revision %d is stored", revision.kind, revision.id, revision.revision)

    def _recompute(self) -> None:
        started = monotonic()
        complete = last_complete_day(self._clock(), self._zone_name)
        done = recompute(self._figures, complete=complete, zone=self._zone)
        if started >= self._prune_from:
            self._prune_from = started + _PRUNE_EVERY
            if prune(self._figures):
                log.info("marks cleared long ago were dropped")
        if done.marks:
            metrics.ROUNDS.inc()
            metrics.ROUND_SECONDS.observe(monotonic() - started)

    async def _insist(self, work: str, pool: ThreadPoolExecutor, call: Callable[[], T]) -> T:
        wait = 0.25
        while True:
            with self._progress.waiting():
                try:
                    result = await asyncio.get_running_loop().run_in_executor(pool, call)
                except Transient as fault:
                    self._progress.missing["database"] = str(fault)
                    metrics.WAITS.labels(work).inc()
                    log.warning("%s wait %.1f s: %s", work, wait, fault)
                    await asyncio.sleep(wait)
                    wait = min(2 * wait, self._longest_wait)
                    continue
            self._progress.missing.pop("database", None)
            return result
