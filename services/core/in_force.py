"""Which revision counts on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from schemas.revisions import DirectoryRevision, PlanRevision


def plan_in_force(revisions: Sequence[PlanRevision], day: date) -> PlanRevision | None:
    """Return the revision in force on *day*: of those whose day has come the one published last; None before the first."""
    due = [revision for revision in revisions if revision.in_force_from <= day]
    return max(due, key=lambda revision: (revision.published, revision.revision), default=None)


def directory_in_force(revisions: Sequence[DirectoryRevision], day: date) -> DirectoryRevision | None:
    """Return the directory of *day*; before the first one that first one, because agencies carry their own life."""
    due = [revision for revision in revisions if revision.in_force_from <= day]
    if due:
        return max(due, key=lambda revision: (revision.published, revision.revision))
    return min(revisions, key=lambda revision: (revision.in_force_from, -revision.revision), default=None)
