"""Fill a topic: ``produce BOOTSTRAP TOPIC COUNT AGENCIES PER_RECORD RATE [people]``; a rate of 0 is as fast as it goes.

Prints the number of records of each partition as JSON.
"""

import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from confluent_kafka import Producer

from bench.stream import mails, people
from schemas import usage


def main() -> None:
    """Produce, waiting for every acknowledgement."""
    bootstrap, topic, count, agencies, per_record, rate, *also = sys.argv[1:]
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 20,
            "batch.size": 500_000,
            "queue.buffering.max.messages": 500_000,
        }
    )
    offsets: dict[int, int] = {}

    def delivered(error: Any, message: Any) -> None:
        if error is not None:
            raise SystemExit(str(error))
        offsets[message.partition()] = max(offsets.get(message.partition(), 0), message.offset() + 1)

    events = people(int(agencies)) if also else mails(int(count), int(agencies))
    began = time.monotonic()
    sent = 0
    for value, kind, events_of in _records(events, int(per_record)):
        while True:
            try:
                producer.produce(
                    topic,
                    value,
                    partition=sent // events_of % 4,
                    headers=[("content-type", kind)],
                    on_delivery=delivered,
                )
                break
            except BufferError:
                producer.poll(0.1)
        sent += events_of
        if sent % 500 < events_of:
            producer.poll(0)
        if float(rate) and (ahead := sent / float(rate) - (time.monotonic() - began)) > 0:
            producer.flush()
            time.sleep(ahead)
    producer.flush()
    print(json.dumps(offsets))


def _records(events: Iterator[Any], size: int) -> Iterator[tuple[bytes, str, int]]:
    while part := list(islice(events, size)):
        if size == 1:
            yield usage.encode_one(part[0]), usage.SINGLE_CONTENT_TYPE, 1
        else:
            yield usage.encode(part), usage.BATCH_CONTENT_TYPE, size


if __name__ == "__main__":
    main()
