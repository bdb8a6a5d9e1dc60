"""Who is meant: selectors resolved against a directory, and whose figure a member agency counts for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from schemas.directory import Agency, Directory, Selector
from schemas.plan import Indicator, Target

FIRST_DAY: Final = date(1900, 1, 1)
LAST_DAY: Final = date(2299, 12, 31)  # "goes on": the greatest day that the database's type holds
LEADERSHIP: Final = "leadership"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Member agency *agency* counts for the figure of *judged*, while it exists (both days included)."""

    agency: str
    judged: str
    from_day: date
    to_day: date


def children_of(directory: Directory) -> dict[str, list[str]]:
    """Return parent → children."""
    children: dict[str, list[str]] = {}
    for agency in directory.agencies:
        if agency.parent is not None:
            children.setdefault(agency.parent, []).append(agency.id)
    return children


def with_descendants(directory: Directory, roots: Iterable[str]) -> frozenset[str]:
    """Return *roots* with everything below them."""
    children = children_of(directory)
    found: set[str] = set()
    waiting = list(roots)
    while waiting:
        agency = waiting.pop()
        if agency not in found:
            found.add(agency)
            waiting.extend(children.get(agency, ()))
    return frozenset(found)


def selected(directory: Directory, selector: Selector) -> frozenset[str]:
    """Return the agencies that *selector* means: all, members of its groups, its single agencies with their descendants."""
    if selector.all:
        return frozenset(agency.id for agency in directory.agencies)
    grouped = {agency.id for agency in directory.agencies if set(agency.groups) & set(selector.groups)}
    return frozenset(grouped) | with_descendants(directory, selector.agencies)


def means(directory: Directory, agency: str) -> Callable[[Selector], bool]:
    """Return the question whether a selector means *agency*: what :func:`selected` answers, without asking about all others."""
    known = {one.id: one for one in directory.agencies}
    line: list[str] = []
    above: str | None = agency
    while above is not None and above not in line:
        line.append(above)
        above = known[above].parent if above in known else None
    groups = set(known[agency].groups) if agency in known else set()

    def question(selector: Selector) -> bool:
        if selector.all:
            return agency in known
        return not groups.isdisjoint(selector.groups) or any(one in selector.agencies for one in line)

    return question


def targets_of(directory: Directory, indicator: Indicator) -> dict[str, Target | None]:
    """Return agency → its target for every agency that *indicator* concerns; None where it is shown without one.

    An agency's own target wins over its group's; of several groups the one named first in the plan wins (the check of a
    plan reports such overlaps).
    """
    result: dict[str, Target | None] = {}
    shown = set(indicator.shown_for)
    for agency in directory.agencies:
        own = next((target for target in indicator.targets if target.agency == agency.id), None)
        grouped = next((target for target in indicator.targets if target.group in agency.groups), None)
        target = own or grouped
        if target is not None or shown & set(agency.groups):
            result[agency.id] = target
    return result


def life_of(agency: Agency) -> tuple[date, date]:
    """Return the first and the last day on which *agency* exists."""
    return agency.from_ or FIRST_DAY, agency.to or LAST_DAY


def scopes_of(directory: Directory, judged: Iterable[str]) -> tuple[Scope, ...]:
    """Return whose figure each agency counts for: its own where judged, else that of its nearest judged ancestor.

    Agencies with no judged ancestor are left out. A cycle of parents ends the climb.
    """
    concerned = frozenset(judged)
    parents: Mapping[str, str | None] = {agency.id: agency.parent for agency in directory.agencies}
    scopes: list[Scope] = []
    for agency in directory.agencies:
        at: str | None = agency.id
        seen: set[str] = set()
        while at is not None and at not in concerned and at not in seen:
            seen.add(at)
            at = parents.get(at)
        if at is not None and at in concerned:
            first, last = life_of(agency)
            scopes.append(Scope(agency=agency.id, judged=at, from_day=first, to_day=last))
    return tuple(scopes)
