"""Roll-ups that a round of evaluation keeps, on the real database, and ``tiendo standing --by``."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import date

import pytest
import typer
from typer.testing import CliRunner, Result

from services.cli.rollups import FIELDS
from services.cli.standing import standing
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.standing_reader import read_rollups
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration


@pytest.fixture
def address(shared_chdb: ChdbServer, chdb_database: str) -> ClickHouseAddress:
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    return address


@pytest.fixture
def judged(address: ClickHouseAddress) -> Iterator[Bench]:
    """Agency a0 stands at 125 of 1,000 on 30 September; a1 fell silent on 15 August, at 79 of 1,000."""
    with open_clickhouse(address) as database:
        bench = Bench(database)
        bench.publish("plan", plan())
        bench.publish("directory", directory())
        for name in ("handled", "directed"):
            bench.figures(plan(), name, "a0", course(1.0))
            bench.figures(plan(), name, "a1", course(1.0))
        bench.reports("a0", START, DAY)
        bench.reports("a1", START, date(2008, 8, 15))
        bench.judged()
        yield bench


def ask(address: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch, *options: str) -> Result:
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(address.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", address.database)
    app = typer.Typer()
    app.command()(standing)
    return CliRunner().invoke(app, ["--plan", "p", *options])


def test_a_round_keeps_sums_with_their_bounds(judged: Bench) -> None:
    """The silent agency's last figure is in the sum; the bounds put it at 0 % and at 100 %; the plan stands beside."""
    row = next(row for row in read_rollups(judged.database, "p", DAY, "group") if row["indicator"] == "handled")

    assert (row["name"], row["agencies"], row["silent"]) == ("offices", 2, 1)
    assert (row["numerator"], row["denominator"], row["ratio"]) == (204, 2000, 0.102)
    assert (row["low"], row["high"]) == (125 / 2000, 1125 / 2000)
    # The silent agency's planned value is that of its last covered day, as its figure is.
    assert row["planned"] == pytest.approx((0.5 * 125 / 217 + 0.5 * 79 / 217) / 2)
    assert row["target"] == 0.5


def test_a_mean_is_made_of_its_parts_sums(judged: Bench) -> None:
    """A mean has no numerator; here both parts are equal and so is the mean, planned by its own targets."""
    rows = {row["indicator"]: row for row in read_rollups(judged.database, "p", DAY, "all")}

    mean, part = rows["online"], rows["directed"]
    assert (mean["numerator"], mean["denominator"]) == (None, None)
    assert (mean["ratio"], mean["low"], mean["high"]) == (part["ratio"], part["low"], part["high"])
    assert part["planned"] is None  # shown without a target
    assert mean["target"] == 0.5


def test_before_the_silence_the_bounds_are_the_figure(judged: Bench) -> None:
    """On a day that every feed covers there is nothing to allow for."""
    for row in read_rollups(judged.database, "p", date(2008, 8, 15), "all"):
        assert row["low"] == row["ratio"] == row["high"]
        assert row["silent"] == 0


def test_roll_ups_are_written_once_and_leave_with_what_is_no_longer_judged(judged: Bench) -> None:
    """The same round again appends nothing; without roll-ups the table is emptied."""
    moment = judged.reader.now()
    held = judged.database.rows("SELECT count() FROM rollups")[0][0]

    judged.publish("plan", plan("40 %"), revision=2)
    judged.judged()
    planned = read_rollups(judged.database, "p", DAY, "all", indicators=["handled"])[0]["target"]
    removed = judged.store.save_rollups("p", [], moment)

    assert planned == 0.4
    assert held == removed == 126 * 3 * 2
    assert judged.database.rows("SELECT count() FROM rollups FINAL")[0][0] == 0


def test_the_command_shows_them(judged: Bench, address: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch) -> None:
    """Table, JSON and CSV say the same; what cannot be asked of many agencies is refused."""
    records = json.loads(ask(address, monkeypatch, "--by", "group", "--format", "json").stdout)
    lines = list(csv.DictReader(io.StringIO(ask(address, monkeypatch, "--by", "group", "--format", "csv").stdout)))
    table = ask(address, monkeypatch, "--by", "group", "--lang", "vi").stdout
    refused = ask(address, monkeypatch, "--by", "group", "--agency", "a0")

    assert [list(one) for one in records] == [list(FIELDS)] * 3
    assert [line["low"] for line in lines] == [str(one["low"]) for one in records]
    assert "Các sở" in table
    assert "204/2000" in table
    assert refused.exit_code == 1
