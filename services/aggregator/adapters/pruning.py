"""Marks that were cleared long ago leave the table, so that a round costs what is outstanding and not what ever was."""

from __future__ import annotations

from typing import Final

from services.aggregator.adapters.recompute import END_OF_DAY
from services.infra.clickhouse.client import ClickHouse

_ENOUGH: Final = 50_000  # rows; fewer are read in no time

# A leader asks what was cleared since its own reading began; an hour is far beyond the longest round.
_LONG_AGO: Final = "now64(6) - INTERVAL 1 HOUR"

# First the marks, so that at no moment a mark stands without the row that cleared it. A mark written meanwhile is too new
# for either statement. The days' own marks say which days were marked and are few.
_MARKS: Final = f"""
ALTER TABLE touched DELETE
WHERE marked > toDateTime64(0, 6, 'UTC') AND marked < {_LONG_AGO} AND cleared < {_LONG_AGO} AND reads != '{END_OF_DAY}'
  AND (reads, agency, from_day, to_day) IN (
    SELECT reads, agency, from_day, to_day FROM touched
    GROUP BY reads, agency, from_day, to_day
    HAVING max(cleared) > max(marked) AND max(cleared) < {_LONG_AGO}
  )
SETTINGS mutations_sync = 1
"""
_CLEARINGS: Final = f"""
ALTER TABLE touched DELETE
WHERE marked = toDateTime64(0, 6, 'UTC') AND cleared < {_LONG_AGO} AND reads != '{END_OF_DAY}'
  AND (reads, agency, from_day, to_day) NOT IN (
    SELECT reads, agency, from_day, to_day FROM touched WHERE marked > toDateTime64(0, 6, 'UTC')
  )
SETTINGS mutations_sync = 1
"""


def prune(database: ClickHouse, *, enough: int = _ENOUGH) -> bool:
    """Drop the marks cleared more than an hour ago once the table holds *enough* rows; return whether it was done.

    Safe at any moment, beside writers and beside another leader: a mark is always as new as its writing, so what comes
    late can only add. Raises Transient when ClickHouse goes away. Blocks until the rows are gone.
    """
    rows = database.rows(
        "SELECT sum(rows) FROM system.parts WHERE database = currentDatabase() AND table = 'touched' AND active"
    )
    if int(rows[0][0] or 0) < enough:
        return False
    database.run(_MARKS)
    database.run(_CLEARINGS)
    return True
