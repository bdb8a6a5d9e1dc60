"""Several workers on Apache Kafka: they join, leave and hang while events flow, and the figures are the oracle's."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.aggregator.progress import STALLED
from tests.chaos import Flow, records_of
from tests.chaos_round import compare
from tests.chaos_site import Site
from tests.chaos_world import chaos_events
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]  # joining and leaving takes a while

EVENTS = chaos_events(random.Random(7), 4000, window=500)
WRITTEN = 'tiendo_aggregator_records_total{topic="usage.events.v1"}'
WORKER = "services.aggregator"


@pytest.fixture
def site(kafka: Kafka, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    """A broker of the test's own with topics and plan, an empty database, no worker yet."""
    site = Site(kafka, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


def flow(site: Site, seconds: float) -> Flow:
    """Start publishing the events over about *seconds*, in chunks small enough that there are many."""
    started = Flow(site, records_of(random.Random(8), EVENTS), seconds, chunk=50)
    started.start()
    return started


def test_workers_join_and_leave_while_events_flow(site):
    """A third worker joins, the first leaves on SIGTERM and the second is killed: the third takes all over, nothing is lost."""
    first = site.spawn("first", WORKER)
    second = site.spawn("second", WORKER)
    flowing = flow(site, 25)
    site.wait(lambda: site.metric("first", WRITTEN) > 0 or site.metric("second", WRITTEN) > 0, 60)

    site.spawn("third", WORKER)
    site.wait(lambda: site.ready("third"), 60)
    first.send_signal(signal.SIGTERM)
    assert first.wait(60) == 0
    site.wait(lambda: site.metric("third", WRITTEN) > 0, 90)
    second.kill()

    flowing.join(90)
    assert not flowing.is_alive()
    site.settle(120)
    compare(site, EVENTS)


@pytest.mark.parametrize("how", ["loop", "task"])
def test_a_worker_that_hangs_is_ended_and_replaced(site, how, tmp_path):
    """Hung outside of a declared wait, a worker is ended by its watchdog, and the other one does its work."""
    flag = tmp_path / "hang"
    hanging = site.spawn("hanging", "tests.fixtures.hanging_worker", how, str(flag), TIENDO_AGGREGATOR_WATCHDOG="8")
    site.spawn("other", WORKER)
    site.wait(lambda: site.ready("hanging") and site.ready("other"), 60)
    flag.touch()
    flowing = flow(site, 15)

    assert hanging.wait(90) == STALLED
    assert flag.with_suffix(".hanging").exists()
    flowing.join(90)
    site.settle(120)
    compare(site, EVENTS)


def test_a_database_that_hangs_is_waited_for(site):
    """The database stands still, its connections open, for longer than the watchdog's limit: nobody is ended for that."""
    workers = [site.spawn(name, WORKER, TIENDO_AGGREGATOR_WATCHDOG="6") for name in ("first", "second")]
    site.wait(lambda: site.ready("first") and site.ready("second"), 60)
    flowing = flow(site, 10)
    site.wait(lambda: site.metric("first", WRITTEN) + site.metric("second", WRITTEN) > 0, 60)

    site.signal_database(signal.SIGSTOP)
    try:
        time.sleep(15)
    finally:
        site.signal_database(signal.SIGCONT)

    flowing.join(90)
    site.settle(120)
    assert [worker.poll() for worker in workers] == [None, None]
    compare(site, EVENTS)
