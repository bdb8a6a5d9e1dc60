"""The board put together: the one place where its parts are made and tied."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fastapi import FastAPI

from services.board.answering import Answers
from services.board.http.answer_pages import AnswerPages
from services.board.http.app import create_app
from services.board.metrics import BoardMetrics
from services.board.settings import BoardSettings
from services.board.tokens import Tokens, read_tokens
from services.board.writing import Allowance, Writing
from services.infra.answer_links import Signer
from services.infra.clickhouse.asking import Database
from services.infra.clock import open_clock
from services.infra.warnings_publishing import WarningsPublisher


def build(settings: BoardSettings) -> FastAPI:
    """Return the board. It answers at once; while the database, or for writes the broker, is away with 503.

    Without a key for links it has no answer page.
    """
    database = Database(settings.clickhouse(), at_once=settings.board_queries, timeout_s=settings.board_timeout)
    publisher = WarningsPublisher(
        settings.kafka(), replication=settings.kafka_replication, patience=settings.board_publish_timeout
    )
    metrics, clock, keys = BoardMetrics(), open_clock(), settings.answer_keys()
    writing = Writing(
        tokens=read_tokens(settings.board_tokens_file) if settings.board_tokens_file else Tokens(),
        publisher=publisher,
        clock=clock,
        allowance=Allowance(settings.board_writes_per_minute),
    )
    app = create_app(database, metrics, zone=settings.zone, writing=writing, closing=publisher.close)
    if keys:
        pages = AnswerPages(
            database=database,
            signer=Signer(keys),
            answers=Answers(publisher, most=settings.board_answers),
            metrics=metrics,
            clock=clock,
            zone=ZoneInfo(settings.zone),
            base=settings.board_base,
        )
        app.include_router(pages.router())
    return app
