"""Whatever compression an operator has chosen for the topic of events, a worker reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import kafka as clients
import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from schemas.topics import Topic
from schemas.usage import SINGLE_CONTENT_TYPE
from services.infra.clickhouse.client import open_clickhouse
from services.infra.kafka import Message, open_producer
from tests.chaos_site import Site
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka
from tests.integration.test_hostile_records import item

pytestmark = [pytest.mark.integration, pytest.mark.kafka]

# In the order of their numbers in a record set.
CODECS = ["uncompressed", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture
def site(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    """A broker of the test's own with topics, an empty database, no worker yet."""
    site = Site(kafka, chdb_server, tmp_path)
    site.topics()
    (tmp_path / "logs").mkdir(exist_ok=True)
    yield site
    site.stop()


def codecs_of(broker: Kafka) -> set[str]:
    """Return the codecs of the record sets in the broker's log: the low bits of each one's attributes."""
    found = set()
    for segment in broker.folder.glob(f"data/{Topic.EVENTS.value}-*/*.log"):
        log, at = segment.read_bytes(), 0
        while (length := int.from_bytes(log[at + 8 : at + 12])) > 0:
            found.add(CODECS[int.from_bytes(log[at + 21 : at + 23]) & 7])
            at += 12 + length
    return found


def published(site: Site, codec: str) -> None:
    """Let the broker compress with *codec* from now on, and publish a hundred events until its log holds them so."""
    with closing(clients.KafkaAdminClient(**site.broker.address.options())) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, Topic.EVENTS.value, {"compression.type": codec})
        admin.alter_configs([resource])
    headers = (("content-type", SINGLE_CONTENT_TYPE.encode()),)
    events = [Message(Topic.EVENTS.value, item(f"{codec}{n}"), b"k", headers) for n in range(100)]
    with open_producer(site.broker.address) as producer:

        def so_written() -> bool:
            producer.publish(events)
            return codec in codecs_of(site.broker)

        site.wait(so_written, 20)  # the broker takes the setting on a little later


def test_every_compression_is_read(site):
    """Record sets in every codec that Kafka knows, in one topic: all of their events are there."""
    for codec in CODECS:
        published(site, codec)
    worker = site.spawn("worker", "services.aggregator")
    site.wait(lambda: site.ready("worker") or worker.poll() is not None, 60)
    assert worker.poll() is None, site.last_words()
    site.settle(30)

    with open_clickhouse(site.address) as database:
        assert database.rows("SELECT uniqExact(id) FROM events") == [(100 * len(CODECS),)]
