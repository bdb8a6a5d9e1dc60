-- Which rounds of recomputation may have an append under way. A round says so before its first append (`until` lies ahead)
-- and takes it back after its last one (`until` has passed); what a dead round said passes by itself.
-- Can be undone: nothing but rounds under way reads it.

CREATE TABLE IF NOT EXISTS recomputations (
    round String,
    until DateTime64(6, 'UTC'),
    said DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = MergeTree ORDER BY said TTL toDateTime(said) + INTERVAL 1 DAY;
