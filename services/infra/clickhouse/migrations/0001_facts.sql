-- The archive and the facts. A fact is a register: its natural key ends in the version, every version is kept, the current
-- row is argMax by version, exact duplicates collapse to the smallest moment of receipt. What a correction may change (a
-- day, an owner) is a value and never part of ORDER BY or PARTITION BY.
-- Cannot be undone: dropping these tables means a rebuild from the log.

CREATE TABLE IF NOT EXISTS events (
    source String,
    id String,
    payload_hash UInt64,
    type SimpleAggregateFunction(any, String),
    agency SimpleAggregateFunction(any, String),
    occurred SimpleAggregateFunction(any, DateTime64(6, 'UTC')),
    occurred_day SimpleAggregateFunction(any, Date32),
    payload SimpleAggregateFunction(any, String),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    stored SimpleAggregateFunction(min, DateTime64(6, 'UTC')) DEFAULT now64(6)
) ENGINE = AggregatingMergeTree ORDER BY (source, id, payload_hash);

CREATE TABLE IF NOT EXISTS memberships (
    person String,
    roster String,
    agency String,
    stint String,
    source String,
    version UInt128,
    from_day SimpleAggregateFunction(any, Date32),
    to_day SimpleAggregateFunction(any, Date32),
    retracted SimpleAggregateFunction(any, UInt8),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (person, roster, agency, stint, source, version);

CREATE TABLE IF NOT EXISTS mailboxes (
    address String,
    stint String,
    source String,
    version UInt128,
    owner SimpleAggregateFunction(any, String),
    domain SimpleAggregateFunction(any, String),
    from_day SimpleAggregateFunction(any, Date32),
    to_day SimpleAggregateFunction(any, Date32),
    retracted SimpleAggregateFunction(any, UInt8),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (address, stint, source, version);

-- Keeps the greatest version per local day of receipt instead of every version: a day's hundred mails are one row.
CREATE TABLE IF NOT EXISTS activity (
    actor String,
    kind String,
    day Date32,
    action String,
    source String,
    retracted UInt8,
    received_day Date32,
    version SimpleAggregateFunction(max, UInt128)
) ENGINE = AggregatingMergeTree ORDER BY (actor, kind, day, action, source, retracted, received_day);

CREATE TABLE IF NOT EXISTS exchanges (
    issuer String,
    year UInt16,
    number String,
    counterpart String,
    step String,
    source String,
    version UInt128,
    day SimpleAggregateFunction(any, Date32),
    issued_on SimpleAggregateFunction(any, Date32),
    retracted SimpleAggregateFunction(any, UInt8),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (issuer, year, number, counterpart, step, source, version);

CREATE TABLE IF NOT EXISTS items (
    type String,
    agency String,
    id String,
    step String,
    source String,
    version UInt128,
    day SimpleAggregateFunction(any, Date32),
    retracted SimpleAggregateFunction(any, UInt8),
    weight SimpleAggregateFunction(any, Decimal(38, 4)),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (type, agency, id, step, source, version);

CREATE TABLE IF NOT EXISTS declarations (
    agency String,
    indicator String,
    from_day Date32,
    to_day Date32,
    source String,
    version UInt128,
    numerator SimpleAggregateFunction(any, Nullable(Decimal(38, 4))),
    denominator SimpleAggregateFunction(any, Decimal(38, 4)),
    retracted SimpleAggregateFunction(any, UInt8),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (agency, indicator, from_day, to_day, source, version);

CREATE TABLE IF NOT EXISTS feed_reports (
    source String,
    type String,
    day Date32,
    version UInt128,
    count SimpleAggregateFunction(any, UInt64),
    retracted SimpleAggregateFunction(any, UInt8),
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (source, type, day, version);

CREATE TABLE IF NOT EXISTS rejected (
    rejection String,
    source String,
    reason String,
    detail String,
    pointer String,
    place String,
    type String,
    event_id String,
    key_id String,
    body String,
    received SimpleAggregateFunction(min, DateTime64(6, 'UTC')),
    stored SimpleAggregateFunction(min, DateTime64(6, 'UTC')) DEFAULT now64(6)
) ENGINE = AggregatingMergeTree ORDER BY (rejection, source, reason, detail, pointer, place, type, event_id, key_id, body);
