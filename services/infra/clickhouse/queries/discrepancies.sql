-- Declarations that differ from what was measured of the same agency on the period's last day (or the day asked for). An agency
-- with offices counted under it is left out: it declares for itself alone, and its figure is that of all of them.
WITH asked AS (
    SELECT name, definition FROM (SELECT %(names)s AS names, %(definitions)s AS hashes)
    ARRAY JOIN names AS name, hashes AS definition
),
alone AS (
    SELECT definition, judged FROM scopes FINAL
    WHERE definition IN %(definitions)s AND directory = %(directory)s AND revision = %(revision)s
    GROUP BY definition, judged
    HAVING count() = 1 AND any(agency) = judged
),
claims AS (
    SELECT agency, indicator, source, from_day, to_day,
           if(to_day < toDate32(%(day)s), to_day, toDate32(%(day)s)) AS compared,
           tupleElement(value, 1) AS said_numerator, tupleElement(value, 2) AS said_denominator
    FROM (SELECT agency, indicator, source, from_day, to_day, argMax(tuple(numerator, denominator), version) AS value,
                 argMax(retracted, version) AS gone
          FROM declarations
          WHERE indicator IN %(names)s AND from_day <= toDate32(%(day)s)
            AND (%(everyone)s = 1 OR agency IN %(offices)s)
          GROUP BY agency, indicator, source, from_day, to_day
          HAVING gone = 0)
),
figures AS (
    SELECT definition, agency, day, argMax(tuple(numerator, denominator, measured_share), basis) AS figure
    FROM adoption
    WHERE definition IN %(definitions)s AND agency IN (SELECT agency FROM claims) AND day IN (SELECT compared FROM claims)
    GROUP BY definition, agency, day
),
pairs AS (
    SELECT c.agency AS agency, c.indicator AS indicator, c.source AS source, c.from_day AS first, c.to_day AS last,
           c.compared AS day, c.said_numerator AS declared_numerator, c.said_denominator AS declared_denominator,
           f.figure.1 AS counted, f.figure.2 AS measured_denominator,
           if(declared_numerator IS NULL, NULL, counted) AS measured_numerator,
           if(declared_numerator IS NULL,
              toFloat64(declared_denominator - measured_denominator) / toFloat64(measured_denominator),
              toFloat64(assumeNotNull(declared_numerator)) / toFloat64(declared_denominator)
                  - toFloat64(counted) / toFloat64(measured_denominator)) AS difference
    FROM claims AS c
    INNER JOIN asked AS a ON a.name = c.indicator
    INNER JOIN alone AS o ON o.definition = a.definition AND o.judged = c.agency
    INNER JOIN figures AS f ON f.definition = a.definition AND f.agency = c.agency AND f.day = c.compared
    WHERE f.figure.3 = 1 AND f.figure.2 != 0 AND (c.said_numerator IS NULL OR c.said_denominator != 0)
)
SELECT agency, indicator, source, first, last, day, declared_numerator, declared_denominator,
       measured_numerator, measured_denominator, difference
FROM pairs
WHERE abs(difference) > %(margin)s + 1e-12
ORDER BY agency, indicator, day, source
LIMIT 1 BY agency, indicator, source, first, last
