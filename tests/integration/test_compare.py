"""`tiendo compare` on the real database: figures and reports put there by hand, judged, ranked."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.compare import FIELDS, compare_agencies
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration


@pytest.fixture
def run(shared_chdb: ChdbServer, chdb_database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Five offices: 12.5 %, 25 % of as many, 25 % of more, nothing at all, and 23.7 % until its feed fell silent."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        bench = Bench(database)
        bench.publish("plan", plan())
        bench.publish("directory", directory(5))
        for agency, per_day, cases in (("a0", 1.0, 1000), ("a1", 2.0, 1000), ("a2", 6.0, 3000), ("a4", 3.0, 1000)):
            for name in ("handled", "directed"):
                bench.figures(plan(), name, agency, course(per_day, cases))
        for agency in ("a0", "a1", "a2", "a3"):
            bench.reports(agency, START, DAY)
        bench.reports("a4", START, date(2008, 8, 15))
        bench.judged()
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", chdb_database)
    app = typer.Typer()
    app.command()(compare_agencies)
    return lambda *more: CliRunner().invoke(app, ["--plan", "p", "--indicator", "handled", *more])


def test_places_quartiles_and_models(run):
    """Equal figures share a rank, the silent and the one without data have none, the model has a like number of cases."""
    found = json.loads(run("--format", "json").output)

    assert [(one["agency"], one["rank"], one["of"], one["unranked"], one["model"]) for one in found] == [
        ("a1", 1, 3, None, None),
        ("a2", 1, 3, None, None),
        ("a0", 3, 3, None, "a1"),
        ("a3", None, 3, "no-data", None),
        ("a4", None, 3, "silent", "a1"),
    ]
    assert [found[0][name] for name in ("ratio", "cases", "lower", "median", "upper")] == [
        pytest.approx(x) for x in (0.25, 1000, 0.1875, 0.25, 0.25)
    ]
    assert found[2]["to_median"] == -0.125
    assert run("--format", "csv").output.splitlines()[0] == ",".join(FIELDS)


def test_the_table_in_vietnamese(run):
    """Names, ranks and the sentence on quartiles are the language's."""
    text = run("--lang", "vi", "--group", "offices").output

    assert "Có thể học hỏi" in text
    assert "Sở 1 (25,0 %)" in text
    assert "-12,5 điểm %" in text
    assert "mất tín hiệu" in text
    assert "xếp hạng 3 cơ quan" in text


def test_what_is_not_there_is_said(run):
    """An unknown group or indicator is refused with those that there are."""
    assert "no such group: nobody; there are: offices" in str(run("--group", "nobody").exception)
    assert "no such indicator: gossip" in str(run("--indicator", "gossip").exception)
