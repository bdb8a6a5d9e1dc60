"""The aggregator as a process, on the embedded broker and database: events in, figures out, whatever dies on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from clickhouse_driver.errors import ServerException

from schemas import usage
from schemas.revisions import REVISION, DirectoryRevision, PlanRevision
from schemas.topics import AGGREGATOR_GROUP, SHAPES, Topic
from services.core.definition import definition_of
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.kafka import Message, TopicSpec, ensure_topics, open_producer
from services.infra.settled import committed, ends_of
from tests.aggregator_world import START, ZONE, world_documents
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu
from tests.oracle import Oracle

pytestmark = pytest.mark.integration

PLAN, DIRECTORY = world_documents()
LAST = date(2008, 6, 30)
NOW = "2008-07-01T08:00:00+07:00"
RECEIVED = datetime(2008, 6, 30, 3, tzinfo=UTC)
INDICATORS = {d.hash: i for i in PLAN.indicators if (d := definition_of(i, PLAN)) is not None}


def world_events(people: int = 60) -> list[Any]:
    """Return some hundreds of events: people, addresses, mail, documents, records, with corrections among them."""
    events: list[Any] = []

    def add(kind: type, data: Any, source: str = "/one", hours: int = 0) -> None:
        time_ = RECEIVED - timedelta(days=3) + timedelta(hours=hours)
        agency = getattr(data, "agency", "root")
        events.append(kind(id=f"{len(events)}", source=source, agency=agency, time=time_, received=RECEIVED, data=data))

    for n in range(people):
        agency = ["a", "a1", "b", "c"][n % 4]
        person, address = f"k1:p{n}", f"k1:m{n}"
        first = START + timedelta(days=n % 13 - 5)
        span = usage.MembershipSpan(person=person, agency=agency, roster="officials", stint=f"{n}", from_=first)
        add(usage.OfficialJoined, span)
        if n % 7 == 0:
            ended = usage.MembershipSpan(
                person=person, agency=agency, roster="officials", stint=f"{n}", from_=first,
                to=first + timedelta(days=20),
            )  # fmt: skip
            add(usage.OfficialLeft, ended, hours=2)
        if n % 3:
            add(
                usage.MailboxOpened,
                usage.MailboxSpan(address=address, domain="x.gov.vn", stint=f"{n}", owner=person, from_=START),
            )
        for k in range(n % 5):
            day = START + timedelta(days=(n * 3 + k * 5) % 32)
            add(usage.MailUsed, usage.MailUse(actor=address, kind="address", day=day, action="sent"), source="/mail")
        day = START + timedelta(days=n % 30)
        parties = {"issuer": "edoc:L", "counterpart": ["edoc:A", "agency:b"][n % 2]}
        document = {"number": f"{n}/VB", "issued_on": day, **parties}
        add(usage.DocumentExchanged, usage.Exchange(**document, step="entered", day=day))
        if n % 4:
            add(usage.DocumentExchanged, usage.Exchange(**document, step="adopted", day=day + timedelta(days=n % 3)))
        record = {"agency": agency, "id": f"r{n}"}
        add(usage.RecordFiled, usage.Item(**record, step="entered", day=day))
        if n % 3 == 0:
            add(usage.RecordFiled, usage.Item(**record, step="adopted", day=day + timedelta(days=1)))
    return events


EVENTS = world_events()


class Stack:
    """A broker, a database and aggregators."""

    def __init__(self, broker: Tansu, database: ChdbServer, folder: Path) -> None:
        self.broker = broker
        self.database = database
        self.address = ClickHouseAddress(port=database.port)
        self.log = folder / "aggregator.log"
        self.workers: list[subprocess.Popen[bytes]] = []
        self.health = 0

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        self.health = free_port()
        env = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")} | {
            "TIENDO_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "TIENDO_CLICKHOUSE_PORT": str(self.database.port),
            "TIENDO_AGGREGATOR_PORT": str(self.health),
            "TIENDO_AGGREGATOR_INTERVAL": "0.5",
            "TIENDO_CLOCK": NOW,
            **environment,
        }
        with self.log.open("ab") as log:
            worker = subprocess.Popen([sys.executable, "-m", "services.aggregator"], cwd=ROOT, env=env, stderr=log)
        self.workers.append(worker)
        return worker

    def publish_plan(self) -> None:
        about = {"revision": 1, "in_force_from": START, "published": RECEIVED}
        revisions = [
            PlanRevision(id="plan", document=PLAN, **about),
            DirectoryRevision(id="dir", document=DIRECTORY, **about),
        ]
        self.publish([Message(Topic.PLANS.value, REVISION.dump_json(r, by_alias=True), b"k") for r in revisions])

    def publish_events(self, events: list[Any], size: int = 1) -> None:
        """Publish *events*, *size* to a record."""
        messages = []
        for start in range(0, len(events), size):
            part = events[start : start + size]
            value = usage.encode(part) if size > 1 else usage.encode_one(part[0])
            kind = usage.BATCH_CONTENT_TYPE if size > 1 else usage.SINGLE_CONTENT_TYPE
            key = f"{start % 11}".encode()
            messages.append(Message(Topic.EVENTS.value, value, key, (("content-type", kind.encode()),)))
        self.publish(messages)

    def publish(self, messages: list[Message]) -> None:
        ensure_topics(self.broker.address, [TopicSpec(t.value, SHAPES[t].partitions, SHAPES[t].config) for t in Topic])
        with open_producer(self.broker.address) as producer:
            producer.publish(messages)

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with open_clickhouse(self.address) as database:
            return database.rows(text)

    def figures(self, database: ClickHouse) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
        rows = database.rows(
            "SELECT definition, agency, day, argMax(numerator, basis), argMax(denominator, basis) AS due "
            "FROM adoption GROUP BY definition, agency, day HAVING due != 0"
        )
        return {(INDICATORS[hashed].id, agency, day): (n, d) for hashed, agency, day, n, d in rows}

    def wait(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while True:
            with suppress(Transient, ServerException, OSError):
                if condition():
                    return
            assert time.monotonic() < until, self.log.read_text()[-4000:]
            time.sleep(0.2)

    def wait_for(self, events: list[Any], seconds: float = 90) -> None:
        """Return once the figures are those of *events*; on the way there they may be those of fewer."""
        oracle = Oracle(events, PLAN, DIRECTORY, ZONE)
        wanted = {
            (indicator.id, agency, day): figure
            for indicator in PLAN.indicators
            for (agency, day), figure in oracle.figures(indicator, START, LAST).items()
        }

        def reached() -> bool:
            with open_clickhouse(self.address) as database:
                settled = not database.rows("SELECT 1 FROM outstanding LIMIT 1")
                return self.figures(database) == wanted and settled

        self.wait(reached, seconds)

    def committed(self) -> bool:
        """Whether the group's offsets are exactly the ends of the topic's partitions."""
        found = committed(self.broker.address, AGGREGATOR_GROUP, Topic.EVENTS)
        return {p: o for p, o in found.items() if o > 0} == ends_of(self.broker.address, Topic.EVENTS)

    def ready(self) -> dict[str, Any]:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.health}/readyz", timeout=5) as answer:
            return json.loads(answer.read())
        return {}


@pytest.fixture
def stack(tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tansu, chdb_server, tmp_path)
    yield stack
    for worker in stack.workers:
        worker.kill()
        worker.wait(10)


def test_events_become_figures(stack):
    """Plan and events in, single and in batches, repeated and shuffled: the figures are the oracle's; SIGTERM ends with 0."""
    worker = stack.start()
    stack.publish_events(EVENTS[:200])
    stack.publish_plan()
    stack.publish_events(EVENTS[::-1], size=50)
    stack.publish([Message(Topic.EVENTS.value, b"{nonsense", b"k", ())])

    stack.wait_for(EVENTS)
    stack.wait(lambda: stack.query("SELECT reason, place FROM rejected") == [("malformed", "aggregator")])
    assert stack.ready() == {"status": "ready", "missing": []}
    assert stack.query("SELECT uniqExact(id) FROM events") == [(len(EVENTS),)]
    stack.wait(stack.committed, 20)

    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == 0


