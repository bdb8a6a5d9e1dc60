"""Declared beside measured, paper beside electronic: what counts, and what is listed for the agency to clear up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from schemas import usage
from services.aggregator.adapters.recompute import recompute
from services.cli.__main__ import app
from services.infra.clickhouse.client import ClickHouse
from services.infra.evidence import contradictions, discrepancies
from tests.figures_world import (
    DIRECTORY,
    LAST,
    LATER,
    PLAN,
    ZONE_INFO,
    Figures,
    day,
    declared,
    emptied,
    expected,
    headcount,
    held,
    item,
    joined,
    opened,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration
PAPER = {"source": "/paper"}
#: Office b: one of four has a mailbox, two of eight records were filed digitally.
MEASURED = [
    *(joined(person, "b", "06-01") for person in ("p1", "p2", "p3", "p4")), opened("m1", "p1", "06-01"),
    *(item(usage.RecordFiled, "b", str(number), "entered", "06-02") for number in range(8)),
    *(item(usage.RecordFiled, "b", str(number), "adopted", "06-03") for number in range(2)),
]  # fmt: skip


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The small world, without facts."""
    with world_database(shared_chdb, "declared_measured") as database:
        yield database


def figures(database: ClickHouse, *events: Any) -> Figures:
    """Return the figures, with shares, that the oracle has too."""
    emptied(database)
    written(database, list(events))
    recompute(database, complete=LAST, zone=ZONE_INFO)
    found = held(database)
    assert found == expected(list(events))
    return found


def differing(database: ClickHouse, on: date = LAST, **options: Any) -> list[tuple[str, str, str, date, float]]:
    """Return (agency, indicator, source, day, difference) of the discrepancies."""
    found = discrepancies(database, PLAN, DIRECTORY, 1, on, **options)
    return [(one.agency, one.indicator, one.source, one.day, round(one.difference, 9)) for one in found]


def test_a_declared_figure_stands_in_for_its_days(database):
    """Where nothing was measured a declared figure is the figure of each day of its period, and of no other."""
    found = figures(database, declared("c", "use", "06-01", "06-30", 5, 10))

    picked = [found.get(("use", "c", day(on))) for on in ("05-31", "06-01", "06-30", "07-01")]
    assert picked == [None, (5, 10, 0), (5, 10, 0), None]


def test_a_headcount_holds_until_there_is_a_roster(database):
    """An office below declares how many it is; they count as nobody doing it, until its roster begins."""
    found = figures(database, joined("p5", "a", "06-01"), headcount("a1", "06-10", 3), joined("p6", "a1", "07-01"))

    picked = [found.get(("mailboxes", "a", day(on))) for on in ("06-09", "06-10", "06-30", "07-01")]
    assert picked == [(0, 1, 1), (0, 4, 0.25), (0, 4, 0.25), (0, 2, 1)]


def test_measured_wins_and_the_difference_is_listed(database):
    """What is measured counts; what was declared is compared on the period's last day, by the plan's margin of 5 points."""
    found = figures(
        database, *MEASURED,
        declared("b", "mailboxes", "06-01", "06-30", 3, 4, **PAPER), headcount("b", "06-15", 4, **PAPER),
        headcount("b", "06-20", 5, **PAPER), declared("b", "records", "06-01", "06-29", 30, 100, **PAPER),
        declared("b", "records", "06-01", "06-30", 31, 100, **PAPER),
    )  # fmt: skip

    assert found[("mailboxes", "b", day("06-30"))] == (1, 4, 1)
    # 3/4 − 1/4; (5 − 4)/4; 31/100 − 2/8; 30/100 lies just within the margin.
    assert differing(database) == [
        ("b", "headcount.officials", "/paper", day("06-20"), 0.25),
        ("b", "mailboxes", "/paper", day("06-30"), 0.5),
        ("b", "records", "/paper", day("06-30"), 0.06),
    ]
    assert [one[1:4:2] for one in differing(database, day("06-10"))] == [
        ("mailboxes", day("06-10")),
        ("records", day("06-10")),
    ]
    assert differing(database, agencies=["a"]) == []


