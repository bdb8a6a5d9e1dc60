"""Old tables against new ones: checksums per bucket of keys, and only where they differ the keys themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from services.aggregator.core.batch import SHAPES
from services.aggregator.core.facts import Activity, Archived
from services.aggregator.core.rebuilding import Difference
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.definitions import definitions

_BUCKETS: Final = 256
_ROWS_AT_ONCE: Final = 1_000_000  # compared key by key in one query
_EXAMPLES: Final = 5
_SHOWN: Final = 160  # characters of an example

_ACTIVITY_KEY: Final = ("actor", "kind", "day", "action", "source")
#: Tables read off revisions: the key of each.
_DOCUMENTS: Final = {
    "agencies": ("directory", "revision", "agency"),
    "agency_codes": ("directory", "revision", "code", "agency", "from_day"),
    "feeds": ("directory", "revision", "feed"),
    "definitions": ("definition", "plan", "revision", "indicator"),
    "scopes": ("definition", "directory", "revision", "agency"),
    "schedule": ("plan", "revision", "indicator", "agency", "day"),
}
_FACT_SHAPES: Final = {shape.table: shape for kind, shape in SHAPES.items() if kind not in (Archived, Activity)}


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The databases compared; of facts only those whose events the archive took before *cut* (its whole moment)."""

    running: str
    rebuilt: str
    cut: str


class Compared(NamedTuple):
    """How many current rows of a table there are on either side, and on which they do not agree."""

    table: str
    running: int
    rebuilt: int
    difference: Difference | None


