"""Refused events as ClickHouse keeps them: which there are, why, and whether they were taken later."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.infra.clickhouse.client import ClickHouse

# A refusal is told by name and source; the latest one stands. Where no replay is known the join fills in the epoch.
_LATEST: Final = """
SELECT rejection, source, latest.1 AS reason, latest.2 AS detail, latest.3 AS pointer, latest.4 AS place,
       latest.5 AS type, latest.6 AS event_id, latest.7 AS key_id, first, last,
       if(sent_again >= last, sent_again, NULL) AS replayed{and_body}
FROM (
    SELECT rejection, source, min(received) AS first, max(last_received) AS last,
           argMax((reason, detail, pointer, place, type, event_id, key_id{body}), last_received) AS latest
    FROM rejected
    WHERE (%(any_rejection)s = 1 OR rejection IN %(rejections)s) AND (%(any_source)s = 1 OR source = %(source)s)
    GROUP BY rejection, source
) AS refusals
LEFT JOIN (SELECT rejection, source, max(replayed) AS sent_again FROM replays GROUP BY rejection, source) AS taken
    USING (rejection, source)
"""
_ASKED: Final = """
WHERE (%(any_reason)s = 1 OR reason = %(reason)s) AND (%(any_type)s = 1 OR type = %(type)s)
  AND last >= toDateTime64(%(since)s, 6, 'UTC') AND (%(open)s = 0 OR replayed IS NULL)
  AND (%(any_event)s = 1 OR event_id = %(event)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedEvent:
    """A refused input: its latest refusal, when it was first and last refused, when it was taken (None: not yet)."""

    rejection: str
    source: str
    reason: str
    detail: str
    pointer: str
    place: str
    type: str
    event_id: str
    key_id: str
    first: datetime
    last: datetime
    replayed: datetime | None
    body: str = ""  # sealed (at the aggregator: base64 alone); only where it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which refused inputs are meant; an empty value means any. *since* counts from the last refusal."""

    source: str = ""
    reason: str = ""
    type: str = ""
    since: datetime | None = None
    rejections: Collection[str] = ()
    only_open: bool = False
    event_id: str = ""

    def parameters(self) -> dict[str, Any]:
        """Return the values that the queries ask for."""
        return {
            "any_rejection": int(not self.rejections),
            "rejections": tuple(sorted(self.rejections)) or ("",),
            "any_source": int(not self.source),
            "source": self.source,
            "any_reason": int(not self.reason),
            "reason": self.reason,
            "any_type": int(not self.type),
            "type": self.type,
            "since": (self.since.strftime("%Y-%m-%d %H:%M:%S.%f") if self.since else "1970-01-01 00:00:00"),
            "open": int(self.only_open),
            "any_event": int(not self.event_id),
            "event": self.event_id,
        }


class RejectedReader:
    """Reads the table of refused events. Raises Transient while the database is away. Blocks."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def listed(self, wanted: Wanted, *, limit: int) -> list[RefusedEvent]:
        """Return the latest *limit* of those wanted, the last refused first, without their bodies."""
        query = _LATEST.format(body="", and_body="") + _ASKED + "ORDER BY last DESC, rejection, source LIMIT %(limit)s"
        return [_event(row) for row in self._database.named(query, wanted.parameters() | {"limit": limit})]

    def counted(self, wanted: Wanted) -> list[dict[str, Any]]:
        """Return how many of those wanted there are by source, reason and type, the most first, and how many stand open."""
        inner = _LATEST.format(body="", and_body="") + _ASKED
        return self._database.named(
            "SELECT source, reason, type, count() AS refused, countIf(replayed IS NULL) AS open, "  # noqa: S608 -- our own constants
            f"min(first) AS first, max(last) AS last FROM ({inner}) "
            "GROUP BY source, reason, type ORDER BY refused DESC, source, reason, type",
            wanted.parameters(),
        )

    def names(self, wanted: Wanted) -> list[str]:
        """Return the names of all those wanted, the first refused first."""
        query = f"SELECT DISTINCT rejection, first FROM ({_LATEST.format(body='', and_body='')}{_ASKED}) "  # noqa: S608 -- our own
        return [row[0] for row in self._database.rows(query + "ORDER BY first, rejection", wanted.parameters())]

    def held(self, rejections: Collection[str]) -> list[RefusedEvent]:
        """Return the inputs called *rejections* with their bodies, in no order; unknown ones are left out."""
        if not rejections:
            return []
        query = _LATEST.format(body=", body", and_body=", latest.8 AS body")
        return [_event(row) for row in self._database.named(query, Wanted(rejections=rejections).parameters())]


def _event(row: dict[str, Any]) -> RefusedEvent:
    return RefusedEvent(**row)
