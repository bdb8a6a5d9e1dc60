"""What our services rely on in Kafka, held by the embedded broker and by Apache Kafka alike."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from services.core.errors import Rejected, Transient
from services.infra.kafka import (
    CaughtUp,
    KafkaAddress,
    Message,
    Publisher,
    Record,
    TopicSpec,
    brokers_answer,
    ensure_topics,
    follow,
    open_producer,
    read_all,
)
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu

BROKERS = [
    pytest.param("tansu", marks=pytest.mark.integration),
    pytest.param("kafka", marks=pytest.mark.kafka),
]
_numbers = itertools.count()


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest) -> Tansu | Kafka:
    """A broker shared with other tests."""
    return request.getfixturevalue(f"shared_{request.param}")


@pytest.fixture(params=BROKERS)
def own_broker(request: pytest.FixtureRequest) -> Tansu | Kafka:
    """A broker that this test may kill."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def topic(broker: Tansu | Kafka) -> str:
    """A new topic of four partitions."""
    name = f"contract.{next(_numbers)}"
    ensure_topics(broker.address, [TopicSpec(name, 4)])
    return name


@pytest.fixture
def publisher(broker: Tansu | Kafka) -> Iterator[Publisher]:
    with open_producer(broker.address, patience=10) as publisher:
        yield publisher


def first_of(address: KafkaAddress, topic: str) -> Record | CaughtUp:
    """Return what following *topic* yields first."""

    async def run() -> Record | CaughtUp:
        async with aclosing(follow(address, topic)) as items:
            return await asyncio.wait_for(anext(items), 15)

    return asyncio.run(run())


def test_what_is_published_comes_back_whole(broker, topic, publisher):
    """Key, headers and value arrive as sent, 30 kB values and empty keys and headers included."""
    large = bytes(range(256)) * 120
    publisher.publish(
        [
            Message(topic, large, b"so-tttt", (("content-type", b"application/cloudevents+json"), ("x", b"\x00\xff"))),
            Message(topic, b"no key, no headers"),
        ]
    )

    records = {record.value: record for record in read_all(broker.address, topic)}

    assert records[large].key == b"so-tttt"
    assert records[large].headers == (("content-type", b"application/cloudevents+json"), ("x", b"\x00\xff"))
    assert records[b"no key, no headers"].key is None
    assert records[b"no key, no headers"].headers == ()
    assert all(record.timestamp_ms > 1_600_000_000_000 for record in records.values())


def test_reading_finds_every_record_in_order(broker, topic, publisher):
    """All records of all batches are read once, offsets without gaps, and equal keys in the order of sending."""
    sent = [Message(topic, b"%d" % number, b"k%d" % (number % 7)) for number in range(2000)]
    for start in range(0, 1900, 190):
        publisher.publish(sent[start : start + 190])
    for message in sent[1900:1910]:
        publisher.publish([message])
    publisher.publish(sent[1910:])

    records = read_all(broker.address, topic)

    assert sorted(int(record.value) for record in records) == list(range(2000))
    for partition in range(4):
        offsets = [record.offset for record in records if record.partition == partition]
        assert offsets == list(range(len(offsets)))
    for key in {message.key for message in sent}:
        values = [int(record.value) for record in records if record.key == key]
        assert values == sorted(values)
        assert len({record.partition for record in records if record.key == key}) == 1


def test_topics_are_made_once(broker, topic, publisher):
    """Ensuring topics that exist changes neither them nor what they hold, and makes those that are missing."""
    publisher.publish([Message(topic, b"kept")])
    new = f"{topic}.new"

    for _ in range(2):
        ensure_topics(broker.address, [TopicSpec(topic, 9), TopicSpec(new, 2, {"retention.ms": "-1"})])

    assert [record.value for record in read_all(broker.address, topic)] == [b"kept"]
    assert read_all(broker.address, new) == []


def test_a_missing_topic_is_worth_waiting_for(broker):
    """Reading a topic that nobody made yet is Transient, for both ways of reading, and does not make it."""
    for _ in range(2):
        with pytest.raises(Transient, match="no such topic"):
            read_all(broker.address, "contract.never-made")
        with pytest.raises(Transient, match="no such topic"):
            first_of(broker.address, "contract.never-made")


def test_a_message_beyond_the_limit_is_rejected(broker, topic, publisher):
    """A message that Kafka can never take is Rejected, and the producer goes on."""
    with pytest.raises(Rejected):
        publisher.publish([Message(topic, b"x" * 1_100_000)])

    publisher.publish([Message(topic, b"next")])
    assert [record.value for record in read_all(broker.address, topic)] == [b"next"]


