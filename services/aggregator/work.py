"""What the agents do with a run of records, off the event loop, for as long as it takes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar
from zoneinfo import ZoneInfo

from schemas.rejected import REJECTED_RECORD, Rejection, Replayed
from schemas.revisions import REVISION
from schemas.topics import Topic
from services.aggregator import metrics
from services.aggregator.adapters.decoding import (
    UNREADABLE,
    Run,
    Unusable,
    insert_rejections,
    insert_replays,
    rejections_of,
)
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.preparing import Prepared
from services.aggregator.adapters.pruning import prune
from services.aggregator.adapters.recompute import recompute
from services.aggregator.adapters.transport import Fetch
from services.aggregator.adapters.writer import mark
from services.aggregator.core.dead_letters import DeadLetterLimit, Recent
from services.aggregator.progress import Progress
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse
from services.infra.clock import Clock, last_complete_day

log = logging.getLogger(__name__)
T = TypeVar("T")
_PRUNE_EVERY = 60.0  # seconds


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
        prepare: Callable[[Sequence[Run]], Prepared],
        limit: DeadLetterLimit | None = None,
    ) -> None:
        self._facts = facts
        self._figures = figures
        self._clock = clock
        self._zone_name = zone
        self._zone = ZoneInfo(zone)
        self._longest_wait = longest_wait
        self._progress = progress
        self._prepare = prepare
        self._limit = limit or DeadLetterLimit()
        self._recent = Recent()
        self._prune_from = 0.0
        # One thread per connection: a batch given up by a rebalance still ends before the next one begins.
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="facts")
        self._computer = ThreadPoolExecutor(1, thread_name_prefix="figures")
        self._folder = ThreadPoolExecutor(2, thread_name_prefix="fold")  # one is sent while another is worked on

    def close(self) -> None:
        """Wait for what is under way."""
        self._folder.shutdown(wait=True, cancel_futures=True)
        self._writer.shutdown(wait=True, cancel_futures=True)
        self._computer.shutdown(wait=True, cancel_futures=True)

    async def prepare(self, fetches: Sequence[Fetch]) -> Prepared:
        """Decode, fold and pack; nothing is written."""
        runs = [run for fetch in fetches for run in fetch.runs]
        return await asyncio.get_running_loop().run_in_executor(self._folder, self._prepare, runs)

    async def write(self, prepared: Prepared) -> None:
        """Write events: archive, facts, marks, in this order."""
        await self._insist("facts", self._writer, lambda: self._write(prepared))

    async def rejected(self, fetch: Fetch) -> None:
        """Keep refused events where they can be asked for."""
        await self._insist("rejected", self._writer, lambda: self._keep(fetch.values()))

    async def plans(self, fetch: Fetch) -> None:
        """Keep revisions and write what is read off them."""
        await self._insist("plans", self._writer, lambda: self._store(fetch.values()))

    async def round(self) -> None:
        """Bring figures and the days of feeds up to date."""
        await self._insist("figures", self._computer, self._recompute)

    def _write(self, prepared: Prepared) -> None:
        started = monotonic()
        recent = self._limit.after(self._recent, prepared.size, [one.after for one in prepared.unusable])
        if prepared.unusable:
            self._set_aside(prepared.unusable, Topic.EVENTS)
        for part in prepared.rows:
            self._facts.insert_packed(part.table, part.names, part.columns)
        marks = mark(self._facts, prepared.touched)
        for part in prepared.rows:
            metrics.ROWS.labels(part.table).inc(part.columns[0].rows)
        metrics.EVENTS.inc(prepared.size)
        metrics.MARKS.inc(marks)
        metrics.WRITE_SECONDS.observe(monotonic() - started)
        self._recent = recent
        metrics.UNUSABLE_RECENTLY.set(recent.unusable)

    def _set_aside(self, unusable: Sequence[Unusable], topic: Topic) -> None:
        insert_rejections(self._facts, rejections_of(unusable, self._clock(), topic))
        metrics.UNUSABLE.inc(len(unusable))
        log.error(
            "%d records or parts of records of %s cannot be read; kept in the table `rejected`", len(unusable), topic
        )

    def _keep(self, values: Sequence[bytes | None]) -> None:
        kept: list[Rejection | Replayed] = []
        unusable = []
        for value in values:
            try:
                kept.append(REJECTED_RECORD.validate_json(value or b""))
            except UNREADABLE as fault:
                unusable.append(Unusable(value or b"", type(fault).__name__))
        if unusable:
            self._set_aside(unusable, Topic.REJECTED)
        insert_rejections(self._facts, [one for one in kept if isinstance(one, Rejection)])
        insert_replays(self._facts, [one for one in kept if isinstance(one, Replayed)])

    def _store(self, values: Sequence[bytes | None]) -> None:
        for value in values:
            try:
                revision = REVISION.validate_json(value or b"")
            except UNREADABLE as fault:
                self._set_aside([Unusable(value or b"", type(fault).__name__)], Topic.PLANS)
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

        def declared() -> T:
            with self._progress.waiting():
                return call()

        while True:
            try:
                result = await asyncio.get_running_loop().run_in_executor(pool, declared)
            except Transient as fault:
                self._progress.missing["database"] = str(fault)
                metrics.WAITS.labels(work).inc()
                log.warning("%s wait %.1f s: %s", work, wait, fault)
                self._progress.pause(wait)
                await asyncio.sleep(wait)
                wait = min(2 * wait, self._longest_wait)
                continue
            self._progress.missing.pop("database", None)
            return result
