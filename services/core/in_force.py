"""Which revision counts on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from schemas.plan import Plan
from schemas.policy import Policy
from schemas.revisions import DirectoryRevision, PlanRevision, PolicyRevision
from services.core.warnings.severity import default_policy


def plan_in_force(revisions: Sequence[PlanRevision], day: date) -> PlanRevision | None:
    """Return the revision in force on *day*: that whose day came last, of equal days the one published last; or None."""
    due = [revision for revision in revisions if revision.in_force_from <= day]
    return max(due, key=lambda one: (one.in_force_from, one.published, one.revision), default=None)


def directory_in_force(revisions: Sequence[DirectoryRevision], day: date) -> DirectoryRevision | None:
    """Return the directory of *day*; before the first one that first one, because agencies carry their own life."""
    first = min((revision.in_force_from for revision in revisions), default=day)
    due = [revision for revision in revisions if revision.in_force_from <= max(day, first)]
    return max(due, key=lambda one: (one.in_force_from, one.published, one.revision), default=None)


def policy_in_force(revisions: Sequence[PolicyRevision], plan: Plan, day: date) -> Policy:
    """Return the policy of *plan* on *day*; the default one, with the plan's own hold and clear, while none is in force."""
    due = [one for one in revisions if one.in_force_from <= day and one.document.plan == plan.plan]
    last = max(due, key=lambda one: (one.in_force_from, one.published, one.revision), default=None)
    return default_policy(plan) if last is None else last.document
