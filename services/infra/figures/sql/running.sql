-- The figure of a day is the sum of all changes up to it and what is declared for it; days outside the judged agency's own
-- life have none. `measured_share` is the share of its cases that were measured.
SELECT f.judged AS agency, addDays(toDate32('1970-01-01'), f.at) AS day,
       toDecimal128(f.done_so_far, 4) + d.done AS numerator, toDecimal128(f.total_so_far, 4) + d.total AS denominator,
       if(denominator = 0, 0., toFloat64(f.total_so_far) / toFloat64(denominator)) AS measured_share
FROM (
    SELECT judged, at, sum(done) OVER up_to AS done_so_far, sum(total) OVER up_to AS total_so_far
    FROM (
        SELECT judged, at, sum(done) AS done, sum(total) AS total
        FROM (
            SELECT judged, greatest(at, %(first)s) AS at, done, total FROM changes WHERE at <= %(last)s
            UNION ALL
            SELECT DISTINCT judged, arrayJoin(range(toInt32(%(first)s), toInt32(%(last)s) + 1)) AS at, 0 AS done, 0 AS total
            FROM scope
        )
        GROUP BY judged, at
    )
    WINDOW up_to AS (PARTITION BY judged ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) AS f
INNER JOIN (SELECT judged AS alive, first, last FROM scope WHERE agency = judged) AS l ON l.alive = f.judged
LEFT JOIN declared AS d ON d.judged = f.judged AND d.at = f.at
WHERE f.at BETWEEN l.first AND l.last
