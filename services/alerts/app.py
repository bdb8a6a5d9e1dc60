"""The worker: a Faust app whose leader looks every few seconds whether there is something to judge or to send.

Two leaders may overlap after a pause, so what a leader does is harmless twice: ids derive from content.
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

from services.alerts import metrics
from services.alerts.adapters.leadership import topic_id
from services.core.errors import Transient
from services.infra.kafka import KafkaAddress

log = logging.getLogger(__name__)

APP_ID = "tiendo-alerts"
LEADER_TOPIC = f"{APP_ID}-__assignor-__leader"
_TOPIC_EVERY = 5.0
_FINISH_WITHIN = 20.0

#: One look; returns once everything that could be done has been done. Raises Transient to be called again.
Look = Callable[[], Awaitable[None]]


class Pulse:
    """Whether this process leads, when its last look ended well, and what kept the latest from it."""

    def __init__(self) -> None:
        self.starting: str | None = "has not reached broker and database yet"
        self.leading = False
        self.broker = True
        self.trouble: str | None = None
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
        return missing


def make_app(kafka: KafkaAddress, *, datadir: str, interval: float, look: Look, post: Look, pulse: Pulse) -> faust.App:
    """Return the app; nothing is connected before it starts."""
    app = faust.App(
        APP_ID,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=6,  # the least that Apache Kafka takes by default; a killed leader is missed that long
        broker_heartbeat_interval=1,
        broker_rebalance_timeout=10,
        broker_request_timeout=15,
        topic_allow_declare=False,  # the leader's topic is made before the app starts
        topic_disable_leader=False,
        stream_recovery_delay=0.0,
        web_enabled=False,
        worker_redirect_stdouts=False,
        datadir=datadir,
        store="memory://",
        loghandlers=[],
        logging_config=None,
    )

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

    @app.timer(interval=1.0)
    async def follow() -> None:
        pulse.leading = app.is_leader()
        metrics.LEADER.set(int(pulse.leading))

    return app


async def serve(app: faust.App, kafka: KafkaAddress, pulse: Pulse) -> int:
    """Run *app* until SIGTERM or SIGINT (returns 0), until it crashes (1) or until the broker has lost its memory (3)."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, 0)
    app.finalize()
    await app.start()
    log.info("started")
    watching = asyncio.create_task(_watch_topic(kafka, pulse, end))
    while not ended.done():
        await asyncio.wait([ended], timeout=0.5)
        if app.should_stop or app.crashed:
            end(1)
    watching.cancel()
    try:
        await asyncio.wait_for(app.stop(), _FINISH_WITHIN)
    except TimeoutError:
        log.warning("not everything ended in time; what is not recorded is done again")
    log.info("stopped")
    return ended.result()


async def _watch_topic(kafka: KafkaAddress, pulse: Pulse, end: Callable[[int], None]) -> None:
    known: str | None = None
    while True:
        found = await asyncio.to_thread(topic_id, kafka, LEADER_TOPIC)
        pulse.broker = found is not None
        if found is not None and known is not None and found != known:
            log.error("the broker no longer knows the leader's topic; ending, to begin anew")
            end(3)
        known = found if known is None else known
        await asyncio.sleep(_TOPIC_EVERY)


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
