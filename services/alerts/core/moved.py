"""Moved goalposts as a mail tells them: a target lowered or dropped, a deadline put off, by which decision."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from schemas.directory import Directory
from schemas.plan import Decision
from schemas.revisions import PlanRevision
from services.alerts.core.letter import Goalpost
from services.alerts.core.notices import find_agency
from services.core.goalposts import moved_under
from services.core.in_force import plan_in_force
from services.core.scope import targets_of


def goalposts_of(
    plans: Sequence[PlanRevision], directory: Directory, agency: str, *, day: date, language: str
) -> tuple[Goalpost, ...]:
    """Return what revisions in force by *day* ask less of *agency*: deadlines first, then targets in the plan's order.

    Only what still holds on *day*: a target raised again to what it was, or a deadline brought back, is not told. Of the
    planned values in between nothing is said: the mail tells what is planned.
    """
    in_force = plan_in_force(plans, day)
    known = find_agency(directory, agency)
    if in_force is None or known is None:
        return ()
    alone = directory.model_copy(update={"agencies": (known,)})
    targets = {one.id: targets_of(alone, one).get(agency) for one in in_force.document.indicators}
    decisions = {one.revision: one.document.decision for one in plans}
    titles = {one.id: one.title.text(language) for plan in plans for one in plan.document.indicators}
    deadlines: dict[int, Goalpost] = {}
    found: list[tuple[int, Goalpost]] = []
    order = list(titles)
    for one in moved_under(plans, alone, day):
        decision = decisions[one.revision]
        if one.deadline is not None and one.deadline_before < min(one.deadline, in_force.document.deadline):
            deadlines[one.revision] = _goalpost(
                decision, one.since, deadline_before=one.deadline_before, deadline=one.deadline
            )
        target = targets.get(one.indicator)
        now = target.target if target else None
        lowered = one.target is None or one.target < one.target_before
        if lowered and (now is None or now < one.target_before):
            said = _goalpost(
                decision,
                one.since,
                title=titles[one.indicator],
                target_before=one.target_before,
                target=one.target if one.target is not None else now,
            )
            found.append((order.index(one.indicator), said))
    return (*deadlines.values(), *(said for _, said in sorted(found, key=lambda pair: pair[0])))


def _goalpost(decision: Decision, since: date, **fields: Any) -> Goalpost:
    return Goalpost(
        decision_number=decision.number, decision_day=decision.day, signer=decision.signer, since=since, **fields
    )
