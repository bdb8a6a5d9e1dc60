-- Which groups of workers have begun to read the topics into this database. One that has committed offsets and does not stand
-- here has read into another: what it read before is missing. A database that holds something already is taken on trust.
-- Can be undone: workers ask for it when they start and at no other time.

CREATE TABLE IF NOT EXISTS readers (
    reader String,
    began DateTime64(6, 'UTC') DEFAULT now64(6)
) ENGINE = ReplacingMergeTree ORDER BY reader;

INSERT INTO readers (reader) SELECT '' FROM events LIMIT 1;

INSERT INTO readers (reader) SELECT '' FROM plan_revisions LIMIT 1;
