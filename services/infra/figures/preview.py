"""A plan that is not published, run over all that is known, beside the published revisions. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from schemas.plan import Plan
from schemas.policy import Policy
from schemas.revisions import DirectoryRevision, PlanRevision, PolicyRevision
from services.core.goalposts import moved_between
from services.core.in_force import directory_in_force, plan_in_force
from services.core.preview import Preview, Side, compare
from services.core.schedule.assess import assess, definitions_needed, last_day_judged
from services.core.schedule.coverage import FeedDay
from services.core.warnings.replay import replay
from services.infra.clickhouse.client import ClickHouse
from services.infra.figures.afresh import CannotJudge, end_of, known_feed_days, not_known_yet
from services.infra.figures.definitions import Definition, definitions, queries
from services.infra.figures.queries import figures
from services.infra.plan_reader import PlanReader

#: What is being done: so many of so many steps are finished.
Tell = Callable[[int, int], None]
_Days = dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """Which plan is previewed up to *day*, by what had been received by the end of *known_at* (None: by now).

    The document judges all days from its start; with ``as_published`` only those from its ``in_force_from`` on, and the
    published revisions those before, as they would after publishing. Warnings are those of the published policies; of the
    document, on all days those of *policy* where one is given.
    """

    document: Plan
    day: date
    known_at: date | None = None
    as_published: bool = False
    policy: Policy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """The preview, with the published revision in force on its day (None: there is none) and the document as a revision."""

    preview: Preview
    published: PlanRevision | None
    proposed: PlanRevision


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What both sides stand on."""

    database: ClickHouse
    day: date
    known: datetime | None
    zone: ZoneInfo
    feed_days: Sequence[FeedDay]
    tell: Tell
    _read: dict[tuple[str, tuple[str, ...]], _Days] = field(default_factory=dict)


def preview(database: ClickHouse, what: WhatIf, *, zone: str, tell: Tell = lambda done, of: None) -> Previewed:
    """Return what *what* would have warned of, and what the published revisions do, both computed from the facts.

    Only reads. Raises CannotJudge where there is nothing to judge by, and Transient while the database is away. Cost: the
    figures of all definitions of both sides for all days since the plan's start, each read once, and two judgements.
    """
    document, area = what.document, ZoneInfo(zone)
    known = end_of(what.known_at, area) if what.known_at is not None else None
    reader = PlanReader(database)
    everything = reader.plans(document.plan)
    published = [one for one in everything if known is None or one.published <= known]
    proposed = _proposed(document, everything, as_published=what.as_published)
    after = [*published, proposed] if what.as_published else [proposed]
    day = min(
        last_day_judged(one.document, what.day)
        for one in (plan_in_force(published, what.day), proposed)
        if one is not None
    )
    if day < max(document.start, proposed.in_force_from):
        first = max(document.start, proposed.in_force_from)
        raise CannotJudge(f"plan {document.plan!r} as previewed judges no day before {first}; {day} was asked for")
    names = {one.document.directory for one in (*published, proposed)}
    of_all_times = {name: reader.directories(name) for name in names}
    directories = {
        name: [one for one in some if known is None or one.published <= known] for name, some in of_all_times.items()
    }
    mine = directories[document.directory]
    on_directory = directory_in_force(mine, day)
    if on_directory is None and of_all_times[document.directory] and not mine:
        raise CannotJudge(not_known_yet(of_all_times[document.directory], area))
    if on_directory is None:
        raise CannotJudge(f"directory {document.directory!r} is not published; see `tiendo agencies publish`")
    sources = {feed.source for some in directories.values() for one in some for feed in one.document.feeds}
    ground = _Ground(
        database=database, day=day, known=known, zone=area,
        feed_days=known_feed_days(database, sources, day, known), tell=tell,
    )  # fmt: skip
    in_force = plan_in_force(published, day)
    theirs = directories[published[-1].document.directory] if published else []
    asked = [
        (plans, some, _wanted(database, plans, known, document if plans is after else None))
        for plans, some in ((published, theirs), (after, mine))
    ]
    published_policies = [one for one in reader.policies(document.plan) if known is None or one.published <= known]
    total = sum(1 + len(wanted) for _, _, wanted in asked)
    done = 0
    sides = []
    for plans, some, wanted in asked:
        policies = _under(what.policy, proposed) if what.policy is not None and plans is after else published_policies
        sides.append(_side(ground, plans, some, wanted, policies, done, total))
        done += 1 + len(wanted)
        tell(done, total)
    as_stated = proposed.model_copy(update={"in_force_from": document.in_force_from})
    return Previewed(
        preview=compare(
            sides[0],
            sides[1],
            day=day,
            moved=moved_between(in_force, as_stated, on_directory.document, day) if in_force else (),
        ),
        published=in_force,
        proposed=proposed,
    )


def _proposed(document: Plan, published: Sequence[PlanRevision], *, as_published: bool) -> PlanRevision:
    """Return *document* as the revision that it would be: the next number, published after all others."""
    number = max((one.revision for one in published), default=0) + 1
    moments = [one.published for one in published]
    begin = datetime(document.start.year, document.start.month, document.start.day, tzinfo=ZoneInfo("UTC"))
    return PlanRevision(
        id=document.plan,
        revision=number,
        in_force_from=document.in_force_from if as_published else document.start,
        published=max(moments, default=begin) + timedelta(microseconds=1),
        document=document,
    )


def _under(policy: Policy, plan: PlanRevision) -> list[PolicyRevision]:
    """Return *policy* as if it had been in force as long as the plan has."""
    since = plan.document.start
    return [
        PolicyRevision(id=policy.policy, revision=1, in_force_from=since, published=plan.published, document=policy)
    ]


def _wanted(
    database: ClickHouse, plans: Sequence[PlanRevision], known: datetime | None, proposed: Plan | None
) -> list[Definition]:
    needed = definitions_needed(plans)
    return [one for one in definitions(database, known_at=known, proposed=proposed) if one.definition in needed]


def _side(
    ground: _Ground,
    plans: Sequence[PlanRevision],
    directories: Sequence[DirectoryRevision],
    wanted: Sequence[Definition],
    policies: Sequence[PolicyRevision],
    done: int,
    total: int,
) -> Side:
    """Return *plans* lived through; without a revision in force on the day, nothing at all."""
    if plan_in_force(plans, ground.day) is None or directory_in_force(directories, ground.day) is None:
        return Side(changes=(), histories={})
    start = min(one.document.start for one in plans)
    adoption: _Days = {}
    for at, definition in enumerate(wanted):
        ground.tell(done + at, total)
        adoption |= _figures(ground, definition, start)
    ground.tell(done + len(wanted), total)
    judged = assess(plans, directories, adoption=adoption, feed_days=ground.feed_days, day=ground.day)
    changes = replay(
        plans, directories, judged.histories, feed_days=ground.feed_days, last=ground.day, policies=policies
    )
    return Side(changes=changes, histories=judged.histories)


def _figures(ground: _Ground, definition: Definition, start: date) -> _Days:
    """Return the definition's figures from *start* on; both sides mostly ask for the same ones."""
    key = (f"{definition.definition} {start}", definition.declared_as)
    if key not in ground._read:
        found: _Days = {}
        for query in queries(definition, start, ground.day, known_at=ground.known, zone=ground.zone):
            for one in figures(ground.database, query):
                days = found.setdefault((definition.definition, one.agency), {})
                days[one.day] = one.numerator, one.denominator, one.measured_share
        ground._read[key] = found
    return ground._read[key]
