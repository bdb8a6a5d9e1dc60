"""A database with the small world's events, facts and figures, and what a rebuild must bring back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.aggregator.core.rebuilding import FACTS
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.kafka import KafkaAddress
from tests.aggregator_world import START, ZONE, world_documents
from tests.fixtures.chdb import ChdbServer

ZONE_INFO = ZoneInfo(ZONE)
PLAN, DIRECTORY = world_documents()
LAST = date(2008, 6, 30)
RECEIVED = datetime(2008, 6, 30, 3, tzinfo=UTC)
NOWHERE = KafkaAddress("127.0.0.1:1")
#: Facts as they hold: per key and version the values and the least receipt; of a deed its greatest version and since when.
_HELD = {
    "memberships": "SELECT person, roster, agency, stint, source, version, min(from_day), max(from_day), min(to_day), "
    "max(to_day), max(retracted), min(received) FROM {t} GROUP BY person, roster, agency, stint, source, version",
    "mailboxes": "SELECT address, stint, source, version, min(owner), max(owner), min(to_day), max(to_day), min(received) "
    "FROM {t} GROUP BY address, stint, source, version",
    "activity": "SELECT actor, kind, day, action, source, max(tuple(version, -toInt32(received_day), retracted)) FROM {t} "
    "GROUP BY actor, kind, day, action, source",
    "exchanges": "SELECT issuer, year, number, counterpart, step, source, version, min(day), max(day), min(received) "
    "FROM {t} GROUP BY issuer, year, number, counterpart, step, source, version",
    "items": "SELECT type, agency, id, step, source, version, min(day), max(day), min(weight), min(received) FROM {t} "
    "GROUP BY type, agency, id, step, source, version",
    "declarations": "SELECT agency, indicator, from_day, to_day, source, version, min(denominator), min(received) "
    "FROM {t} GROUP BY agency, indicator, from_day, to_day, source, version",
    "feed_reports": "SELECT source, type, day, version, min(count), max(count), min(received) FROM {t} "
    "GROUP BY source, type, day, version",
}
_REVISIONS = ("agencies", "agency_codes", "definitions", "feeds", "schedule", "scopes")


def publish(database: ClickHouse) -> None:
    """Store plan and directory."""
    about: dict[str, Any] = {"revision": 1, "in_force_from": START, "published": RECEIVED}
    store(database, PlanRevision(id="plan", document=PLAN, **about))
    store(database, DirectoryRevision(id="dir", document=DIRECTORY, **about))


def put(database: ClickHouse, events: list[Any]) -> None:
    """Write *events* as a worker does."""
    write(database, fold(row for event in events for row in rows_from(event, ZONE_INFO)))


def compute(database: ClickHouse) -> None:
    """Bring the figures up to the facts."""
    while recompute(database, complete=LAST, zone=ZONE_INFO).marks:
        pass


def facts(database: ClickHouse, prefix: str = "") -> dict[str, list[Any]]:
    """Return every table of facts as it holds, and the rows read off revisions."""
    held = {table: sorted(database.rows(_HELD[table].format(t=prefix + table))) for table in FACTS}
    read_off = {t: sorted(database.rows(f"SELECT * FROM {prefix}{t} FINAL"), key=repr) for t in _REVISIONS}
    return held | read_off


def figures(database: ClickHouse) -> list[Any]:
    """Return the current figures and days of feeds."""
    return sorted(
        database.rows(
            "SELECT definition, agency, day, argMax((numerator, denominator), basis) AS f FROM adoption "
            "GROUP BY definition, agency, day HAVING f != (0, 0)"
        )
    ) + sorted(
        database.rows(
            "SELECT source, type, day, argMax(tuple(ifNull(reported, 9999), counted), basis) FROM feed_days "
            "GROUP BY source, type, day"
        )
    )


def fresh_fold(server: ChdbServer, events: list[Any]) -> dict[str, list[Any]]:
    """Return the facts of *events* folded at once into an empty database."""
    address = ClickHouseAddress(port=server.port, database="fresh")
    migrate(address)
    with open_clickhouse(address) as database:
        publish(database)
        put(database, events)
        held = facts(database)
        database.run("DROP DATABASE fresh SYNC")
    return held


CORRUPTIONS: list[tuple[str, str, Callable[[ClickHouse], None]]] = [
    ("memberships", "rows dropped", lambda d: d.run(
        "ALTER TABLE memberships DELETE WHERE person IN ('k1:p3', 'k1:p8') SETTINGS mutations_sync = 2")),
    ("mailboxes", "rows dropped", lambda d: d.run(
        "ALTER TABLE mailboxes DELETE WHERE address = 'k1:m1' SETTINGS mutations_sync = 2")),
    ("items", "a wrong value beside the right one", lambda d: d.run(
        "INSERT INTO items SELECT * REPLACE (day + 1 AS day) FROM items LIMIT 3")),
    ("exchanges", "a wrong value instead of the right one", lambda d: d.run(
        "ALTER TABLE exchanges UPDATE day = day + 2 WHERE number = '3/VB' SETTINGS mutations_sync = 2")),
    ("activity", "rows that nobody stated", lambda d: d.run(
        "INSERT INTO activity SELECT * REPLACE ('k1:m59' AS actor) FROM activity LIMIT 2")),
    ("activity", "emptied", lambda d: d.run("TRUNCATE TABLE activity")),
    ("definitions", "a row dropped", lambda d: d.run(
        "ALTER TABLE definitions DELETE WHERE indicator = 'use' SETTINGS mutations_sync = 2")),
    ("schedule", "emptied", lambda d: d.run("TRUNCATE TABLE schedule")),
    ("adoption", "wrong figures", lambda d: d.run(
        "INSERT INTO adoption SELECT * REPLACE (now64(6) AS basis, numerator + 1 AS numerator) FROM adoption LIMIT 3")),
]  # fmt: skip
