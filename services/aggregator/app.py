"""The worker: a Faust app with one thin agent per topic, and a leader that recomputes.

A record is acknowledged after everything that it leads to has been written. Two leaders may overlap after a pause: what a
leader does is harmless twice.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Any

import faust
from faust.types.auth import AuthProtocol

from schemas.topics import Topic
from services.aggregator import metrics
from services.aggregator.adapters.topics import topic_ids
from services.aggregator.adapters.transport import Fetch, use_fetches
from services.aggregator.core.dead_letters import TooManyUnusable
from services.aggregator.pipeline import Limits, Pipeline
from services.aggregator.progress import Progress
from services.aggregator.settings import AggregatorSettings
from services.aggregator.work import Work
from services.infra.kafka import KafkaAddress

log = logging.getLogger(__name__)

TOPICS = (Topic.EVENTS.value, Topic.REJECTED.value, Topic.PLANS.value)
_TOPICS_EVERY = 5.0
_COMMIT_EVERY = 0.5
_FINISH_WITHIN = 20.0
_TICK = 0.1  # seconds; how late a round may begin
_REST = 9.0  # times as long as the round took
_LONGEST_REST = 10.0
DEAD_LETTERS = 65  # exit code: too many events cannot be used; a person has to look
_FETCH_BYTES = 6 << 20  # of one partition in one answer of the broker
_FETCHES_WAITING = 8  # between Faust and an agent


class Life:
    """Why the worker should end, if it should, how many batches are under way, and whether more come in than can be written."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.code = 0
        self.behind: Callable[[], bool] = lambda: False
        self._busy = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def end(self, code: int) -> None:
        """Ask the worker to end with *code*; the first reason stands."""
        if not self.stop.is_set():
            self.code = code
            self.stop.set()

    async def run(self, duty: Awaitable[None]) -> bool:
        """Await *duty*; return whether it was done. A fault that no wait mends ends the worker."""
        self._busy += 1
        self._idle.clear()
        try:
            await duty
            return True
        except TooManyUnusable as reached:
            log.critical("stopping, nothing of this batch is acknowledged: %s (limit %s)", reached, reached.rule)
            metrics.STOPPED.labels(reached.rule.value).set(1)
            self.end(DEAD_LETTERS)
            return False
        except Exception:
            self.fault()
            return False
        finally:
            self._busy -= 1
            if not self._busy:
                self._idle.set()

    def fault(self) -> None:
        """End the worker for the exception being handled."""
        log.exception("a fault that no wait mends; ending")
        self.end(1)

    async def finished(self) -> None:
        """Return once nothing is under way."""
        await self._idle.wait()


def make_app(settings: AggregatorSettings, *, datadir: str, work: Work, progress: Progress, life: Life) -> faust.App:
    """Return the app; nothing is connected before it starts."""
    kafka = settings.kafka()
    app = faust.App(
        settings.aggregator_group,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=6,  # the least that Apache Kafka takes by default; a killed worker is missed that long
        broker_heartbeat_interval=1,
        broker_rebalance_timeout=10,
        broker_request_timeout=15,
        broker_commit_interval=_COMMIT_EVERY,
        # A broker that has just started may know no topic yet; who leads then gives nobody a partition, until it asks again.
        consumer_metadata_max_age_ms=5_000,
        consumer_auto_offset_reset="earliest",
        topic_allow_declare=False,  # they are made before the app starts
        topic_disable_leader=False,
        stream_wait_empty=False,
        stream_recovery_delay=0.0,
        stream_buffer_maxsize=_FETCHES_WAITING,
        broker_max_poll_records=settings.aggregator_batch_records,
        consumer_max_fetch_size=_FETCH_BYTES,
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=datadir,
        store="memory://",
        loghandlers=[],
        logging_config=None,
    )
    use_fetches(app)
    agents = {
        Topic.EVENTS.value: _events_agent(work, settings, progress, life),
        Topic.REJECTED.value: _agent(Topic.REJECTED.value, work.rejected, progress, life),
        Topic.PLANS.value: _agent(Topic.PLANS.value, work.plans, progress, life),
    }
    for name, agent in agents.items():
        app.agent(app.topic(name, key_serializer="raw", value_serializer="raw"), name=name)(agent)

    rest_until = 0.0

    @app.timer(min(_TICK, settings.aggregator_interval), on_leader=True)
    async def lead() -> None:
        nonlocal rest_until
        started = monotonic()
        if life.stop.is_set() or started < rest_until:
            return
        await life.run(work.round())
        # While a backlog is read every round finds much to do; most of the time belongs to the reading then.
        ended = monotonic()
        rest = min(_REST * (ended - started), _LONGEST_REST) if life.behind() else 0.0
        rest_until = max(started + settings.aggregator_interval, ended + rest)

    @app.timer(1.0)
    async def beat() -> None:
        metrics.LEADER.set(int(app.is_leader()))
        if not _is_stuck(app):
            progress.beat()

    @app.on_partitions_assigned.connect
    async def assigned(_app: Any, assigned: Any, **_other: Any) -> None:
        progress.missing.pop("assignment", None)
        progress.beat()
        log.info("%d partitions assigned", len(assigned))

    return app


