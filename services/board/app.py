"""The board put together: the one place where its parts are made and tied."""

from __future__ import annotations

from fastapi import FastAPI

from services.board.http.app import create_app
from services.board.metrics import BoardMetrics
from services.board.settings import BoardSettings
from services.board.tokens import Tokens, read_tokens
from services.board.writing import Allowance, Writing
from services.infra.clickhouse.asking import Database
from services.infra.clock import open_clock
from services.infra.warnings_publishing import WarningsPublisher


def build(settings: BoardSettings) -> FastAPI:
    """Return the board. It answers at once; while the database, or for writes the broker, is away with 503."""
    database = Database(settings.clickhouse(), at_once=settings.board_queries, timeout_s=settings.board_timeout)
    publisher = WarningsPublisher(
        settings.kafka(), replication=settings.kafka_replication, patience=settings.board_publish_timeout
    )
    writing = Writing(
        tokens=read_tokens(settings.board_tokens_file) if settings.board_tokens_file else Tokens(),
        publisher=publisher,
        clock=open_clock(),
        allowance=Allowance(settings.board_writes_per_minute),
    )
    return create_app(database, BoardMetrics(), zone=settings.zone, writing=writing, closing=publisher.close)