def test_an_office_with_others_below_it_is_not_compared(database):
    """A declares for itself and its figure is that of the offices below it too, so nothing is said."""
    figures(database, joined("p5", "a", "06-01"), declared("a", "mailboxes", "06-01", "06-30", 1, 1))

    assert differing(database) == []


def test_the_table_keeps_its_headings_whole(database, shared_chdb):
    """`tiendo discrepancies` prints figures as they are read; CSV has a field for each part."""
    figures(database, *MEASURED, declared("b", "mailboxes", "06-01", "06-30", 3, 4), headcount("b", "06-20", 5))
    where = {"HOST": shared_chdb.host, "PORT": str(shared_chdb.port), "DATABASE": "declared_measured"}
    who = {"USER": "default", "PASSWORD": ""}
    address = {f"TIENDO_CLICKHOUSE_{name}": value for name, value in (where | who).items()}
    command = ["discrepancies", "--plan", "plan", "--as-of", "2008-07-12"]

    table = CliRunner().invoke(app, command, env=address).output
    flat = CliRunner().invoke(app, [*command, "--format", "csv"], env=address).output

    rows = [" ".join(line.split()) for line in table.splitlines()]
    assert "agency indicator source first last compared on declared measured difference" in rows
    assert "b headcount.officials /one 2008-06-20 2008-06-20 2008-06-20 5 4 +25.0 %" in rows
    assert "b mailboxes /one 2008-06-01 2008-06-30 2008-06-30 3/4 1/4 +50.0 %" in rows
    assert flat.splitlines() == [
        "agency,indicator,source,first,last,day,declared_numerator,declared_denominator,"
        "measured_numerator,measured_denominator,difference",
        "b,headcount.officials,/one,2008-06-20,2008-06-20,2008-06-20,,5,,4,+0.2500",
        "b,mailboxes,/one,2008-06-01,2008-06-30,2008-06-30,3,4,1,4,+0.5000",
    ]


def test_paper_here_electronic_there(database):
    """Electronic counts; that the paper register has the record too is listed until a source takes its statement back."""
    paper = item(usage.RecordFiled, "b", "1", "entered", "06-02", **PAPER)
    found = figures(database, *MEASURED, paper)

    assert found[("records", "b", day("06-03"))] == (2, 8, 1)
    assert contradictions(database, PLAN, DIRECTORY, 1, day("06-02")) == []
    (one,) = contradictions(database, PLAN, DIRECTORY, 1, day("06-03"))
    assert (one.agency, one.type, one.item) == ("b", "record.filed", "1")
    assert [(told.source, told.step, told.day) for told in one.adopted] == [("/one", "adopted", day("06-03"))]
    assert [(told.source, told.step, told.day) for told in one.otherwise] == [("/paper", "entered", day("06-02"))]

    back = item(usage.RecordFiled, "b", "1", "entered", "06-02", time=LATER, retracted=True, **PAPER)
    figures(database, *MEASURED, paper, back)

    assert contradictions(database, PLAN, DIRECTORY, 1, LAST) == []


def test_refused_electronically_agrees_with_paper(database):
    """Once the electronic status is undone both sources say that the record is on paper."""
    paper = item(usage.RecordFiled, "b", "1", "entered", "06-02", **PAPER)
    found = figures(database, *MEASURED, paper, item(usage.RecordFiled, "b", "1", "undone", "06-05"))

    assert [found[("records", "b", day(on))][:2] for on in ("06-04", "06-05")] == [(2, 8), (1, 8)]
    counts = [len(contradictions(database, PLAN, DIRECTORY, 1, day(on))) for on in ("06-04", "06-05")]
    assert counts == [1, 0]
