"""What a figure is asked for by: a definition under a directory's revision, on one day, by what was known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.infra.clickhouse.client import ClickHouse, Row
from services.infra.figures.queries import Asked, Figure, figures, filled, parameters, render

_FOLDER: Final = Path(__file__).parent / "sql"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Inquiry:
    """One figure of one agency on one day. Reads raise Transient while the database is away."""

    database: ClickHouse
    asked: Asked
    agency: str
    day: date
    known_at: datetime | None
    zone: ZoneInfo

    def rows(self, template: str, *, more: dict[str, Any] | None = None, **parts: str) -> list[Row]:
        """Return what the query *template* of this room answers; *parts* fill its places with templates of figures."""
        params = parameters(
            self.asked, self.day, self.day, agencies=(self.agency,), known_at=self.known_at, zone=self.zone
        )
        return self.database.rows(filled(template, _FOLDER, **parts), params | (more or {}))

    def figure(self, *, declared: bool) -> Figure | None:
        """Return the figure counted now from the facts, with or without what was declared; None where it has no cases."""
        asked = self.asked
        if not declared:
            asked = Asked(definition=asked.definition, canonical=asked.canonical, revision=asked.revision)
        query = render(asked, self.day, self.day, agencies=(self.agency,), known_at=self.known_at, zone=self.zone)
        return next(iter(figures(self.database, query)), None)


def moment_of(version: int) -> datetime:
    """Return when the statement of this version was made: the microseconds of its ``time``."""
    return _EPOCH + timedelta(microseconds=version >> 64)
