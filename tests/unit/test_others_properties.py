"""What holds for us beside any course of others."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.plan import PointsTrajectory
from services.core.others import Ours, Outcome, against
from services.core.others_course import Kind, Published, lead, value_on
from services.core.schedule.earned import earned
from services.core.schedule.trajectory import curve_of

shares = st.fractions(0, 1, max_denominator=50)


def figure(day: date, ratio: Fraction) -> Published:
    return Published(indicator="i", who="x", kind=Kind.OTHER, day=day, ratio=ratio, source="s")


def courses(start: date = date(2007, 1, 1)) -> st.SearchStrategy[list[Published]]:
    days = st.integers(0, 400).map(lambda n: start + timedelta(days=n))
    return st.dictionaries(days, shares, min_size=1, max_size=12).map(
        lambda found: [figure(day, ratio) for day, ratio in found.items()]
    )


@given(courses(), st.data())
def test_beside_ones_own_course_one_is_level_with_no_days(course, data):
    """Whatever the course, up or down: on each day of it, the value of the day is level, 0 days off."""
    first, last = min(one.day for one in course), max(one.day for one in course)
    day = first + timedelta(days=data.draw(st.integers(0, (last - first).days)))
    own = value_on(course, day, last).ratio

    assert lead(course, own, day, last).days == 0


@given(courses(), st.data())
def test_beside_ones_own_course_of_another_year_too(course, data):
    """A course repeated a year later to the day is level with the year before, without any margin."""
    year = [replace(one, kind=Kind.LAST_YEAR) for one in course if one.day.year == 2007]
    assume(year)
    day = data.draw(st.sampled_from([one.day for one in year]))
    own = value_on(year, day, day).ratio
    found = against(Ours(ratio=own, low=own, high=own), year, day.replace(year=2008), margin=Fraction(0)).besides[0]

    assert (found.judged.outcome, found.lead.days, found.gap) == (Outcome.LEVEL, 0, 0)


@given(courses(), shares, st.integers(0, 500))
def test_days_and_difference_have_the_same_sign(course, ratio, offset):
    """Whoever has more is never behind in days, whoever has less never ahead."""
    day, until = date(2007, 1, 1) + timedelta(days=offset), date(2009, 1, 1)
    value, found = value_on(course, day, until), lead(course, ratio, day, until)
    assume(value is not None and found is not None)

    assert (found.days > 0) == (ratio > value.ratio)
    assert (found.days < 0) == (ratio < value.ratio)


@given(courses(), shares, shares, st.integers(0, 400))
def test_more_is_never_fewer_days_ahead(course, one, other, offset):
    """Days follow the figure, where the course holds both."""
    day, until = date(2007, 1, 1) + timedelta(days=offset), date(2009, 1, 1)
    less, more = sorted((one, other))
    found = [lead(course, ratio, day, until) for ratio in (less, more)]
    assume(all(one is not None for one in found))

    assert found[0].days <= found[1].days


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.data())
def test_on_a_rising_course_the_days_are_those_of_earned_schedule(steps, data):
    """A course that rises from 0 is a plan by points; days ahead are days behind with the sign turned."""
    start, values = date(2008, 1, 1), [Fraction(0)]
    for _ in steps:
        values.append(values[-1] + Fraction(1, data.draw(st.integers(10, 60))))
    days = [start + timedelta(days=sum(steps[:n])) for n in range(len(values))]
    course = [figure(day, value) for day, value in zip(days, values, strict=True)]
    curve = curve_of(
        PointsTrajectory.model_validate(
            {
                "kind": "points",
                "checkpoints": [{"day": d, "value": v} for d, v in list(zip(days, values, strict=True))[1:]],
            }
        ),
        start=start,
        deadline=days[-1],
        baseline=None,
        target=values[-1],
    )
    day = start + timedelta(days=data.draw(st.integers(0, (days[-1] - start).days)))
    actual = values[-1] * data.draw(shares.filter(lambda share: share < 1))

    assert lead(course, actual, day, days[-1]).days == -earned(curve, actual=actual, day=day).days_behind


@given(courses(), st.tuples(shares, shares, shares).map(sorted), shares)
def test_a_verdict_lies_between_those_at_the_bounds(course, bounds, margin):
    """Behind at the upper bound is behind in any case; what cannot be told is behind at one end and ahead at the other."""
    low, ratio, high = bounds
    day = max(one.day for one in course)
    judged = against(Ours(ratio=ratio, low=low, high=high), course, day, margin=margin).besides[0].judged
    order = [Outcome.BEHIND, Outcome.LEVEL, Outcome.AHEAD]

    if judged.outcome is Outcome.UNKNOWN:
        assert (judged.at_low, judged.at_high) == (Outcome.BEHIND, Outcome.AHEAD)
    else:
        assert order.index(judged.at_low) <= order.index(judged.outcome) <= order.index(judged.at_high)
