-- When the last copy of an event was stored; `stored` is the first. A later copy may have been received earlier, so whoever
-- catches up on what is new (a rebuild) must see it. Rows from before have one copy's moment, their own.
-- Can be undone: DROP COLUMN.

ALTER TABLE events ADD COLUMN IF NOT EXISTS restated SimpleAggregateFunction(max, DateTime64(6, 'UTC')) DEFAULT stored;
