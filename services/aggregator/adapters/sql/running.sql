-- The figure of a day is the sum of all changes up to it; days outside the judged agency's own life have none.
SELECT judged AS agency, addDays(toDate32('1970-01-01'), at) AS day,
       toDecimal128(done_so_far, 4) AS numerator, toDecimal128(total_so_far, 4) AS denominator
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
WHERE f.at BETWEEN l.first AND l.last
