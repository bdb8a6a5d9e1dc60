"""What standing is judged from, read from ClickHouse."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from schemas.revisions import REVISION, DirectoryRevision, PlanRevision, SourcesRevision
from services.core.coverage import FeedDay
from services.infra.clickhouse.client import ClickHouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The last finished round of a plan."""

    revision: int
    day: date
    basis: datetime
    inputs: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How many recomputations are outstanding that may change the days judged, and for how long the oldest is, in seconds."""

    count: int
    oldest_s: float


class FigureReader:
    """Reads revisions, figures, reports and marks. Raises Transient while the database is away."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def now(self) -> datetime:
        """Return the database's own moment, from which a round counts."""
        moment: datetime = self._database.rows("SELECT now64(6, 'UTC')")[0][0]
        return moment

    def plan_ids(self) -> list[str]:
        """Return the ids of all plans ever published."""
        return [
            row[0]
            for row in self._database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'plan' ORDER BY id")
        ]

    def plans(self, plan: str) -> list[PlanRevision]:
        """Return the revisions of *plan*, the oldest first."""
        return [one for one in self._revisions("plan", plan) if isinstance(one, PlanRevision)]

    def directories(self, directory: str) -> list[DirectoryRevision]:
        """Return the revisions of *directory*, the oldest first."""
        return [one for one in self._revisions("directory", directory) if isinstance(one, DirectoryRevision)]

    def marks(self, until: date) -> Marks:
        """Return the outstanding marks that touch days up to *until*."""
        # Younger days are still running in a live system: their marks never end and change nothing that is judged.
        count, oldest = self._database.rows(
            "SELECT count(), if(count() = 0, 0, dateDiff('second', min(last_marked), now64(6, 'UTC'))) "
            "FROM outstanding WHERE from_day <= toDate32(%(until)s)",
            {"until": until.isoformat()},
        )[0]
        return Marks(count=count, oldest_s=float(oldest))

    def last_change(self, definitions: Collection[str]) -> datetime | None:
        """Return the latest basis of the figures and reports that a plan reads; None where there are none."""
        moments = [
            self._database.rows(
                "SELECT max(basis) FROM adoption WHERE definition IN %(definitions)s HAVING count() > 0",
                {"definitions": tuple(sorted(definitions)) or ("",)},
            ),
            self._database.rows("SELECT max(basis) FROM feed_days HAVING count() > 0"),
        ]
        return max((rows[0][0] for rows in moments if rows), default=None)

    def last_evaluation(self, plan: str) -> Evaluation | None:
        """Return the last finished round of *plan*."""
        rows = self._database.rows(
            "SELECT revision, day, basis, inputs FROM evaluations FINAL WHERE plan = %(plan)s", {"plan": plan}
        )
        return Evaluation(revision=rows[0][0], day=rows[0][1], basis=rows[0][2], inputs=rows[0][3]) if rows else None

    def adoption(
        self, definitions: Collection[str], until: date
    ) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
        """Return (definition, agency) → day → numerator, denominator, measured share, up to *until*."""
        found: dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]] = {}
        columns = self._database.columns(
            "SELECT definition, agency, day, last.1, last.2, last.3 FROM (SELECT definition, agency, day, "
            "argMax((numerator, denominator, measured_share), basis) AS last FROM adoption "
            "WHERE definition IN %(definitions)s AND day <= toDate32(%(until)s) GROUP BY definition, agency, day)",
            {"definitions": tuple(sorted(definitions)) or ("",), "until": until.isoformat()},
        )
        for definition, agency, day, numerator, denominator, share in zip(*columns, strict=True):
            found.setdefault((definition, agency), {})[day] = (numerator, denominator, share)
        return found

    def feed_days(self, sources: Collection[str], until: date) -> list[FeedDay]:
        """Return the reports of *sources* up to *until*."""
        columns = self._database.columns(
            "SELECT source, type, day, last.1, last.2 FROM (SELECT source, type, day, "
            "argMax((reported, counted), basis) AS last FROM feed_days "
            "WHERE source IN %(sources)s AND day <= toDate32(%(until)s) GROUP BY source, type, day)",
            {"sources": tuple(sorted(sources)) or ("",), "until": until.isoformat()},
        )
        return [FeedDay(*row) for row in zip(*columns, strict=True)]

    def _revisions(self, kind: str, document: str) -> Sequence[PlanRevision | DirectoryRevision | SourcesRevision]:
        rows = self._database.rows(
            "SELECT revision, in_force_from, published, document FROM plan_revisions FINAL "
            "WHERE kind = %(kind)s AND id = %(id)s ORDER BY revision",
            {"kind": kind, "id": document},
        )
        return [
            REVISION.validate_python(
                {
                    "kind": kind,
                    "id": document,
                    "revision": revision,
                    "in_force_from": in_force_from,
                    "published": published,
                    "document": json.loads(text),
                }
            )
            for revision, in_force_from, published, text in rows
        ]
