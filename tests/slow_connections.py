"""Connections that send next to nothing: they are ended by the limits, and everybody else is served meanwhile."""

from __future__ import annotations

import asyncio
import resource
import time

from services.infra.http.heads import HEAD_SECONDS
from tests.fixtures.gateway import TOKEN, Gateway, encoded, event

_TYPE = "application/cloudevents+json"
_HEAD = f"POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: {_TYPE}\r\n"


async def held(gateway: Gateway, count: int, body_seconds: float) -> list[float]:
    """Open *count* slow connections, half of them in the head, half in the body; return what 200 good posts took, in seconds.

    Asserts that every slow connection is answered 408 or closed once its limit is over.
    """
    opened = []
    for place in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write((_HEAD + ("Content-Length: 500\r\n\r\n{" if place % 2 else "X-Slow: ")).encode())
        opened.append((reader, writer))
    async with asyncio.TaskGroup() as group:
        dripping = group.create_task(_drip([writer for _, writer in opened]))
        took = [await _good(gateway, place) for place in range(200)]
        ending = asyncio.gather(*(_end(reader) for reader, _ in opened))
        ends = await asyncio.wait_for(ending, max(HEAD_SECONDS, body_seconds) + 60)
        dripping.cancel()
    for _, writer in opened:
        writer.close()
    assert set(ends) <= {b"", b"HTTP/1.1 408"}, set(ends)
    assert await _good(gateway, 0) < 5
    return sorted(took)


def allowed(wanted: int) -> int:
    """Return how many connections this process may open of those *wanted*, after raising its limit as far as it goes."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65_536) if most > 0 else 65_536, most))
    found, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(wanted, found - 500)


async def _drip(writers: list[asyncio.StreamWriter]) -> None:
    while True:
        await asyncio.sleep(1)
        for writer in writers:
            if not writer.transport.is_closing():
                writer.write(b"x")


async def _end(reader: asyncio.StreamReader) -> bytes:
    try:
        return (await reader.read(64))[:12]
    except ConnectionError:
        return b""


async def _good(gateway: Gateway, place: int) -> float:
    body = encoded(event(id=f"good/{place}"))
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(f"{_HEAD}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
    answer = await asyncio.wait_for(reader.read(), 30)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 202"), answer[:200]
    return time.monotonic() - began
