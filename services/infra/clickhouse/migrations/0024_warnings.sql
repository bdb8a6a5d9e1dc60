-- Of two records of one place in a warning's life (evaluators that overlap) the first recorded counts: `precedence` falls as
-- time goes on, and the greatest wins. Answers and silences get tables of their own; all four are folds of warnings.v1.
-- Can be undone: the old tables hold nothing that the new ones and the log do not.

CREATE TABLE IF NOT EXISTS warnings_new (
    plan String,
    agency String,
    cause String,
    sequence UInt32,
    id String,
    state String,
    reason String,
    severity String,
    level String,
    answer String,               -- id of the answer that it takes up, or that holds
    day Date32,
    since Date32,
    at DateTime64(6, 'UTC'),
    revision UInt32,
    record String,
    recorded DateTime64(6, 'UTC') DEFAULT now64(6),
    precedence UInt64 MATERIALIZED 9223372036854775807 - toUInt64(toUnixTimestamp64Micro(recorded))
) ENGINE = ReplacingMergeTree(precedence) ORDER BY (plan, agency, cause, sequence);

INSERT INTO warnings_new (plan, agency, cause, sequence, id, state, reason, day, since, at, revision, record, recorded)
SELECT plan, agency, cause, sequence, id, state, reason, day, since, at, revision, record, at FROM warnings
WHERE (SELECT count() FROM warnings_new) = 0;

CREATE TABLE IF NOT EXISTS notices_new (
    plan String,
    agency String,
    id String,
    attempt UInt32,
    state String,
    recipient String,
    channel String,
    about String,
    number UInt32,
    transitions Array(String),   -- what it tells
    at DateTime64(6, 'UTC'),
    detail String,
    record String,
    recorded DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = ReplacingMergeTree ORDER BY (plan, id, attempt, state, at);

INSERT INTO notices_new (plan, agency, id, state, recipient, channel, about, transitions, at, detail, record, recorded)
SELECT plan, agency, id, state, recipient, channel, 'agency', JSONExtract(record, 'transitions', 'Array(String)'), at, detail, record, at FROM notices
WHERE (SELECT count() FROM notices_new) = 0;

CREATE TABLE IF NOT EXISTS answers (
    plan String,
    agency String,
    cause String,
    id String,
    answer String,
    via String,
    at DateTime64(6, 'UTC'),
    record String,
    recorded DateTime64(6, 'UTC') DEFAULT now64(6),
    precedence UInt64 MATERIALIZED 9223372036854775807 - toUInt64(toUnixTimestamp64Micro(recorded))
) ENGINE = ReplacingMergeTree(precedence) ORDER BY (plan, agency, cause, id);

CREATE TABLE IF NOT EXISTS silences (
    plan String,
    id String,
    action String,
    until DateTime64(6, 'UTC'),
    at DateTime64(6, 'UTC'),
    record String,
    recorded DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = ReplacingMergeTree ORDER BY (plan, id, action);

DROP TABLE IF EXISTS warnings_before_24;

DROP TABLE IF EXISTS notices_before_24;

RENAME TABLE warnings TO warnings_before_24, warnings_new TO warnings, notices TO notices_before_24, notices_new TO notices;

DROP TABLE IF EXISTS warnings_before_24;

DROP TABLE IF EXISTS notices_before_24;
