"""Tables ``standing`` and ``rollups`` and the rounds that filled them. This service is their only writer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from services.core.schedule import rollup
from services.core.schedule.rollup import Rollup
from services.core.schedule.standing_row import COLUMNS
from services.infra.clickhouse.client import ClickHouse

_KEY: Final = slice(2, 5)  # indicator, agency, day
_DAY: Final = COLUMNS.index("day")
_ROLLUP_KEY: Final = slice(2, 6)  # indicator, by, name, day
_AT_ONCE: Final = 1000  # keys named in one deletion


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All rows of one indicator and some agencies on the days *first* … *last*; ``columns`` are those of ``COLUMNS``."""

    plan: str
    indicator: str
    agencies: Sequence[str]
    first: date
    last: date
    columns: Sequence[Sequence[Any]]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What may stay for the days *first* … *last*: agencies by indicator."""

    first: date
    last: date
    agencies: Mapping[str, Collection[str]]


@dataclass(frozen=True, kw_only=True)
class Saved:
    """How many rows changed, and on which days."""

    rows: int
    days: frozenset[date]


class StandingStore:
    """Writes what changed. Raises Transient while the database is away; everything is harmless when repeated."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def last_day(self, plan: str) -> date | None:
        """Return the last day of which ``standing`` holds anything for *plan*."""
        rows = self._database.rows(
            "SELECT max(day) FROM standing WHERE plan = %(plan)s HAVING count() > 0", {"plan": plan}
        )
        return rows[0][0] if rows else None

    def save(self, rows: Rows, basis: datetime, *, fresh: bool) -> Saved:
        """Make table ``standing`` hold exactly *rows* for their indicator, agencies and days; return what changed.

        *fresh*: it is known to hold nothing there yet. What is no longer judged is deleted, which is rare; all else is only
        appended.
        """
        columns = rows.columns
        size = len(columns[0]) if columns else 0
        held = {} if fresh else {row[_KEY]: row for row in self._held(rows)}
        if held:
            changed = [row for row in zip(*columns, strict=True) if held.pop(row[_KEY], None) != row]
            columns = [list(column) for column in zip(*changed, strict=True)]
            size = len(changed)
        if size:
            self._database.insert("standing", [*COLUMNS, "basis"], [*columns, [_micros(basis)] * size])
        self._delete(rows.plan, list(held))
        days = {*(columns[_DAY] if size else ()), *(key[-1] for key in held)}
        return Saved(rows=size + len(held), days=frozenset(days))

    def keep_only(self, plan: str, spells: Sequence[Kept]) -> Saved:
        """Delete what ``standing`` holds for *plan* outside of *spells*; return what that was."""
        found, days = 0, set[date]()
        outside = " AND ".join(
            f"NOT (day >= toDate32('{one.first.isoformat()}') AND day <= toDate32('{one.last.isoformat()}'))"
            for one in spells
        )
        wheres: list[tuple[str, dict[str, Any]]] = [(outside, {})]
        for one in spells:
            within = {"first": one.first.isoformat(), "last": one.last.isoformat()}
            between = "day >= toDate32(%(first)s) AND day <= toDate32(%(last)s)"
            names = {"indicators": tuple(one.agencies) or ("",)}
            wheres.append((f"{between} AND indicator NOT IN %(indicators)s", within | names))
            for indicator, agencies in one.agencies.items():
                only = {"indicator": indicator, "agencies": tuple(agencies) or ("",)}
                wheres.append(
                    (f"{between} AND indicator = %(indicator)s AND agency NOT IN %(agencies)s", within | only)
                )
        for where, values in wheres:
            values = values | {"plan": plan}
            rows = self._database.rows(
                f"SELECT day, count() FROM standing FINAL WHERE plan = %(plan)s AND {where} GROUP BY day", values
            )
            if rows:
                found += sum(count for _, count in rows)
                days |= {day for day, _ in rows}
                self._database.run(
                    f"ALTER TABLE standing DELETE WHERE plan = %(plan)s AND {where} SETTINGS mutations_sync = 1", values
                )
        return Saved(rows=found, days=frozenset(days))

    def on_day(self, plan: str, day: date) -> list[tuple[Any, ...]]:
        """Return of every row of *day*: indicator, agency, revision, counts, measured share, ratio, feed state, judged day."""
        return self._database.rows(
            "SELECT indicator, agency, revision, numerator, denominator, measured_share, ratio, feed_state, judged_day "
            "FROM standing FINAL WHERE plan = %(plan)s AND day = toDate32(%(day)s)",
            {"plan": plan, "day": day.isoformat()},
        )

    def save_rollups(self, plan: str, rollups: Iterable[Rollup], basis: datetime, *, day: date | None = None) -> int:
        """Make table ``rollups`` hold exactly *rollups* for *plan*, of *day* or of all days; return how many rows changed."""
        where = {"plan": plan, "day": day.isoformat() if day else ""}
        held = {
            row[_ROLLUP_KEY]: row
            for row in self._database.rows(
                f"SELECT {', '.join(rollup.COLUMNS)} FROM rollups FINAL WHERE plan = %(plan)s "
                f"{'AND day = toDate32(%(day)s)' if day else ''}",
                where,
            )
        }
        changed = [row for row in (rollup.as_row(one) for one in rollups) if held.pop(row[_ROLLUP_KEY], None) != row]
        if changed:
            columns = [list(column) for column in zip(*changed, strict=True)]
            self._database.insert("rollups", [*rollup.COLUMNS, "basis"], [*columns, [basis] * len(changed)])
        keys = [(*key[:-1], key[-1].isoformat()) for key in held]
        for at in range(0, len(keys), _AT_ONCE):
            self._database.run(
                "ALTER TABLE rollups DELETE WHERE plan = %(plan)s AND (indicator, by, name, toString(day)) IN %(keys)s "
                "SETTINGS mutations_sync = 1",
                {"plan": plan, "keys": tuple(keys[at : at + _AT_ONCE])},
            )
        return len(changed) + len(held)

    def keep_rollups(self, plan: str, first: date, last: date) -> None:
        """Delete the roll-ups of *plan* of days outside of *first* … *last*."""
        where = "plan = %(plan)s AND NOT (day >= toDate32(%(first)s) AND day <= toDate32(%(last)s))"
        values = {"plan": plan, "first": first.isoformat(), "last": last.isoformat()}
        if self._database.rows(f"SELECT count() FROM rollups WHERE {where}", values)[0][0]:
            self._database.run(f"ALTER TABLE rollups DELETE WHERE {where} SETTINGS mutations_sync = 1", values)

    def days_behind(self, plan: str, indicator: str, day: date) -> dict[str, float]:
        """Return agency → days behind in *indicator* on *day*, where there are any."""
        rows = self._database.rows(
            "SELECT agency, days_behind FROM standing FINAL WHERE plan = %(plan)s AND indicator = %(indicator)s "
            "AND day = toDate32(%(day)s) AND days_behind IS NOT NULL",
            {"plan": plan, "indicator": indicator, "day": day.isoformat()},
        )
        return {agency: float(days) for agency, days in rows}

    def finish(self, plan: str, *, revision: int, day: date, basis: datetime, inputs: str) -> None:
        """Record that everything known to the database before *basis* has been judged, and acted upon."""
        self._database.insert(
            "evaluations",
            ["plan", "revision", "day", "basis", "inputs"],
            [[plan], [revision], [day], [basis], [inputs]],
        )

    def _held(self, rows: Rows) -> list[tuple[Any, ...]]:
        return self._database.rows(
            f"SELECT {', '.join(COLUMNS)} FROM standing FINAL WHERE plan = %(plan)s AND indicator = %(indicator)s "
            "AND agency IN %(agencies)s AND day >= toDate32(%(first)s) AND day <= toDate32(%(last)s)",
            {
                "plan": rows.plan,
                "indicator": rows.indicator,
                "agencies": tuple(rows.agencies),
                "first": rows.first.isoformat(),
                "last": rows.last.isoformat(),
            },
        )

    def _delete(self, plan: str, keys: Sequence[tuple[Any, ...]]) -> None:
        for at in range(0, len(keys), _AT_ONCE):
            some = tuple((indicator, agency, day.isoformat()) for indicator, agency, day in keys[at : at + _AT_ONCE])
            self._database.run(
                "ALTER TABLE standing DELETE WHERE plan = %(plan)s AND (indicator, agency, toString(day)) IN %(keys)s "
                "SETTINGS mutations_sync = 1",
                {"plan": plan, "keys": some},
            )


def _micros(moment: datetime) -> int:
    whole = moment.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * 1_000_000 + moment.microsecond
