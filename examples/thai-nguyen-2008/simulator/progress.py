"""What is true of courses and projects: the oracle's answers for rows 5 and 6 of the plan."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from simulator.days import PLAN_START
from simulator.training import BASICS, LEADERSHIP
from simulator.truth import World, known

#: Indicator → the course that counts.
COURSES: Final = {"officials-trained": BASICS, "it-leaders-trained": LEADERSHIP}
#: Indicator → the stages done and planned, and the day from which amounts count.
MONEY: Final = {
    "project-funds-balanced": ("budgeted", "approved", date(2008, 1, 1)),
    "project-funds-disbursed": ("disbursed", "budgeted", PLAN_START),
}
PROJECT_INDICATORS: Final = ("project-milestones", *MONEY)


def trained(world: World, course: str, day: date, night: datetime) -> set[str]:
    """Return those who had completed *course* by *day*, as the register had it that *night*."""
    found = set()
    for one in world.trainees:
        row = known(one.versions, night)
        if one.course == course and row is not None and row.withdrawn is None and row.day <= day:
            found.add(one.person)
    return found


def leaders(world: World, agencies: Iterable[str], day: date, night: datetime) -> set[str]:
    """Return those who lead the work on IT at *agencies* on *day*."""
    wanted = set(agencies)
    found = set()
    for post in world.leaders:
        row = known(post.versions, night)
        if post.agency in wanted and row is not None and row.holds_on(day):
            found.add(post.person)
    return found


def milestones(world: World, agency: str, day: date, night: datetime) -> tuple[Decimal, Decimal]:
    """Return the weight reached and the weight planned on *day*."""
    done = total = Decimal(0)
    for one in world.milestones:
        row = known(one.versions, night)
        if one.agency != agency or row is None:
            continue
        if PLAN_START <= row.planned <= day:
            total += row.weight
        reached = row.reached is not None and row.reached <= day
        given_back = row.returned is not None and row.returned <= day
        if reached and not (given_back and row.returned >= row.reached):  # type: ignore[operator]
            done += row.weight
    return done, total


def money(world: World, indicator: str, agency: str, day: date, night: datetime) -> tuple[int, int]:
    """Return the đồng at the stage done and at the stage planned on *day*; a paper in both registers counts once."""
    done, planned, since = MONEY[indicator]
    papers: dict[tuple[str, str], list[tuple[datetime, date, int]]] = {}
    for one in world.amounts:
        row = known(one.versions, night)
        if one.agency == agency and row is not None and row.cancelled is None and row.day >= since:
            papers.setdefault((one.stage, one.paper), []).append((row.recorded, row.day, row.dong))
    sums = {done: 0, planned: 0}
    for (stage, _), rows in papers.items():
        if stage in sums and min(on for _, on, _ in rows) <= day:
            sums[stage] += max(rows)[2]  # as it was recorded last
    return sums[done], sums[planned]
