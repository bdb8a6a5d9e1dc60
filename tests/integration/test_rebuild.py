"""A rebuild on the real embedded database: what was damaged comes back, what was whole is found equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from schemas.revisions import PlanRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.rebuild_store import beside, held_state
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.aggregator.core.rebuilding import Stage
from services.aggregator.rebuild import abandon, rebuild
from services.aggregator.rebuild_task import Task
from services.core.errors import Rejected
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.aggregator_world import START
from tests.fixtures.chdb import ChdbServer
from tests.integration.rebuild_world import (
    CORRUPTIONS,
    NOWHERE,
    PLAN,
    RECEIVED,
    ZONE,
    ZONE_INFO,
    compute,
    facts,
    figures,
    fresh_fold,
    publish,
    put,
)
from tests.integration.test_aggregator import EVENTS
from tests.usage_events import event_lists

pytestmark = pytest.mark.integration


def clock() -> Any:
    return RECEIVED + timedelta(days=1)


@pytest.fixture(scope="module")
def address(shared_chdb: ChdbServer) -> Iterator[ClickHouseAddress]:
    """A database with the small world, written and computed."""
    address = ClickHouseAddress(port=shared_chdb.port, database="rebuilding")
    migrate(address)
    with open_clickhouse(address) as database:
        publish(database)
        put(database, EVENTS)
        compute(database)
    yield address
    with open_clickhouse(replace(address, database="default")) as server:
        server.run("DROP DATABASE IF EXISTS rebuilding SYNC")
        server.run("DROP DATABASE IF EXISTS rebuilding__rebuild SYNC")


@pytest.fixture(scope="module")
def wanted(shared_chdb: ChdbServer, address: ClickHouseAddress) -> tuple[Any, Any]:
    """The facts of a fresh fold, and the figures."""
    with open_clickhouse(address) as database:
        return fresh_fold(shared_chdb, EVENTS), figures(database)


@pytest.fixture
def database(address: ClickHouseAddress) -> Iterator[ClickHouse]:
    with open_clickhouse(address) as database:
        yield database


def task(address: ClickHouseAddress, **options: Any) -> Task:
    return Task(clickhouse=address, kafka=NOWHERE, zone=ZONE, chunk=100, pause=0.1, **options)


def test_whole_tables_are_found_equal_and_swapped(address, database, wanted):
    """Nothing was damaged: no difference, the new tables take the place of the old, no figure changes, nothing is left."""
    before = dict(database.rows("SELECT name, uuid FROM system.tables WHERE database = currentDatabase()"))
    report = rebuild(task(address), clock)
    after = dict(database.rows("SELECT name, uuid FROM system.tables WHERE database = currentDatabase()"))

    assert (report.differences, report.figures_compared, report.swapped) == ((), True, True)
    assert (report.events, report.figures_changed) == (len(EVENTS), 0)
    assert before["activity"] != after["activity"]
    assert before["events"] == after["events"]
    assert (facts(database), figures(database)) == wanted
    assert not database.rows("SELECT 1 FROM system.databases WHERE name = 'rebuilding__rebuild'")


@pytest.mark.parametrize(("table", "corrupt"), [pytest.param(t, c, id=f"{t}: {w}") for t, w, c in CORRUPTIONS])
def test_damage_is_shown_stops_the_swap_and_is_mended(address, database, wanted, table, corrupt):
    """Damage is named by its table and nothing is swapped; accepted, facts are a fresh fold's and figures as before."""
    corrupt(database)

    stopped = rebuild(task(address), clock)

    assert table in {difference.table for difference in stopped.differences}
    assert not stopped.swapped
    mended = rebuild(task(address, accept_differences=True), clock)
    assert mended.swapped
    assert mended.resumed
    assert (facts(database), figures(database)) == wanted


def test_only_the_tables_asked_for_are_swapped(address, database, wanted):
    """`--tables` leaves the others as they are, damage included."""
    database.run("TRUNCATE TABLE activity")
    database.run("TRUNCATE TABLE exchanges")
    rebuild(task(address, tables=("activity",), accept_differences=True), clock)
    held = facts(database)
    assert held["activity"] == wanted[0]["activity"]
    assert held["exchanges"] == []
    rebuild(task(address, accept_differences=True), clock)
    assert (facts(database), figures(database)) == wanted


def test_a_dry_run_swaps_nothing_and_a_later_run_goes_on(address, database, wanted):
    """What was made stays; other options are refused meanwhile; `--abandon` drops it and the running tables stay."""
    assert not rebuild(task(address, dry_run=True), clock).swapped
    state = held_state(address)
    assert state is not None
    assert state.stage is Stage.COMPARING
    with pytest.raises(Rejected, match="other options"):
        rebuild(task(address, tables=("items",)), clock)
    assert abandon(address)
    assert not abandon(address)
    assert (facts(database), figures(database)) == wanted


