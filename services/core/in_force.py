"""Which revision counts on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from schemas.revisions import DirectoryRevision, PlanRevision


def plan_in_force(revisions: Sequence[PlanRevision], day: date) -> PlanRevision | None:
    """Return the revision in force on *day*: that whose day came last, of equal days the one published last; or None."""
    due = [revision for revision in revisions if revision.in_force_from <= day]
    return max(due, key=lambda one: (one.in_force_from, one.published, one.revision), default=None)


def directory_in_force(revisions: Sequence[DirectoryRevision], day: date) -> DirectoryRevision | None:
    """Return the directory of *day*; before the first one that first one, because agencies carry their own life."""
    first = min((revision.in_force_from for revision in revisions), default=day)
    due = [revision for revision in revisions if revision.in_force_from <= max(day, first)]
    return max(due, key=lambda one: (one.in_force_from, one.published, one.revision), default=None)
