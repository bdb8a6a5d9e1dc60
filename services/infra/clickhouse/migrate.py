"""Numbered migrations, applied in order, each once. Statements end with a semicolon at the end of a line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Final
from uuid import uuid4

from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse

MIGRATIONS = Path(__file__).parent / "migrations"
_SEEN_BY_ALL: Final = 0.05  # seconds until an announcement is seen by whoever announces itself at the same time
_PATIENCE: Final = 60  # seconds after which whoever began to apply is taken for dead


def statements(text: str) -> list[str]:
    """Return the statements of a migration, comments removed."""
    bare = re.sub(r"--[^\n]*", "", text)
    return [part.strip() for part in re.split(r";\s*(?:\n|\Z)", bare) if part.strip()]


def migrate(address: ClickHouseAddress) -> list[str]:
    """Create the database and apply what is missing; return the names applied here. Safe to run at every start.

    Of several that start at once one applies, and the others wait until it has, or has not been heard of for a minute.
    Every statement is written to be repeatable, so that a migration cut off half-way is simply applied again. Blocks.
    Raises :class:`Transient` while ClickHouse is away.
    """
    with open_clickhouse(replace(address, database="default")) as server:
        server.run(f"CREATE DATABASE IF NOT EXISTS {address.database}")
    with open_clickhouse(address) as database:
        database.run(
            "CREATE TABLE IF NOT EXISTS migrations (name String, at DateTime64(6, 'UTC') DEFAULT now64(6)) "
            "ENGINE = ReplacingMergeTree ORDER BY name"
        )
        if not _missing(database):
            return []
        database.run(
            "CREATE TABLE IF NOT EXISTS migrating (token String, at DateTime64(6, 'UTC') DEFAULT now64(6), done UInt8) "
            "ENGINE = ReplacingMergeTree(done) ORDER BY token"
        )
        return _in_turn(database)


def _in_turn(database: ClickHouse) -> list[str]:
    token = uuid4().hex
    database.insert("migrating", ["token", "done"], [[token], [0]])
    while True:
        sleep(_SEEN_BY_ALL)  # whoever announced itself meanwhile is seen by everybody, and all choose the same one
        if not _missing(database):
            return []
        first = database.rows(
            "SELECT token FROM migrating FINAL WHERE done = 0 AND (token = %(mine)s OR at > now64(6) - toIntervalSecond(%(s)s)) "
            "ORDER BY at, token LIMIT 1",
            {"mine": token, "s": _PATIENCE},
        )
        if first[0][0] == token:
            break
    applied = []
    for path in _missing(database):
        for statement in statements(path.read_text(encoding="utf-8")):
            database.run(statement)
        database.insert("migrations", ["name"], [[path.name]])
        applied.append(path.name)
    database.insert("migrating", ["token", "done"], [[token], [1]])
    return applied


def _missing(database: ClickHouse) -> list[Path]:
    done = {row[0] for row in database.rows("SELECT DISTINCT name FROM migrations")}
    return [path for path in sorted(MIGRATIONS.glob("*.sql")) if path.name not in done]
