"""Where a rebuild keeps its tables and its position: a database of its own beside the running one."""

from __future__ import annotations

import fcntl
import hashlib
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

import msgspec

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import Row
from services.aggregator.core.rebuilding import ARCHIVE, READ_ALONG, TABLES, Revision, State
from services.core.errors import Rejected, Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate

_ROWS_AT_ONCE: Final = 50_000
_BARRIER_SECONDS: Final = 600.0


def beside(address: ClickHouseAddress) -> ClickHouseAddress:
    """Return where the rebuilt tables stand until they are swapped: tables of the same names, so that all SQL fits."""
    return replace(address, database=f"{address.database}__rebuild")


@contextmanager
def alone(address: ClickHouseAddress) -> Iterator[None]:
    """Hold the right to rebuild this database on this machine; the kernel frees it with the process.

    Raises Rejected while another process holds it.
    """
    where = f"{address.host}:{address.port}/{address.database}"
    name = f"tiendo-rebuild-{hashlib.blake2b(where.encode(), digest_size=8).hexdigest()}.lock"
    with (Path(tempfile.gettempdir()) / name).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            raise Rejected(f"another rebuild of {where} is running on this machine") from fault
        yield


def held_state(address: ClickHouseAddress) -> State | None:
    """Return how far the rebuild under way is; None where there is none, or one that had not yet begun to read."""
    other = beside(address)
    with open_clickhouse(address) as running:
        found = running.rows(
            "SELECT count() FROM system.tables WHERE database = %(name)s AND name = 'rebuilds'",
            {"name": other.database},
        )
    if not found[0][0]:
        return None
    with open_clickhouse(other) as rebuilt:
        rows = rebuilt.rows("SELECT argMax(state, number), count() FROM rebuilds")
    return msgspec.json.decode(rows[0][0], type=State) if rows[0][1] else None


def keep(rebuilt: ClickHouse, state: State) -> None:
    """Keep *state* durably."""
    rebuilt.run(
        "INSERT INTO rebuilds SELECT max(number) + 1, %(state)s, now64(6) FROM rebuilds",
        {"state": msgspec.json.encode(state).decode()},
    )


def drop(address: ClickHouseAddress) -> bool:
    """Drop what a rebuild holds; return whether there was anything."""
    name = beside(address).database
    with open_clickhouse(replace(address, database="default")) as server:
        found = bool(server.rows("SELECT 1 FROM system.databases WHERE name = %(name)s", {"name": name}))
        if found:
            server.run(f"DROP DATABASE IF EXISTS {name} SYNC")
    return found


def begin(address: ClickHouseAddress, state: State) -> None:
    """Make empty tables beside the running ones; what is not rebuilt is seen through views. Then keep *state*."""
    drop(address)
    other = beside(address)
    with open_clickhouse(address) as running:
        engine = running.rows("SELECT engine FROM system.databases WHERE name = currentDatabase()")[0][0]
    if engine != "Atomic":
        raise Rejected(f"tables can be swapped in a database of engine Atomic only; {address.database} is {engine}")
    migrate(other)
    with open_clickhouse(other) as rebuilt:
        if state.source != "kafka":
            rebuilt.run("DROP VIEW IF EXISTS feed_events_of_events SYNC")
        for table in (*TABLES, *READ_ALONG):
            if table in state.tables or (table in ARCHIVE and state.source == "kafka"):
                continue
            rebuilt.run(f"DROP TABLE {table} SYNC")
            rebuilt.run(f"CREATE VIEW {table} AS SELECT * FROM {address.database}.{table}")
        rebuilt.run(
            "CREATE TABLE rebuilds (number UInt64, state String, at DateTime64(6, 'UTC')) "
            "ENGINE = MergeTree ORDER BY number"
        )
        keep(rebuilt, state)


