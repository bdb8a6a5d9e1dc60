"""The published conformance cases of CloudEvents (JSON format, HTTP binding), each as a change to an event of ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.datastructures import Headers

from schemas.reasons import Reason
from schemas.usage import NormalisedEvent
from services.ingest.core.inbound import split_batch
from services.ingest.core.rejection import Refusal
from services.ingest.http.binding import Mode, mode_of, structured
from tests.unit.ingest.examples import admission, example

DOOR = admission("/office/so-y-te")
EVENT = example("document.handled")
ABSENT: Any = object()


def judged(**changes: Any) -> NormalisedEvent | Refusal:
    """Return what the door makes of the example with *changes*; ABSENT leaves an attribute out."""
    whole = {name: value for name, value in (EVENT | changes).items() if value is not ABSENT}
    return DOOR.admit(json.dumps(whole).encode())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"datacontenttype": ABSENT}, id="minimal"),
        pytest.param({"datacontenttype": None, "dataschema": None, "subject": None}, id="null for what is optional"),
        pytest.param({"dataschema": "https://schemas.example/dataschema", "subject": "tests"}, id="all core attributes"),
        pytest.param({"time": "2008-09-30T03:31:00.000000000Z"}, id="time to nanoseconds"),
        pytest.param({"time": "2008-09-30T04:31:00+01:00"}, id="time east of UTC"),
        pytest.param({"time": "2008-09-30T02:31:00-01:00"}, id="time west of UTC"),
        pytest.param(
            {
                "extinteger": 10, "extboolean": True, "extstring": "text", "exturi": "https://ext.example", "exturiref": "//a/b",
                "exttimestamp": "2023-03-31T15:12:00Z", "extbinary": "TWE=",
            },
            id="extensions of every type",
        ),
    ],
)  # fmt: skip
def test_what_the_cases_call_valid_is_taken(changes: dict[str, Any]) -> None:
    """Taken, and the moment is the one that was meant."""
    taken = judged(**changes)
    assert not isinstance(taken, Refusal)
    if "time" in changes:
        assert taken.time == datetime(2008, 9, 30, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize("changes", [{}, {"time": ABSENT}, {"datacontenttype": "text/plain", "data": "Simple text"}])
def test_a_valid_event_of_no_type_of_ours_is_told_so(changes: dict[str, Any]) -> None:
    """The type comes before what our schema asks for."""
    refused = judged(type="io.example.test", **changes)
    assert isinstance(refused, Refusal)
    assert refused.reason is Reason.UNKNOWN_TYPE


def test_a_source_may_be_relative() -> None:
    """``#fragment`` is a source like any other, if it is registered."""
    event = EVENT | {"source": "#fragment"}
    assert not isinstance(admission("#fragment").admit(json.dumps(event).encode()), Refusal)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"specversion": ABSENT}, Reason.MALFORMED),
        ({"id": ABSENT}, Reason.MALFORMED),
        ({"type": ABSENT}, Reason.MALFORMED),
        ({"source": ABSENT}, Reason.MALFORMED),
        ({"time": ABSENT}, Reason.SCHEMA),
        ({"time": None}, Reason.SCHEMA),
        ({"time": "lunchtime"}, Reason.SCHEMA),
        ({"time": "2008-04-05T18:31Z"}, Reason.SCHEMA),
        ({"time": "2008-04-05T18:31:00X"}, Reason.SCHEMA),
        ({"time": "2008-04-05T18:31:00+25:00"}, Reason.SCHEMA),
        ({"time": "2008-04-05T18:31:00+xx:00"}, Reason.SCHEMA),
        ({"time": "2008-04-05T18:31:00+05"}, Reason.SCHEMA),
        ({"id": ""}, Reason.MALFORMED),
        ({"type": ""}, Reason.MALFORMED),
        ({"source": ""}, Reason.MALFORMED),
        ({"specversion": ""}, Reason.MALFORMED),
        ({"specversion": "0.9"}, Reason.MALFORMED),
        ({"specversion": "0.3"}, Reason.MALFORMED),
        ({"datacontenttype": "xyz"}, Reason.SCHEMA),
        ({"datacontenttype": ""}, Reason.SCHEMA),
        ({"dataschema": ""}, Reason.MALFORMED),
        ({"subject": ""}, Reason.MALFORMED),
        ({"id": 25}, Reason.MALFORMED),
        ({"id": {"xyz": "abc"}}, Reason.MALFORMED),
        ({"MyExtension": "bad"}, Reason.MALFORMED),
        ({"my.extension": "bad"}, Reason.MALFORMED),
        ({"myextension": 1.5}, Reason.MALFORMED),
        ({"myextension": 1 << 31}, Reason.MALFORMED),
        ({"myextension": {"a": 1}}, Reason.MALFORMED),
        ({"data_base64": "eyAieHl6IjogMTIzIH0="}, Reason.MALFORMED),
    ],
)
def test_what_the_cases_call_invalid_is_refused(changes: dict[str, Any], reason: Reason) -> None:
    """Each refused with its typed reason, whether the type is one of ours or not, and nothing of it is repeated."""
    refused = judged(**changes)
    assert isinstance(refused, Refusal)
    assert refused.reason is reason
    assert "MyExtension" not in refused.detail + refused.pointer
    assert isinstance(judged(**({"type": "io.example.test"} | changes)), Refusal)


def test_batches() -> None:
    """An empty one has nothing in it; mixed versions, an event without id and what is no object are told one by one."""
    assert split_batch(b"[]") == []
    parts = split_batch(json.dumps([EVENT, EVENT | {"specversion": "0.9"}, "not an object", EVENT]).encode())
    assert not isinstance(parts, Refusal)
    found = [DOOR.admit(part) for part in parts]
    assert [isinstance(one, Refusal) for one in found] == [False, True, True, False]


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_binary_mode(kind: str) -> None:
    """Attributes stand in headers with the prefix; the content type says what the data are."""
    named = {name: value for name, value in EVENT.items() if name not in {"data", "datacontenttype"}}
    headers = Headers({f"ce-{name}": value for name, value in named.items()} | {"content-type": kind})
    assert mode_of(headers) is Mode.BINARY
    event = structured(headers, json.dumps(EVENT["data"], indent=4).encode())
    assert json.loads(event) == EVENT | {"datacontenttype": "application/json"}
    assert DOOR.admit(event) == judged()


@pytest.mark.parametrize(
    "kind",
    ["application/cloudevents+json", "application/cloudevents+json; charset=utf-8", "APPLICATION/CloudEvents+JSON"],
)
def test_structured_mode(kind: str) -> None:
    """The content type says that the body is the whole event."""
    assert mode_of(Headers({"content-type": kind})) is Mode.STRUCTURED


def test_header_values_are_unescaped() -> None:
    """Percent-encoding of what is not printable ASCII, and quoted strings, mean what they stand for."""
    headers = Headers(
        {"content-type": "application/json", "ce-id": "s%E1%BB%91%20417", "ce-subject": '"a \\"b\\" %22"'}
    )
    event = json.loads(structured(headers, b"{}"))
    assert event["id"] == "số 417"
    assert event["subject"] == 'a "b" "'


def test_data_that_are_no_json_are_kept_as_bytes() -> None:
    """They come out as ``data_base64``, and no type of ours has such."""
    headers = Headers({"content-type": "application/json", "ce-id": "1"})
    assert base64.b64decode(json.loads(structured(headers, b"<xml/>"))["data_base64"]) == b"<xml/>"
