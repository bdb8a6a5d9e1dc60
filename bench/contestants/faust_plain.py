"""faust-streaming as it comes: parse, and keep the set of people per agency and day in memory."""

import asyncio
import logging
import os
import tempfile
from typing import Any
from uuid import uuid4

import faust

from bench.contestants.counting import Clock, Counted, arguments, decode, note, people


async def main() -> None:
    """Count until all has been read."""
    bootstrap, topic, count, batch = arguments()
    clock = Clock(count)
    counted: Counted = {}
    app = faust.App(
        f"bench-{uuid4()}",
        broker=f"kafka://{bootstrap}",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        consumer_auto_offset_reset="earliest",
        store="memory://",
        datadir=tempfile.mkdtemp(),
        worker_redirect_stdouts=False,
        loghandlers=[],
    )

    @app.agent(app.topic(topic, key_serializer="raw", value_serializer="raw"))
    async def take(stream: Any) -> None:
        async for values in stream.take(2000, within=1.0):
            clock.start()
            done = 0
            for value in values:
                found = decode(value)
                for event in found if batch else (found,):
                    note(counted, event)
                done += len(found) if batch else 1
            if clock.done(done, lambda: people(counted)):
                os._exit(0)

    app.finalize()
    await app.start()
    await asyncio.sleep(600)


logging.disable(logging.WARNING)
asyncio.run(main())
