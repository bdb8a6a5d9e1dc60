"""Planned value and its inverse, against the design's worked check and for all plans."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plan import (
    Checkpoint,
    LinearTrajectory,
    PointsTrajectory,
    QuartersTrajectory,
    QuarterValue,
    SCurveTrajectory,
    StepsTrajectory,
    Trajectory,
    WorkingCalendar,
)
from services.core.schedule.earned import earned
from services.core.schedule.trajectory import Curve, curve_of, planned_at
from services.core.working_time import WorkingTime

START = date(2008, 1, 1)
DEADLINE = date(2008, 12, 31)
EVERY_DAY = tuple(START + timedelta(days=day) for day in range(-3, 404))
PERCENT = [Fraction(n, 100) for n in range(101)]
STEPS = StepsTrajectory(
    kind="steps",
    checkpoints=(
        Checkpoint(day=date(2008, 7, 1), value=Fraction(20, 100)),
        Checkpoint(day=date(2008, 12, 1), value=Fraction(40, 100)),
    ),
)

shares = st.sampled_from(PERCENT)
spans = st.integers(0, 400)
QUARTERS = ["2007-Q4", "2008-Q1", "2008-Q2", "2008-Q3", "2008-Q4", "2009-Q1"]
some_days = st.lists(st.integers(-3, 403).map(lambda day: START + timedelta(days=day)), max_size=12).map(tuple)
calendars = st.builds(
    WorkingCalendar, accrual=st.just("working-days"), holidays=some_days | st.just(EVERY_DAY), working_on=some_days
)


@st.composite
def trajectories(draw: st.DrawFn, span: int, target: Fraction) -> Trajectory:
    kind = draw(st.sampled_from(["linear", "s-curve", "points", "steps", "quarters"]))
    if kind == "linear":
        return LinearTrajectory()
    if kind == "s-curve":
        return SCurveTrajectory(kind="s-curve")
    if kind == "quarters":
        names = draw(st.lists(st.sampled_from(QUARTERS), min_size=1, max_size=5, unique=True))
        rising = sorted(draw(st.lists(shares, min_size=len(names), max_size=len(names))))
        return QuartersTrajectory(
            kind="quarters",
            quarters=tuple(
                QuarterValue(quarter=name, value=min(value, target))
                for name, value in zip(sorted(names), rising, strict=True)
            ),
        )
    days = sorted(draw(st.sets(st.integers(-5, span + 5), min_size=1, max_size=5)))
    values = sorted(draw(st.lists(shares, min_size=len(days), max_size=len(days))))
    points = tuple(
        Checkpoint(day=START + timedelta(days=day), value=min(value, target))
        for day, value in zip(days, values, strict=True)
    )
    if kind == "points":
        return PointsTrajectory(kind="points", checkpoints=points)
    return StepsTrajectory(kind="steps", checkpoints=points)


@st.composite
def curves(draw: st.DrawFn, *, baselines: st.SearchStrategy[Fraction | None] = st.none() | shares) -> Curve:
    span, target = draw(spans), draw(shares)
    deadline = START + timedelta(days=span)
    return curve_of(
        draw(trajectories(span, target)),
        start=START,
        deadline=deadline,
        baseline=draw(baselines),
        target=target,
        time=draw(st.none() | st.builds(WorkingTime, st.just(START), st.just(deadline), calendars)),
    )


def linear(baseline: Fraction | None, target: Fraction) -> Curve:
    return curve_of(LinearTrajectory(), start=START, deadline=DEADLINE, baseline=baseline, target=target)


def test_worked_check_of_a_line() -> None:
    """10 % on 1 January 2008, 50 % on 31 December, 20 % on 1 July: 91.25 days earned of 182, SPI(t) 0.50, 90.75 behind."""
    standing = earned(linear(Fraction(10, 100), Fraction(1, 2)), actual=Fraction(20, 100), day=date(2008, 7, 1))

    assert standing.schedule == Fraction(9125, 100)
    assert standing.days_behind == Fraction(9075, 100)
    assert round(standing.days_behind) == 91
    assert standing.spi == Fraction(9125, 18200)
    assert round(standing.spi, 2) == Fraction(1, 2)
    assert not standing.at_least


@pytest.mark.parametrize(
    ("actual", "behind"),
    [
        pytest.param(20, 0, id="exactly on plan"),
        pytest.param(22, 0, id="above the step, below the next"),
        pytest.param(15, 91, id="below the step: late since 1 July"),
        pytest.param(40, -92, id="target reached: earned up to the deadline"),
    ],
)
def test_worked_check_of_steps(actual: int, behind: int) -> None:
    """With steps of 20 % in July and 40 % in December, 20 % and 22 % on 30 September are exactly on plan."""
    curve = curve_of(STEPS, start=START, deadline=DEADLINE, baseline=None, target=Fraction(40, 100))

    assert earned(curve, actual=Fraction(actual, 100), day=date(2008, 9, 30)).days_behind == behind


def test_below_the_baseline_the_lag_is_at_least_the_time_elapsed() -> None:
    """Less than the baseline earns nothing, and the lag is said to be at least t − s."""
    standing = earned(linear(Fraction(10, 100), Fraction(1, 2)), actual=Fraction(5, 100), day=date(2008, 7, 1))

    assert (standing.schedule, standing.days_behind, standing.at_least) == (0, 182, True)


def test_spi_is_null_on_the_first_day() -> None:
    """On the plan's first day nothing has elapsed, so there is no ratio of days."""
    assert earned(linear(None, Fraction(1, 2)), actual=Fraction(0), day=START).spi is None


