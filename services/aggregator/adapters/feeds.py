"""What feeds say they sent against what was counted, per source, type and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, timedelta
from typing import Final

from services.aggregator.adapters.claims import Claim
from services.aggregator.core.marks import Mark
from services.infra.clickhouse.client import ClickHouse

_DAYS_PER_QUERY: Final = 250  # they stand in its text three times, and a source's name may have 200 characters
_ONE_DAY: Final = timedelta(days=1)

# Every table is ordered by source first, and the archive's days by day next: a round reads the days that it was told of.
_APPEND: Final = """
INSERT INTO feed_days (source, type, day, reported, counted, basis)
SELECT source, type, day, reported, counted, toDateTime64(%(basis)s, 6, 'UTC')
FROM (
    SELECT source, type, day, max(said) AS reported, max(seen) AS counted,
           max(known) AS held, max(had_reported) AS was_reported, max(had_counted) AS was_counted
    FROM (
        SELECT source, type, day, CAST(NULL AS Nullable(UInt64)) AS said, uniqExact(id) AS seen,
               0 AS known, CAST(NULL AS Nullable(UInt64)) AS had_reported, toUInt64(0) AS had_counted
        FROM feed_events
        WHERE (source, day) IN %(days)s
        GROUP BY source, type, day
        UNION ALL
        SELECT source, type, day, CAST(argMax(count, version) AS Nullable(UInt64)), toUInt64(0), 0, NULL, toUInt64(0)
        FROM feed_reports
        WHERE (source, day) IN %(days)s
        GROUP BY source, type, day
        HAVING argMax(retracted, version) = 0
        UNION ALL
        SELECT source, type, day, NULL, toUInt64(0), 1, tupleElement(argMax(tuple(reported, counted), basis), 1),
               tupleElement(argMax(tuple(reported, counted), basis), 2)
        FROM feed_days
        WHERE (source, day) IN %(days)s
        GROUP BY source, type, day
    )
    GROUP BY source, type, day
)
WHERE (held = 0 OR counted != was_counted OR ifNull(toInt64(reported), -1) != ifNull(toInt64(was_reported), -1)
       OR %(whole)s = 1)
  AND throwIf(now64(6) > toDateTime64(%(begin_by)s, 6, 'UTC')) = 0
SETTINGS max_execution_time = %(longest)s
"""


def append_feed_days(database: ClickHouse, marks: Iterable[Mark], claim: Claim) -> int:
    """Append the days of feeds that *marks* (``feed:<source>``) concern and that changed; return the number of queries.

    Complete is a day whose ``counted`` is at least ``reported``; a null ``reported`` says that the feed has not reported.
    """
    days: set[tuple[str, date]] = set()
    for mark in marks:
        source = mark.reads.removeprefix("feed:")
        days.update((source, mark.from_day + step * _ONE_DAY) for step in range((mark.to_day - mark.from_day).days + 1))
    ordered = [(source, day.isoformat()) for source, day in sorted(days)]
    starts = range(0, len(ordered), _DAYS_PER_QUERY)
    for start in starts:
        database.run(_APPEND, {"days": tuple(ordered[start : start + _DAYS_PER_QUERY]), **asdict(claim.terms())})
    return len(starts)
