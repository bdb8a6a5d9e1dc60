"""What the board exports: the catalogue of its metrics. Labels come from closed sets only."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_LATENCIES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class BoardMetrics:
    """One set of metrics per process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Histogram(
            "tiendo_board_request_seconds",
            "Time from the head of a request to its answer.",
            ["route", "code"],
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self.unanswered = Counter(
            "tiendo_board_database_failures", "Questions that the database did not answer.", registry=self.registry
        )
        self.recorded = Counter(
            "tiendo_board_recorded",
            "Records that somebody gave and the broker has.",
            ["kind"],  # answer, silence, notice
            registry=self.registry,
        )
        self.answers = Counter(
            "tiendo_board_link_answers",
            "Answers from the answer page: recorded, repeated, not-recorded (the broker was away).",
            ["result"],
            registry=self.registry,
        )
        self.ready = Gauge("tiendo_board_ready", "1 while the database answers.", registry=self.registry)

    def render(self) -> bytes:
        """Return the metrics in Prometheus's text form."""
        return generate_latest(self.registry)
