"""Comparison: where an agency stands among others that the same is asked of. Exact: ratios are Fractions.

Quartiles are those of R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50,
1996, definition 7: linear between the values in order, the least and the greatest being the 0 and 100 % points. Ranks are
competition ranks: equal figures share the better rank, and the next one counts all before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Final

#: Comparable is who has at least half as many cases and at most twice as many.
_SIZE: Final = Fraction(2)
_HALF: Final = Fraction(1, 2)


class Unranked(StrEnum):
    """Why an agency has no rank."""

    NO_DATA = "no-data"
    TOO_FEW = "too-few"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An agency's figure: ratio, number of cases (None for a mean), and why it cannot be ranked, if it cannot."""

    agency: str
    ratio: Fraction | None
    cases: Fraction | None
    unranked: Unranked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an agency stands.

    ``to_median`` is its ratio less the median, in shares of 1. ``model``: the best of those as large as half to twice the
    agency, if it is better than the agency itself; who to ask how they did it.
    """

    agency: str
    ratio: Fraction | None
    cases: Fraction | None
    rank: int | None
    unranked: Unranked | None
    to_median: Fraction | None
    model: str | None
    model_ratio: Fraction | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The places of a group, the best first, those without a rank last; quartiles over the ranked ones, None if none."""

    places: tuple[Place, ...]
    ranked: int
    lower: Fraction | None
    median: Fraction | None
    upper: Fraction | None


def compare(candidates: Iterable[Candidate]) -> Comparison:
    """Rank *candidates* by ratio, the greatest first."""
    everybody = list(candidates)
    able = [one for one in everybody if one.unranked is None and one.ratio is not None]
    ratios = sorted(one.ratio for one in able if one.ratio is not None)
    median = quantile(ratios, _HALF)
    places = [_place(one, able, ratios, median) for one in everybody]
    return Comparison(
        places=tuple(sorted(places, key=lambda place: (place.rank is None, place.rank or 0, place.agency))),
        ranked=len(able),
        lower=quantile(ratios, Fraction(1, 4)),
        median=median,
        upper=quantile(ratios, Fraction(3, 4)),
    )


def quantile(ordered: Sequence[Fraction], share: Fraction) -> Fraction | None:
    """Return the value below which *share* of the ascending *ordered* lie; None of nothing."""
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    below = at.numerator // at.denominator
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (at - below)


def _place(one: Candidate, able: Sequence[Candidate], ratios: Sequence[Fraction], median: Fraction | None) -> Place:
    ranked = one.unranked is None and one.ratio is not None
    better = sum(ratio > one.ratio for ratio in ratios) if ranked and one.ratio is not None else 0
    model = _model(one, able)
    return Place(
        agency=one.agency,
        ratio=one.ratio,
        cases=one.cases,
        rank=better + 1 if ranked else None,
        unranked=one.unranked if one.ratio is not None else one.unranked or Unranked.NO_DATA,
        to_median=one.ratio - median if ranked and one.ratio is not None and median is not None else None,
        model=model.agency if model else None,
        model_ratio=model.ratio if model else None,
    )


def _model(one: Candidate, able: Sequence[Candidate]) -> Candidate | None:
    own = one.ratio if one.ratio is not None else Fraction(-1)
    alike = [other for other in able if other.ratio is not None and other.ratio > own and _comparable(one, other)]
    return min(alike, key=lambda other: (-(other.ratio or 0), other.agency), default=None)


def _comparable(one: Candidate, other: Candidate) -> bool:
    if one.cases is None or other.cases is None:
        return one.cases is None and other.cases is None
    return one.cases <= other.cases * _SIZE and other.cases <= one.cases * _SIZE
