"""The vectorised path is held to the scalar one, which is the definition."""

import math
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.plan import LinearTrajectory
from services.core.schedule.coverage import Coverage, FeedState
from services.core.schedule.curves_many import Curves
from services.core.schedule.pace import LONG, WINDOW, Pace, paces_of_windows, recent_paces
from services.core.schedule.standing import NO_FIGURE, Case, Figure, Standing, figure_of, judge
from services.core.schedule.standing_many import NEVER, VERDICTS, Cells, Standings, judge_many
from services.core.schedule.trajectory import Curve, curve_of
from tests.unit.test_standing_trajectory import PERCENT, START, shares, spans, trajectories

CASE = Case(plan="p", revision=1, indicator="i", agency="a")
slopes = st.sampled_from([0.0, 1e-13, -0.001, 0.001, 0.002, 0.01, 1 / 3, 1e-6]) | st.floats(-0.01, 0.05)


@st.composite
def plans(draw: st.DrawFn) -> list[Curve]:
    """Curves of one plan: agencies with targets, baselines and trajectories of their own."""
    span = draw(spans)
    found = []
    for _ in range(draw(st.integers(1, 4))):
        target = draw(shares)
        found.append(
            curve_of(
                draw(trajectories(span, target)),
                start=START,
                deadline=START + timedelta(days=span),
                baseline=draw(st.none() | shares),
                target=target,
            )
        )
    return found


@st.composite
def figures(draw: st.DrawFn, curve: Curve, day: int) -> Figure:
    """Any share, and shares that the plan itself names, where the ties are."""
    kind = draw(st.sampled_from(["none", "any", "percent", "planned", "few"]))
    if kind == "none":
        return NO_FIGURE
    if kind == "planned":
        nudge = draw(st.sampled_from([Fraction(0), Fraction(1, 10**12), Fraction(-1, 10**12)]))
        ratio = max(Fraction(0), curve.value_at(draw(st.integers(day - 30, day + 30))) + nudge)
        return Figure(numerator=None, denominator=None, ratio=ratio, measured_share=1.0, too_few=False)
    if kind == "percent":
        ratio = draw(st.sampled_from(PERCENT))
        return Figure(numerator=None, denominator=None, ratio=ratio, measured_share=1.0, too_few=False)
    of = draw(st.integers(1, 9 if kind == "few" else 3000))
    return figure_of(Decimal(draw(st.integers(0, of))), Decimal(of), measured_share=1.0, minimum=10)


@st.composite
def paces(draw: st.DrawFn) -> Pace | None:
    if draw(st.booleans()):
        return None
    low, slope, high = sorted((draw(slopes), draw(slopes), draw(slopes)))
    return Pace(slope, low, high)


def cells_of(
    curve: list[int], day: list[int], figure: list[Figure], pace: list[Pace | None], connected: list[bool], after: int
) -> Cells:
    def limit(name: str) -> np.ndarray:
        return np.array([math.nan if one is None else getattr(one, name) for one in pace], dtype=np.float64)

    return Cells(
        curve=np.array(curve, dtype=np.int64),
        day=np.array(day, dtype=np.int64),
        ratio=np.array([math.nan if one.ratio is None else float(one.ratio) for one in figure]),
        too_few=np.array([one.too_few for one in figure], dtype=np.bool_),
        connected=np.array(connected, dtype=np.bool_),
        low=limit("low"),
        slope=limit("slope"),
        high=limit("high"),
        behind_after=after,
    )


def same(many: Standings, at: int, one: Standing, tolerance: float) -> None:
    assert VERDICTS[many.verdict[at]] is one.verdict
    for name in ("planned", "days_behind", "spi", "needed_pace", "recent_pace"):
        exact, found = getattr(one, name), getattr(many, name)[at]
        if exact is None:
            assert math.isnan(found), name
        else:
            assert found == pytest.approx(float(exact), rel=1e-9, abs=tolerance), name
    for name in ("forecast", "forecast_low", "forecast_high"):
        exact, found = getattr(one, name), getattr(many, name)[at]
        assert (None if found == NEVER else START + timedelta(days=int(found))) == exact, name


