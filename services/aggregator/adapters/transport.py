"""Faust's Kafka transport with a partition's fetch as one message.

Faust spends two asyncio tasks on every message. Here a message is all that one fetch brought from one partition; group,
rebalance, leader and timers stay Faust's own. What is committed is the end of the acknowledged fetches from the head of
those handed over, so Faust's bookkeeping of single offsets and of gaps between them, which forgets a gap after offset 0,
has nothing left to do.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, ClassVar, Final, NamedTuple

import faust
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from faust.transport.drivers import aiokafka as driver
from faust.types.tuples import TP, ack_lock

from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE
from services.aggregator.adapters.decoding import Run


class Fetch(NamedTuple):
    """The value of a message: records of one partition, in order; never empty.

    *number* says how many, *size* the bytes of their values, *first* and *last* the offsets that they cover.
    """

    runs: list[Run]
    number: int
    size: int
    first: int
    last: int

    def values(self) -> list[bytes | None]:
        """Return the records' values."""
        return [value for _, values in self.runs for value in values]


class _Flight:
    """A fetch handed over and not yet committed."""

    __slots__ = ("acked", "first", "last", "message")

    def __init__(self, message: Any) -> None:
        self.message = message
        self.first: int = message.value.first
        self.last: int = message.value.last
        self.acked = False


class Flights:
    """The fetches of one partition between hand-over and commit, in order of their offsets."""

    def __init__(self) -> None:
        self._under_way: deque[_Flight] = deque()

    def handed_over(self, message: Any) -> None:
        """Expect *message* to be acknowledged. What was handed over from its first offset on is void: it comes again."""
        flight = _Flight(message)
        while self._under_way and self._under_way[-1].last >= flight.first:
            self._under_way.pop()
        self._under_way.append(flight)

    def acknowledge(self, message: Any) -> bool:
        """Return whether *message* is one of these; any other is of an earlier assignment and changes nothing."""
        for flight in self._under_way:
            if flight.message is message:
                flight.acked = True
                return True
        return False

    def committable(self) -> int | None:
        """Return the offset after the acknowledged fetches at the head, which leave; None if there are none."""
        end = None
        while self._under_way and self._under_way[0].acked:
            end = self._under_way.popleft().last + 1
        return end

    def __bool__(self) -> bool:
        return bool(self._under_way)


def content_type(headers: Any) -> str:
    """Return the media type that the header of that name gives; a record without one holds one event.

    Neither the spelling of names and types nor parameters, such as a charset, make a difference.
    """
    for name, value in headers:
        if name == "content-type" or name.lower() == "content-type":
            return _KNOWN.get(value) or (value or b"").decode("ascii", "replace").partition(";")[0].strip().lower()
    return SINGLE_CONTENT_TYPE


_FETCH_WAIT: Final = 100  # ms; a broker that looks only now and then for what came is asked soon again
_KNOWN: Final = {kind.encode(): kind for kind in (SINGLE_CONTENT_TYPE, BATCH_CONTENT_TYPE)}


class _Joined(NamedTuple):
    """A fetch in the shape of aiokafka's record, as Faust reads it."""

    topic: str
    partition: int
    offset: int
    value: Fetch
    timestamp: None = None
    timestamp_type: int = 0
    headers: tuple[()] = ()
    key: None = None
    checksum: None = None
    serialized_key_size: int = -1
    serialized_value_size: int = 0


class _WholeRecords(PartitionRecords):
    """All records of a fetch at once, without aiokafka's eleven-field object for each."""

    next_fetch_offset: int

    def whole(self, tp: Any) -> _Joined | None:
        """Return what the fetch brought; None where it holds control records only. ``next_fetch_offset`` moves past it."""
        runs: list[Run] = []
        begin: int = self.next_fetch_offset
        headers: Any = None
        values: list[bytes | None] = []
        for batch in self._batches():
            for record in batch:
                if record.offset < begin:
                    continue
                if record.headers != headers:
                    headers = record.headers
                    kind = content_type(headers)
                    if not runs or runs[-1][0] != kind:
                        values = []
                        runs.append((kind, values))
                values.append(record.value)
            self.next_fetch_offset = batch.next_offset
        number = sum([len(values) for _, values in runs])
        if not number:
            return None
        size = sum([len(value) for _, values in runs for value in values if value])
        last = self.next_fetch_offset - 1
        return _Joined(tp.topic, tp.partition, last, Fetch(runs, number, size, begin, last))

    def _batches(self) -> Iterator[Any]:
        while self._records.has_next():
            batch = self._records.next_batch()
            if self._check_crcs and not batch.validate_crc():
                raise CorruptRecordException(f"Invalid CRC - {self._tp}")
            if batch.is_control_batch:
                self.next_fetch_offset = batch.next_offset
            else:
                yield batch


