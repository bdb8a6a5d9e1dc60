"""Bytewax with its own state: its Kafka input, a step that parses, the set of people kept by key as its guide has it."""

import os
from typing import Any

import bytewax.operators as op
from bytewax.connectors.kafka import operators as kop
from bytewax.connectors.stdio import StdOutSink
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main
from confluent_kafka import OFFSET_BEGINNING

from bench.contestants.counting import Clock, arguments, decode


def main() -> None:
    """Count until all has been read."""
    bootstrap, topic, count, batch = arguments()
    clock = Clock(count)

    def parse(message: Any) -> Any:
        clock.start()
        found = decode(message.value)
        return found if batch else (found,)

    def key(event: Any) -> str:
        return f"{event['agency']} {event['data']['day']}"

    def take(people: set[str] | None, event: Any) -> tuple[set[str], None]:
        people = set() if people is None else people
        people.add(event["data"]["actor"])
        if clock.done(1):
            os._exit(0)
        return people, None

    flow = Dataflow("bench")
    read = kop.input("read", flow, brokers=[bootstrap], topics=[topic], starting_offset=OFFSET_BEGINNING)
    keyed = op.key_on("key", op.flat_map("parse", read.oks, parse), key)
    counted = op.stateful_map("count", keyed, take)
    op.output("nothing", op.filter("none", counted, lambda _: False), StdOutSink())
    run_main(flow)


main()
