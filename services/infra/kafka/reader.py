"""Reading whole topics without a consumer group: nothing is committed and nobody is disturbed."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

import aiokafka
import kafka

from services.core.errors import Transient
from services.infra.kafka.address import Headers, KafkaAddress, duties


@dataclass(frozen=True, slots=True)
class Record:
    """What a topic holds; *timestamp_ms* is Kafka's own stamp in milliseconds since the epoch, not the event's time."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that *topic* held when the following began has been handed out."""

    topic: str


class _Ends:
    """Where each partition ended when reading began.

    The embedded broker answers ListOffsets with the first offset of the last batch plus one, so that answer tells only
    whether a partition holds anything; the high watermark that comes with the first fetched records is the end.
    """

    def __init__(self, beginnings: Mapping[Any, int], ends: Mapping[Any, int]) -> None:
        self._empty = {partition for partition, end in ends.items() if end <= beginnings[partition]}
        self._ends: dict[Any, int] = {}

    def seen(self, partition: Any, high_watermark: int | None) -> None:
        if high_watermark is not None:
            self._ends.setdefault(partition, high_watermark)

    def behind(self, partition: Any, position: int) -> bool:
        return partition not in self._empty and position < self._ends.get(partition, position + 1)

    def within(self, partition: Any, offset: int) -> bool:
        return offset < self._ends.get(partition, 0)


def read_all(address: KafkaAddress, topic: str, *, timeout: float = 30.0) -> list[Record]:
    """Return everything that *topic* holds when asked, each partition in its order, one partition after the other.

    Raises Transient when the brokers are away, the topic does not exist, or nothing arrives for *timeout* seconds.
    """
    with duties(f"reading {topic}"):
        consumer = kafka.KafkaConsumer(
            **address.options(),
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            auto_offset_reset="earliest",
            bootstrap_timeout_ms=int(timeout * 1000),
        )
        try:
            numbers = consumer.partitions_for_topic(topic)
            if not numbers:
                raise Transient(f"reading {topic}: there is no such topic yet")
            partitions = [kafka.TopicPartition(topic, number) for number in sorted(numbers)]
            ends = _Ends(consumer.beginning_offsets(partitions), consumer.end_offsets(partitions))
            consumer.assign(partitions)
            consumer.seek_to_beginning(*partitions)
            held: dict[Any, list[Record]] = {partition: [] for partition in partitions}
            until = monotonic() + timeout
            while any(ends.behind(partition, consumer.position(partition)) for partition in partitions):
                if monotonic() > until:
                    raise Transient(f"reading {topic}: nothing arrives")
                for partition, batch in consumer.poll(timeout_ms=500).items():
                    ends.seen(partition, consumer.highwater(partition))
                    held[partition] += [_record(raw) for raw in batch if ends.within(partition, raw.offset)]
                    until = monotonic() + timeout
        finally:
            consumer.close()
    return [record for partition in partitions for record in held[partition]]


async def follow(address: KafkaAddress, topic: str) -> AsyncGenerator[Record | CaughtUp, None]:
    """Yield the records of *topic* from its beginning, for ever, each partition in its order; CaughtUp once.

    CaughtUp comes when all that the topic held at the start has been yielded, at once if that is nothing. While the
    brokers are away it waits and goes on from where it was. A broker that forgot its topics (the embedded one after a
    restart) may be read from the beginning again or from where it was: end the iteration and begin anew then. What a
    record does must be harmless twice. Raises Transient when, at the start, no broker answers or the topic is missing.
    Who leaves the loop early closes the connection with `contextlib.aclosing`.
    """
    consumer = aiokafka.AIOKafkaConsumer(
        **address.options(), group_id=None, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        with duties(f"following {topic}"):
            await consumer.start()
            if topic not in await consumer.topics():
                raise Transient(f"following {topic}: there is no such topic yet")
            partitions = await _take_all(consumer, topic)
            ends = _Ends(await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions))
        reported = False
        while True:
            if not reported and not [one for one in partitions if ends.behind(one, await consumer.position(one))]:
                reported = True
                yield CaughtUp(topic)
            with duties(f"following {topic}"):
                batches = await consumer.getmany(timeout_ms=1000)
            for partition, batch in batches.items():
                ends.seen(partition, consumer.highwater(partition))
                for raw in batch:
                    yield _record(raw)
    finally:
        await consumer.stop()


async def _take_all(consumer: Any, topic: str) -> list[Any]:
    # Without a group the subscription takes every partition by itself, once the metadata has come.
    consumer.subscribe([topic])
    until = monotonic() + 10
    while not consumer.assignment():
        if monotonic() > until:
            raise Transient(f"following {topic}: its partitions are not known yet")
        await asyncio.sleep(0.01)
    return list(consumer.assignment())


def _record(raw: Any) -> Record:
    headers = tuple((name, value) for name, value in raw.headers)
    return Record(raw.topic, raw.partition, raw.offset, raw.key, raw.value, headers, raw.timestamp)
