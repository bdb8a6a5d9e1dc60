-- {"declared_as": [], "definition": "5a0a0419c59d2ac3", "directory": "dir", "done": "disbursed", "everyone": 0, "facts": "budget.recorded", "first": 14031, "judged": ["a", "b"], "known_at": "2008-09-30 16:59:59.000000", "known_day": "2008-09-30", "last": 14152, "planned": "budgeted", "revision": 3, "start": 14027}
WITH scope AS (
    SELECT agency, judged, toInt32(from_day) AS first, toInt32(to_day) AS last
    FROM scopes FINAL
    WHERE definition = %(definition)s AND directory = %(directory)s AND revision = %(revision)s
      AND (%(everyone)s = 1 OR judged IN %(judged)s)
),
steps AS (
    SELECT s.judged AS judged, f.agency AS office, f.id AS item,
           multiIf(%(facts)s != 'budget.recorded', f.step, splitByChar('/', f.id)[2] = %(done)s, 'adopted', 'entered') AS step,
           f.on_day AS on_day, f.weight AS weight, f.newest AS newest
    FROM (
        SELECT agency, id, step, toInt32(argMax(day, version)) AS on_day, argMax(weight, version) AS weight,
               max(version) AS newest
        FROM (SELECT type, agency, id, step, source, version, day AS day, weight AS weight, retracted AS retracted
              FROM items
              WHERE type = %(facts)s AND agency IN (SELECT agency FROM scope) AND received <= %(known_at)s
                AND (type != 'budget.recorded' OR splitByChar('/', id)[2] IN (%(done)s, %(planned)s)))
        GROUP BY type, agency, id, step, source
        HAVING argMax(retracted, version) = 0
    ) AS f
    INNER JOIN scope AS s ON s.agency = f.agency
    WHERE f.on_day BETWEEN s.first AND s.last AND f.on_day >= %(start)s
),
entries AS (
    SELECT judged, office, argMax(weight, newest) AS weight,
           minIf(CAST(on_day AS Nullable(Int32)), step = 'entered') AS entry,
           arraySort(groupArrayIf((on_day, toInt8(step = 'undone')), step != 'entered')) AS states,
           arrayMap(s -> 1 - s.2, states) AS adopted,
           arrayMap((s, i) -> s - if(i = 1, 0, adopted[i - 1]), adopted, arrayEnumerate(adopted)) AS steps_up
    FROM steps
    GROUP BY judged, office, item
),
changes AS (
    SELECT judged, change.1 AS at, weight * change.2 AS done, weight * change.3 AS total
    FROM entries
    ARRAY JOIN arrayConcat(
        if(entry IS NULL, [], [(assumeNotNull(entry), 0, 1)]),
        arrayMap((s, d) -> (s.1, d, 0), states, steps_up)) AS change
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
