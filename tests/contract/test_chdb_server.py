"""The embedded database as a server: many clients, lost ones, hostile ones, kill -9, one owner per folder, its end."""

import random
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from clickhouse_driver import Client
from clickhouse_driver.block import ColumnOrientedBlock
from clickhouse_driver.errors import Error, ServerException

from tests.fixtures.chdb import ROOT, ChdbServer, eventually

pytestmark = pytest.mark.integration

ENDLESS = "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1 SETTINGS max_threads = 1"
RUNNING = "SELECT count() FROM system.processes WHERE query LIKE '%sipHash64%' AND query NOT LIKE '%processes%'"


def refusal(call: Callable[[], object]) -> int:
    """Return ClickHouse's code of the exception that *call* ends with."""
    with pytest.raises(ServerException) as caught:
        call()
    return int(caught.value.code)


def send_first_block(client: Client, table: str, rows: int) -> None:
    """Begin an insert of one column and send one block of it, not the end."""
    client.connection.force_connect()
    client.make_query_settings({})
    client.connection.send_query(f"INSERT INTO {table} (a) VALUES")
    client.connection.send_external_tables(None)
    sample = client.receive_sample_block()
    client.connection.send_data(ColumnOrientedBlock(sample.columns_with_types, [list(range(rows))]))


def test_a_short_query_does_not_wait_for_a_long_one(shared_chdb: ChdbServer) -> None:
    """While one client's query runs, others are answered; when the first client leaves, its query ends."""
    with shared_chdb.client() as watcher, shared_chdb.client() as patient:
        patient.connection.connect()
        patient.make_query_settings({})
        patient.connection.send_query(ENDLESS)
        patient.connection.send_external_tables(None)
        assert eventually(lambda: watcher.execute(RUNNING) == [(1,)])
        for _ in range(20):
            began = time.monotonic()
            assert watcher.execute("SELECT 1") == [(1,)]
            assert time.monotonic() - began < 2
        assert watcher.execute(RUNNING) == [(1,)]
        patient.disconnect()
        assert eventually(lambda: watcher.execute(RUNNING) == [(0,)])


def test_clients_work_at_the_same_time(shared_chdb: ChdbServer, chdb_database: str) -> None:
    """Eight clients that insert and read at once lose and mix nothing."""
    with shared_chdb.client(database=chdb_database) as client:
        client.execute("CREATE TABLE t (who UInt8, a UInt64) ENGINE = MergeTree ORDER BY (who, a)")
    faults: list[BaseException] = []

    def work(who: int) -> None:
        try:
            with shared_chdb.client(database=chdb_database) as mine:
                for turn in range(5):
                    mine.execute("INSERT INTO t VALUES", [(who, turn * 1000 + n) for n in range(1000)])
                    sql = "SELECT count(), uniqExact(a) FROM t WHERE who = %(who)s"
                    assert mine.execute(sql, {"who": who}) == [((turn + 1) * 1000, (turn + 1) * 1000)]
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []


def test_an_insert_whose_client_vanishes_leaves_nothing(shared_chdb: ChdbServer, chdb_database: str) -> None:
    """Rows of an insert that was never ended are not kept, whether the client closes, resets or stops in a block."""
    with shared_chdb.client(database=chdb_database) as client:
        client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        for way in ("close", "reset", "half a block"):
            lost = shared_chdb.client(database=chdb_database)
            send_first_block(lost, "t", 100_000)
            if way == "reset":
                linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                lost.connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                lost.connection.socket.close()
            elif way == "half a block":
                lost.connection.socket.sendall(
                    b"\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x01\x80\x80\x04\x01a\x06UInt64abc"
                )
                lost.disconnect()
            else:
                lost.disconnect()
        client.execute("INSERT INTO t VALUES", [(1,)])
        time.sleep(0.3)
        assert client.execute("SELECT count() FROM t") == [(1,)]


