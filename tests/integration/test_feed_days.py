"""Reconciliation on the real embedded database: exact under repeats, and no dearer for a long history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import usage
from services.aggregator.adapters.claims import Claim
from services.aggregator.adapters.feeds import append_feed_days
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.aggregator.core.marks import Mark
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import MIGRATIONS, migrate, statements
from tests.aggregator_world import ZONE
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration

ZONE_INFO = ZoneInfo(ZONE)
START = date(2008, 6, 1)
RECEIVED = datetime(2008, 7, 1, tzinfo=UTC)
SOURCES = ("/a", "/b")


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    address = ClickHouseAddress(port=shared_chdb.port, database="feed_days")
    migrate(address)
    with open_clickhouse(address) as database:
        yield database
        database.run("DROP DATABASE feed_days")


def emptied(database: ClickHouse) -> None:
    for table in ("events", "feed_events", "feed_reports", "feed_days", "activity", "items", "touched"):
        database.run(f"TRUNCATE TABLE {table}")


def at(day: int, hour: int = 3) -> datetime:
    return datetime(2008, 6, 1, hour, tzinfo=UTC) + timedelta(days=day)


def mail(source: str, id: str, day: int, *, action: Any = "sent", hour: int = 3) -> usage.NormalisedEvent:
    data = usage.MailUse(actor="k1:a", kind="address", day=START, action=action)
    return usage.MailUsed(id=id, source=source, agency="a", time=at(day, hour), received=RECEIVED, data=data)


def record(source: str, id: str, day: int) -> usage.NormalisedEvent:
    data = usage.Item(agency="a", id=id, step="entered", day=START)
    return usage.RecordFiled(id=id, source=source, agency="a", time=at(day), received=RECEIVED, data=data)


def report(source: str, type: str, day: int, count: int, order: int, *, retracted: bool = False) -> Any:
    data = usage.FeedReport(type=type, day=START + timedelta(days=day), count=count, retracted=retracted)
    id = f"report/{type}/{day}/{order}"
    time = at(40) + timedelta(seconds=order)
    return usage.FeedReported(id=id, source=source, agency="a", time=time, received=RECEIVED, data=data)


def written(database: ClickHouse, events: list[Any]) -> None:
    write(database, fold(row for event in events for row in rows_from(event, ZONE_INFO)))


def brought_up(database: ClickHouse) -> None:
    marks = [Mark(*row) for row in database.rows("SELECT DISTINCT reads, agency, from_day, to_day FROM touched")]
    claim = Claim(database)
    append_feed_days(database, [mark for mark in marks if mark.reads.startswith("feed:")], claim)
    claim.end()


def held(database: ClickHouse) -> dict[tuple[str, str, date], tuple[int | None, int]]:
    rows = database.rows(
        "SELECT source, type, day, argMax(tuple(reported, counted), basis) FROM feed_days GROUP BY source, type, day"
    )
    return {(source, type, day): tuple(last) for source, type, day, last in rows}


def expected(events: list[Any]) -> dict[tuple[str, str, date], tuple[int | None, int]]:
    """Count in plain Python: different ids per source, type and local day of `time`; the latest report of each."""
    counted: dict[tuple[str, str, date], set[str]] = {}
    said: dict[tuple[str, str, date], tuple[datetime, int | None]] = {}
    for event in events:
        if isinstance(event, usage.FeedReported):
            key = (event.source, event.data.type, event.data.day)
            told = (event.time, None if event.data.retracted else event.data.count)
            said[key] = max(said.get(key, told), told, key=lambda one: one[0])
        else:
            kind = "mail.used" if isinstance(event, usage.MailUsed) else "record.filed"
            key = (event.source, kind, event.time.astimezone(ZONE_INFO).date())
            counted.setdefault(key, set()).add(event.id)
    return {
        key: (said[key][1] if key in said else None, len(counted.get(key, ())))
        for key in counted.keys() | {key for key, (_, count) in said.items() if count is not None}
    }


days = st.integers(0, 5)
names = st.sampled_from(["1", "2", "3", "4"])
sent = st.one_of(
    st.builds(
        mail, st.sampled_from(SOURCES), names, days,
        action=st.sampled_from(["sent", "read"]), hour=st.sampled_from([3, 18]),
    ),
    st.builds(record, st.sampled_from(SOURCES), names, days),
)  # fmt: skip
reports = st.tuples(
    st.sampled_from(SOURCES), st.sampled_from(["mail.used", "record.filed"]), days, st.integers(0, 4), st.booleans()
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), events=st.lists(sent, max_size=25), told=st.lists(reports, max_size=10))
def test_days_are_exact_whatever_is_repeated(database, data, events, told):
    """Shuffled, repeated, conflicting, cut into batches with rounds in between: the days are those of a plain count."""
    emptied(database)
    every = events + [report(*one[:4], order, retracted=one[4]) for order, one in enumerate(told)]
    mixed = data.draw(st.permutations(every + every[: len(every) // 2]))
    cut = data.draw(st.integers(0, len(mixed)))
    for part in (mixed[:cut], mixed[cut:]):
        if part:
            written(database, part)
            brought_up(database)

    # A day whose only report was taken back may stay as a row that says: not reported, none counted.
    found = {key: row for key, row in held(database).items() if row != (None, 0)}
    assert found == {key: row for key, row in expected(every).items() if row != (None, 0)}


def test_an_unchanged_day_is_not_written_again(database):
    """A round over days that did not change appends nothing."""
    emptied(database)
    written(database, [mail("/a", "1", 0), report("/a", "mail.used", 0, 1, 0)])
    brought_up(database)
    before = database.rows("SELECT count() FROM feed_days")
    written(database, [mail("/a", "1", 0)])
    brought_up(database)
    assert database.rows("SELECT count() FROM feed_days") == before


def test_an_archive_from_before_is_counted(database):
    """The migration counts what the archive already held, and may be applied again."""
    emptied(database)
    written(database, [mail("/a", "1", 0), mail("/a", "2", 0), record("/b", "1", 3)])
    database.run("TRUNCATE TABLE feed_events")
    text = (MIGRATIONS / "0006_rejected_and_feeds.sql").read_text(encoding="utf-8")
    for _ in range(2):
        for statement in statements(text):
            database.run(statement)
    brought_up(database)
    assert held(database) == {
        ("/a", "mail.used", START): (None, 2),
        ("/b", "record.filed", START + timedelta(days=3)): (None, 1),
    }


def test_a_long_history_costs_nothing(database):
    """Counting one day reads a small part of what a source ever sent."""
    emptied(database)
    database.run(
        "INSERT INTO feed_events SELECT '/a', toDate32('2000-01-01') + intDiv(number, 1000), 'mail.used', toString(number) "
        "FROM numbers(1000000)"
    )
    database.run("OPTIMIZE TABLE feed_events FINAL")
    day = date(2001, 5, 1)
    plan = database.rows(
        "EXPLAIN indexes = 1 SELECT uniqExact(id) FROM feed_events "
        "WHERE (source, day) IN (('/a', '2001-05-01'), ('/b', '2001-05-02'))"
    )
    granules = [line for (line,) in plan if "Granules:" in line]
    read, whole = (int(number) for number in granules[-1].split(":")[1].split("/"))
    assert whole > 100
    assert read <= 3

    claim = Claim(database)
    append_feed_days(database, [Mark("feed:/a", "", day, day)], claim)
    claim.end()
    assert held(database) == {("/a", "mail.used", day): (None, 1000)}
