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


def gathered(concerned: Iterable[tuple[str | None, date, date]], judged: int = _MOST_AGENCIES) -> tuple[Range, ...]:
    """Return few ranges that cover everything *concerned*; they may cover more, each day of each agency at most twice.

    *judged* says how many agencies there are; of half of them and more, all are asked for.
    """
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
    few = _merged([(first, last, alike[first, last]) for first, last in sorted(alike)])
    if len(few) > _MOST_QUERIES:
        few = [(few[0][0], max(last for _, last, _ in few), [name for _, _, names in few for name in names])]
    ranges = [Range(first=of_all[0], last=of_all[1], agencies=None)] if of_all else []
    for start, end, agencies in few:
        named = tuple(sorted(agencies)) if len(agencies) <= _MOST_AGENCIES and 2 * len(agencies) < judged else None
        ranges.append(Range(first=start, last=end, agencies=named))
    return tuple(ranges)


_Part = tuple[date, date, list[str]]


def _merged(parts: Iterable[_Part]) -> list[_Part]:
    """Join neighbours, in order of their first days, wherever one query for both costs no more than two."""
    done: list[_Part] = []
    for part in parts:
        if done and _cost(both := _union(done[-1], part)) <= _cost(done[-1]) + _cost(part):
            done[-1] = both
        else:
            done.append(part)
    return done


def _union(one: _Part, other: _Part) -> _Part:
    return min(one[0], other[0]), max(one[1], other[1]), [*one[2], *other[2]]


def _cost(part: _Part) -> int:
    # In days of one agency, as measured at 1,000 agencies of 60 people: a query, then each agency's people, then its days.
    first, last, agencies = part
    return 4_000 + len(agencies) * (30 + (last - first).days)
