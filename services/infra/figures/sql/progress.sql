-- Per judged agency and day: weight done and weight planned. Milestones are planned where entered and done while adopted; of
-- money the amounts of one stage are planned and those of a later one done, each an entry of its own; the stage is the
-- second part of the id.
WITH {scope},
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
{declared}
{running}
