"""The table of refused events, read with the gateway's read-only user, in threads."""

from __future__ import annotations

from collections.abc import Collection

from services.infra.clickhouse.asking import Database
from services.infra.clickhouse.client import ClickHouseAddress
from services.infra.rejected import RefusedEvent, RejectedReader, Wanted

_TIMEOUT_S = 20
_AT_ONCE = 2


class RejectedTable:
    """Answers about refused events; a connection per question, two at a time. Raises Transient where there is no answer."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._database = Database(address, at_once=_AT_ONCE, timeout_s=_TIMEOUT_S)

    async def listed(self, wanted: Wanted, *, limit: int) -> list[RefusedEvent]:
        """Return the latest *limit* of those wanted, without their bodies."""
        return await self._database.ask(lambda it: RejectedReader(it).listed(wanted, limit=limit))

    async def held(self, rejections: Collection[str]) -> list[RefusedEvent]:
        """Return the inputs called *rejections* with their bodies; unknown ones are left out."""
        return await self._database.ask(lambda it: RejectedReader(it).held(rejections))