def test_a_damaged_payload_is_named(address, database, wanted):
    """A payload that does not fit its hash is neither believed nor passed over."""
    names = "source, id, payload_hash, type, agency, occurred, occurred_day, payload, received"
    database.run(
        f"INSERT INTO events ({names}) SELECT source, 'forged', payload_hash, type, agency, occurred, occurred_day, "
        "payload, received FROM events WHERE type = 'mail.used' LIMIT 1"
    )
    database.run(
        f"INSERT INTO events ({names}) SELECT source, 'torn', payload_hash, type, agency, occurred, occurred_day, "
        "substring(payload, 1, 40), received FROM events WHERE type = 'mail.used' LIMIT 1"
    )
    report = rebuild(task(address), clock)
    (found,) = [one for one in report.differences if one.table == "events"]
    assert found.different == 2
    assert "k1:" not in " ".join(found.examples)
    abandon(address)
    database.run("ALTER TABLE events DELETE WHERE id IN ('forged', 'torn') SETTINGS mutations_sync = 2")


def test_the_state_survives_as_json(address):
    """The position that is kept comes back as it was."""
    rebuild(task(address, dry_run=True), clock)
    state = held_state(address)
    assert state is not None
    assert state.position is not None
    assert msgspec.json.decode(json.dumps(msgspec.to_builtins(state)), type=type(state)) == state
    abandon(address)


STAGES = ("reading", "catching up", "comparing activity", "comparing figures", "swapping", "settling")


def test_no_order_of_a_workers_writes_and_the_swap_loses_a_fact(shared_chdb):
    """Archive rows written at any stage, their facts at the same or any later one: the new tables hold them all.

    Every event was received a day earlier than a copy that the rebuild has read before, so that a copy passed over shows.
    """
    address = ClickHouseAddress(port=shared_chdb.port, database="orders")
    migrate(address)
    pairs = [(a, b) for n, a in enumerate(STAGES) for b in (*STAGES[n:], "afterwards")]
    earlier = {
        pair: [
            msgspec.structs.replace(event, id=f"{n}/{event.id}", received=event.received - timedelta(days=1))
            for event in EVENTS[n % 5 :: 9]
        ]
        for n, pair in enumerate(pairs)
    }
    copies = [msgspec.structs.replace(e, received=RECEIVED) for events in earlier.values() for e in events[::2]]
    seen: list[str] = []
    try:
        with open_clickhouse(address) as database:

            def write_part(events: list[Any], *, archive: bool) -> None:
                for part in fold(row for event in events for row in rows_from(event, ZONE_INFO)).tables():
                    if (part.table == "events") == archive:
                        database.insert(part.table, part.names, part.columns)

            def tell(stage: str, done: int, total: int) -> None:
                if stage in STAGES and stage not in seen:
                    seen.append(stage)
                    for (first, second), events in earlier.items():
                        if first == stage:
                            write_part(events, archive=True)
                            # Merged with its copy, an event is not to be told by when it was stored first.
                            database.run("OPTIMIZE TABLE events FINAL")
                        if second == stage:
                            write_part(events, archive=False)

            publish(database)
            put(database, [*EVENTS, *copies])
            report = rebuild(task(address, accept_differences=True), clock, tell)
            for (_, second), events in earlier.items():
                if second == "afterwards":
                    write_part(events, archive=False)
            assert report.swapped
            assert tuple(seen) == STAGES
            assert facts(database) == fresh_fold(
                shared_chdb, [*EVENTS, *copies, *(e for events in earlier.values() for e in events)]
            )
    finally:
        with open_clickhouse(replace(address, database="default")) as server:
            server.run("DROP DATABASE orders SYNC")
            server.run("DROP DATABASE IF EXISTS orders__rebuild SYNC")


@given(events=event_lists)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_events_come_out_as_written(shared_chdb, events):
    """Any events, each twice with other moments of receipt, written in two cuts: the rebuilt facts are those written."""
    address = ClickHouseAddress(port=shared_chdb.port, database="any_events")
    later = [msgspec.structs.replace(event, received=event.received + timedelta(days=1)) for event in events]
    migrate(address)
    try:
        with open_clickhouse(address) as database:
            put(database, later)
            put(database, events[::-1])
            written = facts(database)
            report = rebuild(task(address), clock)
            assert report.differences == ()
            assert report.swapped
            assert facts(database) == written
    finally:
        with open_clickhouse(replace(address, database="default")) as server:
            server.run("DROP DATABASE any_events SYNC")
            server.run(f"DROP DATABASE IF EXISTS {beside(address).database} SYNC")


def test_what_a_revision_no_longer_asks_for_is_no_difference(shared_chdb):
    """Days of a dropped indicator that were computed before the revision are not computed again; the swap need not stop."""
    address = ClickHouseAddress(port=shared_chdb.port, database="dropping")
    migrate(address)
    with open_clickhouse(address) as database:
        publish(database)
        put(database, EVENTS)
        compute(database)
        fewer = PLAN.model_copy(update={"indicators": PLAN.indicators[1:], "in_force_from": START + timedelta(days=10)})
        later = PlanRevision(
            id="plan", document=fewer, revision=2, in_force_from=fewer.in_force_from, published=RECEIVED
        )
        store(database, later)
        compute(database)

        report = rebuild(task(address), clock)

        assert (report.differences, report.figures_compared, report.swapped) == ((), True, True)
        database.run("DROP DATABASE dropping SYNC")
