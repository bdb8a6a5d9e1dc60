"""The gateway as a process, on the embedded broker: what it answers and what then stands in the topics."""

import gzip
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import zstandard

from schemas.events import CATALOGUE
from schemas.reasons import Reason
from services.ingest.adapters.sealing import Seal
from tests.fixtures.gateway import (
    EXPIRED_TOKEN,
    KEY,
    OTHER_TOKEN,
    TOKEN,
    Gateway,
    encoded,
    event,
    publish_documents,
    sources,
)

pytestmark = pytest.mark.integration

BATCH = "application/cloudevents-batch+json"


class Growth:
    """What the topics hold more than when this was made."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._events = len(gateway.events())
        self._rejections = len(gateway.rejections())

    def events(self) -> list[Any]:
        # Partitions are read one after the other, so new events are told by their moment of receipt.
        return sorted(self._gateway.events(), key=lambda one: one.received)[self._events :]

    def rejections(self) -> list[Any]:
        return self._gateway.rejections()[self._rejections :]


@pytest.fixture
def growth(gateway: Gateway) -> Growth:
    return Growth(gateway)


def opened(rejection: Any) -> bytes:
    """Return the original bytes of a rejection, as whoever holds the gateway's key can."""
    return Seal(bytes.fromhex(KEY)).open(rejection.body, rejection=rejection.rejection)


def until_answered(gateway: Gateway, one: dict[str, Any], code: int) -> None:
    """Return once the gateway answers *one* with *code*."""
    until = time.monotonic() + 20
    while (found := gateway.post(encoded(one)).status_code) != code:
        assert time.monotonic() < until, found
        time.sleep(0.05)


def told(answer: httpx.Response) -> list[tuple[Any, ...]]:
    """Return index, id, reason and pointer of each event that an answer says was refused."""
    return [(one["index"], one["id"], one["reason"], one["pointer"]) for one in answer.json()["rejected"]]


def test_a_structured_event_lands_in_the_log(gateway: Gateway, growth: Growth) -> None:
    """One event in structured mode is answered 202 and stands in the log under its agency, with pseudonyms."""
    answer = gateway.post(encoded(event()))
    assert (answer.status_code, answer.json()) == (202, {"accepted": 1, "rejected": []})
    (kept,) = growth.events()
    assert (kept.source, kept.agency, kept.data.kind) == ("/mail/thai-nguyen", "tinh", "address")
    assert kept.time.isoformat() == "2008-09-30T16:00:00+00:00"
    assert growth.rejections() == []


def test_a_batch_becomes_one_record_per_agency(gateway: Gateway, growth: Growth) -> None:
    """The events of a batch keep their order within their agency."""
    events = [event(id=str(number), agency=("tinh", "so-y-te")[number % 2]) for number in range(9)]
    answer = gateway.post(encoded(events), BATCH)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 9)
    assert len(growth.events()) == 9


def test_an_empty_batch_is_fine(gateway: Gateway, growth: Growth) -> None:
    """Nothing to accept is no fault."""
    answer = gateway.post(b"[]", BATCH)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 0, "rejected": []})
    assert growth.events() == growth.rejections() == []


def test_binary_mode(gateway: Gateway, growth: Growth) -> None:
    """Attributes in headers, quoted or percent-encoded where need be, and the data as the body say the same event."""
    whole = event(id="thư/1")
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "th%C6%B0/1",
        "ce-source": "/mail/thai-nguyen",
        "ce-type": whole["type"],
        "ce-time": whole["time"],
        "ce-agency": '"tinh"',
        "ce-subject": "nobody",
        "ce-data": "not this",
    }
    answer = gateway.post(encoded(whole["data"]), "application/json; charset=utf-8", **headers)
    assert answer.status_code == 202, answer.text
    gateway.post(encoded(whole))
    binary, structured = growth.events()
    assert binary.id == structured.id
    assert binary.data == structured.data


