"""What to say where a question has no answer: which name is unknown, which days there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from services.core.errors import Rejected
from services.core.findings import meant
from services.core.in_force import directory_in_force
from services.infra.clock import last_complete_day, open_clock
from services.infra.plan_reader import PlanReader


def misnamed(
    reader: PlanReader,
    plan: str,
    day: date,
    rows: Sequence[Mapping[str, Any]],
    *,
    indicators: Collection[str] = (),
    agencies: Collection[str] = (),
) -> str | None:
    """Return what to say of an indicator or agency asked for that the plan or the directory does not have; else None.

    Documents are read only where something asked for is not among *rows*.
    """
    absent = [name for name in indicators if all(row["indicator"] != name for row in rows)]
    missing = [name for name in agencies if all(row["agency"] != name for row in rows)]
    if not absent and not missing:
        return None
    plans = reader.plans(plan)
    ids = {one.id for revision in plans for one in revision.document.indicators}
    if unknown := [name for name in absent if name not in ids]:
        return f"plan {plan!r} has no indicator {unknown[0]!r}; it has: {', '.join(sorted(ids))}"
    directory = directory_in_force(reader.directories(plans[-1].document.directory), day) if missing and plans else None
    there = {one.id for one in directory.document.agencies} if directory else set()
    if directory and (unknown := [name for name in missing if name not in there]):
        hint = meant(unknown[0], there)
        return f"there is no agency {unknown[0]!r} in the directory of {day}" + (f"; {hint}" if hint else "")
    return None


def unjudged(reader: PlanReader, plan: str, day: date) -> str:
    """Return that nothing was judged on *day*, and on which days something was."""
    return f"nothing was judged on {day} that fits{days_judged(reader, plan, day)}"


def days_judged(reader: PlanReader, plan: str, day: date) -> str:
    """Return, to end a sentence with, on which days *plan* has been judged; empty where *day* is one of them."""
    plans, judged = reader.plans(plan), reader.last_evaluation(plan)
    first = min((one.in_force_from for one in plans), default=None)
    if judged is None or first is None or first <= day <= judged.day:
        return ""
    return f"; the days judged are {first} to {judged.day}"


def over(day: date, zone: str) -> date:
    """Return *day*, which has wholly passed in *zone*; raises Rejected where it has not."""
    last = last_complete_day(open_clock()(), zone)
    if day > last:
        raise Rejected(f"{day} is not over yet; the last day that is: {last}")
    return day
