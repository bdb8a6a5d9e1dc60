-- What the member agencies have declared under the figure's names for the day judged, each source's statement that stands;
-- a headcount holds from its first day on.
WITH {scope}
SELECT agency, indicator, from_day, to_day, source, max(version) AS newest,
       argMax(tuple(numerator, denominator), version) AS value, argMax(retracted, version) AS gone
FROM declarations
WHERE indicator IN %(declared_as)s AND agency IN (SELECT agency FROM scope) AND received <= %(known_at)s
GROUP BY agency, indicator, from_day, to_day, source
HAVING gone = 0 AND toInt32(from_day) <= %(last)s
   AND (tupleElement(value, 1) IS NULL OR toInt32(to_day) >= %(first)s)
ORDER BY agency, indicator, from_day, source
