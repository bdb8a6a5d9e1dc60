"""What the board reads from ``TIENDO_…`` variables."""

from __future__ import annotations

from pydantic import Field

from services.infra.settings import SharedSettings


class BoardSettings(SharedSettings):
    """Where the board listens, and how much it asks of the database. It writes nothing: give it a read-only user."""

    board_port: int = Field(default=8090, ge=0, le=65535)
    board_queries: int = Field(default=4, ge=1, le=100, description="Questions to the database at once.")
    board_timeout: int = Field(default=30, ge=1, le=600, description="Seconds for an answer of the database.")
    board_shutdown_timeout: int = Field(default=15, ge=1, le=600, description="Seconds for open requests at the end.")
