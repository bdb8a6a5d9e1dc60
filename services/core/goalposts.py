"""Moved goalposts: where a revision asks less of an agency than the one before it did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise

from schemas.directory import Directory
from schemas.plan import Plan
from schemas.revisions import DirectoryRevision, PlanRevision
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.trajectory import curve_for
from services.core.scope import targets_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What *revision*, in force from *since*, asks of an agency beside what *before* asked, of which it is less.

    ``target``, ``planned`` (on the day asked about) and ``deadline`` are None where the revision asks nothing any more.
    """

    indicator: str
    agency: str
    before: int
    revision: int
    since: date
    target_before: Fraction
    target: Fraction | None
    planned_before: Fraction
    planned: Fraction | None
    deadline_before: date
    deadline: date | None


def moved_goalposts(
    plans: Sequence[PlanRevision], directories: Sequence[DirectoryRevision], day: date
) -> tuple[Moved, ...]:
    """Return where a revision in force by *day* lowered a target, planned less for *day*, or put a deadline off.

    Each revision is held against the one in force before it, so that a target lowered and raised again is named once, by
    the revision that lowered it. Agencies are those of the directory in force on *day*. Without a directory: nothing.
    """
    directory = directory_in_force(directories, day)
    return () if directory is None else moved_under(plans, directory.document, day)


def moved_under(plans: Sequence[PlanRevision], directory: Directory, day: date) -> tuple[Moved, ...]:
    """Return what :func:`moved_goalposts` does, of the agencies of *directory*."""
    return tuple(
        moved
        for before, after in pairwise(_in_force_by(plans, day))
        for moved in moved_between(before, after, directory, day)
    )


def _in_force_by(plans: Sequence[PlanRevision], day: date) -> list[PlanRevision]:
    found: list[PlanRevision] = []
    for first in sorted({one.in_force_from for one in plans if one.in_force_from <= day}):
        one = plan_in_force(plans, first)
        if one is not None:
            found.append(one)
    return found


def moved_between(before: PlanRevision, after: PlanRevision, directory: Directory, day: date) -> Iterator[Moved]:
    """Yield where *after* asks less than *before*, of the agencies of *directory*; planned values are those of *day*."""
    asked = _asked(before.document, directory, day)
    now = _asked(after.document, directory, day)
    for key, (target, planned) in asked.items():
        later = after.document.deadline > before.document.deadline
        there = now.get(key)
        if there is None or there[0] < target or there[1] < planned or later:
            yield Moved(
                indicator=key[0],
                agency=key[1],
                before=before.revision,
                revision=after.revision,
                since=after.in_force_from,
                target_before=target,
                target=there[0] if there else None,
                planned_before=planned,
                planned=there[1] if there else None,
                deadline_before=before.document.deadline,
                deadline=after.document.deadline if there else None,
            )


def _asked(plan: Plan, directory: Directory, day: date) -> dict[tuple[str, str], tuple[Fraction, Fraction]]:
    """Return (indicator, agency) → target and what is planned for *day*."""
    return {
        (indicator.id, agency): (
            target.target,
            curve_for(target, plan).planned_at(day),
        )
        for indicator in plan.indicators
        for agency, target in targets_of(directory, indicator).items()
        if target is not None
    }
