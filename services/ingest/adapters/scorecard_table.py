"""Scorecards, read with the gateway's read-only user, in threads."""

from __future__ import annotations

from datetime import date, datetime

from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.scorecard import Scorecard, read_scorecard

_TIMEOUT_S = 20
_AT_ONCE = 2


class Scorecards:
    """Answers about sources; a connection per question, two at a time. Raises Transient where there is no answer."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._database = Database(address, at_once=_AT_ONCE, timeout_s=_TIMEOUT_S)

    async def of(self, source: str, day: date, now: datetime) -> Scorecard:
        """Return the scorecard of *source* on *day*."""
        return await self._database.ask(lambda it: read_scorecard(it, source, day, now))
