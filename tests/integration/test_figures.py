"""Figures in SQL against a naive oracle, on the real embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import usage
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.definitions import definitions, queries
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.figures import figures
from services.aggregator.adapters.recompute import recompute
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.core.definition import definition_of
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.aggregator_world import START, ZONE, world_documents
from tests.fixtures.chdb import ChdbServer
from tests.oracle import Oracle
from tests.usage_events import event_lists, moments

pytestmark = pytest.mark.integration

ZONE_INFO = ZoneInfo(ZONE)
PLAN, DIRECTORY = world_documents()
LAST = date(2008, 7, 12)
RECEIVED = datetime(2008, 7, 10, 9, tzinfo=UTC)
FACTS = ["events", "memberships", "mailboxes", "activity", "exchanges", "items", "declarations", "feed_reports"]
FIGURES = ["touched", "adoption", "feed_days"]
INDICATORS = {
    definition.hash: indicator
    for indicator in PLAN.indicators
    if (definition := definition_of(indicator, PLAN)) is not None
}


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """A migrated database with the small world's plan and directory, the plan having come first."""
    address = ClickHouseAddress(port=shared_chdb.port, database="figures")
    migrate(address)
    with open_clickhouse(address) as database:
        published = datetime(2008, 5, 20, tzinfo=UTC)
        about = {"revision": 1, "in_force_from": START, "published": published}
        store(database, PlanRevision(id="plan", document=PLAN, **about))
        store(database, DirectoryRevision(id="dir", document=DIRECTORY, **about))
        yield database
        database.run("DROP DATABASE figures")


def emptied(database: ClickHouse) -> None:
    """Forget all facts and figures; mark everything, as the plan did when it came."""
    for table in [*FACTS, *FIGURES]:
        database.run(f"TRUNCATE TABLE {table}")


def written(database: ClickHouse, events: list[Any]) -> None:
    write(database, fold(row for event in events for row in rows_from(event, ZONE_INFO)))


def asked(
    database: ClickHouse, known_at: datetime | None = None
) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
    """Return (indicator, agency, day) → figure, straight from the facts."""
    found = {}
    for definition in definitions(database):
        for query in queries(definition, START, LAST, known_at=known_at, zone=ZONE_INFO):
            for one in figures(database, query):
                name = INDICATORS[definition.definition].id
                found[(name, one.agency, one.day)] = (one.numerator, one.denominator)
    return found


def held(database: ClickHouse) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
    """Return (indicator, agency, day) → figure, as ``adoption`` holds it."""
    rows = database.rows(
        "SELECT definition, agency, day, argMax(numerator, basis), argMax(denominator, basis) AS due "
        "FROM adoption GROUP BY definition, agency, day HAVING due != 0"
    )
    return {(INDICATORS[hashed].id, agency, day): (n, d) for hashed, agency, day, n, d in rows}


def expected(
    events: list[Any], known_at: datetime | None = None
) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
    oracle = Oracle(events, PLAN, DIRECTORY, ZONE, known_at)
    return {
        (indicator.id, agency, day): figure
        for indicator in PLAN.indicators
        for (agency, day), figure in oracle.figures(indicator, START, LAST).items()
    }


def stated(
    type_: type, source: str = "/one", time: datetime = RECEIVED, received: datetime = RECEIVED, **data: Any
) -> Any:
    """Return an event; ``data`` is that of its type."""
    data_type = type_.__annotations__["data"]
    body = getattr(usage, data_type)(**data)
    return type_(id=f"{time}{data}", source=source, agency="root", time=time, received=received, data=body)


def day(text: str) -> date:
    return date.fromisoformat(f"2008-{text}")


def joined(person: str, agency: str, first: str, last: str | None = None, **more: Any) -> Any:
    return stated(
        usage.OfficialJoined, person=person, agency=agency, roster="officials", stint=f"{person}{agency}",
        from_=day(first), to=day(last) if last else None, **more,
    )  # fmt: skip


def opened(address: str, owner: str | None, first: str, last: str | None = None, **more: Any) -> Any:
    return stated(
        usage.MailboxOpened, address=address, owner=owner, domain=more.pop("domain", "x.gov.vn"),
        stint=f"{address}{owner}", from_=day(first), to=day(last) if last else None, **more,
    )  # fmt: skip


def sent(actor: str, on: str, kind: str = "address", **more: Any) -> Any:
    return stated(usage.MailUsed, actor=actor, kind=kind, day=day(on), action="sent", **more)


def exchanged(number: str, step: str, on: str, issued: str = "06-01", **more: Any) -> Any:
    parties = {"issuer": more.pop("issuer", "edoc:L"), "counterpart": more.pop("counterpart", "edoc:A")}
    return stated(
        usage.DocumentExchanged, number=number, issued_on=day(issued), step=step, day=day(on), **parties, **more
    )


LATER = RECEIVED + timedelta(days=1)

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
]  # fmt: skip


@pytest.mark.parametrize(("events", "wanted"), WORLDS)
def test_small_worlds(database, events, wanted):
    """What the design says of a situation is what SQL and oracle answer."""
    emptied(database)
    written(database, events)

    found = asked(database)

    assert found == expected(events)
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

    assert before == expected(events, RECEIVED)
    assert before[("use", "a", day("06-02"))] == (1, 1)
    assert ("use", "a", day("06-02")) not in asked(database)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=event_lists, known_at=moments)
def test_figures_equal_the_oracle(database, events, known_at):
    """For any events, as known now and as known then, SQL and the naive oracle agree in every figure."""
    emptied(database)
    written(database, events)

    assert asked(database) == expected(events)
    assert asked(database, known_at) == expected(events, known_at)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), events=event_lists)
def test_marks_lead_to_every_change(database, data, events):
    """However events come in, what is recomputed from marks alone ends as if all had been known from the start."""
    emptied(database)
    cut = data.draw(st.integers(0, len(events)))
    recompute(database, complete=LAST - timedelta(days=3), zone=ZONE_INFO)
    for batch in (events[:cut], events[cut:]):
        written(database, batch)
        recompute(database, complete=LAST - timedelta(days=2), zone=ZONE_INFO)
    recompute(database, complete=LAST, zone=ZONE_INFO)

    assert held(database) == expected(events)
    assert database.rows("SELECT count() FROM outstanding") == [(0,)]


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
