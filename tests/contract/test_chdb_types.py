"""Every column type that the tables use goes through clickhouse-driver into the embedded database and back, unharmed."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from uuid import UUID

import pytest
from clickhouse_driver import Client

pytestmark = pytest.mark.integration

VIETNAMESE = "Sở Thông tin và Truyền thông tỉnh Thái Nguyên"
NOW = datetime(2008, 9, 30, 16, 59, 59, 999_999, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STRINGS = ["", "a", VIETNAMESE, "tab\tnew\nline\\ 'quote' \"\x00", "x" * 70_000]


def bounds(bits: int, *, signed: bool) -> list[int]:
    """Return the extremes of an integer type, zero and a value of its upper half."""
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return [low, 0, 1, high // 2 + 7, high]


INTEGERS = {
    f"{'' if signed else 'U'}Int{bits}": bounds(bits, signed=signed)
    for bits in (8, 16, 32, 64, 128, 256)
    for signed in (False, True)
}
VALUES: dict[str, list[Any]] = {
    **INTEGERS,
    "Float32": [0.0, -1.5, 2.0**127, math.inf, -math.inf],
    "Float64": [0.0, 0.1, -1.7976931348623157e308, 5e-324, math.inf],
    "Bool": [True, False],
    "String": STRINGS,
    "FixedString(4)": ["abcd", "ưx", "1234"],
    "Date": [date(1970, 1, 1), date(2008, 5, 28), date(2149, 6, 6)],
    "Date32": [date(1925, 1, 1), date(1969, 12, 31), date(2008, 12, 31), date(2283, 11, 11)],
    "DateTime": [datetime(1970, 1, 1), datetime(2008, 10, 1, 1, 0, 0), datetime(2106, 2, 7, 6, 28, 15)],
    "DateTime('UTC')": [EPOCH, NOW.replace(microsecond=0), datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC)],
    "DateTime64(6, 'UTC')": [EPOCH, NOW, datetime(2100, 1, 1, 0, 0, 0, 1, tzinfo=UTC)],
    "DateTime64(3, 'UTC')": [EPOCH, NOW.replace(microsecond=999_000)],
    "Decimal(9, 2)": [Decimal("0"), Decimal("-9999999.99"), Decimal("9999999.99")],
    "Decimal(18, 6)": [Decimal("999999999999.999999"), Decimal("-0.000001")],
    "Decimal(38, 10)": [Decimal("9999999999999999999999999999.9999999999"), Decimal("-1.5")],
    "UUID": [UUID(int=0), UUID(int=(1 << 128) - 1), UUID("0190d3c0-1111-7222-8333-444455556666")],
    "IPv4": [IPv4Address("0.0.0.0"), IPv4Address("203.162.4.190")],
    "IPv6": [IPv6Address("::1"), IPv6Address("2001:ee0::1")],
    "Enum8('đã gửi' = -128, 'sent' = 1, 'read' = 2)": ["sent", "read", "đã gửi"],
    "Enum16('a' = 1, 'b' = 30000)": ["a", "b"],
    "Nullable(String)": [None, "", VIETNAMESE],
    "Nullable(UInt64)": [None, 0, (1 << 64) - 1],
    "Nullable(UInt128)": [None, 0, (1 << 128) - 1],
    "Nullable(Float64)": [None, 0.5],
    "Nullable(Date)": [None, date(2008, 9, 30)],
    "Nullable(Date32)": [None, date(1945, 9, 2)],
    "Nullable(DateTime64(6, 'UTC'))": [None, NOW],
    "Nullable(Decimal(18, 4))": [None, Decimal("1.2345")],
    "Nullable(UUID)": [None, UUID(int=5)],
    "Nullable(Bool)": [None, True, False],
    "Nullable(Enum8('a' = 1))": [None, "a"],
    "LowCardinality(String)": ["", "a", VIETNAMESE, "a"],
    "LowCardinality(Nullable(String))": [None, "", "a", None, VIETNAMESE],
    "Array(String)": [[], [""], STRINGS],
    "Array(UInt128)": [[], [(1 << 128) - 1, 0]],
    "Array(Nullable(String))": [[], [None], ["", None, VIETNAMESE]],
    "Array(LowCardinality(String))": [[], ["a", "b", "a"], [VIETNAMESE]],
    "Array(Array(UInt8))": [[], [[]], [[1], [], [2, 3]]],
    "Array(Date)": [[], [date(2008, 1, 1), date(2008, 12, 31)]],
    "Array(Tuple(String, UInt64))": [[], [("", 0), (VIETNAMESE, (1 << 64) - 1)]],
    "Array(Tuple(name String, share Nullable(Float64)))": [[], [("a", None), ("b", 0.25)]],
    "Tuple(UInt8, String)": [(0, ""), (255, VIETNAMESE)],
    "Tuple(day Date, at DateTime64(6, 'UTC'), `lý do` Nullable(String))": [(date(2008, 9, 30), NOW, None)],
    "Map(String, UInt64)": [{}, {"a": 1, VIETNAMESE: (1 << 64) - 1}],
    "Map(LowCardinality(String), String)": [{}, {"content-type": "x"}],
    "Map(String, Array(String))": [{}, {"a": [], "b": ["x", "y"]}],
    "SimpleAggregateFunction(max, UInt64)": [0, 9],
    "SimpleAggregateFunction(min, DateTime64(6, 'UTC'))": [EPOCH, NOW],
}


@pytest.mark.parametrize("columnar", [False, True], ids=["rows", "columns"])
@pytest.mark.parametrize("kind", VALUES)
def test_a_value_comes_back_as_it_went_in(chdb_client: Client, kind: str, columnar: bool) -> None:
    """What is inserted as a type is selected as the same values, and under the same type."""
    values = VALUES[kind]
    chdb_client.execute(f"CREATE TABLE t (n UInt32, v {kind}) ENGINE = MergeTree ORDER BY n")
    numbers = list(range(len(values)))
    data = [numbers, list(values)] if columnar else list(zip(numbers, values, strict=True))
    chdb_client.execute("INSERT INTO t (n, v) VALUES", data, columnar=columnar)

    rows, columns = chdb_client.execute("SELECT v FROM t ORDER BY n", with_column_types=True)
    assert [row[0] for row in rows] == values
    assert columns == [("v", kind)]


@pytest.mark.parametrize("kind", VALUES)
def test_a_type_is_told_without_rows(chdb_client: Client, kind: str) -> None:
    """A SELECT that finds nothing still names its columns and types."""
    chdb_client.execute(f"CREATE TABLE t (v {kind}) ENGINE = MergeTree ORDER BY tuple()")
    assert chdb_client.execute("SELECT v, 1 AS one FROM t", with_column_types=True) == (
        [],
        [("v", kind), ("one", "UInt8")],
    )


def test_not_a_number_comes_back(chdb_client: Client) -> None:
    """NaN, which equals nothing, is NaN again."""
    chdb_client.execute("CREATE TABLE t (v Float64) ENGINE = Memory")
    chdb_client.execute("INSERT INTO t VALUES", [(math.nan,)])
    assert math.isnan(chdb_client.execute("SELECT v FROM t")[0][0])


def test_a_block_of_empty_collections(chdb_client: Client) -> None:
    """A block in which every array and every map is empty goes in and comes back."""
    chdb_client.execute(
        "CREATE TABLE t (a Array(String), b Array(LowCardinality(Nullable(String))), c Map(String, UInt8),"
        " d Array(Tuple(UInt8, Nullable(String)))) ENGINE = Memory"
    )
    rows = [([], [], {}, [])] * 3
    chdb_client.execute("INSERT INTO t VALUES", list(rows))
    assert chdb_client.execute("SELECT * FROM t") == rows


def test_many_distinct_values_of_low_cardinality(chdb_client: Client) -> None:
    """Dictionaries whose keys need one, two and four bytes are read to their end."""
    chdb_client.execute("CREATE TABLE t (n UInt32, v LowCardinality(Nullable(String))) ENGINE = MergeTree ORDER BY n")
    for distinct in (200, 300, 70_000):
        values = [f"giá trị {number}" for number in range(distinct)] + [None]
        chdb_client.execute("TRUNCATE TABLE t")
        chdb_client.execute("INSERT INTO t VALUES", [list(range(distinct + 1)), values], columnar=True)
        assert chdb_client.execute("SELECT v FROM t ORDER BY n", columnar=True) == [tuple(values)]


def test_columns_of_all_types_together(chdb_client: Client) -> None:
    """In one wide block no column disturbs its neighbour."""
    names = [f"c{number}" for number in range(len(VALUES))]
    spec = ", ".join(f"{name} {kind}" for name, kind in zip(names, VALUES, strict=True))
    chdb_client.execute(f"CREATE TABLE t (n UInt8, {spec}) ENGINE = MergeTree ORDER BY n")
    rows = [(n, *(values[n % len(values)] for values in VALUES.values())) for n in range(6)]
    chdb_client.execute("INSERT INTO t VALUES", list(rows))
    assert chdb_client.execute("SELECT * FROM t ORDER BY n") == rows
