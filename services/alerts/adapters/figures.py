"""What standing is judged from, read from ClickHouse."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.infra.plan_reader import PlanReader

#: Without it the groups of a large answer come in hundreds of small blocks, each of which costs as much as a large one.
IN_ONE: Final = "SETTINGS group_by_two_level_threshold = 0, group_by_two_level_threshold_bytes = 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """How many recomputations are outstanding that may change the days judged, and for how long the oldest is, in seconds."""

    count: int
    oldest_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Arrays of agencies × consecutive days: counts in ten-thousandths, 0 where there are none, and measured shares."""

    done: NDArray[np.int64]
    of: NDArray[np.int64]
    share: NDArray[np.float64]


class FigureReader(PlanReader):
    """Reads figures and marks, beside what everybody reads. Raises Transient while the database is away."""

    afresh = False  # whether what has not changed since the last round is taken all the same

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

    def changed_figures(
        self, definitions: Collection[str], *, since: datetime, before: date
    ) -> dict[str, dict[str, date]]:
        """Return definition → agency → the first day before *before* whose figure has a basis of *since* or later."""
        columns = self._database.columns(
            "SELECT definition, agency, min(day) FROM adoption WHERE definition IN %(definitions)s "
            "AND day < toDate32(%(before)s) AND basis >= toDateTime64(%(since)s, 6, 'UTC') GROUP BY definition, agency",
            {
                "definitions": tuple(sorted(definitions)) or ("",),
                "before": before.isoformat(),
                "since": _moment(since),
            },
        )
        found: dict[str, dict[str, date]] = {}
        for definition, agency, day in zip(*columns, strict=True):
            found.setdefault(definition, {})[agency] = day
        return found

    def changed_reports(self, *, since: datetime, before: date) -> dict[str, date]:
        """Return source → the first day before *before* whose report has a basis of *since* or later."""
        columns = self._database.columns(
            "SELECT source, min(day) FROM feed_days WHERE day < toDate32(%(before)s) "
            "AND basis >= toDateTime64(%(since)s, 6, 'UTC') GROUP BY source",
            {"before": before.isoformat(), "since": _moment(since)},
        )
        return dict(zip(*columns, strict=True)) if columns else {}

    def figures(
        self, definition: str, agencies: Sequence[str], span: tuple[date, date], thin: tuple[date, int] | None = None
    ) -> Counts:
        """Return the figures of *agencies* on the days of *span*, both included.

        *thin* (a day, and the fewest cases that count): of the days before that one only each agency's earliest with so many
        cases is read, which is all that paces ask for.
        """
        first, last = span
        dense, fewest = thin or (first, 0)
        shape = (len(agencies), (last - first).days + 1)
        found = Counts(
            done=np.zeros(shape, dtype=np.int64),
            of=np.zeros(shape, dtype=np.int64),
            share=np.full(shape, np.nan),
        )
        early = (
            ", minIf(day, day < dense AND denominator >= fewest AND denominator > 0) AS first_day, "
            "toInt64(argMinIf(numerator, day, day < dense AND denominator >= fewest AND denominator > 0) * 10000), "
            "toInt64(argMinIf(denominator, day, day < dense AND denominator >= fewest AND denominator > 0) * 10000), "
            "argMinIf(measured_share, day, day < dense AND denominator >= fewest AND denominator > 0), "
            "countIf(day < dense AND denominator >= fewest AND denominator > 0)"
        )
        columns = self._database.columns(
            "WITH toDate32(%(first)s) AS origin, toDate32(%(dense)s) AS dense, toUInt32(%(fewest)s) AS fewest "
            "SELECT agency, groupArrayIf(dateDiff('day', origin, day), day >= dense), "
            "groupArrayIf(toInt64(numerator * 10000), day >= dense), "
            "groupArrayIf(toInt64(denominator * 10000), day >= dense), "
            f"groupArrayIf(measured_share, day >= dense){early if thin else ''} FROM adoption FINAL "
            "WHERE definition = %(definition)s AND agency IN %(agencies)s AND day >= origin "
            f"AND day <= toDate32(%(last)s) GROUP BY agency {IN_ONE}",
            {
                "definition": definition,
                "agencies": tuple(agencies),
                "first": first.isoformat(),
                "last": last.isoformat(),
                "dense": dense.isoformat(),
                "fewest": fewest,
            },
        )
        if not columns:
            return found
        place = {agency: at for at, agency in enumerate(agencies)}
        rows = np.array([place[agency] for agency in columns[0]], dtype=np.int64)
        if thin:
            some = np.flatnonzero(np.array(columns[9]) > 0)
            days = np.array([(columns[5][at] - first).days for at in some.tolist()], dtype=np.int64)
            for values, column in zip((found.done, found.of, found.share), columns[6:9], strict=True):
                values[rows[some], days] = np.array(column)[some]
        lengths = [len(one) for one in columns[1]]
        at = np.repeat(rows, lengths), _flat(columns[1], sum(lengths), np.int64)
        found.done[at] = _flat(columns[2], sum(lengths), np.int64)
        found.of[at] = _flat(columns[3], sum(lengths), np.int64)
        found.share[at] = _flat(columns[4], sum(lengths), np.float64)
        return found

    def adoption_of(
        self, definitions: Collection[str], agencies: Collection[str], until: date
    ) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
        """Return the same as :meth:`adoption`, of *agencies* alone."""
        return self._adoption(definitions, until, agencies)

    def adoption(
        self, definitions: Collection[str], until: date
    ) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
        """Return (definition, agency) → day → numerator, denominator, measured share, up to *until*."""
        return self._adoption(definitions, until, None)

    def _adoption(
        self, definitions: Collection[str], until: date, agencies: Collection[str] | None
    ) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
        found: dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]] = {}
        columns = self._database.columns(
            "SELECT definition, agency, day, last.1, last.2, last.3 FROM (SELECT definition, agency, day, "
            "argMax((numerator, denominator, measured_share), basis) AS last FROM adoption "
            "WHERE definition IN %(definitions)s AND day <= toDate32(%(until)s) "
            f"{'' if agencies is None else 'AND agency IN %(agencies)s '}GROUP BY definition, agency, day)",
            {
                "definitions": tuple(sorted(definitions)) or ("",),
                "until": until.isoformat(),
                "agencies": tuple(sorted(agencies or ())) or ("",),
            },
        )
        for definition, agency, day, numerator, denominator, share in zip(*columns, strict=True):
            found.setdefault((definition, agency), {})[day] = (numerator, denominator, share)
        return found


def _flat(lists: Iterable[Iterable[float]], size: int, kind: type) -> NDArray[np.float64]:
    return np.fromiter(chain.from_iterable(lists), dtype=kind, count=size)


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
