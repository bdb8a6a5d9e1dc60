"""The official SDK for Python, unchanged, on both sides: what it sends is taken, what the log holds it can read."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from schemas.topics import Topic
from services.infra.kafka import read_all
from tests.fixtures.gateway import BATCH, Gateway

pytestmark = pytest.mark.integration
DATA = {
    "issuer": "tinh", "number": "214/UBND-VX ngày Ⅻ", "issued_on": "2008-09-29", "counterpart": "so-y-te", "step": "entered",
    "day": "2008-09-30",
}  # fmt: skip


def made(id: str) -> CloudEvent:
    """Return an event as an integrator makes it with the SDK."""
    attributes = {
        "type": "vn.tiendo.document.exchanged.v1", "source": "/mail/thai-nguyen", "id": id, "agency": "tinh",
        "time": datetime(2008, 9, 30, 8, 15, tzinfo=UTC), "datacontenttype": "application/json",
    }  # fmt: skip
    return CloudEvent(attributes, DATA)


@pytest.mark.parametrize("binding", [to_binary_event, to_structured_event])
def test_what_the_sdk_sends_is_taken(gateway: Gateway, binding: Callable[[CloudEvent], HTTPMessage]) -> None:
    """Binary and structured mode as the SDK writes them; the log's record is a CloudEvent that the SDK reads."""
    event = made(f"số {uuid.uuid4()} 100%")
    message = binding(event)

    answer = gateway.client.post("/v1/events", content=message.body, headers=message.headers)

    assert answer.status_code == 202, answer.text
    (read,) = (one for one in _read(gateway) if one.get_id() == event.get_id())
    assert read.get_type() == event.get_type()
    assert read.get_source() == event.get_source()
    assert read.get_time() == event.get_time()
    assert read.get_extension("agency") == "tinh"
    assert read.get_data()["number"] == DATA["number"]


def test_a_batch_of_the_sdks_events_is_taken(gateway: Gateway) -> None:
    """The SDK writes no batches over HTTP; its structured events in a list are one."""
    events = [made(f"batch/{uuid.uuid4()}") for _ in range(3)]
    body = b"[" + b",".join(JSONFormat().write(one) for one in events) + b"]"

    answer = gateway.client.post("/v1/events", content=body, headers={"Content-Type": BATCH})

    assert (answer.status_code, answer.json()["accepted"]) == (202, 3)


def _read(gateway: Gateway) -> list[CloudEvent]:
    found = []
    for record in read_all(gateway.kafka, Topic.EVENTS):
        headers = dict(record.headers)
        if headers["content-type"] == b"application/cloudevents+json" and b"document.exchanged" in (
            record.value or b""
        ):
            whole = json.loads(record.value or b"")
            assert whole["specversion"] == "1.0"
            found.append(from_structured_event(KafkaMessage(headers=headers, key=None, value=record.value or b"")))
    return found