def _getall(result: FetchResult, max_records: int | None = None) -> list[Any]:
    """Stand in for ``FetchResult.getall``: a list of one, or of none."""
    if not result.check_assignment(result._topic_partition) or not result.has_more():
        return []
    records = result._partition_records
    joined = records.whole(result._topic_partition)
    result._update_position()
    # Both refer to themselves, and megabytes hang on them: they must go now and not when the collector comes.
    records._records_iterator = records._records = None
    result._partition_records = None
    del result.getall
    return [] if joined is None else [joined]


class _Fetched(dict[Any, Any]):
    """What aiokafka's fetcher holds per partition; a result is taken whole."""

    def __setitem__(self, tp: Any, result: Any) -> None:
        if type(result) is FetchResult:
            result._partition_records.__class__ = _WholeRecords
            result.getall = partial(_getall, result)
        super().__setitem__(tp, result)


class _ConsumerThread(driver.AIOKafkaConsumerThread):
    def _create_worker_consumer(self, transport: Any) -> Any:
        consumer = super()._create_worker_consumer(transport)
        consumer._fetch_max_wait_ms = _FETCH_WAIT
        return consumer

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's own signature
        max_records: int | None = None,
    ) -> Any:
        fetcher = consumer._fetcher
        if type(fetcher._records) is not _Fetched:
            if fetcher._records:  # of before the first call: they are fetched again
                fetcher._records.clear()
            fetcher._records = _Fetched()
        return await super()._fetch_records(consumer, active_partitions, timeout=timeout, max_records=max_records)


class FetchConsumer(driver.Consumer):
    """A consumer whose messages are fetches (:class:`Fetch`, offset: the last one's)."""

    def __init__(self, transport: Any, callback: Any, *args: Any, **options: Any) -> None:
        self._flights: defaultdict[TP, Flights] = defaultdict(Flights)

        async def deliver(message: Any) -> None:
            self._flights[message.tp].handed_over(message)
            await callback(message)

        super().__init__(transport, deliver, *args, **options)

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    def ack(self, message: Any) -> bool:
        """Take note that all of *message* is done; whether it was expected."""
        with ack_lock:
            if message.acked:
                return False
            message.acked = True
            self._unacked_messages.discard(message)
            return message.tp in self._flights and self._flights[message.tp].acknowledge(message)

    def waits(self, tp: TP) -> bool:
        """Return whether records of *tp* wait for us: handed over and not committed, or on the broker and not fetched.

        The committed offset alone does not tell: behind it may lie control records only (the end of a transaction), or
        records that were deleted before anybody read them, and nothing that could ever be acknowledged.
        """
        if self._flights.get(tp):
            return True
        end = self.highwater(tp)
        if not end:
            return False
        subscription = self._thread._ensure_consumer()._subscription.subscription
        assigned = subscription.assignment if subscription is not None else None
        state = assigned.state_value(tp) if assigned is not None else None
        return bool(state is None or not state.has_valid_position or state.position < end)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget what is in flight: its acknowledgements count for nothing from here on."""
        for tp in revoked:
            self._flights.pop(tp, None)
        await super().on_partitions_revoked(revoked)

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp, flights in list(self._flights.items()) if flights and _chosen(tp, topics))

    def _new_offset(self, tp: TP) -> int | None:
        with ack_lock:
            return self._flights[tp].committable() if tp in self._flights else None

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Nothing: offsets inside and between fetches are committed with the fetch that follows them."""


def _chosen(tp: TP, topics: Iterable[Any] | None) -> bool:
    return topics is None or tp in topics or tp.topic in topics


class FetchTransport(driver.Transport):
    """Faust's aiokafka transport with :class:`FetchConsumer`."""

    Consumer: ClassVar[Any] = FetchConsumer


def use_fetches(app: faust.App) -> None:
    """Let *app* read with :class:`FetchTransport`; to be called before anything asks for its topics."""
    app.transport = FetchTransport(app.conf.broker_consumer, app)
