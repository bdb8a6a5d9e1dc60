"""One round of chaos, from an empty site to the comparison with the oracle."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

from services.infra.clickhouse.client import open_clickhouse
from tests.aggregator_world import ZONE
from tests.chaos import Chaos, Flow, records_of, summary
from tests.chaos_site import DIRECTORY, PLAN, TABLES, Site, differences, held_facts, held_feed_days, held_figures
from tests.chaos_world import FastOracle, chaos_events, expected_facts, expected_feed_days, expected_figures
from tests.fixtures.chdb import ChdbServer
from tests.fixtures.kafka import Kafka

WORKERS = ["worker-1", "worker-2"]


def chaos_round(
    broker: Kafka, database: ChdbServer, folder: Path, *, seed: int, count: int, seconds: float, away: float,
    pause: tuple[float, float], patience: float,
) -> str:  # fmt: skip
    """Run a round and return its summary; raises AssertionError where a fact or a figure is not the oracle's."""
    print(f"seed {seed}: {count} events over about {seconds:g} s", flush=True)
    began = time.monotonic()
    rng = random.Random(seed)
    events = chaos_events(rng, count)
    site = Site(broker, database, folder)
    chaos = Chaos(site, rng, WORKERS, away)
    try:
        site.topics()
        for name in WORKERS:
            site.start_worker(name)
        site.publish_plan()
        flow = Flow(site, records_of(rng, events), seconds)
        flow.start()
        try:
            chaos.run(flow, pause)
        finally:
            flow.stopping.set()
            flow.join(30)
        assert flow.fault is None, flow.fault
        took = site.settle(patience)
        site.say(f"settled {took:.1f} s after the last fault")
        compare(site, events)
        line = summary(chaos, seed=seed, settled_s=round(took, 1), round_s=round(time.monotonic() - began, 1))
        print(line, flush=True)
        return line
    finally:
        chaos.wake(everyone=True)
        site.stop()


def compare(site: Site, events: list[Any]) -> None:
    """Raise AssertionError unless every table and every figure is what the naive fold of *events* says."""
    wanted = expected_facts(events)
    figures = expected_figures(FastOracle(events, PLAN, DIRECTORY, ZONE))
    assert set(wanted) == set(TABLES)
    with open_clickhouse(site.address) as database:
        wrong = {table: differences(rows, held_facts(database, table)) for table, rows in wanted.items()}
        wrong["feed_days"] = differences(expected_feed_days(events), held_feed_days(database))
        wrong["adoption"] = differences(figures, held_figures(database))
        wrong = {table: lines for table, lines in wrong.items() if lines}
        assert not wrong, wrong
    sizes = {table: len(rows) for table, rows in wanted.items()} | {"figures": len(figures)}
    site.say(f"equal to the oracle: {sizes}")
