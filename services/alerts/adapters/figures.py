"""What standing is judged from, read from ClickHouse."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from services.infra.plan_reader import PlanReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How many recomputations are outstanding that may change the days judged, and for how long the oldest is, in seconds."""

    count: int
    oldest_s: float


class FigureReader(PlanReader):
    """Reads figures and marks, beside what everybody reads. Raises Transient while the database is away."""

    def now(self) -> datetime:
        """Return the database's own moment, from which a round counts."""
        moment: datetime = self._database.rows("SELECT now64(6, 'UTC')")[0][0]
        return moment

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