def test_acknowledged_inserts_survive_kill_9_whole(chdb_server: ChdbServer) -> None:
    """After each kill -9 all acknowledged statements are there, and none is there in part."""
    with chdb_server.client() as client:
        client.execute("CREATE TABLE t (batch UInt32, a UInt64, s String) ENGINE = MergeTree ORDER BY (batch, a)")
    size, acknowledged, number = 20_000, set[int](), 0
    for round_ in range(3):
        killer = threading.Timer(0.5 + 0.2 * round_, lambda: chdb_server.stop(kill=True))
        client = chdb_server.client(settings={"insert_block_size": 5_000})
        killer.start()
        with suppress(Error, EOFError, OSError):
            while True:
                number += 1
                columns = [[number] * size, list(range(size)), ["Thái Nguyên"] * size]
                client.execute("INSERT INTO t VALUES", columns, columnar=True)
                acknowledged.add(number)
        killer.join()
        chdb_server.start()
        with chdb_server.client() as reader:
            found = dict(reader.execute("SELECT batch, count() FROM t GROUP BY batch"))
        assert acknowledged <= set(found)
        assert set(found.values()) == {size}
    assert len(acknowledged) >= 3


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00" + b"\xff" * 64,
    b"\x00\xff\xff\xff\xff\x7f" + b"x" * 1000,
    b"\x01\x02\x03",
    b"\x80" * 5000,
    bytes(random.Random(1).randbytes(100_000)),
    b"\x00" + random.Random(2).randbytes(10_000),
]
AFTER_HELLO = [
    b"\x01\x00\xff\xff\xff",
    b"\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x01a\x06String\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
    b"\x63",
    random.Random(3).randbytes(50_000),
]
BLOCKS = [
    b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01a\x06UInt64",
    b"\x01\x02\x01a\x06String\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01abc",
    b"\x01\x02\x01a\x0dArray(UInt64)" + b"\xff" * 16,
    b"\x01\x02\x01a\x16LowCardinality(String)" + b"\xff" * 64,
    b"\x01\x02\x01a\x03Abc" + b"\x00" * 64,
    b"\x01\x02\x01a\x07Array(\x00" + b"\x00" * 64,
    b"\x01\x02\x01a\xe8\x07" + b"Array(" * 166 + b"Int8" + b"\x00" * 64,
]


def test_garbage_hurts_nobody_else(shared_chdb: ChdbServer, chdb_database: str) -> None:
    """Bytes that are no packets end their own connection; the server and its other clients go on."""
    pid = shared_chdb.pid
    with shared_chdb.client(database=chdb_database) as client:
        client.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        for garbage in GARBAGE:
            with socket.create_connection((shared_chdb.host, shared_chdb.port), timeout=5) as sock:
                end_with(sock, garbage)
        for garbage in AFTER_HELLO:
            lost = shared_chdb.client()
            lost.connection.connect()
            end_with(lost.connection.socket, garbage)
        for block in BLOCKS:
            lost = shared_chdb.client(database=chdb_database)
            send_first_block(lost, "t", 10)
            end_with(lost.connection.socket, b"\x02\x00\x01\x00\x02\xff\xff\xff\xff\x00" + block)
        assert client.execute("SELECT count() FROM t") == [(0,)]
    assert shared_chdb.pid == pid
    with shared_chdb.client() as client:
        assert client.execute("SELECT 1") == [(1,)]


def end_with(sock: socket.socket, garbage: bytes) -> None:
    """Send *garbage* and nothing more; the server must close its end too, and soon."""
    sock.settimeout(5)
    with suppress(ConnectionError), sock:  # it may be gone before it has read everything
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65_536):
            pass


def test_what_is_not_spoken_is_refused_clearly(shared_chdb: ChdbServer) -> None:
    """Compression and protocol revisions older than 54429 are refused with an exception."""
    squeezing = shared_chdb.client()
    squeezing.connection.connect()
    squeezing.connection.compression = 1
    assert refusal(lambda: squeezing.execute("SELECT 1")) == 48
    assert refusal(lambda: shared_chdb.client(client_revision=54_400).execute("SELECT 1")) == 101


def test_one_process_owns_the_folder(chdb_server: ChdbServer) -> None:
    """A second server on the folder ends with code 2 and says why; one on a taken port ends with 1."""
    port = chdb_server.port
    second = [*chdb_server.command[:-1], "0"]
    taken = subprocess.run(second, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert taken.returncode == 2
    assert f"{chdb_server.path} is served by another process (pid {chdb_server.pid})" in taken.stderr
    elsewhere = [*chdb_server.command[:4], str(chdb_server.path) + "-2", "--port", str(port)]
    busy = subprocess.run(elsewhere, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (busy.returncode, "cannot listen" in busy.stderr) == (1, True)
    chdb_server.restart(kill=True)
    with chdb_server.client() as client:
        assert client.execute("SELECT 1") == [(1,)]
    assert chdb_server.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_what_runs_end(chdb_server: ChdbServer, number: signal.Signals) -> None:
    """After SIGTERM or SIGINT the running query is answered, idle clients are let go, and the exit code is 0."""
    answers: list[object] = []
    with chdb_server.client() as idle, chdb_server.client() as busy:
        idle.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
        asking = threading.Thread(target=lambda: answers.append(busy.execute("SELECT sleep(1.5), 7 AS answer")))
        asking.start()
        sleeping = "SELECT count() FROM system.processes WHERE query LIKE 'SELECT sleep%'"
        assert eventually(lambda: idle.execute(sleeping) == [(1,)])
        assert chdb_server._process is not None
        chdb_server._process.send_signal(number)
        asking.join(20)
        assert answers == [[(0, 7)]]
        assert chdb_server._process.wait(20) == 0
    with pytest.raises(Error):
        chdb_server.client().execute("SELECT 1")
