"""What the aggregator counts; the one catalogue of its metrics."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("tiendo_aggregator_events", "Events written to archive and facts, repeats included.")
RECORDS = Counter("tiendo_aggregator_records", "Records acknowledged.", ["topic"])
ROWS = Counter("tiendo_aggregator_rows", "Rows inserted, after folding.", ["table"])
MARKS = Counter("tiendo_aggregator_marks", "Marks written.")
UNUSABLE = Counter("tiendo_aggregator_unusable", "Parts of records that held no usable event.")
WRITE_SECONDS = Histogram("tiendo_aggregator_write_seconds", "Writing one batch: facts, look-ups, marks.")
WAITS = Counter("tiendo_aggregator_database_waits", "Calls repeated because ClickHouse was away.", ["work"])
ROUNDS = Counter("tiendo_aggregator_rounds", "Rounds of recomputation that found marks.")
ROUND_SECONDS = Histogram("tiendo_aggregator_round_seconds", "One round of recomputation that found marks.")
LEADER = Gauge("tiendo_aggregator_leader", "1 while this worker leads.")
IDLE_SECONDS = Gauge("tiendo_aggregator_idle_seconds", "Since the worker last made progress.")
