"""The SQL of figures, pinned: a change of it is seen in review as the text that ClickHouse gets."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.core.definition import definition_of
from services.core.scope import Scope
from services.infra.figures.queries import Asked, render
from tests.aggregator_world import ZONE, world_documents

GOLDEN = Path(__file__).parents[1] / "golden" / "sql"
PLAN, _ = world_documents()


@pytest.mark.parametrize("indicator", PLAN.indicators, ids=lambda indicator: indicator.id)
def test_sql_is_as_pinned(indicator):
    """Query and parameters of each kind of measure are those of the golden file (UPDATE_GOLDEN=1 writes them)."""
    definition = definition_of(indicator, PLAN)
    asked = Asked(definition=definition.hash, canonical=definition.canonical, revision=3)
    query, params = render(
        asked,
        date(2008, 6, 1),
        date(2008, 9, 30),
        agencies=["b", "a"],
        known_at=datetime(2008, 9, 30, 16, 59, 59, tzinfo=UTC),
        zone=ZoneInfo(ZONE),
    )
    text = f"-- {json.dumps(params, sort_keys=True)}\n{query}\n"
    path = GOLDEN / f"{indicator.id}.sql"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    assert path.read_text(encoding="utf-8") == text


def test_a_definition_that_nobody_has_published_brings_its_scope_along():
    """The query asks no table whose figure an agency counts for; everything else is as pinned."""
    records = next(one for one in PLAN.indicators if one.id == "records")
    definition = definition_of(records, PLAN)
    known = Asked(definition=definition.hash, canonical=definition.canonical, revision=3)
    scope = (Scope(agency="a1", judged="a", from_day=date(1900, 1, 1), to_day=date(1970, 1, 2)),)
    days = date(2008, 6, 1), date(2008, 9, 30)

    query, params = render(replace(known, scope=scope), *days, zone=ZoneInfo(ZONE))

    usual, others = render(known, *days, zone=ZoneInfo(ZONE))
    assert "FROM scopes" in usual
    assert "FROM scopes" not in query
    assert query.split("),", 1)[1] == usual.split("),", 1)[1]
    assert params == others | {"scope": [("a1", "a", -25567, 1)]}
