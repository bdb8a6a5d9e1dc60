"""Fetches as messages: what is committed, and when."""

from __future__ import annotations

import asyncio
import gc
import weakref
from types import SimpleNamespace
from typing import Any

import crc32c
import faust
import pytest
from aiokafka.consumer.fetcher import FetchResult, PartitionRecords
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from faust.types.tuples import TP
from hypothesis import given
from hypothesis import strategies as st

from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE
from services.aggregator.adapters.transport import (
    Fetch,
    FetchConsumer,
    Flights,
    _Fetched,
    _WholeRecords,
    content_type,
    use_fetches,
)
from services.aggregator.pipeline import Limits, Pipeline

PARTITION = TP("usage.events.v1", 0)


class Message:
    """What Faust makes of a fetch, as far as it matters here."""

    def __init__(self, first: int, last: int) -> None:
        number = last - first + 1
        self.value = Fetch([(SINGLE_CONTENT_TYPE, [b"x"] * number)], number, number, first, last)
        self.tp = PARTITION
        self.acked = False


def message(first: int, last: int) -> Any:
    return Message(first, last)


def test_a_first_fetch_of_one_record_is_committed():
    """After a fetch of offset 0 alone, and a long one after it, everything is committed to the end."""
    flights = Flights()
    fetches = [message(0, 0), message(1, 5000)]
    for fetch in fetches:
        flights.handed_over(fetch)

    assert flights.acknowledge(fetches[0])
    assert flights.committable() == 1
    assert flights.acknowledge(fetches[1])
    assert flights.committable() == 5001
    assert flights.committable() is None


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8), st.data())
def test_only_what_is_acknowledged_from_the_head_is_committed(sizes, data):
    """In whatever order fetches are acknowledged, the commit never passes one that is not, and in the end takes all."""
    flights, fetches, offset = Flights(), [], 0
    for size in sizes:
        fetches.append(message(offset, offset + size - 1))
        offset += size
        flights.handed_over(fetches[-1])
    committed, done = 0, set()
    for index in data.draw(st.permutations(range(len(fetches)))):
        flights.acknowledge(fetches[index])
        done.add(index)
        committed = flights.committable() or committed
        head = next((n for n in range(len(fetches)) if n not in done), None)
        assert committed == (offset if head is None else fetches[head].value.first)


def test_what_is_fetched_again_replaces_what_was_in_flight():
    """After a seek back, an acknowledgement of the old fetch counts for nothing; the new one's does, cut as it may be."""
    flights = Flights()
    old, new = message(0, 99), message(0, 149)
    flights.handed_over(old)
    flights.handed_over(new)

    assert not flights.acknowledge(old)
    assert flights.committable() is None
    assert flights.acknowledge(new)
    assert flights.committable() == 150


SINGLE = [("content-type", SINGLE_CONTENT_TYPE.encode())]
MANY = [("content-type", BATCH_CONTENT_TYPE.encode())]


def record_batch(base: int, records: list[tuple[bytes | None, Any]], *, control: bool = False) -> bytes:
    """Return a batch of the log beginning at offset *base*."""
    builder = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 1 << 20)
    for number, (value, headers) in enumerate(records):
        builder.append(number, None, None, value, headers)
    raw = bytearray(builder.build())
    raw[0:8] = base.to_bytes(8, "big")
    if control:
        raw[22] |= 0x20
        raw[17:21] = crc32c.crc32c(bytes(raw[21:])).to_bytes(4, "big")
    return bytes(raw)


def whole(log: bytes, begin: int, *, check: bool = True) -> Any:
    records = PartitionRecords(PARTITION, MemoryRecords(log), None, begin, None, None, check, 0)
    records.__class__ = _WholeRecords
    return records, lambda: records.whole(PARTITION)


def test_a_fetch_is_taken_whole():
    """Runs of one content type, in order; what lies before the position and what is the broker's own is left out."""
    log = (
        record_batch(0, [(b"a", SINGLE), (b"b", SINGLE)])
        + record_batch(2, [(b"c", SINGLE), (b"[]", MANY), (None, []), (b"d", SINGLE)])
        + record_batch(6, [(b"mark", [])], control=True)
        + record_batch(7, [(b"[1]", MANY)])
        + record_batch(8, [(b"mark", [])], control=True)
    )
    records, take = whole(log, 1)

    fetch = take()

    assert fetch.value.runs == [
        (SINGLE_CONTENT_TYPE, [b"b", b"c"]),
        (BATCH_CONTENT_TYPE, [b"[]"]),
        (SINGLE_CONTENT_TYPE, [None, b"d"]),
        (BATCH_CONTENT_TYPE, [b"[1]"]),
    ]
    assert (fetch.value.number, fetch.value.size, fetch.value.first, fetch.value.last) == (6, 8, 1, 8)
    assert fetch.offset == 8
    assert records.next_fetch_offset == 9
    assert fetch.value.values() == [b"b", b"c", b"[]", None, b"d", b"[1]"]


def test_a_fetch_that_was_taken_leaves_nothing_behind():
    """What a fetch came in (megabytes) goes with it at once, without the collector: only the message holds its values."""

    class Assignment:
        active = True

        def state_value(self, _: Any) -> Any:
            return SimpleNamespace(paused=False, position=0, consumed_to=lambda _: None)

    gc.disable()
    try:
        records, _ = whole(record_batch(0, [(b"a", SINGLE)]), 0)
        result = FetchResult(PARTITION, assignment=Assignment(), partition_records=records, backoff=0.1)
        _Fetched()[PARTITION] = result
        gone = weakref.ref(records), weakref.ref(result)
        (joined,) = result.getall(100)
        assert not result.has_more()
        del records, result, _

        assert joined.value.values() == [b"a"]
        assert [ref() for ref in gone] == [None, None]
    finally:
        gc.enable()


