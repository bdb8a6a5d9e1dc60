"""The worker: a Faust app whose leader looks every few seconds whether there is something to judge or to send.

Two leaders may overlap after a pause, so what a leader does is harmless twice: ids derive from content.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import faust
from faust.types.auth import AuthProtocol

from services.alerts import metrics
from services.core.errors import Transient
from services.infra.kafka import KafkaAddress

log = logging.getLogger(__name__)

APP_ID = "tiendo-alerts"
LEADER_TOPIC = f"{APP_ID}-__assignor-__leader"

#: One look; returns once everything that could be done has been done. Raises Transient to be called again.
Look = Callable[[], Awaitable[None]]


class Pulse:
    """When the last look ended well, and what kept the latest from it."""

    def __init__(self) -> None:
        self.leading = False
        self.trouble: str | None = "has not looked yet"
        self._last: float | None = None
        metrics.ROUND_AGE.set_function(lambda: -1.0 if self._last is None else monotonic() - self._last)

    def well(self) -> None:
        """Say that a look has ended well."""
        self.trouble = None
        self._last = monotonic()

    def missing(self) -> list[str]:
        """Return what is missing to be ready. A process that does not lead is ready."""
        return [self.trouble] if self.trouble and self.leading else []


def make_app(kafka: KafkaAddress, *, replication: int, interval: float, look: Look, pulse: Pulse) -> faust.App:
    """Return the app; nothing is connected before it starts."""
    app = faust.App(
        APP_ID,
        broker=[f"kafka://{server}" for server in kafka.bootstrap.split(",")],
        broker_credentials=_credentials(kafka),
        broker_session_timeout=6,
        broker_heartbeat_interval=2,
        topic_replication_factor=replication,
        topic_allow_declare=True,
        web_enabled=False,
        datadir=str(Path(tempfile.gettempdir()) / APP_ID),
        store="memory://",
        loghandlers=[],
        logging_config=None,
    )

    @app.timer(interval=interval, on_leader=True)
    async def lead() -> None:
        pulse.leading = True
        metrics.LEADER.set(1)
        try:
            await look()
        except Transient as fault:
            pulse.trouble = str(fault)
            metrics.ROUNDS.labels("waiting").inc()
            log.warning("waits: %s", fault)
        else:
            pulse.well()

    @app.timer(interval=interval)
    async def follow() -> None:
        if not app.is_leader():
            pulse.leading = False
            metrics.LEADER.set(0)

    return app


async def serve(app: faust.App) -> int:
    """Run *app* until SIGTERM or SIGINT (returns 0) or until it crashes (returns 1)."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app.finalize()
    await app.start()
    log.info("started")
    while not stop.is_set() and not app.should_stop:
        try:
            await asyncio.wait_for(stop.wait(), 0.5)
        except TimeoutError:
            continue
    crashed = app.crashed
    await app.stop()
    log.info("stopped")
    return 1 if crashed else 0


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