def barrier(running: ClickHouse) -> str:
    """Return a moment of the database's clock; every insert that began before it has ended when this returns.

    So whatever carries an earlier moment as ``stored`` can be read. Raises Transient after ten minutes.
    """
    ((moment,),) = running.rows("SELECT toString(now64(6, 'UTC'))")
    inserts = "SELECT query_id FROM system.processes WHERE query_kind IN ('Insert', 'AsyncInsertFlush')"
    waited_for = {row[0] for row in running.rows(inserts)}
    until = monotonic() + _BARRIER_SECONDS
    while waited_for:
        waited_for &= {row[0] for row in running.rows(inserts)}
        if waited_for and monotonic() > until:
            raise Transient("inserts that began ten minutes ago have not ended")
        sleep(0.02 if waited_for else 0)
    return str(moment)


def swap(running: ClickHouse, address: ClickHouseAddress, uuids: dict[str, str]) -> None:
    """Exchange the tables of *uuids* that have not been exchanged yet; harmless when repeated."""
    other = beside(address).database
    for table, new in uuids.items():
        present = uuids_of(running, address.database, [table])
        if present[table] != new:
            running.run(f"EXCHANGE TABLES {address.database}.{table} AND {other}.{table}")


def uuids_of(database: ClickHouse, name: str, tables: Sequence[str]) -> dict[str, str]:
    """Return table → the engine's own id of it, which goes with the table when names are exchanged."""
    rows = database.rows(
        "SELECT name, toString(uuid) FROM system.tables WHERE database = %(name)s AND name IN %(tables)s",
        {"name": name, "tables": tuple(tables)},
    )
    return dict(rows)


def check_shapes(running: ClickHouse, address: ClickHouseAddress, tables: Sequence[str]) -> None:
    """Raise Rejected where old and new tables no longer have the same columns (an upgrade came between)."""
    rows = running.rows(
        "SELECT table FROM (SELECT table, database, groupArray((name, type)) AS shape FROM ("
        "SELECT table, database, name, type FROM system.columns WHERE database IN %(databases)s AND table IN %(tables)s "
        "ORDER BY table, database, position) GROUP BY table, database) GROUP BY table HAVING uniqExact(shape) != 1",
        {"databases": (address.database, beside(address).database), "tables": tuple(tables)},
    )
    if rows:
        names = ", ".join(sorted(row[0] for row in rows))
        raise Rejected(
            f"{names}: the columns have changed since the rebuild began; `tiendo rebuild --abandon`, then anew"
        )


def insert_facts(database: ClickHouse, rows: Iterable[Row], tables: Sequence[str]) -> None:
    """Write those of *rows* that belong into *tables*, in any order, as often as one likes."""
    for part in fold(rows).tables():
        if part.table not in tables:
            continue
        database.insert(part.table, part.names, part.columns)


def insert_documents(database: ClickHouse, tables: Sequence[str], rows: Iterable[tuple[str, Any]]) -> None:
    """Write rows that are read off revisions, of *tables* alone; of rows with one key the last one stays."""
    left = ((table, row) for table, row in rows if table in tables)
    while part := list(islice(left, _ROWS_AT_ONCE)):
        for table in dict.fromkeys(table for table, _ in part):
            mine = [row for name, row in part if name == table]
            columns: list[Any] = list(zip(*mine, strict=True))
            database.insert(table, mine[0]._fields, columns)


def revisions(running: ClickHouse) -> list[Revision]:
    """Return the revisions of plans and directories in the order in which they were published."""
    rows = running.rows(
        "SELECT kind, id, revision, in_force_from, published, document FROM plan_revisions FINAL "
        "WHERE kind IN ('plan', 'directory') ORDER BY published, kind, id, revision"
    )
    found: list[Revision] = []
    for kind, id_, number, in_force, published, document in rows:
        about = {"id": id_, "revision": number, "in_force_from": in_force, "published": published}
        if kind == "plan":
            found.append(PlanRevision(document=Plan.model_validate_json(document), **about))
        else:
            found.append(DirectoryRevision(document=Directory.model_validate_json(document), **about))
    return found
