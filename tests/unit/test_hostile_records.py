"""Records that nobody should have written: each is told as unusable, and none takes the worker or its neighbours with it."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import usage
from services.aggregator.adapters.preparing import prepare
from tests.aggregator_world import ZONE
from tests.unit.test_preparing import KINDS

AT = "2008-09-01T03:00:00Z"
ITEM = {"agency": "a", "id": "1", "step": "entered", "day": "2008-09-01"}
SAID = {
    "agency": "a",
    "indicator": "x",
    "from": "2008-09-01",
    "to": "2008-09-01",
    "numerator": None,
    "denominator": "3",
}
REPORT = {"type": "mail.used", "day": "2008-09-01", "count": 1}


def record(short: str, data: dict[str, Any], **envelope: Any) -> bytes:
    event = {"type": f"vn.tiendo.{short}.v1", "id": "1", "source": "/s", "agency": "a", "time": AT, "received": AT}
    return json.dumps(event | envelope | {"data": data}).encode()


def item(**more: Any) -> bytes:
    return record("record.filed", ITEM | more)


GOOD = item()
BAD = {
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "a number": b"1e999999",
    "no utf-8": b'{"id":"\xff\xfe"}',
    "utf-16": GOOD.decode().encode("utf-16"),
    "with a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "half": GOOD[:-3],
    "two": GOOD + GOOD,
    "half a surrogate": GOOD.replace(b'"/s"', b'"\\ud800"'),
    "deep": b'{"type":' + b"[" * 100_000,
    "deep and closed": GOOD[:-1] + b',"more":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "an integer of 100,000 digits": record("feed.reported", REPORT).replace(b'"count": 1', b'"count": ' + b"9" * 100_000),
    "a count below zero": record("feed.reported", REPORT | {"count": -1}),
    "a count beyond the table's": record("feed.reported", REPORT | {"count": 2**64}),
    "no number": item(weight="NaN"),
    "no number that signals": item(weight="sNaN"),
    "infinite": item(weight="Infinity"),
    "a weight beyond the table's": item(weight="1E+40"),
    "a weight of a million digits": item(weight="1E+999999"),
    "a negative weight": item(weight="-1"),
    "a denominator beyond the table's": record("headcount.declared", SAID | {"denominator": "1E+300"}),
    "a numerator that is none": record("figure.declared", SAID | {"numerator": "NaN"}),
    "without a zone": record("record.filed", ITEM, time="2008-09-01T03:00:00"),
    "before 1970": record("record.filed", ITEM, time="1969-12-31T23:59:59Z"),
    "after 2298": record("record.filed", ITEM, time="2299-01-01T00:00:00Z"),
    "the first moment there is": record("record.filed", ITEM, time="0001-01-01T00:00:00+23:59"),
    "the last moment there is": record("record.filed", ITEM, received="9999-12-31T23:59:59-23:59"),
    "a zone that is none": record("record.filed", ITEM, time="2008-09-01T03:00:00+25:00"),
    "a day that is none": item(day="2008-02-30"),
    "a field that is not ours": item(colour="red"),
}  # fmt: skip
#: No JSON at all, so that a batch that holds it is none either and is set aside whole.
NO_VALUE = {
    "empty", "blank", "no utf-8", "utf-16", "with a byte order mark", "half", "two", "half a surrogate", "deep",
    "deep and closed",
}  # fmt: skip


@pytest.mark.parametrize("kind", [usage.SINGLE_CONTENT_TYPE, usage.BATCH_CONTENT_TYPE, "text/plain", ""])
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_record_is_told_and_its_neighbours_count(bad, kind):
    """Whatever it holds, the record is unusable, once; the events before and after it are folded."""
    good = b"[" + GOOD + b"]" if kind == usage.BATCH_CONTENT_TYPE else GOOD

    found = prepare([(kind, [good, bad, good])], ZoneInfo(ZONE), KINDS)

    assert [(one.value, one.after) for one in found.unusable] == [(bad, 1)]
    assert found.size == 2


IN_A_BATCH = {name: bad for name, bad in BAD.items() if name not in NO_VALUE}


@pytest.mark.parametrize("bad", IN_A_BATCH.values(), ids=IN_A_BATCH.keys())
def test_a_bad_event_of_a_batch_is_told_alone(bad):
    """A record of three events whose middle one cannot be used counts for two, and only that one is set aside."""
    value = b"[" + b",".join([GOOD, bad, GOOD]) + b"]"

    found = prepare([(usage.BATCH_CONTENT_TYPE, [value])], ZoneInfo(ZONE), KINDS)

    assert [(one.value, one.after) for one in found.unusable] == [(bad, 1)]
    assert found.size == 2


PARTS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b'"',
    b"\\u",
    b"\\",
    b"-",
    b"1e",
    b"null",
    b"\xc3",
    b"0",
    GOOD,
    *BAD.values(),
]
GARBAGE = st.lists(st.sampled_from(PARTS) | st.binary(max_size=9), max_size=9).map(b"".join)


@given(
    st.lists(st.none() | GARBAGE, max_size=9), st.sampled_from([usage.SINGLE_CONTENT_TYPE, usage.BATCH_CONTENT_TYPE])
)
def test_nothing_that_a_record_holds_raises(values, kind):
    """Whatever the bytes are, they are told apart into events and what is none, and what is kept can be packed."""
    found = prepare([(kind, values)], ZoneInfo(ZONE), KINDS)

    assert found.size + len(found.unusable) >= len([value for value in values if value != b"[]"])


LAST_MOMENTS = ["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000+00:00", "2298-12-31T23:59:59.999999Z"]


@pytest.mark.parametrize("time", [*LAST_MOMENTS, "2298-12-31T23:59:59-00:00", "2008-09-01T03:00:00+23:59"])
def test_the_first_and_the_last_moment_that_count(time):
    """From 1970 to the end of 2298, in any zone, a moment is held as it is."""
    found = prepare([(usage.SINGLE_CONTENT_TYPE, [record("record.filed", ITEM, time=time)])], ZoneInfo(ZONE), KINDS)

    assert (found.unusable, found.size) == ((), 1)
