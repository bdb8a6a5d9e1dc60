-- The first day of anybody on the agency's roster.
since AS (
    SELECT agency, min(began) AS day
    FROM (
        SELECT agency, toInt32(argMax(from_day, version)) AS began
        FROM memberships
        WHERE roster = %(roster)s AND agency IN (SELECT agency FROM claims) AND received <= %(known_at)s
        GROUP BY person, roster, agency, stint, source
        HAVING argMax(retracted, version) = 0
    )
    GROUP BY agency
)
