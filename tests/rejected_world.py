"""A whole small system for tests of refused events: broker, database, gateway and aggregator as processes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clickhouse_driver.errors import ServerException

from schemas.directory import Directory
from schemas.revisions import REVISION, DirectoryRevision, PlanRevision, SourcesRevision
from schemas.sources import Sources
from schemas.topics import AGGREGATOR_GROUP, Topic
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.kafka import Message, open_producer
from services.infra.settled import committed, ends_of
from tests.aggregator_world import OFFICE, START, world_documents
from tests.fixtures.chdb import ROOT, ChdbServer
from tests.fixtures.gateway import Gateway, ensure
from tests.fixtures.needs import free_port
from tests.fixtures.tansu import Tansu

NOW = "2008-07-01T08:00:00+07:00"
PUBLISHED = datetime(2008, 5, 20, tzinfo=UTC)
SOURCE, TOKEN, OPERATIONS = "/office/b", "token-of-office-b", "token-of-operations"
PASSWORD, READER = "writes", "reads"
PLAN, DIRECTORY = world_documents()
FEED = {
    "id": "b.all",
    "title": {"vi": "Sở B"},
    "source": SOURCE,
    "types": ["record.filed", "official.joined", "mailbox.opened", "mail.used"],
    "covers": {"agencies": ["b"]},
    "owner": OFFICE | {"role": "feed-owner"},
}


def directory(*, with_b: bool) -> Directory:
    """Return the small world's directory with a feed of office b, and with or without that office."""
    document = DIRECTORY.model_dump(mode="json", by_alias=True)
    document["feeds"] = [FEED if with_b else FEED | {"covers": {"agencies": ["a"]}}]
    document["agencies"] = [one for one in document["agencies"] if with_b or one["id"] != "b"]
    return Directory.model_validate(document)


def sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


SOURCES = Sources.model_validate(
    {
        "sources": "dir",
        "in_force_from": "2008-01-01",
        "entries": [
            {
                "id": source,
                "types": ["record.filed", "official.joined", "mailbox.opened", "mail.used", "document.exchanged"],
                "agencies": {"all": True},
                "tokens": [{"sha256": sha256(token)}],
            }
            for source, token in ((SOURCE, TOKEN), ("/office/a", "token-of-office-a"))
        ]
        + [
            {
                "id": "/office/b/trying",
                "types": ["record.filed", "official.joined"],
                "agencies": {"all": True},
                "tokens": [{"sha256": sha256("token-of-trying")}],
                "sandbox": True,
            }
        ],
    }
)


def office_b_events(people: int = 12) -> list[dict[str, Any]]:
    """Return what office b states about itself: people, addresses, mail, records, and how much of it."""
    events: list[dict[str, Any]] = []

    def add(short: str, id: str, /, **data: Any) -> None:
        time_ = datetime(2008, 6, 20, 2, tzinfo=UTC) + timedelta(hours=len(events) % 40)
        events.append(
            {
                "specversion": "1.0",
                "id": id,
                "source": SOURCE,
                "type": f"vn.tiendo.{short}.v1",
                "time": time_.isoformat(),
                "agency": "b",
                "data": data,
            }
        )

    for n in range(people):
        first = (START + timedelta(days=n)).isoformat()
        add("official.joined", f"roster/{n}", stint=f"{n}", person=f"TN-{n}", agency="b", **{"from": first})
        if n % 3:
            address = f"vien.chuc{n}@b.x.gov.vn"
            add("mailbox.opened", f"box/{n}", stint=f"{n}", address=address, owner=f"TN-{n}", **{"from": first})
            add("mail.used", f"mail/{n}", address=address, day=f"2008-06-{n + 10:02d}", action="sent")
        add("record.filed", f"record/{n}", agency="b", id=f"r{n}", step="entered", day=f"2008-06-{n + 1:02d}")
        if n % 2:
            add("record.filed", f"record/{n}/2", agency="b", id=f"r{n}", step="adopted", day=f"2008-06-{n + 2:02d}")
    zone = timedelta(hours=7)
    sent: dict[tuple[str, str], int] = {}
    for one in events:
        day = (datetime.fromisoformat(one["time"]) + zone).date().isoformat()
        key = (one["type"].removeprefix("vn.tiendo.").removesuffix(".v1"), day)
        sent[key] = sent.get(key, 0) + 1
    for (short, day), count in sorted(sent.items()):
        add("feed.reported", f"feed/{short}/{day}", type=short, day=day, count=count)
    return events


