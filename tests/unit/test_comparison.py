"""Ranks, quartiles and models among agencies of which the same is asked."""

from __future__ import annotations

import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.comparison import Candidate, Unranked, compare, quantile

shares = st.fractions(0, 1, max_denominator=50)


def office(agency: str, percent: int | None, cases: int | None = 100, unranked: Unranked | None = None) -> Candidate:
    return Candidate(
        agency=agency,
        ratio=None if percent is None else Fraction(percent, 100),
        cases=None if cases is None else Fraction(cases),
        unranked=unranked,
    )


def test_equal_figures_share_a_rank():
    """50, 40, 40 and 10 % are first, twice second, fourth; who has no figure is last and has none."""
    found = compare([office("d", 10), office("c", 40), office("none", None), office("b", 40), office("a", 50)])

    assert [(one.agency, one.rank) for one in found.places] == [
        ("a", 1), ("b", 2), ("c", 2), ("d", 4), ("none", None),
    ]  # fmt: skip
    assert (found.ranked, found.median, found.places[-1].unranked) == (4, Fraction(2, 5), Unranked.NO_DATA)
    assert found.places[0].to_median == Fraction(1, 10)


def test_the_model_is_of_like_size_and_better():
    """Who has 100 cases learns from the best with 50 to 200, not from one with 20, and the best from nobody."""
    found = compare([office("small", 90, 20), office("like", 60, 200), office("me", 30, 100), office("worse", 20, 100)])
    models = {one.agency: one.model for one in found.places}

    assert models == {"small": None, "like": None, "me": "like", "worse": "like"}


@pytest.mark.parametrize("why", [Unranked.SILENT, Unranked.TOO_FEW])
def test_who_cannot_be_ranked_is_shown_and_moves_nobody(why):
    """A silent feed's old figure and a figure of three cases are shown; ranks, quartiles and models leave them out."""
    found = compare([office("a", 50), office("odd", 100, unranked=why), office("b", 30)])

    assert [(one.agency, one.rank, one.unranked) for one in found.places] == [
        ("a", 1, None), ("b", 2, None), ("odd", None, why),
    ]  # fmt: skip
    assert found.median == Fraction(2, 5)
    assert found.places[1].model == "a"


def test_nobody_to_compare():
    """Without any figure there is no median, and no rank."""
    found = compare([office("a", None), office("b", None)])

    assert (found.ranked, found.lower, found.median, found.upper) == (0, None, None, None)
    assert [one.rank for one in found.places] == [None, None]


@given(st.lists(shares, min_size=2))
def test_quartiles_are_those_of_the_standard_library(values):
    """Python's inclusive method is definition 7 too."""
    ordered = sorted(values)
    wanted = statistics.quantiles(ordered, n=4, method="inclusive")

    assert [quantile(ordered, Fraction(n, 4)) for n in (1, 2, 3)] == wanted


@given(st.lists(st.tuples(shares, st.integers(1, 9)), min_size=1), st.randoms(use_true_random=False))
def test_order_does_not_matter_and_ranks_count_the_better(values, chance):
    """Any order gives the same places; a rank is one more than the number of better figures."""
    offices = [
        Candidate(agency=f"a{n}", ratio=ratio, cases=Fraction(cases), unranked=None)
        for n, (ratio, cases) in enumerate(values)
    ]
    found = compare(offices)
    shuffled = list(offices)
    chance.shuffle(shuffled)

    assert compare(shuffled) == found
    for one in found.places:
        assert one.rank == 1 + sum(other.ratio > one.ratio for other in offices)
        assert one.model is None or one.model_ratio > one.ratio
