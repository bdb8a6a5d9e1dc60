"""When mails go out."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.policy import WorkingTime
from services.alerts.core.office_hours import next_working_moment

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
OFFICE = WorkingTime()
NATIONAL_DAY = date(2008, 9, 2)  # a Tuesday


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("now", "then"),
    [
        pytest.param("2008-09-03T10:00", "2008-09-03T10:00", id="in office hours at once"),
        pytest.param("2008-09-03T07:30", "2008-09-03T07:30", id="from the first minute"),
        pytest.param("2008-09-03T06:00", "2008-09-03T07:30", id="early in the morning"),
        pytest.param("2008-09-03T17:00", "2008-09-04T07:30", id="at the end of the day, the next"),
        pytest.param("2008-09-05T18:00", "2008-09-08T07:30", id="over the weekend"),
        pytest.param("2008-09-01T20:00", "2008-09-03T07:30", id="over a holiday"),
    ],
)
def test_a_mail_waits_for_office_hours(now: str, then: str) -> None:
    """Days off and hours off are waited for, in the directory's zone."""
    found = next_working_moment(local(now), OFFICE, holidays={NATIONAL_DAY}, zone=ZONE)

    assert found == local(then)


moments = st.datetimes(datetime(2008, 1, 1), datetime(2009, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))
hours = st.builds(
    lambda days, begins, lasts: WorkingTime.model_validate(
        {"days": sorted(days), "from": time(begins), "until": time(begins + lasts)}
    ),
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    st.integers(0, 20),
    st.integers(1, 3),
)
holidays = st.sets(st.dates(date(2008, 1, 1), date(2010, 3, 1)), max_size=60)


@given(moments, hours, holidays)
def test_the_moment_lies_in_working_time_and_none_lies_before_it(
    now: datetime, working: WorkingTime, off: set[date]
) -> None:
    """Never earlier than now, always inside working time, and asking again there changes nothing."""
    found = next_working_moment(now, working, holidays=off, zone=ZONE)
    there = found.astimezone(ZONE)

    assert found >= now
    assert working.from_ <= there.time().replace(tzinfo=None) < working.until
    assert next_working_moment(found, working, holidays=off, zone=ZONE) == found
    if found > now:
        before = found - timedelta(seconds=1)
        assert before < now or next_working_moment(before, working, holidays=off, zone=ZONE) == found


def test_a_calendar_without_any_working_day_is_not_believed() -> None:
    """Holidays for months on end hold nothing back for ever."""
    off = {date(2008, 1, 1) + timedelta(days=step) for step in range(800)}

    found = next_working_moment(local("2008-09-06T09:00"), OFFICE, holidays=off, zone=ZONE)

    assert found == local("2008-09-08T07:30")


def test_without_working_time_mails_go_out_at_any_time() -> None:
    """The default policy does not wait."""
    now = local("2008-09-06T03:00")

    assert next_working_moment(now, None, holidays=(), zone=ZONE) == now
