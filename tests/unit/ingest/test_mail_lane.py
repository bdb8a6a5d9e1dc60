"""The short way for uses of mail: it never takes what the whole way refuses, and never makes anything else of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.usage import MailUsed
from services.ingest.core.mail_lane import MailLane
from tests.unit.ingest.examples import admission, example, raw

WHOLE = admission("/mail/thai-nguyen")
LANE = MailLane(WHOLE.permit, WHOLE.registry, WHOLE.pseudonyms, WHOLE.now, WHOLE.tolerance)

MAIL = example("mail.used")
TEXT = st.text(max_size=8)
ADDRESSES = st.one_of(
    st.sampled_from(
        [
            "lan@tỉnh.gov.vn", "Lan+x@A.GOV.VN", "@", "a@", "@b", "a@b", "a@b@c", "a b@c.vn", "a\u00a0b@c.vn", "a@b..c",
            "+t@c.vn",
            "a@-b.vn", "x" * 64 + "@" + "y" * 63 + ".vn", "a@" + "b" * 252, "a@" + "b" * 253, "a\x00@b.vn", "a@b\u2028.vn",
            "a@b_c.vn", "a@xn--tnh-0ma.vn", "a@xn--.vn", "a@1", "\u200ba@b.vn", "a@B.vn.", "k@\u212a.vn",
        ]
    ),
    st.from_regex(r"[a-zA-Z0-9+._-]{1,9}@[a-zA-Z0-9._-]{1,12}", fullmatch=True),
    TEXT,
    st.none(),
)  # fmt: skip
MOMENTS = st.one_of(
    st.sampled_from(
        [
            "2008-09-30T08:00:00Z", "2008-09-30T08:00:00z", "2008-09-30t08:00:00+07:00", "2008-09-30 08:00:00+07:00",
            "2008-09-30T08:00:00", "2008-09-30T08:00:00.5+07:00", "2008-09-30T24:00:00+07:00", "2008-02-30T08:00:00+07:00",
            "2008-W40-2T08:00:00+07:00", "20080930T080000+070000000", "2008-09-30T08:00:00+0700", "2008-09-30T08:00:60+07:00",
            "1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00+07:00", "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59", "2008-10-01T01:05:00Z", "2008-10-01T01:05:01Z", "2008-09-30T08:00:00+24:00",
            "2008-09-30T08:00:00+23:60", "٢٠٠٨-09-30T08:00:00Z", "2008-09-30T08:00:00-00:00", "2008-09-30T08:00:00+7 :00", "",
        ]
    ),
    st.datetimes().map(lambda one: f"{one.isoformat()}+07:00"),
    st.integers(),
)  # fmt: skip
DAYS = st.one_of(
    st.sampled_from(
        ["2008-09-30", "1899-12-31", "1900-01-01", "2299-12-31", "2300-01-01", "2008-9-30", "20080930", "2008-02-30",
         "2008-09-30T00:00:00", "2008-W40-2", 20080930, None]
    ),
    st.dates().map(str),
)  # fmt: skip
IDS = ["", "x" * 256, "x" * 257, "a\tb", "a\x7fb", "a\x85b", "a\u00a0b", "số 1", "\U0001f600" * 200]
ODD: dict[str, st.SearchStrategy[Any]] = {
    "specversion": st.sampled_from(["1.0", "0.3", 1.0, None]),
    "id": st.one_of(st.sampled_from(IDS), TEXT),
    "source": st.sampled_from(["/mail/thai-nguyen", "/mail/other", "", 7]),
    "type": st.sampled_from(["vn.tiendo.mail.used.v1", "vn.tiendo.mail.used.v2", "mail.used", "VN.tiendo.mail.used.v1", None]),
    "time": MOMENTS,
    "agency": st.sampled_from(["so-y-te", "so-xay-dung", "none", "So-Y-Te", ""]),
    "datacontenttype": st.sampled_from(["application/json", "application/json; charset=utf-8", "text/xml", "", None]),
    "subject": TEXT,
    "data": st.sampled_from([{}, [], None, "x"]),
    "data_base64": st.just("e30="),
}  # fmt: skip
ODD_DATA: dict[str, st.SearchStrategy[Any]] = {
    "address": ADDRESSES,
    "person": st.sampled_from(["417", {"scheme": "personnel", "value": "1"}, None]),
    "day": DAYS,
    "action": st.sampled_from(["sent", "read", "Sent", "", None]),
    "retracted": st.sampled_from([True, False, 0, "true", None]),
    "extra": st.just(1),
}


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """An event with some attributes changed, left out or written twice, as JSON with or without escapes."""

    def members(whole: dict[str, Any], odd: dict[str, st.SearchStrategy[Any]]) -> list[tuple[str, Any]]:
        found = [one for one in whole.items() if draw(st.integers(0, 19))]
        for name in draw(st.lists(st.sampled_from(sorted(odd)), max_size=2)):
            value = draw(odd[name])
            kept = found if draw(st.integers(0, 3)) == 0 else [one for one in found if one[0] != name]
            found = [*kept, (name, value)]
        return draw(st.permutations(found))

    def joined(pairs: list[tuple[str, str]]) -> str:
        return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"

    ascii_only = draw(st.booleans())
    data = joined([(n, json.dumps(v, ensure_ascii=ascii_only)) for n, v in members(MAIL["data"], ODD_DATA)])
    outside = members(MAIL | {"data": ...}, ODD)
    text = joined([(n, data if v is ... else json.dumps(v, ensure_ascii=ascii_only)) for n, v in outside])
    return text.encode("utf-8", "surrogatepass")


@given(written())
def test_it_takes_nothing_that_the_whole_way_does_not(event: bytes) -> None:
    """Whatever it takes is what the whole way makes of the same bytes, to the last attribute."""
    taken = LANE.take(event)
    assert taken is None or taken == WHOLE.judge(event)


@pytest.mark.parametrize("byte", [b"", b"\x00", b'"', b"\xff", b"9", b" "])
def test_one_byte_otherwise(byte: bytes) -> None:
    """The same for the example with any byte left out or replaced."""
    for at in range(len(raw(MAIL))):
        changed = raw(MAIL)[:at] + byte + raw(MAIL)[at + 1 :]
        taken = LANE.take(changed)
        assert taken is None or taken == WHOLE.judge(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"time": "2008-09-30T16:00:00Z"},
        {"time": "2008-10-01T08:05:00+07:00"},
        {"datacontenttype": "application/json"},
        {"data": MAIL["data"] | {"retracted": True, "address": "LAN+x@Y-Te.gov.vn"}},
    ],
)
def test_what_is_plain_takes_the_short_way(changes: dict[str, Any]) -> None:
    """Otherwise it would be of no use."""
    assert isinstance(LANE.take(raw(MAIL | changes)), MailUsed)
