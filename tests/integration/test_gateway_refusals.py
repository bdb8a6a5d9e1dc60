"""What the gateway refuses: with which answer, for which reason, and what is kept of it."""

import gzip
import json
from typing import Any

import pytest
import zstandard

from schemas.reasons import Reason
from tests.fixtures.gateway import (
    BATCH,
    EXPIRED_TOKEN,
    OTHER_TOKEN,
    TOKEN,
    Gateway,
    Growth,
    encoded,
    event,
    opened,
    told,
)

pytestmark = pytest.mark.integration


def test_binary_mode_with_a_body_that_is_no_json(gateway: Gateway, growth: Growth) -> None:
    """A body in binary mode cannot write attributes, and what is no JSON is refused and kept."""
    whole = event()
    headers = {f"ce-{name}": whole[name] for name in ("specversion", "id", "source", "type", "time", "agency")}
    answer = gateway.post(b'{"day":"2008-09-30"},"source":"/other"', "application/json", **headers)
    assert answer.status_code == 422
    assert told(answer) == [(0, whole["id"], "schema", "/data")]
    (kept,) = growth.rejections()
    assert json.loads(opened(kept))["source"] == "/mail/thai-nguyen"


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_does_not_go_off(gateway: Gateway, growth: Growth, encoding: str) -> None:
    """A small body that unpacks to 200 MB is refused without being unpacked."""
    zeros = b"0" * (200 << 20)
    bomb = gzip.compress(zeros, 9) if encoding == "gzip" else zstandard.compress(zeros)
    answer = gateway.post(bomb, BATCH, Content_Encoding=encoding)
    assert answer.status_code == 413
    assert told(answer) == [(None, None, "too-large", "")]
    (kept,) = growth.rejections()
    assert kept.reason is Reason.TOO_LARGE
    assert bomb.startswith(opened(kept))


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_broken_packing_is_unreadable(gateway: Gateway, encoding: str) -> None:
    """A body that is not what its encoding says, or was cut, is unreadable."""
    whole = gzip.compress(encoded([event()])) if encoding == "gzip" else zstandard.compress(encoded([event()]))
    for broken in (b"nothing packed", whole[: len(whole) // 2], whole[:3], b""):
        assert gateway.post(broken, BATCH, Content_Encoding=encoding).status_code == 400


def test_a_half_valid_batch(gateway: Gateway, growth: Growth) -> None:
    """The good half is accepted, each of the others has its reason and place, and is kept whole."""
    events = [
        event(id="good"),
        event(id="type", type="vn.tiendo.gossip.v1"),
        event(id="schema", data={"address": "lan@thainguyen.example", "day": "2008-09-31", "action": "sent"}),
        event(id="agency", agency="so-khong-co"),
        event(id="source", source="/office/so-y-te"),
        event(id="future", time="2008-10-01T09:00:00+07:00"),
        event(id=None),
        7,
        event(id="good too"),
    ]
    answer = gateway.post(encoded(events), BATCH)
    assert answer.status_code == 207
    assert answer.json()["accepted"] == 2
    assert told(answer) == [
        (1, "type", "unknown-type", "/type"),
        (2, "schema", "schema", "/data/day"),
        (3, "agency", "unknown-agency", "/agency"),
        (4, "source", "not-permitted", "/source"),
        (5, "future", "future-dated", "/time"),
        (6, None, "malformed", "/id"),
        (7, None, "malformed", ""),
    ]
    assert len(growth.events()) == 2
    kept = growth.rejections()
    assert [json.loads(opened(one)) for one in kept] == events[1:8]
    assert [one.reason.value for one in kept] == [reason for _, _, reason, _ in told(answer)]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[{}]", b"{} {}", b"{}, {}", b"7", b"nothing", b"[" * 100_000]
)
def test_an_unreadable_body_is_kept_too(gateway: Gateway, growth: Growth, body: bytes) -> None:
    """What is no JSON object is answered 400 and kept with its reason."""
    answer = gateway.post(body)
    assert answer.status_code == 400
    assert told(answer) == [(None, None, "malformed", "")]
    (kept,) = growth.rejections()
    assert (kept.reason, kept.source, opened(kept)) == (Reason.MALFORMED, "/mail/thai-nguyen", body)


@pytest.mark.parametrize(
    ("changes", "code", "reason"),
    [
        pytest.param({"type": "vn.tiendo.gossip.v1"}, 422, "unknown-type", id="unknown type"),
        pytest.param({"agency": "so-khong-co"}, 422, "unknown-agency", id="unknown agency"),
        pytest.param({"time": "2008-10-01T08:30:00+07:00"}, 422, "future-dated", id="future time"),
        pytest.param({"time": None}, 422, "schema", id="no time"),
        pytest.param({"source": "/office/so-y-te"}, 403, "not-permitted", id="another's source"),
    ],
)
def test_a_single_event_that_is_refused(
    gateway: Gateway, growth: Growth, changes: dict[str, Any], code: int, reason: str
) -> None:
    """A refused event is answered with its reason, nothing of it is accepted, and it is kept."""
    answer = gateway.post(encoded(event(**changes)))
    assert answer.status_code == code
    assert [one["reason"] for one in answer.json()["rejected"]] == [reason]
    assert growth.events() == []
    assert [one.reason.value for one in growth.rejections()] == [reason]


def test_one_agency_cannot_speak_for_another(gateway: Gateway, growth: Growth) -> None:
    """A source registered for one agency may not state anything about another, named outside or inside the data."""
    data = {"agency": "so-y-te", "id": "1", "step": "entered", "day": "2008-09-30"}
    own = event(source="/office/so-y-te", type="vn.tiendo.document.handled.v1", agency="so-y-te", data=data)
    events = [own, own | {"agency": "so-xay-dung"}, own | {"data": data | {"agency": "so-xay-dung"}}]
    answer = gateway.post(encoded(events), BATCH, Authorization=f"Bearer {OTHER_TOKEN}")
    assert answer.status_code == 207
    assert [(one[2], one[3]) for one in told(answer)] == [
        ("not-permitted", "/agency"),
        ("not-permitted", "/data/agency"),
    ]
    assert len(growth.events()) == 1


@pytest.mark.parametrize(
    "header",
    [
        pytest.param("", id="none"),
        pytest.param("Bearer", id="empty"),
        pytest.param("Bearer guessed", id="wrong"),
        pytest.param(f"Bearer {EXPIRED_TOKEN}", id="expired"),
        pytest.param(f"Basic {TOKEN}", id="another scheme"),
    ],
)
def test_without_a_valid_token_nothing_is_told(gateway: Gateway, growth: Growth, header: str) -> None:
    """Every invalid token gets the same answer, before anything else is looked at, and nothing is kept."""
    answer = gateway.post(b"{", "text/plain", Authorization=header)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json() == {"error": "unauthorized", "detail": "a valid bearer token is required", "accepted": 0}
    assert growth.rejections() == []


@pytest.mark.parametrize(
    ("content_type", "encoding"),
    [
        pytest.param("text/plain", "identity", id="text"),
        pytest.param("application/json", "identity", id="JSON without ce- headers"),
        pytest.param("application/cloudevents+avro", "identity", id="another format"),
        pytest.param("application/cloudevents+json; charset=utf-16", "identity", id="another character set"),
        pytest.param("application/cloudevents+json", "br", id="another encoding"),
    ],
)
def test_what_is_not_taken_here(gateway: Gateway, content_type: str, encoding: str) -> None:
    """Other content types and encodings are answered 415."""
    answer = gateway.post(encoded(event()), content_type, Content_Encoding=encoding)
    assert (answer.status_code, answer.json()["error"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    "body",
    [pytest.param(b" " * (701 << 10), id="bytes"), pytest.param(b"[" + b"7," * 1000 + b"7]", id="events")],
)
def test_too_large(gateway: Gateway, growth: Growth, body: bytes) -> None:
    """A body above the limit and a batch of too many events are answered 413."""
    answer = gateway.post(body, BATCH)
    assert (answer.status_code, told(answer)) == (413, [(None, None, "too-large", "")])
    assert [one.reason for one in growth.rejections()] == [Reason.TOO_LARGE]


def test_the_largest_body_can_be_kept(gateway: Gateway, growth: Growth) -> None:
    """A body just below the limit fits into the log of what was refused, encrypted and whole."""
    body = b"{" + b"x" * ((700 << 10) - 1)
    assert gateway.post(body).status_code == 400
    (kept,) = growth.rejections()
    assert opened(kept) == body
