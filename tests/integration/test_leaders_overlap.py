"""Two leaders at once: nothing that a stalled or killed one still appends can win over newer facts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas import usage
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters import claims
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.aggregator_world import START, ZONE
from tests.chaos_site import DIRECTORY, PLAN, held_feed_days, held_figures
from tests.chaos_world import FastOracle, expected_feed_days, expected_figures
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration

ZONE_INFO = ZoneInfo(ZONE)
LAST = date(2008, 6, 5)
TIME = datetime(2008, 6, 4, 9, tzinfo=UTC)


class Killed(Exception):
    """The worker was killed."""


class Scripted(ClickHouse):
    """A connection whose first append to *table* can be held up: before it, between its reading and its landing, after it.

    ``read`` is set once the append has read; it lands when ``landing`` returns. The server does the same with an append
    that takes long: it reads a state, and the rows appear at the end, whatever has become of the client.
    """

    def __init__(
        self, address: ClickHouseAddress, table: str, *, killed: bool = False,
        before: Callable[[], object] = lambda: None, landing: Callable[[], object] | None = None,
        after: Callable[[], object] = lambda: None, clearing: Callable[[], object] = lambda: None,
    ) -> None:  # fmt: skip
        super().__init__(address)
        self.table, self.killed = table, killed
        self.before, self.landing, self.after, self.clearing = before, landing, after, clearing
        self.read = threading.Event()

    def run(self, query: str, params: dict[str, Any] | None = None) -> None:
        """Execute a statement as scripted."""
        if f"INSERT INTO {self.table} " not in query or self.read.is_set():
            super().run(query, params)
            return
        self.before()
        if self.landing is None:
            super().run(query, params)
            self.read.set()
        else:
            super().run(f"CREATE TABLE late_{self.table} AS {self.table} ENGINE = Memory")
            super().run(query.replace(f"INSERT INTO {self.table} ", f"INSERT INTO late_{self.table} "), params)
            self.read.set()
            self.landing()
            super().run(f"INSERT INTO {self.table} SELECT * FROM late_{self.table}")
        self.after()
        if self.killed:
            raise Killed

    def insert(self, table: str, names: Any, columns: Any) -> None:
        """Insert rows; the clearing of marks can be held up."""
        if table == "touched" and "cleared" in names:
            self.clearing()
        super().insert(table, names, columns)


class World:
    """A migrated database with officials of one agency."""

    def __init__(self, address: ClickHouseAddress, database: ClickHouse) -> None:
        self.address, self.database = address, database
        self.events: list[Any] = []

    def state(self, person: str, *, hours: int, retracted: bool = False) -> None:
        """State that *person* is an official since the start, and report on the feed that says so."""
        about = {"source": "/one", "agency": "root", "received": TIME, "time": TIME + timedelta(hours=hours)}
        span = usage.MembershipSpan(
            person=person, agency="a", roster="officials", stint="1", from_=START, retracted=retracted
        )
        count = usage.FeedReport(type="mail.used", day=TIME.date(), count=10 + int(person == "p2" and not retracted))
        new = [
            usage.OfficialJoined(id=f"{person}{hours}", data=span, **about),
            usage.FeedReported(id=f"report{hours}", data=count, **about),
        ]
        self.events += new
        write(self.database, fold(row for event in new for row in rows_from(event, ZONE_INFO)))

    def round(self, database: ClickHouse | None = None) -> None:
        recompute(database or self.database, complete=LAST, zone=ZONE_INFO)

    def in_background(self, database: ClickHouse) -> threading.Thread:
        def work() -> None:
            with suppress(Killed):
                self.round(database)
            database.close()

        thread = threading.Thread(target=work)
        thread.start()
        return thread

    def check(self) -> None:
        """Assert that nothing is outstanding and that everything held is the oracle's."""
        assert self.database.rows("SELECT * FROM outstanding") == []
        assert held_figures(self.database) == expected_figures(FastOracle(self.events, PLAN, DIRECTORY, ZONE), LAST)
        assert held_feed_days(self.database) == expected_feed_days(self.events)


@pytest.fixture
def world(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[World]:
    """A world whose figures are up to date, with one official."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        about = {"revision": 1, "in_force_from": START, "published": datetime(2008, 5, 20, tzinfo=UTC)}
        store(database, DirectoryRevision(id="dir", document=DIRECTORY, **about))
        store(database, PlanRevision(id="plan", document=PLAN, **about))
        world = World(address, database)
        world.state("p1", hours=0)
        world.round()
        world.check()
        yield world


TABLES = pytest.mark.parametrize("table", ["adoption", "feed_days"])


@TABLES
def test_what_a_killed_leader_appends_late_does_not_win(world, table):
    """A's append reads one state and lands after B has computed the next, which is the one before; A was killed meanwhile."""
    land = threading.Event()
    a = Scripted(world.address, table, killed=True, landing=lambda: land.wait(60))
    world.state("p2", hours=1)
    thread = world.in_background(a)
    assert a.read.wait(60)

    world.state("p2", hours=2, retracted=True)
    world.round()
    land.set()
    thread.join(60)

    world.round()
    world.check()


@TABLES
def test_a_leader_that_ends_before_the_other_clears_does_not_win(world, table):
    """B has compared before A's append lands and clears its marks after A has ended: neither keeps an older figure."""
    ended, compared = threading.Event(), threading.Event()
    a = Scripted(world.address, table, landing=lambda: compared.wait(60))
    b = Scripted(world.address, table, after=compared.set, clearing=lambda: ended.wait(60))
    world.state("p2", hours=1)
    first = world.in_background(a)
    assert a.read.wait(60)

    world.state("p2", hours=2, retracted=True)
    second = world.in_background(b)
    first.join(60)
    ended.set()
    second.join(60)

    world.round()
    world.check()


def test_an_append_that_begins_too_late_is_refused(world, monkeypatch):
    """A leader that stalls between its announcement and its append appends nothing; the round is done again."""
    monkeypatch.setattr(claims, "_BEGIN_WITHIN", timedelta(seconds=0.3))
    a = Scripted(world.address, "adoption", before=lambda: threading.Event().wait(0.6))
    world.state("p2", hours=1)

    with pytest.raises(Transient):
        world.round(a)
    a.close()

    assert held_figures(world.database) == expected_figures(FastOracle(world.events[:2], PLAN, DIRECTORY, ZONE), LAST)
    monkeypatch.undo()
    world.round()
    world.check()


def test_a_dead_leaders_announcement_passes(world):
    """While a dead leader may still append, a round appends everything; afterwards only what has changed."""
    a = Scripted(world.address, "adoption", killed=True)
    world.state("p2", hours=1)
    with pytest.raises(Killed):
        world.round(a)
    a.close()

    def appended() -> int:
        (before,) = world.database.rows("SELECT toUnixTimestamp64Micro(max(basis)) FROM adoption")[0]
        world.state("p2", hours=1)
        world.round()
        return int(
            world.database.rows(
                "SELECT count() FROM adoption WHERE toUnixTimestamp64Micro(basis) > %(before)s", {"before": before}
            )[0][0]
        )

    assert appended() > 0
    assert appended() > 0
    world.database.run("INSERT INTO recomputations (round, until) SELECT DISTINCT round, now64(6) FROM recomputations")
    assert appended() == 0
    world.check()
