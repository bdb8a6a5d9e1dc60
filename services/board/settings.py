"""What the board reads from ``TIENDO_…`` variables."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from services.board.tokens import read_tokens
from services.infra.answer_links import AnswerSettings


class BoardSettings(AnswerSettings):
    """Where the board listens, how much it asks of the database, and who may write through it.

    To the database it writes nothing: give it a read-only user. What it takes goes to ``warnings.v1``.
    """

    board_port: int = Field(default=8090, ge=0, le=65535)
    board_queries: int = Field(default=4, ge=1, le=100, description="Questions to the database at once.")
    board_timeout: int = Field(default=30, ge=1, le=600, description="Seconds for an answer of the database.")
    board_shutdown_timeout: int = Field(default=15, ge=1, le=600, description="Seconds for open requests at the end.")
    board_answers: int = Field(default=20, ge=1, le=1000, description="Answers that one link takes.")
    board_base: str = Field(
        default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$", description="The path under which a proxy shows the board."
    )
    board_tokens_file: Path | None = Field(
        default=None,
        description="Who may answer, silence and send again: a name and the SHA-256 of its token on each line.",
    )
    board_writes_per_minute: int = Field(default=120, ge=1, le=100_000, description="Of one token.")
    board_publish_timeout: float = Field(
        default=5.0, ge=0.5, le=60, description="Seconds for the broker to acknowledge."
    )

    @field_validator("board_tokens_file")
    @classmethod
    def _readable(cls, path: Path | None) -> Path | None:
        if path is not None:
            read_tokens(path)
        return path
