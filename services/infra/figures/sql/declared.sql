-- What agencies declare for days on which nothing had been measured of them yet. Of the statements that stand, on each day a
-- declared figure comes before a headcount, and of figures the greatest version; a headcount holds until the next one. Days
-- from `since` on are measured, whatever the measured figure says.
claims AS (
    SELECT agency, toInt32(from_day) AS first, toInt32(to_day) AS last, newest,
           tupleElement(value, 1) AS said_numerator, tupleElement(value, 2) AS said_denominator
    FROM (
        SELECT agency, indicator, from_day, to_day, source, max(version) AS newest,
               argMax(tuple(numerator, denominator), version) AS value, argMax(retracted, version) AS gone
        FROM declarations
        WHERE indicator IN %(declared_as)s AND agency IN (SELECT agency FROM scope) AND received <= %(known_at)s
        GROUP BY agency, indicator, from_day, to_day, source
        HAVING gone = 0
    )
),
spans AS (
    SELECT agency, first, last, 1 AS whole, newest,
           assumeNotNull(said_numerator) AS said_done, said_denominator AS said_total
    FROM claims
    WHERE said_numerator IS NOT NULL
    UNION ALL
    SELECT agency, first,
           leadInFrame(first, 1, toInt32(%(last)s + 1)) OVER (
               PARTITION BY agency ORDER BY first ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) - 1 AS last,
           0 AS whole, toUInt128(0) AS newest, toDecimal128(0, 4) AS said_done, counted AS said_total
    FROM (SELECT agency, first, argMax(said_denominator, newest) AS counted FROM claims
          WHERE said_numerator IS NULL GROUP BY agency, first)
),
{since},
declared AS (
    SELECT s.judged AS judged, d.at AS at, sum(d.said.1) AS done, sum(d.said.2) AS total
    FROM (
        SELECT agency, at, argMax(tuple(said_done, said_total), (whole, newest)) AS said
        FROM spans
        ARRAY JOIN range(greatest(first, toInt32(%(first)s)), greatest(least(last, toInt32(%(last)s)) + 1,
                         greatest(first, toInt32(%(first)s)))) AS at
        GROUP BY agency, at
    ) AS d
    INNER JOIN scope AS s ON s.agency = d.agency
    LEFT JOIN since AS m ON m.agency = d.agency
    WHERE d.at BETWEEN s.first AND s.last AND (m.agency = '' OR d.at < m.day)
    GROUP BY s.judged, d.at
)
