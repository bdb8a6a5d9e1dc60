"""What the others count, and how a run is timed: from the first record to the last of a known number."""

import json
import resource
import sys
import time
from collections.abc import Callable

import msgspec

Counted = dict[tuple[str, str], set[str]]


class Clock:
    """Starts with the first record; prints rate, processor time and peak memory with the last, and ends the process."""

    def __init__(self, count: int) -> None:
        self._left = count
        self._count = count
        self._began = 0.0
        self._used = 0.0

    def start(self) -> None:
        """Say that the first record is here; nothing happens the second time."""
        if not self._began:
            self._began = time.perf_counter()
            self._used = _used()

    def done(self, events: int, check: Callable[[], int] | None = None) -> bool:
        """Say that *events* more are counted; prints once all are, and returns whether they are."""
        self._left -= events
        if self._left > 0:
            return False
        seconds = time.perf_counter() - self._began
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            json.dumps(
                {
                    "rate": self._count / seconds,
                    "cpu_us": (_used() - self._used) / self._count * 1e6,
                    "peak_mb": peak,
                    "people": check() if check else 0,
                }
            ),
            flush=True,
        )
        return True


def _used() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


decode = msgspec.json.Decoder().decode


def note(counted: Counted, event: dict[str, object]) -> None:
    """Add the person of *event* to the set of its agency and day."""
    data = event["data"]
    assert isinstance(data, dict)
    counted.setdefault((str(event["agency"]), data["day"]), set()).add(data["actor"])


def people(counted: Counted) -> int:
    """Return how many are in the sets, so that nobody can skip the work."""
    return sum(map(len, counted.values()))


def arguments() -> tuple[str, str, int, bool]:
    """Return bootstrap, topic, number of events, and whether a record holds a batch."""
    bootstrap, topic, count, shape = sys.argv[1:]
    return bootstrap, topic, int(count), shape == "batch"
