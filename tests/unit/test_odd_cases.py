"""Odd cases, each as the guide for plan owners tells it, through the assessment that judges every day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.definition import definition_of
from services.core.schedule.assess import assess
from services.core.schedule.coverage import FeedDay
from services.core.schedule.standing import Standing, Verdict
from tests.fixtures.standing import START, directory, plan

PUBLISHED = datetime(2008, 1, 1, tzinfo=UTC)
TET = date(2008, 2, 7)


def day(text: str) -> date:
    return date.fromisoformat(f"2008-{text}")


def changed(**fields: Any) -> Plan:
    content = plan().model_dump(mode="json", by_alias=True, exclude_none=True)
    return Plan.model_validate(content | fields)


def office(**life: str) -> Directory:
    content = directory(1).model_dump(mode="json", by_alias=True, exclude_none=True)
    content["agencies"][0] |= life
    return Directory.model_validate(content)


def history(
    course: Mapping[date, tuple[int, int]],
    until: date,
    *,
    judged_by: Plan | None = None,
    agencies: Directory | None = None,
) -> dict[date, Standing]:
    """Return day → standing of the office's documents handled, its feed covering every day."""
    document, offices = judged_by or plan(), agencies or directory(1)
    indicator = document.indicators[0]
    definition = definition_of(indicator, document)
    assert definition is not None
    first = min(document.start, min(course, default=document.start))
    covered = [first + timedelta(days=step) for step in range((until - first).days + 1)]
    assessment = assess(
        [
            PlanRevision(
                id="p", revision=1, in_force_from=document.in_force_from, published=PUBLISHED, document=document
            )
        ],
        [
            DirectoryRevision(
                id="d", revision=1, in_force_from=offices.in_force_from, published=PUBLISHED, document=offices
            )
        ],
        adoption={
            (definition.hash, "a0"): {
                one: (Decimal(done), Decimal(total), 1.0) for one, (done, total) in course.items()
            }
        },
        feed_days=[FeedDay("/office/a0", kind, one, 3, 3) for one in covered for kind in ("document.handled",)],
        day=until,
    )
    return {one.day: one for one in assessment.histories.get((indicator.id, "a0"), ())}


def steady(done: int, total: int, until: date, since: date = START) -> dict[date, tuple[int, int]]:
    return {since + timedelta(days=step): (done, total) for step in range((until - since).days + 1)}


def test_no_denominator() -> None:
    """Nothing to count is no data: no ratio, no days, and never 0 %."""
    standing = history({}, day("07-01"))[day("07-01")]

    assert (standing.verdict, standing.ratio, standing.days_behind) == (Verdict.NO_DATA, None, None)


def test_three_documents_in_all() -> None:
    """Below the plan's minimum the figure is shown and has no days, no pace, no forecast."""
    standing = history(steady(1, 3, day("07-01")), day("07-01"))[day("07-01")]

    assert (standing.verdict, standing.ratio) == (Verdict.TOO_FEW, Fraction(1, 3))
    assert (standing.days_behind, standing.recent_pace, standing.forecast) == (None, None, None)


def test_an_agency_founded_in_june() -> None:
    """It is judged from its first day, by the line that holds for all."""
    found = history(steady(0, 100, day("07-01"), day("06-16")), day("07-01"), agencies=office(**{"from": "2008-06-16"}))

    assert min(found) == day("06-16")
    assert found[day("06-16")].days_behind == 19  # since the plan's start on 28 May
    assert found[day("06-16")].verdict is Verdict.BEHIND


def test_an_agency_merged_in_august() -> None:
    """It is judged to its last day, and what was judged stays."""
    found = history(steady(10, 100, day("08-31")), day("08-31"), agencies=office(to="2008-08-15"))

    assert max(found) == day("08-15")


