"""Figures into ``adoption``: what changed, in one statement."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from services.aggregator.adapters.claims import Terms
from services.infra.clickhouse.client import ClickHouse


def append_changed(database: ClickHouse, query: tuple[str, dict[str, Any]], terms: Terms) -> None:
    """Append to ``adoption`` the figures of a rendered query that differ from those held, in one statement, on *terms*."""
    database.run(_statement().replace("{figures}", query[0]), query[1] | asdict(terms))


@cache
def _statement() -> str:
    text = (Path(__file__).parent / "append.sql").read_text(encoding="utf-8")
    return "\n".join(line for line in text.splitlines() if not line.startswith("--"))
