"""The example's plan and directory, and what the guide's pieces change of them, for tests of agencies that change."""

from __future__ import annotations

import io
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from schemas import usage
from schemas.directory import Directory
from schemas.plan import MeanMeasure, Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.aggregator.adapters.documents import store
from services.aggregator.adapters.recompute import recompute
from services.alerts.adapters.figures import FigureReader
from services.core.definition import definition_of
from services.core.directory_faults import directory_findings
from services.core.plan_faults import plan_findings
from services.core.schedule.assess import Assessment, assess
from services.core.schedule.coverage import FeedDay
from services.core.schedule.standing import Standing
from services.infra.clickhouse.client import ClickHouse
from tests.aggregator_world import ZONE
from tests.figures_world import ZONE_INFO, day, emptied, item, opened, published, written
from tests.oracle import Oracle

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "thai-nguyen-2008"
GUIDE = ROOT / "docs" / "plan-owners-agencies.md"
LAST = date(2008, 7, 20)
Content = dict[str, Any]
#: (indicator, agency, day) → numerator, denominator.
Figures = dict[tuple[str, str, date], tuple[int, int]]


def _yaml(text: str) -> Content:
    loaded: Content = YAML(typ="safe", pure=True).load(io.StringIO(text))
    return loaded


def example(name: str) -> Content:
    """Return a document of the example as written."""
    return _yaml((EXAMPLE / f"{name}.yaml").read_text(encoding="utf-8"))


PLAN, DIRECTORY = example("plan"), example("directory")


def in_guide(heading: str) -> list[Content]:
    """Return the pieces of YAML below a heading of the guide."""
    section = GUIDE.read_text(encoding="utf-8").split(f"\n### {heading}\n")[1].split("\n##")[0]
    return [_yaml(piece) for piece in re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)]


def changed(content: Content, piece: Content) -> Content:
    """Return *content* with the fields that *piece* states; entries of lists are known by their ids, and new ones come last."""
    result = dict(content)
    for key, value in piece.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            stated = {entry["id"]: entry for entry in value}
            known = [entry | stated.pop(entry["id"], {}) for entry in content[key]]
            result[key] = [*known, *stated.values()]
        else:
            result[key] = value
    return result


def directory_revision(number: int, content: Content) -> DirectoryRevision:
    """Return a revision of the directory without faults, published on the day before it holds."""
    assert [finding for finding in directory_findings(content) if not finding.warning] == []
    document = Directory.model_validate(content)
    moment = datetime.combine(document.in_force_from, datetime.min.time(), UTC) - timedelta(days=1)
    return DirectoryRevision(
        id=document.directory,
        revision=number,
        in_force_from=document.in_force_from,
        published=moment,
        document=document,
    )


def plan_revision(number: int, content: Content, directory: Directory) -> PlanRevision:
    """Return a revision of the plan without faults."""
    assert [finding for finding in plan_findings(content, directory) if not finding.warning] == []
    document = Plan.model_validate(content)
    moment = datetime(2008, 5, 28, tzinfo=UTC)
    return PlanRevision(
        id=document.plan, revision=number, in_force_from=document.in_force_from, published=moment, document=document
    )


FIRST = directory_revision(1, DIRECTORY)
ON_PLAN = plan_revision(1, PLAN, FIRST.document)
DEFINITIONS = {
    found.hash: one.id for one in ON_PLAN.document.indicators if (found := definition_of(one, ON_PLAN.document))
}


def held(database: ClickHouse) -> Figures:
    """Return the figures as they are kept."""
    rows = database.rows(
        "SELECT definition, agency, day, argMax(numerator, basis), argMax(denominator, basis) AS due "
        "FROM adoption GROUP BY definition, agency, day HAVING due != 0"
    )
    return {(DEFINITIONS[hashed], agency, on): (int(n), int(d)) for hashed, agency, on, n, d in rows}


def expected(events: list[Any], *directories: DirectoryRevision) -> Figures:
    """Return the figures as the oracle has them."""
    plan = ON_PLAN.document
    oracle = Oracle(events, plan, directories, ZONE)
    return {
        (one.id, agency, on): (int(numerator), int(denominator))
        for one in plan.indicators
        if not isinstance(one.measure, MeanMeasure)
        for (agency, on), (numerator, denominator) in oracle.figures(one, plan.start, LAST).items()
    }


def after(database: ClickHouse, events: list[Any], later: DirectoryRevision) -> Figures:
    """Return the figures once *later* is published; those of the days before it holds were there before, and stay."""
    emptied(database)
    published(database, ON_PLAN, FIRST)
    written(database, events)
    recompute(database, complete=LAST, zone=ZONE_INFO)
    before = {key: figure for key, figure in held(database).items() if key[2] < later.in_force_from}
    query = "SELECT count() FROM adoption WHERE day < toDate32(%(day)s)"
    rows = database.rows(query, {"day": later.in_force_from.isoformat()})

    store(database, later)
    recompute(database, complete=LAST, zone=ZONE_INFO)

    found = held(database)
    assert {key: figure for key, figure in found.items() if key[2] < later.in_force_from} == before
    assert database.rows(query, {"day": later.in_force_from.isoformat()}) == rows
    assert found == expected(events, FIRST, later)
    return found


def course(figures: Figures, indicator: str, agency: str, *days: str) -> list[tuple[int, int] | None]:
    """Return the figures of an agency on these days."""
    return [figures.get((indicator, agency, day(one))) for one in days]


def assessed(database: ClickHouse, plans: list[PlanRevision], later: DirectoryRevision, last: date) -> Assessment:
    """Return the standing under the real judge, with every feed reporting every day."""
    hashes = {
        found.hash for plan in plans for one in plan.document.indicators if (found := definition_of(one, plan.document))
    }
    start = ON_PLAN.document.start
    days = [start + timedelta(days=step) for step in range((last - start).days + 1)]
    reports = [
        FeedDay(feed.source, short, on, 0, 0) for feed in later.document.feeds for short in feed.types for on in days
    ]
    adoption = FigureReader(database).adoption(hashes, last)
    return assess(plans, [FIRST, later], adoption=adoption, feed_days=reports, day=last)


def standings(assessment: Assessment, indicator: str, agency: str) -> dict[date, Standing]:
    """Return the standings of an agency by day."""
    return {one.day: one for one in assessment.histories[(indicator, agency)]}


def record(agency: str, name: str, step: str, on: str) -> Any:
    """Return a step of a record filed."""
    return item(usage.RecordFiled, agency, name, step, on)


def box(person: str, on: str = "06-01") -> Any:
    """Return the opening of a person's official mailbox."""
    return opened(f"{person}@x", person, on, domain="thainguyen.gov.vn")


def changed_indicators(piece: Content) -> Content:
    """Return the piece of a plan with its indicators whole."""
    whole = {one["id"]: one for one in PLAN["indicators"]}
    return piece | {"indicators": [whole[one["id"]] | one for one in piece["indicators"]]}
