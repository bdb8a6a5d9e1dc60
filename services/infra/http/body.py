"""Small bodies, read with limits on their size and on the time that they take."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol


class TooLarge(Exception):
    """A body is larger than it may be; what comes after was not read."""


class Streamed(Protocol):
    """What is needed of a request."""

    def stream(self) -> AsyncIterator[bytes]: ...


async def read_small(request: Streamed, *, limit: int, seconds: float) -> bytes:
    """Return the body. Raises TooLarge beyond *limit* bytes, TimeoutError where it takes more than *seconds* to arrive."""
    received = bytearray()
    async with asyncio.timeout(seconds):
        async for chunk in request.stream():
            received += chunk
            if len(received) > limit:
                raise TooLarge
    return bytes(received)
