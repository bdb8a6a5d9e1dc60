"""Timing side by side: alternate the contestants, so that the machine's drift hits both, and compare pair by pair."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

RUNS = 5


@dataclass(frozen=True)
class Result:
    """One row of ``results.json``."""

    name: str
    value: float
    unit: str
    runs: int


def rate(work: Callable[[], int]) -> float:
    """Return how many things *work* does per second; it returns how many it did."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began)


def side_by_side(
    name: str, unit: str, a: tuple[str, Callable[[], int]], b: tuple[str, Callable[[], int]]
) -> list[Result]:
    """Return both median rates and the median of the ratios a / b, after one run of each that does not count."""
    rate(a[1])
    rate(b[1])
    pairs = [(rate(a[1]), rate(b[1])) for _ in range(RUNS)]
    return [
        Result(a[0], round(statistics.median(x for x, _ in pairs)), unit, RUNS),
        Result(b[0], round(statistics.median(y for _, y in pairs)), unit, RUNS),
        Result(name, round(statistics.median(x / y for x, y in pairs), 3), "ratio", RUNS),
    ]
