"""Paces, the forecast and its range, and how they are written."""

import math
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.core.schedule.pace import HORIZON, Pace, forecast, needed_pace, recent_paces
from services.core.schedule.standing_words import words_of
from tests.unit.test_standing_verdict import DEADLINE, SHARES, START, line


@given(st.integers(1, 99), st.integers(8, 200), st.integers(0, 190))
def test_the_forecast_of_an_exact_line_is_that_line(percent: int, span: int, day: int) -> None:
    """Who follows the planned line to the day is forecast on the deadline: in half the time at best, in double at worst."""
    deadline, target = START + timedelta(days=span), Fraction(percent, 100)
    day = min(day, span - 1)
    curve = line(target, deadline=deadline)
    course = [curve.value_at(at) for at in range(day + 1)]

    pace = recent_paces([float(value) for value in course])[-1]
    outlook = forecast(target=target, actual=course[-1], day=START + timedelta(days=day), pace=pace)

    if day + 1 < 7:
        assert (pace, outlook.day) == (None, None)
    else:
        left = span - day
        assert outlook.day == deadline
        assert outlook.low == deadline - timedelta(days=left // 2)
        assert outlook.high == deadline + timedelta(days=left)


@given(st.lists(st.none() | st.floats(0, 1), max_size=120))
def test_the_recent_pace_is_the_median_of_pairwise_slopes(ratios: list[float | None]) -> None:
    """The vectorised pace equals Theil–Sen done by hand on the last 28 days; its range is that of the guide."""
    for at, pace in enumerate(recent_paces(ratios)):
        points = [(x, y) for x, y in list(enumerate(ratios))[max(0, at - 27) : at + 1] if y is not None]
        last = ratios[at]
        if last is None or len(points) < 7:
            assert pace is None
            continue
        slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1 :])
        middle = len(slopes) // 2
        median = (slopes[middle] + slopes[~middle]) / 2
        first, then = next((x, y) for x, y in list(enumerate(ratios))[max(0, at - 83) :] if y is not None)
        slower, faster = sorted((median, (last - then) / (at - first)))
        assert pace is not None
        assert pace.slope == pytest.approx(median, abs=1e-12)
        assert pace.low == pytest.approx(slower / 2 if slower > 0 else slower, abs=1e-12)
        assert pace.high == pytest.approx(faster * 2 if faster > 0 else faster, abs=1e-12)
        assert pace.low <= pace.slope <= pace.high


@given(st.lists(st.none() | st.floats(0, 1), min_size=7, max_size=120), SHARES)
def test_a_forecast_lies_in_its_range(ratios: list[float | None], target: Fraction) -> None:
    """Earliest ≤ forecast ≤ latest, where never is later than any day; a range is a day alone only when that day is today."""
    day, actual = date(2008, 9, 30), ratios[-1]
    if actual is None:
        return

    outlook = forecast(target=target, actual=Fraction(actual), day=day, pace=recent_paces(ratios)[-1])

    low, at, high = (one or date.max for one in (outlook.low, outlook.day, outlook.high))
    assert day <= low <= at <= high
    assert low < high or low in (day, day + timedelta(days=1), day + HORIZON, date.max)


def test_a_range_worked_by_hand() -> None:
    """Eight weeks at 10 %, then a point a day to 38 %: a point a day lately, 28 points in 83 days over twelve weeks."""
    course = [0.1] * 56 + [0.1 + 0.01 * step for step in range(1, 29)]

    pace = recent_paces(course)[-1]

    assert pace is not None
    assert (pace.slope, pace.low, pace.high) == pytest.approx((0.01, 0.28 / 83 / 2, 0.02))


def test_who_stands_still_after_a_rise_has_an_earliest_day_and_no_latest() -> None:
    """Eight weeks of half a point a day, then four weeks of nothing: never at this pace, yet not without hope."""
    course = [0.005 * step for step in range(1, 57)] + [0.28] * 28
    day = date(2008, 9, 30)

    outlook = forecast(target=Fraction(1, 2), actual=Fraction(28, 100), day=day, pace=recent_paces(course)[-1])

    twice = 2 * (0.28 - 0.005) / 83
    assert (outlook.day, outlook.high) == (None, None)
    assert outlook.low == day + timedelta(days=math.ceil(0.22 / twice))


def test_who_falls_and_is_lower_than_twelve_weeks_ago_never_arrives() -> None:
    """A fall stays a fall: half of it would still be one, and neither end of the range arrives."""
    course = [0.4 - 0.002 * step for step in range(84)]

    pace = recent_paces(course)[-1]
    outlook = forecast(target=Fraction(1, 2), actual=Fraction(234, 1000), day=date(2008, 9, 30), pace=pace)

    assert pace is not None
    assert (pace.low, pace.slope, pace.high) == pytest.approx((-0.002, -0.002, -0.002))
    assert (outlook.low, outlook.day, outlook.high) == (None, None, None)


def test_a_week_of_history_has_a_range() -> None:
    """Seven days are enough for a pace; what is missing of twelve weeks is not asked for."""
    pace = recent_paces([None] * 100 + [0.01 * step for step in range(7)])[-1]

    assert pace is not None
    assert (pace.low, pace.slope, pace.high) == pytest.approx((0.005, 0.01, 0.02))


def test_needed_pace_is_null_from_the_deadline_on_and_nothing_once_reached() -> None:
    """(target − A)/(e − t); 0 for who is there, None when no day is left."""
    half, tenth = Fraction(1, 2), Fraction(1, 10)

    assert needed_pace(target=half, actual=tenth, day=date(2008, 12, 21), deadline=DEADLINE) == Fraction(4, 100)
    assert needed_pace(target=half, actual=half, day=date(2008, 12, 21), deadline=DEADLINE) == 0
    assert needed_pace(target=half, actual=tenth, day=DEADLINE, deadline=DEADLINE) is None


def test_a_forecast_has_a_horizon_and_a_range_may_be_open() -> None:
    """A crawl is forecast ten years off at most; a range whose slow end does not rise has no last day."""
    day = date(2008, 9, 30)

    outlook = forecast(target=Fraction(1, 2), actual=Fraction(1, 4), day=day, pace=Pace(1e-9, -0.001, 0.01))

    assert (outlook.day, outlook.low, outlook.high) == (day + HORIZON, day + timedelta(days=25), None)


@pytest.mark.parametrize(
    ("days", "text"),
    [
        pytest.param((11, 10, 12), "11/10/2008 (10/10/2008 – 12/10/2008)", id="a range"),
        pytest.param((11, 10, None), "11/10/2008 (10/10/2008 – …)", id="never, at the slowest"),
        pytest.param(
            (None, 10, None),
            "không đạt nếu giữ nhịp độ này (10/10/2008 – …)",
            id="never, unless it goes as in better weeks",
        ),
        pytest.param((None, None, None), "không đạt nếu giữ nhịp độ này", id="never"),
    ],
)
def test_a_range_stands_in_brackets(days: tuple[int | None, int | None, int | None], text: str) -> None:
    """Earliest and latest day follow the forecast, and … stands for never; a narrow table leaves them out."""
    at, low, high = (None if one is None else date(2008, 10, one) for one in days)
    row: dict[str, Any] = {
        "verdict": "at-risk",
        "recent_pace": 0.001,
        "forecast": at,
        "forecast_low": low,
        "forecast_high": high,
    }

    assert words_of("vi").forecast(row, with_range=True) == text
    assert words_of("vi").forecast(row, with_range=False) == text.split(" (")[0]
    assert words_of("vi").forecast(row | {"recent_pace": None, "forecast": None}, with_range=True) == "–"
