"""Bytewax without its state: its Kafka input, a step that parses, a step that puts people into a dictionary of ours."""

import os
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import operators as kop
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

    def parse(message: Any) -> Any:
        clock.start()
        return decode(message.value)

    def take(found: Any) -> None:
        for event in found if batch else (found,):
            note(counted, event)
        if clock.done(len(found) if batch else 1, lambda: people(counted)):
            os._exit(0)

    flow = Dataflow("bench")
    read = kop.input("read", flow, brokers=[bootstrap], topics=[topic], starting_offset=OFFSET_BEGINNING)
    parsed = op.map("parse", read.oks, parse)
    op.output("nothing", op.filter_map("count", parsed, take), StdOutSink())
    run_main(flow)


main()
