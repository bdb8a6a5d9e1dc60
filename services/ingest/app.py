"""The gateway put together: the one place where its parts are made and tied."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.infra.clock import Clock, last_complete_day
from services.ingest.adapters.documents import Documents
from services.ingest.adapters.gathering import Gathering
from services.ingest.adapters.publisher import Outbox
from services.ingest.adapters.rejected import RejectedRecords
from services.ingest.adapters.rejected_table import RejectedTable
from services.ingest.adapters.scorecard_table import Scorecards, WhereaboutsTable
from services.ingest.adapters.sealing import Seal, derive
from services.ingest.core.pseudonyms import Pseudonyms
from services.ingest.core.quota import Allowance, Quotas
from services.ingest.core.recent import Recent
from services.ingest.http.app import create_app
from services.ingest.http.events import Door, Limits
from services.ingest.http.rejected import RejectedDoor
from services.ingest.http.scorecard import ScorecardDoor
from services.ingest.http.turned_away import TurnedAway
from services.ingest.http.where import WhereDoor
from services.ingest.metrics import IngestMetrics
from services.ingest.settings import IngestSettings

_log = logging.getLogger(__name__)
#: Seconds within which what was acknowledged is in the archive, unless the aggregator lags; until then it is pending.
_STORED_WITHIN = 60.0


def build(settings: IngestSettings, clock: Clock) -> FastAPI:
    """Return the gateway. It answers at once; until broker and documents are there it answers 503 and is not ready."""
    metrics = IngestMetrics()
    outbox = Outbox(
        settings.kafka(), metrics, timeout=settings.ingest_publish_timeout, room=settings.ingest_queue_bytes
    )
    documents = Documents(settings.kafka(), metrics)
    outbox.on_failure(documents.read_again)
    secret = settings.key()
    seal = Seal(secret)
    pseudonyms = Pseudonyms(key_id=settings.ingest_key_id, key=derive(secret, "pseudonyms"))

    def missing() -> list[str]:
        return outbox.missing() + documents.missing()

    metrics.watch_ready(lambda: not missing())
    door = Door(
        registry=lambda: documents.registry,
        pseudonyms=pseudonyms,
        records=RejectedRecords(pseudonyms, seal),
        publishing=outbox,
        gathering=Gathering(outbox, room=settings.ingest_queue_events),
        metrics=metrics,
        now=clock,
        limits=Limits(
            body=settings.ingest_max_body,
            events=settings.ingest_max_events,
            seconds=settings.ingest_body_timeout,
            tolerance=settings.ingest_future_tolerance,
            allowance=Allowance(
                settings.ingest_events_per_second, settings.ingest_burst, settings.ingest_events_per_day
            ),
        ),
        quotas=Quotas(ZoneInfo(settings.zone)),
        turned_away=TurnedAway(metrics.turned_away, monotonic),
        recent=Recent(_STORED_WITHIN),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(outbox.run()), asyncio.create_task(documents.run())]
        for task in tasks:
            task.add_done_callback(_end_the_process)
        # What has been made by now stays to the end; looking through it for garbage again and again took a fifth of the time.
        gc.collect()
        gc.freeze()
        gc.set_threshold(100_000, 20, 100)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.to_thread(outbox.close)

    refused = RejectedDoor(
        door=door,
        table=RejectedTable(settings.clickhouse()),
        seal=seal,
        operations=settings.ingest_operations_token_sha256,
    )
    scorecard = ScorecardDoor(
        door=door,
        table=Scorecards(settings.clickhouse()),
        last_day=lambda now: last_complete_day(now, settings.zone),
    )
    where = WhereDoor(
        door=door,
        table=WhereaboutsTable(settings.clickhouse()),
        last_day=lambda now: last_complete_day(now, settings.zone),
        is_operations=refused.is_operations,
    )
    return create_app(
        door, metrics, missing=missing, lifespan=lifespan, refused=refused, scorecard=scorecard, where=where
    )


def _end_the_process(task: asyncio.Task[None]) -> None:
    """End a gateway one of whose own tasks broke: it would look alive and never be ready again."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("ending, because of a fault of the gateway", exc_info=error)
        signal.raise_signal(signal.SIGTERM)
