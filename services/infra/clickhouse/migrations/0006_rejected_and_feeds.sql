-- What feeds sent, by the day that it happened on: the days of a feed are counted without reading its whole archive. A row per
-- event id, type and day, whatever the number of its payloads and arrivals; the view writes it with the archive, in the same
-- insert. Repeated inserts must reach the view too, so they are not deduplicated by block: the tables collapse them anyway.
-- Can be undone: both are derived from `events`.

CREATE TABLE IF NOT EXISTS feed_events (
    source String,
    day Date32,
    type String,
    id String
) ENGINE = ReplacingMergeTree ORDER BY (source, day, type, id);

CREATE MATERIALIZED VIEW IF NOT EXISTS feed_events_of_events TO feed_events AS
SELECT source, occurred_day AS day, type, id FROM events WHERE type != 'feed.reported';

-- After the view, so that what is written meanwhile comes twice and not never.
INSERT INTO feed_events SELECT source, occurred_day AS day, type, id FROM events WHERE type != 'feed.reported';

-- The same input may be refused again later, for the same reason or another: the latest refusal is the one that stands.
ALTER TABLE rejected ADD COLUMN IF NOT EXISTS
    last_received SimpleAggregateFunction(max, DateTime64(6, 'UTC')) DEFAULT received;

-- When a refused input was last sent again and taken. Comes from usage.rejected.v1 as refusals do.
CREATE TABLE IF NOT EXISTS replays (
    rejection String,
    source String,
    replayed SimpleAggregateFunction(max, DateTime64(6, 'UTC'))
) ENGINE = AggregatingMergeTree ORDER BY (rejection, source);
