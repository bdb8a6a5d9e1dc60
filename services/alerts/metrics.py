"""The catalogue of what the alerting service measures. Ages, not instants."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

ROUNDS = Counter("tiendo_alerts_rounds_total", "Looks at what is to be judged, by what came of them.", ["outcome"])
ROUND_SECONDS = Histogram(
    "tiendo_alerts_round_seconds", "Real seconds of a round that judged.", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300)
)
ROUND_AGE = Gauge("tiendo_alerts_round_age_seconds", "Real seconds since the last look that ended well.")
LEADER = Gauge("tiendo_alerts_leader", "1 while this process leads.")
WARNINGS_OPEN = Gauge("tiendo_alerts_warnings_open", "Open warnings.", ["plan", "kind"])
TRANSITIONS = Counter("tiendo_alerts_transitions_total", "Changes of warnings recorded here.", ["plan", "reason"])
NOTICES = Counter(
    "tiendo_alerts_notices_total",
    "Attempts to send, by kind of channel and outcome: sent, dead (given up), else the fault.",
    ["channel", "outcome"],
)
NOTICES_WAITING = Gauge("tiendo_alerts_notices_waiting", "Notices recorded and not yet sent.", ["plan"])
ALERTS_POSTED = Counter(
    "tiendo_alerts_alertmanager_posts_total", "Posts of open warnings to Alertmanager, by outcome.", ["outcome"]
)
LOGGED = Counter(
    "tiendo_alerts_log_records_total", "Records of the log of warnings, by what came of them.", ["outcome"]
)
