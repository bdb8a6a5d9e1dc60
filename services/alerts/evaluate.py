"""A round: what has changed since the last one is judged, and written to the standing of its days."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from schemas.revisions import DirectoryRevision, PlanRevision, revision_key
from services.alerts.adapters.figures import FigureReader
from services.alerts.adapters.standing_store import Kept, StandingStore
from services.alerts.grounds import ground_of
from services.alerts.judge import Judge
from services.alerts.rolled_up import RollingUp
from services.core.in_force import directory_in_force, plan_in_force
from services.core.schedule.assess import Assessment, definitions_needed, last_day_judged, spells
from services.core.schedule.judging import Changes, Spell
from services.infra.clock import last_complete_day
from services.infra.plan_reader import Evaluation

log = logging.getLogger(__name__)

PATIENCE: Final = timedelta(minutes=15)
#: How rows are computed; a change makes the first round afterwards judge everything again.
_METHOD: Final = "2"
MARGIN: Final = timedelta(minutes=15)


class Waiting(StrEnum):
    """Why there is nothing to judge."""

    NO_PLAN = "no-plan"  # none in force on the last complete day, or its directory is missing
    NOT_STARTED = "not-started"  # the plan begins on a later day
    MARKS_OUTSTANDING = "marks-outstanding"  # figures are being recomputed
    UNCHANGED = "unchanged"  # revisions, figures, reports and day are those of the last round
    OVERTAKEN = "overtaken"  # meanwhile another evaluator has finished a round that began later


@dataclass(frozen=True, slots=True)
class NotYet:
    """Nothing was judged, or nothing may be made of it, and why."""

    reason: Waiting


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round has judged: the ground on which warnings stand.

    ``assessment`` holds the plan and directory in force on ``assessment.day``, ``feeds`` (feed → its state on that day alone)
    and ``histories``, which are exact, computed when they are asked for and for few agencies at a time (asking blocks and may
    raise Transient). ``outstanding`` is 0 unless the patience with recomputations ran out: then so many are under way and
    the figures may be half read. ``changed`` counts the rows written. ``inputs`` and ``basis`` are for :func:`finish`.
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
    margin: timedelta = MARGIN,
    finished: bool = True,
) -> Round | NotYet:
    """Judge what is new or changed of *plan* up to the last complete day of *zone*, and write what differs.

    1. the database's moment is taken: all that was computed before it is in what is read next;
    2. outstanding recomputations of days judged end the round (NotYet), unless the oldest has waited beyond *patience*;
    3. unchanged revisions, figures, reports and day end it too, unless *reader* takes them all the same;
    4. new days are judged, and of agencies whose figures or reports have changed since the last finished round all days from
       the first changed one on; every day where revisions are others, or other ones came into force. What differs is written
       to ``standing``, and the roll-ups of these days to ``rollups``;
    5. the round is recorded in ``evaluations``, unless *finished* is False: whoever acts on a Round (warnings) does so
       first and then calls :func:`finish`, so that a round cut off in between is simply done again.

    *margin*: figures computed so shortly before the last round began count as changed since; what one has written late is not
    missed then.

    Holds a bounded piece of the plan at a time, whatever its size and age. Blocks. Harmless when repeated, and when two
    processes do it at once: that which began first gives way where the other has finished (NotYet). Raises Transient while
    the database is away.
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
    inputs = inputs_of(plans, directories, half_read=marks.count > 0)
    last = reader.last_evaluation(plan)
    unchanged = _unchanged(last, reader.last_change(definitions), day=day, inputs=inputs)
    if unchanged and not reader.afresh:
        return NotYet(Waiting.UNCHANGED)
    if marks.count:
        log.warning(
            "judging %s although %d recomputations are outstanding, the oldest for %d s: its figures may be half read",
            plan,
            marks.count,
            marks.oldest_s,
        )
    start = min(one.document.start for one in plans)
    spans = [
        Spell(first=first, last=until, plan=on_plan, directory=on_directory)
        for first, until, on_plan, on_directory in spells(plans, directories, start, day)
    ]
    changed = 0
    if not unchanged:
        known = last if last is not None and _goes_on(last, plans, directories, day=day, inputs=inputs) else None
        if known is None:
            changes = Changes(new=start)
        else:
            recently = known.basis - margin
            new = known.day + timedelta(days=1)
            changes = Changes(
                new=new,
                figures=reader.changed_figures(definitions, since=recently, before=new),
                reports=reader.changed_reports(since=recently, before=new),
            )
        changed = _judge(reader, store, spans, changes, everything=known is None, day=day, basis=basis)
    assessment = ground_of(reader, plans, directories, spans, day=day)
    done = Round(
        assessment=assessment,
        basis=basis,
        inputs=inputs,
        outstanding=marks.count,
        changed=changed,
    )
    if overtaken(reader, done):
        return NotYet(Waiting.OVERTAKEN)
    if finished:
        finish(store, done)
    return done


