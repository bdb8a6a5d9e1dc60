"""Fetches into batches, batches into the database: the next batch is folded while the last one is being written."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from services.aggregator.adapters.transport import Fetch

Prepared = TypeVar("Prepared")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """A batch is closed when it holds *records* or *size* bytes of values, or *wait* seconds after it was begun."""

    records: int
    size: int
    wait: float


class Pipeline(Generic[Prepared]):
    """Takes events whose values are fetches; acknowledges them in order, after everything they lead to is written.

    At most four batches are alive: one being written, two prepared, one waiting; :meth:`put` blocks then. *prepare* and
    *write* do the work elsewhere; *write* tells whether it was done, and after a False nothing more is acknowledged.
    """

    def __init__(
        self,
        prepare: Callable[[Sequence[Fetch]], Awaitable[Prepared]],
        write: Callable[[Prepared], Awaitable[bool]],
        limits: Limits,
        acknowledged: Callable[[int], None],
    ) -> None:
        self._prepare = prepare
        self._write = write
        self._limits = limits
        self._acknowledged = acknowledged
        self._pending: deque[Any] = deque()
        self._records = 0
        self._size = 0
        self._arrived = asyncio.Event()
        self._taken = asyncio.Event()

    @property
    def behind(self) -> bool:
        """Whether a whole batch is waiting: more comes in than can be written."""
        return self._full()

    async def put(self, event: Any) -> None:
        """Take *event*; wait while a whole batch is waiting already."""
        while self._full():
            self._taken.clear()
            await self._taken.wait()
        self._pending.append(event)
        self._records += event.value.number
        self._size += event.value.size
        self._arrived.set()

    async def run(self) -> None:
        """Work for ever; return after a write that could not be done."""
        under_way: asyncio.Queue[tuple[list[Any], asyncio.Task[Prepared]]] = asyncio.Queue(1)
        feeding = asyncio.create_task(self._feed(under_way))
        try:
            while True:
                events, preparing = await under_way.get()
                if not await self._finish(events, await preparing):
                    return
        finally:
            feeding.cancel()

    async def _feed(self, under_way: asyncio.Queue[tuple[list[Any], asyncio.Task[Prepared]]]) -> None:
        while True:
            events = await self._gather()
            preparing = asyncio.ensure_future(self._prepare([event.value for event in events]))
            await under_way.put((events, preparing))

    async def _finish(self, events: Sequence[Any], prepared: Prepared) -> bool:
        if not await self._write(prepared):
            return False
        for event in events:
            event.ack()
        self._acknowledged(sum(event.value.number for event in events))
        return True

    async def _gather(self) -> list[Any]:
        while not self._pending:
            self._arrived.clear()
            await self._arrived.wait()
        until = asyncio.get_running_loop().time() + self._limits.wait
        while not self._full():
            self._arrived.clear()
            try:
                await asyncio.wait_for(self._arrived.wait(), until - asyncio.get_running_loop().time())
            except TimeoutError:
                break
        events = list(self._pending)
        self._pending.clear()
        self._records = self._size = 0
        self._taken.set()
        return events

    def _full(self) -> bool:
        return self._records >= self._limits.records or self._size >= self._limits.size