def test_a_day_before_the_start_cannot_be_earned() -> None:
    """Asking what a day before the plan has earned is a fault of the caller."""
    with pytest.raises(ValueError, match="before the plan's start"):
        earned(linear(None, Fraction(1, 2)), actual=Fraction(0), day=START - timedelta(days=1))


def test_reached_after_the_deadline_is_not_late() -> None:
    """A ≥ target gives the deadline, and days behind are then never positive."""
    standing = earned(linear(None, Fraction(1, 2)), actual=Fraction(1, 2), day=date(2009, 3, 1))

    assert (standing.days_behind, standing.spi) == (0, 1)


def test_a_baseline_at_the_target_starts_the_curve_at_nothing() -> None:
    """A baseline at or above the target is for display: the trajectory starts at 0."""
    assert linear(Fraction(60, 100), Fraction(1, 2)).planned_at(START) == 0


@pytest.mark.parametrize(
    ("trajectory", "day", "planned"),
    [
        pytest.param(LinearTrajectory(), date(2007, 12, 1), Fraction(10, 100), id="before the start: the baseline"),
        pytest.param(LinearTrajectory(), date(2009, 2, 1), Fraction(50, 100), id="after the deadline: the target"),
        pytest.param(
            QuartersTrajectory(kind="quarters", quarters=(QuarterValue(quarter="2008-Q2", value=Fraction(20, 100)),)),
            date(2008, 6, 30),
            Fraction(20, 100),
            id="the end of a quarter",
        ),
        pytest.param(
            QuartersTrajectory(kind="quarters", quarters=(QuarterValue(quarter="2008-Q3", value=Fraction(20, 100)),)),
            date(2008, 12, 31),
            Fraction(1, 2),
            id="the deadline, whatever the quarters say",
        ),
        pytest.param(
            SCurveTrajectory(kind="s-curve"), START + timedelta(days=73), Fraction(1416, 10000), id="s at 1/5"
        ),
        pytest.param(STEPS, date(2008, 6, 30), Fraction(10, 100), id="the eve of a step"),
        pytest.param(STEPS, date(2008, 7, 1), Fraction(20, 100), id="the day of a step"),
        pytest.param(STEPS, date(2008, 12, 31), Fraction(50, 100), id="the last step gives way to the target"),
        pytest.param(
            PointsTrajectory(kind="points", checkpoints=(Checkpoint(day=date(2008, 7, 1), value=Fraction(20, 100)),)),
            date(2008, 4, 1),
            Fraction(15, 100),
            id="half-way to a point",
        ),
    ],
)
def test_planned_values(trajectory: Trajectory, day: date, planned: Fraction) -> None:
    """Each kind of trajectory gives the share that its definition says."""
    value = planned_at(
        trajectory, start=START, deadline=DEADLINE, baseline=Fraction(10, 100), target=Fraction(1, 2), day=day
    )

    assert value == planned


