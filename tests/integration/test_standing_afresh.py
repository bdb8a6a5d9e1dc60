"""Standing as it could be known then, and under other revisions: computed afresh, it is what would have been judged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas import usage
from schemas.plan import Plan
from schemas.revisions import PlanRevision
from services.aggregator.adapters.recompute import recompute
from services.alerts.adapters.figures import FigureReader
from services.cli.goalposts import moved
from services.cli.standing import standing
from services.core.schedule.assess import Assessment, assess, definitions_needed
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import CannotJudge, Question, end_of, judge_afresh
from tests.aggregator_world import START, ZONE
from tests.figures_world import (
    LAST,
    LATER,
    PLAN,
    PLAN_REVISION,
    RECEIVED,
    WITH_FEED,
    ZONE_INFO,
    day,
    emptied,
    item,
    published,
    stated,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer
from tests.usage_events import event_lists

pytestmark = pytest.mark.integration

KNOWN = RECEIVED.astimezone(ZONE_INFO).date()


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    with world_database(shared_chdb, "afresh") as database:
        yield database


def stored(database: ClickHouse, until: date) -> Assessment:
    """Judge from the tables of figures and days of feeds, as the alerting service does."""
    recompute(database, complete=until, zone=ZONE_INFO)
    reader = FigureReader(database)
    plans, directories = reader.plans("plan"), reader.directories("dir")
    return assess(
        plans,
        directories,
        adoption=reader.adoption(definitions_needed(plans), until),
        feed_days=reader.feed_days({"/one"}, until),
        day=until,
    )


def differences(one: Assessment, other: Assessment) -> list[Any]:
    """Return the standings of *one* and *other* that are not the same."""
    assert one.histories.keys() == other.histories.keys()
    return [
        (mine, theirs)
        for key, history in one.histories.items()
        for mine, theirs in zip(history, other.histories[key], strict=True)
        if mine != theirs
    ]


def about(**question: Any) -> Question:
    return Question(plan="plan", **question)


@settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip
@given(events=event_lists, later=st.integers(0, 2), past=st.integers(0, 20))
def test_known_at_is_what_would_have_been_judged_then(database, events, later, past):
    """With everything received, standing known at a day is that of a system which had received nothing after it."""
    known = KNOWN + timedelta(days=later)
    asked = LAST - timedelta(days=past)
    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)
    written(database, events)
    found = judge_afresh(database, about(day=asked, known_at=known), zone=ZONE)
    kept = stored(database, asked)
    now = judge_afresh(database, about(day=asked), zone=ZONE)  # which reads the days of feeds that were just recomputed
    assert differences(now, kept) == []

    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)
    written(database, [event for event in events if event.received <= end_of(known, ZONE_INFO)])
    wanted = stored(database, asked)
    assert differences(found, wanted) == []
    assert found.feeds == wanted.feeds


def records(adopted: int, *, later: int = 0) -> list[Any]:
    """Return twenty records of office a, *adopted* of them at once and *later* more a day after."""
    entered = [item(usage.RecordFiled, "a", f"r{n}", "entered", "06-02") for n in range(20)]
    filed = [item(usage.RecordFiled, "a", f"r{n}", "adopted", "06-20") for n in range(adopted)]
    late = [
        item(usage.RecordFiled, "a", f"r{n}", "adopted", "06-20", time=LATER, received=LATER)
        for n in range(adopted, adopted + later)
    ]
    covered = [
        stated(usage.FeedReported, type="record.filed", day=START + timedelta(days=n), count=0)
        for n in range((LAST - START).days + 1)
    ]
    return [*entered, *filed, *late, *covered]


def second_plan(target: str, since: date, published_at: datetime) -> PlanRevision:
    """Return revision 2: another target for the records, in force from *since*."""
    content = PLAN.model_dump(mode="json", by_alias=True, exclude_none=True) | {"in_force_from": since.isoformat()}
    for indicator in content["indicators"]:
        if indicator["id"] == "records":
            indicator["targets"] = [{"group": "judged", "target": target}]
    return PlanRevision(
        id="plan", revision=2, in_force_from=since, published=published_at, document=Plan.model_validate(content)
    )


def test_a_correction_that_came_late_is_not_known_before(database):
    """Ten records adopted are known on 10 July, the five that a late report adds only the day after; both of 20 June."""
    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)
    written(database, records(10, later=5))

    then = judge_afresh(database, about(day=day("06-20"), known_at=day("07-10")), zone=ZONE).histories["records", "a"][
        -1
    ]
    now = judge_afresh(database, about(day=day("06-20"), known_at=day("07-11")), zone=ZONE).histories["records", "a"][
        -1
    ]

    assert (then.numerator, then.denominator) == (10, 20)
    assert (now.numerator, now.denominator) == (15, 20)


def test_a_day_is_judged_under_another_revision(database):
    """60 % of the records reach the first revision's target and miss the second's, on days before it was in force too."""
    emptied(database)
    published(database, PLAN_REVISION, second_plan("90 %", day("07-05"), LATER), WITH_FEED)
    written(database, records(12))
    recompute(database, complete=LAST, zone=ZONE_INFO)

    def judged_on(on: date, **question: Any) -> Any:
        judged = judge_afresh(database, about(day=on, **question), zone=ZONE)
        one = judged.histories["records", "a"][-1]
        return judged.revision, one.target, one.ratio >= one.target

    assert [float(x) for x in judged_on(day("06-25"))[1:]] == [0.5, True]
    assert judged_on(day("06-25"), revision=2)[0] == 2
    assert [float(x) for x in judged_on(day("06-25"), revision=2)[1:]] == [0.9, False]
    assert judged_on(day("07-06"))[0] == 2
    assert [float(x) for x in judged_on(day("07-06"), revision=1)[1:]] == [0.5, True]
    assert judged_on(day("07-06"), known_at=day("07-10"))[0] == 1  # the second was published on the 11th


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"day": LAST, "revision": 7}, "no revision 7; it has: 1"),
        ({"day": LAST, "known_at": date(2008, 1, 1)}, "was not known yet; it was first published at 2008-05-"),
        ({"day": date(2008, 1, 2)}, "no revision of plan 'plan' and its directory was in force on 2008-01-02"),
        ({"day": date(2008, 1, 2), "revision": 1}, "no revision of plan"),
    ],
)
def test_what_cannot_be_judged_is_said(database, question, message):
    """Unknown revisions, days before the plan and days before it was known have no standing, and the error says why."""
    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)

    with pytest.raises(CannotJudge, match=message):
        judge_afresh(database, about(**question), zone=ZONE)


def test_there_is_no_such_plan(database):
    """A plan that nobody published is named."""
    with pytest.raises(CannotJudge, match="there is no plan 'other'"):
        judge_afresh(database, Question(plan="other", day=LAST), zone=ZONE)


def test_the_command_answers_for_then(database, shared_chdb, monkeypatch):
    """`tiendo standing --known-at` prints the rows of that knowledge, and says so above the table."""
    emptied(database)
    published(database, PLAN_REVISION, WITH_FEED)
    written(database, records(10, later=5))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", "afresh")
    app = typer.Typer()
    app.command()(standing)
    asked = ["--plan", "plan", "--as-of", "2008-06-20", "--indicator", "records", "--agency", "a"]

    def run(*more: str) -> Any:
        return CliRunner().invoke(app, [*asked, *more])

    then = json.loads(run("--known-at", "2008-07-10", "--format", "json").stdout)
    now = json.loads(run("--known-at", "2008-07-11", "--format", "json").stdout)
    assert [(row["numerator"], row["ratio"]) for row in (*then, *now)] == [(10, 0.5), (15, 0.75)]
    text = run("--known-at", "2008-07-10", "--revision", "1").stdout
    assert "by what had been received by the end of" in text
    assert "under revision 1" in text
    refused = run("--revision", "9")
    assert refused.exit_code == 1
    assert "no revision 9" in refused.output


def test_the_end_of_a_day_is_that_of_the_zone():
    """The last microsecond of 10 July in Vietnam is 16:59:59.999999 in UTC; days of 23 hours end right, too."""
    assert end_of(date(2008, 7, 10), ZoneInfo(ZONE)) == datetime(2008, 7, 10, 16, 59, 59, 999999, UTC)
    assert end_of(date(2024, 3, 31), ZoneInfo("Europe/Berlin")) == datetime(2024, 3, 31, 21, 59, 59, 999999, UTC)


def test_a_lowered_target_is_never_silently_better(database, shared_chdb, monkeypatch):
    """Under a table the lowered target is named, by whoever had published it by then; `tiendo plan moved` lists it."""
    emptied(database)
    published(database, PLAN_REVISION, second_plan("20 %", day("06-15"), LATER), WITH_FEED)
    written(database, records(8))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", "afresh")
    app = typer.Typer()
    app.command()(standing)
    app.command()(moved)

    def table(known: str) -> str:
        asked = ["standing", "--plan", "plan", "--as-of", "2008-07-01", "--known-at", known, "--indicator", "records"]
        return str(CliRunner().invoke(app, asked).stdout)

    assert "Moved goalposts: from 2008-06-15, revision 2 asks less of “records”: target 50.0 % → 20.0 %" in table(
        "2008-07-11"
    )
    assert "Moved goalposts" not in table("2008-07-10")
    listed = CliRunner().invoke(app, ["moved", "plan", "--as-of", "2008-07-01", "--format", "json"]).stdout
    assert [(one["agency"], one["revision"], one["target"]) for one in json.loads(listed)] == [
        (agency, 2, 0.2) for agency in ("a", "b", "c")
    ]
    assert "lead" not in CliRunner().invoke(app, ["moved", "plan", "--as-of", "2008-07-01"]).stdout
    assert "asks less than the one before" in CliRunner().invoke(app, ["moved", "plan", "--as-of", "2008-06-14"]).stdout
