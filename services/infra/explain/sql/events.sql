-- The events behind statements: each source's, by the hash that a fact's version ends in. The table is not merged first:
-- of one event the smallest receipt counts.
SELECT source, payload_hash, any(id), any(type), min(received)
FROM events
WHERE source IN %(sources)s AND payload_hash IN %(hashes)s
GROUP BY source, payload_hash
