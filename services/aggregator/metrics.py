"""What the aggregator counts; the one catalogue of its metrics."""

from prometheus_client import Counter, Gauge, Histogram

from services.aggregator.core.dead_letters import Rule

EVENTS = Counter("tiendo_aggregator_events", "Events written to archive and facts, repeats included.")
RECORDS = Counter("tiendo_aggregator_records", "Records acknowledged.", ["topic"])
ROWS = Counter("tiendo_aggregator_rows", "Rows inserted, after folding.", ["table"])
MARKS = Counter("tiendo_aggregator_marks", "Marks written.")
UNUSABLE = Counter("tiendo_aggregator_unusable", "Parts of records that held no usable event.")
UNUSABLE_RECENTLY = Gauge(
    "tiendo_aggregator_unusable_recently", "Unusable ones among the last events that the limit looks at."
)
STOPPED = Gauge(
    "tiendo_aggregator_stopped_by_dead_letters",
    "1 once the limit on dead letters has stopped the worker: page.",
    ["rule"],
)
for _rule in Rule:  # a limit that was not reached is zero, not absent
    STOPPED.labels(_rule.value)
WRITE_SECONDS = Histogram("tiendo_aggregator_write_seconds", "Writing one batch: facts, look-ups, marks.")
WAITS = Counter("tiendo_aggregator_database_waits", "Calls repeated because ClickHouse was away.", ["work"])
UNANSWERED = Gauge("tiendo_aggregator_database_unanswered_seconds", "How long a statement has had no answer.")
ROUNDS = Counter("tiendo_aggregator_rounds", "Rounds of recomputation that found marks.")
ROUND_SECONDS = Histogram("tiendo_aggregator_round_seconds", "One round of recomputation that found marks.")
LEADER = Gauge("tiendo_aggregator_leader", "1 while this worker leads.")
IDLE_SECONDS = Gauge("tiendo_aggregator_idle_seconds", "Since the worker last made progress.")
