"""Numbered migrations, applied in order, each once. Statements end with a semicolon at the end of a line."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse

MIGRATIONS = Path(__file__).parent / "migrations"


def statements(text: str) -> list[str]:
    """Return the statements of a migration, comments removed."""
    bare = re.sub(r"--[^\n]*", "", text)
    return [part.strip() for part in re.split(r";\s*(?:\n|\Z)", bare) if part.strip()]


def migrate(address: ClickHouseAddress) -> list[str]:
    """Create the database and apply what is missing; return the names applied. Safe to run at every start.

    Every statement is written to be repeatable, so that a migration cut off half-way is simply applied again.
    Raises :class:`Transient` while ClickHouse is away.
    """
    with open_clickhouse(replace(address, database="default")) as server:
        server.run(f"CREATE DATABASE IF NOT EXISTS {address.database}")
    applied: list[str] = []
    with open_clickhouse(address) as database:
        database.run(
            "CREATE TABLE IF NOT EXISTS migrations (name String, at DateTime64(6, 'UTC') DEFAULT now64(6)) "
            "ENGINE = ReplacingMergeTree ORDER BY name"
        )
        done = {row[0] for row in database.rows("SELECT DISTINCT name FROM migrations")}
        for path in sorted(MIGRATIONS.glob("*.sql")):
            if path.name in done:
                continue
            for statement in statements(path.read_text(encoding="utf-8")):
                database.run(statement)
            database.insert("migrations", ["name"], [[path.name]])
            applied.append(path.name)
    return applied
