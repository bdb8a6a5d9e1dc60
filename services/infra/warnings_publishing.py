"""What people say about warnings, published to ``warnings.v1``: answers, silences, notices to be sent again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from threading import Lock
from typing import Final

from schemas.topics import SHAPES, Topic
from schemas.warnings import WARNING_RECORD, Answer, Notice, Silence, record_key
from services.infra.kafka import KafkaAddress, Message, Publisher, TopicSpec, ensure_topics, open_producer

_HEADERS: Final = (("content-type", b"application/json"),)


class WarningsPublisher:
    """Publishes records; connects with the first of them. For any number of threads.

    Alerts folds them into the tables some moments later: what is published is recorded, and not yet to be read there.
    """

    def __init__(self, address: KafkaAddress, *, replication: int = 1, patience: float = 10.0) -> None:
        self._address = address
        self._replication = replication
        self._patience = patience
        self._lock = Lock()
        self._open = ExitStack()
        self._producer: Publisher | None = None

    def publish(self, records: Sequence[Answer | Silence | Notice]) -> None:
        """Return once every replica in sync has all of *records*; the same record again does no harm.

        Blocks. Raises Transient while the brokers are away: some may have arrived then, and repeating all is right.
        """
        if records:
            self._connected().publish([_message(one) for one in records])

    def close(self) -> None:
        """Send what waits and disconnect."""
        with self._lock:
            self._producer = None
            self._open.close()

    def _connected(self) -> Publisher:
        with self._lock:
            if self._producer is None:
                shape = SHAPES[Topic.WARNINGS]
                spec = TopicSpec(Topic.WARNINGS, shape.partitions, shape.config)
                ensure_topics(self._address, [spec], replication=self._replication, timeout=self._patience)
                producer = open_producer(self._address, patience=self._patience)
                self._producer = self._open.enter_context(producer)
            return self._producer


def _message(record: Answer | Silence | Notice) -> Message:
    value = WARNING_RECORD.dump_json(record, by_alias=True)
    return Message(topic=Topic.WARNINGS, value=value, key=record_key(record).encode(), headers=_HEADERS)


@contextmanager
def open_warnings_publisher(address: KafkaAddress, *, replication: int = 1) -> Iterator[WarningsPublisher]:
    """Open a publisher for the time of a ``with`` block."""
    publisher = WarningsPublisher(address, replication=replication)
    try:
        yield publisher
    finally:
        publisher.close()
