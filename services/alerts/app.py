"""The worker: a Faust app whose leader looks every few seconds whether there is something to judge or to send.

Beside it one worker folds the log of warnings into the tables: answers and silences, which others publish, and what was
recorded and, for a crash, not written. Two leaders may overlap after a pause, so what a leader does is harmless twice: ids
derive from content.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from time import monotonic
from typing import Any, Final, Protocol

import faust
from faust.types.auth import AuthProtocol

from schemas.topics import Topic
from services.alerts import metrics
from services.alerts.adapters.leadership import topic_ids
from services.alerts.adapters.log_reader import Behind, Logged
from services.alerts.adapters.transport import read_from
from services.core.errors import Transient
from services.infra.kafka import KafkaAddress

log = logging.getLogger(__name__)

APP_ID = "tiendo-alerts"
LEADER_TOPIC = f"{APP_ID}-__assignor-__leader"
#: Topics that must be the same for as long as a worker runs.
TOPICS: Final = (Topic.WARNINGS.value, LEADER_TOPIC)
_TOPICS_EVERY = 5.0
_FINISH_WITHIN = 20.0
_BATCH = 2000  # records of the log written at once, at most
_COMMIT_EVERY = 0.5
_RETRY_FIRST, _RETRY_LONGEST = 0.5, 10.0
BEGIN_ANEW: Final = 3  # exit code: broker or database are no longer those that the worker began with

#: One look; returns once everything that could be done has been done. Raises Transient to be called again.
Look = Callable[[], Awaitable[None]]


class Folds(Protocol):
    """What is needed of the reader of the log; *take* is awaited until the records are written."""

    @property
    def next(self) -> int: ...

    async def take(self, records: Sequence[Logged]) -> None: ...


class Ending:
    """Whether the worker is to end, and with which code; the first reason stands."""

    def __init__(self) -> None:
        self.code: int | None = None
        self.asked = asyncio.Event()

    def end(self, code: int) -> None:
        """Ask the worker to end with *code*."""
        if self.code is None:
            self.code = code
            self.asked.set()


class Pulse:
    """Whether this process leads, when its last look ended well, and what kept the latest from it."""

    def __init__(self) -> None:
        self.starting: str | None = "has not reached broker and database yet"
        self.leading = False
        self.broker = True
        self.trouble: str | None = None
        self.unfolded: str | None = None
        self._last: float | None = None
        metrics.ROUND_AGE.set_function(lambda: -1.0 if self._last is None else monotonic() - self._last)

    def well(self) -> None:
        """Say that a look has ended well."""
        self.trouble = None
        self._last = monotonic()

    def missing(self) -> list[str]:
        """Return what is missing to be ready. A process that is up and does not lead is ready."""
        missing = [self.starting] if self.starting else []
        if not self.broker:
            missing.append("no broker answers")
        if self.leading and self.trouble:
            missing.append(self.trouble)
        if self.unfolded:
            missing.append(f"the log of warnings is not read: {self.unfolded}")
        return missing


def make_app(
    kafka: KafkaAddress,
    *,
    datadir: str,
    interval: float,
    look: Look,
    post: Look,
    folds: Folds,
    pulse: Pulse,
    ending: Ending,
    tell: Look | None = None,
    tell_every: float = 60.0,
) -> faust.App:
    """Return the app; nothing is connected before it starts. *tell* says what is open to who wants the state."""
    app = faust.App(
        APP_ID,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=6,  # the least that Apache Kafka takes by default; a killed leader is missed that long
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
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=datadir,
        store="memory://",
        loghandlers=[],
        logging_config=None,
    )
    read_from(app, Topic.WARNINGS.value, lambda: folds.next)
    topic = app.topic(Topic.WARNINGS.value, key_serializer="raw", value_serializer="raw")
    app.agent(topic, name=Topic.WARNINGS.value)(_agent(folds, pulse, ending))

    @app.timer(interval=interval, on_leader=True)
    async def lead() -> None:
        try:
            await look()
        except Transient as fault:
            pulse.trouble = str(fault)
            metrics.ROUNDS.labels("waiting").inc()
            log.warning("waits: %s", fault)
        else:
            pulse.well()

    @app.timer(interval=interval, on_leader=True)
    async def send() -> None:
        # Beside the looks: a relay that takes its time keeps nobody from judging.
        try:
            await post()
        except Transient as fault:
            log.warning("sending waits: %s", fault)

    if tell is not None:
        app.timer(interval=tell_every, on_leader=True)(tell)

    @app.timer(interval=1.0)
    async def follow() -> None:
        pulse.leading = app.is_leader()
        metrics.LEADER.set(int(pulse.leading))

    return app


def _agent(folds: Folds, pulse: Pulse, ending: Ending) -> Callable[[Any], Awaitable[None]]:
    """Return the agent that has the log written: what has come meanwhile is one batch, acknowledged once it is written.

    Nothing of a batch that was not written is acknowledged, and nothing later: whoever comes next begins with it.
    """

    async def write(waiting: asyncio.Queue[Any]) -> None:
        try:
            while True:
                events = [await waiting.get()]
                while len(events) < _BATCH and not waiting.empty():
                    events.append(waiting.get_nowait())
                await _insist(lambda: folds.take([_logged(one.message) for one in events]), pulse)  # noqa: B023 - awaited
                for event in events:
                    event.ack()
        except Behind as fault:
            log.error("%s; ending, to begin anew", fault)
            ending.end(BEGIN_ANEW)
        except Exception:
            log.exception("a fault that no wait mends; ending")
            ending.end(1)

    async def take(stream: Any) -> None:
        stream.enable_acks = False
        waiting: asyncio.Queue[Any] = asyncio.Queue(_BATCH)
        writing = asyncio.create_task(write(waiting))
        try:
            async for event in stream.events():
                await waiting.put(event)
        finally:
            writing.cancel()

    return take


def _logged(message: Any) -> Logged:
    return Logged(offset=message.offset, timestamp_ms=round((message.timestamp or 0) * 1000), value=message.value)


async def _insist(duty: Callable[[], Awaitable[None]], pulse: Pulse) -> None:
    wait = _RETRY_FIRST
    while True:
        try:
            await duty()
        except Transient as fault:
            if pulse.unfolded is None:
                log.warning("reading the log waits: %s", fault)
            pulse.unfolded = str(fault)
            await asyncio.sleep(wait)
            wait = min(2 * wait, _RETRY_LONGEST)
        else:
            pulse.unfolded = None
            return


async def serve(app: faust.App, kafka: KafkaAddress, *, ids: Mapping[str, str], pulse: Pulse, ending: Ending) -> int:
    """Run *app* until SIGTERM or SIGINT (returns 0), until it crashes (1) or until broker or database begin anew (3).

    *ids*: the broker's ids of ``TOPICS`` when the worker began.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.end, 0)
    app.finalize()
    await app.start()
    log.info("started")
    watching = asyncio.create_task(_watch_topics(kafka, ids, pulse, ending))
    while ending.code is None:
        try:
            await asyncio.wait_for(ending.asked.wait(), 0.5)
        except TimeoutError:
            if app.should_stop or app.crashed:
                ending.end(1)
    watching.cancel()
    try:
        await asyncio.wait_for(app.stop(), _FINISH_WITHIN)
    except TimeoutError:
        log.warning("not everything ended in time; what is not recorded is done again")
    log.info("stopped")
    return ending.code


async def _watch_topics(kafka: KafkaAddress, ids: Mapping[str, str], pulse: Pulse, ending: Ending) -> None:
    while True:
        found = await asyncio.to_thread(topic_ids, kafka, TOPICS)
        pulse.broker = found is not None
        if found is not None and found != ids:
            log.error("topics are gone or were made anew: what is known of them is void; ending, to begin anew")
            ending.end(BEGIN_ANEW)
        await asyncio.sleep(_TOPICS_EVERY)


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
