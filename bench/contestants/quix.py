"""Quix Streams: parse, and keep the set of people per agency and day in memory."""

import logging
from typing import Any
from uuid import uuid4

from quixstreams import Application
from quixstreams.models import BytesDeserializer

from bench.contestants.counting import Clock, Counted, arguments, decode, note, people


def main() -> None:
    """Count until all has been read."""
    bootstrap, topic, count, batch = arguments()
    clock = Clock(count)
    counted: Counted = {}
    app = Application(
        broker_address=bootstrap,
        consumer_group=f"bench-{uuid4()}",
        auto_offset_reset="earliest",
        loglevel=logging.ERROR,
    )

    def take(value: Any) -> None:
        clock.start()
        found = decode(value)
        for event in found if batch else (found,):
            note(counted, event)
        if clock.done(len(found) if batch else 1, lambda: people(counted)):
            app.stop()

    stream = app.dataframe(app.topic(topic, value_deserializer=BytesDeserializer()))
    stream.update(take)
    app.run()


main()
