-- When each person is on the roster, per judged agency, within the member agency's life and the days asked for. `people`
-- are those concerned, found cheaply, because a query names them several times and every naming is computed anew.
people AS (
    SELECT person FROM memberships WHERE roster = %(roster)s AND agency IN (SELECT agency FROM scope)
),
roster AS (
    SELECT s.judged AS judged, m.person AS person,
           greatest(m.first, s.first) AS first, least(m.last, s.last) AS last
    FROM (
        SELECT person, agency,
               toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last,
               argMax(retracted, version) AS gone
        FROM memberships
        WHERE roster = %(roster)s AND agency IN (SELECT agency FROM scope) AND received <= %(known_at)s
        GROUP BY person, roster, agency, stint, source
        HAVING gone = 0
    ) AS m
    INNER JOIN scope AS s ON s.agency = m.agency
    WHERE greatest(m.first, s.first) <= least(m.last, s.last, %(last)s) AND least(m.last, s.last) >= %(first)s
)
