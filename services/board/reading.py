"""What the answer page needs of the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

from schemas.directory import Directory
from schemas.explanation import FeedUsed
from schemas.plan import Indicator, Plan
from schemas.warnings import WARNING_RECORD, Answer, Record, Transition
from services.board.core.matter import LagEvidence, Matter, open_of, subjects_of
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.coverage import Reports
from services.core.schedule.trajectory import curve_for
from services.core.scope import targets_of
from services.core.warnings.answer_link import AnswerLink
from services.infra.clickhouse.client import ClickHouse
from services.infra.explain.feeds import feeds_used
from services.infra.plan_reader import PlanReader
from services.infra.standing_reader import read_standing

_LINES: Final = 120  # points of the planned line


def read_matter(database: ClickHouse, link: AnswerLink) -> Matter | None:
    """Return what *link* is about; None where nothing of it is known here. Raises Transient while the database is away."""
    reader = PlanReader(database)
    judged, plans = reader.last_evaluation(link.plan), reader.plans(link.plan)
    if judged is None or not plans:
        return None
    in_force = plan_in_force(plans, judged.day)
    plan = (in_force or plans[-1]).document
    directory = directory_in_force(reader.directories(plan.directory), judged.day)
    if directory is None:
        return None
    document, subjects = directory.document, subjects_of(link, directory.document)
    transitions = [one for one in _records(database, "warnings", link.plan, subjects) if isinstance(one, Transition)]
    opened = open_of(transitions, plan)
    return Matter(
        plan=plan,
        directory=document,
        day=judged.day,
        transitions=tuple(transitions),
        answers=tuple(
            one for one in _records(database, "answers", link.plan, subjects) if isinstance(one, Answer)
        ),
        evidence=_evidence(database, plan, document, judged.day, [one for one in opened if one.cause[:4] == "lag:"]),
        feeds=_feeds(reader, document, judged.day, [one.agency for one in opened if one.cause[:5] == "feed:"]),
    )  # fmt: skip


def _records(database: ClickHouse, table: str, plan: str, subjects: Sequence[str]) -> list[Record]:
    # Folds go by sequence, and answers by their moment, so the order of the log matters for neither.
    rows = database.rows(
        f"SELECT record FROM {table} FINAL WHERE plan = %(plan)s AND agency IN %(agencies)s ORDER BY recorded",  # noqa: S608 - our own names
        {"plan": plan, "agencies": tuple(subjects)},
    )
    return [WARNING_RECORD.validate_json(row[0]) for row in rows]


def _evidence(
    database: ClickHouse, plan: Plan, directory: Directory, day: date, opened: Sequence[Transition]
) -> dict[str, LagEvidence]:
    if not opened:
        return {}
    agency, known = opened[0].agency, {f"lag:{one.id}": one for one in plan.indicators}
    wanted = [known[one.cause] for one in opened if one.cause in known]
    rows = {
        row["indicator"]: row
        for row in read_standing(
            database, plan.plan, day, indicators=[one.id for one in wanted], agencies=(agency,)
        )
    }  # fmt: skip
    return {
        one.id: LagEvidence(
            row=rows[one.id],
            planned=_planned(plan, directory, one, agency),
            actual=_actual(database, plan.plan, one.id, agency, day),
            feeds=feeds_used(database, plan, one, directory, agency, day),
        )
        for one in wanted
        if one.id in rows
    }


def _planned(plan: Plan, directory: Directory, indicator: Indicator, agency: str) -> list[tuple[date, float | None]]:
    target = targets_of(directory, indicator).get(agency)
    if target is None:
        return []
    curve = curve_for(target, plan)
    step = max(1, curve.span // _LINES)
    days = [plan.start + timedelta(days=at) for at in (*range(0, curve.span, step), curve.span)]
    return [(day, float(curve.planned_at(day))) for day in days]


def _actual(
    database: ClickHouse, plan: str, indicator: str, agency: str, until: date
) -> list[tuple[date, float | None]]:
    rows: list[tuple[Any, ...]] = database.rows(
        "SELECT day, if(judged_day >= day, ratio, NULL) FROM standing FINAL WHERE plan = %(plan)s "
        "AND indicator = %(indicator)s AND agency = %(agency)s AND day <= toDate32(%(until)s) ORDER BY day",
        {"plan": plan, "indicator": indicator, "agency": agency, "until": until.isoformat()},
    )
    return [(day, ratio) for day, ratio in rows]


def _feeds(reader: PlanReader, directory: Directory, day: date, wanted: Sequence[str]) -> dict[str, FeedUsed]:
    feeds = [one for one in directory.feeds if one.id in set(wanted)]
    if not feeds:
        return {}
    reports = Reports(reader.feed_days({one.source for one in feeds}, day), frozenset(directory.holidays))
    found = {}
    for feed in feeds:
        state = reports.state(feed, day)
        found[feed.id] = FeedUsed(
            feed=feed.id,
            title=feed.title,
            source=feed.source,
            types=feed.types,
            state=str(state.state),
            covered=state.covered,
        )
    return found