def overtaken(reader: FigureReader, done: Round) -> bool:
    """Return whether another evaluator has finished a round that began after *done*: nothing may be made of it then."""
    last = reader.last_evaluation(done.assessment.plan.plan)
    return last is not None and last.basis > done.basis


def finish(store: StandingStore, done: Round) -> None:
    """Record *done* as finished: the same inputs are not judged again."""
    what = done.assessment
    store.finish(what.plan.plan, revision=what.revision, day=what.day, basis=done.basis, inputs=done.inputs)


def _judge(
    reader: FigureReader,
    store: StandingStore,
    spans: Sequence[Spell],
    changes: Changes,
    *,
    everything: bool,
    day: date,
    basis: datetime,
) -> int:
    """Judge and write; return how many rows have changed."""
    now = spans[-1]
    plan = now.plan.document.plan
    held_until = store.last_day(plan)
    judge = Judge(reader, store, day=day, basis=basis)
    changed, days = 0, set[date]()
    for span in spans:
        for saved in judge.judge(span, changes, held_until=held_until):
            changed += saved.rows
            days |= saved.days
    if everything and held_until is not None:
        kept = [
            Kept(
                first=span.first,
                last=span.last,
                agencies={name: tuple(span.concerned(one)) for name, one in span.indicators.items()},
            )
            for span in spans
        ]
        removed = store.keep_only(plan, kept)
        changed += removed.rows
        days |= removed.days
        store.keep_rollups(plan, spans[0].first, day)
        days |= {
            span.first + timedelta(days=step) for span in spans for step in range((span.last - span.first).days + 1)
        }
    rolling = RollingUp(now.plan.document, now.directory.document, spans)
    for one in sorted(days):
        store.save_rollups(plan, rolling.on(one, store.on_day(plan, one)), basis, day=one)
    return changed


def _goes_on(
    last: Evaluation,
    plans: Sequence[PlanRevision],
    directories: Sequence[DirectoryRevision],
    *,
    day: date,
    inputs: str,
) -> bool:
    """Return whether what *last* judged holds still, up to its own day, but for changed figures and reports."""
    if last.inputs != inputs or last.inputs.endswith(_HALF_READ) or last.day > day:
        return False
    then = plan_in_force(plans, last.day), directory_in_force(directories, last.day)
    return then == (plan_in_force(plans, day), directory_in_force(directories, day))


_HALF_READ: Final = ":half-read"


def inputs_of(plans: Sequence[PlanRevision], directories: Sequence[DirectoryRevision], *, half_read: bool) -> str:
    """Return a digest of the revisions judged under; figures half read are judged again once they are whole."""
    revisions: list[PlanRevision | DirectoryRevision] = [*plans, *directories]
    names = [f"{revision_key(one)} {one.published.isoformat()}" for one in revisions]
    digest = hashlib.sha256("\n".join([_METHOD, *names]).encode()).hexdigest()[:16]
    return f"{digest}{_HALF_READ}" if half_read else digest


def _unchanged(last: Evaluation | None, changed: datetime | None, *, day: object, inputs: str) -> bool:
    return last is not None and last.day == day and last.inputs == inputs and (changed is None or changed < last.basis)
