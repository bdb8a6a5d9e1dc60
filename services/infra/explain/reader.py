"""A figure explained: by which revisions and definition, for whom, from what feeds, and from which events."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.common import Bilingual
from schemas.directory import Directory
from schemas.explanation import (
    Counted,
    DefinitionUsed,
    Explanation,
    FeedUsed,
    Office,
    RevisionUsed,
    StandingRecord,
)
from schemas.plan import Indicator, MeanMeasure, Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.definition import definition_of
from services.core.errors import Rejected
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.coverage import FeedState
from services.core.schedule.standing_row import COLUMNS, as_row
from services.core.scope import FIRST_DAY, LAST_DAY, targets_of
from services.infra.clickhouse.client import ClickHouse
from services.infra.explain.feeds import feeds_used
from services.infra.explain.items import items_evidence
from services.infra.explain.people import people_evidence
from services.infra.explain.recount import agreeing, counts, declared, mean_ratio, recount
from services.infra.explain.sources import Inquiry
from services.infra.figures.afresh import CannotJudge, Question, end_of, judge_afresh
from services.infra.figures.definitions import Definition, definitions
from services.infra.plan_reader import PlanReader
from services.infra.standing_reader import read_standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Which figure: of *day* (None: the last one judged), as known by the end of *known_at* (None: now).

    At most *limit* items of each reason are listed, of the reasons in *only* where any are named.
    """

    plan: str
    indicator: str
    agency: str
    day: date | None = None
    known_at: date | None = None
    limit: int = 10
    only: frozenset[str] = frozenset()


class NotThere(Rejected):
    """What is asked about does not exist; the message says what there is."""


def explain(database: ClickHouse, wanted: Explain, *, zone: str) -> Explanation:
    """Return the evidence behind a figure. Raises NotThere, and Transient while the database is away.

    Cost: the facts of one agency; with a known-at day those of all, because the day is judged afresh.
    """
    return _Explaining(database, wanted, ZoneInfo(zone)).explanation()


