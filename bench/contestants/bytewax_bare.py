"""Bytewax without its Kafka operators: the source alone, and everything else in one step."""

import os
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from confluent_kafka import OFFSET_BEGINNING

from bench.contestants.counting import Clock, Counted, arguments, decode, note, people


def main() -> None:
    """Count until all has been read."""
    bootstrap, topic, count, batch = arguments()
    clock = Clock(count)
    counted: Counted = {}

    def take(message: Any) -> None:
        clock.start()
        found = decode(message.value)
        for event in found if batch else (found,):
            note(counted, event)
        if clock.done(len(found) if batch else 1, lambda: people(counted)):
            os._exit(0)

    flow = Dataflow("bench")
    source: KafkaSource[Any, Any] = KafkaSource([bootstrap], [topic], starting_offset=OFFSET_BEGINNING, batch_size=1000)
    stream = op.input("read", flow, source)
    op.output("nothing", op.filter_map("count", stream, take), StdOutSink())
    run_main(flow)


main()
