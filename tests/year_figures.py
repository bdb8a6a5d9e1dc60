"""The figures of the example's simulated year and its aftermath, from the simulator's own truth, without any database."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from schemas.plan import Plan
from services.core.definition import definition_of
from tests.unit import simulated  # noqa: F401 - makes the simulator importable

from simulator.courses import BY_ID, DEAD, DEAD_LAST_DAY, LATE_ALL, NEVER  # isort: skip
from simulator.oracle import INDICATORS, Oracle, concerned  # isort: skip
from simulator.run import write  # isort: skip
from simulator.truth import known  # isort: skip

START, YEAR_END = date(2008, 5, 28), date(2008, 12, 31)
#: (definition's hash, agency) → day → numerator, denominator, measured share.
Figures = dict[tuple[str, str], dict[date, tuple[Decimal, Decimal, float]]]
__all__ = ["DEAD", "DEAD_LAST_DAY", "NEVER", "START", "Figures", "figures", "span"]


def span(first: date, last: date) -> list[date]:
    """Return every day from *first* to *last*, both included."""
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


class _Remembering(Oracle):
    """The oracle, asked about every day of the year: what does not depend on the agency is worked out once."""

    def __init__(self, world: Any) -> None:
        super().__init__(world, YEAR_END)
        self._members: defaultdict[str, list[tuple[str, date, date]]] = defaultdict(list)
        for post in world.posts:
            row = known(post.versions, self._night)
            if row is not None:
                for agency in filter(None, {post.agency, BY_ID[post.agency].parent}):
                    self._members[agency].append((post.person, row.first, row.last or date.max))
        self._owners = cache(super()._owners)  # type: ignore[method-assign]
        self._trained = cache(super()._trained)  # type: ignore[method-assign]
        self._sent_on = cache(self._sent_on_day)
        self._senders = cache(self._senders_until)  # type: ignore[method-assign]

    def course(self, indicator: str, agency: str, days: Iterable[date]) -> list[tuple[Any, Any]]:
        """Return numerator and denominator on each of *days*."""
        if indicator not in ("documents-exchanged", "documents-handled", "direction-online", "records-filed"):
            return [self._counted(indicator, agency, day) for day in days]
        changes = [self._life(deeds, register) for deeds, register in self._deeds(indicator, agency)]
        entered = [first for first, _ in changes if first is not None and first >= START]
        lives = [life for first, life in changes if first is not None and first >= START]
        return [
            (sum(self._stands(life, day) for life in lives), sum(1 for first in entered if first <= day))
            for day in days
        ]

    def _deeds(self, indicator: str, agency: str) -> Iterable[tuple[Any, str]]:
        kind = {"documents-handled": "handling", "direction-online": "tasks", "records-filed": "records"}.get(indicator)
        if kind is None:
            documents = (one for one in self._world.documents if one.agency is not None)
            return [(o.deeds, "exchange") for o in documents if agency in (o.agency, BY_ID[o.agency].parent)]
        items = (one for one in self._world.items if one.kind == kind)
        return [(one.deeds, kind) for one in items if agency in (one.agency, BY_ID[one.agency].parent)]

    def _life(self, deeds: Any, register: str) -> tuple[date | None, dict[date, bool]]:
        """Return the day of entry and, by day, whether it stands adopted from then on."""
        current = self._current(deeds, register)
        entered = min((deed.day for deed in current if deed.step == "entered"), default=None)
        steps: defaultdict[date, set[str]] = defaultdict(set)
        for deed in current:
            if deed.step != "entered":
                steps[deed.day].add(deed.step)
        return entered, {day: found == {"adopted"} for day, found in sorted(steps.items())}

    @staticmethod
    def _stands(life: dict[date, bool], day: date) -> bool:
        stands = False
        for since, adopted in life.items():
            if since <= day:
                stands = adopted
        return stands

    def _share_of_people(self, agency: str, day: date, counted: set[str]) -> tuple[int, int]:
        people = {person for person, first, last in self._members[agency] if first <= day <= last}
        return len(people & counted), len(people)

    def _sent_on_day(self, on: date) -> set[str]:
        return {owner for address, owner in self._owned(lambda _: True, on) if (address, on) in self._world.uses}

    def _senders_until(self, day: date) -> set[str]:
        return set().union(*(self._sent_on(day - timedelta(days=back)) for back in range(28)))


@cache
def _of_2008() -> dict[tuple[str, str], list[tuple[Decimal, Decimal]]]:
    with tempfile.TemporaryDirectory() as folder:
        oracle = _Remembering(write(2008, YEAR_END, Path(folder)))
    days = span(START, YEAR_END)
    return {
        (indicator, agency.id): [(Decimal(done), Decimal(of)) for done, of in oracle.course(indicator, agency.id, days)]
        for indicator in INDICATORS
        if indicator != "documents-online"
        for agency in concerned(indicator)
    }


def figures(plan: Plan, until: date) -> Figures:
    """Return the figures of the plan's indicators by definition and agency, for every day up to *until*.

    The simulator ends with 2008. In 2009 everybody keeps what was reached, and all but those who are late with everything
    go on by half a percentage point a day.
    """
    found: Figures = {}
    for (indicator, agency), course in _of_2008().items():
        definition = definition_of(next(one for one in plan.indicators if one.id == indicator), plan)
        assert definition is not None
        done, of = course[-1]
        step = Decimal(0) if BY_ID[agency].course is LATE_ALL else of / 200
        later = [
            (min(max(done, of), done + (step * n).to_integral_value()), of)
            for n in range(1, (until - YEAR_END).days + 1)
        ]
        found[(definition.hash, agency)] = {
            day: (*values, 1.0) for day, values in zip(span(START, until), [*course, *later], strict=False)
        }
    return found
