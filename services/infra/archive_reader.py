"""What is asked of the archive of events: when something last came, and which ids came with several payloads."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from services.infra.clickhouse.client import ClickHouse

# The archive is ordered by source and id, so that ids are gone through one after the other, in little memory.
_CONFLICTING: Final = (
    "SELECT source, id FROM events WHERE (%(any_source)s = 1 OR source IN %(sources)s) "
    "GROUP BY source, id HAVING uniqExact(payload_hash) > 1"
)
_IN_ORDER: Final = " SETTINGS optimize_aggregation_in_order = 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One of several payloads that came under one id. ``wins``: its version is the greatest, so it counts."""

    source: str
    id: str
    payload_hash: str  # 16 hex digits
    type: str
    agency: str
    time: datetime
    received: datetime
    wins: bool


class ArchiveReader:
    """Reads the archive through, which takes its time on a large one. Raises Transient while the database is away."""

    def __init__(self, database: ClickHouse) -> None:
        self._database = database

    def last_received(self, sources: Collection[str]) -> dict[tuple[str, str], datetime]:
        """Return (source, short type) → when its last new event was received; reports of days are a type of their own."""
        rows = self._database.rows(
            "SELECT source, type, max(received) FROM events WHERE source IN %(sources)s GROUP BY source, type",
            {"sources": tuple(sorted(sources)) or ("",)},
        )
        return {(source, kind): at for source, kind, at in rows}

    def conflict_counts(self, sources: Collection[str]) -> dict[tuple[str, str], int]:
        """Return (source, short type) → how many ids came with several payloads; an id of two types counts for both."""
        rows = self._database.rows(
            "SELECT source, type, uniqExact(id) FROM events "  # noqa: S608 -- our own constants
            f"WHERE (source, id) IN ({_CONFLICTING}) GROUP BY source, type" + _IN_ORDER,
            _asked(sources),
        )
        return {(source, kind): count for source, kind, count in rows}

    def conflicts(self, source: str = "", *, limit: int) -> list[Payload]:
        """Return the payloads of the first *limit* ids in conflict, by source and id, the winner of each id first."""
        rows = self._database.rows(
            "SELECT source, id, payload_hash, any(type), any(agency), any(occurred) AS time, min(received) FROM events "  # noqa: S608 -- ours
            f"WHERE (source, id) IN (SELECT source, id FROM ({_CONFLICTING}) ORDER BY source, id LIMIT %(limit)s) "
            "GROUP BY source, id, payload_hash ORDER BY source, id, time DESC, payload_hash DESC" + _IN_ORDER,
            _asked([source] if source else []) | {"limit": limit},
        )
        found: list[Payload] = []
        for source_, id_, hashed, kind, agency, time, received in rows:
            # A version is the time, then the hash: the first of each id in this order is the one that counts.
            wins = not found or (found[-1].source, found[-1].id) != (source_, id_)
            found.append(
                Payload(
                    source=source_, id=id_, payload_hash=f"{hashed:016x}", type=kind, agency=agency, time=time,
                    received=received, wins=wins,
                )
            )  # fmt: skip
        return found


def _asked(sources: Collection[str]) -> dict[str, Any]:
    return {"any_source": int(not sources), "sources": tuple(sorted(sources)) or ("",)}
