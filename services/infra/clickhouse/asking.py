"""ClickHouse asked from requests: in threads, a connection per question, some at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from clickhouse_driver.errors import ErrorCodes, ServerException

from services.core.errors import Transient
from services.infra.clickhouse.client import ClickHouse, ClickHouseAddress, open_clickhouse

T = TypeVar("T")
_NOT_YET: Final = frozenset({ErrorCodes.UNKNOWN_TABLE, ErrorCodes.UNKNOWN_DATABASE, ErrorCodes.UNKNOWN_IDENTIFIER})


class Database:
    """Answers questions, *at_once* of them at a time; the others wait. Raises Transient where there is no answer."""

    def __init__(self, address: ClickHouseAddress, *, at_once: int, timeout_s: int) -> None:
        self._address = replace(address, timeout_s=timeout_s)
        self._turns = asyncio.Semaphore(at_once)

    async def ask(self, question: Callable[[ClickHouse], T]) -> T:
        """Return what *question* answers; it runs in a thread, with a connection of its own."""
        async with self._turns:
            return await asyncio.to_thread(self._answer, question)

    def _answer(self, question: Callable[[ClickHouse], T]) -> T:
        with open_clickhouse(self._address) as database:
            try:
                return question(database)
            except ServerException as fault:
                if fault.code in _NOT_YET:
                    raise Transient("the database is not set up yet") from fault
                raise
