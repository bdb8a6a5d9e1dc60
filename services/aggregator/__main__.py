"""One aggregator worker: settings, connections, the app."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from time import sleep
from typing import TypeVar

from schemas.topics import SHAPES, Topic
from services.aggregator import metrics
from services.aggregator.adapters.beginning import AnotherDatabase, begin
from services.aggregator.adapters.fold_process import FoldProcess
from services.aggregator.adapters.preparing import TABLES
from services.aggregator.adapters.topics import topic_ids
from services.aggregator.app import DEAD_LETTERS, TOPICS, Life, make_app, serve
from services.aggregator.progress import Progress, watch
from services.aggregator.settings import AggregatorSettings
from services.aggregator.work import Work
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.clock import open_clock
from services.infra.health import open_health
from services.infra.kafka import TopicSpec, ensure_topics
from services.infra.logs import set_up_logs
from services.infra.settings import read_settings

T = TypeVar("T")
log = logging.getLogger(__name__)
_LONG = 15.0  # seconds without an answer of the database from which a worker does not say that it is ready


def main() -> None:
    """Run one worker until SIGTERM (exit code 0). Waits for broker and database for as long as it takes."""
    settings = read_settings(AggregatorSettings)
    set_up_logs("aggregator", settings.log_level)
    for chatty in ("faust", "mode"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("mode.timers").setLevel(logging.ERROR)  # a round longer than the interval is nothing to tell
    code = 1
    try:
        with ExitStack() as closing:
            code = _serve(settings, closing)
    except Exception:
        log.exception("a fault that no wait mends; ending")
    # Threads of clients that lost their broker or database may linger; everything that matters is closed.
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def _serve(settings: AggregatorSettings, closing: ExitStack) -> int:
    progress = Progress()
    asked: list[ClickHouse] = []
    metrics.UNANSWERED.set_function(lambda: _unanswered(asked))
    progress.missing.update(
        database="not reached yet",
        migrations="not applied yet",
        broker="not reached yet",
        assignment="no partitions",
    )
    closing.enter_context(
        open_health(
            settings.host,
            settings.aggregator_port,
            lambda: [f"{what}: {why}" for what, why in {**_silent(asked), **progress.missing}.items()],
        )
    )
    _insist(progress, "broker", lambda: _make_topics(settings))
    ids = _insist(progress, "broker", lambda: _ids(settings))
    applied = _insist(progress, "database", lambda: migrate(settings.clickhouse()))
    progress.missing.pop("migrations")
    if applied:
        log.info("migrations applied: %s", ", ".join(applied))
    _insist(progress, "database", lambda: _begin(settings))
    facts = closing.enter_context(open_clickhouse(settings.clickhouse()))
    figures = closing.enter_context(open_clickhouse(settings.clickhouse()))
    asked += [facts, figures]
    datadir = closing.enter_context(tempfile.TemporaryDirectory(prefix="tiendo-aggregator-"))
    kinds = _insist(progress, "database", lambda: {table: facts.types(table) for table in TABLES})
    folding = FoldProcess(settings.zone, kinds)
    closing.callback(folding.close)
    work = Work(
        facts,
        figures,
        clock=open_clock(),
        zone=settings.zone,
        longest_wait=settings.aggregator_retry_longest,
        progress=progress,
        prepare=folding.prepare,
        limit=settings.dead_letter_limit(),
    )
    watch(progress, settings.aggregator_watchdog)
    # Who only moves bytes must not wait the usual 5 ms, at every piece, for the thread that folds.
    sys.setswitchinterval(0.0005)
    # Not `asyncio.run`: it waits for every task that is left, and one that waits for a database that hangs stays.
    loop = asyncio.new_event_loop()
    code = loop.run_until_complete(_run(settings, Path(datadir), work, progress, ids, folding))
    if code == DEAD_LETTERS:
        progress.missing["dead letters"] = "too many events cannot be used; see the log"
        with progress.waiting():  # whoever scrapes shall see why
            sleep(settings.aggregator_dead_letters_linger)
    return code


async def _run(
    settings: AggregatorSettings,
    datadir: Path,
    work: Work,
    progress: Progress,
    ids: dict[str, str],
    folding: FoldProcess,
) -> int:
    life = Life()
    app = make_app(settings, datadir=str(datadir), work=work, progress=progress, life=life)
    return await serve(app, settings, ids=ids, progress=progress, life=life, beside=folding.ended)


def _unanswered(asked: list[ClickHouse]) -> float:
    return max([database.unanswered() for database in asked], default=0.0)


def _silent(asked: list[ClickHouse]) -> dict[str, str]:
    seconds = _unanswered(asked)
    return {"database": f"no answer for {seconds:.0f} s"} if seconds > _LONG else {}


def _make_topics(settings: AggregatorSettings) -> None:
    specs = [TopicSpec(name, SHAPES[Topic(name)].partitions, SHAPES[Topic(name)].config) for name in TOPICS]
    ensure_topics(
        settings.kafka(), [*specs, TopicSpec(settings.leader_topic, 1)], replication=settings.kafka_replication
    )


def _begin(settings: AggregatorSettings) -> None:
    forgotten = begin(
        settings.clickhouse(),
        settings.kafka(),
        settings.aggregator_group,
        TOPICS,
        anew=settings.aggregator_begin_anew,
    )
    if forgotten:
        log.warning("beginning anew: %d records that had been read are read again", forgotten)


def _ids(settings: AggregatorSettings) -> dict[str, str]:
    found = topic_ids(settings.kafka(), TOPICS)
    if found is None or len(found) != len(TOPICS):
        raise Transient("the topics are not there yet")
    return found


def _insist(progress: Progress, what: str, call: Callable[[], T]) -> T:
    wait = 0.25
    while True:
        try:
            result = call()
        except Transient as fault:
            progress.missing[what] = str(fault)
            log.log(logging.ERROR if isinstance(fault, AnotherDatabase) else logging.INFO, "waiting: %s", fault)
            sleep(wait)
            wait = min(2 * wait, 5.0)
        else:
            progress.missing.pop(what, None)
            return result


if __name__ == "__main__":
    main()