class _Explaining:
    def __init__(self, database: ClickHouse, wanted: Explain, zone: ZoneInfo) -> None:
        self._database = database
        self._wanted = wanted
        self._zone = zone
        self._known = end_of(wanted.known_at, zone) if wanted.known_at is not None else None
        self._reader = PlanReader(database)

    def explanation(self) -> Explanation:
        plans = self._published(self._reader.plans(self._wanted.plan))
        if not plans:
            there = ", ".join(self._reader.plan_ids()) or "none"
            raise NotThere(f"there is no plan {self._wanted.plan!r} that was known then; published are: {there}")
        day = self._day()
        plan = plan_in_force(plans, day)
        directories = self._published(self._reader.directories(plans[-1].document.directory))
        directory = directory_in_force(directories, day)
        if plan is None or directory is None:
            raise NotThere(f"no revision of {self._wanted.plan!r} is in force on {day}")
        indicator = _indicator(plan.document, self._wanted.indicator)
        _known_agency(directory.document, indicator, self._wanted.agency)
        standing = self._standing(day)
        counted_under = directory_in_force(directories, standing.judged_day) or directory
        return Explanation(
            standing=standing,
            title=indicator.title,
            agency_name=next(one.name for one in directory.document.agencies if one.id == self._wanted.agency),
            known_at=self._wanted.known_at,
            plan=_used(plan, plan.document),
            directory=_used(counted_under, None),
            feeds=self._feeds(plan.document, indicator, directory.document, day),
            parts=self._parts(plan, indicator, directory.document, standing),
        )

    def _published(self, revisions: list[Any]) -> list[Any]:
        return [one for one in revisions if self._known is None or one.published <= self._known]

    def _day(self) -> date:
        wanted = self._wanted
        if wanted.day is not None:
            return wanted.day
        judged = self._reader.last_evaluation(wanted.plan)
        if judged is None:
            raise NotThere(f"plan {wanted.plan!r} has not been judged yet")
        return judged.day if wanted.known_at is None else min(judged.day, wanted.known_at)

    def _standing(self, day: date) -> StandingRecord:
        wanted = self._wanted
        if self._known is None:
            rows = read_standing(
                self._database, wanted.plan, day, indicators=(wanted.indicator,), agencies=(wanted.agency,)
            )
        else:
            question = Question(plan=wanted.plan, day=day, known_at=wanted.known_at)
            try:
                judged = judge_afresh(self._database, question, zone=self._zone.key)
            except CannotJudge as fault:
                raise NotThere(str(fault)) from fault
            history = judged.histories.get((wanted.indicator, wanted.agency), ())
            rows = [dict(zip(COLUMNS, as_row(one), strict=True)) for one in history[-1:] if one.day == day]
        if not rows:
            raise NotThere(f"{wanted.agency} was not judged in {wanted.indicator} on {day}")
        row = {name: rows[0][name] for name in StandingRecord.model_fields}
        return StandingRecord.model_validate(row | {"verdict": row["verdict"] or None})

    def _feeds(self, plan: Plan, indicator: Indicator, directory: Directory, day: date) -> tuple[FeedUsed, ...]:
        return feeds_used(self._database, plan, indicator, directory, self._wanted.agency, day, known=self._known)

    def _parts(
        self, plan: PlanRevision, indicator: Indicator, directory: Directory, standing: StandingRecord
    ) -> tuple[Counted, ...]:
        held = {one.definition: one for one in definitions(self._database, known_at=self._known)}
        day, document = standing.judged_day, plan.document
        judged = standing.feed_state != FeedState.NEVER_CONNECTED
        if not isinstance(indicator.measure, MeanMeasure):
            part = self._counted(document, indicator, None, directory, held, day)
            told = (standing.numerator, standing.denominator) if standing.denominator else (None, None)
            return (agreeing(part, told == counts(part) if judged else None),)
        parts = [
            self._counted(document, _indicator(document, part.indicator), part.weight, directory, held, day)
            for part in indicator.measure.of
        ]
        agrees = mean_ratio(parts) == standing.ratio if judged else None
        return tuple(agreeing(part, agrees) for part in parts)

    def _counted(
        self,
        plan: Plan,
        indicator: Indicator,
        weight: Decimal | None,
        directory: Directory,
        held: dict[str, Definition],
        day: date,
    ) -> Counted:
        definition = definition_of(indicator, plan)
        found = held.get(definition.hash) if definition is not None else None
        if definition is None or found is None:
            raise NotThere(f"the definition of {indicator.id} is not known yet; it is read a moment after publishing")
        reign = next((one for one in found.reigns if one.first <= day <= one.last), found.reigns[-1])
        inquiry = Inquiry(
            database=self._database,
            asked=found.asked(reign),
            agency=self._wanted.agency,
            day=day,
            known_at=self._known,
            zone=self._zone,
        )
        offices = [(str(agency), first, last) for agency, first, last in inquiry.rows("offices")]
        names = {one.id: one.name for one in directory.agencies}
        people = "roster" in found.measure
        lives = {agency: (first, last) for agency, first, last in offices}
        return Counted(
            indicator=indicator.id,
            title=indicator.title,
            unit=indicator.unit,
            weight=weight,
            definition=DefinitionUsed(
                hash=definition.hash,
                canonical=definition.canonical,
                measure=indicator.measure,
                minimum=plan.minimum_of(indicator),
            ),
            offices=tuple(
                Office(
                    agency=agency,
                    name=names.get(agency, Bilingual(vi=agency)),
                    first=None if first == FIRST_DAY else first,
                    last=None if last == LAST_DAY else last,
                )
                for agency, first, last in offices
            ),
            recount=recount(inquiry),
            declared=declared(inquiry),
            evidence=people_evidence(inquiry)
            if people
            else items_evidence(inquiry, lives, limit=self._wanted.limit, only=self._wanted.only),
        )


def _indicator(plan: Plan, name: str) -> Indicator:
    for one in plan.indicators:
        if one.id == name:
            return one
    there = ", ".join(one.id for one in plan.indicators)
    raise NotThere(f"plan {plan.plan!r} has no indicator {name!r}; it has: {there}")


def _known_agency(directory: Directory, indicator: Indicator, agency: str) -> None:
    concerned = targets_of(directory, indicator)
    if agency not in concerned:
        known = any(one.id == agency for one in directory.agencies)
        fault = f"{indicator.id} does not concern {agency!r}" if known else f"there is no agency {agency!r}"
        raise NotThere(f"{fault}; it concerns: {', '.join(sorted(concerned))}")


def _used(revision: PlanRevision | DirectoryRevision, plan: Plan | None) -> RevisionUsed:
    return RevisionUsed(
        id=revision.id,
        revision=revision.revision,
        in_force_from=revision.in_force_from,
        published=revision.published,
        decision=plan.decision if plan is not None else None,
    )
