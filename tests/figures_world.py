"""Helpers of the tests of figures: events in short, figures as SQL, `adoption` and the oracle have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas import usage
from schemas.directory import Directory
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.writer import write
from services.aggregator.core.batch import fold
from services.aggregator.core.facts import rows_from
from services.core.definition import definition_of
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.figures.definitions import definitions, queries
from services.infra.figures.queries import figures
from tests.aggregator_world import START, ZONE, world_documents
from tests.directories import FIRST_REVISION, revised
from tests.fixtures.chdb import ChdbServer
from tests.oracle import Oracle

ZONE_INFO = ZoneInfo(ZONE)
PLAN, DIRECTORY = world_documents()
LAST = date(2008, 7, 12)
RECEIVED = datetime(2008, 7, 10, 9, tzinfo=UTC)
LATER = RECEIVED + timedelta(days=1)
FACTS = [
    "events",
    "memberships",
    "mailboxes",
    "activity",
    "exchanges",
    "items",
    "declarations",
    "feed_reports",
    "feed_events",
]
FIGURES = ["touched", "adoption", "feed_days"]
REVISIONS = ["plan_revisions", "definitions", "scopes", "schedule", "agencies", "agency_codes", "feeds"]
PLAN_REVISION = PlanRevision(
    id="plan", revision=1, in_force_from=START, published=FIRST_REVISION.published, document=PLAN
)
OWNER = {"role": "feed-owner", "name": "Trung tâm", "email": "tt@example.vn"}
FEED = {
    "id": "one.records", "title": {"vi": "Hồ sơ"}, "source": "/one", "types": ["record.filed"],
    "covers": {"agencies": ["a"]}, "owner": OWNER,
}  # fmt: skip
WITH_FEED = revised(
    1,
    START,
    PLAN_REVISION.published,
    Directory.model_validate(
        FIRST_REVISION.document.model_dump(mode="json", by_alias=True, exclude_none=True) | {"feeds": [FEED]}
    ),
)
INDICATORS = {
    definition.hash: indicator
    for indicator in PLAN.indicators
    if (definition := definition_of(indicator, PLAN)) is not None
}
#: (indicator, agency, day) → numerator, denominator, share measured (rounded, because a float says it).
Figures = dict[tuple[str, str, date], tuple[Decimal, Decimal, float]]


@contextmanager
def world_database(server: ChdbServer, name: str) -> Iterator[ClickHouse]:
    """A migrated database of its own with the small world's plan and directory, the plan having come first."""
    address = ClickHouseAddress(port=server.port, database=name)
    migrate(address)
    with open_clickhouse(address) as database:
        store(database, PLAN_REVISION)
        store(database, FIRST_REVISION)
        yield database
        database.run(f"DROP DATABASE {name}")


def emptied(database: ClickHouse) -> None:
    """Forget all facts, figures and marks."""
    for table in [*FACTS, *FIGURES]:
        database.run(f"TRUNCATE TABLE {table}")


def published(database: ClickHouse, *revisions: PlanRevision | DirectoryRevision) -> None:
    """Forget all revisions, and store these in this order."""
    for table in REVISIONS:
        database.run(f"TRUNCATE TABLE {table}")
    for revision in revisions:
        store(database, revision)


def written(database: ClickHouse, events: list[Any]) -> None:
    """Write *events* as one batch."""
    write(database, fold(row for event in events for row in rows_from(event, ZONE_INFO)))


def with_shares(database: ClickHouse, known_at: datetime | None = None) -> Figures:
    """Return the figures straight from the facts."""
    found = {}
    for definition in definitions(database, known_at=known_at):
        for query in queries(definition, START, LAST, known_at=known_at, zone=ZONE_INFO):
            for one in figures(database, query):
                key = (INDICATORS[definition.definition].id, one.agency, one.day)
                found[key] = one.numerator, one.denominator, round(one.measured_share, 9)
    return found


def asked(
    database: ClickHouse, known_at: datetime | None = None
) -> dict[tuple[str, str, date], tuple[Decimal, Decimal]]:
    """Return (indicator, agency, day) → figure, straight from the facts."""
    return {key: figure[:2] for key, figure in with_shares(database, known_at).items()}


def held(database: ClickHouse) -> Figures:
    """Return the figures as ``adoption`` holds them."""
    rows = database.rows(
        "SELECT definition, agency, day, argMax(numerator, basis), argMax(denominator, basis) AS due, "
        "argMax(measured_share, basis) FROM adoption GROUP BY definition, agency, day HAVING due != 0"
    )
    return {(INDICATORS[hashed].id, agency, day): (n, d, round(s, 9)) for hashed, agency, day, n, d, s in rows}


def expected(
    events: list[Any],
    known_at: datetime | None = None,
    directory: Directory | Sequence[DirectoryRevision] = DIRECTORY,
) -> Figures:
    """Return the figures as the oracle has them."""
    oracle = Oracle(events, PLAN, directory, ZONE, known_at)
    return {
        (indicator.id, agency, day): (numerator, denominator, round(float(share), 9))
        for indicator in PLAN.indicators
        for (agency, day), (numerator, denominator, share) in oracle.with_shares(indicator, START, LAST).items()
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


def headcount(agency: str, on: str, count: int, **more: Any) -> Any:
    """Return how many officials *agency* says it has."""
    return stated(
        usage.HeadcountDeclared, agency=agency, indicator="headcount.officials", from_=day(on), to=day(on),
        numerator=None, denominator=Decimal(count), **more,
    )  # fmt: skip


def declared(agency: str, indicator: str, first: str, last: str, done: int, total: int, **more: Any) -> Any:
    """Return a figure attested on paper."""
    return stated(
        usage.FigureDeclared, agency=agency, indicator=indicator, from_=day(first), to=day(last),
        numerator=Decimal(done), denominator=Decimal(total), **more,
    )  # fmt: skip


def item(kind: type, agency: str, name: str, step: str, on: str, **more: Any) -> Any:
    """Return one step of an item."""
    return stated(kind, agency=agency, id=name, step=step, day=day(on), **more)


def amount(agency: str, stage: str, paper: str, on: str, dong: str, **more: Any) -> Any:
    """Return an amount of project p at a stage, as the gateway makes it."""
    step = "adopted" if stage == "disbursed" else "entered"
    return item(usage.BudgetRecorded, agency, f"p/{stage}/{paper}", step, on, weight=Decimal(dong), **more)
