"""For how long nothing has changed that a round reads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from services.infra.clickhouse.client import ClickHouse


class Stillness:
    """Asks the database, by its own clock, so that a restart forgets nothing. Raises Transient while it is away."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def seconds(self, definitions: Collection[str], until: date) -> float:
        """Return the seconds since figures of *definitions* or reports of feeds changed for a day up to *until*.

        Infinite where there are none. Later days do not count: those of a living system never stop changing.
        """
        age = "dateDiff('millisecond', max(basis), now64(6)) / 1000"
        until_day = {"until": until.isoformat()}
        ages = [
            self._database.rows(
                f"SELECT {age} FROM adoption WHERE definition IN %(definitions)s AND day <= toDate32(%(until)s) "
                "HAVING count() > 0",
                {"definitions": tuple(sorted(definitions)) or ("",), **until_day},
            ),
            self._database.rows(
                f"SELECT {age} FROM feed_days WHERE day <= toDate32(%(until)s) HAVING count() > 0", until_day
            ),
        ]
        return min((float(rows[0][0]) for rows in ages if rows), default=float("inf"))
