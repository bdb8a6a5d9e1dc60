"""One worker doing the whole work beside what an engineer would otherwise pick for merely counting.

Everybody reads the same topic of the same broker, one after the other, round by round; the ratios are taken round by
round, so that what else the machine does hits all of them. The others parse and keep the set of people per agency and day
in memory. Bytewax does so in three ways: with its own state by key; with its Kafka input, a step that parses and a step that
puts into a dictionary of ours; and with everything in one step on its bare source.
aiokafka only reads. The worker validates, folds, writes archive, facts and marks over the network, recomputes, and
acknowledges afterwards. ``TIENDO_BENCH_EVENTS`` and ``TIENDO_BENCH_RUNS`` set the size (600,000) and the rounds (3),
``TIENDO_BENCH_AGAINST`` the others on single-event records (all: quix,bytewax,…),
``TIENDO_BENCH_SIZES`` where memory is looked at (1000000,10000000; the embedded broker holds 400 bytes of memory per event).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from datetime import timedelta

from bench.freshness import freshness_of
from bench.ground import Ground, standing
from bench.measure import Result
from schemas.topics import Topic

EVENTS = int(os.environ.get("TIENDO_BENCH_EVENTS", "600000"))
ROUNDS = int(os.environ.get("TIENDO_BENCH_RUNS", "3"))
SIZES = [int(size) for size in os.environ.get("TIENDO_BENCH_SIZES", "1000000,10000000,30000000").split(",")]
PER_RECORD = 100
AGENCIES = 30
OTHERS = {
    "quix": "quix",
    "bytewax": "bytewax_keyed",
    "bytewax_steps": "bytewax_steps",
    "bytewax_bare": "bytewax_bare",
    "faust": "faust_plain",
    "reading": "reading",
}
AGAINST = {
    name: module
    for name, module in OTHERS.items()
    if name in os.environ.get("TIENDO_BENCH_AGAINST", ",".join(OTHERS)).split(",")
}


def against() -> list[Result]:
    """Single-event records, then records of 100, side by side."""
    single: dict[str, list[dict[str, float]]] = {}
    batch: dict[str, list[dict[str, float]]] = {}
    with standing() as ground:
        ground.fill(EVENTS, AGENCIES)
        for _ in range(ROUNDS):
            _round(ground, single, "single", AGAINST)
    with standing() as ground:
        ground.fill(EVENTS, AGENCIES, per_record=PER_RECORD)
        for _ in range(ROUNDS):
            _round(ground, batch, "batch", {"quix": OTHERS["quix"]})
    results = [
        *(_ratio(f"aggregator_single_vs_{other}", single["ours"], single[other]) for other in AGAINST),
        _ratio("aggregator_batch_vs_quix", batch["ours"], batch["quix"]),
        _ratio("aggregator_batch_vs_single", batch["ours"], single["ours"]),
    ]
    for shape, runs in (("single", single), ("batch", batch)):
        for name, found in runs.items():
            who = "aggregator" if name == "ours" else name
            results.append(_median(f"{who}_{shape}_events_s", found, "rate", "events/s"))
            results.append(_median(f"{who}_{shape}_cpu_us", found, "cpu_us", "µs of processor per event"))
    results.append(_median("aggregator_rows_per_event", single["ours"], "rows", "rows"))
    return results


def sizes() -> list[Result]:
    """Memory after so many events, cost per event over three numbers of agencies."""
    results = []
    with standing() as ground, ground.filling(max(SIZES), AGENCIES, per_record=PER_RECORD), ground.worker() as worker:
        for count in SIZES:
            worker.wait_for(count)
            results.append(Result(f"aggregator_memory_mb_{count}", round(worker.peak_mb()), "MB", 1))
            print(f"{count:,} events: {worker.peak_mb():.0f} MB", file=sys.stderr)
    for agencies in (30, 1_000, 12_000):
        with standing() as ground:
            ground.fill(EVENTS, agencies)
            with ground.worker() as worker:
                spent = worker.rate(EVENTS)["cpu_us"]
        results.append(
            Result(f"aggregator_cpu_us_{agencies}_agencies", round(spent, 2), "µs of processor per event", 1)
        )
    return results


def freshness() -> list[Result]:
    """From produced to readable in ``adoption``, in records of 100."""
    results = []
    for agencies in (30, 1_000):
        for rate in (5_000, 20_000):
            with standing() as ground:
                waits = freshness_of(ground, agencies=agencies, rate=rate, lasting=timedelta(seconds=20))
            ordered = sorted(waits)
            suffix = f"{rate}" if agencies == AGENCIES else f"{rate}_{agencies}_agencies"
            results.append(Result(f"freshness_p50_ms_{suffix}", round(statistics.median(ordered)), "ms", len(waits)))
            results.append(
                Result(f"freshness_p99_ms_{suffix}", round(ordered[len(ordered) * 99 // 100]), "ms", len(waits))
            )
    return results


def _round(ground: Ground, runs: dict[str, list[dict[str, float]]], shape: str, others: dict[str, str]) -> None:
    with ground.worker() as worker:
        runs.setdefault("ours", []).append(worker.rate(EVENTS))
    for name, module in others.items():
        # What only reads counts records.
        count = EVENTS // PER_RECORD if name == "reading" and shape == "batch" else EVENTS
        runs.setdefault(name, []).append(ground.contestant(module, Topic.EVENTS.value, count, shape))
        time.sleep(1)


def _ratio(name: str, ours: list[dict[str, float]], others: list[dict[str, float]]) -> Result:
    pairs = [a["rate"] / b["rate"] for a, b in zip(ours, others, strict=True)]
    return Result(name, round(statistics.median(pairs), 3), "ratio", len(pairs))


def _median(name: str, runs: list[dict[str, float]], what: str, unit: str) -> Result:
    value = statistics.median(run[what] for run in runs)
    return Result(name, round(value, 2) if value < 1000 else round(value), unit, len(runs))
