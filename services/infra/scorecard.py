"""A source's scorecard: its feeds, how its clock goes, and what was refused of it. Read from the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from services.core.feed_accounts import FeedAccount, accounts_of
from services.core.in_force import directory_in_force
from services.infra.archive_reader import ArchiveReader
from services.infra.clickhouse.client import ClickHouse
from services.infra.plan_reader import PlanReader
from services.infra.rejected import RejectedReader, Wanted

#: What is looked at of clocks and volumes: the last four weeks of receipt.
SPAN: Final = timedelta(days=28)
_ARRIVALS: Final = """
SELECT kind, uniqExact(id), max(received), quantile(0.5)(delay), quantile(0.95)(delay), countIf(delay < 0)
FROM (
    SELECT if(type = 'sandboxed', JSONExtractString(payload, 6, 'type'), type) AS kind, id, received,
           dateDiff('millisecond', occurred, received) / 1000 AS delay
    FROM events WHERE source = %(source)s AND received >= %(since)s
)
GROUP BY kind ORDER BY kind
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """Events of one type received in the last 28 days.

    ``delay_median`` and ``delay_p95``: seconds between an event's ``time`` and its receipt; ``ahead``: events whose ``time``
    lay after their receipt, so that the sender's clock is fast. ``conflicts``: ids that came with several payloads, ever.
    """

    type: str
    events: int
    last_received: datetime
    delay_median: float
    delay_p95: float
    ahead: int
    conflicts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusals:
    """Inputs refused for one reason, ever: all, those that still stand, and when the last came."""

    reason: str
    type: str
    refused: int
    open: int
    last: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """How a source does on a day."""

    source: str
    day: date
    feeds: tuple[FeedAccount, ...]
    arrivals: tuple[Arrivals, ...]
    refusals: tuple[Refusals, ...]


def read_scorecard(database: ClickHouse, source: str, day: date, now: datetime) -> Scorecard:
    """Return the scorecard of *source* on *day*. Blocks. Raises Transient while the database is away."""
    archive, plans = ArchiveReader(database), PlanReader(database)
    conflicts = archive.conflict_counts([source])
    arrived = database.rows(_ARRIVALS, {"source": source, "since": now - SPAN})
    return Scorecard(
        source=source,
        day=day,
        feeds=tuple(_feeds(plans, source, day)),
        arrivals=tuple(
            Arrivals(
                type=kind, events=events, last_received=last, delay_median=median, delay_p95=p95, ahead=ahead,
                conflicts=conflicts.get((source, kind), 0),
            )
            for kind, events, last, median, p95, ahead in arrived
        ),
        refusals=tuple(
            Refusals(
                reason=row["reason"], type=row["type"], refused=row["refused"], open=row["open"], last=row["last"]
            )
            for row in RejectedReader(database).counted(Wanted(source=source))
        ),
    )  # fmt: skip


def _feeds(plans: PlanReader, source: str, day: date) -> Sequence[FeedAccount]:
    found: list[FeedAccount] = []
    rows = plans.feed_days([source], day)
    for name in plans.directory_ids():
        revision = directory_in_force(plans.directories(name), day)
        if revision is not None:
            found += [one for one in accounts_of(revision.document, rows, day) if one.feed.source == source]
    return found
