"""A plan judged afresh from the facts: as it could be known by the end of some day, or under another revision.

What is read here is never kept: tables ``adoption`` and ``standing`` hold what is known now under the revisions in force.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.assess import Assessment, assess, definitions_needed
from services.core.schedule.coverage import FeedDay
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.definitions import definitions, queries
from services.infra.figures.queries import figures
from services.infra.plan_reader import PlanReader

_FEED_DAYS: Final = """
SELECT source, type, day, max(said) AS reported, max(seen) AS counted
FROM (
    SELECT source, type, occurred_day AS day, CAST(NULL AS Nullable(UInt64)) AS said, uniqExact(id) AS seen
    FROM events
    WHERE source IN %(sources)s AND type != 'feed.reported' AND occurred_day <= toDate32(%(until)s)
      AND received <= toDateTime64(%(known_at)s, 6, 'UTC')
    GROUP BY source, type, occurred_day
    UNION ALL
    SELECT source, type, day, CAST(argMax(count, version) AS Nullable(UInt64)), toUInt64(0)
    FROM feed_reports
    WHERE source IN %(sources)s AND day <= toDate32(%(until)s) AND received <= toDateTime64(%(known_at)s, 6, 'UTC')
    GROUP BY source, type, day
    HAVING argMax(retracted, version) = 0
)
GROUP BY source, type, day
"""


class CannotJudge(Exception):
    """There is no revision to judge by; the message says which and what there is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which plan on which day; as known by the end of *known_at* (None: now); under *revision* (None: those in force)."""

    plan: str
    day: date
    known_at: date | None = None
    revision: int | None = None


def judge_afresh(database: ClickHouse, question: Question, *, zone: str) -> Assessment:
    """Return every standing of the plan from its start to the day asked for, computed from the facts.

    Revisions, facts and reports of feeds are those received by the end of the known-at day of *zone*; a revision asked for
    by its number judges all days, whenever it was published. Raises CannotJudge, and Transient while the database is away.
    Cost: the figures of all agencies for all days since the plan's start.
    """
    area = ZoneInfo(zone)
    known = end_of(question.known_at, area) if question.known_at is not None else None
    reader = PlanReader(database)
    plans = _plans(reader.plans(question.plan), question, known, area)
    directories = [
        one for one in reader.directories(plans[-1].document.directory) if known is None or one.published <= known
    ]
    in_force = plan_in_force(plans, question.day)
    if in_force is None or directory_in_force(directories, question.day) is None:
        raise CannotJudge(f"no revision of plan {question.plan!r} and its directory was in force on {question.day}")
    if question.day < in_force.document.start:
        raise CannotJudge(f"plan {question.plan!r} begins on {in_force.document.start}, after {question.day}")
    sources = {feed.source for revision in directories for feed in revision.document.feeds}
    return assess(
        plans,
        directories,
        adoption=_adoption(database, plans, question, known, area),
        feed_days=known_feed_days(database, sources, question.day, known),
        day=question.day,
    )


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the last microsecond of a civil day."""
    return datetime.combine(day + timedelta(days=1), time(), zone) - timedelta(microseconds=1)


def _plans(
    plans: Sequence[PlanRevision], question: Question, known: datetime | None, zone: ZoneInfo
) -> list[PlanRevision]:
    if not plans:
        raise CannotJudge(f"there is no plan {question.plan!r}")
    if question.revision is not None:
        for one in plans:
            if one.revision == question.revision:
                return [one.model_copy(update={"in_force_from": one.document.start})]
        there = ", ".join(str(one.revision) for one in plans)
        raise CannotJudge(f"plan {question.plan!r} has no revision {question.revision}; it has: {there}")
    published = [one for one in plans if known is None or one.published <= known]
    if not published:
        raise CannotJudge(not_known_yet(plans, zone))
    return published


def not_known_yet(revisions: Sequence[PlanRevision] | Sequence[DirectoryRevision], zone: ZoneInfo) -> str:
    """Return what to say where each of *revisions*, of which there is one at least, was published later than asked for."""
    document = revisions[0].document
    first = min(one.published for one in revisions)
    name = f"plan {document.plan!r}" if isinstance(document, Plan) else f"directory {document.directory!r}"
    return f"{name} was not known yet; it was first published at {first.astimezone(zone):%Y-%m-%d %H:%M}"


def _adoption(
    database: ClickHouse, plans: Sequence[PlanRevision], question: Question, known: datetime | None, zone: ZoneInfo
) -> dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]:
    needed = definitions_needed(plans)
    start = min(one.document.start for one in plans)
    under = (question.plan, question.revision) if question.revision is not None else None
    found: dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]] = {}
    for definition in definitions(database, known_at=known, under=under):
        if definition.definition in needed:
            for query in queries(definition, start, question.day, known_at=known, zone=zone):
                for one in figures(database, query):
                    days = found.setdefault((definition.definition, one.agency), {})
                    days[one.day] = one.numerator, one.denominator, one.measured_share
    return found


def known_feed_days(
    database: ClickHouse, sources: Collection[str], until: date, known: datetime | None
) -> list[FeedDay]:
    """Return the reports of *sources* up to *until*, by what had been received at *known* (None: by now)."""
    if known is None:
        return PlanReader(database).feed_days(sources, until)
    utc = known.astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%d %H:%M:%S.%f")
    params = {"sources": tuple(sorted(sources)) or ("",), "until": until.isoformat(), "known_at": utc}
    return [FeedDay(*row) for row in database.rows(_FEED_DAYS, params)]
