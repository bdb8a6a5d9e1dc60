"""Statements through clickhouse-driver into the embedded database: answers, inserts, errors, settings, engines."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration

ROWS = 300_000


def code_of(client: Client, sql: str, data: Any = None, **options: Any) -> int:
    """Return ClickHouse's code of the exception that *sql* ends with."""
    with pytest.raises(ServerException) as caught:
        client.execute(sql, data, **options)
    return int(caught.value.code)


def test_an_answer_of_many_blocks_is_whole(chdb_client: Client) -> None:
    """Half a million rows come in order, by rows and by columns."""
    sql = "SELECT number, toString(number) FROM numbers(500000) ORDER BY number"
    rows = chdb_client.execute(sql)
    assert len(rows) == 500_000
    assert rows[0] == (0, "0")
    assert rows[-1] == (499_999, "499999")
    numbers, texts = chdb_client.execute(sql, columnar=True)
    assert numbers == tuple(range(500_000))
    assert texts[250_000] == "250000"


def test_an_answer_is_streamed(chdb_client: Client) -> None:
    """The first rows of an answer too big to hold arrive long before the last ones, and can be all that is taken."""
    rows = chdb_client.execute_iter("SELECT number FROM numbers(100000000000)", settings={"max_block_size": 10_000})
    assert [next(rows)[0] for _ in range(25_000)] == list(range(25_000))
    chdb_client.disconnect()
    assert chdb_client.execute("SELECT 1") == [(1,)]


def test_execute_iter_takes_all_rows(chdb_client: Client) -> None:
    """An answer read row by row is as whole as one read at once, and says its columns first."""
    rows = chdb_client.execute_iter("SELECT number AS n FROM numbers(200000)", with_column_types=True)
    assert next(rows) == [("n", "UInt64")]
    assert sum(row[0] for row in rows) == 199_999 * 100_000


def test_a_query_can_be_cancelled(chdb_client: Client) -> None:
    """Cancel ends a long answer, and the same connection serves the next statement."""
    progress = chdb_client.execute_with_progress(
        "SELECT count() FROM numbers(100000000000) WHERE sipHash64(number) = 1"
    )
    assert progress is not None
    chdb_client.cancel()
    assert chdb_client.execute("SELECT 1") == [(1,)]


def test_a_zone_of_a_time_is_told(chdb_client: Client) -> None:
    """A DateTime with a zone keeps it, beside other columns and in settings and databases of the connection."""
    chdb_client.execute("CREATE TABLE t (at DateTime('Asia/Ho_Chi_Minh'), word String) ENGINE = Memory")
    morning = datetime(2008, 10, 1, 1, 0, tzinfo=UTC)
    chdb_client.execute("INSERT INTO t VALUES", [(morning, "sáng")])
    rows, columns = chdb_client.execute("SELECT * FROM t", with_column_types=True)
    assert columns == [("at", "DateTime('Asia/Ho_Chi_Minh')"), ("word", "String")]
    assert rows == [(morning, "sáng")]
    assert rows[0][0].utcoffset() == timedelta(hours=7)


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        pytest.param("SHOW TABLES LIKE 'absent'", ([], [("name", "String")]), id="show-nothing"),
        pytest.param("EXISTS TABLE absent", ([(0,)], [("result", "UInt8")]), id="exists"),
        pytest.param("SELECT 1 AS a WHERE 0", ([], [("a", "UInt8")]), id="nothing"),
        pytest.param("WITH 2 AS two SELECT two FORMAT JSON", ([(2,)], [("two", "UInt8")]), id="format-ignored"),
        pytest.param("(SELECT 1 AS a) UNION ALL (SELECT 1);", ([(1,), (1,)], [("a", "UInt8")]), id="union"),
        pytest.param("SELECT ';' AS a -- ; SELECT 2\n", ([(";",)], [("a", "String")]), id="semicolon-in-text"),
    ],
)
def test_small_answers(chdb_client: Client, sql: str, wanted: Any) -> None:
    """Statements that answer with a table name its columns, found or not."""
    assert chdb_client.execute(sql, with_column_types=True) == wanted


