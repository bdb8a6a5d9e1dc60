"""`tiendo compare --against` on the real database: roll-ups as a round keeps them, beside a file."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.against import FIELDS
from services.cli.compare import compare_agencies
from services.core.errors import Rejected
from services.core.others import year_before
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.standing_reader import read_rollups
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration

HEAD = "indicator,who,kind,day,ratio,source\n"


@pytest.fixture
def address(shared_chdb: ChdbServer, chdb_database: str) -> ClickHouseAddress:
    """Three offices of 1,000 cases: 125 and 250 on 30 September, and 79 on 15 August, after which its feed is silent."""
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        bench = Bench(database)
        bench.publish("plan", plan())
        bench.publish("directory", directory(3))
        for agency, per_day, last in (("a0", 1.0, DAY), ("a1", 2.0, DAY), ("a2", 1.0, date(2008, 8, 15))):
            for name in ("handled", "directed"):
                bench.figures(plan(), name, agency, course(per_day))
            bench.reports(agency, START, last)
        bench.judged()
    return address


@pytest.fixture
def run(address: ClickHouseAddress, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(address.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", address.database)
    app = typer.Typer()
    app.command()(compare_agencies)

    def against(text: str, *more: str) -> Any:
        file = tmp_path / "others.csv"
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, ["--plan", "p", "--against", str(file), *more])

    return against


def test_all_together_beside_two_places(run):
    """454 of 3,000, between 375 and 1,375 while one office is silent: ahead of 5 %, and beside 30 % nothing can be told."""
    text = (
        HEAD
        + "handled,B,,2008-09-30,30 %,report B\nhandled,C,,2008-08-31,5 %,report C\nhandled,C,,2008-11-30,99 %,later\n"
    )
    found = json.loads(run(text, "--indicator", "handled", "--format", "json").output)
    lines = list(csv.DictReader(io.StringIO(run(text, "--indicator", "handled", "--format", "csv").output)))

    assert [list(one) for one in found] == [list(FIELDS)] * 2
    assert [found[0][name] for name in ("ratio", "low", "high", "agencies", "silent")] == [
        pytest.approx(x) for x in (454 / 3000, 375 / 3000, 1375 / 3000, 3, 1)
    ]
    assert [(one["who"], one["verdict"], one["why"]) for one in found] == [
        ("B", "cannot-be-told", "coverage-too-low"),
        ("C", "ahead", None),
    ]
    assert [(one["their_ratio"], one["age"], one["sources"]) for one in found] == [
        (0.3, 0, ["report B"]),
        (0.05, 30, ["report C"]),
    ]
    assert (found[0]["rank"], found[0]["rank_best"], found[0]["rank_worst"], found[0]["of"]) == (2, 1, 2, 3)
    assert [line["why"] for line in lines] == ["coverage-too-low", ""]


def test_beside_its_own_course_a_year_earlier_it_is_level_with_no_days(run, address):
    """The roll-ups of every tenth day, put a year back: counts and mean alike, on a day of the file and between two."""
    rows = []
    with open_clickhouse(address) as database:
        for back in range(0, 130, 10):
            for row in read_rollups(database, "p", DAY - timedelta(days=back), "all"):
                counts = row["numerator"], row["denominator"], ""
                told = counts if row["numerator"] is not None else ("", "", f"{row['ratio'] * 100:.12f} %")
                rows.append((row["indicator"], "2007", "last-year", year_before(row["day"]), *told, "our own"))
    text = "indicator,who,kind,day,numerator,denominator,ratio,source\n"
    text += "".join(",".join(map(str, row)) + "\n" for row in rows)
    found = [
        one
        for day in ("2008-09-20", "2008-08-01", "2008-07-27")
        for one in json.loads(run(text, "--as-of", day, "--format", "json", "--margin", "0.001 %").output)
    ]

    assert {(one["verdict"], one["indicator"]) for one in found if not one["silent"]} == {
        ("level", "handled"),
        ("level", "directed"),
        ("level", "online"),
    }
    assert [one["days_ahead"] for one in found] == [pytest.approx(0, abs=1e-6)] * 9


def test_a_group_and_the_table_in_vietnamese(run):
    """A group of the directory in place of all; days, verdict, bounds and the source are there."""
    text = (
        HEAD.replace("who", "group,who") + "handled,offices,2007,last-year,2007-08-31,5 %,số liệu 2007\n"
        "handled,offices,2007,last-year,2007-12-31,25 %,số liệu 2007\nhandled,,B,,2008-09-30,90 %,của tất cả\n"
    )
    shown = " ".join(run(text, "--group", "offices", "--lang", "vi").output.split())

    assert "handled · Các sở" in shown
    assert "454/3000" in shown
    assert "từ 12,5 % đến 45,8 %" in shown
    assert "sớm hơn" in shown
    assert "số liệu 2007" in shown
    assert "của tất cả" not in shown  # what is about everybody is no like of a group
    assert "Tệp không có số liệu về: directed · Các sở; x · Các sở." in shown


def test_without_a_group_asked_for_everybody_and_each_group_of_the_file_are_compared(run):
    """Each with its like; an indicator that the file says nothing about is told for everybody alone."""
    text = HEAD.replace("who", "group,who") + "handled,offices,B,,2008-09-30,5 %,s\nhandled,,B,,2008-09-30,6 %,s\n"
    found = json.loads(run(text, "--format", "json").output)

    assert [(one["indicator"], one["group"], one["their_ratio"]) for one in found] == [
        ("handled", None, 0.06), ("handled", "offices", 0.05), ("directed", None, None), ("online", None, None),
    ]  # fmt: skip


def test_faults_end_it_before_anything_is_compared(run):
    """All faults with their lines, exit code 1, nothing on the output that programs read."""
    done = run(HEAD + "handld,B,,2008-09-30,30 %,s\nhandled,B,,2008-09-30,30,\n", "--format", "csv")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert [line.split(" ")[0] for line in done.stderr.splitlines()] == [
        "others.csv:2:",
        "others.csv:3:",
        "others.csv:3:",
    ]
    assert "did you mean 'handled'?" in done.stderr


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--margin", "1"), "--margin: '1' may be 1 % or 100 %"),
        (("--group", "nobody"), "no such group: nobody"),
        (("--as-of", "2008-06-01", "--indicator", "gossip"), "no such indicator: gossip"),
        (("--as-of", "2008-11-30"), "nothing was judged on 2008-11-30"),
    ],
)
def test_what_cannot_be_asked_is_refused(run, more, said):
    """A margin without a sign, names that are not there, and a day that nobody judged."""
    fault = run(HEAD + "handled,B,,2008-09-30,30 %,s\n", *more).exception

    assert isinstance(fault, Rejected)
    assert said in str(fault)
