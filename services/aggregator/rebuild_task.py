"""What a rebuild is asked to do, and what it reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.aggregator.adapters.rebuild_compare import Compared
from services.aggregator.core.rebuilding import Difference
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.kafka import KafkaAddress


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is to be rebuilt, from where, and what may happen then."""

    clickhouse: ClickHouseAddress
    kafka: KafkaAddress
    zone: str
    source: Literal["archive", "kafka"] = "archive"
    tables: tuple[str, ...] = ()
    dry_run: bool = False
    accept_differences: bool = False
    chunk: int = 50_000
    pause: float = 1.0  # seconds between two comparisons, for a batch under way to be written


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a rebuild found and did. *figures_compared* is False while figures were on their way to new facts."""

    source: str
    resumed: bool
    events: int
    tables: tuple[Compared, ...]
    differences: tuple[Difference, ...]
    figures_compared: bool
    swapped: bool
    figures_changed: int


#: Told (stage, events done, events in all).
Tell = Callable[[str, int, int], None]
