"""A round: from what ClickHouse holds to the standing of every day, written back."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.revisions import DirectoryRevision, PlanRevision, revision_key
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import StandingStore
from services.core.assess import (
    Assessment,
    assess,
    definitions_needed,
    last_day_judged,
)
from services.core.in_force import directory_in_force, plan_in_force
from services.core.rollup import rollups_of
from services.infra.clock import last_complete_day
from services.infra.plan_reader import Evaluation

log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=15)


class Waiting(StrEnum):
    """Why there is nothing to judge."""

    NO_PLAN = "no-plan"  # none in force on the last complete day, or its directory is missing
    NOT_STARTED = "not-started"  # the plan begins on a later day
    MARKS_OUTSTANDING = "marks-outstanding"  # figures are being recomputed
    UNCHANGED = "unchanged"  # revisions, figures, reports and day are those of the last round


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing was judged or written, and why."""

    reason: Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round has judged: the ground on which warnings stand.

    ``assessment`` holds the plan and directory in force on ``assessment.day``, ``histories`` ((indicator, agency) → its
    standings in the order of days, up to that day where the agency exists and the indicator concerns it on that day) and
    ``feeds`` (feed → its state with the last covered day, on every day from the plan's start). ``outstanding`` is 0 unless
    the patience with recomputations ran out: then so many are under way and the figures may be half read. ``changed``
    counts the rows written. ``inputs`` and ``basis`` are for :func:`finish`.
    """

    assessment: Assessment
    basis: datetime
    inputs: str
    outstanding: int
    changed: int


def evaluate_round(
    reader: FigureReader,
    store: StandingStore,
    now: datetime,
    *,
    plan: str,
    zone: str,
    patience: timedelta = PATIENCE,
    finished: bool = True,
) -> Round | NotYet:
    """Judge every day of *plan* from its start to the last complete day of *zone*, and write what changed.

    1. the database's moment is taken: all that was computed before it is in what is read next;
    2. outstanding recomputations of days judged end the round (NotYet), unless the oldest has waited beyond *patience*;
    3. unchanged revisions, figures, reports and day end it too;
    4. all standings are computed and those that differ written to ``standing``, their roll-ups to ``rollups``;
    5. the round is recorded in ``evaluations``, unless *finished* is False: whoever acts on a Round (warnings) does so
       first and then calls :func:`finish`, so that a round cut off in between is simply done again.

    Blocks. Harmless when repeated, and when two processes do it at once. Raises Transient while the database is away.
    """
    basis = reader.now()
    plans = reader.plans(plan)
    complete = last_complete_day(now, zone)
    in_force = plan_in_force(plans, complete)
    if in_force is None:
        return NotYet(Waiting.NO_PLAN)
    day = last_day_judged(in_force.document, complete)
    directories = reader.directories(in_force.document.directory)
    if directory_in_force(directories, day) is None or plan_in_force(plans, day) is None:
        return NotYet(Waiting.NO_PLAN)
    if day < in_force.document.start:
        return NotYet(Waiting.NOT_STARTED)
    marks = reader.marks(day)
    if marks.count and marks.oldest_s <= patience.total_seconds():
        return NotYet(Waiting.MARKS_OUTSTANDING)
    definitions = definitions_needed(plans)
    inputs = _inputs(plans, directories, half_read=marks.count > 0)
    if _unchanged(reader.last_evaluation(plan), reader.last_change(definitions), day=day, inputs=inputs):
        return NotYet(Waiting.UNCHANGED)
    if marks.count:
        log.warning(
            "judging %s although %d recomputations are outstanding, the oldest for %d s: its figures may be half read",
            plan,
            marks.count,
            marks.oldest_s,
        )
    sources = {feed.source for revision in directories for feed in revision.document.feeds}
    assessment = assess(
        plans,
        directories,
        adoption=reader.adoption(definitions, day),
        feed_days=reader.feed_days(sources, day),
        day=day,
    )
    changed = store.save(plan, (one for history in assessment.histories.values() for one in history), basis)
    store.save_rollups(plan, rollups_of(assessment), basis)
    done = Round(assessment=assessment, basis=basis, inputs=inputs, outstanding=marks.count, changed=changed)
    if finished:
        finish(store, done)
    return done


def finish(store: StandingStore, done: Round) -> None:
    """Record *done* as finished: the same inputs are not judged again."""
    what = done.assessment
    store.finish(what.plan.plan, revision=what.revision, day=what.day, basis=done.basis, inputs=done.inputs)


def _inputs(plans: Sequence[PlanRevision], directories: Sequence[DirectoryRevision], *, half_read: bool) -> str:
    """Return a digest of the revisions judged under; figures half read are judged again once they are whole."""
    revisions: list[PlanRevision | DirectoryRevision] = [*plans, *directories]
    names = [f"{revision_key(one)} {one.published.isoformat()}" for one in revisions]
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    return f"{digest}:half-read" if half_read else digest


def _unchanged(last: Evaluation | None, changed: datetime | None, *, day: object, inputs: str) -> bool:
    return last is not None and last.day == day and last.inputs == inputs and (changed is None or changed < last.basis)
