"""Tables ``standing`` and ``rollups`` and the rounds that filled them. This service is their only writer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from services.core import rollup
from services.core.rollup import Rollup
from services.core.standing import Standing
from services.core.standing_row import COLUMNS, as_row
from services.infra.clickhouse.client import ClickHouse

_KEY: Final = slice(2, 5)  # indicator, agency, day
_ROLLUP_KEY: Final = slice(2, 6)  # indicator, by, name, day
_AT_ONCE: Final = 1000  # keys named in one deletion


class StandingStore:
    """Writes what changed. Raises Transient while the database is away; everything is harmless when repeated."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def save(self, plan: str, standings: Iterable[Standing], basis: datetime) -> int:
        """Make table ``standing`` hold exactly *standings* for *plan*; return how many rows changed.

        What a new revision no longer judges is deleted, which is rare; all else is only appended.
        """
        wanted = [as_row(standing) for standing in standings]
        held = {row[_KEY]: row for row in self._held(plan)}
        changed = [row for row in wanted if held.pop(row[_KEY], None) != row]
        if changed:
            columns = [list(column) for column in zip(*changed, strict=True)]
            self._database.insert("standing", [*COLUMNS, "basis"], [*columns, [basis] * len(changed)])
        self._delete(plan, list(held))
        return len(changed) + len(held)

    def save_rollups(self, plan: str, rollups: Iterable[Rollup], basis: datetime) -> int:
        """Make table ``rollups`` hold exactly *rollups* for *plan*; return how many rows changed."""
        held = {
            row[_ROLLUP_KEY]: row
            for row in self._database.rows(
                f"SELECT {', '.join(rollup.COLUMNS)} FROM rollups FINAL WHERE plan = %(plan)s", {"plan": plan}
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

    def finish(self, plan: str, *, revision: int, day: date, basis: datetime, inputs: str) -> None:
        """Record that everything known to the database before *basis* has been judged, and acted upon."""
        self._database.insert(
            "evaluations",
            ["plan", "revision", "day", "basis", "inputs"],
            [[plan], [revision], [day], [basis], [inputs]],
        )

    def _held(self, plan: str) -> list[tuple[Any, ...]]:
        return self._database.rows(
            f"SELECT {', '.join(COLUMNS)} FROM standing FINAL WHERE plan = %(plan)s", {"plan": plan}
        )

    def _delete(self, plan: str, keys: Sequence[tuple[Any, ...]]) -> None:
        for at in range(0, len(keys), _AT_ONCE):
            some = tuple((indicator, agency, day.isoformat()) for indicator, agency, day in keys[at : at + _AT_ONCE])
            self._database.run(
                "ALTER TABLE standing DELETE WHERE plan = %(plan)s AND (indicator, agency, toString(day)) IN %(keys)s "
                "SETTINGS mutations_sync = 1",
                {"plan": plan, "keys": some},
            )
