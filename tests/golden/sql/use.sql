-- {"action": "sent", "declared_as": [], "definition": "22f0c5f564033560", "directory": "dir", "enough": 1, "everyone": 0, "first": 14031, "judged": ["a", "b"], "known_at": "2008-09-30 16:59:59.000000", "known_day": "2008-09-30", "last": 14152, "revision": 3, "roster": "officials", "window": 7}
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
boxes AS (
    SELECT address, argMax(owner, version) AS owner,
           toInt32(argMax(from_day, version)) AS first, toInt32(argMax(to_day, version)) AS last
    FROM mailboxes
    WHERE received <= %(known_at)s
      AND (%(everyone)s = 1 OR address IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
    GROUP BY address, stint, source
    HAVING argMax(retracted, version) = 0 AND owner != ''
),
deeds AS (
    SELECT actor, kind, groupUniqArray(on_day) AS days
    FROM (
        SELECT actor, kind, toInt32(day) AS on_day
        FROM activity
        WHERE action = %(action)s AND received_day <= %(known_day)s
          AND toInt32(day) BETWEEN %(first)s - %(window)s + 1 AND %(last)s
          AND (%(everyone)s = 1
               OR kind = 'person' AND actor IN (SELECT person FROM people)
               OR kind = 'address' AND actor IN (SELECT address FROM mailboxes WHERE owner IN (SELECT person FROM people)))
        GROUP BY actor, kind, activity.day, source
        HAVING argMax(retracted, version) = 0
    )
    GROUP BY actor, kind
),
active AS (
    SELECT if(d.kind = 'person', d.actor, b.owner) AS person,
           arraySort(groupUniqArrayArray(
               if(d.kind = 'person', d.days, arrayFilter(on_day -> on_day BETWEEN b.first AND b.last, d.days)))) AS days
    FROM deeds AS d LEFT JOIN boxes AS b ON b.address = d.actor
    WHERE d.kind = 'person' OR b.owner != ''
    GROUP BY person
),
other AS (
    SELECT person, first, last
    FROM (
        SELECT person,
               arraySlice(days, %(enough)s) AS reached,
               arrayMap(began -> began + %(window)s - 1, arrayResize(days, length(reached))) AS lapses,
               arrayFilter((from_day, to_day) -> from_day <= to_day, reached, lapses) AS froms,
               arrayFilter((to_day, from_day) -> from_day <= to_day, lapses, reached) AS tos
        FROM active
    )
    ARRAY JOIN
        arrayFilter((from_day, before) -> from_day > before + 1, froms,
                    arrayResize(arrayPushFront(tos, -1000000), length(froms))) AS first,
        arrayFilter((to_day, next) -> next > to_day + 1, tos,
                    arrayResize(arrayPushBack(arraySlice(froms, 2), 1000000), length(froms))) AS last
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
