"""The life of a plan's warnings lived once more, day by day, over what is known now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from schemas.policy import Policy
from schemas.revisions import DirectoryRevision, PlanRevision, PolicyRevision
from schemas.warnings import Transition
from services.core.in_force import policy_in_force
from services.core.schedule.assess import last_day_judged, spells
from services.core.schedule.coverage import FeedDay, Reports
from services.core.schedule.standing import Standing
from services.core.scope import targets_of
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.evaluation import Day, transitions_on
from services.core.warnings.lifecycle import feed_cause, lag_cause
from services.core.warnings.transitions import feed_standing, feeds_needed, judged_day
from services.core.warnings.warning_records import Subject, fold

Histories = Mapping[tuple[str, str], Sequence[Standing]]


@dataclass(frozen=True, slots=True)
class Change:
    """A transition, and the day of standing whose look made it; the transition's own day may be an earlier one."""

    day: date
    transition: Transition


def replay(
    plans: Sequence[PlanRevision],
    directories: Sequence[DirectoryRevision],
    histories: Histories,
    *,
    feed_days: Sequence[FeedDay],
    last: date,
    policies: Sequence[PolicyRevision] = (),
) -> tuple[Change, ...]:
    """Return every transition from the plan's start to *last*, in the order of days.

    As if the service had looked once after each day, knowing of it what is known now: *histories* ((indicator, agency) →
    standings in the order of days, as an assessment of *last* has them) and *feed_days*. The first day begins without any
    warning, and nobody ever answers. Each day is decided under the revisions in force on it. Cost: one step per standing,
    whatever the days.
    """
    start = min(one.document.start for one in plans)
    courses = _Courses(histories)
    reports: dict[frozenset[date], Reports] = {}
    past: dict[Subject, Transition] = {}
    changes: list[Change] = []
    for first, end, on_plan, on_directory in spells(plans, directories, start, last):
        plan, directory = on_plan.document, on_directory.document
        holidays = frozenset(directory.holidays)
        told = reports.setdefault(holidays, Reports(feed_days, holidays))
        needed = feeds_needed(plan, directory)
        feeds = [feed for feed in directory.feeds if feed.id in needed]
        lags = {
            (agency, lag_cause(indicator.id)): (indicator.id, agency)
            for indicator in plan.indicators
            for agency, target in targets_of(directory, indicator).items()
            if target is not None
        }
        day = first
        while day <= min(end, last_day_judged(plan, end)):
            policy = policy_in_force(policies, plan, day)
            followed = courses.up_to(lags, day, policy, plan.deadline)
            on_day = Day(
                day=day,
                courses=followed,
                feeds=[feed_standing(feed.id, told.state(feed, day), plan.start) for feed in feeds],
                judged=followed.keys() | {(feed.id, feed_cause(feed.id)) for feed in feeds},
            )
            made = transitions_on(
                on_day,
                past,
                policy,
                plan=plan.plan,
                revision=on_plan.revision,
                at=datetime.combine(day, time(), UTC),
            )
            past |= fold(made)
            changes += [Change(day, one) for one in made]
            day += timedelta(days=1)
    return tuple(changes)


class _Courses:
    """Every history followed as far as it was asked about. Another policy makes all of them begin anew, as in life."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories
        self._under: tuple[Policy, date] | None = None
        self._followed: dict[Subject, tuple[Course, int]] = {}

    def up_to(
        self, lags: Mapping[Subject, tuple[str, str]], day: date, policy: Policy, deadline: date
    ) -> dict[Subject, tuple[Course, JudgedDay]]:
        """Return the courses up to *day* of those of *lags* that are judged on it, with the day itself."""
        if self._under != (policy, deadline):
            self._under, self._followed = (policy, deadline), {}
        found = {}
        for subject, key in lags.items():
            history = self._histories.get(key, ())
            course, at = self._followed.get(subject) or (Course(), 0)
            while at < len(history) and history[at].day <= day:
                course.follow(judged_day(history[at], policy, deadline), policy)
                at += 1
            self._followed[subject] = course, at
            if at and history[at - 1].day == day:
                found[subject] = course, judged_day(history[at - 1], policy, deadline)
        return found