def test_statements_without_an_answer(chdb_client: Client) -> None:
    """DDL, mutations, OPTIMIZE, SYSTEM and INSERT SELECT run and answer with nothing."""
    for sql in (
        "CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a",
        "INSERT INTO t VALUES (1), (2)",
        "INSERT INTO t SELECT a + 10 FROM t",
        "ALTER TABLE t ADD COLUMN b String DEFAULT 'x'",
        "OPTIMIZE TABLE t FINAL",
        "SYSTEM FLUSH LOGS",
        "SYSTEM STOP MERGES t",
        "CREATE VIEW v AS SELECT a FROM t WHERE a > 10",
    ):
        assert chdb_client.execute(sql) == []
    assert chdb_client.execute("SELECT a, b FROM t ORDER BY a") == [(1, "x"), (2, "x"), (11, "x"), (12, "x")]
    assert chdb_client.execute("SELECT sum(a) FROM v") == [(23,)]
    assert chdb_client.execute("SHOW TABLES") == [("t",), ("v",)]
    assert [row[:2] for row in chdb_client.execute("DESCRIBE TABLE t")] == [("a", "UInt8"), ("b", "String")]
    assert chdb_client.execute("EXPLAIN SYNTAX SELECT 1")


def seven_columns(rows: int) -> list[list[Any]]:
    """Return columns of the kinds that the archive has, *rows* long."""
    days = [date(2008, 1, 1) + timedelta(days=number) for number in range(270)]
    moment = datetime(2008, 10, 1, 1, 0, tzinfo=UTC)
    return [
        [f"urn:source:{number % 7}" for number in range(rows)],
        [f"id-{number}" for number in range(rows)],
        [(number << 64) + 1 for number in range(rows)],
        [days[number % 270] for number in range(rows)],
        [moment] * rows,
        [number % 3 for number in range(rows)],
        [None if number % 2 else "Sở Y tế" for number in range(rows)],
    ]


