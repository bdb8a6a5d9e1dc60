"""The database, or the way to it, dies without a word: nobody waits for ever, it is said, and nothing is lost or doubled."""

from __future__ import annotations

import json
import random
import signal
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from services.core.errors import Transient
from services.infra.clickhouse import client
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from tests.chaos import Flow, records_of
from tests.chaos_round import compare
from tests.chaos_site import Site
from tests.chaos_world import chaos_events
from tests.fixtures.chdb import ChdbServer, eventually
from tests.fixtures.proxy import Proxy
from tests.fixtures.tansu import Tansu

pytestmark = pytest.mark.integration

EVENTS = chaos_events(random.Random(12), 3000, window=300)
WRITTEN = "tiendo_aggregator_events_total"


@pytest.fixture
def site(tansu: Tansu, chdb_server: ChdbServer, tmp_path: Path) -> Iterator[Site]:
    """A broker of the test's own with topics and plan, an empty database, no worker yet."""
    site = Site(tansu, chdb_server, tmp_path)
    site.topics()
    site.publish_plan()
    yield site
    site.stop()


@pytest.fixture
def proxy(chdb_server: ChdbServer) -> Iterator[Proxy]:
    """A way to the database that can be silenced."""
    proxy = Proxy(chdb_server.port)
    yield proxy
    proxy.close()


def missing(site: Site, name: str) -> list[str]:
    """Return what the worker says it lacks."""
    try:
        with urlopen(f"http://127.0.0.1:{site.ports[name]}/readyz", timeout=2):
            return []
    except HTTPError as answer:
        return list(json.loads(answer.read())["missing"])


def test_a_server_that_does_not_greet_is_not_waited_for_long(monkeypatch):
    """Somebody listens and says nothing, as a stopped server does: Transient, long before a query's time is over."""
    monkeypatch.setattr(client, "GREETING_S", 0.5)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        open_clickhouse(ClickHouseAddress(port=silent.getsockname()[1], timeout_s=60)) as database,
    ):
        began = time.monotonic()
        with pytest.raises(Transient, match="not answering"):
            database.rows("SELECT 1")
        assert time.monotonic() - began < 5
        assert database.unanswered() == 0


def test_a_machine_that_has_gone_is_asked_for(shared_chdb):
    """The connection has keepalive probes on, and gives up what nobody acknowledges."""
    with open_clickhouse(ClickHouseAddress(port=shared_chdb.port, database="default")) as database:
        database.rows("SELECT 1")
        used = database._client.connection.socket
        assert used.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT, socket.TCP_USER_TIMEOUT)
        assert [used.getsockopt(socket.IPPROTO_TCP, one) for one in options] == [30, 10, 3, 60_000]


def test_a_value_that_no_column_holds_is_a_bug_and_not_a_wait(chdb_client, chdb_database, shared_chdb):
    """Whoever would wait for it to fit waits for ever; the value is not told, and the connection can be used again."""
    chdb_client.execute("CREATE TABLE held (number UInt32, at DateTime64(6, 'UTC')) ENGINE = Memory")
    with open_clickhouse(ClickHouseAddress(port=shared_chdb.port, database=chdb_database)) as database:
        with pytest.raises(TypeError, match="does not fit") as fault:
            database.insert("held", ["number", "at"], [[1 << 32], [datetime(2008, 1, 1, tzinfo=UTC)]])
        assert str(1 << 32) not in str(fault.value)
        database.insert("held", ["number", "at"], [[7], [datetime(2008, 1, 1, tzinfo=UTC)]])
        assert database.rows("SELECT number FROM held") == [(7,)]


def test_connections_that_die_without_a_word_are_replaced(site, proxy):
    """Silenced while batches are written, neither FIN nor RST: new ones are made after the patience, all ends right."""
    worker = site.spawn("worker", "services.aggregator",
                        TIENDO_CLICKHOUSE_PORT=str(proxy.port), TIENDO_CLICKHOUSE_PATIENCE="3",
                        TIENDO_AGGREGATOR_WATCHDOG="12")  # fmt: skip
    site.wait(lambda: site.ready("worker"), 60)
    flow = Flow(site, records_of(random.Random(8), EVENTS), 6, chunk=50)
    flow.start()
    site.wait(lambda: site.metric("worker", WRITTEN) > 300, 60)
    assert proxy.silence() >= 2

    flow.join(60)
    assert flow.fault is None
    site.settle(60)
    compare(site, EVENTS)
    assert site.metric("worker", 'tiendo_aggregator_database_waits_total{work="facts"}') > 0
    assert worker.poll() is None


def test_how_long_a_statement_has_had_no_answer_can_be_asked(shared_chdb):
    """While a statement is under way any thread is told since when; before and after it is zero."""
    with open_clickhouse(ClickHouseAddress(port=shared_chdb.port, database="default")) as database:
        assert database.unanswered() == 0
        asking = threading.Thread(target=database.rows, args=("SELECT sleep(2)",))
        asking.start()
        assert eventually(lambda: 1 < database.unanswered() < 2.5, seconds=5)
        asking.join()
        assert database.unanswered() == 0


def test_a_worker_says_that_the_database_does_not_answer(site):
    """The database is stopped: soon the worker is not ready and says why, long before a query's time is over; then it goes on."""
    worker = site.spawn("worker", "services.aggregator")
    site.wait(lambda: site.ready("worker"), 60)
    site.signal_database(signal.SIGSTOP)
    try:
        assert eventually(lambda: any(one.startswith("database: ") for one in missing(site, "worker")), seconds=40)
    finally:
        site.signal_database(signal.SIGCONT)
    site.wait(lambda: site.ready("worker"), 40)
    assert worker.poll() is None


def test_a_worker_ends_although_the_database_hangs(site):
    """SIGTERM while a statement has no answer: the worker ends with 0 in the time that it gives itself, not with the database."""
    worker = site.spawn("worker", "services.aggregator")
    site.wait(lambda: site.ready("worker"), 60)
    flow = Flow(site, records_of(random.Random(8), EVENTS), 6, chunk=50)
    flow.start()
    site.wait(lambda: site.metric("worker", WRITTEN) > 300, 60)
    site.signal_database(signal.SIGSTOP)
    try:
        site.wait(lambda: site.metric("worker", "tiendo_aggregator_database_unanswered_seconds") > 1, 20)
        worker.terminate()
        assert worker.wait(60) == 0
    finally:
        site.signal_database(signal.SIGCONT)
    flow.join(60)
    site.spawn("next", "services.aggregator")
    site.settle(60)
    compare(site, EVENTS)
