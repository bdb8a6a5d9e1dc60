-- {"declared_as": [], "definition": "3b3b61d8a197878c", "directory": "dir", "domain": "x.gov.vn", "everyone": 0, "first": 14031, "judged": ["a", "b"], "known_at": "2008-09-30 16:59:59.000000", "known_day": "2008-09-30", "last": 14152, "revision": 3, "roster": "officials", "subdomains": ".x.gov.vn"}
WITH scope AS (
    SELECT agency, judged, toInt32(from_day) AS first, toInt32(to_day) AS last
    FROM scopes FINAL
    WHERE definition = %(definition)s AND directory = %(directory)s AND revision = %(revision)s
      AND (%(everyone)s = 1 OR judged IN %(judged)s)
),
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
),
other AS (
    SELECT owner AS person, first, last
    FROM (
        SELECT argMax(owner, version) AS owner, argMax(domain, version) AS domain,
               toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last,
               argMax(retracted, version) AS gone
        FROM (SELECT address, stint, source, version, owner AS owner, domain AS domain, from_day AS from_day,
                     to_day AS to_day, retracted AS retracted
              FROM mailboxes
              WHERE received <= %(known_at)s
                AND address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
        GROUP BY address, stint, source
        HAVING gone = 0
    )
    WHERE owner != '' AND (domain = %(domain)s OR endsWith(domain, %(subdomains)s))
),
points AS (
    SELECT r.judged AS judged, r.person AS person,
           arraySort(arrayConcat(
               arrayFlatten(arrayMap(s -> [(s.1, 1, 0), (s.2 + 1, -1, 0)], r.spans)),
               arrayFlatten(arrayMap(s -> [(s.1, 0, 1), (s.2 + 1, 0, -1)], o.spans)))) AS points
    FROM (SELECT judged, person, groupArray((first, last)) AS spans FROM roster GROUP BY judged, person) AS r
    LEFT JOIN (SELECT person, groupArray((first, last)) AS spans FROM other GROUP BY person) AS o
           ON o.person = r.person
),
changes AS (
    SELECT judged, at, toInt64(both) AS done, toInt64(due) AS total
    FROM (
        SELECT judged, points.1 AS days,
               arrayMap(n -> toInt8(n > 0), arrayCumSum(points.2)) AS on_roster,
               arrayMap((n, m) -> toInt8(n > 0 AND m > 0), arrayCumSum(points.2), arrayCumSum(points.3)) AS on_both,
               arrayDifference(on_roster) AS later_due, arrayDifference(on_both) AS later_both
        FROM points
    )
    ARRAY JOIN days AS at,
               arrayMap((d, v, i) -> if(i = 1, v, d), later_due, on_roster, arrayEnumerate(days)) AS due,
               arrayMap((d, v, i) -> if(i = 1, v, d), later_both, on_both, arrayEnumerate(days)) AS both
    WHERE due != 0 OR both != 0
),
declared AS (
    SELECT '' AS judged, toInt32(0) AS at, toDecimal128(0, 4) AS done, toDecimal128(0, 4) AS total WHERE 0
)
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
