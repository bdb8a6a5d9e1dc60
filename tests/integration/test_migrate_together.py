"""Services that start at the same moment on an empty database."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.clickhouse.migrate import MIGRATIONS, migrate
from tests.fixtures.chdb import ChdbServer

pytestmark = pytest.mark.integration
NAMES = sorted(path.name for path in MIGRATIONS.glob("*.sql"))


def test_of_several_at_once_one_migrates_and_the_others_wait(shared_chdb: ChdbServer) -> None:
    """Eight at once, three times over: every migration is applied by one of them, and all come back to a whole database."""
    for _ in range(3):
        address = ClickHouseAddress(port=shared_chdb.port, database=f"together_{uuid.uuid4().hex[:8]}")
        with ThreadPoolExecutor(8) as pool:
            applied = list(pool.map(lambda _, address=address: migrate(address), range(8)))

        assert sorted(name for some in applied for name in some) == NAMES
        assert sum(bool(some) for some in applied) == 1
        assert migrate(address) == []
        with open_clickhouse(replace(address, database="default")) as server:
            server.run(f"DROP DATABASE {address.database}")


def test_who_began_and_died_is_not_waited_for_for_ever(shared_chdb: ChdbServer) -> None:
    """An announcement of more than a minute ago holds nobody up."""
    address = ClickHouseAddress(port=shared_chdb.port, database=f"together_{uuid.uuid4().hex[:8]}")
    with open_clickhouse(replace(address, database="default")) as server:
        server.run(f"CREATE DATABASE {address.database}")
    with open_clickhouse(address) as database:
        database.run(
            "CREATE TABLE migrating (token String, at DateTime64(6, 'UTC') DEFAULT now64(6), done UInt8) "
            "ENGINE = ReplacingMergeTree(done) ORDER BY token"
        )
        database.run("INSERT INTO migrating (token, at, done) SELECT '0', now64(6) - toIntervalMinute(2), 0")

        assert migrate(address) == NAMES
        database.run(f"DROP DATABASE {address.database}")
