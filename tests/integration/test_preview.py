"""`tiendo plan preview` on the real database: a draft beside what is published, with nothing written anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from schemas import usage
from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.recompute import recompute
from services.cli.preview import FIELDS, preview
from services.core.definition import definition_of, reads_of
from services.core.preview import Difference, Line, Side, compare
from services.core.replay import replay
from services.core.scope import FIRST_DAY, LAST_DAY, Scope
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress
from services.infra.figures.afresh import CannotJudge, Question, judge_afresh
from services.infra.figures.preview import Previewed, WhatIf
from services.infra.figures.preview import preview as previewed
from services.infra.figures.queries import Asked, figures, render
from services.infra.plan_reader import PlanReader
from tests.aggregator_world import START, ZONE
from tests.directories import DIRECTORY, revised, revision_lists
from tests.figures_world import (
    LAST,
    LATER,
    PLAN,
    PLAN_REVISION,
    ZONE_INFO,
    day,
    emptied,
    item,
    joined,
    published,
    stated,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer
from tests.usage_events import event_lists

pytestmark = pytest.mark.integration

GOLDEN = Path(__file__).parents[1] / "golden" / "preview"
OWNER = {"role": "feed-owner", "name": "Trung tâm", "email": "tt@example.vn"}
FEED = {
    "id": "one.records", "title": {"vi": "Hồ sơ"}, "source": "/one", "types": ["record.filed"],
    "covers": {"agencies": ["a"]}, "owner": OWNER,
}  # fmt: skip
WITH_FEED = revised(
    1,
    START,
    PLAN_REVISION.published,
    Directory.model_validate(DIRECTORY.model_dump(mode="json", by_alias=True, exclude_none=True) | {"feeds": [FEED]}),
)


def covered(*types: str) -> list[Any]:
    """Return the reports of source /one that it has sent everything of *types* on every day."""
    return [
        stated(usage.FeedReported, type=short, day=START + timedelta(days=n), count=0)
        for short in types
        for n in range((LAST - START).days + 1)
    ]


RECORDS = [
    *(item(usage.RecordFiled, "a", f"r{n}", "entered", "06-02") for n in range(20)),
    *(item(usage.RecordFiled, "a", f"r{n}", "adopted", "06-20") for n in range(2)),
    *covered("record.filed"),
]
TYPES = sorted({short for indicator in PLAN.indicators for short in reads_of(indicator)})
EVERYTHING = FEED | {"types": TYPES, "covers": {"all": True}}


def fed(revision: DirectoryRevision) -> DirectoryRevision:
    """Return *revision* with a feed that supplies everything to everybody."""
    content = revision.document.model_dump(mode="json", by_alias=True, exclude_none=True) | {"feeds": [EVERYTHING]}
    return revision.model_copy(update={"document": Directory.model_validate(content)})


class OnlyReads(ClickHouse):
    """A connection that writes nothing."""

    def run(self, *_: Any, **__: Any) -> None:
        raise AssertionError("a preview changes nothing")

    insert = insert_packed = run


@pytest.fixture(scope="module")
def database(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """Office a entered twenty records on 2 June and filed two of them on the 20th; its feed reports every day."""
    with world_database(shared_chdb, "preview") as database:
        published(database, PLAN_REVISION, WITH_FEED)
        written(database, RECORDS)
        recompute(database, complete=LAST, zone=ZONE_INFO)
        yield database


@pytest.fixture(scope="module")
def records(database: ClickHouse, shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The database of the records, through a connection that cannot write."""
    client = OnlyReads(ClickHouseAddress(port=shared_chdb.port, database="preview"))
    yield client
    client.close()


