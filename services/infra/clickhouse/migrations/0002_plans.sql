-- Revisions as published, and what is read off them. Every row of the tables below carries the revision that it came from,
-- so that an older revision can still be asked for; the latest directory revision is the one with the greatest number.
-- Can be undone: all of it is rebuilt from plans.v1.

CREATE TABLE IF NOT EXISTS plan_revisions (
    kind String,
    id String,
    revision UInt32,
    in_force_from Date32,
    published DateTime64(6, 'UTC'),
    document String
) ENGINE = ReplacingMergeTree ORDER BY (kind, id, revision);

CREATE TABLE IF NOT EXISTS agencies (
    directory String,
    revision UInt32,
    agency String,
    parent String,
    name_vi String,
    name_en String,
    groups Array(String),
    from_day Date32,
    to_day Date32
) ENGINE = ReplacingMergeTree ORDER BY (directory, revision, agency);

CREATE TABLE IF NOT EXISTS agency_codes (
    directory String,
    revision UInt32,
    code String,       -- scheme:value; every agency also answers to agency:<id>
    agency String,
    leadership UInt8,
    from_day Date32,
    to_day Date32
) ENGINE = ReplacingMergeTree ORDER BY (directory, revision, code, agency, from_day);

CREATE TABLE IF NOT EXISTS feeds (
    directory String,
    revision UInt32,
    feed String,
    source String,
    types Array(String),
    rhythm String,
    silence_limit UInt32,
    agencies Array(String)
) ENGINE = ReplacingMergeTree ORDER BY (directory, revision, feed);

-- A definition is an indicator's measure in canonical form with those whom it judges, known by its hash.
CREATE TABLE IF NOT EXISTS definitions (
    definition String,
    canonical String,
    kind String,
    first_day Date32,
    plan String,
    revision UInt32,
    indicator String
) ENGINE = ReplacingMergeTree ORDER BY (definition, plan, revision, indicator);

-- Whose figure a member agency counts for, under a definition and a directory revision: itself where it is judged, else its
-- nearest judged ancestor.
CREATE TABLE IF NOT EXISTS scopes (
    definition String,
    directory String,
    revision UInt32,
    agency String,
    judged String,
    from_day Date32,
    to_day Date32
) ENGINE = ReplacingMergeTree ORDER BY (definition, directory, revision, agency);

-- The planned value of a day, for every agency that an indicator concerns with a target.
CREATE TABLE IF NOT EXISTS schedule (
    plan String,
    revision UInt32,
    indicator String,
    agency String,
    day Date32,
    planned Float64
) ENGINE = ReplacingMergeTree ORDER BY (plan, revision, indicator, agency, day);
