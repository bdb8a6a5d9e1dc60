"""Pruning of marks: what was cleared long ago goes, everything that still says something stays."""

from __future__ import annotations

import pytest

from services.aggregator.adapters.pruning import prune
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import migrate

pytestmark = pytest.mark.integration

# reads, hours ago marked (None: no such row), hours ago cleared (None: not), in one row or in two
MARKS = [
    ("cleared-long-ago", 5, 4, "one row"),
    ("cleared-long-ago-unmerged", 5, 4, "two rows"),
    ("cleared-just-now", 5, 0, "two rows"),
    ("outstanding", 5, None, "one row"),
    ("outstanding-since-cleared", 3, 4, "two rows"),
    ("clearing-alone", None, 4, "one row"),
    ("day", 5, 4, "one row"),
]


@pytest.fixture
def database(shared_chdb, chdb_database):
    address = ClickHouseAddress(port=shared_chdb.port, database=chdb_database)
    migrate(address)
    with open_clickhouse(address) as database:
        # Merging may or may not have happened; the rows stay as they are written here.
        database.run("SYSTEM STOP MERGES touched")
        for reads, marked, cleared, shape in MARKS:
            moments = [
                ("toDateTime64(0, 6)" if ago is None else f"now64(6) - INTERVAL {ago} HOUR")
                for ago in (marked, cleared)
            ]
            rows = (
                [moments]
                if shape == "one row"
                else [[moments[0], "toDateTime64(0, 6)"], ["toDateTime64(0, 6)", moments[1]]]
            )
            for row in rows:
                database.run(
                    "INSERT INTO touched (reads, agency, from_day, to_day, marked, cleared) "
                    f"SELECT '{reads}', '', toDate32('2008-06-01'), toDate32('2008-06-01'), {row[0]}, {row[1]}"
                )
        database.run("SYSTEM START MERGES touched")
        yield database


def held(database, table):
    return {row[0] for row in database.rows(f"SELECT DISTINCT reads FROM {table}")}


def test_cleared_marks_go_and_nothing_else(database):
    """Marks cleared more than an hour ago are gone with their clearings; what is outstanding is the same as before."""
    before = held(database, "outstanding")

    assert prune(database, enough=1)

    assert held(database, "outstanding") == before == {"outstanding", "outstanding-since-cleared"}
    assert held(database, "touched") == {"cleared-just-now", "day", *before}


def test_a_small_table_is_left_alone(database):
    """Below the number of rows that is worth it nothing is dropped."""
    before = held(database, "touched")

    assert not prune(database, enough=1000)

    assert held(database, "touched") == before
