"""What the aggregator reads from ``TIENDO_…`` variables."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from schemas.topics import AGGREGATOR_GROUP
from services.aggregator.core.dead_letters import DeadLetterLimit
from services.infra.settings import SharedSettings


class AggregatorSettings(SharedSettings):
    """One worker's settings. Seconds are real seconds."""

    aggregator_group: str = Field(default=AGGREGATOR_GROUP, description="The workers that share the work.")
    aggregator_begin_anew: bool = Field(
        default=False, description="Read all topics again into a database that the group has not read into."
    )
    aggregator_port: int = Field(default=9101, description="Health and metrics.")
    aggregator_batch_records: int = Field(default=40_000, ge=1, description="Records that close a batch.")
    aggregator_batch_bytes: int = Field(default=16 << 20, ge=1, description="Bytes of values that close a batch.")
    aggregator_batch_wait: float = Field(default=0.25, gt=0, description="Seconds to wait for a batch to fill.")
    aggregator_interval: float = Field(
        default=0.5, gt=0, description="Seconds from the start of one round of recomputation to the next."
    )
    aggregator_retry_longest: float = Field(
        default=10.0, gt=0, description="The wait for ClickHouse doubles up to this."
    )
    aggregator_watchdog: float = Field(
        default=120.0, gt=0, description="Seconds without progress, waits for ClickHouse aside, that end the process."
    )
    aggregator_dead_letters_window: int = Field(default=1000, ge=1, description="Events that the share looks back on.")
    aggregator_dead_letters_percent: int = Field(
        default=50, ge=0, le=100, description="So many of them unusable stop the worker; 0: no such limit."
    )
    aggregator_dead_letters_in_a_row: int = Field(
        default=100, ge=0, description="So many unusable in a row stop the worker; 0: no such limit."
    )
    aggregator_dead_letters_linger: float = Field(
        default=30.0, ge=0, description="Seconds that a worker so stopped can still be asked for its metrics."
    )

    @model_validator(mode="after")
    def _limit_makes_sense(self) -> Self:
        self.dead_letter_limit()
        return self

    @property
    def leader_topic(self) -> str:
        """The topic that Faust elects the leader by."""
        return f"{self.aggregator_group}-__assignor-__leader"

    def dead_letter_limit(self) -> DeadLetterLimit:
        """Return the limit on unusable events."""
        return DeadLetterLimit(
            window=self.aggregator_dead_letters_window,
            percent=self.aggregator_dead_letters_percent,
            in_a_row=self.aggregator_dead_letters_in_a_row,
        )
