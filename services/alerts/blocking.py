"""One thread for everything that blocks: connections to ClickHouse belong to one thread, and Faust's loop must go on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


class Blocking:
    """Runs blocking calls one after the other in a thread of their own."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self._executor = executor

    async def __call__(self, call: Callable[[], Result]) -> Result:
        """Return what *call* returns; what it raises is raised here."""
        return await asyncio.get_running_loop().run_in_executor(self._executor, call)


@contextmanager
def open_blocking() -> Iterator[Blocking]:
    """Yield the thread's face; on leaving, a call under way is waited for and others are dropped."""
    executor = ThreadPoolExecutor(1, thread_name_prefix="blocking")
    try:
        yield Blocking(executor)
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def collect_rarely() -> None:
    """Look for cycles of dead objects less often, in the whole process.

    A round makes hundreds of thousands of records, none of them in a cycle; looking through them again and again took a
    quarter of its time.
    """
    gc.set_threshold(100_000, 20, 100)
