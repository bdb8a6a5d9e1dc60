"""What the aggregator reads from ``TIENDO_…`` variables."""

from __future__ import annotations

from pydantic import Field

from services.infra.settings import SharedSettings


class AggregatorSettings(SharedSettings):
    """One worker's settings. Seconds are real seconds."""

    aggregator_group: str = Field(default="tiendo-aggregator", description="The workers that share the work.")
    aggregator_port: int = Field(default=9101, description="Health and metrics.")
    aggregator_batch_records: int = Field(default=40_000, ge=1, description="Records that close a batch.")
    aggregator_batch_bytes: int = Field(default=16 << 20, ge=1, description="Bytes of values that close a batch.")
    aggregator_batch_wait: float = Field(default=0.1, gt=0, description="Seconds to wait for a batch to fill.")
    aggregator_interval: float = Field(default=1.0, gt=0, description="Seconds between two rounds of recomputation.")
    aggregator_retry_longest: float = Field(
        default=10.0, gt=0, description="The wait for ClickHouse doubles up to this."
    )
    aggregator_watchdog: float = Field(
        default=120.0, gt=0, description="Seconds without progress, waits for ClickHouse aside, that end the process."
    )

    @property
    def leader_topic(self) -> str:
        """The topic that Faust elects the leader by."""
        return f"{self.aggregator_group}-__assignor-__leader"
