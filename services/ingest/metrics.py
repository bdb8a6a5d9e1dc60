"""What the gateway exports: the catalogue of its metrics. Labels come from closed sets only."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from schemas.reasons import Reason
from services.ingest.core.replay import Outcome

_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class IngestMetrics:
    """One set of metrics per process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.accepted = Counter(
            "tiendo_ingest_events_accepted", "Events that the broker acknowledged.", registry=self.registry
        )
        self.rejected = Counter(
            "tiendo_ingest_events_rejected", "Events refused, by typed reason.", ["reason"], registry=self.registry
        )
        for reason in Reason:  # a reason that has not occurred is zero, not absent
            self.rejected.labels(reason.value)
        self.turned_away = Counter(
            "tiendo_ingest_turned_away",
            "Requests turned away before any event was looked at, by reason.",
            ["reason"],
            registry=self.registry,
        )
        for why in ("no-token", "unknown-token", "ended-token", "too-many"):
            self.turned_away.labels(why)
        self.requests = Histogram(
            "tiendo_ingest_request_seconds",
            "Time from the head of a request to its answer.",
            ["route", "code"],
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self.publishing = Histogram(
            "tiendo_ingest_publish_seconds",
            "Time until the broker had acknowledged all of a request's records.",
            buckets=_LATENCIES,
            registry=self.registry,
        )
        self.unpublished = Counter(
            "tiendo_ingest_publish_failures", "Requests that the broker did not acknowledge.", registry=self.registry
        )
        self.replayed = Counter(
            "tiendo_ingest_replayed",
            "Refused inputs sent again, by what became of them.",
            ["outcome"],
            registry=self.registry,
        )
        for outcome in get_args(Outcome):
            self.replayed.labels(outcome)
        self.unreadable_documents = Counter(
            "tiendo_ingest_unreadable_documents", "Records of plans.v1 that could not be read.", registry=self.registry
        )
        self._ready = Gauge("tiendo_ingest_ready", "1 while the gateway can accept events.", registry=self.registry)

    def watch_ready(self, ready: Callable[[], bool]) -> None:
        """Ask *ready* whenever the metrics are read."""
        self._ready.set_function(lambda: float(ready()))

    def render(self) -> bytes:
        """Return the metrics in Prometheus's text form."""
        return generate_latest(self.registry)