def test_control_records_alone_move_the_position():
    """A fetch of nothing but the broker's own marks is no message, and is not fetched again."""
    records, take = whole(record_batch(5, [(b"mark", [])], control=True), 5)
    assert take() is None
    assert records.next_fetch_offset == 6


def test_a_damaged_batch_is_refused():
    """A wrong checksum is a fault, never a record."""
    log = bytearray(record_batch(0, [(b"a", SINGLE)]))
    log[-3] ^= 1
    _, take = whole(bytes(log), 0)
    with pytest.raises(CorruptRecordException):
        take()


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        pytest.param([], SINGLE_CONTENT_TYPE, id="none"),
        pytest.param([("x", b"y"), ("content-type", BATCH_CONTENT_TYPE.encode())], BATCH_CONTENT_TYPE, id="batch"),
        pytest.param(
            [("Content-Type", b"Application/CloudEvents-Batch+JSON; charset=utf-8")], BATCH_CONTENT_TYPE, id="spelling"
        ),
        pytest.param([("content-type", None)], "", id="empty"),
        pytest.param([("content-type", b"\xff")], "\ufffd", id="no-ascii"),
    ],
)
def test_content_types(headers, kind):
    """The header tells one event from a batch; without one a record holds one event, and nonsense is no batch."""
    assert content_type(headers) == kind


@pytest.fixture
def consumer():
    app = faust.App("test", broker="kafka://127.0.0.1:1", store="memory://")
    use_fetches(app)
    delivered = []

    async def callback(message):
        delivered.append(message)

    consumer = FetchConsumer(app.transport, callback, None, None)
    consumer.delivered = delivered
    return consumer


def test_the_consumer_commits_by_fetches(consumer):
    """Faust's own bookkeeping asks for the fetches' ends, for partitions with something in flight, each once."""

    async def run():
        first, second = message(0, 0), message(1, 9)
        await consumer.callback(first)
        await consumer.callback(second)
        assert consumer.delivered == [first, second]
        assert consumer._filter_committable_offsets([PARTITION]) == {}
        assert consumer.ack(first)
        assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {PARTITION: 1}
        assert consumer.ack(second)
        assert not consumer.ack(second)
        assert consumer._filter_committable_offsets(consumer._filter_tps_with_pending_acks()) == {PARTITION: 10}
        assert not list(consumer._filter_tps_with_pending_acks())

    asyncio.run(run())


def test_a_rebalance_drops_what_is_in_flight(consumer):
    """Fetches of before a rebalance can be acknowledged, which commits nothing."""

    async def run():
        consumer._on_partitions_revoked = _nothing
        fetch = message(0, 9)
        await consumer.callback(fetch)
        await consumer.on_partitions_revoked({PARTITION})
        assert not consumer.ack(fetch)
        assert consumer._filter_committable_offsets([PARTITION]) == {}

    asyncio.run(run())


async def _nothing(_: Any) -> None:
    pass


class Work:
    """Writes when it is told to, and remembers the order of everything."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.may_write = asyncio.Semaphore(0)
        self.fine = True

    async def prepare(self, fetches: Any) -> list[int]:
        return [fetch.first for fetch in fetches]

    async def write(self, prepared: list[int]) -> bool:
        await self.may_write.acquire()
        self.log.append(("written", *prepared))
        return self.fine

    def event(self, first: int) -> Any:
        fetch = message(first, first + 9).value
        return SimpleNamespace(value=fetch, ack=lambda: self.log.append(("acked", first)))

    def pipeline(self) -> Pipeline[list[int]]:
        return Pipeline(self.prepare, self.write, Limits(records=10, size=1000, wait=0.01), lambda _: None)


def test_acknowledged_after_written_and_in_order():
    """A fetch is acknowledged once its batch is written, batches in order; while one is written three more wait, no more."""

    async def run():
        work = Work()
        pipeline = work.pipeline()
        running = asyncio.create_task(pipeline.run())
        taken = []

        async def put():
            for first in range(0, 100, 10):
                await pipeline.put(work.event(first))
                taken.append(first)

        putting = asyncio.create_task(put())
        await asyncio.sleep(0.2)
        assert work.log == []
        assert len(taken) == 4  # one being written, two prepared, one waiting
        for _ in range(10):
            work.may_write.release()
        await asyncio.wait_for(putting, 5)
        while len(work.log) < 20:
            await asyncio.sleep(0.01)
        assert work.log == [entry for first in range(0, 100, 10) for entry in (("written", first), ("acked", first))]
        running.cancel()

    asyncio.run(run())


def test_nothing_is_acknowledged_after_a_failure():
    """A batch that could not be written, and every later one, stays unacknowledged, and the pipeline ends."""

    async def run():
        work = Work()
        work.fine = False
        pipeline = work.pipeline()
        running = asyncio.create_task(pipeline.run())
        for first in (0, 10):
            await pipeline.put(work.event(first))
        work.may_write.release()
        await asyncio.wait_for(running, 5)
        assert work.log == [("written", 0)]

    asyncio.run(run())
