-- The events behind statements: each source's, by the hash that a fact's version ends in. Rows of one
-- event that are not merged yet are alike.
SELECT source, payload_hash, any(id), any(type)
FROM events
WHERE source IN %(sources)s AND payload_hash IN %(hashes)s
GROUP BY source, payload_hash
