-- Figures, standing and warnings: all of it can be dropped and comes out the same from the facts and the log.

-- What needs recomputing: the facts read (`reads`), the agency as it stands in the facts, and the days concerned. Marks are
-- written after the facts. A recomputation clears only the marks that it read, with the moment its reading began; a mark is
-- outstanding while marked >= cleared. Every moment is the database's.
CREATE TABLE IF NOT EXISTS touched (
    reads String,
    agency String,
    from_day Date32,
    to_day Date32,
    marked SimpleAggregateFunction(max, DateTime64(6, 'UTC')) DEFAULT now64(6),
    cleared SimpleAggregateFunction(max, DateTime64(6, 'UTC')) DEFAULT toDateTime64(0, 6, 'UTC')
) ENGINE = AggregatingMergeTree ORDER BY (reads, agency, from_day, to_day);

CREATE VIEW IF NOT EXISTS outstanding AS
SELECT reads, agency, from_day, to_day, max(marked) AS last_marked
FROM touched GROUP BY reads, agency, from_day, to_day HAVING max(marked) >= max(cleared);

-- Only changed values are appended; the greatest basis (when the reading of the facts began) wins.
CREATE TABLE IF NOT EXISTS adoption (
    definition String,
    agency String,
    day Date32,
    numerator Decimal(38, 4),
    denominator Decimal(38, 4),
    measured_share Float64,
    basis DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(basis) ORDER BY (definition, agency, day);

-- Per source, type and day: what the feed says it sent, and how many different event ids with that day were counted.
CREATE TABLE IF NOT EXISTS feed_days (
    source String,
    type String,
    day Date32,
    reported Nullable(UInt64),   -- null: the feed has not reported this day
    counted UInt64,
    basis DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(basis) ORDER BY (source, type, day);

CREATE TABLE IF NOT EXISTS standing (
    plan String,
    revision UInt32,
    indicator String,
    agency String,
    day Date32,
    numerator Nullable(Decimal(38, 4)),
    denominator Nullable(Decimal(38, 4)),
    ratio Nullable(Float64),
    measured_share Nullable(Float64),
    planned Nullable(Float64),
    target Nullable(Float64),
    verdict String,
    days_behind Nullable(Float64),
    spi Nullable(Float64),
    needed_pace Nullable(Float64),
    recent_pace Nullable(Float64),
    forecast Nullable(Date32),
    forecast_low Nullable(Date32),
    forecast_high Nullable(Date32),
    feed_state String,
    provisional UInt8,
    judged_day Date32,           -- the day whose figures count: the last covered one while a feed is silent
    basis DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(basis) ORDER BY (plan, indicator, agency, day);

-- One row per finished round of the evaluator: everything known to the database before `basis` has been judged.
CREATE TABLE IF NOT EXISTS evaluations (
    plan String,
    revision UInt32,
    day Date32,
    basis DateTime64(6, 'UTC'),
    inputs String DEFAULT ''     -- digest of the revisions judged under
) ENGINE = ReplacingMergeTree(basis) ORDER BY plan;

CREATE TABLE IF NOT EXISTS warnings (
    plan String,
    agency String,
    cause String,
    sequence UInt32,
    id String,
    state String,
    reason String,
    day Date32,
    since Date32,
    at DateTime64(6, 'UTC'),
    revision UInt32,
    record String
) ENGINE = ReplacingMergeTree ORDER BY (plan, agency, cause, sequence, id);

CREATE TABLE IF NOT EXISTS notices (
    id String,
    state String,
    plan String,
    agency String,
    recipient String,
    channel String,
    at DateTime64(6, 'UTC'),
    detail String,
    record String
) ENGINE = ReplacingMergeTree ORDER BY (id, state, at);