@given(curves(), st.integers(-10, 420), st.integers(0, 50))
def test_a_plan_never_falls(curve: Curve, day: int, later: int) -> None:
    """The planned value is monotone, whatever the checkpoints say."""
    assert curve.value_at(day) <= curve.value_at(day + later)


@given(curves(), shares)
def test_first_above_is_the_border(curve: Curve, value: Fraction) -> None:
    """Before `first_above` nothing exceeds the value, after it everything does."""
    border = curve.first_above(value)

    for day in range(curve.span + 1):
        assert (curve.value_at(day) > value) == (
            border is not None and (day > border or (day == border and curve.value_at(border) > value))
        )


@given(curves(), shares)
def test_first_reaching_is_the_border(curve: Curve, value: Fraction) -> None:
    """From `first_reaching` on the value is reached, before it is not."""
    border = curve.first_reaching(value)

    for day in range(curve.span + 1):
        assert (curve.value_at(day) >= value) == (border is not None and day >= border)


@given(curves(), spans)
def test_the_inverse_of_a_planned_value_does_not_come_after_its_day(curve: Curve, day: int) -> None:
    """PV(t) is first reached by t at the latest, first exceeded at t at the earliest, and is itself a planned value."""
    value = curve.value_at(min(day, curve.span))
    reached, above = curve.first_reaching(value), curve.first_above(value)

    assert reached is not None
    assert reached <= min(day, curve.span)
    assert above is None or above >= min(day, curve.span)
    assert curve.greatest_up_to(value) == value


@given(curves(), shares, shares, spans)
def test_more_adoption_never_increases_days_behind(curve: Curve, a: Fraction, b: Fraction, day: int) -> None:
    """Whoever has more is not further behind."""
    at = START + timedelta(days=day)
    less, more = sorted([a, b])

    assert earned(curve, actual=more, day=at).days_behind <= earned(curve, actual=less, day=at).days_behind


@given(
    shares,
    shares,
    spans,
    st.sampled_from([LinearTrajectory(), SCurveTrajectory(kind="s-curve")]),
    spans,
    shares,
    st.none() | calendars,
)
def test_a_steeper_plan_never_decreases_days_behind(
    one: Fraction,
    other: Fraction,
    span: int,
    trajectory: Trajectory,
    day: int,
    actual: Fraction,
    calendar: WorkingCalendar | None,
) -> None:
    """A higher target over the same time, or the same working days, leaves nobody less behind, or more ahead."""
    deadline = START + timedelta(days=span)
    time = WorkingTime(START, deadline, calendar) if calendar else None
    low, high = (
        curve_of(trajectory, start=START, deadline=deadline, baseline=None, target=target, time=time)
        for target in sorted([one, other])
    )
    at = START + timedelta(days=day)

    assert earned(high, actual=actual, day=at).days_behind >= earned(low, actual=actual, day=at).days_behind


