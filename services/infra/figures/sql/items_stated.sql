-- The steps of items as they stand, of the member agencies asked for; entered where a source says so.
steps AS (
    SELECT s.judged AS judged, f.agency AS office, f.id AS item, f.step AS step, f.on_day AS on_day,
           s.first AS life_first, s.last AS life_last, CAST(NULL AS Nullable(Int32)) AS issued
    FROM (
        SELECT agency, id, step, toInt32(argMax(day, version)) AS on_day
        FROM (SELECT type, agency, id, step, source, version, day AS day, retracted AS retracted FROM items
              WHERE type = %(facts)s AND agency IN (SELECT agency FROM scope) AND received <= %(known_at)s)
        GROUP BY type, agency, id, step, source
        HAVING argMax(retracted, version) = 0
    ) AS f
    INNER JOIN scope AS s ON s.agency = f.agency
)