def test_a_big_insert_is_one_part(chdb_client: Client) -> None:
    """300,000 rows of seven columns, sent in five blocks, are all there and became visible together."""
    chdb_client.execute(
        "CREATE TABLE t (source LowCardinality(String), id String, version UInt128, day Date,"
        " received DateTime64(6, 'UTC'), kind UInt8, agency LowCardinality(Nullable(String)),"
        " stored DateTime64(6, 'UTC') DEFAULT now64(6)) ENGINE = MergeTree ORDER BY (source, id)"
    )
    columns = "source, id, version, day, received, kind, agency"
    chdb_client.execute(
        f"INSERT INTO t ({columns}) VALUES",
        seven_columns(ROWS),
        columnar=True,
        settings={"insert_block_size": 65_536},
    )
    assert chdb_client.execute(
        "SELECT count(), uniqExact(id), max(version), countIf(agency IS NULL), uniqExact(stored), uniqExact(_part) FROM t"
    ) == [(ROWS, ROWS, (ROWS - 1 << 64) + 1, ROWS // 2, 1, 1)]


def test_rows_and_dicts_go_in(chdb_client: Client) -> None:
    """Tuples, dicts and a generator are inserted alike; the driver tells how many."""
    chdb_client.execute("CREATE TABLE t (a UInt8, b String) ENGINE = MergeTree ORDER BY a")
    assert chdb_client.execute("INSERT INTO t (a, b) VALUES", [(1, "x")]) == 1
    assert chdb_client.execute("INSERT INTO t (b, a) VALUES", [{"a": 2, "b": "y"}]) == 1
    assert chdb_client.execute("INSERT INTO t VALUES", ((n, "z") for n in (3, 4))) == 2
    assert chdb_client.execute("INSERT INTO t VALUES", []) == 0
    assert chdb_client.execute("SELECT * FROM t ORDER BY a") == [(1, "x"), (2, "y"), (3, "z"), (4, "z")]


def test_omitted_columns_take_their_defaults(chdb_client: Client) -> None:
    """DEFAULT and MATERIALIZED expressions apply to columns that the client does not send, in any column order."""
    chdb_client.execute(
        "CREATE TABLE t (a UInt64, `tên cột` String, stored DateTime64(6, 'UTC') DEFAULT now64(6),"
        " twice UInt64 DEFAULT a * 2, length UInt64 MATERIALIZED lengthUTF8(`tên cột`), also UInt64 ALIAS a + 1)"
        " ENGINE = MergeTree ORDER BY a"
    )
    (before,) = chdb_client.execute("SELECT now64(6, 'UTC')")[0]
    chdb_client.execute("INSERT INTO t (`tên cột`, a) VALUES", [("Sở", 21)])
    ((a, stored, twice, length, also),) = chdb_client.execute("SELECT a, stored, twice, length, also FROM t")
    (after,) = chdb_client.execute("SELECT now64(6, 'UTC')")[0]
    assert (a, twice, length, also) == (21, 42, 2, 22)
    assert before <= stored <= after
    chdb_client.execute("INSERT INTO t (* EXCEPT (stored, twice)) VALUES", [(5, "x")])
    assert chdb_client.execute("SELECT twice FROM t WHERE a = 5") == [(10,)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        pytest.param("SELECT * FROM absent", 60, id="unknown-table"),
        pytest.param("SELECT absent FROM t", 47, id="unknown-column"),
        pytest.param("SELEC 1", 62, id="syntax"),
        pytest.param("SELECT 1; SELECT 2", 62, id="two-statements"),
        pytest.param("  -- nothing\n", 62, id="empty"),
        pytest.param("SELECT absent(1)", 46, id="unknown-function"),
        pytest.param("SELECT * FROM absent.t", 81, id="unknown-database"),
        pytest.param("SELECT 1 + 'a'", 43, id="illegal-types"),
        pytest.param("SELECT 1 IN ('x')", 53, id="type-mismatch"),
        pytest.param("SELECT throwIf(number = 150000) FROM numbers(200000)", 395, id="between-blocks"),
        pytest.param("CREATE TABLE t (a UInt8) ENGINE = Memory", 57, id="table-exists"),
        pytest.param("DROP TABLE absent", 60, id="drop-unknown"),
        pytest.param("SELECT 1 INTO OUTFILE '/tmp/x'", 48, id="outfile"),
    ],
)
def test_errors_carry_the_code_of_clickhouse(shared_chdb: ChdbServer, chdb_database: str, sql: str, code: int) -> None:
    """A statement that fails does so with ClickHouse's code, name and message; the server serves the next one."""
    with shared_chdb.client(database=chdb_database) as client:
        client.execute("CREATE TABLE t (a UInt8) ENGINE = Memory")
        with pytest.raises(ServerException) as caught:
            client.execute(sql)
        assert (caught.value.code, caught.value.message.startswith("DB::Exception: ")) == (code, True)
        assert "Code:" not in caught.value.message
        assert client.execute("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        pytest.param("INSERT INTO absent (a) VALUES", 60, id="unknown-table"),
        pytest.param("INSERT INTO t (absent) VALUES", 16, id="unknown-column"),
        pytest.param("INSERT INTO t (a) SETTINGS absent = 1 VALUES", 115, id="unknown-setting"),
        pytest.param("INSERT INTO FUNCTION null('a UInt8') VALUES", 48, id="function"),
        pytest.param("INSERT INTO checked (a) VALUES", 469, id="constraint"),
    ],
)
def test_failing_inserts_keep_nothing(chdb_client: Client, sql: str, code: int) -> None:
    """An insert that cannot succeed says why, with ClickHouse's code, and leaves no row."""
    chdb_client.execute("CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a")
    chdb_client.execute("CREATE TABLE checked (a UInt8, CONSTRAINT small CHECK a < 3) ENGINE = MergeTree ORDER BY a")
    assert code_of(chdb_client, sql, [(1,), (200,)]) == code
    assert chdb_client.execute("SELECT (SELECT count() FROM t) + (SELECT count() FROM checked)") == [(0,)]


def test_the_same_connection_goes_on_after_an_error(shared_chdb: ChdbServer) -> None:
    """The server does not close a connection over a failed statement: what the session had set still holds."""
    with shared_chdb.client() as client:
        client.execute("CREATE TEMPORARY TABLE mine (a UInt8)")
        # The driver itself reconnects after an exception; its connection is used directly to stay on this one.
        client.connection.send_query("SELECT absent")
        client.connection.send_external_tables(None)
        assert client.connection.receive_packet().exception.code == 47
        client.connection.is_query_executing = False
        assert client.execute("SELECT count() FROM mine") == [(0,)]


def test_parameters_are_substituted(chdb_client: Client) -> None:
    """`%(name)s` takes text with quotes, lists, dates and nothing at all."""
    values = {"text": 'l\'Hôtel \\ "x"', "list": [1, 2], "day": date(2008, 9, 30), "none": None}
    assert chdb_client.execute(
        "SELECT %(text)s, [1, 2] = %(list)s, toDate(%(day)s), %(none)s, 'a' LIKE '%%'", values
    ) == [(values["text"], 1, date(2008, 9, 30), None, 1)]


