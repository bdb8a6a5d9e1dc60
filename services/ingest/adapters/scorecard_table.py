"""Scorecards, read with the gateway's read-only user, in threads."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from services.core.whereabouts import Whereabouts
from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.scorecard import Scorecard, read_scorecard
from services.infra.whereabouts import read_whereabouts

_TIMEOUT_S = 20
_AT_ONCE = 2


class Scorecards:
    """Answers about sources; a connection per question, two at a time. Raises Transient where there is no answer."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._database = Database(address, at_once=_AT_ONCE, timeout_s=_TIMEOUT_S)

    async def of(self, source: str, day: date, now: datetime) -> Scorecard:
        """Return the scorecard of *source* on *day*."""
        return await self._database.ask(lambda it: read_scorecard(it, source, day, now))


class WhereaboutsTable:
    """Answers about single events, as `Scorecards` does about sources."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._database = Database(address, at_once=_AT_ONCE, timeout_s=_TIMEOUT_S)

    async def of(
        self, source: str, ids: Collection[str], pseudonym: str, day: date, *, taken_lately: bool
    ) -> Whereabouts:
        """Return where the event of *source* is that the log may name by one of *ids*."""
        return await self._database.ask(
            lambda it: read_whereabouts(it, source, ids, pseudonym, day, taken_lately=taken_lately)
        )
