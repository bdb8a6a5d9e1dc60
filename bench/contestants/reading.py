"""aiokafka merely reading, in pieces of 5,000."""

import asyncio
from itertools import chain

from aiokafka import AIOKafkaConsumer

from bench.contestants.counting import Clock, arguments


async def _read() -> None:
    bootstrap, topic, count, _ = arguments()
    clock = Clock(count)
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        group_id="bench-reading",
        enable_auto_commit=False,
    )
    await consumer.start()
    while True:
        found = await consumer.getmany(timeout_ms=1000, max_records=5000)
        records = list(chain.from_iterable(found.values()))
        if records:
            clock.start()
            if clock.done(len(records)):
                break
    await consumer.stop()


asyncio.run(_read())
