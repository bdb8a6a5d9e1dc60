"""A log whose end is nothing that could be acknowledged: the worker goes on, and its watchdog lets it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kafka as kafka_python
import pytest
from aiokafka import AIOKafkaProducer

from schemas.topics import Topic
from services.infra.clickhouse.client import open_clickhouse
from tests.chaos import records_of
from tests.chaos_site import Site
from tests.chaos_world import chaos_events
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

EVENTS = chaos_events(random.Random(7), 400, window=50)
WORKER = "services.aggregator"
LIMIT = 6  # seconds of the watchdog; its least is not far below


@pytest.fixture
def site(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    site = Site(kafka, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


def in_a_transaction(site: Site, events: list[Any]) -> None:
    """Publish *events* in one transaction; its end is a record of its own on every partition written."""

    async def publish() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=site.broker.bootstrap, transactional_id="mirror")
        await producer.start()
        try:
            async with producer.transaction():
                for message in records_of(random.Random(8), events):
                    await producer.send(
                        message.topic, message.value, key=message.key, headers=list(message.headers or ())
                    )
        finally:
            await producer.stop()

    asyncio.run(publish())


def archived(site: Site) -> int:
    with open_clickhouse(site.address) as database:
        return int(database.rows("SELECT uniqExact(source, id) FROM events")[0][0])


def ids(events: list[Any]) -> int:
    return len({(event.source, event.id) for event in events})


def test_the_end_of_a_transaction_is_nothing_to_wait_for(site):
    """A mirror writes in transactions: their ends lie behind all that is committed, and nobody is ended for that."""
    worker = site.spawn("one", WORKER, TIENDO_AGGREGATOR_WATCHDOG=str(LIMIT))
    site.wait(lambda: site.ready("one"), 60)
    in_a_transaction(site, EVENTS[:200])
    site.wait(lambda: archived(site) == ids(EVENTS[:200]), 60)

    time.sleep(3 * LIMIT)

    assert worker.poll() is None
    in_a_transaction(site, EVENTS)
    site.wait(lambda: archived(site) == ids(EVENTS), 60)


def test_records_deleted_before_they_were_read_are_nothing_to_wait_for(site):
    """Somebody deleted what the worker had not read: it begins with what there is, and says that it is ready."""
    in_a_transaction(site, EVENTS[:100])
    first = site.spawn("first", WORKER)
    site.wait(lambda: site.ready("first"), 60)
    site.wait(lambda: archived(site) == ids(EVENTS[:100]), 90)
    first.terminate()
    assert first.wait(60) == 0
    in_a_transaction(site, EVENTS[100:200])
    admin = kafka_python.KafkaAdminClient(**site.broker.address.options())
    partitions = [kafka_python.TopicPartition(Topic.EVENTS.value, n) for n in site.ends()]
    admin.delete_records(dict.fromkeys(partitions, -1))
    admin.close()

    second = site.spawn("second", WORKER, TIENDO_AGGREGATOR_WATCHDOG=str(LIMIT))
    site.wait(lambda: site.ready("second"), 60)
    time.sleep(3 * LIMIT)

    assert second.poll() is None
    in_a_transaction(site, EVENTS[200:])
    wanted = ids(EVENTS[:100] + EVENTS[200:])
    site.wait(lambda: archived(site) >= wanted, 60)
