-- The first day on which an entry of the agency counts.
since AS (
    SELECT office AS agency, min(assumeNotNull(entry)) AS day
    FROM entries
    WHERE entry IS NOT NULL AND office IN (SELECT agency FROM claims)
    GROUP BY office
)
