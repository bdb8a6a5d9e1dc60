"""ClickHouse over its native protocol, embedded or in production; only addresses differ."""
