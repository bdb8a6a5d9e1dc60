"""Single events posted side by side: gathered into few records, answered one by one, bounded when the broker is slow."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from schemas.topics import Topic
from services.infra.kafka import read_all
from tests.fixtures.gateway import Gateway, encoded, event, prepare
from tests.fixtures.tansu import Tansu

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]
EVENT = {"Content-Type": "application/cloudevents+json"}
ROOM = 50


@pytest.fixture
def narrow(tansu: Tansu, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway in which few events may wait, on a broker of the test's own."""
    prepare(tansu.address)
    running = Gateway(tansu.address, tmp_path, TIENDO_INGEST_QUEUE_EVENTS=str(ROOM))
    running.start()
    try:
        yield running
    finally:
        running.stop()


async def post(gateway: Gateway, ids: range, abreast: int) -> list[httpx.Response]:
    """Post one event for each of *ids*, at most *abreast* at a time; return the answers in the order of *ids*."""
    gate = asyncio.Semaphore(abreast)
    limits = httpx.Limits(max_connections=abreast, max_keepalive_connections=abreast)
    async with httpx.AsyncClient(
        base_url=gateway.client.base_url, headers=gateway.client.headers, timeout=30, limits=limits
    ) as client:

        async def one(number: int) -> httpx.Response:
            async with gate:
                return await client.post("/v1/events", content=encoded(event(id=f"{number}")), headers=EVENT)

        return await asyncio.gather(*(one(number) for number in ids))


async def volleys(gateway: Gateway, rounds: int, abreast: int) -> list[bytes]:
    """Post one event on each of *abreast* connections at once, *rounds* times; return the status lines.

    Plain sockets, because a client that is slower than the gateway would give it nothing to gather.
    """
    host, port = "127.0.0.1", gateway.port
    authorization = gateway.client.headers["authorization"]
    opened = [await asyncio.open_connection(host, port) for _ in range(abreast)]
    lines = []
    for turn in range(rounds):
        for place, (_, writer) in enumerate(opened):
            body = encoded(event(id=f"{turn}/{place}"))
            head = f"POST /v1/events HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n"
            head += f"Content-Type: {EVENT['Content-Type']}\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
        for reader, _ in opened:
            answer = await reader.readuntil(b"\r\n\r\n")
            lines.append(answer.partition(b"\r\n")[0])
            await reader.readexactly(int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
    for _, writer in opened:
        writer.close()
    return lines


def test_many_posts_become_few_records(narrow: Gateway) -> None:
    """600 posts, 40 at a time: each is in the log once, in far fewer records."""
    lines = asyncio.run(volleys(narrow, 15, 40))

    assert set(lines) == {b"HTTP/1.1 202 Accepted"}
    assert len(narrow.events()) == len({one.id for one in narrow.events()}) == 600
    assert len(read_all(narrow.kafka, Topic.EVENTS)) < 200


def test_a_slow_broker_fills_the_queue_and_no_more(tansu: Tansu, narrow: Gateway) -> None:
    """The broker stands still: so many wait, the others hear at once to come again; none that heard 202 is missing."""
    assert narrow.post(encoded(event(id="first"))).status_code == 202
    with tansu.standing_still():
        answers = asyncio.run(post(narrow, range(4 * ROOM), 4 * ROOM))

    assert {one.status_code for one in answers} == {503}
    assert all(int(one.headers["retry-after"]) > 0 for one in answers)
    # Those in the queue wait for the broker until the publishing timeout of 3 s; the others need not.
    assert sum(one.elapsed.total_seconds() < 2.5 for one in answers) >= 2 * ROOM
    narrow.wait_for("/readyz")
    again = asyncio.run(post(narrow, range(1000, 1000 + ROOM), 20))
    assert {one.status_code for one in again} == {202}
    assert len({one.id for one in narrow.events()}) >= 1 + ROOM
