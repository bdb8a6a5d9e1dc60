"""Courses of many at once are those of the scalar fold."""

from datetime import date, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import Policy
from services.core.warnings.course import Course, JudgedDay
from services.core.warnings.courses_many import follow_many
from services.core.warnings.day_codes import VERDICTS, code_of, day_of
from services.core.warnings.lifecycle import decide_lag

FIRST = date(2008, 5, 28)


def policy(hold: int, clear: int) -> Policy:
    return Policy(policy="p", plan="p", in_force_from=FIRST, hold=hold, clear=clear)


@st.composite
def days(draw: st.DrawFn, day: date) -> JudgedDay:
    verdict = draw(st.sampled_from(VERDICTS))
    state = draw(st.sampled_from(["reporting", "reporting", "reporting", "partial", "silent", "never-connected"]))
    return JudgedDay(
        day=day,
        verdict=verdict,
        severity=draw(st.integers(0, 3)),
        feed_state=state,
        judged_day=day - timedelta(days=3 if state == "silent" else 0),
        provisional=draw(st.sampled_from([False, False, True])),
    )


@given(st.data(), st.integers(1, 5), st.integers(1, 40), st.integers(0, 5), st.integers(1, 5))
def test_courses_are_those_that_following_day_by_day_gives(
    data: st.DataObject, agencies: int, length: int, hold: int, clear: int
) -> None:
    """Runs, firing, the days that spoke; agencies that begin later or end; whatever the feeds do."""
    rules = policy(hold, clear)
    codes = np.zeros((agencies, length), dtype=np.uint8)
    scalar = []
    for agency in range(agencies):
        course = Course()
        begins = data.draw(st.integers(0, length - 1))
        for at in range(begins, length):
            day = data.draw(days(FIRST + timedelta(days=at)))
            codes[agency, at] = code_of(day)
            course.follow(day, rules)
        scalar.append((course, day))

    many = follow_many(codes, FIRST, rules)

    for agency, (course, today) in enumerate(scalar):
        found, last = many.course(agency)
        if course.last is not None:  # of a silent feed's figures warnings ask no more than that it is silent
            assert day_of(code_of(course.last), course.last.day) == course.last
        assert found == course
        assert (last.verdict, last.severity, last.day) == (today.verdict, today.severity, today.day)
        assert many.grave()[agency] == (course.info > 0)


@given(st.data())
def test_a_code_decides_what_its_day_decides(data: st.DataObject) -> None:
    """Held back, silent or speaking: the byte leads to the same reason as the day it was made of."""
    day = data.draw(days(FIRST))
    again = day_of(code_of(day), FIRST)
    rules, course = policy(1, 1), Course()
    course.follow(day, rules)

    assert 0 < code_of(day) < 128
    assert decide_lag(None, course, again, rules).reason == decide_lag(None, course, day, rules).reason
