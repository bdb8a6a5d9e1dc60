"""What several readers ask ClickHouse for: revisions of plans and directories, how far judging is, reports of feeds."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from schemas.revisions import REVISION, AnyRevision, DirectoryRevision, PlanRevision, PolicyRevision
from services.core.schedule.coverage import FeedDay
from services.infra.clickhouse.client import ClickHouse

_FIRST_DAY: Final = date(1900, 1, 1)  # the least day that the database's type holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The last finished round of a plan."""

    revision: int
    day: date
    basis: datetime
    inputs: str


class PlanReader:
    """Reads revisions, evaluations and reports. Raises Transient while the database is away."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def plan_ids(self) -> list[str]:
        """Return the ids of all plans ever published."""
        return [
            row[0]
            for row in self._database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'plan' ORDER BY id")
        ]

    def directory_ids(self) -> list[str]:
        """Return the ids of all directories ever published."""
        rows = self._database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'directory' ORDER BY id")
        return [row[0] for row in rows]

    def plans(self, plan: str) -> list[PlanRevision]:
        """Return the revisions of *plan*, the oldest first."""
        return [one for one in self._revisions("plan", plan) if isinstance(one, PlanRevision)]

    def directories(self, directory: str) -> list[DirectoryRevision]:
        """Return the revisions of *directory*, the oldest first."""
        return [one for one in self._revisions("directory", directory) if isinstance(one, DirectoryRevision)]

    def holidays(self, directory: str) -> frozenset[date]:
        """Return the holidays that any revision of *directory* names: of days to come the later ones know more."""
        rows = self._database.rows(
            "SELECT DISTINCT arrayJoin(JSONExtract(document, 'holidays', 'Array(String)')) FROM plan_revisions "
            "WHERE kind = 'directory' AND id = %(id)s",
            {"id": directory},
        )
        return frozenset(date.fromisoformat(row[0]) for row in rows)

    def policies(self, plan: str) -> list[PolicyRevision]:
        """Return the revisions of every policy of *plan*, the oldest first of each."""
        names = [row[0] for row in self._database.rows("SELECT DISTINCT id FROM plan_revisions WHERE kind = 'policy'")]
        found = [one for name in sorted(names) for one in self._revisions("policy", name)]
        return [one for one in found if isinstance(one, PolicyRevision) and one.document.plan == plan]

    def last_evaluation(self, plan: str) -> Evaluation | None:
        """Return the last finished round of *plan*."""
        rows = self._database.rows(
            "SELECT revision, day, basis, inputs FROM evaluations FINAL WHERE plan = %(plan)s", {"plan": plan}
        )
        return Evaluation(revision=rows[0][0], day=rows[0][1], basis=rows[0][2], inputs=rows[0][3]) if rows else None

    def feed_days(self, sources: Collection[str], until: date, since: date | None = None) -> list[FeedDay]:
        """Return the reports of *sources* from *since* (None: the first) up to *until*."""
        columns = self._database.columns(
            "SELECT source, type, day, last.1, last.2 FROM (SELECT source, type, day, "
            "argMax((reported, counted), basis) AS last FROM feed_days "
            "WHERE source IN %(sources)s AND day >= toDate32(%(since)s) AND day <= toDate32(%(until)s) "
            "GROUP BY source, type, day)",
            {
                "sources": tuple(sorted(sources)) or ("",),
                "since": (since or _FIRST_DAY).isoformat(),
                "until": until.isoformat(),
            },
        )
        return [FeedDay(*row) for row in zip(*columns, strict=True)]

    def _revisions(self, kind: str, document: str) -> Sequence[AnyRevision]:
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
