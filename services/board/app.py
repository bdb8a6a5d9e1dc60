"""The board put together: the one place where its parts are made and tied."""

from __future__ import annotations

from fastapi import FastAPI

from services.board.http.app import create_app
from services.board.metrics import BoardMetrics
from services.board.settings import BoardSettings
from services.infra.clickhouse.asking import Database


def build(settings: BoardSettings) -> FastAPI:
    """Return the board. It answers at once; while the database is away with 503."""
    database = Database(settings.clickhouse(), at_once=settings.board_queries, timeout_s=settings.board_timeout)
    return create_app(database, BoardMetrics(), zone=settings.zone)
