"""The gateway while its broker is away, and when it is told to end."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.fixtures.gateway import KEY, Gateway, encoded, ensure, event, prepare, publish_documents, sources
from tests.fixtures.kafka import Kafka
from tests.fixtures.tansu import Tansu

pytestmark = pytest.mark.integration

BATCH = "application/cloudevents-batch+json"


@pytest.fixture
def own_gateway(tansu: Tansu, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway of the test's own on a broker of the test's own, both empty."""
    running = Gateway(tansu.address, tmp_path)
    try:
        yield running
    finally:
        running.stop()


def test_nothing_is_accepted_while_the_broker_is_away(tansu: Tansu, own_gateway: Gateway) -> None:
    """Broker killed: 503 with Retry-After and nothing accepted. Broker back and told anew: it goes on by itself."""
    prepare(tansu.address)
    own_gateway.start()
    assert own_gateway.post(encoded(event())).status_code == 202

    tansu.kill9()
    for content, kind in ((event(), "application/cloudevents+json"), ([event(), 7], BATCH), ([7], BATCH)):
        began = time.monotonic()
        answer = own_gateway.post(encoded(content), kind)
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["accepted"] == 0
        assert time.monotonic() - began < 20
    own_gateway.wait_for("/readyz", code=503)
    assert own_gateway.client.get("/healthz").status_code == 200

    tansu.start()
    prepare(tansu.address)
    own_gateway.wait_for("/readyz")
    answer = own_gateway.post(encoded([event(id="after"), event(id="bad", agency="none")]), BATCH)
    for _ in range(20):
        if answer.status_code != 503:
            break
        time.sleep(0.5)
        answer = own_gateway.post(encoded([event(id="after"), event(id="bad", agency="none")]), BATCH)
    assert answer.status_code == 207, answer.text
    assert own_gateway.events()
    assert own_gateway.rejections()


def test_it_waits_for_a_broker_that_comes_later(tansu: Tansu, own_gateway: Gateway) -> None:
    """Started first, the gateway answers 503 until broker, topics and documents are there, and then accepts."""
    tansu.kill9()
    own_gateway.start(ready=False)
    assert own_gateway.client.get("/readyz").status_code == 503
    assert own_gateway.post(encoded(event())).status_code == 503
    tansu.start()
    prepare(tansu.address)
    own_gateway.wait_for("/readyz")
    assert own_gateway.post(encoded(event())).status_code == 202


def test_what_was_accepted_is_answered_before_the_end(tansu: Tansu, own_gateway: Gateway) -> None:
    """SIGTERM under load: every event answered 202 stands in the log, and the exit code is 0."""
    prepare(tansu.address)
    own_gateway.start()
    accepted: list[str] = []

    def send(worker: int) -> None:
        with httpx.Client(
            base_url=own_gateway.client.base_url, headers=own_gateway.client.headers, timeout=30
        ) as client:
            for number in range(10_000):
                document = f"{worker}/{number}"
                data = {
                    "issuer": "tinh",
                    "number": document,
                    "issued_on": "2008-09-30",
                    "counterpart": "so-y-te",
                    "step": "entered",
                    "day": "2008-09-30",
                }
                body = encoded(event(id=document, type="vn.tiendo.document.exchanged.v1", data=data))
                try:
                    answer = client.post(
                        "/v1/events", content=body, headers={"Content-Type": "application/cloudevents+json"}
                    )
                except httpx.TransportError:
                    return
                if answer.status_code == 202:
                    accepted.append(document)

    senders = [threading.Thread(target=send, args=(worker,)) for worker in range(4)]
    for sender in senders:
        sender.start()
    time.sleep(1.5)
    assert own_gateway.stop() == 0
    for sender in senders:
        sender.join(60)
    assert accepted
    assert set(accepted) <= {one.id for one in own_gateway.events()}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_it_ends_cleanly(tansu: Tansu, own_gateway: Gateway, number: signal.Signals) -> None:
    """Either signal ends an idle gateway with exit code 0, with and without a broker."""
    prepare(tansu.address)
    own_gateway.start()
    tansu.kill9()
    own_gateway.signal(number)
    assert own_gateway.stop() == 0
    assert "Traceback" not in own_gateway.log.read_text()


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        pytest.param(None, "TIENDO_INGEST_KEY", id="none"),
        pytest.param("5f" * 31, "at least 32 bytes", id="short"),
        pytest.param("secret!" * 10, "hex or base64", id="neither"),
    ],
)
def test_it_does_not_start_without_a_key(key: str | None, fault: str) -> None:
    """There is no default key; a bad one is named by its variable and not repeated. All faults are told at once."""
    environment = {"TIENDO_INGEST_PORT": "70000"} | ({"TIENDO_INGEST_KEY": key} if key else {})
    done = subprocess.run(
        [sys.executable, "-m", "services.ingest"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert fault in done.stderr
    assert "TIENDO_INGEST_PORT" in done.stderr
    assert key is None or key not in done.stderr
    assert KEY not in json.dumps(done.stderr)


def test_a_broker_that_was_told_anew_unnoticed(tansu: Tansu, own_gateway: Gateway) -> None:
    """A broker that died and was told fewer documents while nobody sent anything: a later revision still takes effect."""
    prepare(tansu.address)
    for revision in (2, 3):
        publish_documents(tansu.address, revision=revision)
    own_gateway.start()
    tansu.restart()
    ensure(tansu.address)
    publish_documents(tansu.address, revision=3)
    publish_documents(tansu.address, revision=4, listed=sources(types=("mail.used", "headcount.declared")))
    data = {"agency": "so-y-te", "day": "2008-09-30", "count": 3}
    body = encoded(event(type="vn.tiendo.headcount.declared.v1", data=data))
    until = time.monotonic() + 100
    while (code := own_gateway.post(body).status_code) != 202:
        assert time.monotonic() < until, (code, own_gateway.log.read_text())
        time.sleep(0.5)


@pytest.mark.kafka
def test_on_apache_kafka(kafka: Kafka, tmp_path: Path) -> None:
    """Accepted, refused, broker killed and back: the same on Apache Kafka, which forgets nothing."""
    prepare(kafka.address)
    running = Gateway(kafka.address, tmp_path)
    try:
        running.start()
        assert running.post(encoded([event(), event(agency="none")]), BATCH).status_code == 207
        kafka.kill9()
        assert running.post(encoded(event())).status_code == 503
        kafka.start()
        running.wait_for("/readyz")
        until = time.monotonic() + 60
        while running.post(encoded(event())).status_code != 202:
            assert time.monotonic() < until, running.log.read_text()
            time.sleep(0.5)
        assert len({one.id for one in running.events()}) == 1
        assert len(running.rejections()) == 1
    finally:
        running.stop()