def _events_agent(
    work: Work, settings: AggregatorSettings, progress: Progress, life: Life
) -> Callable[[Any], Awaitable[None]]:
    name = Topic.EVENTS.value

    async def write(prepared: Any) -> bool:
        # Nothing of a batch that was not written may be acknowledged, and nothing later: the next worker begins with it.
        return not life.stop.is_set() and await life.run(work.write(prepared))

    def acknowledged(records: int) -> None:
        metrics.RECORDS.labels(name).inc(records)
        progress.beat()

    async def take(stream: Any) -> None:
        limits = Limits(
            records=settings.aggregator_batch_records,
            size=settings.aggregator_batch_bytes,
            wait=settings.aggregator_batch_wait,
        )
        pipeline = Pipeline(work.prepare, write, limits, acknowledged)
        life.behind = lambda: pipeline.behind

        async def run() -> None:
            try:
                await pipeline.run()
            except Exception:
                life.fault()

        running = asyncio.create_task(run())
        stream.enable_acks = False
        try:
            async for event in stream.events():
                await pipeline.put(event)
        finally:
            running.cancel()

    return take


def _agent(
    name: str, duty: Callable[[Fetch], Awaitable[None]], progress: Progress, life: Life
) -> Callable[[Any], Awaitable[None]]:
    async def take(stream: Any) -> None:
        stream.enable_acks = False
        async for event in stream.events():
            if life.stop.is_set() or not await life.run(duty(event.value)):
                await asyncio.Event().wait()  # as above
            event.ack()
            metrics.RECORDS.labels(name).inc(event.value.number)
            progress.beat()

    return take


def _is_stuck(app: faust.App) -> bool:
    """Whether records wait on the broker although nothing hinders us from taking them: the watchdog's clock runs then."""
    consumer = app.consumer
    if consumer is None or app.rebalancing:
        return True
    return any(consumer.waits(tp) for tp in consumer.assignment())


async def serve(
    app: faust.App,
    settings: AggregatorSettings,
    *,
    ids: dict[str, str],
    progress: Progress,
    life: Life,
    beside: Callable[[], int | None],
) -> int:
    """Run *app* until SIGTERM or SIGINT, a fault, or topics made anew; return the exit code.

    A batch under way is finished and committed first. *beside* says how the process that folds has ended, None while it
    lives: a worker without it would seem to be ready until the next batch.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, life.end, 0)
    app.finalize()
    await app.start()
    log.info("started")
    watching = asyncio.create_task(_watch_topics(settings.kafka(), ids, progress, life))
    while not life.stop.is_set():
        try:
            await asyncio.wait_for(life.stop.wait(), 0.5)
        except TimeoutError:
            if app.should_stop or app.crashed:
                life.end(1)
            elif (code := beside()) is not None:
                log.critical("the process that folds has ended (code %d); ending", code)
                life.end(1)
    watching.cancel()
    try:
        await asyncio.wait_for(life.finished(), _FINISH_WITHIN)
        await asyncio.sleep(0.05)  # the agents acknowledge what has just been finished
        await asyncio.wait_for(app.stop(), _FINISH_WITHIN)
    except TimeoutError:
        log.warning("not everything ended in time; what is not acknowledged comes again")
    log.info("stopped")
    return life.code


async def _watch_topics(kafka: KafkaAddress, ids: dict[str, str], progress: Progress, life: Life) -> None:
    while True:
        await asyncio.sleep(_TOPICS_EVERY)
        found = await asyncio.to_thread(topic_ids, kafka, TOPICS)
        if found is None:
            progress.missing["broker"] = "no broker answers"
            continue
        progress.missing.pop("broker", None)
        if found != ids:
            log.error("topics are gone or were made anew: offsets are void; ending, to begin at their beginning")
            life.end(3)


def _credentials(kafka: KafkaAddress) -> Any:
    options = kafka.options()
    protocol = AuthProtocol(kafka.security_protocol)
    if protocol is AuthProtocol.PLAINTEXT:
        return None
    if protocol is AuthProtocol.SSL:
        return faust.SSLCredentials(options["ssl_context"])
    return faust.SASLCredentials(
        username=kafka.username,
        password=kafka.password,
        ssl_context=options.get("ssl_context"),
        mechanism=kafka.sasl_mechanism,
    )
