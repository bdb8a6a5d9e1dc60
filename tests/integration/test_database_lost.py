"""The database is dropped, or another one is given: workers do not go on as if nothing were missing."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from schemas.topics import AGGREGATOR_GROUP, Topic
from services.aggregator.adapters.beginning import AnotherDatabase, begin
from services.core.errors import Transient
from services.infra.clickhouse.client import open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress
from tests.chaos import Flow, records_of
from tests.chaos_round import compare
from tests.chaos_site import Site
from tests.chaos_world import chaos_events
from tests.fixtures.chdb import ChdbServer, eventually
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.integration, pytest.mark.kafka]

EVENTS = chaos_events(random.Random(13), 1500, window=300)
TOPICS = [Topic.EVENTS.value, Topic.REJECTED.value, Topic.PLANS.value]
NOWHERE = KafkaAddress("127.0.0.1:1")


@pytest.fixture
def site(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    """A broker of the test's own with topics and plan, an empty database, no worker yet."""
    site = Site(kafka, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


def published(site: Site, events: list[object]) -> None:
    flow = Flow(site, records_of(random.Random(8), events), 1, chunk=50)
    flow.start()
    flow.join(60)
    assert flow.fault is None


def missing(site: Site, name: str) -> str:
    """Return what the worker says it lacks."""
    try:
        with urlopen(f"http://127.0.0.1:{site.ports[name]}/readyz", timeout=2):
            return ""
    except HTTPError as answer:
        return " ".join(json.loads(answer.read())["missing"])
    except OSError:
        return ""


def dropped(site: Site) -> None:
    with open_clickhouse(replace(site.address, database="default")) as server:
        server.run(f"DROP DATABASE {site.address.database}")


def test_a_dropped_database_is_told_and_begun_anew_when_asked_to(site):
    """Dropped while the worker runs: it says so instead of counting what comes from now on; told to, it reads all again."""
    worker = site.spawn("first", "services.aggregator")
    published(site, EVENTS[:1000])
    site.settle(60)
    dropped(site)
    assert eventually(lambda: worker.poll() is not None, seconds=30)
    published(site, EVENTS[1000:])

    second = site.spawn("second", "services.aggregator")
    assert eventually(lambda: "has never been read into" in missing(site, "second"), seconds=60)
    with open_clickhouse(site.address) as database:
        assert database.rows("SELECT count() FROM events") == [(0,)]
    second.send_signal(signal.SIGKILL)

    site.spawn("third", "services.aggregator", TIENDO_AGGREGATOR_BEGIN_ANEW="true")
    site.wait(lambda: site.ready("third"), 60)
    site.settle(60)
    compare(site, EVENTS)


def test_a_worker_with_a_wrong_database_takes_nothing_from_the_others(site):
    """One of a group is given an empty database: it stays away, even if told to begin anew, and the other reads all."""
    site.spawn("right", "services.aggregator")
    published(site, EVENTS[:1000])
    site.settle(60)
    site.spawn("wrong", "services.aggregator", TIENDO_CLICKHOUSE_DATABASE="other")
    site.spawn(
        "worse", "services.aggregator", TIENDO_CLICKHOUSE_DATABASE="another", TIENDO_AGGREGATOR_BEGIN_ANEW="true"
    )
    assert eventually(lambda: "has never been read into" in missing(site, "wrong"), seconds=60)
    assert eventually(lambda: "while it is at work" in missing(site, "worse"), seconds=60)
    published(site, EVENTS[1000:])
    site.settle(60)
    compare(site, EVENTS)


def test_once_begun_the_broker_is_not_asked_again(site):
    """A group that has begun here goes on without a look at its offsets; another group has to begin itself."""
    migrate(site.address)

    def begun() -> bool:
        with suppress(Transient):  # a broker that has just been made keeps no offsets yet
            return begin(site.address, site.broker.address, AGGREGATOR_GROUP, TOPICS, anew=False) == 0
        return False

    assert eventually(begun, seconds=30)
    assert begin(site.address, NOWHERE, AGGREGATOR_GROUP, TOPICS, anew=False) == 0
    with pytest.raises(Transient) as fault:
        begin(site.address, NOWHERE, "another", TOPICS, anew=False)
    assert not isinstance(fault.value, AnotherDatabase)


def test_a_database_from_before_there_were_readers_is_taken_on_trust(site):
    """One that holds revisions when the table of readers is made belongs to whoever asks."""
    migrate(site.address)
    with open_clickhouse(site.address) as database:
        database.run("INSERT INTO plan_revisions (kind, id, revision) SELECT 'plan', 'p', 1")
        database.run("DROP TABLE readers")
        database.run("TRUNCATE TABLE migrations")
    migrate(site.address)
    assert begin(site.address, NOWHERE, AGGREGATOR_GROUP, TOPICS, anew=False) == 0
