"""Who may do what in the embedded database."""

from collections.abc import Callable, Iterator

import pytest
from clickhouse_driver.errors import Error, ServerException

from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration


def refusal(call: Callable[[], object]) -> int:
    """Return ClickHouse's code of the exception that *call* ends with."""
    with pytest.raises(ServerException) as caught:
        call()
    return int(caught.value.code)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChdbServer]:
    """A server with passwords, a read-only user and little room for inserts."""
    server = ChdbServer(
        tmp_path_factory.mktemp("guarded") / "db",
        *("--readonly-user", "reader", "--max-insert-bytes", "1000000"),
        env={"TIENDO_CHDB_PASSWORD": "vào", "TIENDO_CHDB_READONLY_PASSWORD": "đọc"},
    )
    server.start()
    try:
        with server.client(password="vào") as owner:
            owner.execute("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
            owner.execute("INSERT INTO t VALUES", [(1,)])
        yield server
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("user", "password"), [("default", ""), ("default", "đọc"), ("reader", "vào"), ("reader", ""), ("nobody", "vào")]
)
def test_a_wrong_password_is_refused(guarded: ChdbServer, user: str, password: str) -> None:
    """Name and password must belong together: exception 516 otherwise."""
    assert refusal(lambda: guarded.client(user=user, password=password).execute("SELECT 1")) == 516


def test_the_read_only_user_reads(guarded: ChdbServer) -> None:
    """The read-only user may SELECT, SHOW, EXISTS, DESCRIBE and EXPLAIN, with settings of its own."""
    with guarded.client(user="reader", password="đọc", settings={"max_threads": 1}) as reader:
        assert reader.execute("SELECT a, format('{}!', 'x') FROM t") == [(1, "x!")]
        assert reader.execute("SHOW TABLES") == [("t",)]
        assert reader.execute("EXISTS TABLE t") == [(1,)]
        assert reader.execute("DESCRIBE TABLE t")[0][:2] == ("a", "UInt64")
        assert reader.execute("EXPLAIN SELECT a FROM t")
        assert reader.execute("SELECT count() FROM numbers(10)", settings={"max_threads": 2}) == [(10,)]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO t VALUES (2)",
        "INSERT INTO t SELECT 2",
        "CREATE TABLE u (a UInt8) ENGINE = Memory",
        "DROP TABLE t",
        "ALTER TABLE t DELETE WHERE 1",
        "TRUNCATE TABLE t",
        "OPTIMIZE TABLE t",
        "SYSTEM STOP MERGES",
        "KILL QUERY WHERE 1",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "WITH 1 AS one INSERT INTO t SELECT one",
        "SELECT * FROM file('/etc/hostname', 'LineAsString')",
        "SELECT * FROM `file`('/etc/hostname', 'LineAsString')",
        "SELECT * FROM '/etc/hostname'",
        "SELECT * FROM `/etc/hostname`",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT 1 IN (SELECT * FROM executable('x', 'TSV', 'a UInt8'))",
    ],
)
def test_the_read_only_user_only_reads_tables(guarded: ChdbServer, sql: str) -> None:
    """What writes, or reads beyond the tables, is refused with ClickHouse's READONLY, and nothing has changed."""
    with guarded.client(user="reader", password="đọc") as reader:
        assert refusal(lambda: reader.execute(sql)) in (164, 62)
        assert refusal(lambda: reader.execute("INSERT INTO t VALUES", [(2,)])) == 164
        assert reader.execute("SELECT * FROM t") == [(1,)]


def test_an_insert_too_big_is_refused(guarded: ChdbServer) -> None:
    """An insert statement beyond the server's limit ends with MEMORY_LIMIT_EXCEEDED and leaves nothing."""
    with guarded.client(password="vào") as owner:
        with pytest.raises((ServerException, Error, OSError, EOFError)):
            owner.execute("INSERT INTO t VALUES", [list(range(400_000))], columnar=True)
        assert owner.execute("SELECT count() FROM t") == [(1,)]
