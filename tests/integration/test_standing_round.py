"""Rounds of evaluation on the real database, with figures and reports put there by hand."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import typer
from typer.testing import CliRunner

from schemas.directory import Directory
from services.alerts.evaluate import NotYet, Round, Waiting, finish
from services.cli.standing import FIELDS, standing
from services.core.schedule.coverage import FeedState
from services.core.schedule.standing import Verdict
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.standing import DAY, NOW, START, Bench, course, directory, plan

pytestmark = pytest.mark.integration


@pytest.fixture
def bench(shared_chdb: ChdbServer, chdb_database: str) -> Iterator[Bench]:
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        yield Bench(database)


@pytest.fixture
def filled(bench: Bench) -> Bench:
    """Agency a0 follows half the planned pace; a1's feed fell silent after 15 August."""
    bench.publish("plan", plan())
    bench.publish("directory", directory())
    for name in ("handled", "directed"):
        bench.figures(plan(), name, "a0", course(1.0))
        bench.figures(plan(), name, "a1", course(1.0))
    bench.reports("a0", START, DAY)
    bench.reports("a1", START, date(2008, 8, 15))
    return bench


def test_a_round_judges_every_day_and_keeps_it(filled: Bench) -> None:
    """Figure, plan, lag, paces and forecast of an agency that goes at one item a day stand in the table as computed."""
    done = filled.judged()

    row = filled.row("handled", "a0")
    assert (row["numerator"], row["denominator"], row["ratio"]) == (125, 1000, 0.125)
    assert row["planned"] == 0.5 * 125 / 217
    assert row["verdict"] == "behind"
    assert row["days_behind"] == pytest.approx(125 - 0.125 / 0.5 * 217)
    assert row["recent_pace"] == pytest.approx(0.001)
    assert row["needed_pace"] == pytest.approx(0.375 / 92)
    assert row["forecast"] == DAY + timedelta(days=375)
    assert (row["feed_state"], row["provisional"], row["judged_day"]) == ("reporting", 0, DAY)
    history = done.assessment.histories["handled", "a0"]
    assert [one.day for one in history] == [START + timedelta(days=n) for n in range(126)]
    assert history[-1].verdict is Verdict.BEHIND
    count = filled.database.rows("SELECT count() FROM standing FINAL")[0][0]
    assert count == done.changed == 126 * 6


def test_a_silent_feed_freezes_its_agency_and_no_other(filled: Bench) -> None:
    """From the silence on, the standing of the last covered day is repeated, marked, and the others go on."""
    done = filled.judged()

    frozen, then = filled.row("handled", "a1"), filled.row("handled", "a1", date(2008, 8, 15))
    assert (frozen["feed_state"], frozen["provisional"], frozen["judged_day"]) == ("silent", 1, date(2008, 8, 15))
    for name in ("numerator", "verdict", "days_behind", "planned", "forecast", "recent_pace"):
        assert frozen[name] == then[name]
    assert filled.row("handled", "a0")["feed_state"] == "reporting"
    assert done.assessment.feeds["a1.docs"][-1].state is FeedState.SILENT
    assert done.assessment.feeds["a1.docs"][-1].covered == date(2008, 8, 15)


def test_means_and_indicators_without_a_target(filled: Bench) -> None:
    """A mean has a ratio and a verdict but no cases; what has no target has figures and neither plan nor verdict."""
    filled.figures(plan(), "directed", "a0", {DAY: (500, 1000)})
    filled.judged()

    mean, shown = filled.row("online", "a0"), filled.row("directed", "a0")
    assert (mean["ratio"], mean["numerator"], mean["denominator"]) == (0.125 * 0.25 + 0.5 * 0.75, None, None)
    assert mean["verdict"] in {"ahead", "on-track", "at-risk"}
    assert (shown["verdict"], shown["planned"], shown["days_behind"], shown["ratio"]) == ("", None, None, 0.5)


def test_nothing_new_is_not_judged_again(filled: Bench) -> None:
    """A second look at the same data ends at once; a new figure, a new day or a new revision brings a new round."""
    filled.judged()

    assert filled.round() == NotYet(Waiting.UNCHANGED)
    filled.figures(plan(), "handled", "a0", {DAY: (126, 1000)})
    assert filled.judged().changed == 2  # the day's figure and the mean built on it; a median pace hardly moves
    assert filled.judged(NOW + timedelta(days=1)).changed > 0
    filled.publish("directory", directory(), revision=2)
    assert filled.judged(NOW + timedelta(days=1)).changed == 0


def test_a_round_not_finished_is_done_again(filled: Bench) -> None:
    """Until it is called finished, a round is repeated, so that nothing built on it gets lost."""
    first = filled.judged(finished=False)

    again = filled.judged(finished=False)
    assert (again.changed, again.assessment.histories) == (0, first.assessment.histories)
    finish(filled.store, again)
    assert filled.round() == NotYet(Waiting.UNCHANGED)


def test_half_read_figures_are_not_judged(filled: Bench) -> None:
    """While recomputations are outstanding nothing is judged, unless one hangs; then it says so and judges again later."""
    mark = (
        "INSERT INTO touched (reads, agency, from_day, to_day) VALUES ('items:task.directed', 'a0', '{}', '2299-12-31')"
    )
    filled.database.run(mark.format("2008-10-01"))
    assert isinstance(filled.round(finished=False), Round), "a mark of a day still running disturbs nobody"
    filled.database.run(mark.format("2008-09-12"))

    assert filled.round() == NotYet(Waiting.MARKS_OUTSTANDING)
    time.sleep(1.1)
    assert filled.judged(patience=timedelta(0)).outstanding == 1
    assert filled.round(patience=timedelta(0)) == NotYet(Waiting.UNCHANGED)
    filled.database.run(
        "INSERT INTO touched (reads, agency, from_day, to_day, marked, cleared) "
        "SELECT reads, agency, from_day, to_day, last_marked, now64(6) FROM outstanding"
    )
    assert filled.judged().outstanding == 0


