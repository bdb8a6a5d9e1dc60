"""Accounts of feeds: states, completeness and gaps, against plain counting."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import Directory
from services.core.feed_accounts import FeedAccount, Incomplete, Unreported, accounts_of, spans
from services.core.schedule.coverage import FeedDay, FeedState

START = date(2008, 6, 2)  # a Monday
OFFICE = {"role": "feed-owner", "name": "Phòng CNTT", "email": "cntt@example.vn"}
TYPES = ("mail.used", "mailbox.opened")
DIRECTORY = Directory.model_validate(
    {
        "directory": "dir",
        "in_force_from": "2008-01-01",
        "groups": {"judged": {"vi": "Các sở"}},
        "operations": OFFICE,
        "agencies": [{"id": "a", "name": {"vi": "Sở A"}}],
        "feeds": [
            {
                "id": "mail",
                "title": {"vi": "Thư"},
                "source": "/mail",
                "types": list(TYPES),
                "covers": {"all": True},
                "owner": OFFICE,
            }
        ],
    }
)


def day(step: int) -> date:
    return START + timedelta(days=step)


def account(rows: list[FeedDay], at: date) -> FeedAccount:
    (only,) = accounts_of(DIRECTORY, rows, at)
    return only


def both(step: int, reported: int | None, counted: int) -> list[FeedDay]:
    return [FeedDay("/mail", name, day(step), reported, counted) for name in TYPES]


def test_a_feed_that_never_reported_has_no_completeness():
    """Counted events alone say nothing about what was sent: null, not zero."""
    found = account([FeedDay("/mail", "mail.used", day(0), None, 7)], day(0))
    assert (found.state, found.covered, found.completeness) == (FeedState.NEVER_CONNECTED, None, None)
    assert found.unreported == ()


def test_reported_zeros_are_no_denominator():
    """A feed that says that nothing happened is complete without a ratio."""
    found = account(both(0, 0, 0), day(0))
    assert (found.state, found.completeness) == (FeedState.REPORTING, None)


def test_gaps_are_named():
    """A day passed over, and a day of which too little was counted, are named; a surplus elsewhere hides neither."""
    rows = [*both(0, 10, 10), *both(3, 10, 14), FeedDay("/mail", "mail.used", day(4), 10, 6), *both(5, 10, 10)]
    found = account(rows, day(5))
    assert found.unreported == (
        *(Unreported(name, day(step)) for step in (1, 2) for name in TYPES),
        Unreported("mailbox.opened", day(4)),
    )
    assert found.incomplete == (Incomplete("mail.used", day(4), 10, 6),)
    assert found.completeness == Fraction(66, 70)
    assert found.state is FeedState.PARTIAL


def test_days_after_the_last_report_are_silence_not_gaps():
    """Rhythm and limit pass, and from the next day on the feed is silent; that day is named."""
    rows = both(0, 1, 1)
    silent = [step for step in range(12) if account(rows, day(step)).state is FeedState.SILENT]
    found = account(rows, day(11))
    assert found.silent_since == day(silent[0])
    assert found.unreported == ()
    assert account(rows, day(silent[0] - 1)).silent_since is None


def test_later_days_are_not_known_yet():
    """What was reported for days after the one asked about plays no part."""
    rows = [*both(0, 5, 5), *both(1, 5, 1)]
    assert account(rows, day(0)) == account(both(0, 5, 5), day(0))


reported = st.one_of(st.none(), st.integers(0, 5))
histories = st.dictionaries(
    st.tuples(st.sampled_from(TYPES), st.integers(0, 40)), st.tuples(reported, st.integers(0, 6)), max_size=30
)


@given(histories, st.integers(0, 45))
def test_every_reported_or_passed_over_day_is_accounted_for(history, step):
    """Completeness is 1 exactly where nothing is incomplete; a named gap was not reported though earlier and later days were."""
    rows = [FeedDay("/mail", name, day(at), said, seen) for (name, at), (said, seen) in history.items()]
    found = account(rows, day(step))
    told = {key: row for key, row in history.items() if row[0] is not None and key[1] <= step}
    recent = {key: row for key, row in told.items() if key[1] > step - 28}
    assert found.reported == sum(said for said, _ in recent.values())
    assert found.counted == sum(min(said, seen) for said, seen in recent.values())
    assert (found.completeness in (None, 1)) == (not found.incomplete)
    assert {(one.type, one.day) for one in found.incomplete} == {
        (name, day(at)) for (name, at), (said, seen) in recent.items() if seen < said
    }
    steps = {at for _, at in told}
    assert {(one.type, one.day) for one in found.unreported} == {
        (name, day(at))
        for name in TYPES
        for at in range(max(0, step - 27), step + 1)
        if steps and min(steps) <= at <= max(steps) and (name, at) not in told
    }


@given(st.sets(st.integers(0, 60)))
def test_spans_hold_exactly_the_days(steps):
    """Spans are apart from each other and hold the days that went in."""
    found = spans(day(step) for step in steps)
    held = {first + timedelta(days=n) for first, last in found for n in range((last - first).days + 1)}
    assert held == {day(step) for step in steps}
    assert all((after[0] - before[1]).days > 1 for before, after in pairwise(found))
