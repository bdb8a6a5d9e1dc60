"""What is computed together covers all that is concerned, and little besides."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.aggregator.core.ranges import clipped, gathered

DAY = date(2008, 1, 1)
spans = st.tuples(st.integers(0, 30), st.integers(0, 10)).map(
    lambda pair: (DAY + timedelta(days=pair[0]), DAY + timedelta(days=sum(pair)))
)
concerns = st.lists(
    st.tuples(st.sampled_from([None, "a", "b", "c", "d", "e", "f"]), spans).map(lambda p: (p[0], *p[1]))
)


@given(concerns)
def test_ranges_cover_what_is_concerned(concerned):
    """Every day of every agency concerned lies in a range for it; there are few ranges."""
    ranges = gathered(concerned)

    assert len(ranges) <= 5
    for agency, first, last in concerned:
        day = first
        while day <= last:
            assert any(
                one.first <= day <= one.last and (one.agencies is None or agency in one.agencies) for one in ranges
            )
            day += timedelta(days=1)


@given(concerns, spans)
def test_nothing_outside_the_days_asked_for(concerned, bounds):
    """Clipping leaves only days within the bounds, and no empty span."""
    for _, first, last in clipped(concerned, *bounds):
        assert bounds[0] <= first <= last <= bounds[1]


def test_of_half_of_the_agencies_all_are_asked_for():
    """Names are worth their price only while they are few."""
    named = [(f"agency{n}", DAY, DAY) for n in range(10)]

    assert [one.agencies is None for one in gathered(named, 20)] == [True]
    assert [one.agencies is None for one in gathered(named, 21)] == [False]


def test_spans_that_nearly_agree_are_computed_together():
    """Two days of many agencies are one query; a correction of one agency long ago does not widen it."""
    recent = [(f"agency{n}", DAY + timedelta(days=300 + n % 2), DAY + timedelta(days=320)) for n in range(100)]

    assert len(gathered(recent, 1000)) == 1
    assert len(gathered([*recent, ("old", DAY, DAY)], 1000)) == 2


def test_many_agencies_are_asked_for_as_all():
    """Beyond a thousand agencies a query names none."""
    (one,) = gathered([(f"agency{n}", DAY, DAY) for n in range(1001)])

    assert one.agencies is None