def test_each_day_is_judged_under_the_revision_then_in_force(filled: Bench) -> None:
    """A target lowered from September on leaves August as it was judged."""
    filled.publish("plan", plan(target="10 %", since=date(2008, 9, 1)), revision=2)
    filled.judged()

    before, after = filled.row("handled", "a0", date(2008, 8, 31)), filled.row("handled", "a0", date(2008, 9, 1))
    assert (before["revision"], before["target"], before["verdict"]) == (1, 0.5, "behind")
    assert (after["revision"], after["target"], after["verdict"]) == (2, 0.1, "ahead")
    assert filled.row("handled", "a0")["verdict"] == "achieved"


def test_what_a_revision_no_longer_judges_disappears(filled: Bench) -> None:
    """Days of an agency that a later revision of the directory ends are taken out of the table."""
    filled.judged()
    shorter = json.loads(directory().model_dump_json(by_alias=True))
    shorter["agencies"][1]["to"] = "2008-06-30"
    filled.publish("directory", Directory.model_validate(shorter), revision=2)

    filled.judged()

    days = filled.database.rows(
        "SELECT max(day), count() FROM standing FINAL WHERE agency = 'a1' AND indicator = 'handled'"
    )
    assert days == [(date(2008, 6, 30), 34)]


def test_reasons_for_no_round(bench: Bench) -> None:
    """Without a plan, without its directory or before its start there is nothing to judge."""
    assert bench.round() == NotYet(Waiting.NO_PLAN)
    bench.publish("plan", plan())
    assert bench.round() == NotYet(Waiting.NO_PLAN)
    bench.publish("directory", directory())
    assert bench.round(datetime(2008, 5, 28, 10, tzinfo=UTC)) == NotYet(Waiting.NO_PLAN)
    assert isinstance(bench.round(datetime(2008, 5, 29, 10, tzinfo=UTC)), Round)
    assert bench.reader.plan_ids() == ["p"]


def test_a_province_is_judged_in_seconds(bench: Bench) -> None:
    """29 agencies, 7 indicators and 126 days take a few seconds of processor time, the second time nothing is written."""
    big, people = plan(extra=4), directory(29)
    bench.publish("plan", big)
    bench.publish("directory", people)
    for agency in people.agencies:
        for name in ("handled", "directed"):
            bench.figures(big, name, agency.id, course(1.7))
        bench.reports(agency.id, START, DAY)

    begin = time.process_time()
    done = bench.judged()
    spent = time.process_time() - begin

    assert done.changed == 29 * 7 * 126
    assert spent < 10, f"{spent:.1f} s"  # about 2 s on a quiet machine


def test_the_command_prints_what_was_judged(
    filled: Bench, shared_chdb: ChdbServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`tiendo standing` gives the last day judged, or another, as a table in two languages, as JSON and as CSV."""
    database = filled.database.rows("SELECT currentDatabase()")[0][0]
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", database)
    command = typer.Typer()
    command.command()(standing)

    def run(*arguments: str, code: int = 0) -> str:
        result = CliRunner().invoke(command, ["--plan", "p", *arguments])
        assert result.exit_code == code, result.output
        return str(result.output)

    assert "has not been judged yet; plans published: p" in run(code=1)
    filled.judged()
    records = json.loads(run("--format", "json"))
    assert len(records) == 6
    assert list(records[0]) == list(FIELDS)
    one = next(record for record in records if (record["indicator"], record["agency"]) == ("handled", "a0"))
    assert (one["numerator"], one["denominator"], one["ratio"], one["day"]) == (125, 1000, 0.125, "2008-09-30")
    assert (one["verdict"], one["provisional"], one["forecast"]) == ("behind", False, "2009-10-10")
    shown = next(record for record in records if record["indicator"] == "directed")
    assert (shown["verdict"], shown["target"]) == (None, None)

    earlier = json.loads(run("--format", "json", "--as-of", "2008-07-31", "--agency", "a0", "--indicator", "handled"))
    assert [(row["day"], row["numerator"]) for row in earlier] == [("2008-07-31", 64)]
    lines = run("--format", "csv", "--agency", "a1").splitlines()
    assert lines[0] == ",".join(FIELDS)
    assert len(lines) == 4
    assert lines[2].endswith("silent,true")

    vietnamese, english = run("--lang", "vi"), run()
    assert "chậm tiến độ" in vietnamese
    assert "chậm 71 ngày" in vietnamese
    assert "29 văn bản/tuần" in vietnamese
    assert "số liệu đến 15/08/2008" in vietnamese
    assert "71 days behind" in english
    assert "125/1000  12.5 %" in english
    assert run("--as-of", "2007-01-01", code=1).strip() == (
        "nothing was judged on 2007-01-01 that fits; the days judged are 2008-05-28 to 2008-09-30"
    )
    for form in ("table", "json", "csv"):
        assert run("--format", form, "--agency", "a1", "--agency", "zz", code=1).startswith(
            "there is no agency 'zz' in"
        )
        assert run("--format", form, "--indicator", "gossip", code=1).startswith(
            "plan 'p' has no indicator 'gossip'; it has:"
        )
