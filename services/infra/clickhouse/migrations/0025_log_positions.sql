-- How far each topic has been folded into this database: whoever reads goes on from here, not from what a consumer group has
-- committed, so that a database that is new, dropped or restored gets everything that it lacks.
-- Can be undone: without a position a topic is read from its beginning, which changes nothing in what is there already.

CREATE TABLE IF NOT EXISTS log_positions (
    topic_id String,             -- the broker's own: a topic made anew has another
    partition UInt32,
    next UInt64,                 -- offset of the first record that may be missing here
    at DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = ReplacingMergeTree(next) ORDER BY (topic_id, partition);
