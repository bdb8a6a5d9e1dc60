-- The steps of documents as they stand. Both parties are resolved on the day of issue; a document counts for the party that
-- is not leadership, and only if exactly one is. Parties that name one agency differently meet in the agency.
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
)
