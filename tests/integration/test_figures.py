"""Figures in SQL against a naive oracle, on the real embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from schemas import usage
from services.aggregator.adapters.recompute import recompute
from services.infra.clickhouse.client import ClickHouse
from tests.figures_world import (
    LAST,
    LATER,
    RECEIVED,
    ZONE_INFO,
    amount,
    asked,
    day,
    emptied,
    exchanged,
    expected,
    joined,
    opened,
    sent,
    stated,
    with_shares,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The small world, without facts."""
    with world_database(shared_chdb, "figures") as database:
        yield database


WORLDS = [
    pytest.param(
        [joined("p1", "a", "06-01"), joined("p2", "a1", "06-01", "06-10"), opened("m1", "p1", "06-05"),
         opened("m2", "p2", "06-01", domain="deep.sub.x.gov.vn"), opened("m3", "p1", "06-01", domain="notx.gov.vn")],
        {("mailboxes", "a", "06-04"): (1, 2), ("mailboxes", "a", "06-05"): (2, 2), ("mailboxes", "a", "06-11"): (1, 1)},
        id="members: subdomains count, look-alike domains do not, people below count for their judged ancestor",
    ),
    pytest.param(
        [joined("p1", "a", "06-01", "06-10"), joined("p1", "b", "06-11"), opened("m1", "p1", "06-01"),
         sent("m1", "06-09")],
        {("use", "a", "06-10"): (1, 1), ("use", "b", "06-11"): (1, 1), ("use", "b", "06-15"): (1, 1),
         ("use", "b", "06-16"): (0, 1), ("use", "a", "06-11"): None},
        id="activity: who moves takes what they did along",
    ),
    pytest.param(
        [joined("p1", "a", "06-01"), joined("p2", "a", "06-01"), opened("m1", "p1", "06-01", "06-10"),
         opened("m1", "p2", "06-11"), sent("m1", "06-10"), sent("m1", "06-12"), sent("nobody", "06-01")],
        {("use", "a", "06-10"): (1, 2), ("use", "a", "06-12"): (2, 2), ("use", "a", "06-17"): (1, 2),
         ("use-often", "a", "06-12"): (0, 2)},
        id="activity: an address that passes on counts for its owner of the day; one without an owner for nobody",
    ),
    pytest.param(
        [joined("p1", "a", "06-01"), opened("m1", "p1", "06-01"), opened("m2", "p1", "06-01"),
         sent("m1", "06-02"), sent("m2", "06-02"), sent("p1", "06-09", kind="person", source="/two")],
        {("mailboxes", "a", "06-02"): (1, 1), ("use-often", "a", "06-02"): (0, 1), ("use-often", "a", "06-09"): (1, 1),
         ("use-often", "a", "06-10"): (1, 1), ("use-often", "a", "06-11"): (0, 1)},
        id="activity: two addresses on one day are one day of one person; a second source adds to it",
    ),
    pytest.param(
        [exchanged("1", "adopted", "07-03", issued="06-28"), exchanged("2", "entered", "06-02"),
         exchanged("3", "adopted", "06-05"), exchanged("3", "undone", "06-05"),
         exchanged("4", "adopted", "06-04", issuer="edoc:A", counterpart="edoc:B"),
         exchanged("5", "adopted", "06-04", issuer="edoc:nobody", counterpart="edoc:L")],
        {("exchanged", "a", "06-01"): (0, 1), ("exchanged", "a", "06-02"): (0, 2), ("exchanged", "a", "06-06"): (0, 2),
         ("exchanged", "a", "06-28"): (0, 3), ("exchanged", "a", "07-03"): (1, 3), ("exchanged", "b", "07-03"): None},
        id="items: sent in one month, accepted in the next; undone wins on equal days; exactly one party leads",
    ),
    pytest.param(
        [exchanged("1", "entered", "06-03", source="/paper"),
         exchanged("1", "adopted", "06-04", issuer="agency:lead", counterpart="agency:a", source="/electronic"),
         exchanged("2", "entered", "06-29", issued="06-29", counterpart="edoc:A1"),
         exchanged("3", "entered", "07-02", issued="07-02", counterpart="edoc:A1")],
        {("exchanged", "a", "06-04"): (1, 1), ("exchanged", "a", "07-02"): (1, 2), ("exchanged", "b", "07-02"): (0, 1)},
        id="items: two sources with two names of one party meet; a code means whom it meant on the day of issue",
    ),
    pytest.param(
        [stated(usage.RecordFiled, agency="a", id="1", step="entered", day=day("06-01")),
         stated(usage.RecordFiled, agency="a", id="1", step="adopted", day=day("06-03")),
         stated(usage.RecordFiled, agency="a", id="1", step="adopted", day=day("06-08"), time=LATER, received=LATER),
         stated(usage.RecordFiled, agency="a1", id="1", step="entered", day=day("06-05")),
         stated(usage.RecordFiled, agency="a1", id="1", step="entered", day=day("06-05"), retracted=True, time=LATER)],
        {("records", "a", "06-03"): (0, 1), ("records", "a", "06-08"): (1, 1)},
        id="items: a correction moves the day, a retraction takes the item away",
    ),
    pytest.param(
        [joined("p1", "c", "06-01"), stated(usage.MilestoneReached, agency="c", id="p/1", step="entered", day=day("06-02"),
                                            weight=Decimal("2.5")),
         stated(usage.MilestoneReached, agency="a", id="p/1", step="entered", day=day("06-02"), weight=Decimal("3")),
         stated(usage.MilestoneReached, agency="a", id="p/2", step="adopted", day=day("06-04"), weight=Decimal("0.5"))],
        {("milestones", "c", "06-02"): (0, Decimal("2.5")), ("milestones", "a", "06-03"): (0, 3),
         ("milestones", "a", "06-04"): (Decimal("0.5"), 3)},
        id="progress: weights, exactly",
    ),
    pytest.param(
        [amount("a", "budgeted", "1", "06-02", "1000000001"), amount("a", "budgeted", "2", "06-03", "99999999999999"),
         amount("a1", "disbursed", "3", "06-04", "0.0001"), amount("a", "disbursed", "4", "06-05", "33333333333333"),
         amount("a", "proposed", "1", "05-26", "7"), amount("a", "proposed", "2", "06-02", "3"),
         amount("a", "approved", "1", "05-23", "9"), amount("a", "approved", "2", "06-06", "8.5"),
         amount("a", "delivered", "1", "06-06", "2")],
        {("money", "a", "06-02"): (0, 1000000001), ("money", "a", "06-03"): (0, 100001000000000),
         ("money", "a", "06-05"): (Decimal("33333333333333.0001"), 100001000000000),
         ("approved", "a", "06-01"): (0, 7), ("approved", "a", "06-06"): (Decimal("8.5"), 10),
         ("paid", "a", "06-05"): None, ("paid", "a", "06-06"): (Decimal("33333333333333.0001"), 2)},
        id="money: to the đồng, of the stages that the measure names, from the day that it names",
    ),
    pytest.param(
        [amount("a", "budgeted", "1", "06-03", "500", source="/two", time=LATER, received=LATER),
         amount("a", "budgeted", "1", "06-02", "400"), amount("b", "budgeted", "1", "06-02", "30"),
         amount("a", "disbursed", "9", "06-04", "100"), amount("a", "disbursed", "9", "06-04", "10", time=LATER),
         amount("a", "disbursed", "8", "06-04", "77"), amount("a", "disbursed", "8", "06-04", "77", retracted=True, time=LATER),
         amount("a", "disbursed", "7", "06-05", "5"), amount("a", "disbursed", "7", "06-08", "5", time=LATER),
         amount("b", "disbursed", "6", "06-04", "1"), amount("b", "disbursed", "6", "06-04", "1")],
        {("money", "a", "06-02"): (0, 500), ("money", "a", "06-03"): (0, 500), ("money", "a", "06-07"): (10, 500),
         ("money", "a", "06-08"): (15, 500), ("money", "b", "06-04"): (1, 30)},
        id="money: a paper in two registers counts once, as said last; corrections, what is taken back, what comes twice",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("events", "wanted"), WORLDS)
def test_small_worlds(database, events, wanted):
    """What the design says of a situation is what SQL and oracle answer."""
    emptied(database)
    written(database, events)

    found = asked(database)

    assert with_shares(database) == expected(events)
    picked = {key: found.get((key[0], key[1], day(key[2]))) for key in wanted}
    assert picked == wanted


def test_known_at_forgets_what_came_later(database):
    """As known at a moment, a later correction has not happened."""
    events = [
        joined("p1", "a", "06-01"),
        joined("p1", "a", "06-20", time=LATER, received=LATER),
        opened("m1", "p1", "06-01"),
        sent("m1", "06-02"),
        sent("m1", "06-02", time=LATER, received=LATER, retracted=True),
    ]
    emptied(database)
    written(database, events)

    before = asked(database, RECEIVED)

    assert with_shares(database, RECEIVED) == expected(events, RECEIVED)
    assert before[("use", "a", day("06-02"))] == (1, 1)
    assert ("use", "a", day("06-02")) not in asked(database)


def test_a_round_without_news_appends_nothing(database):
    """Recomputing what has not changed leaves the table of figures as it is."""
    emptied(database)
    events = [joined("p1", "a", "06-01"), opened("m1", "p1", "06-01")]
    written(database, events)
    recompute(database, complete=LAST, zone=ZONE_INFO)
    count = database.rows("SELECT count() FROM adoption")

    written(database, events)
    done = recompute(database, complete=LAST, zone=ZONE_INFO)

    assert done.marks > 0
    assert database.rows("SELECT count() FROM adoption") == count
    assert recompute(database, complete=LAST, zone=ZONE_INFO).marks == 0


def test_feed_days_count_different_ids(database):
    """A feed's day says what was reported and how many different ids were counted; repeats do not count."""
    emptied(database)
    deed = sent("m1", "06-02")
    report = stated(usage.FeedReported, type="mail.used", day=day("07-10"), count=2)
    written(database, [deed, deed, report])
    recompute(database, complete=LAST, zone=ZONE_INFO)
    written(database, [deed, sent("m1", "06-03")])
    recompute(database, complete=LAST, zone=ZONE_INFO)

    rows = database.rows(
        "SELECT source, type, day, argMax(tuple(reported, counted), basis) FROM feed_days GROUP BY source, type, day"
    )
    assert rows == [("/one", "mail.used", day("07-10"), (2, 2))]
    assert database.rows("SELECT count() FROM feed_days") == [(2,)]