def test_a_target_that_is_met_at_the_start() -> None:
    """Achieved from the first day, never late, nothing needed."""
    found = history(steady(60, 100, day("07-01")), day("07-01"))

    assert {one.verdict for one in found.values()} == {Verdict.ACHIEVED}
    assert all(one.days_behind is not None and one.days_behind <= 0 for one in found.values())
    assert {one.needed_pace for one in found.values()} == {Fraction(0)}


def test_adoption_that_falls() -> None:
    """What was achieved can be lost again: the day's figure alone decides, and a falling pace never reaches the target."""
    course = steady(60, 100, day("08-31")) | {
        day("09-01") + timedelta(days=step): (60 - 2 * step, 100) for step in range(30)
    }
    found = history(course, day("09-30"))

    assert found[day("08-31")].verdict is Verdict.ACHIEVED
    assert (found[day("09-30")].ratio, found[day("09-30")].verdict) == (Fraction(2, 100), Verdict.BEHIND)
    assert (found[day("09-30")].recent_pace or 0) < 0
    outlook = found[day("09-30")]
    assert (outlook.forecast, outlook.forecast_low, outlook.forecast_high) == (None, None, None)


def test_adoption_that_falls_after_a_rise() -> None:
    """Still above twelve weeks ago: never at this pace, and an earliest day at double the pace of the twelve weeks."""
    course = {START + timedelta(days=step): (min(step, 56), 200) for step in range(57)}
    course |= {START + timedelta(days=step): (56 - (step - 56), 200) for step in range(57, 85)}
    until = max(course)
    outlook = history(course, until)[until]

    assert (outlook.ratio, outlook.forecast, outlook.forecast_high) == (Fraction(28, 200), None, None)
    # 27 cases in 83 days, doubled: 72 missing ones take 110.7 days.
    assert outlook.forecast_low == until + timedelta(days=111)


def test_a_plan_that_is_a_month_old() -> None:
    """Four weeks of a case a day, every fifth day without a figure: both paces are that, and the range is half and double."""
    course = {START + timedelta(days=step): (step, 200) for step in range(30) if step % 5 or step == 0}
    until = max(course)
    outlook = history(course, until)[until]

    assert outlook.recent_pace is not None
    left = (100 - 29) * timedelta(days=1)
    assert (outlook.forecast, outlook.forecast_high) == (until + left, until + 2 * left)
    assert outlook.forecast_low == until + timedelta(days=36)


def test_a_deadline_on_tet() -> None:
    """All of the target is due on the deadline, holiday or not; with a working calendar on the last working day before."""
    times = {"start": "2008-01-02", "deadline": TET.isoformat(), "in_force_from": "2008-01-02"}
    rest = {"accrual": "working-days", "holidays": [f"2008-02-{n:02}" for n in (6, 7, 8, 11)]}
    course = steady(40, 100, TET, date(2008, 1, 2))
    every_day, working = (history(course, TET, judged_by=changed(**times, **more)) for more in ({}, {"calendar": rest}))

    assert every_day[day("02-06")].planned == Fraction(1, 2) * 35 / 36
    assert working[day("02-05")].planned == working[day("02-06")].planned == Fraction(1, 2)
    assert every_day[TET].verdict is working[TET].verdict is Verdict.MISSED


def test_a_plan_published_late() -> None:
    """Days before it is in force are not judged; on its first day it asks for what the line from its start asks."""
    found = history(steady(0, 100, day("07-01")), day("07-01"), judged_by=changed(in_force_from="2008-06-20"))

    assert min(found) == day("06-20")
    assert found[day("06-20")].days_behind == (day("06-20") - START).days


def test_a_plan_with_one_day() -> None:
    """Everything is due on that day: achieved or missed, no days late, no SPI(t)."""
    one_day = changed(deadline=START.isoformat())
    reached, short = (history({START: (done, 100)}, START, judged_by=one_day)[START] for done in (50, 49))

    assert (reached.verdict, short.verdict) == (Verdict.ACHIEVED, Verdict.MISSED)
    assert (short.days_behind, short.spi, short.planned) == (0, None, Fraction(1, 2))
