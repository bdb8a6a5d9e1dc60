"""What is refused, for which one reason, and what the refusal may say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.events import CATALOGUE
from schemas.reasons import Reason
from services.ingest.core.admission import Admission
from services.ingest.core.inbound import Inbound, id_of, read_event, split_batch
from services.ingest.core.rejection import Refusal
from tests.unit.ingest.examples import admission, example, raw

SECRET = "Bí-Mật-417@nhà"
TYPES = st.sampled_from(sorted(CATALOGUE))


def door(event: dict[str, Any]) -> Admission:
    return admission(example("mail.used")["source"] if event.get("source") is None else event["source"])


def reason(event: Any) -> tuple[Reason, str] | None:
    """Return reason and pointer of the refusal; None where the event is taken."""
    made = admission("/mail/thai-nguyen").admit(raw(event))
    return (made.reason, made.pointer) if isinstance(made, Refusal) else None


def mail(**changes: Any) -> dict[str, Any]:
    whole = example("mail.used") | changes
    return {name: value for name, value in whole.items() if value is not None}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        pytest.param(mail(), None, id="taken"),
        pytest.param(mail(time="2008-10-01T08:05:00+07:00"), None, id="as far ahead as is tolerated"),
        pytest.param(mail(id=None, type="x", agency="none"), (Reason.MALFORMED, "/id"), id="no CloudEvent comes first"),
        pytest.param(mail(type=None), (Reason.MALFORMED, "/type"), id="no type"),
        pytest.param(mail(type=7), (Reason.MALFORMED, "/type"), id="a type that is no text"),
        pytest.param(mail(type="x", time=None), (Reason.UNKNOWN_TYPE, "/type"), id="then the type"),
        pytest.param(mail(time=None, agency="none"), (Reason.SCHEMA, "/time"), id="then the schema"),
        pytest.param(mail(time="1969-12-31T23:59:59Z"), (Reason.SCHEMA, "/time"), id="before all time"),
        pytest.param(mail(time="9999-12-31T23:59:59-14:00"), (Reason.SCHEMA, "/time"), id="later than there is in UTC"),
        pytest.param(mail(agency="none", source="/other"), (Reason.UNKNOWN_AGENCY, "/agency"), id="then the agency"),
        pytest.param(mail(source="/other"), (Reason.NOT_PERMITTED, "/source"), id="another's source"),
        pytest.param(
            mail(agency="so-xay-dung", time="2009-01-01T00:00:00Z"),
            (Reason.NOT_PERMITTED, "/agency"),
            id="another's agency",
        ),
        pytest.param(mail(time="2008-10-01T08:05:01+07:00"), (Reason.FUTURE_DATED, "/time"), id="the clock comes last"),
    ],
)
def test_one_reason_in_a_fixed_order(event: dict[str, Any], expected: tuple[Reason, str] | None) -> None:
    """Of several faults the one that must be mended first is told."""
    assert reason(event) == expected


def test_a_report_of_its_feed_is_always_allowed() -> None:
    """A source may say what it sent without being registered for that; for agencies of its own only."""
    own = admission("/office/so-y-te")
    narrow = Admission(
        permit=type(own.permit)(own.permit.source, frozenset({"record.filed"}), own.permit.agencies),
        registry=own.registry,
        pseudonyms=own.pseudonyms,
        now=own.now,
        tolerance=own.tolerance,
    )
    assert not isinstance(narrow.admit(raw(example("feed.reported"))), Refusal)
    refused = narrow.admit(raw(example("task.directed")))
    assert isinstance(refused, Refusal)
    assert (refused.reason, refused.pointer) == (Reason.NOT_PERMITTED, "/type")


def _places(value: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(value, dict):
        return [path]
    return [path, *(place for key, inner in value.items() for place in _places(inner, (*path, key)))]


def _changed(value: Any, path: tuple[str, ...], new: Any) -> Any:
    if not path:
        return new
    return value | {path[0]: _changed(value[path[0]], path[1:], new)}


@given(TYPES, st.data())
def test_a_refusal_repeats_nothing_that_was_sent(short: str, data: st.DataObject) -> None:
    """Whatever is wrong, and wherever, neither detail nor pointer holds a value or a made-up name of the sender."""
    event = example(short)
    path = data.draw(st.sampled_from(_places(event)))
    wrong = data.draw(
        st.sampled_from(
            [SECRET, {SECRET: SECRET}, [SECRET], {"scheme": SECRET}, {"value": {SECRET: 1}}, 41741741, None]
        )
    )
    bad = _changed(event, path, wrong)
    if isinstance(bad, dict) and "data" in bad and data.draw(st.booleans()):
        bad = bad | {
            SECRET: SECRET,
            "data": bad["data"] | {SECRET: 1} if isinstance(bad["data"], dict) else bad["data"],
        }
    made = door(event).admit(raw(bad))
    if isinstance(made, Refusal):
        told = f"{made.detail} {made.pointer}"
        assert SECRET not in told
        assert "417417" not in told
        assert "nguyenvan" not in told


@given(st.binary(max_size=60))
def test_any_bytes_are_an_event_or_a_refusal(body: bytes) -> None:
    """Nothing that can be sent raises."""
    assert isinstance(read_event(body), Inbound | Refusal)
    assert isinstance(split_batch(body), list | Refusal)
    id_of(body)


@given(st.integers(min_value=0))
def test_an_event_cut_anywhere_is_refused(at: int) -> None:
    """A prefix of an event is malformed, at every byte."""
    whole = raw(example("document.exchanged"))
    made = read_event(whole[: at % len(whole)])
    assert isinstance(made, Refusal)
    assert made.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="deep arrays"),
        pytest.param(b'{"data":' * 50_000, id="deep objects"),
        pytest.param(b'{"id":"\\ud800"}', id="half a surrogate"),
        pytest.param(b'{"id":"\xff"}', id="not UTF-8"),
        pytest.param(b"\xef\xbb\xbf{}", id="a byte order mark"),
        pytest.param(b'{"data":' + b"9" * 5000 + b"}", id="an endless number"),
    ],
)
def test_hostile_json_is_refused(body: bytes) -> None:
    """Nesting, broken text and endless numbers end in a refusal, not in an error."""
    assert isinstance(read_event(body), Refusal)
    assert isinstance(split_batch(b"[" + body + b"]"), list | Refusal)
    id_of(body)


def test_a_batch_is_split_into_what_was_sent() -> None:
    """Each element keeps its bytes, so that what is refused is kept as it was sent."""
    assert split_batch(b' [ {"a" : 1}, 7 ,"x"] ') == [b'{"a" : 1}', b"7", b'"x"']
    assert split_batch(b"[]") == []
    whole = split_batch(b'{"a": 1}')
    assert isinstance(whole, Refusal)
    assert whole.reason is Reason.MALFORMED


def test_the_id_goes_back_to_its_sender() -> None:
    """The answer names the event by the id that the sender gave it, where it gave one."""
    assert id_of(json.dumps({"id": "a/1"}).encode()) == "a/1"
    assert id_of(b'{"id": 5}') is None
    assert id_of(b"nothing") is None
