-- Whose figure each member agency counts for, under a definition that no published plan asks for: it comes with the query.
scope AS (
    SELECT given.1 AS agency, given.2 AS judged, toInt32(given.3) AS first, toInt32(given.4) AS last
    FROM (SELECT arrayJoin(%(scope)s) AS given)
    WHERE %(everyone)s = 1 OR judged IN %(judged)s
)