def test_following_tells_the_end_and_goes_on(broker, topic, publisher):
    """A follower gets what was there, then CaughtUp once, then what is published later."""
    publisher.publish([Message(topic, b"%d" % number, b"k%d" % number) for number in range(500)])

    async def run() -> list[Record | CaughtUp]:
        seen: list[Record | CaughtUp] = []
        async with aclosing(follow(broker.address, topic)) as items:
            async for item in items:
                seen.append(item)
                if isinstance(item, CaughtUp):
                    await publisher.publish_async([Message(topic, b"later")])
                elif item.value == b"later":
                    break
        return seen

    seen = asyncio.run(asyncio.wait_for(run(), 30))

    assert sorted(int(item.value) for item in seen[:500]) == list(range(500))
    assert seen[500] == CaughtUp(topic)
    assert [item.value for item in seen[501:]] == [b"later"]


def test_an_empty_topic_is_caught_up_with_at_once(broker, topic):
    """Following a topic that holds nothing yields CaughtUp without waiting for a record."""
    assert first_of(broker.address, topic) == CaughtUp(topic)


def test_many_callers_share_a_producer(broker, topic, publisher):
    """A hundred coroutines publish at once and every record arrives exactly once."""

    async def run() -> None:
        await asyncio.gather(
            *(
                publisher.publish_async([Message(topic, b"%d.%d" % (one, two)) for two in range(5)])
                for one in range(100)
            )
        )

    asyncio.run(run())

    values = [record.value for record in read_all(broker.address, topic)]
    assert sorted(values) == sorted(b"%d.%d" % (one, two) for one in range(100) for two in range(5))


def test_what_waits_is_bounded(broker, topic):
    """More than ever fits is Rejected; more than fits beside what waits already is Transient."""
    with open_producer(broker.address, room=1000) as publisher:
        with pytest.raises(Rejected):
            publisher.publish([Message(topic, b"x" * 1001)])

        async def run() -> list[BaseException | None]:
            both = (publisher.publish_async([Message(topic, b"x" * 600)]) for _ in range(2))
            return await asyncio.gather(*both, return_exceptions=True)

        first, second = asyncio.run(run())
        assert first is None
        assert isinstance(second, Transient)
        publisher.publish([Message(topic, b"x" * 1000)])


def test_nobody_home_is_transient_in_bounded_time():
    """Where no broker listens every call ends with Transient or False within its own limit."""
    nobody = KafkaAddress(f"127.0.0.1:{free_port()}")
    began = time.monotonic()

    assert not brokers_answer(nobody, timeout=1)
    with pytest.raises(Transient):
        ensure_topics(nobody, [TopicSpec("x", 1)], timeout=1)
    with pytest.raises(Transient):
        read_all(nobody, "x", timeout=1)
    with pytest.raises(Transient), open_producer(nobody, patience=1):
        pass
    with pytest.raises(Transient):
        first_of(nobody, "x")

    assert time.monotonic() - began < 30


def test_a_producer_outlives_its_broker(own_broker):
    """Publishing to a broker that died is Transient in bounded time for all; when it is back the same producer goes on."""
    topics = [TopicSpec("x", 4)]
    ensure_topics(own_broker.address, topics)
    with open_producer(own_broker.address, patience=4) as publisher:
        publisher.publish([Message("x", b"before")])
        own_broker.kill9()
        began = time.monotonic()
        with pytest.raises(Transient):
            publisher.publish([Message("x", b"lost or not")])

        async def run() -> list[BaseException | None]:
            every = (publisher.publish_async([Message("x", b"lost or not")]) for _ in range(30))
            return await asyncio.gather(*every, return_exceptions=True)

        assert {type(answer) for answer in asyncio.run(run())} == {Transient}
        assert time.monotonic() - began < 30

        own_broker.start()
        ensure_topics(own_broker.address, topics, timeout=20)
        for _ in range(10):
            try:
                publisher.publish([Message("x", b"after")])
                break
            except Transient:
                time.sleep(0.5)

        assert b"after" in {record.value for record in read_all(own_broker.address, "x")}


def test_a_password_is_not_shown():
    """The representation of an address, which may end in a log, holds no password."""
    assert "geheim" not in repr(KafkaAddress("localhost:9092", username="u", password="geheim"))