def test_settings_hold_for_their_query(chdb_client: Client) -> None:
    """A query's settings hold for it alone; unknown ones are ignored unless the client calls them important."""
    sql = "SELECT getSetting('max_threads'), getSetting('max_result_rows')"
    (usual,) = chdb_client.execute(sql)
    assert chdb_client.execute(sql, settings={"max_threads": 1, "max_result_rows": 77, "absent": 5}) == [(1, 77)]
    assert chdb_client.execute(sql) == [usual]
    assert code_of(chdb_client, "SELECT number FROM numbers(9)", settings={"max_result_rows": 5}) == 396
    assert code_of(chdb_client, "CREATE TABLE t (a Int8) ENGINE = Memory", settings={"readonly": 1}) == 164
    chdb_client.execute("CREATE TABLE t (a Int8) ENGINE = Memory", settings={"log_comment": "x"})


def test_important_settings_must_be_known(shared_chdb: ChdbServer) -> None:
    """With settings_is_important an unknown setting fails the query."""
    with shared_chdb.client(settings_is_important=True) as client:
        assert code_of(client, "SELECT 1", settings={"absent": 1}) == 115


def test_databases(shared_chdb: ChdbServer, chdb_database: str) -> None:
    """The database of the connection holds for names without one; an unknown one is refused; USE changes it."""
    with shared_chdb.client(database=chdb_database) as client:
        client.execute("CREATE TABLE t (a UInt8) ENGINE = Memory")
        client.execute("INSERT INTO t VALUES", [(1,)])
        assert client.execute("SELECT currentDatabase()") == [(chdb_database,)]
    with shared_chdb.client() as client:
        assert client.execute(f"SELECT a FROM {chdb_database}.t") == [(1,)]
        client.execute(f"USE {chdb_database}")
        client.execute(f"INSERT INTO {chdb_database}.`t` (`a`) VALUES", [(2,)])
        assert client.execute("SELECT a FROM t ORDER BY a") == [(1,), (2,)]
    with shared_chdb.client(database="absent") as client:
        assert code_of(client, "SELECT 1") == 81


def test_external_tables_are_refused(chdb_client: Client) -> None:
    """External tables are refused by name, and the connection goes on."""
    external = [{"name": "ext", "structure": [("a", "UInt8")], "data": [{"a": 1}]}]
    assert code_of(chdb_client, "SELECT * FROM ext", external_tables=external) == 48
    assert chdb_client.execute("SELECT 1") == [(1,)]


def test_the_greatest_version_wins(chdb_client: Client) -> None:
    """ReplacingMergeTree, AggregatingMergeTree and argMax choose by a UInt128 version, merged or not."""
    high = 1 << 100
    chdb_client.execute("CREATE TABLE r (k String, v UInt128, x Int32) ENGINE = ReplacingMergeTree(v) ORDER BY k")
    chdb_client.execute(
        "CREATE TABLE a (k String, first SimpleAggregateFunction(min, Date), last AggregateFunction(argMax, Int32, UInt128))"
        " ENGINE = AggregatingMergeTree ORDER BY k"
    )
    for version, x in ((high + 1, 11), (high + 3, 33), (high + 2, 22), (5, 5)):
        chdb_client.execute("INSERT INTO r VALUES", [("k", version, x), (f"only {x}", version, x)])
        chdb_client.execute(
            "INSERT INTO a SELECT 'k', toDate('2008-01-01') + %(x)s, argMaxState(toInt32(%(x)s), toUInt128(%(v)s))"
            " GROUP BY 1, 2",
            {"x": x, "v": str(version)},
        )
    for _ in ("before the merge", "after it"):
        assert chdb_client.execute("SELECT v, x FROM r FINAL WHERE k = 'k'") == [(high + 3, 33)]
        assert chdb_client.execute("SELECT argMax(x, v), max(v) FROM r GROUP BY k HAVING k = 'k'") == [(33, high + 3)]
        assert chdb_client.execute("SELECT k, min(first), argMaxMerge(last) FROM a GROUP BY k") == [
            ("k", date(2008, 1, 6), 33)
        ]
        assert chdb_client.execute("SELECT count() FROM r FINAL") == [(5,)]
        chdb_client.execute("OPTIMIZE TABLE r FINAL")
        chdb_client.execute("OPTIMIZE TABLE a FINAL")
    assert chdb_client.execute("SELECT count() FROM r") == [(5,)]
