-- Items of which one source says on a day that they are adopted and another that they are not: only entered, or undone. Each
-- source speaks with its own steps up to that day; of equal days undone wins.
WITH codes AS (
    SELECT code, agency, leadership, from_day, to_day
    FROM agency_codes FINAL
    WHERE directory = %(directory)s AND revision = %(revision)s
),
stated AS (
    SELECT type, agency AS office, id AS item, source, step, on_day, on_day AS issued, 0 AS has_issue
    FROM (SELECT type, agency, id, step, source, argMax(day, version) AS on_day, argMax(retracted, version) AS gone
          FROM items
          WHERE type IN %(types)s
          GROUP BY type, agency, id, step, source)
    WHERE gone = 0
    UNION ALL
    SELECT 'document.exchanged' AS type, if(a.leadership = 1, b.agency, a.agency) AS office,
           concat(e.number, ' (', a.agency, ' → ', b.agency, ', ', toString(e.year), ')') AS item,
           e.source AS source, e.step AS step, e.on_day AS on_day, e.issued AS issued, 1 AS has_issue
    FROM (SELECT issuer, year, number, counterpart, step, source, argMax(day, version) AS on_day,
                 argMax(issued_on, version) AS issued, argMax(retracted, version) AS gone
          FROM exchanges
          WHERE 'document.exchanged' IN %(types)s
          GROUP BY issuer, year, number, counterpart, step, source) AS e
    INNER JOIN codes AS a ON a.code = e.issuer
    INNER JOIN codes AS b ON b.code = e.counterpart
    WHERE e.gone = 0 AND a.leadership + b.leadership = 1
      AND e.issued BETWEEN a.from_day AND a.to_day AND e.issued BETWEEN b.from_day AND b.to_day
),
by_source AS (
    SELECT type, office, item, source,
           min(if(step = 'entered', on_day, toDate32('2299-12-31'))) AS entered,
           min(if(has_issue = 1, issued, toDate32('2299-12-31'))) AS issued_on,
           arraySort(groupArrayIf((on_day, toInt8(step != 'entered'), toInt8(step = 'undone'), step),
                                  on_day <= toDate32(%(day)s))) AS seen,
           arraySort(arrayFilter(s -> s.2 = 1, seen)) AS moves,
           if(empty(moves), seen[-1], moves[-1]) AS last
    FROM stated
    GROUP BY type, office, item, source
    HAVING notEmpty(seen)
)
SELECT office AS agency, type, item,
       arraySort(groupArrayIf((source, last.4, last.1), last.4 = 'adopted')) AS adopted,
       arraySort(groupArrayIf((source, last.4, last.1), last.4 != 'adopted')) AS otherwise
FROM by_source
WHERE (type, office) IN (SELECT transform(definition, %(definitions)s, %(definition_types)s, ''), agency FROM scopes
                         WHERE definition IN %(definitions)s AND directory = %(directory)s AND revision = %(revision)s)
  AND (%(everyone)s = 1 OR office IN %(offices)s)
GROUP BY type, office, item
HAVING notEmpty(adopted) AND notEmpty(otherwise)
   AND if(min(entered) = toDate32('2299-12-31'), min(issued_on), min(entered)) BETWEEN toDate32(%(start)s) AND toDate32(%(day)s)
ORDER BY agency, type, item
