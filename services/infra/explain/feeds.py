"""The feeds behind a figure, each as it stood on a day."""

from __future__ import annotations

from datetime import date, datetime

from schemas.directory import Directory
from schemas.explanation import FeedUsed
from schemas.plan import Indicator, MeanMeasure, Plan
from services.core.definition import reads_of
from services.core.schedule.coverage import Reports
from services.core.scope import means
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import known_feed_days


def feeds_used(
    database: ClickHouse,
    plan: Plan,
    indicator: Indicator,
    directory: Directory,
    agency: str,
    day: date,
    *,
    known: datetime | None = None,
) -> tuple[FeedUsed, ...]:
    """Return the feeds that supply *indicator* for *agency*, on *day*, by what was *known* then (None: by now)."""
    types, is_meant = sorted(types_of(plan, indicator)), means(directory, agency)
    # By type, as one always had them; a country has a feed for each agency, so each is asked about this agency alone.
    covering = [feed for feed in directory.feeds if is_meant(feed.covers)]
    feeds = {feed.id: feed for name in types for feed in covering if name in feed.types}
    days = known_feed_days(database, {feed.source for feed in feeds.values()}, day, known)
    reports = Reports(days, frozenset(directory.holidays))
    used = []
    for feed in feeds.values():
        state = reports.state(feed, day, frozenset(types))
        used.append(
            FeedUsed(
                feed=feed.id,
                title=feed.title,
                source=feed.source,
                types=tuple(sorted(set(types) & set(feed.types))),
                state=str(state.state),
                covered=state.covered,
            )
        )
    return tuple(used)


def types_of(plan: Plan, indicator: Indicator) -> frozenset[str]:
    """Return the types of events that *indicator* reads; of a mean, those of its parts."""
    if not isinstance(indicator.measure, MeanMeasure):
        return reads_of(indicator)
    parts = {part.indicator for part in indicator.measure.of}
    return frozenset().union(*(reads_of(one) for one in plan.indicators if one.id in parts))
