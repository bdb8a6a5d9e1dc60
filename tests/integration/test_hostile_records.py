"""Records that nobody should have written, on broker, database and a worker: what is good is counted, the rest set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kafka
import pytest

from schemas.topics import Topic
from schemas.usage import BATCH_CONTENT_TYPE, SINGLE_CONTENT_TYPE
from services.infra.clickhouse.client import open_clickhouse
from tests.chaos_site import Site
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.tansu import Tansu
from tests.unit.test_hostile_records import BAD

pytestmark = pytest.mark.integration

AT = "2008-06-25T03:00:00Z"


def item(number: str, id: str = "", **more: Any) -> bytes:
    data = {"agency": "a", "id": id or number, "step": "entered", "day": "2008-06-09"} | more
    about = {"id": number, "source": "/s", "agency": "a", "time": AT, "received": AT}
    return json.dumps({"type": "vn.tiendo.record.filed.v1", **about, "data": data}, ensure_ascii=False).encode()


@pytest.fixture
def site(tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    site = Site(tansu, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


def test_no_record_stops_the_worker(site):
    """Rubbish of every kind, 20 MB at once, thousands of events in one, and keys as long as they may be: the worker goes on."""
    limits = {"TIENDO_AGGREGATOR_DEAD_LETTERS_PERCENT": "0", "TIENDO_AGGREGATOR_DEAD_LETTERS_IN_A_ROW": "0"}
    worker = site.spawn("worker", "services.aggregator", **limits)
    site.wait(lambda: site.ready("worker"), 60)
    half = [item(f"b{n}") if n % 2 else item(f"b{n}", day="never") for n in range(10_000)]
    records = [
        *((value, SINGLE_CONTENT_TYPE) for value in BAD.values()),
        (b"\x00" * 20_000_000, SINGLE_CONTENT_TYPE),
        (item("plain"), "text/plain"),
        (b"[" + item("lost") + b"]", "text/plain"),
        (b"[" + b",".join(half) + b"]", BATCH_CONTENT_TYPE),
        *((item(f"long{n}", id="đ" * 190 + str(n)), SINGLE_CONTENT_TYPE) for n in range(1500)),
    ]
    producer = kafka.KafkaProducer(**site.broker.address.options(), max_request_size=64 << 20)
    sent = [
        producer.send(Topic.EVENTS.value, key=b"k", value=value, headers=[("content-type", kind.encode())])
        for value, kind in records
    ]
    for one in sent:
        one.get(30)
    producer.close()

    site.settle(120)

    with open_clickhouse(site.address) as database:
        assert database.rows("SELECT uniqExact(id) FROM events") == [(1 + 5_000 + 1_500,)]
        assert database.rows("SELECT uniqExact(id) FROM items") == [(1 + 5_000 + 1_500,)]
        assert database.rows("SELECT uniqExact(rejection) FROM rejected") == [(len(BAD) + 2 + 5_000,)]
    assert worker.poll() is None
