"""Recomputation: marks in, changed figures out. Harmless when two run at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from services.aggregator.adapters.appending import append_changed
from services.aggregator.adapters.claims import Claim
from services.aggregator.adapters.feeds import append_feed_days
from services.aggregator.adapters.writer import insert_marks
from services.aggregator.core.marks import Mark
from services.aggregator.core.ranges import Range, clipped, gathered
from services.aggregator.core.reads import carries, reads_of_measure
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.definitions import Definition, definitions, queries

END_OF_DAY: Final = "day"
_MARKS_PER_ROUND: Final = 200_000


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round did."""

    marks: int
    queries: int


def recompute(database: ClickHouse, *, complete: date, zone: ZoneInfo) -> Round:
    """Bring ``adoption`` and ``feed_days`` up to the marks that are outstanding, up to the last complete day.

    Clears exactly the marks that it read. Raises Transient when ClickHouse goes away; what was appended by then is right.
    Blocks, for as long as the queries take.
    """
    _mark_end_of_day(database, complete)
    (basis,) = database.rows("SELECT now64(6, 'UTC')")[0]
    marks = [
        Mark(*row)
        for row in database.rows(
            "SELECT reads, agency, from_day, to_day FROM outstanding ORDER BY last_marked, reads, agency, from_day, to_day "
            f"LIMIT {_MARKS_PER_ROUND}"
        )
    ]
    if not marks:
        return Round(marks=0, queries=0)
    claim = Claim(database)
    count = append_feed_days(database, [mark for mark in marks if mark.reads.startswith("feed:")], claim)
    for definition in definitions(database):
        for part in _ranges(database, definition, marks, complete):
            for query in queries(definition, part.first, part.last, agencies=part.agencies, zone=zone):
                append_changed(database, query, claim.terms())
                count += 1
    _clear(database, marks, basis)
    claim.end()
    return Round(marks=len(marks), queries=count)


def _mark_end_of_day(database: ClickHouse, complete: date) -> None:
    # What was marked is read off the marks themselves, so that a restart and another leader do the same.
    (marked, count) = database.rows(
        "SELECT max(to_day), count() FROM touched WHERE reads = %(reads)s", {"reads": END_OF_DAY}
    )[0]
    if not count:
        insert_marks(database, [Mark(END_OF_DAY, "", complete, complete)])
    elif marked < complete:
        insert_marks(database, [Mark(END_OF_DAY, "", marked + timedelta(days=1), complete)])


def _ranges(database: ClickHouse, definition: Definition, marks: Iterable[Mark], complete: date) -> tuple[Range, ...]:
    measure = definition.measure
    reads = reads_of_measure(measure, definition.declared_as)
    always = {END_OF_DAY, f"definition:{definition.definition}"}
    concerned: list[tuple[str | None, date, date]] = []
    judged_by = _Judged(database, definition)
    for mark in marks:
        if mark.reads in always:
            concerned.append((None, mark.from_day, mark.to_day))
        elif mark.reads in reads:
            last = mark.to_day + timedelta(days=carries(measure, mark.reads))
            for judged in judged_by.of(mark):
                concerned.append((judged, mark.from_day, last))
    wanted = clipped(concerned, definition.first_day, min(complete, definition.last_day))
    return gathered(wanted, judged_by.count)


class _Judged:
    """Whose figures a mark's agency counts for under any revision of the directory; asked of the database once, and only
    when a mark calls for it."""

    def __init__(self, database: ClickHouse, definition: Definition) -> None:
        self._database = database
        self._definition = definition
        self._scopes: dict[str, tuple[str, ...]] | None = None
        self._codes: dict[str, tuple[str, ...]] | None = None

    @property
    def count(self) -> int:
        """How many agencies are judged; 0 where nobody had to ask."""
        return len({judged for scope in (self._scopes or {}).values() for judged in scope})

    def of(self, mark: Mark) -> Iterable[str | None]:
        if mark.agency == "":
            return (None,)
        if mark.reads == "exchanges":
            if self._codes is None:
                self._codes = self._read(
                    "SELECT code, groupUniqArray(agency) FROM agency_codes "
                    "WHERE directory = %(directory)s GROUP BY code"
                )
            agencies = self._codes.get(mark.agency, ())
        else:
            agencies = (mark.agency,)
        if self._scopes is None:
            self._scopes = self._read(
                "SELECT agency, groupUniqArray(judged) FROM scopes WHERE definition = %(definition)s "
                "AND directory = %(directory)s GROUP BY agency"
            )
        return {judged for agency in agencies for judged in self._scopes.get(agency, ())}

    def _read(self, query: str) -> dict[str, tuple[str, ...]]:
        params: Mapping[str, Any] = {
            "definition": self._definition.definition,
            "directory": self._definition.directory,
        }
        return {key: tuple(values) for key, values in self._database.rows(query, dict(params))}


def _clear(database: ClickHouse, marks: list[Mark], basis: datetime) -> None:
    # `marked` must not move, or the mark would stand again; the least moment leaves the greatest as it is.
    columns: list[list[Any]] = [list(column) for column in zip(*marks, strict=True)]
    epoch = basis.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    database.insert(
        "touched", (*Mark._fields, "marked", "cleared"), [*columns, [epoch] * len(marks), [basis] * len(marks)]
    )
