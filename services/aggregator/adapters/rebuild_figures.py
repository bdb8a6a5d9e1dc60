"""The figures of a rebuild: everything marked, everything computed, and whether there is anything to compare yet."""

from __future__ import annotations

from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from services.aggregator.adapters.recompute import END_OF_DAY, recompute
from services.aggregator.adapters.writer import insert_marks
from services.aggregator.core.marks import Mark
from services.core.scope import LAST_DAY
from services.infra.clickhouse.client import ClickHouse

_ROUNDS: Final = 100


def mark_all(database: ClickHouse) -> None:
    """Mark every figure of every definition, and every day of every feed, for recomputation."""
    definitions = database.rows("SELECT definition, min(first_day) FROM definitions GROUP BY definition")
    feeds = database.rows(
        "SELECT source, min(first), max(last) FROM ("
        "SELECT source, min(occurred_day) AS first, max(occurred_day) AS last FROM events "
        "WHERE type != 'feed.reported' GROUP BY source UNION ALL "
        "SELECT source, min(day), max(day) FROM feed_reports GROUP BY source UNION ALL "
        "SELECT source, min(day), max(day) FROM feed_days GROUP BY source) GROUP BY source"
    )
    marks = [Mark(f"definition:{hashed}", "", first, LAST_DAY) for hashed, first in definitions]
    marks += [Mark(f"feed:{source}", "", first, last) for source, first, last in feeds]
    if marks:
        insert_marks(database, sorted(marks))


def recomputed(database: ClickHouse, *, complete: date, zone: ZoneInfo) -> int:
    """Compute every figure anew; return how many changed. Blocks.

    What is marked meanwhile is left to the worker, or this would not end under load. Its leader may work off the same
    marks at the same time: harmless.
    """
    mark_all(database)
    ((marked,),) = database.rows("SELECT toString(now64(6, 'UTC'))")
    for _ in range(_ROUNDS):
        ((left,),) = database.rows(
            "SELECT count() FROM outstanding WHERE last_marked <= toDateTime64(%(marked)s, 6, 'UTC')",
            {"marked": marked},
        )
        if not left:
            break
        recompute(database, complete=complete, zone=zone)
    ((changed,),) = database.rows(
        "SELECT count() FROM (SELECT argMax((numerator, denominator, measured_share), basis) AS now, "
        "argMaxIf((numerator, denominator, measured_share), basis, basis < toDateTime64(%(marked)s, 6, 'UTC')) AS before "
        "FROM adoption GROUP BY definition, agency, day "
        "HAVING max(basis) >= toDateTime64(%(marked)s, 6, 'UTC') AND now != before)",
        {"marked": marked},
    )
    return int(changed)


def quiet(database: ClickHouse, since: str) -> bool:
    """Return whether the running figures are those of the facts: nothing is outstanding and nothing came *since*."""
    ((marks,),) = database.rows("SELECT count() FROM outstanding")
    ((fresh,),) = database.rows(
        "SELECT count() FROM events WHERE restated >= toDateTime64(%(since)s, 6, 'UTC')", {"since": since}
    )
    return not marks and not fresh


def end_of_figures(database: ClickHouse) -> date | None:
    """Return the last day up to which figures have been asked for; None where none ever were."""
    ((last, count),) = database.rows(
        "SELECT max(to_day), count() FROM touched WHERE reads = %(reads)s", {"reads": END_OF_DAY}
    )
    return last if count else None