def compared(database: ClickHouse, table: str, sides: Sides) -> Compared:
    """Return how the current rows of *table* compare. Blocks."""
    key, digest = _current(table, sides)
    params = {"cut": sides.cut}
    totals = [
        {
            row[0]: row[1:]
            for row in database.rows(
                f"SELECT modulo(cityHash64({key}), {_BUCKETS}) AS bucket, count(), sum(digest) FROM "
                f"({digest.format(db=side)}) GROUP BY bucket SETTINGS optimize_aggregation_in_order = 1",
                params,
            )
        }
        for side in (sides.running, sides.rebuilt)
    ]
    buckets = [n for n in range(_BUCKETS) if totals[0].get(n) != totals[1].get(n)]
    missing = surplus = different = 0
    examples: list[str] = []
    rows = sum(int(bucket[0]) for side in totals for bucket in side.values())
    together = max(1, _BUCKETS * _ROWS_AT_ONCE // max(rows, 1))
    for start in range(0, len(buckets), together):
        named = ", ".join(map(str, buckets[start : start + together]))
        both = " UNION ALL ".join(
            f"SELECT {key}, {held} AS held, digest FROM ({digest.format(db=side)}) "
            f"WHERE modulo(cityHash64({key}), {_BUCKETS}) IN ({named})"
            for held, side in ((1, sides.running), (2, sides.rebuilt))
        )
        unequal = (
            f"SELECT sum(held) AS where_held, toString(tuple({key})) AS shown FROM ({both}) GROUP BY {key} "
            "HAVING sum(held) != 3 OR min(digest) != max(digest)"
        )
        for where, count, shown in database.rows(
            f"SELECT where_held, count(), arraySort(groupArray({_EXAMPLES})(shown)) FROM ({unequal}) "
            "GROUP BY where_held ORDER BY where_held",
            params,
        ):
            surplus += count if where == 1 else 0
            missing += count if where == 2 else 0
            different += count if where == 3 else 0
            words = {1: "only in the running table", 2: "missing in the running table", 3: "different"}[where]
            examples += [f"{words}: {one[:_SHOWN]}" for one in shown]
    found = Difference(table, missing, surplus, different, tuple(sorted(examples)[:_EXAMPLES]))
    running, rebuilt = (sum(int(bucket[0]) for bucket in side.values()) for side in totals)
    return Compared(table, running, rebuilt, found if missing or surplus or different else None)


def figures_differ(database: ClickHouse, sides: Sides, complete: date) -> list[Difference]:
    """Return where the current figures and days of feeds do not agree, up to *complete*; their history plays no part.

    Figures of a definition are compared up to the last day on which a plan asks for it: what was computed for later days
    before a revision dropped it stays, is read by nobody, and is not computed again.
    """
    asked = {one.definition: one.last_day.isoformat() for one in definitions(database)}
    lasts = "transform(definition, %(asked)s, %(lasts)s, '')" if asked else "''"
    found = []
    for table, key, values in (
        ("adoption", "definition, agency, day", "(numerator, denominator)"),
        ("feed_days", "source, type, day", "(ifNull(toInt64(reported), -1), toInt64(counted))"),
    ):
        nothing = "(0, 0)" if table == "adoption" else "(-1, 0)"
        until = f"toString(day) <= {lasts}" if table == "adoption" else "1"
        both = " UNION ALL ".join(
            f"SELECT {key}, toString(argMax({values}, basis)) AS value, {held} AS held FROM {side}.{table} "
            f"WHERE day <= toDate32(%(complete)s) AND {until} GROUP BY {key} HAVING argMax({values}, basis) != {nothing}"
            for held, side in ((1, sides.running), (2, sides.rebuilt))
        )
        rows = database.rows(
            f"SELECT where_held, count(), arraySort(groupArray({_EXAMPLES})(shown)) FROM ("
            f"SELECT sum(held) AS where_held, toString(tuple({key}, groupArray(value))) AS shown FROM "
            f"(SELECT * FROM ({both}) ORDER BY held) GROUP BY {key} HAVING sum(held) != 3 OR min(value) != max(value)) "
            "GROUP BY where_held",
            {"complete": complete.isoformat(), "asked": list(asked), "lasts": list(asked.values())},
        )
        counts: dict[int, tuple[int, list[str]]] = {where: (count, shown) for where, count, shown in rows}
        if counts:
            of = [counts.get(where, (0, [])) for where in (2, 1, 3)]
            examples = tuple(one[:_SHOWN] for _, shown in of for one in shown)[:_EXAMPLES]
            found.append(Difference(table, of[0][0], of[1][0], of[2][0], examples))
    return found


def lost_from_archive(database: ClickHouse, sides: Sides) -> int:
    """Return how many events the topic holds and the running archive does not."""
    rows = database.rows(f"SELECT count() FROM ({_archive_lacks('source', sides)})")
    return int(rows[0][0])


def mend_archive(database: ClickHouse, sides: Sides) -> None:
    """Put into the running archive what the topic holds and it lacks; harmless when repeated."""
    names = ", ".join(Archived._fields)
    database.run(f"INSERT INTO {sides.running}.events ({names}) {_archive_lacks(names, sides)}")


def _archive_lacks(names: str, sides: Sides) -> str:
    key = "sipHash128(source, id, payload_hash)"
    return f"SELECT {names} FROM {sides.rebuilt}.events WHERE {key} NOT IN (SELECT {key} FROM {sides.running}.events)"


def _current(table: str, sides: Sides) -> tuple[str, str]:
    """Return the key's columns and a query (with a place for the database) of keys with the digest of what holds."""
    recent = f"(SELECT payload_hash FROM {sides.running}.events WHERE restated >= toDateTime64(%(cut)s, 6, 'UTC'))"
    if table in _DOCUMENTS:
        names = ", ".join(_DOCUMENTS[table])
        return (
            names,
            f"SELECT {names}, cityHash64(toString(tuple(* EXCEPT ({names})))) AS digest FROM {{db}}.{table} FINAL",
        )
    if table == "activity":
        names = ", ".join(_ACTIVITY_KEY)
        # A deed is known from the first day on which its greatest version was received.
        value = "max(tuple(version, 1000000 - toInt32(received_day), retracted))"
        moved = " UNION ALL ".join(
            f"SELECT {names} FROM {side}.activity WHERE toUInt64(version) IN {recent}"
            for side in (sides.running, sides.rebuilt)
        )
        return names, (
            f"SELECT {names}, cityHash64({value}) AS digest FROM {{db}}.activity "
            f"WHERE ({names}) NOT IN (SELECT * FROM ({moved})) GROUP BY {names}"
        )
    shape = _FACT_SHAPES[table]
    names = ", ".join(shape.names[: shape.key])
    stated = f"cityHash64(toString(tuple({', '.join(shape.names[shape.key : -1])})))"
    return names, (
        f"SELECT {names}, cityHash64(min({stated}), max({stated}), min(received)) AS digest FROM {{db}}.{table} "
        f"WHERE toUInt64(version) NOT IN {recent} GROUP BY {names}"
    )
