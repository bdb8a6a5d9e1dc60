"""From standings and courses to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from schemas.directory import Directory
from schemas.plan import Plan
from services.core.schedule.trajectory import curve_for
from services.core.scope import targets_of
from services.core.seal import Seal
from services.report.core.model import AgencyPage, Line, Report, Row, Series

#: (indicator, agency) → day, ratio, planned share.
Courses = Mapping[tuple[str, str], Sequence[tuple[date, float | None, float | None]]]


def report_of(
    plan: Plan,
    directory: Directory,
    rows: Sequence[Row],
    courses: Courses,
    *,
    day: date,
    made: date,
    seal: Seal,
    issuer: str | None = None,
    place: str = "",
    notes: Mapping[str, tuple[str, ...]],
) -> Report:
    """Return the report of *day*: every agency that has a row there, the furthest behind first, then by directory order.

    *issuer* is the office that signed the plan's decision, unless told. Rows of indicators that the plan no longer has are
    left out.
    """
    targets = {one.id: targets_of(directory, one) for one in plan.indicators}
    found = {(row["indicator"], row["agency"]): row for row in rows}
    pages = []
    for agency in directory.agencies:
        lines = []
        for indicator in plan.indicators:
            key = (indicator.id, agency.id)
            if key not in found:
                continue
            course = courses.get(key, ())
            target = targets[indicator.id].get(agency.id)
            ahead: Series = ()
            if target is not None and day <= plan.deadline:
                curve = curve_for(target, plan)
                rest = range((plan.deadline - day).days + 1)
                ahead = tuple((one, float(curve.planned_at(one))) for one in (day + timedelta(days=n) for n in rest))
            before = tuple((one, planned) for one, _, planned in course if one < day or not ahead)
            lines.append(
                Line(
                    indicator=indicator,
                    row=found[key],
                    planned=before + ahead,
                    actual=tuple((one, ratio) for one, ratio, _ in course if one <= found[key]["judged_day"]),
                )
            )
        if lines:
            pages.append(AgencyPage(agency=agency.id, name=agency.name, lines=tuple(lines)))
    return Report(
        plan=plan,
        issuer=issuer or plan.decision.signer,
        place=place,
        made=made,
        day=day,
        seal=seal,
        pages=tuple(sorted(pages, key=lambda page: -page.worst)),
        notes=notes,
    )
