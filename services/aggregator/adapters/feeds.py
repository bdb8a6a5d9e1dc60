"""What feeds say they sent against what was counted, per source, type and day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date
from typing import Final

from services.aggregator.adapters.claims import Claim
from services.aggregator.core.marks import FEED_REPORTED, Mark
from services.infra.clickhouse.client import ClickHouse

_APPEND: Final = """
INSERT INTO feed_days (source, type, day, reported, counted, basis)
SELECT %(source)s, type, day, reported, counted, toDateTime64(%(basis)s, 6, 'UTC')
FROM (
    SELECT type, day, max(said) AS reported, max(seen) AS counted,
           max(known) AS held, max(had_reported) AS was_reported, max(had_counted) AS was_counted
    FROM (
        SELECT type, occurred_day AS day, CAST(NULL AS Nullable(UInt64)) AS said, uniqExact(id) AS seen,
               0 AS known, CAST(NULL AS Nullable(UInt64)) AS had_reported, toUInt64(0) AS had_counted
        FROM events
        WHERE source = %(source)s AND occurred_day BETWEEN %(first)s AND %(last)s AND type != %(feed_reported)s
        GROUP BY type, occurred_day
        UNION ALL
        SELECT type, day, CAST(argMax(count, version) AS Nullable(UInt64)), toUInt64(0), 0, NULL, toUInt64(0)
        FROM feed_reports
        WHERE source = %(source)s AND day BETWEEN %(first)s AND %(last)s
        GROUP BY type, day
        HAVING argMax(retracted, version) = 0
        UNION ALL
        SELECT type, day, NULL, toUInt64(0), 1, tupleElement(argMax(tuple(reported, counted), basis), 1),
               tupleElement(argMax(tuple(reported, counted), basis), 2)
        FROM feed_days
        WHERE source = %(source)s AND day BETWEEN %(first)s AND %(last)s
        GROUP BY type, day
    )
    GROUP BY type, day
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
    spans: dict[str, tuple[date, date]] = {}
    for mark in marks:
        source = mark.reads.removeprefix("feed:")
        first, last = spans.get(source, (mark.from_day, mark.to_day))
        spans[source] = (min(first, mark.from_day), max(last, mark.to_day))
    for source, (first, last) in sorted(spans.items()):
        database.run(
            _APPEND,
            {
                "source": source,
                "first": first.isoformat(),
                "last": last.isoformat(),
                "feed_reported": FEED_REPORTED,
                **asdict(claim.terms()),
            },
        )
    return len(spans)