def test_a_killed_worker_loses_nothing(stack):
    """kill -9 in the middle of the work; the next worker goes on and ends with the same figures."""
    stack.start()
    stack.publish_plan()
    stack.wait(lambda: stack.query("SELECT count() FROM plan_revisions") == [(2,)])
    stack.publish_events(EVENTS[:400])
    stack.wait(lambda: stack.query("SELECT count() > 0 FROM events") == [(1,)])
    stack.workers[-1].kill()
    stack.publish_events(EVENTS[400:])

    stack.start()

    stack.wait_for(EVENTS)
    stack.wait(stack.committed, 20)


def test_a_killed_database_is_waited_for(stack):
    """The database dies and comes back: the worker goes on by itself, and the figures are whole."""
    worker = stack.start()
    stack.publish_plan()
    stack.publish_events(EVENTS[:300])
    stack.wait(lambda: stack.query("SELECT count() > 0 FROM events") == [(1,)])

    stack.database.stop(kill=True)
    stack.publish_events(EVENTS[300:])
    time.sleep(2)
    stack.database.start()

    stack.wait_for(EVENTS)
    assert worker.poll() is None


def test_a_broker_that_forgot_everything_is_read_anew(stack):
    """The embedded broker dies and its topics are made anew: the worker ends for its supervisor to start the next one."""
    worker = stack.start()
    stack.publish_plan()
    stack.publish_events(EVENTS[:300])
    stack.wait(lambda: stack.query("SELECT uniqExact(id) FROM events") == [(300,)])
    stack.wait(lambda: not stack.query("SELECT 1 FROM outstanding"))

    stack.broker.restart()
    stack.publish_events(EVENTS[300:])

    assert worker.wait(60) == 3
    stack.start()
    stack.wait_for(EVENTS)