@pytest.fixture(scope="module")
def other(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """A database that each test fills anew."""
    with world_database(shared_chdb, "preview_other") as database:
        yield database


def drafted(change: Callable[[dict[str, Any]], None] = lambda _: None, **fields: Any) -> Plan:
    """Return the small world's plan with *fields* changed, and each indicator as *change* has left it."""
    content = PLAN.model_dump(mode="json", by_alias=True, exclude_none=True) | fields
    for indicator in content["indicators"]:
        change(indicator)
    return Plan.model_validate(content)


def with_records(**fields: Any) -> Plan:
    """Return a draft in which the indicator about records is another."""
    return drafted(lambda indicator: indicator.update(fields) if indicator["id"] == "records" else None)


def looked(database: ClickHouse, document: Plan, **more: Any) -> Previewed:
    return previewed(database, WhatIf(document=document, day=LAST, **more), zone=ZONE)


def line_of(found: Previewed, indicator: str = "records", agency: str = "a") -> Line:
    return next(one for one in found.preview.lines if (one.indicator, one.agency) == (indicator, agency))


# Nothing is filed until 20 June, so each day behind is a day since the start, of which there are seven on 4 June: behind on
# the 4th, 5th and 6th opens. 10 % on the 20th is ahead of 5.3 %, and three days ahead resolve on the 22nd.
TODAY = ((day("06-06"), day("06-21")),)


@pytest.mark.parametrize(
    ("document", "spans", "difference", "verdict"),
    [
        pytest.param(PLAN, TODAY, (Difference.SAME, 0), "at-risk", id="the published plan itself"),
        pytest.param(
            # 90 % in 217 days ask 10 % after 24.1: seven days behind from the 32nd day, 29 June, on.
            with_records(targets=[{"group": "judged", "target": "90 %"}]),
            (*TODAY, (day("07-01"), LAST)), (Difference.LONGER, 12), "behind", id="a higher target",
        ),
        pytest.param(
            # The records of 2 June count until the 11th; from then on there are none, which resolves nothing.
            with_records(measure={"kind": "items", "facts": "record.filed", "period": {"kind": "rolling", "days": 10}}),
            ((day("06-06"), LAST),), (Difference.LONGER, 21), "no-data", id="a definition that nobody has published",
        ),
        pytest.param(
            drafted(behind_after=12), ((day("06-11"), day("06-21")),), (Difference.LATER, 5), "at-risk",
            id="a higher threshold",
        ),
        pytest.param(
            drafted(warnings={"hold": 15, "clear": 3}), ((day("06-18"), day("06-21")),), (Difference.LATER, 12), "at-risk",
            id="a longer wait before the warning",
        ),
        pytest.param(
            drafted(warnings={"hold": 30, "clear": 3}), (), (Difference.NO_LONGER, 0), "at-risk", id="too long a wait",
        ),
    ],
)  # fmt: skip
def test_what_a_draft_would_have_warned_of(records, document, spans, difference, verdict):
    """By hand: when the office is warned under the published plan and under the draft, and how it stands at the end."""
    found = line_of(looked(records, document))

    assert found.before.spans == TODAY
    assert found.standing_before is not None
    assert found.standing_before.verdict == "at-risk"
    assert (found.after.spans, (found.difference, found.by)) == (spans, difference)
    assert found.standing_after is not None
    assert found.standing_after.verdict == verdict


def test_the_published_plan_differs_from_itself_in_nothing(records):
    """All indicators, all offices, feeds and totals; and nothing asks less."""
    found = looked(records, PLAN).preview

    assert not found.differs
    assert found.before == found.after
    assert found.moved == ()


def test_a_lowered_target_is_named(records):
    """50 to 40 %: each office of the group, under the number and the day that the draft would get."""
    lower = [{"group": "judged", "target": "40 %"}]

    found = looked(records, with_records(targets=lower).model_copy(update={"in_force_from": day("07-20")}))

    moved = {(one.agency, one.revision, one.since, float(one.target or 0)) for one in found.preview.moved}
    assert moved == {(agency, 2, day("07-20"), 0.4) for agency in ("a", "b", "c")}


def test_as_published_the_draft_counts_from_its_day(records):
    """In force from 29 June a higher target opens on 1 July all the same; the office's first warning stays as it was."""
    higher = [{"group": "judged", "target": "90 %"}]
    document = with_records(targets=higher)

    found = line_of(looked(records, document.model_copy(update={"in_force_from": day("07-05")}), as_published=True))

    assert found.after.spans == (*TODAY, (day("07-07"), LAST))
    with pytest.raises(CannotJudge, match="judges no day before 2008-08-01; 2008-07-12 was asked for"):
        looked(records, document.model_copy(update={"in_force_from": day("08-01")}), as_published=True)


def test_what_was_not_known_then_does_not_count(other):
    """Eight records whose filing was reported on 11 July make the draft's second warning go away, but not as known before."""
    late = [item(usage.RecordFiled, "a", f"r{n}", "adopted", "06-20", time=LATER, received=LATER) for n in range(2, 10)]
    emptied(other)
    published(other, PLAN_REVISION, WITH_FEED)
    written(other, [*RECORDS, *late])
    recompute(other, complete=LAST, zone=ZONE_INFO)
    higher = with_records(targets=[{"group": "judged", "target": "90 %"}])

    now, then = line_of(looked(other, higher)), line_of(looked(other, higher, known_at=day("07-10")))

    assert now.after.spans == TODAY
    assert then.after.spans == (*TODAY, (day("07-01"), LAST))


def test_a_plan_that_nobody_has_published(records):
    """Its warnings are all new, there is nothing to stand against, and no goalpost moved."""
    found = looked(records, PLAN.model_copy(update={"plan": "another"}))

    assert found.published is None
    assert (found.preview.before.warnings, found.preview.moved) == (0, ())
    assert line_of(found).difference is Difference.NEW
    assert line_of(found).after.spans == TODAY


def test_what_cannot_be_previewed_is_said(records):
    """A plan that begins later, and one of a directory that nobody has published."""
    with pytest.raises(CannotJudge, match="judges no day before 2008-08-01; 2008-07-12 was asked for"):
        looked(records, PLAN.model_copy(update={"start": day("08-01")}))
    with pytest.raises(CannotJudge, match="directory 'other' is not published"):
        looked(records, PLAN.model_copy(update={"directory": "other"}))
    with pytest.raises(CannotJudge, match=r"directory '.*' was not known yet; it was first published at 2008-"):
        looked(records, PLAN, known_at=day("01-01"))


def other_measures(indicator: dict[str, Any]) -> None:
    """Let every kind of measure be one that no published plan asks for."""
    measure = indicator["measure"]
    match measure["kind"]:
        case "activity":
            measure["window"] += 3
        case "items":
            measure["period"] = {"kind": "rolling", "days": 12}
        case _:
            indicator["targets"] = [{"group": "leadership", "target": "50 %"}, *indicator["targets"]]


@settings(
    max_examples=4, deadline=None, suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)  # fmt: skip
@given(events=event_lists, offices=revision_lists, hold=st.integers(0, 3))
def test_a_draft_is_what_it_will_be_once_published(other, events, offices, hold):
    """Any facts, any revisions of the directory, definitions of every kind: the same warnings and standings as afterwards."""
    emptied(other)
    offices = [fed(one) for one in offices]
    published(other, PLAN_REVISION, *offices)
    written(other, [*events, *covered(*TYPES), *(joined(f"person-{n}", "a", "06-01") for n in range(3))])
    recompute(other, complete=LAST, zone=ZONE_INFO)
    document = drafted(other_measures, warnings={"hold": hold, "clear": 1})

    found = looked(other, document).preview

    published(
        other,
        PLAN_REVISION,
        PlanRevision(id="plan", revision=2, in_force_from=START, published=LATER, document=document),
        *offices,
    )
    feed_days = PlanReader(other).feed_days({"/one"}, LAST)
    sides = []
    for number in (1, 2):
        judged = judge_afresh(other, Question(plan="plan", day=LAST, revision=number), zone=ZONE)
        on_plan = PLAN_REVISION.model_copy(
            update={"document": judged.plan, "revision": number, "in_force_from": judged.plan.start}
        )
        directories = PlanReader(other).directories("dir")
        changes = replay([on_plan], directories, judged.histories, feed_days=feed_days, last=LAST)
        sides.append(Side(changes=changes, histories=judged.histories))
    wanted = compare(*sides, day=LAST)
    assert any(one.standing_after and one.standing_after.ratio is not None for one in wanted.lines)
    assert found.lines == wanted.lines
    assert found.feeds == wanted.feeds


def test_a_scope_may_name_all_agencies_of_a_country(other):
    """A definition that comes with twelve thousand agencies is a query longer than ClickHouse reads unless told to."""
    records = next(one for one in PLAN.indicators if one.id == "records")
    definition = definition_of(records, PLAN)
    assert definition is not None
    many = [
        Scope(
            agency=f"office-of-the-people-s-committee-{n}",
            judged=f"district-{n % 700}",
            from_day=FIRST_DAY,
            to_day=LAST_DAY,
        )
        for n in range(12_000)
    ]
    many += [Scope(agency="a", judged="a", from_day=FIRST_DAY, to_day=LAST_DAY)]
    emptied(other)
    written(other, [item(usage.RecordFiled, "a", "r", "entered", "06-02")])

    asked = Asked(definition="unknown", canonical=definition.canonical, revision=1, scope=tuple(many))
    found = figures(other, render(asked, day("06-01"), day("06-03"), zone=ZONE_INFO))

    assert [(one.agency, one.day, one.numerator, one.denominator) for one in found] == [
        ("a", day("06-02"), 0, 1),
        ("a", day("06-03"), 0, 1),
    ]


@pytest.fixture
def run(shared_chdb: ChdbServer, records: ClickHouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The command on a draft: less asked of records, more of what is never filed, everybody called behind sooner."""
    monkeypatch.setenv("TIENDO_CLICKHOUSE_PORT", str(shared_chdb.port))
    monkeypatch.setenv("TIENDO_CLICKHOUSE_DATABASE", "preview")
    monkeypatch.setenv("TIENDO_CLOCK", "2008-07-13T08:00:00+07:00")
    app = typer.Typer()
    app.command()(preview)

    def command(document: Plan | str, *more: str) -> Any:
        text = document if isinstance(document, str) else document.model_dump_json(by_alias=True, exclude_none=True)
        file = tmp_path / "draft.yaml"  # JSON is YAML
        file.write_text(text, encoding="utf-8")
        return CliRunner().invoke(app, [str(file), *more])

    return command


def draft() -> Plan:
    changed = with_records(targets=[{"group": "judged", "target": "45 %"}])
    return changed.model_copy(update={"behind_after": 4, "in_force_from": day("07-14")})


@pytest.mark.parametrize(
    ("name", "options"),
    [
        pytest.param("draft.en.txt", ("--lang", "en"), id="English"),
        pytest.param("draft.vi.txt", ("--lang", "vi"), id="Vietnamese"),
        pytest.param("draft.json", ("--format", "json"), id="JSON"),
        pytest.param("draft.csv", ("--format", "csv"), id="CSV"),
    ],
)
def test_the_output_is_word_for_word_the_golden_one(run, name, options):
    """Table in both languages, JSON and CSV are those of the files (UPDATE_GOLDEN=1 writes them)."""
    text = "\n".join(line.rstrip() for line in run(draft(), *options).stdout.splitlines()) + "\n"
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")

    assert text == path.read_text(encoding="utf-8")


def test_where_nothing_differs_the_command_says_so(run):
    """Exit code 0, one sentence, in the language asked for; the agencies warned are listed, with --changed they are not."""
    same = run(PLAN)

    assert same.exit_code == 0
    assert "Nothing differs" in same.stdout
    assert "Sở A" in same.stdout
    assert "Sở A" not in run(PLAN, "--changed").stdout
    assert "Không có gì khác" in run(PLAN, "--lang", "vi").stdout
    assert json.loads(run(PLAN, "--format", "json").stdout)["differs"] is False


def test_faults_are_named_as_the_check_names_them(run):
    """With line and column and what was meant, in JSON as a list; exit code 1, and no preview."""
    text = PLAN.model_dump_json(by_alias=True, exclude_none=True, indent=1).replace('"judged"', '"juged"', 1)

    refused, as_json = run(text), run(text, "--format", "json")

    assert refused.exit_code == as_json.exit_code == 1
    assert "unknown group 'juged' — did you mean 'judged'?" in refused.stdout
    assert refused.stdout.startswith("draft.yaml:")
    assert [(one["message"], one["hint"]) for one in json.loads(as_json.stdout) if not one["warning"]] == [
        ("unknown group 'juged'", "did you mean 'judged'?")
    ]


def test_days_that_are_not_over_are_refused(run):
    """The last complete day is named; without --as-of it is the day previewed, and --known-at may be an earlier one."""
    assert "2008-07-13 is not over yet; the last day that is: 2008-07-12" in str(
        run(PLAN, "--as-of", "2008-07-13").exception
    )
    told = [
        json.loads(run(PLAN, "--format", "json", *more).stdout)["day"] for more in ((), ("--known-at", "2008-07-11"))
    ]
    assert told == ["2008-07-12", "2008-07-11"]


def test_what_was_known_then_is_not_said_to_be_known_now(run):
    """The sentence on what is assumed names the day asked for, in both languages."""
    then = " ".join(run(PLAN, "--known-at", "2008-07-11").stdout.split())

    assert "from all that was known by the end of 2008-07-11, not read" in then
    assert "known now" not in then
    vietnamese = " ".join(run(PLAN, "--known-at", "2008-07-11", "--lang", "vi").stdout.split())
    assert "theo những gì biết được đến hết ngày 11/07/2008, không" in vietnamese


def test_a_line_of_csv_has_the_fields_of_a_line_of_json(run):
    """One record per agency and indicator with a target, the same in both."""
    lines = json.loads(run(draft(), "--format", "json").stdout)["lines"]

    assert all(tuple(one) == FIELDS for one in lines)
    assert len(run(draft(), "--format", "csv").stdout.splitlines()) == len(lines) + 1
    assert date.fromisoformat(next(one for one in lines if one["agency"] == "a" and one["first_after"])["first_after"])
