-- Standing of groups, of everybody below a parent, and of all, with coverage bounds. Can be undone: it is made of standing.

CREATE TABLE IF NOT EXISTS rollups (
    plan String,
    revision UInt32,
    indicator String,
    by String,                   -- all, group or parent
    name String,                 -- the group's or the parent's id; empty for all
    day Date32,
    agencies UInt32,             -- how many the indicator concerns
    silent UInt32,               -- how many of them have a feed that is silent or never connected
    numerator Nullable(Decimal(38, 4)),
    denominator Nullable(Decimal(38, 4)),
    ratio Nullable(Float64),
    low Nullable(Float64),       -- the ratio if the silent agencies were all at 0 %
    high Nullable(Float64),      -- … all at 100 %
    planned Nullable(Float64),   -- weighted by denominators
    target Nullable(Float64),
    basis DateTime64(6, 'UTC')
) ENGINE = ReplacingMergeTree(basis) ORDER BY (plan, indicator, by, name, day);
