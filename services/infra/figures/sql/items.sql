-- Per judged agency and day: items of the period, and those adopted on that day. An item enters on its least entered day
-- (without one, on its day of issue); of the steps up to a day the last decides, and on equal days undone wins. Each item
-- gives changes on few days, and the running sum over the days gives the figure.
WITH {scope},
{steps},
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
{declared}
{running}
