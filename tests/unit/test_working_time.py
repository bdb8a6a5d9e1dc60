"""Plans that ask for progress on working days only."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from math import floor

from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import LinearTrajectory, WorkingCalendar
from services.core.calendar import is_working_day
from services.core.schedule.earned import earned
from services.core.schedule.trajectory import Curve, curve_of
from services.core.working_time import WorkingTime, working_time

FRIDAY = date(2008, 2, 1)  # Tết of 2008 fell on Thursday, 7 February
TET = tuple(date(2008, 2, day) for day in range(6, 12))
END = date(2008, 2, 29)
moments = st.fractions(0, 40, max_denominator=12)


def calendar(*, holidays: tuple[date, ...] = TET, working_on: tuple[date, ...] = ()) -> WorkingCalendar:
    return WorkingCalendar(accrual="working-days", holidays=holidays, working_on=working_on)


def curve(days: WorkingCalendar) -> Curve:
    time = working_time(days, start=FRIDAY, deadline=END)
    return curve_of(LinearTrajectory(), start=FRIDAY, deadline=END, baseline=None, target=Fraction(16, 100), time=time)


def test_the_plan_stands_still_over_the_weekend_and_tet() -> None:
    """Sixteen working days, one point each: nothing on 2 and 3 February, nothing from 6 to 11."""
    planned = curve(calendar())

    assert [planned.planned_at(FRIDAY + timedelta(days=step)) * 100 for step in range(12)] == [
        0, 0, 0, 1, 2, 2, 2, 2, 2, 2, 2, 3,
    ]  # fmt: skip
    assert planned.planned_at(END) == Fraction(16, 100)


def test_a_saturday_worked_in_exchange_counts() -> None:
    """With 2 February worked the plan rises on it, a little less each day."""
    planned = curve(calendar(working_on=(date(2008, 2, 2),)))

    assert planned.planned_at(date(2008, 2, 2)) == Fraction(16, 100) / 17


def test_days_behind_are_calendar_days() -> None:
    """Whoever reached Tuesday's share before Tết is on plan all through it, and one day behind on the day after."""
    planned, held = curve(calendar()), Fraction(2, 100)

    assert earned(planned, actual=held, day=date(2008, 2, 5)).days_behind == 0
    assert earned(planned, actual=held, day=date(2008, 2, 11)).days_behind <= 0
    assert earned(planned, actual=held, day=date(2008, 2, 12)).days_behind == 1
    assert earned(planned, actual=Fraction(1, 100), day=date(2008, 2, 11)).days_behind == 7


def test_a_plan_without_a_working_day_asks_for_all_at_its_deadline() -> None:
    """A plan that lies within Tết plans nothing before its deadline."""
    time = working_time(calendar(), start=TET[0], deadline=TET[-1])
    planned = curve_of(
        LinearTrajectory(), start=TET[0], deadline=TET[-1], baseline=None, target=Fraction(1, 2), time=time
    )

    assert [planned.planned_at(day) for day in (TET[0], TET[-2], TET[-1])] == [0, 0, Fraction(1, 2)]
    assert earned(planned, actual=Fraction(1, 4), day=TET[-1]).days_behind == 0


def test_calendar_days_have_no_working_time() -> None:
    """A plan that says nothing accrues on every day."""
    assert working_time(WorkingCalendar(holidays=TET), start=FRIDAY, deadline=END) is None


@given(
    days=st.sets(st.integers(0, 40)),
    worked=st.sets(st.integers(0, 40), max_size=5),
    at=moments,
    share=st.fractions(0, 1, max_denominator=20),
)
def test_working_time_and_its_inverse(days: set[int], worked: set[int], at: Fraction, share: Fraction) -> None:
    """It never runs back, counts the working days passed, and its inverses are the ends of the span that has that time."""
    holidays = tuple(FRIDAY + timedelta(days=day) for day in days)
    exchanged = tuple(FRIDAY + timedelta(days=day) for day in worked)
    span = 40
    time = WorkingTime(FRIDAY, FRIDAY + timedelta(days=span), calendar(holidays=holidays, working_on=exchanged))
    passed = sum(
        (day := FRIDAY + timedelta(days=x)) in exchanged or is_working_day(day, holidays)
        for x in range(1, floor(at) + 1)
    )

    assert passed <= time.at(at) <= passed + 1
    assert time.at(Fraction(floor(at))) == passed == time.day_at(floor(at))
    u = share * time.total
    assert time.at(time.first(u)) == u == time.at(time.last(u))
    assert 0 <= time.first(u) <= time.last(u) <= span
    assert time.first(time.at(at)) <= at <= time.last(time.at(at))