@given(st.data(), spans, shares, spans, shares, st.none() | calendars)
def test_higher_checkpoints_never_make_anybody_less_late(
    data: st.DataObject, span: int, target: Fraction, day: int, actual: Fraction, calendar: WorkingCalendar | None
) -> None:
    """Raising checkpoints never lowers the lag of an agency that is behind, steps and working days included."""
    time = WorkingTime(START, START + timedelta(days=span), calendar) if calendar else None
    days = data.draw(st.lists(st.integers(0, span), min_size=1, max_size=4, unique=True))
    low = data.draw(st.lists(shares, min_size=len(days), max_size=len(days)))
    raised = data.draw(st.lists(shares, min_size=len(days), max_size=len(days)))
    kind = data.draw(st.sampled_from([("steps", StepsTrajectory), ("points", PointsTrajectory)]))
    at = START + timedelta(days=day)

    def lag(values: list[Fraction]) -> Fraction:
        points = tuple(
            Checkpoint(day=START + timedelta(days=one), value=value) for one, value in zip(days, values, strict=True)
        )
        trajectory = kind[1](kind=kind[0], checkpoints=points)
        curve = curve_of(
            trajectory, start=START, deadline=START + timedelta(days=span), baseline=None, target=target, time=time
        )
        return max(Fraction(0), earned(curve, actual=actual, day=at).days_behind)

    assert lag([max(a, b) for a, b in zip(low, raised, strict=True)]) >= lag(low)


@given(st.data(), spans, shares, st.none() | shares, st.none() | calendars)
def test_quarters_are_points_on_the_last_days_of_quarters(
    data: st.DataObject, span: int, target: Fraction, baseline: Fraction | None, calendar: WorkingCalendar | None
) -> None:
    """So what holds for plans by points holds for plans by quarters."""
    names = data.draw(st.lists(st.sampled_from(QUARTERS), min_size=1, max_size=5, unique=True))
    values = data.draw(st.lists(shares, min_size=len(names), max_size=len(names)))
    quarters = tuple(QuarterValue(quarter=name, value=value) for name, value in zip(names, values, strict=True))
    ends = {"2007-Q4": "2007-12-31", "2008-Q1": "2008-03-31", "2008-Q2": "2008-06-30", "2008-Q3": "2008-09-30"}
    ends |= {"2008-Q4": "2008-12-31", "2009-Q1": "2009-03-31"}
    points = tuple(
        Checkpoint(day=date.fromisoformat(ends[name]), value=value) for name, value in zip(names, values, strict=True)
    )
    deadline = START + timedelta(days=span)
    time = WorkingTime(START, deadline, calendar) if calendar else None
    by_quarter, by_point = (
        curve_of(one, start=START, deadline=deadline, baseline=baseline, target=target, time=time)
        for one in (
            QuartersTrajectory(kind="quarters", quarters=quarters),
            PointsTrajectory(kind="points", checkpoints=points),
        )
    )

    assert by_quarter == by_point


@given(st.data(), st.integers(1, 200), shares, shares, st.integers(1, 5), st.integers(0, 250))
def test_scaling_time_scales_days(
    data: st.DataObject, span: int, target: Fraction, actual: Fraction, factor: int, day: int
) -> None:
    """A plan that takes k times as long puts the same figure k times as many days behind, k times as late."""
    days = sorted(data.draw(st.sets(st.integers(0, span), min_size=1, max_size=4)))
    values = sorted(data.draw(st.lists(shares, min_size=len(days), max_size=len(days))))
    kind = data.draw(st.sampled_from(["linear", "s-curve", "points", "steps"]))

    def lag(k: int) -> Fraction:
        points = tuple(
            Checkpoint(day=START + timedelta(days=one * k), value=value)
            for one, value in zip(days, values, strict=True)
        )
        trajectory: Trajectory
        match kind:
            case "linear":
                trajectory = LinearTrajectory()
            case "s-curve":
                trajectory = SCurveTrajectory(kind="s-curve")
            case "points":
                trajectory = PointsTrajectory(kind="points", checkpoints=points)
            case _:
                trajectory = StepsTrajectory(kind="steps", checkpoints=points)
        curve = curve_of(
            trajectory, start=START, deadline=START + timedelta(days=span * k), baseline=None, target=target
        )
        return earned(curve, actual=actual, day=START + timedelta(days=day * k)).days_behind

    assert lag(factor) == factor * lag(1)
