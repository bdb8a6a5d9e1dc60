"""The table of refused events, read with the gateway's read-only user, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import TypeVar

from clickhouse_driver.errors import ErrorCodes, ServerException

from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouseAddress, open_clickhouse
from services.infra.rejected import RefusedEvent, RejectedReader, Wanted

T = TypeVar("T")
_TIMEOUT_S = 20
_AT_ONCE = 2
_NOT_YET = frozenset({ErrorCodes.UNKNOWN_TABLE, ErrorCodes.UNKNOWN_DATABASE, ErrorCodes.UNKNOWN_IDENTIFIER})


class RejectedTable:
    """Answers about refused events; a connection per question, two at a time. Raises Transient where there is no answer."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self._address = replace(address, timeout_s=_TIMEOUT_S)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def listed(self, wanted: Wanted, *, limit: int) -> list[RefusedEvent]:
        """Return the latest *limit* of those wanted, without their bodies."""
        return await self._ask(lambda reader: reader.listed(wanted, limit=limit))

    async def held(self, rejections: Collection[str]) -> list[RefusedEvent]:
        """Return the inputs called *rejections* with their bodies; unknown ones are left out."""
        return await self._ask(lambda reader: reader.held(rejections))

    async def _ask(self, question: Callable[[RejectedReader], T]) -> T:
        async with self._turns:
            return await asyncio.to_thread(self._answer, question)

    def _answer(self, question: Callable[[RejectedReader], T]) -> T:
        with open_clickhouse(self._address) as database:
            try:
                return question(RejectedReader(database))
            except ServerException as fault:
                if fault.code in _NOT_YET:
                    raise Transient("the database is not set up yet") from fault
                raise
