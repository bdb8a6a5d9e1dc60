"""Columns packed away from a connection arrive as columns that the driver writes itself."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from services.aggregator.adapters.preparing import TABLES
from services.aggregator.core.batch import SHAPES
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate
from services.infra.clickhouse.packing import pack
from tests.unit.test_preparing import KINDS

pytestmark = pytest.mark.integration

NAMES = ("word", "day", "moment", "wide", "large", "small", "amount", "perhaps")
TYPES = (
    "String", "Date32", "DateTime64(6, 'UTC')", "UInt128", "UInt64", "UInt8", "Decimal(38, 4)", "Nullable(Decimal(38, 4))",
)  # fmt: skip
COLUMNS = (
    ["Tiến Độ", "", "x" * 300],
    [date(1900, 1, 1), date(2008, 5, 28), date(2299, 12, 31)],
    [0, 1_222_222_222_123_456, 1],
    [2**128 - 1, 0, 1 << 64],
    [2**64 - 1, 0, 1],
    [0, 1, 255],
    [Decimal("12.5000"), Decimal(0), Decimal("-0.0001")],
    [None, Decimal(1), None],
)


@pytest.fixture
def database(shared_chdb, chdb_database):
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        yield database


def test_packed_and_plain_are_the_same(database):
    """Every type of the tables, with its least and greatest values, strings of any length, nulls."""
    described = ", ".join(f"{name} {kind}" for name, kind in zip(NAMES, TYPES, strict=True))
    for table in ("plain", "packed"):
        database.run(f"CREATE TABLE {table} ({described}) ENGINE = MergeTree ORDER BY large")
    database.insert("plain", NAMES, COLUMNS)
    kinds = database.types("packed")

    database.insert_packed("packed", NAMES, [pack(kinds[n], c) for n, c in zip(NAMES, COLUMNS, strict=True)])

    rows = database.rows("SELECT * FROM packed ORDER BY large")
    assert rows == database.rows("SELECT * FROM plain ORDER BY large")
    assert rows[1][2] == datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC).replace(tzinfo=rows[1][2].tzinfo)


def test_a_column_whose_type_has_changed_is_refused(database):
    """Bytes packed for another type never reach the table."""
    database.run("CREATE TABLE t (n UInt64) ENGINE = MergeTree ORDER BY n")
    packed = pack(database.types("t")["n"], [1, 2])
    database.run("DROP TABLE t SYNC")
    database.run("CREATE TABLE t (n UInt32) ENGINE = MergeTree ORDER BY n")

    with pytest.raises(TypeError, match="UInt32"):
        database.insert_packed("t", ("n",), [packed])

    assert database.rows("SELECT count() FROM t") == [(0,)]


def test_the_types_of_the_unit_tests_are_those_of_the_tables(database):
    """What the tests of packing assume is what the migrations make; every column has its table's type."""
    for shape in SHAPES.values():
        found = database.types(shape.table)
        assert {name: _bare(found[name]) for name in shape.names} == KINDS[shape.table]
    assert {shape.table for shape in SHAPES.values()} == set(TABLES)


def _bare(kind: str) -> str:
    return kind[kind.index(",") + 1 : -1].strip() if kind.startswith("Simple") else kind
