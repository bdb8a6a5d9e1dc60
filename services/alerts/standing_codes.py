"""What one evaluator remembers of a plan's standing between looks: a byte for each agency, indicator and day."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from schemas.policy import Policy
from schemas.warnings import Answer, Transition, WarningState
from services.alerts.adapters.day_codes import DayCodes, Span
from services.core.schedule.assess import Assessment
from services.core.scope import targets_of
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.courses_many import Courses, follow_many
from services.core.warnings.evaluation import Day, transitions_on
from services.core.warnings.lifecycle import feed_cause, lag_cause
from services.core.warnings.transitions import feed_standings
from services.core.warnings.warning_records import Subject


@dataclass
class _Matrix:
    """Codes of one indicator: a row per agency with a target."""

    agencies: tuple[str, ...]
    codes: NDArray[np.uint8]
    places: dict[str, int] = field(default_factory=dict)


@dataclass
class StandingCodes:
    """Day codes of one plan, followed through its rounds. Losing them costs a reading of the plan's whole standing.

    They begin anew where the policy, the deadline, the revisions judged under or the agencies with a target are others.
    """

    reader: DayCodes
    _key: object = None
    _newest: datetime | None = None
    _last: date | None = None
    _matrices: dict[str, _Matrix] = field(default_factory=dict)

    def transitions(
        self,
        assessment: Assessment,
        past: Mapping[Subject, Transition],
        policy: Policy,
        *,
        inputs: str,
        at: datetime,
        answers: Mapping[Subject, Sequence[Answer]],
    ) -> tuple[Transition, ...]:
        """Return every transition that the day judged brings, as ``transitions_of`` does. Blocks; raises Transient.

        *inputs*: the digest of the revisions that the round judged under.
        """
        self._follow(assessment, policy, inputs)
        start, feeds = _start(assessment), feed_standings(assessment)
        courses: dict[Subject, tuple[Course, JudgedDay]] = {}
        judged: set[Subject] = {(feed, feed_cause(feed)) for feed in feeds}
        unsettled: dict[str, list[str]] = {}
        for (agency, cause), last in past.items():
            if last.state is not WarningState.RESOLVED:
                unsettled.setdefault(cause, []).append(agency)
        for indicator, matrix in self._matrices.items():
            cause = lag_cause(indicator)
            if not matrix.agencies:
                continue
            many = follow_many(matrix.codes, start, policy)
            today = many.judged()
            judged.update((matrix.agencies[place], cause) for place in np.flatnonzero(today).tolist())
            for place, course, day in many.courses(_asked(many, matrix, unsettled.get(cause, ()))):
                courses[(matrix.agencies[place], cause)] = course, day
        on_day = Day(day=assessment.day, courses=courses, feeds=feeds.values(), judged=judged, answers=answers)
        return transitions_on(on_day, past, policy, plan=assessment.plan.plan, revision=assessment.revision, at=at)

    def _follow(self, assessment: Assessment, policy: Policy, inputs: str) -> None:
        """Read what has changed since the last time."""
        plan, day, start = assessment.plan, assessment.day, _start(assessment)
        newest = self.reader.newest(plan.plan)
        key = (policy, plan.deadline, start, inputs, assessment.revision, assessment.directory_revision)
        if key != self._key or self._last is None or self._newest is None or day < self._last:
            self._begin(assessment)
            for span in _spans(assessment, policy, start):
                self._fill(span, start, None)
        elif newest != self._newest or day != self._last:
            changed = self.reader.changed(plan.plan, after=self._newest, before=self._last + timedelta(days=1))
            self._widen((day - self._last).days)
            for span in _spans(assessment, policy, start):
                if span.indicator in changed:
                    self._fill(span, start, changed[span.indicator])
            if day > self._last:
                for span in _spans(assessment, policy, self._last + timedelta(days=1)):
                    self._fill(span, start, None)
        self._key, self._newest, self._last = key, newest, day

    def _begin(self, assessment: Assessment) -> None:
        days = (assessment.day - _start(assessment)).days + 1
        self._matrices = {}
        for indicator in assessment.plan.indicators:
            targets = targets_of(assessment.directory, indicator)
            agencies = tuple(agency for agency, target in targets.items() if target is not None)
            places = {agency: place for place, agency in enumerate(agencies)}
            codes = np.zeros((len(agencies), days), dtype=np.uint8)
            self._matrices[indicator.id] = _Matrix(agencies=agencies, codes=codes, places=places)

    def _widen(self, days: int) -> None:
        if days:
            for one in self._matrices.values():
                one.codes = np.concatenate([one.codes, np.zeros((len(one.agencies), days), dtype=np.uint8)], axis=1)

    def _fill(self, span: Span, start: date, agencies: Collection[str] | None) -> None:
        matrix = self._matrices[span.indicator]
        places, codes = self.reader.read(span, matrix.places, agencies)
        first = (span.first - start).days
        matrix.codes[places, first : first + codes.shape[1]] = codes


def _start(assessment: Assessment) -> date:
    """Return the first day that any revision of the plan has judged."""
    return min(one.document.start for one in assessment.plans)


def _spans(assessment: Assessment, policy: Policy, first: date) -> Iterator[Span]:
    plan = assessment.plan
    for indicator in plan.indicators:
        yield Span(
            plan=plan.plan,
            indicator=indicator.id,
            first=first,
            last=assessment.day,
            under=policy,
            deadline=plan.deadline,
        )


def _asked(many: Courses, matrix: _Matrix, unsettled: Collection[str]) -> NDArray[np.int64]:
    """Return the places of which something may follow: where a warning is under way, and where the last day was grave."""
    asked = many.grave().copy()
    asked[[matrix.places[agency] for agency in unsettled if agency in matrix.places]] = True
    return np.flatnonzero(asked)