def test_binary_mode_with_a_body_that_is_no_json(gateway: Gateway, growth: Growth) -> None:
    """A body in binary mode cannot write attributes, and what is no JSON is refused and kept."""
    whole = event()
    headers = {f"ce-{name}": whole[name] for name in ("specversion", "id", "source", "type", "time", "agency")}
    answer = gateway.post(b'{"day":"2008-09-30"},"source":"/other"', "application/json", **headers)
    assert answer.status_code == 422
    assert told(answer) == [(0, whole["id"], "schema", "/data")]
    (kept,) = growth.rejections()
    assert json.loads(opened(kept))["source"] == "/mail/thai-nguyen"


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        pytest.param("gzip", gzip.compress, id="gzip"),
        pytest.param(
            "gzip", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:]), id="gzip of two members"
        ),
        pytest.param("zstd", zstandard.compress, id="zstd"),
        pytest.param("identity", bytes, id="identity"),
    ],
)
def test_packed_bodies(gateway: Gateway, growth: Growth, encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """A packed body is taken like a plain one."""
    answer = gateway.post(pack(encoded([event(id=encoding)])), BATCH, Content_Encoding=encoding)
    assert answer.status_code == 202, answer.text
    assert len(growth.events()) == 1


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


def test_checking_publishes_nothing(gateway: Gateway, growth: Growth) -> None:
    """`events:check` answers as `events` would, and leaves nothing behind."""
    events = [event(), event(agency="so-khong-co")]
    checked = gateway.client.post("/v1/events:check", content=encoded(events), headers={"Content-Type": BATCH})
    assert growth.events() == growth.rejections() == []
    published = gateway.post(encoded(events), BATCH)
    assert (checked.status_code, checked.json()) == (published.status_code, published.json())


def test_a_new_revision_takes_effect(gateway: Gateway) -> None:
    """A type that a source may send from a new revision on is accepted without a restart, an older revision undoes nothing."""
    read = event(type="vn.tiendo.feed.reported.v1", data={"type": "mail.used", "day": "2008-09-30", "count": 0})
    other = event(
        id="new", type="vn.tiendo.headcount.declared.v1", data={"agency": "so-y-te", "day": "2008-09-30", "count": 3}
    )
    assert gateway.post(encoded(read)).status_code == 202
    assert gateway.post(encoded(other)).status_code == 403
    publish_documents(gateway.kafka, revision=2, listed=sources(types=("mail.used", "headcount.declared")))
    try:
        until_answered(gateway, other, 202)
        publish_documents(gateway.kafka, revision=1)
        time.sleep(1)
        assert gateway.post(encoded(other)).status_code == 202
    finally:
        publish_documents(gateway.kafka, revision=3)
        until_answered(gateway, other, 403)


def test_what_it_tells_about_itself(gateway: Gateway) -> None:
    """Schemas, probes, metrics and the OpenAPI document are there; unknown paths and methods get typed JSON."""
    assert len(gateway.client.get("/v1/schemas").json()["types"]) == len(CATALOGUE)
    assert gateway.client.get("/v1/schemas/mail.used").json()["personal"] is True
    assert gateway.client.get("/v1/schemas/gossip").json()["error"] == "unknown-path"
    assert gateway.client.get("/healthz").json() == {"status": "alive"}
    assert gateway.client.get("/readyz").json() == {"status": "ready", "missing": []}
    assert "tiendo_ingest_ready 1.0" in gateway.client.get("/metrics").text
    documented = gateway.client.get("/openapi.json").json()["paths"]["/v1/events"]["post"]["responses"]
    assert set(documented) == {"202", "207", "400", "401", "403", "408", "413", "415", "422", "500", "503"}
    assert gateway.client.get("/v1/nothing").json()["error"] == "unknown-path"
    assert gateway.client.get("/v1/events").json()["error"] == "wrong-method"


def test_nothing_personal_leaks(gateway: Gateway, growth: Growth) -> None:
    """No address, person, row key, id or token of what was sent stands in any topic, log, metric or other's answer."""
    person = {"scheme": "personnel", "value": "TN-SECRET-1"}
    box = {"stint": "ROW-SECRET-2", "address": "secret3@thainguyen.example", "owner": person, "from": "2008-01-01"}
    opening = event(id="ID-SECRET-4", type="vn.tiendo.mailbox.opened.v1", data=box)
    bad = opening | {"data": box | {"note-secret5": "secret6"}}
    query = "/v1/events?token=SECRET-7"
    answer = gateway.client.post(
        query, content=encoded([opening, bad, {"x": "secret8"}]), headers={"Content-Type": BATCH}
    )
    assert answer.status_code == 207
    assert "secret" not in answer.text.lower().replace("id-secret-4", "")
    assert len(growth.events()) == 1
    written = "\n".join(
        [
            *(repr(one) for one in gateway.events()),
            *(one.model_dump_json() for one in gateway.rejections()),
            gateway.log.read_text(),
            gateway.client.get("/metrics").text,
        ]
    ).lower()
    assert "secret" not in written
    assert "lan.nguyen" not in written
    for token in (TOKEN, OTHER_TOKEN, EXPIRED_TOKEN, "guessed"):
        assert token not in written
