"""The SQL of figures, pinned: a change of it is seen in review as the text that ClickHouse gets."""

from __future__ import annotations

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.core.definition import definition_of
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
