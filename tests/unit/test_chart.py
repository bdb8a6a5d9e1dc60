"""The picture in a mail: what is drawn is the course, however few points it takes."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.alerts.core.chart import _thinned, draw
from services.alerts.core.letter import Course

START = date(2008, 5, 28)


@given(st.lists(st.integers(0, 6), max_size=30), st.integers(1, 7))
def test_points_left_out_lie_on_the_line(heights: list[int], step: int) -> None:
    """First and last stay, and between those that stay a straight line passes through all that went."""
    points = [(float(at * step), float(height)) for at, height in enumerate(heights)]
    kept = _thinned(points)

    assert set(kept) <= set(points)
    assert kept[:1] + kept[-1:] == points[:1] + points[-1:]
    if points:
        xs, ys = zip(*points, strict=True)
        assert np.allclose(np.interp(xs, *zip(*kept, strict=True)), ys, atol=1e-5)


def test_a_straight_plan_is_two_points() -> None:
    """Which is what makes a country's mails affordable."""
    assert len(_thinned([(at * 4.94, 288 - at * 1.1) for at in range(218)])) == 2


def test_the_same_course_gives_the_same_picture_and_another_another() -> None:
    """Mails that are written again are the same bytes; the frame that is kept between pictures stays clean."""
    planned = tuple((START + timedelta(days), 0.5 * days / 217) for days in range(218))
    first, second = (
        Course(planned=planned, actual=tuple((START + timedelta(days), level) for days in range(100)), target=0.5)
        for level in (0.1, 0.3)
    )
    empty = Course(planned=(), actual=(), target=0.5)

    frame, picture = draw(empty), draw(first)
    assert draw(second) != picture
    assert draw(first) == picture
    assert draw(empty) == frame
