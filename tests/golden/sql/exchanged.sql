-- {"declared_as": [], "definition": "f5fbe045e6b5cecd", "directory": "dir", "everyone": 0, "facts": "document.exchanged", "first": 14031, "judged": ["a", "b"], "known_at": "2008-09-30 16:59:59.000000", "known_day": "2008-09-30", "last": 14152, "revision": 3, "span": 1000000, "start": 14027}
WITH scope AS (
    SELECT agency, judged, toInt32(from_day) AS first, toInt32(to_day) AS last
    FROM scopes FINAL
    WHERE definition = %(definition)s AND directory = %(directory)s AND revision = %(revision)s
      AND (%(everyone)s = 1 OR judged IN %(judged)s)
),
codes AS (
    SELECT code, agency, leadership, toInt32(from_day) AS first, toInt32(to_day) AS last
    FROM agency_codes FINAL
    WHERE directory = %(directory)s AND revision = %(revision)s
),
wanted AS (SELECT code FROM codes WHERE agency IN (SELECT agency FROM scope)),
stated AS (
    SELECT issuer, year, number, counterpart, step,
           toInt32(argMax(day, version)) AS on_day, toInt32(argMax(issued_on, version)) AS issued
    FROM (SELECT issuer, year, number, counterpart, step, source, version, day AS day, issued_on AS issued_on,
                 retracted AS retracted
          FROM exchanges
          WHERE (issuer IN (SELECT code FROM wanted) OR counterpart IN (SELECT code FROM wanted))
            AND received <= %(known_at)s)
    GROUP BY issuer, year, number, counterpart, step, source
    HAVING argMax(retracted, version) = 0
),
resolved AS (
    SELECT a.agency AS issuer, e.year AS year, e.number AS number, b.agency AS counterpart,
           e.step AS step, e.on_day AS on_day, e.issued AS issued,
           if(a.leadership = 1, b.agency, a.agency) AS party
    FROM stated AS e
    INNER JOIN codes AS a ON a.code = e.issuer
    INNER JOIN codes AS b ON b.code = e.counterpart
    WHERE a.leadership + b.leadership = 1
      AND e.issued BETWEEN a.first AND a.last AND e.issued BETWEEN b.first AND b.last
),
steps AS (
    SELECT s.judged AS judged, r.party AS office, (r.issuer, r.year, r.number, r.counterpart) AS item,
           r.step AS step, r.on_day AS on_day, s.first AS life_first, s.last AS life_last,
           CAST(r.issued AS Nullable(Int32)) AS issued
    FROM resolved AS r
    INNER JOIN scope AS s ON s.agency = r.party
),
entries AS (
    SELECT judged, office, item,
           coalesce(minIf(CAST(on_day AS Nullable(Int32)), step = 'entered'), min(issued)) AS entry,
           entry + %(span)s - 1 AS exit,
           arraySort(groupArrayIf((on_day, toInt8(step = 'undone')), step != 'entered')) AS states,
           any(life_first) AS alive_from, any(life_last) AS alive_to
    FROM steps
    GROUP BY judged, office, item
    HAVING entry IS NOT NULL AND entry >= %(start)s AND entry BETWEEN alive_from AND alive_to AND entry <= %(last)s
),
counted AS (
    SELECT judged, assumeNotNull(entry) AS enters, assumeNotNull(exit) AS leaves_after,
           arrayFilter(s -> s.1 <= leaves_after, states) AS seen,
           arrayMap(s -> 1 - s.2, seen) AS adopted,
           arrayMap((s, i) -> s - if(i = 1, 0, adopted[i - 1]), adopted, arrayEnumerate(adopted)) AS steps_up
    FROM entries
),
changes AS (
    SELECT judged, change.1 AS at, toInt64(change.2) AS done, toInt64(change.3) AS total
    FROM counted
    ARRAY JOIN arrayConcat(
        [(enters, 0, 1), (leaves_after + 1, -if(empty(adopted), 0, adopted[-1]), -1)],
        arrayMap((s, d) -> (greatest(s.1, enters), d, 0), seen, steps_up)) AS change
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
