"""A broker, a database and workers that tests kill, and what the database holds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import kafka

from deploy.local.supervisor import Child, Supervisor
from schemas.revisions import REVISION, DirectoryRevision, PlanRevision
from schemas.topics import AGGREGATOR_GROUP, SHAPES, Topic
from services.core.definition import definition_of
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.kafka import Message, TopicSpec, ensure_topics, open_producer
from services.infra.settled import committed
from tests.aggregator_world import START, world_documents
from tests.chaos_world import NOW, Figures, Rows
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.kafka import Kafka
from tests.fixtures.needs import free_port

PLAN, DIRECTORY = world_documents()
INDICATORS = {d.hash: i.id for i in PLAN.indicators if (d := definition_of(i, PLAN)) is not None}

# Key columns, value columns, and how the last one merges; as the migrations say.
TABLES = {
    "events": ("source, id, payload_hash", "any(type), any(agency), any(occurred), any(occurred_day), any(payload)"),
    "memberships": ("person, roster, agency, stint, source, version", "any(from_day), any(to_day), any(retracted)"),
    "mailboxes": (
        "address, stint, source, version",
        "any(owner), any(domain), any(from_day), any(to_day), any(retracted)",
    ),
    "activity": ("actor, kind, day, action, source, retracted, received_day", ""),
    "exchanges": (
        "issuer, year, number, counterpart, step, source, version",
        "any(day), any(issued_on), any(retracted)",
    ),
    "items": ("type, agency, id, step, source, version", "any(day), any(retracted), any(weight)"),
    "declarations": (
        "agency, indicator, from_day, to_day, source, version",
        "any(numerator), any(denominator), any(retracted)",
    ),
    "feed_reports": ("source, type, day, version", "any(count), any(retracted)"),
}


def held_facts(database: ClickHouse, table: str) -> Rows:
    """Return key → values of a table of facts, as it stands."""
    keys, values = TABLES[table]
    last = "max(version)" if table == "activity" else "min(received)"
    query = f"SELECT {keys}, {values + ', ' if values else ''}{last} FROM {table} GROUP BY {keys}"
    width = keys.count(",") + 1
    return {row[:width]: row[width:] for row in database.rows(query)}


def held_figures(database: ClickHouse) -> Figures:
    """Return (indicator, agency, day) → figure, as ``adoption`` holds it."""
    rows = database.rows(
        "SELECT definition, agency, day, argMax(numerator, basis), argMax(denominator, basis) AS due "
        "FROM adoption GROUP BY definition, agency, day HAVING due != 0"
    )
    return {(INDICATORS[hashed], agency, day): (n, d) for hashed, agency, day, n, d in rows}


def held_feed_days(database: ClickHouse) -> Rows:
    """Return (source, type, day) → (reported or None, counted)."""
    rows = database.rows(
        "SELECT source, type, day, argMax(tuple(reported, counted), basis) FROM feed_days GROUP BY source, type, day"
    )
    return {(source, kind, day): tuple(stated) for source, kind, day, stated in rows}


def differences(expected: dict[Any, Any], found: dict[Any, Any]) -> list[str]:
    """Return up to five keys whose values differ, with both."""
    keys = [key for key in expected.keys() | found.keys() if expected.get(key) != found.get(key)]
    return [f"{key}: wanted {expected.get(key)}, found {found.get(key)}" for key in sorted(keys, key=str)[:5]] + (
        [f"… {len(keys)} in all"] if len(keys) > 5 else []
    )


@dataclass
class Site:
    """A broker, a database and supervised workers."""

    broker: Kafka
    database: ChdbServer
    folder: Path
    said: list[str] = field(default_factory=list)
    ports: dict[str, int] = field(default_factory=dict)
    spawned: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.address = ClickHouseAddress(port=self.database.port)
        self.supervisor = Supervisor(self.folder / "logs", self.say)

    def say(self, line: str) -> None:
        self.said.append(line)
        print(f"{time.monotonic() - self.began:7.1f} s  {line}", flush=True)

    def start_worker(self, name: str, **settings: str) -> None:
        """Start a supervised worker; returns once it answers."""
        command = (sys.executable, "-m", "services.aggregator")
        env = self._environment(name, settings)
        self.supervisor.start(
            Child(name=name, command=command, env=env, healthy=lambda: bool(self.get(name, "/healthz")))
        )

    def spawn(self, name: str, *module: str, **settings: str) -> subprocess.Popen[bytes]:
        """Start a worker that nobody starts again; `stop` ends it."""
        with (self.folder / "logs" / f"{name}.log").open("ab") as log:
            env = self._environment(name, settings)
            worker = subprocess.Popen([sys.executable, "-m", *module], env=env, cwd=ROOT, stderr=log)
        self.spawned.append(worker)
        return worker

    def stop(self) -> None:
        """End every worker."""
        for worker in self.spawned:
            worker.kill()
            worker.wait(10)
        self.supervisor.stop()

    def wait(self, condition: Callable[[], bool], seconds: float) -> None:
        """Return once *condition* holds."""
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, self.last_words()
            time.sleep(0.2)

    def _environment(self, name: str, settings: dict[str, str]) -> dict[str, str]:
        port = self.ports[name] = free_port()
        return {key: value for key, value in os.environ.items() if not key.startswith("TIENDO_")} | {
            "PYTHONPATH": str(ROOT),
            "TIENDO_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "TIENDO_CLICKHOUSE_PORT": str(self.database.port),
            "TIENDO_AGGREGATOR_PORT": str(port),
            "TIENDO_AGGREGATOR_INTERVAL": "0.5",
            "TIENDO_AGGREGATOR_RETRY_LONGEST": "2",
            "TIENDO_CLOCK": NOW,
            **settings,
        }

    def get(self, name: str, path: str) -> str:
        """Return what the worker *name* answers at *path*; empty where it does not."""
        with suppress(OSError), urlopen(f"http://127.0.0.1:{self.ports[name]}{path}", timeout=1) as answer:
            return str(answer.read().decode())
        return ""

    def metric(self, name: str, metric: str) -> float:
        """Return a plain metric of a worker; 0 where it does not answer."""
        for line in self.get(name, "/metrics").splitlines():
            if line.startswith(f"{metric} "):
                return float(line.rsplit(" ", 1)[1])
        return 0.0

    def ready(self, name: str) -> bool:
        return '"ready"' in self.get(name, "/readyz")

    def signal(self, name: str, number: signal.Signals) -> int:
        """Send a signal to a worker that may have ended; return its process id."""
        pid = self.supervisor.pid(name)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return pid

    def signal_database(self, number: signal.Signals) -> None:
        os.kill(self.database.pid, number)

    def topics(self) -> None:
        shapes = [TopicSpec(topic.value, SHAPES[topic].partitions, SHAPES[topic].config) for topic in Topic]
        ensure_topics(self.broker.address, shapes)

    def publish_plan(self) -> None:
        about = {"revision": 1, "in_force_from": START, "published": datetime(2008, 5, 20, tzinfo=UTC)}
        revisions = [
            PlanRevision(id="plan", document=PLAN, **about),
            DirectoryRevision(id="dir", document=DIRECTORY, **about),
        ]
        with open_producer(self.broker.address) as producer:
            producer.publish(
                [Message(Topic.PLANS.value, REVISION.dump_json(r, by_alias=True), b"k") for r in revisions]
            )

    def ends(self) -> dict[int, int]:
        """Return partition → end of the topic of events."""
        consumer = kafka.KafkaConsumer(**self.broker.address.options())
        try:
            topic = Topic.EVENTS.value
            partitions = [kafka.TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic) or ())]
            return {one.partition: end for one, end in consumer.end_offsets(partitions).items() if end}
        finally:
            consumer.close()

    def settle(self, patience: float) -> float:
        """Return the seconds until everything published is committed and no mark stands, twice in a row."""
        started, calm, state = time.monotonic(), 0, "no answer yet"
        while calm < 3:
            assert time.monotonic() - started < patience, f"not settled: {state}\n{self.last_words()}"
            time.sleep(0.5)
            try:
                done = committed(self.broker.address, AGGREGATOR_GROUP, Topic.EVENTS)
                lag = sum(max(0, end - max(0, done.get(partition, 0))) for partition, end in self.ends().items())
                with open_clickhouse(self.address) as database:
                    (marks,) = database.rows("SELECT count() FROM outstanding")[0]
            except Transient as fault:
                calm, state = 0, str(fault)
            else:
                calm, state = (calm + 1 if lag == marks == 0 else 0), f"lag {lag}, marks {marks}"
        return time.monotonic() - started

    def last_words(self) -> str:
        logs = sorted((self.folder / "logs").glob("*.log"))
        return "\n".join(f"{log.name}:\n{log.read_text(errors='replace')[-2500:]}" for log in logs)
