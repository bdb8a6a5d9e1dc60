"""A year of warnings in the example's province: what happens on which day, and what the evaluator makes of it day by day.

Everything but the script is the real thing: assessments, courses, transitions, the planner of notices and digests. Figures
are the simulator's. Feeds are silent and come back with what they owed, a revision asks less, people answer, somebody
silences, a server is under maintenance.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.plan import MeanMeasure, Plan
from schemas.policy import Policy
from schemas.warnings import Answer, Notice, Transition
from services.alerts.core.planning import Desk, plan_digests, plan_notices
from services.core.definition import reads_of
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.assess import Assessment, assess
from services.core.scope import targets_of
from services.core.warnings.course import Course
from services.core.warnings.evaluation import Day, transitions_on
from services.core.warnings.lifecycle import feed_cause, lag_cause, to_be_told
from services.core.warnings.transitions import feed_standings, judged_day
from services.core.warnings.warning_records import Subject, silences_in_force
from tests.year_figures import START, Figures, figures, span
from tests.year_script import HOLIDAYS_2009, OUTAGES, SILENCES, answers_on, directories, plans, policy, reports

UNTIL: Final = date(2009, 5, 31)
ZONE: Final = ZoneInfo("Asia/Ho_Chi_Minh")
LOOK: Final = time(6, 0)  # the night's exports are in, nobody is at work yet
DESK: Final = time(7, 30)  # mails go out, on working days


@dataclass
class Look:
    """What a look made of an assessment; the last transitions of every warning before it, and after."""

    now: datetime
    assessment: Assessment
    transitions: tuple[Transition, ...]
    notices: tuple[Notice, ...]
    past: Mapping[Subject, Transition]
    states: Mapping[Subject, Transition]


@dataclass
class Year:
    """The evaluator through the year, a look each morning; it remembers what the log would hold."""

    policy: Policy = field(default_factory=policy)
    states: dict[Subject, Transition] = field(default_factory=dict)
    every: list[Transition] = field(default_factory=list)
    told: set[str] = field(default_factory=set)
    threads: dict[tuple[str, str, str], int] = field(default_factory=dict)
    digests: set[str] = field(default_factory=set)

    def looks(self, until: date = UNTIL) -> Iterator[Look]:
        """Yield a look after each day."""
        for whole, days in views(until):
            courses: dict[Subject, tuple[Course, int]] = {}
            for day in days:
                yield self._look(up_to(whole, day), courses)

    def _look(self, assessment: Assessment, courses: dict[Subject, tuple[Course, int]]) -> Look:
        now = datetime.combine(assessment.day + timedelta(days=1), LOOK, ZONE)
        answers = {(one.agency, one.cause): [one] for one in answers_on(now.date(), self._opened)}
        day = self.day(assessment, courses, answers)
        made = transitions_on(
            day, self.states, self.policy, plan=assessment.plan.plan, revision=assessment.revision, at=now
        )
        past = dict(self.states)
        self.every += made
        self.states |= {(one.agency, one.cause): one for one in made}
        morning = datetime.combine(now.date(), DESK, ZONE)
        desk = Desk(
            plan=assessment.plan.plan,
            directory=assessment.directory,
            policy=self.policy,
            now=morning,
            holidays=frozenset(date.fromisoformat(one) for one in HOLIDAYS_2009),
            silences=silences_in_force(SILENCES, morning),
            threads=self.threads,
        )
        untold = [one for one in self.every if to_be_told(one.reason) and one.id not in self.told]
        notices = plan_notices(untold, self.states, desk)
        digests = plan_digests(self.states, self.digests, desk, day=assessment.day)
        for one in notices:
            self.told |= set(one.transitions)
            self.threads[(one.agency, one.recipient, one.channel)] = one.number
        self.digests |= {one.id for one in digests}
        return Look(now, assessment, made, (*notices, *digests), past, dict(self.states))

    def day(
        self,
        assessment: Assessment,
        courses: dict[Subject, tuple[Course, int]],
        answers: Mapping[Subject, list[Answer]],
    ) -> Day:
        """Return what the evaluator decides on; *courses* are followed on from where they were."""
        found = {}
        for indicator in assessment.plan.indicators:
            for agency, target in targets_of(assessment.directory, indicator).items():
                history = assessment.histories.get((indicator.id, agency), ())
                if target is None or not history or history[-1].day != assessment.day:
                    continue
                subject = (agency, lag_cause(indicator.id))
                course, done = courses.get(subject, (Course(), 0))
                for standing in history[done:]:
                    last = judged_day(standing, self.policy, assessment.plan.deadline)
                    course.follow(last, self.policy)
                courses[subject] = course, len(history)
                found[subject] = course, last
        feeds = feed_standings(assessment)
        judged = found.keys() | {(feed, feed_cause(feed)) for feed in feeds}
        return Day(day=assessment.day, courses=found, feeds=feeds.values(), judged=judged, answers=answers)

    def _opened(self, agency: str, cause: str) -> int:
        opened = self.states[(agency, cause)].opened
        assert opened is not None, f"{agency} is not warned of {cause}"
        return opened


def views(until: date) -> Iterator[tuple[Assessment, list[date]]]:
    """Yield an assessment together with the days up to which it may be cut: on them nothing changes but that time passes.

    A feed that comes back rewrites what was known of the days that it owed; a revision changes what is asked.
    """
    on_plans, on_directories = plans(), directories()
    made: Figures = {key: days for one in on_plans for key, days in figures(one.document, until).items()}
    feeds = on_directories[-1].document
    whole = assess(on_plans, on_directories, adoption=made, feed_days=reports(feeds, until, until), day=until)
    changes = {one.first for one in OUTAGES} | {one.back for one in OUTAGES}
    changes |= {one.in_force_from for one in (*on_plans, *on_directories)}
    firsts = sorted({START, *(day for day in changes if START < day <= until)})
    for first, after in zip(firsts, [*firsts[1:], until + timedelta(days=1)], strict=True):
        last = after - timedelta(days=1)
        seen = whole
        if away := {short for one in OUTAGES if one.first <= first < one.back for short in one.types}:
            concerned = [one.model_copy(update={"document": reading(one.document, away)}) for one in on_plans]
            seen = assess(concerned, on_directories, adoption=made, feed_days=reports(feeds, first, last), day=last)
        directory, plan = directory_in_force(on_directories, last), plan_in_force(on_plans, last)
        assert directory is not None
        assert plan is not None
        view = replace(
            whole,
            plan=plan.document,
            revision=plan.revision,
            directory=directory.document,
            directory_revision=directory.revision,
            histories={**whole.histories, **seen.histories},
            feeds=seen.feeds,
        )
        yield view, span(first, last)


def reading(plan: Plan, types: Collection[str]) -> Plan:
    """Return *plan* with those indicators alone that read one of *types*, and with means of them."""
    kept = {one.id for one in plan.indicators if reads_of(one) & set(types)}
    means = [one for one in plan.indicators if isinstance(one.measure, MeanMeasure)]
    kept |= {one.id for one in means if {part.indicator for part in one.measure.of} & kept}
    kept |= {part.indicator for one in means if one.id in kept for part in one.measure.of}
    return plan.model_copy(update={"indicators": tuple(one for one in plan.indicators if one.id in kept)})


def up_to(whole: Assessment, day: date) -> Assessment:
    """Return *whole* as it was on an earlier *day*."""
    return replace(
        whole,
        day=day,
        histories={
            key: history[: bisect_right(history, day, key=lambda one: one.day)]
            for key, history in whole.histories.items()
        },
        feeds={key: states[: (day - whole.plan.start).days + 1] for key, states in whole.feeds.items()},
    )
