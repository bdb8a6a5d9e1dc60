"""Lines of Postfix logs as values, and the times of their heads."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.ingest.core.postfix_lines import Kind, Line, read_line
from services.ingest.core.syslog_time import LineTimes, YearlessStamp, first_year, read_yearless

NEW = "2008-06-02T08:00:01.123456+07:00 mail "
OLD = "Jun  2 08:00:01 mail "
STAMP = "2008-06-02T08:00:01.123456+07:00"
HANOI = timezone(timedelta(hours=7))


@pytest.mark.parametrize(
    ("text", "kind", "queue", "value"),
    [
        pytest.param("postfix/smtpd[9]: 4A: client=pc[10.0.0.1]", Kind.ACCEPTED, "postfix:4A", "", id="smtpd"),
        pytest.param("postfix/pickup[9]: 4A: uid=0 from=<root>", Kind.ACCEPTED, "postfix:4A", "", id="pickup"),
        pytest.param(
            "postfix/submission/smtpd[9]: 4A: client=pc[10.0.0.1], sasl_username=a", Kind.ACCEPTED, "postfix:4A", "",
            id="service with a name of its own",
        ),
        pytest.param(
            "postfix-out/qmgr[9]: 4A: from=<a@b.vn>, size=1, nrcpt=1 (queue active)", Kind.ACTIVE, "postfix-out:4A",
            "a@b.vn", id="second instance",
        ),
        pytest.param("postfix/cleanup[9]: 4A: message-id=<x@y>", Kind.IDENTIFIED, "postfix:4A", "<x@y>", id="message-id"),
        pytest.param("postfix/cleanup[9]: 4A: resent-message-id=<x@y>", Kind.RESENT, "postfix:4A", "<x@y>", id="resent"),
        pytest.param("postfix/qmgr[9]: 4A: removed", Kind.REMOVED, "postfix:4A", "", id="removed"),
        pytest.param(
            "postfix/qmgr[9]: 4A: from=<>, size=1, nrcpt=1 (queue active)", Kind.ACTIVE, "postfix:4A", "", id="null sender"
        ),
        pytest.param(
            'postfix/qmgr[9]: 4A: from=<"x>, size=9"@b.vn>, size=1, nrcpt=1 (queue active)', Kind.ACTIVE, "postfix:4A",
            '"x>, size=9"@b.vn', id="a sender that imitates the rest of the line",
        ),
        pytest.param(
            "postfix/qmgr[9]: 4A: from=<a@b.vn>, status=expired, returned to sender", Kind.DELIVERY, "", "", id="expired"
        ),
        pytest.param(
            "postfix/cleanup[9]: 4A: warning: header Subject: 4B: from=<chief@b.vn>, size=1, nrcpt=1 (queue active)",
            Kind.SESSION, "", "", id="a subject that imitates the queue manager",
        ),
        pytest.param("postfix/smtpd[9]: NOQUEUE: reject: RCPT from x", Kind.SESSION, "", "", id="refused"),
        pytest.param("postfix/smtp[9]: 4A: to=<a@b>, status=sent (250 Ok)", Kind.DELIVERY, "", "", id="delivery"),
        pytest.param("postfix/master[9]: daemon started", Kind.SERVICE, "", "", id="service"),
        pytest.param("postfix/qmgr[9]: warning: connect to transport", Kind.SERVICE, "", "", id="warning"),
        pytest.param("dovecot: imap-login: Login: user=<a>", Kind.OTHER_PROGRAM, "", "", id="another program"),
        pytest.param("postfix/qmgr[9]: 4A: something new", Kind.NOT_UNDERSTOOD, "", "", id="unknown words"),
        pytest.param("postfix/novelty[9]: 4A: hello", Kind.NOT_UNDERSTOOD, "", "", id="unknown daemon"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("head", [NEW, OLD], ids=["RFC 3339", "RFC 3164"])
def test_a_line_says_who_wrote_it_about_which_mail(head, text, kind, queue, value):
    """Both heads give the same value, whatever the text tries to look like."""
    line = read_line(head + text)
    assert line[:1] + line[2:] == (kind, queue, value)
    assert line.stamp == (STAMP if head == NEW else "Jun  2 08:00:01")


@given(st.text())
@example("2008-06-02T08:00:01+07:00 a postfix/qmgr[1]: ")
@example("Jun  2 08:00:01 a ")
def test_garbage_is_counted_and_never_crashes(text):
    """Any text is one of the kinds."""
    assert isinstance(read_line(text), Line)
    times = LineTimes(
        "Asia/Ho_Chi_Minh", log_zone="UTC", not_after=datetime(2009, 1, 1, tzinfo=HANOI), opening_year=lambda: 2008
    )
    assert times.day(text[:32]) >= 0


@given(st.text(alphabet="0123456789 :JanFebDc-T+.", max_size=32))
def test_near_misses_of_a_time_are_no_time_or_a_time(stamp):
    """A stamp that looks like one is read or refused."""
    times = LineTimes(
        "Asia/Ho_Chi_Minh", log_zone="UTC", not_after=datetime(2009, 1, 1, tzinfo=HANOI), opening_year=lambda: 2008
    )
    moment = times.moment(stamp)
    assert moment is None or moment.tzinfo is not None


def test_the_day_is_the_deployments_day():
    """A line written in UTC in the evening belongs to the next day of Hà Nội."""
    times = LineTimes(
        "Asia/Ho_Chi_Minh", log_zone="UTC", not_after=datetime(2009, 1, 1, tzinfo=HANOI), opening_year=lambda: 2008
    )
    assert times.day("2008-06-01T17:30:00Z") == datetime(2008, 6, 2).toordinal()
    assert times.day("Jun  1 16:59:59") == datetime(2008, 6, 1).toordinal()


def test_a_line_from_the_future_has_no_time():
    """A wrong clock of a server cannot make days pass."""
    times = LineTimes("UTC", log_zone="UTC", not_after=datetime(2008, 10, 1, tzinfo=HANOI), opening_year=lambda: 2008)
    assert times.moment("2038-01-01T00:00:00Z") is None
    assert times.moment("2008-09-30T00:00:00Z") is not None
    times.advance(datetime(2039, 1, 1, tzinfo=HANOI))
    assert times.moment("2038-01-01T00:00:00Z") is not None


def stamps(*texts):
    return [read_yearless(text) for text in texts]


@pytest.mark.parametrize(
    ("texts", "reference", "year"),
    [
        pytest.param(["Nov 23 22:55:22"], datetime(2008, 11, 24), 2008, id="this year"),
        pytest.param(["Nov 23 22:55:22"], datetime(2008, 11, 1), 2007, id="not later than the reference"),
        pytest.param(["Dec 31 23:59:59", "Jan  1 00:00:01"], datetime(2009, 1, 2), 2008, id="over a new year"),
        pytest.param(
            ["Jun  1 00:00:00", "Dec 31 00:00:00", "Jan  1 00:00:00", "Feb  1 00:00:00", "Dec 30 00:00:00", "Jan  3 00:00:00"],
            datetime(2010, 1, 4), 2008, id="over two new years",
        ),
        pytest.param(["Jan  1 00:00:03", "Dec 31 23:59:59", "Jan  1 00:00:05"], datetime(2009, 3, 1), 2009, id="set back"),
        pytest.param(["Feb 29 12:00:00"], datetime(2011, 6, 1), 2008, id="29 February"),
        pytest.param([], datetime(2011, 6, 1), 2011, id="nothing"),
    ],
)  # fmt: skip
def test_the_first_line_gets_its_year_from_the_last(texts, reference, year):
    """Backwards from the last line, which is not later than the reference."""
    assert first_year(stamps(*texts), reference) == year


@given(
    st.lists(st.integers(0, 300 * 86400), min_size=1, max_size=60),
    st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1)),
)
def test_yearless_times_are_read_back(steps, start):
    """Whatever a log's course, its moments are found again from month, day and time alone (silences of months included)."""
    moments, at = [], start.replace(microsecond=0)
    for step in steps:
        at += timedelta(seconds=step)
        moments.append(at)
    texts = [f"{moment:%b} {moment.day:2d} {moment:%H:%M:%S}" for moment in moments]
    reference = moments[-1] + timedelta(hours=1)
    opening = first_year(stamps(*texts), reference)
    times = LineTimes("UTC", log_zone="UTC", not_after=reference.replace(tzinfo=UTC), opening_year=lambda: opening)
    assert [times.moment(text).replace(tzinfo=None) for text in texts] == moments


def test_impossible_dates_are_refused():
    """A month has its days, a day its hours."""
    assert stamps("Feb 30 00:00:00", "Jan  1 24:00:00", "Foo  1 00:00:00", "Jan  1 00-00-00") == [None] * 4
    assert read_yearless("Jan  1 00:00:60") == YearlessStamp(1, 1, 59)
