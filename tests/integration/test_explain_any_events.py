"""Whatever events come: the reasons told for a figure add up to it, to the digit, on any day and by what was known then."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas.revisions import DirectoryRevision
from services.core.item_evidence import Why
from services.infra.clickhouse.client import ClickHouse
from services.infra.explain.items import items_evidence
from services.infra.explain.people import exact_cells
from services.infra.explain.sources import Inquiry
from services.infra.figures.definitions import definitions
from tests.directories import revision_lists
from tests.figures_world import LAST, PLAN_REVISION, ZONE_INFO, emptied, published, world_database, written
from tests.fixtures.chdb import ChdbServer
from tests.usage_events import event_lists, moments

pytestmark = pytest.mark.integration
LIMIT = 1000  # more items than any example has


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    with world_database(shared_chdb, "explain_any_events") as database:
        yield database


def inquiries(database: ClickHouse, known_at: datetime | None, back: int) -> Iterator[Inquiry]:
    """Yield one inquiry per definition and agency that it judges, on a day *back* days before the last."""
    day = LAST - timedelta(days=back)
    for definition in definitions(database, known_at=known_at):
        for reign in definition.reigns:
            if reign.first <= day <= reign.last:
                asked = definition.asked(reign)
                judged = database.rows(
                    "SELECT DISTINCT judged FROM scopes FINAL WHERE definition = %(d)s AND revision = %(r)s "
                    "AND agency = judged AND from_day <= toDate32(%(day)s) AND to_day >= toDate32(%(day)s)",
                    {"d": asked.definition, "r": asked.revision, "day": day.isoformat()},
                )
                for (agency,) in judged:
                    yield Inquiry(
                        database=database, asked=asked, agency=agency, day=day, known_at=known_at, zone=ZONE_INFO
                    )


def figure_of(inquiry: Inquiry) -> tuple[Decimal, Decimal]:
    figure = inquiry.figure(declared=False)
    return (figure.numerator, figure.denominator) if figure else (Decimal(0), Decimal(0))


def explained(inquiry: Inquiry) -> tuple[Decimal, Decimal]:
    if "roster" in inquiry.asked.measure:
        cells = exact_cells(inquiry)
        return Decimal(cells["counts"].people), Decimal(sum(cell.people for cell in cells.values()))
    lives = {agency: (first, last) for agency, first, last in inquiry.rows("offices")}
    evidence = items_evidence(inquiry, lives, limit=LIMIT)
    for one in evidence.items:
        assert one.events, "no item is told without what was said about it"
        assert all(event.id is not None for event in one.events)
        if one.why in {Why.ADOPTED, Why.UNDONE}:
            assert any(event.fate == "counts" for event in one.events)
    for reason in evidence.reasons:
        mine = [one for one in evidence.items if one.why == reason.why]
        assert (len(mine), sum(one.numerator for one in mine)) == (reason.items, reason.numerator)
    total = [sum((one.denominator for one in evidence.reasons), Decimal(0))]
    done = [sum((one.numerator for one in evidence.reasons), Decimal(0))]
    if inquiry.asked.measure["kind"] == "progress" and not total[0]:
        return Decimal(0), Decimal(0)  # nothing planned is no figure, whatever is done
    return done[0], total[0]


COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": [Phase.explicit, Phase.reuse, Phase.generate],
}


@settings(max_examples=8, **COMMON)
@given(
    events=event_lists,
    revisions=revision_lists,
    known_at=st.none() | moments,
    back=st.integers(0, 30),
)
def test_reasons_add_up_to_the_figure(
    database: ClickHouse,
    events: list[Any],
    revisions: list[DirectoryRevision],
    known_at: datetime | None,
    back: int,
) -> None:
    """Evidence is counted by other code than the figure, and comes to the same."""
    emptied(database)
    published(database, PLAN_REVISION, *revisions)
    written(database, events)

    for inquiry in inquiries(database, known_at, back):
        assert explained(inquiry) == figure_of(inquiry), (inquiry.asked.measure, inquiry.agency, inquiry.day)