@settings(max_examples=400)
@given(st.data(), plans(), st.integers(0, 40))
def test_many_standings_are_those_of_one_at_a_time(data: st.DataObject, curves: list[Curve], after: int) -> None:
    """Verdict and forecast days are equal, floats within 1e-9, for any plan, figure, pace and day, ties included."""
    size = data.draw(st.integers(1, 12))
    curve = data.draw(st.lists(st.integers(0, len(curves) - 1), min_size=size, max_size=size))
    day = data.draw(st.lists(st.integers(-3, curves[0].span + 20), min_size=size, max_size=size))
    figure = [data.draw(figures(curves[which], at)) for which, at in zip(curve, day, strict=True)]
    pace = [data.draw(paces()) for _ in range(size)]
    connected = data.draw(st.lists(st.sampled_from([True, True, True, False]), min_size=size, max_size=size))

    def exact(cell: int) -> Fraction:
        ratio = figure[cell].ratio
        assert ratio is not None
        return ratio

    many = judge_many(cells_of(curve, day, figure, pace, connected, after), Curves(curves), exact)

    for at in range(size):
        state = FeedState.REPORTING if connected[at] else FeedState.NEVER_CONNECTED
        one = judge(
            CASE,
            day=START + timedelta(days=day[at]),
            figure=figure[at],
            curve=curves[curve[at]],
            behind_after=after,
            pace=pace[at],
            coverage=Coverage(state, START + timedelta(days=day[at]), False),
        )
        same(many, at, one, 1e-9)


def test_few_cells_need_the_scalar_path() -> None:
    """Of figures spread over a plan hardly any is near a tie, so that the arrays decide."""
    curve = curve_of(LinearTrajectory(), start=START, deadline=date(2008, 12, 31), baseline=None, target=Fraction(1, 2))
    figure = [figure_of(Decimal(n % 1009), Decimal(1009), measured_share=1.0, minimum=10) for n in range(5000)]
    cells = cells_of([0] * 5000, [n % 365 for n in range(5000)], figure, [None] * 5000, [True] * 5000, 7)

    many = judge_many(cells, Curves([curve]), lambda cell: figure[cell].ratio or Fraction(0))

    assert many.exactly < 50


@given(st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5]) | st.floats(0, 1), max_size=130))
def test_paces_of_windows_are_the_recent_paces_of_each_day(ratios: list[float | None]) -> None:
    """The paces of all windows at once are, to the bit, those that a single agency's course gives."""
    padded = np.array([math.nan] * (LONG - 1) + [math.nan if one is None else one for one in ratios])
    windows = np.array([padded[at : at + LONG] for at in range(len(ratios))]).reshape(-1, LONG)

    slope, low, high = paces_of_windows(windows)

    for at, pace in enumerate(recent_paces(ratios)):
        found = None if math.isnan(slope[at]) else Pace(float(slope[at]), float(low[at]), float(high[at]))
        assert found == pace


@given(st.lists(st.none() | st.floats(0, 1), min_size=LONG, max_size=LONG))
def test_before_the_last_four_weeks_only_the_earliest_ratio_matters(ratios: list[float | None]) -> None:
    """Who reads figures for paces may leave out all others."""
    whole = np.array([[math.nan if one is None else one for one in ratios]])
    earliest = next((at for at, one in enumerate(ratios) if one is not None), LONG)
    thin = whole.copy()
    thin[0, earliest + 1 : max(earliest + 1, LONG - WINDOW)] = math.nan

    assert np.array_equal(paces_of_windows(thin), paces_of_windows(whole), equal_nan=True)


def test_curves_of_different_plans_are_refused() -> None:
    """A day counts from the start that all curves share."""
    lines = [
        curve_of(LinearTrajectory(), start=START, deadline=deadline, baseline=None, target=Fraction(1, 2))
        for deadline in (date(2008, 12, 31), date(2009, 12, 31))
    ]

    with pytest.raises(ValueError, match="apart"):
        Curves(lines)
