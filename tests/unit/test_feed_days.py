"""What a feed says it sent, per type and day."""

from datetime import date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from schemas.envelope import CloudEvent
from schemas.events import FeedReported
from services.ingest.core.feed_days import DayBook

ZONE = timezone(timedelta(hours=7))
FIRST = date(2008, 6, 1)


def day(number):
    return FIRST + timedelta(days=number)


def moment(number):
    return datetime(2008, 6, 2, 0, 5, tzinfo=ZONE) + timedelta(days=number)


def told(reports):
    return [(report.type, (report.day - FIRST).days, report.count) for report in reports]


def test_every_passed_day_is_reported_zero_included():
    """Of each type of the feed, from the first day that it covers."""
    book = DayBook(("a", "b"))
    book.count("a", day(1))
    book.count("a", day(1))
    assert told(book.passed(day(2), moment(2), since=day(0))) == [
        ("a", 0, 0), ("b", 0, 0), ("a", 1, 2), ("b", 1, 0), ("a", 2, 0), ("b", 2, 0),
    ]  # fmt: skip


def test_a_day_is_reported_once():
    """Passing it again says nothing new."""
    book = DayBook(("a",))
    assert told(book.passed(day(0), moment(0))) == [("a", 0, 0)]
    assert book.passed(day(0), moment(1)) == ()


def test_a_late_statement_reports_its_day_anew():
    """With the new count and a later moment, which wins."""
    book = DayBook(("a",))
    (first,) = book.passed(day(0), moment(0))
    book.count("a", day(0))
    second, _ = book.passed(day(1), moment(1))
    assert (second.day, second.count) == (day(0), 1)
    assert second.at > first.at


def test_a_second_report_is_later_even_at_the_same_moment():
    """Of two statements the later wins: equal times would leave it to chance."""
    book = DayBook(("a",))
    (first,) = book.passed(day(0), moment(0))
    book.count("a", day(0))
    (second,) = book.passed(day(0), moment(0))
    assert second.at == first.at + timedelta(microseconds=1)


def test_days_not_passed_wait():
    """Today is not over."""
    book = DayBook(("a",))
    book.count("a", day(3))
    assert told(book.passed(day(2), moment(2), since=day(2))) == [("a", 2, 0)]
    assert told(book.passed(day(3), moment(3))) == [("a", 3, 1)]


def test_very_old_rows_do_not_report_a_century():
    """Without a first day it is that of the oldest statement, at most a year back."""
    book = DayBook(("a",))
    book.count("a", date(1901, 1, 1))
    assert len(book.passed(day(0), moment(0))) == 367


def test_the_report_is_a_valid_event_with_an_id_of_its_own():
    """Its id follows from what it says; the contract takes it."""
    (report,) = DayBook(("mail.used",)).passed(day(0), moment(0))
    event = report.event(source="/mail/x", agency="tinh-x")
    read = CloudEvent.model_validate(event)
    assert FeedReported.model_validate(read.data).count == 0
    assert read.id == "reported:mail.used:2008-06-01:0:2008-06-02T00:05:00.000000+07:00"
    assert read.type == "vn.tiendo.feed.reported.v1"


ACTIONS = st.lists(st.one_of(st.tuples(st.sampled_from("ab"), st.integers(0, 12)), st.integers(0, 12)), max_size=60)


@given(ACTIONS)
def test_the_last_report_of_each_passed_day_is_its_count(actions):
    """Whatever the order of statements and passings."""
    book, counts, last, passed = DayBook(("a", "b"), first=day(0)), {}, {}, -1
    for at, action in enumerate([*actions, 12]):
        if isinstance(action, tuple):
            type_, number = action
            book.count(type_, day(number))
            counts[type_, number] = counts.get((type_, number), 0) + 1
        else:
            passed = max(passed, action)
            for report in book.passed(day(action), moment(at)):
                key = (report.type, (report.day - FIRST).days)
                assert key not in last or report.at > last[key].at
                last[key] = report
    book.passed(day(12), moment(99))
    assert {key: report.count for key, report in last.items()} == {
        (type_, number): counts.get((type_, number), 0) for type_ in "ab" for number in range(passed + 1)
    }
