"""`tiendo plan preview` on the real database: a draft beside what is published, with nothing written anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schemas import usage
from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.recompute import recompute
from services.core.definition import definition_of, reads_of
from services.core.preview import Difference, Line, Side, compare
from services.core.scope import FIRST_DAY, LAST_DAY, Scope
from services.core.warnings.replay import replay
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import CannotJudge, Question, judge_afresh
from services.infra.figures.preview import Previewed, WhatIf
from services.infra.figures.preview import preview as previewed
from services.infra.figures.queries import Asked, figures, render
from services.infra.plan_reader import PlanReader
from tests.aggregator_world import START, ZONE
from tests.directories import revision_lists
from tests.figures_world import (
    FEED,
    LAST,
    LATER,
    PLAN,
    PLAN_REVISION,
    WITH_FEED,
    ZONE_INFO,
    day,
    emptied,
    item,
    joined,
    published,
    world_database,
    written,
)
from tests.fixtures.chdb import ChdbServer
from tests.preview_world import RECORDS, covered, drafted, records_known, with_records
from tests.usage_events import event_lists

pytestmark = pytest.mark.integration

TYPES = sorted({short for indicator in PLAN.indicators for short in reads_of(indicator)})
EVERYTHING = FEED | {"types": TYPES, "covers": {"all": True}}


def fed(revision: DirectoryRevision) -> DirectoryRevision:
    """Return *revision* with a feed that supplies everything to everybody."""
    content = revision.document.model_dump(mode="json", by_alias=True, exclude_none=True) | {"feeds": [EVERYTHING]}
    return revision.model_copy(update={"document": Directory.model_validate(content)})


@pytest.fixture(scope="module")
def records(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """The database of the records, through a connection that cannot write."""
    with records_known(shared_chdb, "preview") as database:
        yield database


@pytest.fixture(scope="module")
def other(shared_chdb: ChdbServer) -> Iterator[ClickHouse]:
    """A database that each test fills anew."""
    with world_database(shared_chdb, "preview_other") as database:
        yield database


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
