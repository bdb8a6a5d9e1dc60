"""A plan checked for sense, as a whole and against its directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

from schemas.directory import Directory
from services.core.calendar_faults import calendar_findings, quarter_days
from services.core.findings import (
    Finding,
    Path,
    as_day,
    as_share,
    duplicates,
    entries,
    meant,
    percent,
    some_of,
    unless_known,
)


def plan_findings(
    plan: Mapping[str, Any],
    directory: Directory | None,
    public: Callable[[date, date], Mapping[date, str]] | None = None,
) -> list[Finding]:
    """Return the faults of *plan* as written, against *directory*; without one, what names it is not checked.

    *public* tells the public holidays of a span of days, against which a working calendar is checked.
    """
    checked = _Plan(plan, directory)
    found = list(checked.findings())
    if isinstance(plan.get("calendar"), Mapping):
        found += calendar_findings(plan["calendar"], checked.start, checked.deadline, public)
    return found


class _Plan:
    def __init__(self, plan: Mapping[str, Any], directory: Directory | None) -> None:
        self.plan = plan
        self.directory = directory
        self.start, self.deadline = as_day(plan.get("start")), as_day(plan.get("deadline"))
        self.indicators = [(at, one) for at, one in entries(plan, "indicators") if isinstance(one, Mapping)]
        self.members: dict[str, set[str]] = {}
        for agency in directory.agencies if directory else ():
            for group in agency.groups:
                self.members.setdefault(group, set()).add(agency.id)

    def findings(self) -> Iterator[Finding]:
        yield from self._days()
        yield from duplicates([(("indicators", at, "id"), one.get("id")) for at, one in self.indicators], "indicator")
        for at, indicator in self.indicators:
            yield from self._targets(("indicators", at), indicator)
            yield from self._measure(("indicators", at, "measure"), indicator)

    def _days(self) -> Iterator[Finding]:
        if self.start and self.deadline and self.deadline < self.start:
            yield Finding(("deadline",), f"the deadline, {self.deadline}, lies before the start, {self.start}")
        force, decision = as_day(self.plan.get("in_force_from")), self.plan.get("decision")
        decided = as_day(decision.get("day")) if isinstance(decision, Mapping) else None
        if force and decided and force < decided:
            yield Finding(("in_force_from",), f"in force before it was decided, {decided}", warning=True)
        if force and self.deadline and force > self.deadline:
            yield Finding(("in_force_from",), f"in force only after the deadline, {self.deadline}", warning=True)
        name = self.plan.get("directory")
        if self.directory and isinstance(name, str) and name != self.directory.directory:
            known = self.directory.directory
            yield Finding(("directory",), f"unknown directory {name!r}", meant(name, [known]) or f"known is {known!r}")

    def _group(self, path: Path, name: Any) -> Iterator[Finding]:
        if self.directory is None or not isinstance(name, str):
            return
        if name not in self.directory.groups:
            yield Finding(path, f"unknown group {name!r}", meant(name, self.directory.groups))
        elif not self.members.get(name):
            yield Finding(path, f"no agency is in group {name!r}", warning=True)

    def _targets(self, path: Path, indicator: Mapping[str, Any]) -> Iterator[Finding]:
        targets = [(at, one) for at, one in entries(indicator, "targets") if isinstance(one, Mapping)]
        for at, group in entries(indicator, "shown_for"):
            yield from self._group((*path, "shown_for", at), group)
        for key in ("group", "agency"):
            named = [((*path, "targets", at, key), one[key]) for at, one in targets if key in one]
            yield from duplicates(named, f"target for {key}")
        for at, target in targets:
            here = (*path, "targets", at)
            yield from self._group((*here, "group"), target.get("group"))
            agency = target.get("agency")
            if self.directory and isinstance(agency, str):
                yield from unless_known(
                    (*here, "agency"), "agency", agency, {one.id for one in self.directory.agencies}
                )
            yield from self._values(here, target)
        yield from self._overlaps(path, targets)

    def _overlaps(self, path: Path, targets: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[Finding]:
        own = {target.get("agency") for _, target in targets}
        grouped = [(at, one) for at, one in targets if isinstance(one.get("group"), str)]
        for index, (at, target) in enumerate(grouped):
            for _, earlier in grouped[:index]:
                one, other = str(earlier["group"]), str(target["group"])
                both = (self.members.get(one, set()) & self.members.get(other, set())) - own
                if both and one != other and _wish(earlier) != _wish(target):
                    yield Finding(
                        (*path, "targets", at, "group"),
                        f"{some_of(both)} would have the targets of {one!r} and of {other!r}",
                        "give the agency a target of its own, or take it out of a group",
                    )

    def _values(self, path: Path, target: Mapping[str, Any]) -> Iterator[Finding]:
        goal, baseline = as_share(target.get("target")), as_share(target.get("baseline"))
        if goal is not None and baseline is not None and baseline >= goal:
            text = "the baseline already reaches the target, so the trajectory starts at 0"
            yield Finding((*path, "baseline"), text, warning=True)
            baseline = None
        trajectory = target.get("trajectory")
        if not isinstance(trajectory, Mapping):
            return
        yield from self._quarters((*path, "trajectory", "quarters"), trajectory, goal, baseline)
        last_day: date | None = None
        last_value: Fraction | None = None
        for at, point in entries(trajectory, "checkpoints"):
            if not isinstance(point, Mapping):
                continue
            here = (*path, "trajectory", "checkpoints", at)
            day, value = as_day(point.get("day")), as_share(point.get("value"))
            if day and ((self.start and day < self.start) or (self.deadline and day > self.deadline)):
                yield Finding((*here, "day"), f"{day} lies outside the plan, {self.start} to {self.deadline}")
            if day and last_day and day <= last_day:
                yield Finding((*here, "day"), f"{day} does not come after {last_day}, the checkpoint before")
            yield from _falling((*here, "value"), value, last_value, baseline)
            if value is not None and goal is not None and value > goal:
                yield Finding((*here, "value"), f"{percent(value)} exceeds the target, {percent(goal)}")
            last_day, last_value = day or last_day, value if value is not None else last_value

    def _quarters(
        self, path: Path, trajectory: Mapping[str, Any], goal: Fraction | None, baseline: Fraction | None
    ) -> Iterator[Finding]:
        last_name = ""
        last_value: Fraction | None = None
        for at, point in entries(trajectory, "quarters"):
            if not isinstance(point, Mapping):
                continue
            name, value = point.get("quarter"), as_share(point.get("value"))
            first, last = quarter_days(name)
            here = (*path, at)
            if first and last and self.start and self.deadline and (last < self.start or first > self.deadline):
                yield Finding((*here, "quarter"), f"{name} lies outside the plan, {self.start} to {self.deadline}")
            if first and last_name and str(name) <= last_name:
                yield Finding((*here, "quarter"), f"{name} does not come after {last_name}, the quarter before")
            yield from _falling((*here, "value"), value, last_value, baseline)
            if value is not None and goal is not None and value > goal:
                yield Finding((*here, "value"), f"{percent(value)} exceeds the target, {percent(goal)}")
            elif value is not None and last and self.deadline and last >= self.deadline and value != goal:
                text = f"{name} ends with the plan, so the target holds"
                yield Finding((*here, "value"), text, "write the target, or leave the quarter out", warning=True)
            last_name, last_value = str(name) if first else last_name, value if value is not None else last_value

    def _measure(self, path: Path, indicator: Mapping[str, Any]) -> Iterator[Finding]:
        measure = indicator.get("measure")
        if not isinstance(measure, Mapping):
            return
        period = measure.get("period")
        begins = as_day(period.get("start")) if isinstance(period, Mapping) else None
        if begins and self.deadline and begins > self.deadline:
            yield Finding((*path, "period", "start"), f"the period begins after the deadline, {self.deadline}")
        if measure.get("kind") == "mean":
            yield from self._mean(path, indicator, measure)
        if measure.get("kind") == "progress":
            yield from self._progress(path, indicator, measure)

    def _progress(self, path: Path, indicator: Mapping[str, Any], measure: Mapping[str, Any]) -> Iterator[Finding]:
        begins, unit = as_day(measure.get("start")), indicator.get("unit")
        if begins and self.deadline and begins > self.deadline:
            yield Finding((*path, "start"), f"what counts begins after the deadline, {self.deadline}")
        if measure.get("facts") == "budget.recorded" and isinstance(unit, Mapping) and unit.get("size", 1) == 1:
            text, hint = (
                "paces will be told in single đồng",
                "name a larger unit with its `size`, 1000000 of triệu đồng",
            )
            yield Finding((*path[:-1], "unit"), text, hint, warning=True)

    def _mean(self, path: Path, indicator: Mapping[str, Any], measure: Mapping[str, Any]) -> Iterator[Finding]:
        others = {str(one.get("id")): one for _, one in self.indicators}
        parts = [(at, one.get("indicator")) for at, one in entries(measure, "of") if isinstance(one, Mapping)]
        yield from duplicates([((*path, "of", at, "indicator"), name) for at, name in parts], "part")
        for at, name in parts:
            here = (*path, "of", at, "indicator")
            if not isinstance(name, str):
                continue
            if name == indicator.get("id"):
                yield Finding(here, "a mean cannot be part of itself")
            elif name not in others:
                yield Finding(here, f"unknown indicator {name!r}", meant(name, others))
            elif _kind(others[name]) == "mean":
                yield Finding(here, f"{name!r} is a mean itself: name its parts")
            elif missing := self._concerned(indicator) - self._concerned(others[name]):
                text = f"{name!r} does not concern {some_of(missing)}, so the mean has no figure there"
                yield Finding(here, text, "add their group to its `shown_for`")

    def _concerned(self, indicator: Mapping[str, Any]) -> set[str]:
        targets = [one for _, one in entries(indicator, "targets") if isinstance(one, Mapping)]
        groups = [one.get("group") for one in targets] + [one for _, one in entries(indicator, "shown_for")]
        own = {one["agency"] for one in targets if isinstance(one.get("agency"), str)}
        return own.union(*(self.members.get(group, set()) for group in groups if isinstance(group, str)))


def _falling(path: Path, value: Fraction | None, last: Fraction | None, baseline: Fraction | None) -> Iterator[Finding]:
    if value is None:
        return
    if last is not None and value < last:
        yield Finding(path, f"a plan cannot fall: {percent(value)} after {percent(last)}")
    elif baseline is not None and value < baseline:
        text = f"{percent(value)} lies below the baseline, {percent(baseline)}, which holds until more is planned"
        yield Finding(path, text, warning=True)


def _kind(indicator: Mapping[str, Any]) -> Any:
    measure = indicator.get("measure")
    return measure.get("kind") if isinstance(measure, Mapping) else None


def _wish(target: Mapping[str, Any]) -> tuple[Any, ...]:
    goal = as_share(target.get("target"))
    return (goal, as_share(target.get("baseline")), target.get("trajectory"))
