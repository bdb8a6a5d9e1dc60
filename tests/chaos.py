"""Faults on purpose: workers, broker and database are killed and stopped while events flow; the end must be the oracle's."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
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
from schemas import usage
from schemas.revisions import REVISION, DirectoryRevision, PlanRevision
from schemas.topics import SHAPES, Topic
from services.core.definition import definition_of
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.kafka import Message, TopicSpec, ensure_topics, open_producer
from services.infra.settled import AGGREGATOR_GROUP, committed
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


def records_of(rng: random.Random, events: list[Any]) -> list[Message]:
    """Return *events* in order as records: some hold one event, some a batch of up to 50."""
    messages = []
    at = 0
    while at < len(events):
        size = rng.choice([1, 1, 1, 1, 1, 1, 2, 7, 50]) if rng.random() < 0.3 else 1
        part = events[at : at + size]
        at += size
        single = len(part) == 1 and rng.random() < 0.9
        value = usage.encode_one(part[0]) if single else usage.encode(part)
        kind = usage.SINGLE_CONTENT_TYPE if single else usage.BATCH_CONTENT_TYPE
        key = f"{part[0].agency}{rng.randrange(5)}".encode()
        messages.append(Message(Topic.EVENTS.value, value, key, (("content-type", kind.encode()),)))
    return messages


class Flow(threading.Thread):
    """Publishes records over about *seconds*, a chunk again and again until the broker has it."""

    def __init__(self, site: Site, messages: list[Message], seconds: float, *, chunk: int = 500) -> None:
        super().__init__(name="flow", daemon=True)
        self.site, self.messages, self.seconds, self.chunk = site, messages, seconds, chunk
        self.done = 0
        self.fault: BaseException | None = None
        self.stopping = threading.Event()

    def run(self) -> None:
        try:
            self._publish()
        except BaseException as fault:
            self.fault = fault

    def _publish(self) -> None:
        chunk = self.chunk
        pause = self.seconds * chunk / max(1, len(self.messages))
        with open_producer(self.site.broker.address, patience=5) as producer:
            for start in range(0, len(self.messages), chunk):
                began = time.monotonic()
                while not self.stopping.is_set():
                    try:
                        producer.publish(self.messages[start : start + chunk])
                        break
                    except Transient:
                        time.sleep(0.2)
                self.done = start + chunk
                self.stopping.wait(max(0.0, pause - (time.monotonic() - began)))


@dataclass
class Chaos:
    """Faults at random on a site while *flow* runs; every draw comes from *rng*, so that a seed names a run."""

    site: Site
    rng: random.Random
    workers: list[str]
    away: float
    stalls: tuple[float, float] = (7.0, 12.0)
    counts: dict[str, int] = field(default_factory=dict)
    _stopped: dict[int, float] = field(default_factory=dict)

    def run(self, flow: Flow, pause: tuple[float, float]) -> None:
        """Do every fault at least once, in random order, and go on until the flow has ended."""
        faults = ["kill worker", "stall leader", "stall worker", "kill broker", "kill database", "database away"]
        due: list[str] = []
        while flow.is_alive() or len(self.counts) < len(faults):
            again = len(self.counts) == len(faults)
            due = due or self.rng.sample([f for f in faults if not (again and f == "database away")], k=5 + (not again))
            self._sleep(self.rng.uniform(*pause))
            fault = due.pop()
            self.counts[fault] = self.counts.get(fault, 0) + 1
            self._do(fault)
        self._sleep(max([0.0, *(until - time.monotonic() for until in self._stopped.values())]))
        self._wake(everyone=True)

    def _do(self, fault: str) -> None:
        site = self.site
        match fault:
            case "kill worker":
                name = self.rng.choice(self.workers)
                site.say(f"kill -9 {name}")
                site.signal(name, signal.SIGKILL)
            case "stall leader" | "stall worker":
                leaders = [name for name in self.workers if site.metric(name, "tiendo_aggregator_leader")]
                wanted = leaders if fault == "stall leader" and leaders else self.workers
                name, seconds = self.rng.choice(wanted), self.rng.uniform(*self.stalls)
                site.say(f"SIGSTOP {name}{' (leader)' if name in leaders else ''} for {seconds:.1f} s")
                self._stopped[site.signal(name, signal.SIGSTOP)] = time.monotonic() + seconds
            case "kill broker":
                seconds = self.rng.uniform(0, 3)
                site.say(f"kill -9 broker, away for {seconds:.1f} s")
                site.broker.kill9()
                self._sleep(seconds)
                site.broker.start()
            case "kill database" | "database away":
                seconds = self.away if fault == "database away" else self.rng.uniform(0, 2)
                site.say(f"kill -9 database, away for {seconds:.1f} s")
                site.database.stop(kill=True)
                self._sleep(seconds)
                site.database.start()

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._wake()
            time.sleep(min(0.1, left))
        self._wake()

    def _wake(self, *, everyone: bool = False) -> None:
        for pid, until in list(self._stopped.items()):
            if everyone or time.monotonic() >= until:
                del self._stopped[pid]
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


def summary(chaos: Chaos, **more: Any) -> str:
    """Return one line of JSON that says what a round was."""
    restarts = {name: chaos.site.supervisor.restarts(name) for name in chaos.workers}
    return json.dumps({"faults": chaos.counts, "restarts": restarts, **more}, sort_keys=True)
