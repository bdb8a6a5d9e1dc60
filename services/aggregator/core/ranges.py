"""Which agencies and days to compute together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

_MOST_QUERIES: Final = 4
_MOST_AGENCIES: Final = 1000  # named in one query; beyond, all are asked for


@dataclass(frozen=True, kw_only=True)
class Range:
    """Days, both included, for the agencies named; for all of them where None."""

    first: date
    last: date
    agencies: tuple[str, ...] | None


def clipped(
    concerned: Iterable[tuple[str | None, date, date]], first: date, last: date
) -> list[tuple[str | None, date, date]]:
    """Return the parts of *concerned* (agency or None for all, from, to) that lie in *first* … *last*."""
    found = ((agency, max(start, first), min(end, last)) for agency, start, end in concerned)
    return [part for part in found if part[1] <= part[2]]


def gathered(concerned: Iterable[tuple[str | None, date, date]]) -> tuple[Range, ...]:
    """Return few ranges that cover everything *concerned*; they may cover more, each day of each agency at most twice."""
    of_all: tuple[date, date] | None = None
    spans: dict[str, tuple[date, date]] = {}
    for agency, start, end in concerned:
        if agency is None:
            of_all = (min(of_all[0], start), max(of_all[1], end)) if of_all else (start, end)
        else:
            known = spans.get(agency, (start, end))
            spans[agency] = (min(known[0], start), max(known[1], end))
    alike: dict[tuple[date, date], list[str]] = {}
    for agency, span in spans.items():
        if of_all is None or span[0] < of_all[0] or span[1] > of_all[1]:
            alike.setdefault(span, []).append(agency)
    if len(alike) > _MOST_QUERIES:
        whole = (min(start for start, _ in alike), max(end for _, end in alike))
        alike = {whole: [agency for agencies in alike.values() for agency in agencies]}
    ranges = [Range(first=of_all[0], last=of_all[1], agencies=None)] if of_all else []
    for (start, end), agencies in sorted(alike.items()):
        named = tuple(sorted(agencies)) if len(agencies) <= _MOST_AGENCIES else None
        ranges.append(Range(first=start, last=end, agencies=named))
    return tuple(ranges)
