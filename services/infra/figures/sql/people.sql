-- Per judged agency and day: people on the roster, and those of them for whom the other thing holds too. A person's spans
-- become points (day, change on the roster, change of the other); running sums tell where both hold; only changes of state
-- are counted, and the running sum over the days gives the figure. Cost: spans, then agencies times days.
WITH {scope},
{roster},
{other},
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
{declared}
{running}