class System:
    """Broker, database, gateway and aggregator; started by ``start``, ended by ``stop``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.broker = Tansu(folder / "tansu")
        self.database = ChdbServer(
            folder / "chdb" / "db", "--readonly-user", "reader",
            env={"TIENDO_CHDB_PASSWORD": PASSWORD, "TIENDO_CHDB_READONLY_PASSWORD": READER},
        )  # fmt: skip
        self.log = folder / "aggregator.log"
        self._folder = folder
        self._workers: list[subprocess.Popen[bytes]] = []
        self.gateway: Gateway

    def start(self) -> None:
        self.broker.start()
        self.database.start()
        ensure(self.broker.address)
        self.gateway = Gateway(
            self.broker.address,
            self._folder,
            TIENDO_CLOCK=NOW,
            TIENDO_CLICKHOUSE_PORT=str(self.database.port),
            TIENDO_CLICKHOUSE_USER="reader",
            TIENDO_CLICKHOUSE_PASSWORD=READER,
            TIENDO_INGEST_OPERATIONS_TOKEN_SHA256=sha256(OPERATIONS),
        )
        self.gateway.client.headers["Authorization"] = f"Bearer {TOKEN}"
        self.start_worker()

    def start_worker(self, **settings: str) -> subprocess.Popen[bytes]:
        environment = self.environment() | {
            "TIENDO_AGGREGATOR_PORT": str(free_port()),
            "TIENDO_AGGREGATOR_INTERVAL": "0.5",
            "TIENDO_CLOCK": NOW,
            **settings,
        }
        with self.log.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "services.aggregator"], cwd=ROOT, env=environment, stderr=log
            )
        self._workers.append(worker)
        return worker

    def stop(self) -> None:
        if hasattr(self, "gateway"):
            self.gateway.stop()
        for worker in self._workers:
            worker.kill()
            worker.wait(10)
        self.database.stop()
        self.broker.stop()

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TIENDO_")}
        return kept | {
            "TIENDO_KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "TIENDO_CLICKHOUSE_PORT": str(self.database.port),
            "TIENDO_CLICKHOUSE_PASSWORD": PASSWORD,
        }

    def publish(self, *revisions: Any) -> None:
        messages = [Message(Topic.PLANS.value, REVISION.dump_json(one, by_alias=True), b"k") for one in revisions]
        with open_producer(self.broker.address) as producer:
            producer.publish(messages)

    def publish_documents(self, *, with_b: bool) -> None:
        about: dict[str, Any] = {"revision": 1, "in_force_from": START, "published": PUBLISHED}
        self.publish(
            PlanRevision(id="plan", document=PLAN, **about),
            DirectoryRevision(id="dir", document=directory(with_b=with_b), **about),
            SourcesRevision(id="dir", document=SOURCES, **about),
        )

    def publish_office_b(self) -> None:
        later = PUBLISHED + timedelta(days=1)
        self.publish(
            DirectoryRevision(
                id="dir", document=directory(with_b=True), revision=2, in_force_from=START, published=later
            )
        )

    def post(self, events: list[dict[str, Any]]) -> Any:
        return self.gateway.post(json.dumps(events), "application/cloudevents-batch+json")

    def query(self, text: str) -> list[tuple[Any, ...]]:
        address = ClickHouseAddress(port=self.database.port, password=PASSWORD)
        with open_clickhouse(address) as database:
            return database.rows(text)

    def wait(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        until = time.monotonic() + seconds
        while True:
            try:
                found = condition()
                if found:
                    return found
            except (Transient, ServerException, OSError):
                pass
            assert time.monotonic() < until, self.log.read_text()[-3000:]
            time.sleep(0.2)

    def wait_until_counted(self, events: int) -> None:
        """Return once so many events are archived, all records are committed, and no mark is outstanding."""
        self.wait(lambda: self.query("SELECT uniqExact(source, id) FROM events") == [(events,)])
        ends = ends_of(self.broker.address, Topic.EVENTS)
        self.wait(lambda: committed(self.broker.address, AGGREGATOR_GROUP, Topic.EVENTS) == ends)
        self.wait(lambda: not self.query("SELECT 1 FROM outstanding LIMIT 1"))

    def tiendo(self, *arguments: str, code: int = 0) -> str:
        """Run a command as operations do; return what it printed."""
        environment = self.environment() | {
            "TIENDO_GATEWAY": str(self.gateway.client.base_url),
            "TIENDO_OPERATIONS_TOKEN": OPERATIONS,
            "TIENDO_CLOCK": NOW,
        }
        done = subprocess.run(
            [sys.executable, "-m", "services.cli", *arguments],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return facts, figures and days of feeds, without the moments of receipt and of writing."""
        columns = {
            "events": "source, id, payload_hash, any(type), any(agency), any(occurred), any(occurred_day), any(payload)",
            "memberships": "person, roster, agency, stint, source, version, any(from_day), any(to_day), any(retracted)",
            "mailboxes": "address, stint, source, version, any(owner), any(domain), any(from_day), any(retracted)",
            "activity": "actor, kind, day, action, source, retracted, max(version)",
            "items": "type, agency, id, step, source, version, any(day), any(retracted), any(weight)",
            "feed_reports": "source, type, day, version, any(count), any(retracted)",
            "feed_events": "source, day, type, id",
            "feed_days": "source, type, day, argMax(tuple(reported, counted), basis)",
            "adoption": "definition, agency, day, argMax(tuple(numerator, denominator, measured_share), basis)",
        }
        found = {}
        for table, wanted in columns.items():
            keys = ", ".join(name for name in wanted.split(", ") if "(" not in name and ")" not in name)
            found[table] = self.query(f"SELECT {wanted} FROM {table} GROUP BY {keys} ORDER BY {keys}")
        nothing = (0, 0)
        found["adoption"] = [row for row in found["adoption"] if tuple(row[3][:2]) != nothing]
        return found
