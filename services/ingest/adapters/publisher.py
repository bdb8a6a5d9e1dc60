"""Accepted events on their way to ``usage.events.v1``, and the connection that carries them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from time import monotonic

from schemas.topics import Topic
from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE, NormalisedEvent, encode, encode_one
from services.core.errors import Transient
from services.infra.kafka import KafkaAddress, Message, Publisher, brokers_answer, open_producer
from services.ingest.metrics import IngestMetrics

_log = logging.getLogger(__name__)
#: Kafka's default is a million bytes a record; a normalised event has a few hundred, at most about two thousand.
_EVENTS_PER_RECORD = 400
_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0)


def event_messages(events: Sequence[NormalisedEvent]) -> list[Message]:
    """Return the records that carry *events*: those of one agency together, in their order; one alone as a single event."""
    by_agency: dict[str, list[NormalisedEvent]] = {}
    for event in events:
        by_agency.setdefault(event.agency, []).append(event)
    return [_record(agency, part) for agency, group in by_agency.items() for part in _parts(group)]


def _parts(group: list[NormalisedEvent]) -> Iterator[list[NormalisedEvent]]:
    for start in range(0, len(group), _EVENTS_PER_RECORD):
        yield group[start : start + _EVENTS_PER_RECORD]


def _record(agency: str, events: list[NormalisedEvent]) -> Message:
    alone = len(events) == 1
    return Message(
        topic=Topic.EVENTS,
        key=agency.encode(),
        value=encode_one(events[0]) if alone else encode(events),
        headers=(("content-type", (SINGLE_CONTENT_TYPE if alone else BATCH_CONTENT_TYPE).encode()),),
    )


class Outbox:
    """Publishes all records of a request or says that it could not; connects by itself, and again after the broker died."""

    def __init__(self, address: KafkaAddress, metrics: IngestMetrics, *, timeout: float, room: int) -> None:
        self._address = address
        self._metrics = metrics
        self._timeout = timeout
        self._room = room
        self._opened: AbstractContextManager[Publisher] | None = None
        self._publisher: Publisher | None = None
        self._away = False
        self._on_failure: Callable[[], None] = lambda: None

    def on_failure(self, call: Callable[[], None]) -> None:
        """Have *call* called whenever the broker did not acknowledge: it may have forgotten more than these records."""
        self._on_failure = call

    def missing(self) -> list[str]:
        """Return what hinders publishing; empty while the broker acknowledges."""
        return ["the broker does not acknowledge"] if self._publisher is None or self._away else []

    async def publish(self, messages: Sequence[Message]) -> None:
        """Return once the broker has acknowledged every message; nothing to publish is fine.

        Raises Transient otherwise, within the timeout: some may have arrived then, so repeating all is right. Raises
        Rejected where a message is larger than the broker takes.
        """
        if not messages:
            return
        if self._publisher is None:
            raise Transient("publishing: not connected yet")
        began = monotonic()
        try:
            async with asyncio.timeout(self._timeout):
                await self._publisher.publish_async(messages)
        except (Transient, TimeoutError) as error:
            self._away = True
            self._metrics.unpublished.inc()
            self._on_failure()
            raise Transient("publishing: not acknowledged") from error
        self._away = False
        self._metrics.publishing.observe(monotonic() - began)

    async def run(self) -> None:
        """Connect, and look whether a broker that was away is back, until cancelled."""
        failures = 0
        while True:
            try:
                if self._publisher is None:
                    await asyncio.to_thread(self._connect)
                elif self._away and await asyncio.to_thread(brokers_answer, self._address):
                    self._away = False
                failures = 0
            except Transient as error:
                if failures == 0:
                    _log.warning("no broker yet: %s", error)
                failures += 1
            await asyncio.sleep(_PAUSES[min(failures, len(_PAUSES) - 1)] if failures else 1.0)

    def close(self) -> None:
        """Send what waits, for a bounded time, and disconnect. Blocks."""
        opened, self._opened, self._publisher = self._opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    def _connect(self) -> None:
        opened = open_producer(self._address, patience=self._timeout, room=self._room)
        self._publisher = opened.__enter__()
        self._opened = opened
        self._away = False
        _log.info("connected to the broker")
