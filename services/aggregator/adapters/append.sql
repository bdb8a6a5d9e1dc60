-- Appends what differs from the figures held, or everything (`whole`). The basis was read before this statement began.
INSERT INTO adoption (definition, agency, day, numerator, denominator, measured_share, basis)
SELECT %(definition)s, agency, day, numerator, denominator, measured_share, toDateTime64(%(basis)s, 6, 'UTC')
FROM (
    SELECT agency, day, sum(numerator) AS numerator, sum(denominator) AS denominator, sum(measured_share) AS measured_share,
           sum(held_numerator) AS had_numerator, sum(held_denominator) AS had_denominator, sum(held_share) AS had_share
    FROM (
        SELECT agency, day, numerator, denominator, measured_share,
               toDecimal128(0, 4) AS held_numerator, toDecimal128(0, 4) AS held_denominator, 0. AS held_share
        FROM (
{figures}
        )
        UNION ALL
        SELECT agency, day, toDecimal128(0, 4), toDecimal128(0, 4), 0.,
               argMax(adoption.numerator, basis), argMax(adoption.denominator, basis), argMax(adoption.measured_share, basis)
        FROM adoption
        WHERE definition = %(definition)s AND toInt32(day) BETWEEN %(first)s AND %(last)s
          AND (%(everyone)s = 1 OR agency IN %(judged)s)
        GROUP BY agency, day
    )
    GROUP BY agency, day
)
WHERE (numerator != had_numerator OR denominator != had_denominator OR measured_share != had_share OR %(whole)s = 1)
  AND throwIf(now64(6) > toDateTime64(%(begin_by)s, 6, 'UTC')) = 0
SETTINGS max_execution_time = %(longest)s
