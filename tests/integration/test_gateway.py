"""The gateway as a process, on the embedded broker: what it accepts, tells about itself, and keeps to itself."""

import gzip
import time
from collections.abc import Callable

import pytest
import zstandard

from schemas.events import CATALOGUE
from tests.fixtures.gateway import (
    BATCH,
    EXPIRED_TOKEN,
    OTHER_TOKEN,
    TOKEN,
    Gateway,
    Growth,
    encoded,
    event,
    publish_documents,
    sources,
    until_answered,
)

pytestmark = pytest.mark.integration


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
    assert set(documented) == {"202", "207", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"}
    page = gateway.client.get("/docs").text
    assert "POST /v1/events" in page
    assert "//" not in page.replace("<!doctype", "")
    assert gateway.client.get("/v1/nothing").json()["error"] == "unknown-path"
    assert gateway.client.put("/v1/events").json()["error"] == "wrong-method"


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
